// A form as it was sent (application/x-www-form-urlencoded or multipart/form-data), read whole: fields as
// text, files in memory when they are small and else on disk.
#pragma once

#include <atlas/asgi/toolkit/multipart.hpp>
#include <atlas/asgi/toolkit/request.hpp>
#include <atlas/core/file.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::asgi {

/// Above each of them: 413, which names the field.
struct FormLimits {
  MultipartLimits multipart = {};
  std::size_t fields_max = 1000;
  std::size_t field_bytes_max = std::size_t{1} << 20;  ///< Of each field that is no file.
  std::uint64_t file_bytes_max = std::uint64_t{64} << 20;
  std::uint64_t bytes_max = std::uint64_t{256} << 20;  ///< Of all fields and files together.
  std::size_t files_max = 100;
  std::size_t file_memory_bytes_max = std::size_t{256} * 1024;  ///< A file that is larger is kept on disk.
  /// Of fields and files in memory together: files beyond it are kept on disk, fields are refused.
  std::size_t memory_bytes_max = std::size_t{16} << 20;
  std::string folder = "/tmp";  ///< Where; files there have no name, and vanish with the form.
};

class UploadedFile {
 public:
  UploadedFile(PartHead head, std::string content)
      : head_(std::move(head)), size_(content.size()), content_(std::move(content)) {}
  UploadedFile(PartHead head, std::uint64_t size, File file)
      : head_(std::move(head)), size_(size), file_(std::move(file)) {}

  [[nodiscard]] const std::string& field() const noexcept { return head_.name; }
  /// As the client has sent it: not to be used as a path. See safe_file_name.
  [[nodiscard]] const std::string& file_name() const noexcept { return *head_.file_name; }
  [[nodiscard]] const std::string& content_type() const noexcept { return head_.content_type; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] bool on_disk() const noexcept { return file_.has_value(); }

  /// **Suspends**: all of it, in memory.
  [[nodiscard]] Result<std::string> content() const;
  /// **Suspends**: how many bytes were read from `offset` on; 0 at the end.
  [[nodiscard]] Result<std::size_t> read_some_at(std::uint64_t offset, std::span<char> into) const;
  /// **Suspends**: writes a new file, which must not be there yet. After an error it is not there.
  [[nodiscard]] Result<void> save_as(const std::string& path) const;

 private:
  [[nodiscard]] Result<void> write_to(File& file) const;

  PartHead head_;
  std::uint64_t size_;
  std::string content_;
  std::optional<File> file_;
};

class Form {
 public:
  /// A field's value; of several, the first. Throws ValidationError "form.name" when it is missing or no T.
  template <class T = std::string_view>
  [[nodiscard]] T get(std::string_view name) const {
    const auto text = find(name);
    if (!text) throw ValidationError(error_name(name), "is missing");
    return parsed<T>(name, *text);
  }
  template <class T = std::string_view>
  [[nodiscard]] std::optional<T> get(std::string_view name, std::nullopt_t) const {
    const auto text = find(name);
    return text ? std::optional<T>(parsed<T>(name, *text)) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const noexcept {
    return fields_;
  }

  /// The first file of that field; null when there is none. A browser sends one without a name and content
  /// where no file was chosen: it does not count.
  [[nodiscard]] const UploadedFile* file(std::string_view name) const noexcept;
  [[nodiscard]] const std::vector<UploadedFile>& files() const noexcept { return files_; }

 private:
  friend class FormReader;

  template <class T>
  [[nodiscard]] static T parsed(std::string_view name, std::string_view text) {
    return value_of_text<T>(text, [&](std::string_view expected) {
      throw ValidationError(error_name(name), "is not " + std::string(expected));
    });
  }
  [[nodiscard]] static std::string error_name(std::string_view name) { return "form." + std::string(name); }

  std::vector<std::pair<std::string, std::string>> fields_;
  std::vector<UploadedFile> files_;
};

/// **Suspends** until all of it has come. Throws HttpError: 415 for another content-type, 400 for a malformed
/// body, 413 over a limit; std::system_error when a file cannot be kept.
[[nodiscard]] Form read_form(Request& request, const FormLimits& limits = {});

}  // namespace atlas::asgi
