#include <atlas/asgi/toolkit/file_response.hpp>

#include <atlas/asgi/static_media_types.hpp>
#include <atlas/asgi/toolkit/multipart.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/asgi/toolkit/url_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace atlas::asgi {
namespace {

class FileBody final : public ResponseBody {
 public:
  explicit FileBody(std::string path) : message_{std::move(path)} {}

  void send(HttpResponseStart& start, const Scope& scope, Send& send) override {
    std::error_code fault;
    try {
      send(start);
      return send(message_);
    } catch (const Disconnected&) {
      throw;
    } catch (const std::system_error& error) {
      fault = error.code();  // nothing was sent: the response may begin anew
    }
    const bool missing = fault == std::errc::no_such_file_or_directory ||
                         fault == std::errc::not_a_directory || fault == std::errc::is_a_directory;
    if (!missing) throw std::system_error(fault, message_.path);
    error_response(HttpError(404)).send(scope, send);
  }

 private:
  HttpResponsePathsend message_;
};

/// RFC 6266, with a plain name for those that do not read the other (RFC 8187).
std::string disposition_of(std::string_view name) {
  auto plain = safe_file_name(name);
  std::ranges::replace_if(
      plain, [](char c) { return static_cast<unsigned char>(c) >= 0x7f || c == '"' || c == '\\'; }, '_');
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", plain,
                     encode_form_text(safe_file_name(name)));
}

}  // namespace

Response file(std::string path, const FileResponse& options) {
  if (!path.starts_with('/')) throw std::invalid_argument(fmt::format("file: '{}' is not absolute", path));
  auto type = options.media_type.empty() ? std::string(media_type_of(path)) : options.media_type;
  if (type.empty()) type = "application/octet-stream";
  Response response(200, std::make_unique<FileBody>(std::move(path)));
  response.headers.add("content-type", type);
  if (!options.download_name.empty())
    response.headers.add("content-disposition", disposition_of(options.download_name));
  return response;
}

}  // namespace atlas::asgi
