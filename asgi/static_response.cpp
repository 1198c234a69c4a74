#include <atlas/asgi/static_response.hpp>

#include <atlas/asgi/static_path.hpp>
#include <atlas/asgi/static_ranges.hpp>
#include <atlas/asgi/unix_time.hpp>
#include <atlas/http/status.hpp>

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace atlas::asgi {
namespace {

constexpr std::uint64_t read_bytes_max = 64 * 1024;

void send_text(Send& send, int status, Headers headers = {}) {
  headers.add("content-type", "text/plain; charset=utf-8");
  send(HttpResponseStart{.status = status, .headers = headers});
  const auto text = fmt::format("{} {}\n", status, http::reason_phrase(status));
  send(HttpResponseBody{.body = text});
}

/// For servers that do not take files.
void send_read(Send& send, const File& file, ByteRange range, bool more) {
  std::string piece(std::min<std::uint64_t>(range.bytes, read_bytes_max), '\0');
  while (range.bytes > 0) {
    piece.resize(std::min<std::uint64_t>(range.bytes, piece.size()));
    const auto count = file.read_some_at(range.first, piece).value();
    if (count == 0) throw std::runtime_error("the file became shorter while it was sent");
    range.first += count;
    range.bytes -= count;
    const std::string_view body(piece.data(), count);
    send(HttpResponseBody{.body = body, .more_body = range.bytes > 0 || more});
  }
}

void send_bytes(const Scope& scope, Send& send, const StaticVariant& variant, const ByteRange& range,
                bool more) {
  if (!variant.file || range.bytes == 0) {
    const auto content = std::string_view(variant.content);
    send(HttpResponseBody{.body = content.substr(range.first, range.bytes), .more_body = more});
  } else if (scope.extensions.http_response_zerocopysend) {
    send(HttpResponseZerocopysend{
        .file = &*variant.file, .offset = range.first, .count = range.bytes, .more_body = more});
  } else {
    send_read(send, *variant.file, range, more);
  }
}

std::string content_range(const StaticVariant& variant, const ByteRange& range) {
  return fmt::format("bytes {}-{}/{}", range.first, range.first + range.bytes - 1, variant.status.bytes);
}

/// The fields of a 200, but for those of `name`.
Headers headers_without(const StaticVariant& variant, std::string_view name) {
  Headers headers;
  for (const auto& field : variant.whole.headers.view()) {
    if (field.name != name) headers.add(field.name, field.value);
  }
  return headers;
}

void send_part(const Scope& scope, Send& send, const StaticVariant& variant, const ByteRange& range) {
  auto headers = variant.whole.headers;
  headers.add("content-range", content_range(variant, range));
  send(HttpResponseStart{.status = 206, .headers = headers});
  send_bytes(scope, send, variant, range, false);
}

/// Nobody can have put it into a file.
std::string random_boundary() {
  std::uint64_t numbers[2];
  if (::getrandom(numbers, sizeof numbers, 0) != sizeof numbers) {
    throw std::system_error(errno, std::system_category(), "getrandom");
  }
  return fmt::format("{:016x}{:016x}", numbers[0], numbers[1]);
}

/// A multipart/byteranges body (RFC 9110 §14.6).
class Multipart {
 public:
  Multipart(const StaticVariant& variant, const std::vector<ByteRange>& ranges)
      : variant_(variant), ranges_(ranges), boundary_(random_boundary()) {
    for (const auto& range : ranges) heads_.push_back(head_of(range));
    end_ = fmt::format("\r\n--{}--\r\n", boundary_);
  }

  void send_to(const Scope& scope, Send& send) const {
    auto headers = headers_without(variant_, "content-type");
    headers.add("content-type", fmt::format("multipart/byteranges; boundary={}", boundary_));
    headers.add("content-length", std::to_string(bytes()));
    send(HttpResponseStart{.status = 206, .headers = headers});
    for (std::size_t i = 0; i < ranges_.size(); ++i) {
      send(HttpResponseBody{.body = heads_[i], .more_body = true});
      send_bytes(scope, send, variant_, ranges_[i], true);
    }
    send(HttpResponseBody{.body = end_});
  }

 private:
  [[nodiscard]] std::string head_of(const ByteRange& range) const {
    return fmt::format("{}--{}\r\ncontent-type: {}\r\ncontent-range: {}\r\n\r\n",
                       heads_.empty() ? "" : "\r\n", boundary_,
                       *variant_.whole.headers.view().find("content-type"), content_range(variant_, range));
  }

  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = end_.size();
    for (std::size_t i = 0; i < ranges_.size(); ++i) sum += heads_[i].size() + ranges_[i].bytes;
    return sum;
  }

  const StaticVariant& variant_;
  const std::vector<ByteRange>& ranges_;
  std::string boundary_;
  std::vector<std::string> heads_;
  std::string end_;
};

void send_not_modified(Send& send, const StaticVariant& variant) {
  send(variant.not_modified);
  send(HttpResponseBody{});
}

void send_ranges(const Scope& scope, Send& send, const StaticVariant& variant, const RangeChoice& choice) {
  using enum RangeChoice::Kind;
  if (choice.kind == all) return send_whole(scope, send, variant);
  if (choice.kind == unsatisfiable) {
    return send_text(send, 416, {{"content-range", fmt::format("bytes */{}", variant.status.bytes)}});
  }
  if (choice.ranges.size() == 1) return send_part(scope, send, variant, choice.ranges[0]);
  Multipart(variant, choice.ranges).send_to(scope, send);
}

}  // namespace

void send_whole(const Scope& scope, Send& send, const StaticVariant& variant) {
  send(variant.whole);
  send_bytes(scope, send, variant, {0, variant.status.bytes}, false);
}

void send_variant(const Scope& scope, Send& send, const StaticVariant& variant, std::size_t ranges_max) {
  const auto now = unix_seconds_now();
  switch (evaluate_preconditions(scope.headers, variant.validators(), now)) {
    case Precondition::failed: return send_status(send, 412);
    case Precondition::not_modified: return send_not_modified(send, variant);
    case Precondition::met: break;
  }
  // Only GET has ranges (RFC 9110 §14.2), and a field sent twice has no meaning.
  const bool ranges_wanted = scope.method == "GET" && scope.headers.count("range") == 1 &&
                             range_counts(scope.headers, variant.validators(), now);
  if (!ranges_wanted) return send_whole(scope, send, variant);
  send_ranges(scope, send, variant,
              choose_ranges(*scope.headers.find("range"), variant.status.bytes, ranges_max));
}

void send_status(Send& send, int status) { send_text(send, status); }

void send_method_not_allowed(Send& send) { send_text(send, 405, {{"allow", "GET, HEAD"}}); }

// An absolute path, which keeps its host and scheme also behind a proxy. It cannot begin with two slashes,
// which would name another host: such paths are not served.
void send_redirect(Send& send, const Scope& scope) {
  auto location = escaped_path(scope.path) + '/';
  if (!scope.query_string.empty()) location.append("?").append(scope.query_string);
  send_text(send, 301, {{"location", location}});
}

}  // namespace atlas::asgi
