// A folder of files with known times, served by StaticFiles.
#pragma once

#include "support/file_exchange.hpp"
#include "support/temporary_folder.hpp"

#include <atlas/asgi/static_files.hpp>
#include <atlas/http/date.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace atlas::testing {

/// A response, taken apart.
struct StaticResponse {
  int status = 0;
  std::string head;  ///< All lines of it, with the empty one.
  std::string body;

  [[nodiscard]] std::optional<std::string> field(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return std::nullopt;
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class StaticFolder {
 public:
  /// Whose age makes a file's times tell of each change.
  static constexpr std::int64_t modified = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT

  void write(const std::string& name, std::string_view text) const {
    const std::filesystem::path path = folder_.file(name);
    std::filesystem::create_directories(path.parent_path());
    write_text(path, text);
    set_modified(name, modified);
  }

  void set_modified(const std::string& name, std::int64_t seconds) const {
    using namespace std::filesystem;
    const auto age = std::chrono::system_clock::now() -
                     std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
    const auto time = file_time_type::clock::now() - age;
    last_write_time(folder_.file(name),
                    std::chrono::floor<std::chrono::seconds>(time + std::chrono::milliseconds(500)));
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] std::string path() const { return folder_.path(); }

  /// Of a new StaticFiles, whose cache knows nothing. `fields` are lines of a head, each with its end.
  [[nodiscard]] StaticResponse get(const std::string& target, const std::string& fields = {}) const {
    return request("GET", target, fields);
  }
  [[nodiscard]] StaticResponse request(const std::string& method, const std::string& target,
                                       const std::string& fields = {}) const {
    const auto received = response_of(asgi::StaticFiles(folder_.path(), options),
                                      method + " " + target + " HTTP/1.1\r\nhost: h\r\n" + fields + "\r\n");
    return parsed(received);
  }

  [[nodiscard]] static StaticResponse parsed(const std::string& received) {
    const auto end = received.find("\r\n\r\n");
    if (received.size() < 12 || end == std::string::npos) return {0, received, {}};
    return {std::stoi(received.substr(9, 3)), received.substr(0, end + 4), received.substr(end + 4)};
  }

  asgi::StaticFilesOptions options;

 private:
  TemporaryFolder folder_;
};

}  // namespace atlas::testing
