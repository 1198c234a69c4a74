#include <atlas/asgi/static_resource.hpp>

#include <atlas/asgi/static_media_types.hpp>
#include <atlas/http/characters.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace atlas::asgi {
namespace {

using Kind = StaticResource::Kind;

struct Sibling {
  std::string_view suffix;
  std::string_view coding;
};
// The best first: where a client wants several equally, the first that is there is sent.
constexpr Sibling siblings[] = {{".br", "br"}, {".zst", "zstd"}, {".gz", "gzip"}};

Kind kind_of(std::error_code error, const std::string& name) {
  if (error == std::errc::is_a_directory) return Kind::folder;
  if (error == std::errc::permission_denied) return Kind::forbidden;
  if (means_no_file(error)) return Kind::missing;
  throw std::system_error(error, fmt::format("static file '{}'", name));
}

HeaderText lent(std::string_view text) {
  HeaderText header(text);
  header.lives_for_ever = true;  // as long as the variant, whose headers these are
  return header;
}

/// Looks up one name and those beside it.
class Finder {
 public:
  Finder(const Folder& folder, const std::string& name, const StaticFilesOptions& options)
      : folder_(folder), name_(name), options_(options) {}

  /// Of the file and its siblings; an empty one for each that is not there. Nothing when the file is not.
  [[nodiscard]] std::vector<FileStatus> statuses() const {
    std::vector<FileStatus> found;
    const auto own = folder_.status(name_, options_.symlinks);
    if (!own || own->kind != FileKind::regular) return found;
    found.push_back(*own);
    for (const auto& sibling : siblings) {
      if (options_.precompressed) found.push_back(status_of(sibling));
    }
    return found;
  }

  [[nodiscard]] StaticResourcePtr load() const {
    auto resource = std::make_shared<StaticResource>();
    auto found = folder_.find(name_, options_.symlinks);
    resource->kind = found ? Kind::file : kind_of(found.error(), name_);
    if (!found) return resource;
    std::vector<std::unique_ptr<StaticVariant>> variants;
    variants.push_back(variant("identity", *std::move(found)));
    if (options_.precompressed) load_siblings(variants);
    for (auto& one : variants) {
      write_headers(*one, variants.size() > 1);
      resource->variants.push_back(std::move(one));
    }
    return resource;
  }

 private:
  [[nodiscard]] FileStatus status_of(const Sibling& sibling) const {
    const auto status = folder_.status(name_ + std::string(sibling.suffix), options_.symlinks);
    return status && status->kind == FileKind::regular ? *status : FileStatus();
  }

  void load_siblings(std::vector<std::unique_ptr<StaticVariant>>& variants) const {
    for (const auto& sibling : siblings) {
      auto found = folder_.find(name_ + std::string(sibling.suffix), options_.symlinks);
      if (found) variants.push_back(variant(sibling.coding, *std::move(found)));
    }
  }

  [[nodiscard]] std::unique_ptr<StaticVariant> variant(std::string_view coding, FoundFile found) const {
    auto one = std::make_unique<StaticVariant>();
    recognise(*one, coding, found.status);
    if (!read_content(found.file, *one)) one->file = std::move(found.file);
    return one;
  }

  [[nodiscard]] bool read_content(const File& file, StaticVariant& variant) const {
    const auto bytes = variant.status.bytes;
    if (bytes > options_.cache.content_file_bytes_max) return false;
    std::string content(static_cast<std::size_t>(bytes), '\0');
    auto count = file.try_read_some_at(0, content);
    if (!count) count = file.read_some_at(0, content);
    if (!count || *count != bytes) return false;
    variant.content = std::move(content);
    return true;
  }

  [[nodiscard]] std::string_view media_type() const {
    std::string extension(extension_of(name_));
    std::transform(extension.begin(), extension.end(), extension.begin(), http::to_lower);
    const auto own = options_.media_types.find(extension);
    if (own != options_.media_types.end()) return own->second;
    const auto type = media_type_of(name_);
    return type.empty() ? std::string_view(options_.media_type) : type;
  }

  void write_headers(StaticVariant& variant, bool varies) const {
    auto& whole = variant.whole.headers;
    whole.add("content-type", lent(media_type()));
    if (variant.coding != "identity") whole.add("content-encoding", lent(variant.coding));
    whole.add("last-modified", lent(variant.last_modified));
    whole.add("accept-ranges", "bytes");
    write_shared_headers(whole, variant, varies);
    variant.not_modified.status = 304;
    write_shared_headers(variant.not_modified.headers, variant, varies);
  }

  // What a 304 has, too (RFC 9110 §15.4.5).
  void write_shared_headers(Headers& headers, const StaticVariant& variant, bool varies) const {
    headers.add("etag", lent(variant.etag));
    if (varies) headers.add("vary", "accept-encoding");
    if (!options_.cache_control.empty()) headers.add("cache-control", lent(options_.cache_control));
  }

  const Folder& folder_;
  const std::string& name_;
  const StaticFilesOptions& options_;
};

/// In the form in which Finder::statuses gives them.
bool still_holds(const StaticResource& known, const std::vector<FileStatus>& now,
                 const StaticFilesOptions& options) {
  if (known.kind != Kind::file || now.empty() || now[0] != known.variants[0]->status) return false;
  std::size_t next = 1;
  for (std::size_t i = 0; options.precompressed && i < std::size(siblings); ++i) {
    const bool had = next < known.variants.size() && known.variants[next]->coding == siblings[i].coding;
    if (now[i + 1] != (had ? known.variants[next]->status : FileStatus())) return false;
    if (had) ++next;
  }
  return std::all_of(known.variants.begin(), known.variants.end(),
                     [](const auto& variant) { return variant->settled; });
}

}  // namespace

std::size_t StaticResource::content_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const auto& variant : variants) bytes += variant->content.size();
  return bytes;
}

std::size_t StaticResource::open_files() const noexcept {
  std::size_t count = 0;
  for (const auto& variant : variants) count += variant->file ? 1U : 0U;
  return count;
}

bool StaticResource::open_files_unchanged() const {
  return std::all_of(variants.begin(), variants.end(), [](const auto& variant) {
    if (!variant->file) return true;
    const auto now = variant->file->try_status();
    return now && now->bytes == variant->status.bytes && now->modified == variant->status.modified;
  });
}

StaticResourcePtr find_static_resource(const Folder& folder, const std::string& name,
                                       const StaticFilesOptions& options, const StaticResourcePtr& known) {
  const Finder finder(folder, name, options);
  if (known && known->kind == Kind::file && still_holds(*known, finder.statuses(), options)) return known;
  return finder.load();
}

}  // namespace atlas::asgi
