#include <atlas/asgi/toolkit/form.hpp>

#include <atlas/asgi/toolkit/url_text.hpp>
#include <atlas/core/filesystem.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/utf8.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace atlas::asgi {
namespace {

constexpr std::size_t copy_bytes = std::size_t{64} * 1024;

[[noreturn]] void refuse_size(std::string_view field, std::uint64_t bytes_max) {
  throw HttpError(413, fmt::format("form.{} may have {} bytes", field, bytes_max));
}

bool is_type(http::HeadersView headers, std::string_view type) {
  const auto given = headers.find("content-type").value_or("");
  return http::iequals(http::trim_ows(given.substr(0, given.find(';'))), type);
}

}  // namespace

/// One form's reading.
class FormReader {
 public:
  FormReader(Request& request, const FormLimits& limits) : request_(request), limits_(limits) {}

  [[nodiscard]] Form read() {
    if (is_type(request_.headers(), "application/x-www-form-urlencoded")) {
      read_pairs();
    } else if (is_type(request_.headers(), "multipart/form-data")) {
      read_parts();
    } else {
      throw HttpError(415, "the body is to be a form",
                      {{"accept", "application/x-www-form-urlencoded, multipart/form-data"}});
    }
    return std::move(form_);
  }

 private:
  void read_pairs() {
    FormPairs pairs;
    pairs.parse(request_.body(), "the form", limits_.fields_max, 413);
    for (const auto& [name, value] : pairs) {
      count(name, value.size());
      if (value.size() > limits_.field_bytes_max) refuse_size(name, limits_.field_bytes_max);
      keep_field(name, value.size());
      form_.fields_.emplace_back(name, value);
    }
  }

  void read_parts() {
    MultipartReader parts(request_, limits_.multipart);
    while (auto head = parts.next()) {
      if (head->file_name) {
        read_file(parts, *std::move(head));
      } else {
        read_field(parts, head->name);
      }
    }
  }

  void read_field(MultipartReader& parts, const std::string& name) {
    if (form_.fields_.size() == limits_.fields_max)
      throw HttpError(413, fmt::format("the form may have {} fields", limits_.fields_max));
    std::string value;
    while (const auto piece = parts.read()) {
      count(name, piece->size());
      if (piece->size() > limits_.field_bytes_max - value.size()) refuse_size(name, limits_.field_bytes_max);
      keep_field(name, piece->size());
      value += *piece;
    }
    if (!http::is_utf8(value) || value.find('\0') != std::string::npos)
      throw HttpError(400, fmt::format("form.{} is not UTF-8, or has a NUL", name));
    form_.fields_.emplace_back(name, std::move(value));
  }

  void read_file(MultipartReader& parts, PartHead head) {
    if (form_.files_.size() == limits_.files_max)
      throw HttpError(413, fmt::format("the form may have {} files", limits_.files_max));
    std::string content;
    std::optional<File> file;
    std::uint64_t size = 0;
    while (const auto piece = parts.read()) {
      count(head.name, piece->size());
      size += piece->size();
      if (size > limits_.file_bytes_max) refuse_size(head.name, limits_.file_bytes_max);
      if (!file && (size > limits_.file_memory_bytes_max || size > limits_.memory_bytes_max - memory_)) {
        file = File::unnamed(limits_.folder).value();
        file->write(std::exchange(content, {})).value();
      }
      if (file) {
        file->write(*piece).value();
      } else {
        content += *piece;
      }
    }
    if (head.file_name->empty() && size == 0) return;  // none was chosen
    if (file) {
      form_.files_.emplace_back(std::move(head), size, *std::move(file));
    } else {
      memory_ += content.size();
      form_.files_.emplace_back(std::move(head), std::move(content));
    }
  }

  void count(std::string_view name, std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > limits_.bytes_max)
      throw HttpError(
          413, fmt::format("the form may have {} bytes, which form.{} goes beyond", limits_.bytes_max, name));
  }

  void keep_field(std::string_view name, std::size_t bytes) {
    if (bytes > limits_.memory_bytes_max - memory_)
      throw HttpError(413, fmt::format("the form's fields may have {} bytes, which form.{} goes beyond",
                                       limits_.memory_bytes_max, name));
    memory_ += bytes;
  }

  Request& request_;
  const FormLimits& limits_;
  std::uint64_t bytes_ = 0;
  std::size_t memory_ = 0;  // of what is kept there
  Form form_;
};

Form read_form(Request& request, const FormLimits& limits) { return FormReader(request, limits).read(); }

std::optional<std::string_view> Form::find(std::string_view name) const noexcept {
  const auto found =
      std::ranges::find(fields_, name, [](const auto& field) { return std::string_view(field.first); });
  return found == fields_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::vector<std::string_view> Form::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [own, value] : fields_) {
    if (own == name) values.push_back(value);
  }
  return values;
}

const UploadedFile* Form::file(std::string_view name) const noexcept {
  const auto found =
      std::ranges::find(files_, name, [](const auto& file) { return std::string_view(file.field()); });
  return found == files_.end() ? nullptr : &*found;
}

Result<std::size_t> UploadedFile::read_some_at(std::uint64_t offset, std::span<char> into) const {
  if (file_) return file_->read_some_at(offset, into);
  const auto rest = std::string_view(content_).substr(std::min<std::uint64_t>(offset, content_.size()));
  return rest.copy(into.data(), into.size());
}

Result<std::string> UploadedFile::content() const {
  std::string content(static_cast<std::size_t>(size_), '\0');
  for (std::size_t done = 0; done < content.size();) {
    const auto count = read_some_at(done, std::span(content).subspan(done));
    if (!count) return Unexpected(count.error());
    if (*count == 0) return Unexpected(std::errc::io_error);
    done += *count;
  }
  return content;
}

Result<void> UploadedFile::save_as(const std::string& path) const {
  auto file = File::open(path, {.write = true, .create = true, .exclusive = true});
  if (!file) return Unexpected(file.error());
  auto saved = write_to(*file);
  if (saved) saved = file->close();
  if (!saved) static_cast<void>(remove_file(path));  // a part of it would pass for the whole
  return saved;
}

Result<void> UploadedFile::write_to(File& file) const {
  const auto buffer = std::make_unique<std::array<char, copy_bytes>>();
  for (std::uint64_t done = 0; done < size_;) {
    const auto count = read_some_at(done, *buffer);
    if (!count) return Unexpected(count.error());
    if (*count == 0) return Unexpected(std::errc::io_error);
    if (auto written = file.write({buffer->data(), *count}); !written) return written;
    done += *count;
  }
  return {};
}

}  // namespace atlas::asgi
