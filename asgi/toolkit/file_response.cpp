#include <atlas/asgi/toolkit/file_response.hpp>

#include <atlas/asgi/static_media_types.hpp>
#include <atlas/asgi/static_response.hpp>
#include <atlas/asgi/static_variant.hpp>
#include <atlas/asgi/toolkit/multipart.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/asgi/toolkit/url_text.hpp>
#include <atlas/core/folder.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace atlas::asgi {
namespace {

/// Whether a 304 has the field, too (RFC 9110 §15.4.5), or the file's own stands in its place.
bool describes_content(std::string_view name) {
  return http::iequals(name.substr(0, 8), "content-") && !http::iequals(name, "content-location");
}

class FileBody final : public ResponseBody {
 public:
  FileBody(std::string path, const FileResponse& options)
      : path_(std::move(path)), conditional_(options.conditional), ranges_max_(options.ranges_max) {}

  void send(HttpResponseStart& start, const Scope& scope, Send& send) override {
    auto found = find_file(path_);
    if (!found) {
      const bool is_missing = means_no_file(found.error()) || found.error() == std::errc::is_a_directory;
      if (!is_missing) throw std::system_error(found.error(), path_);
      return error_response(HttpError(404)).send(scope, send);
    }
    StaticVariant variant;
    recognise(variant, "identity", found->status);
    variant.file = std::move(found->file);
    if (conditional_ && start.status == 200) {
      add_validators(variant, start.headers);
      return send_variant(scope, send, variant, ranges_max_);
    }
    variant.whole = start;
    send_whole(scope, send, variant);
  }

 private:
  static void add_validators(StaticVariant& variant, const Headers& headers) {
    auto& whole = variant.whole.headers;
    auto& not_modified = variant.not_modified;
    not_modified.status = 304;
    const auto own_etag = http::find_in_any_case(headers.view(), "etag");
    if (own_etag) {
      variant.etag = *own_etag;
    } else {
      whole.add("etag", variant.etag);
      not_modified.headers.add("etag", variant.etag);
    }
    if (!http::find_in_any_case(headers.view(), "last-modified"))
      whole.add("last-modified", variant.last_modified);
    whole.add("accept-ranges", "bytes");
    for (const auto& field : headers.view()) {
      whole.add(field.name, field.value);
      if (!describes_content(field.name)) not_modified.headers.add(field.name, field.value);
    }
  }

  std::string path_;
  bool conditional_;
  std::size_t ranges_max_;
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
  Response response(200, std::make_unique<FileBody>(std::move(path), options));
  response.headers.add("content-type", type);
  if (!options.download_name.empty())
    response.headers.add("content-disposition", disposition_of(options.download_name));
  return response;
}

}  // namespace atlas::asgi
