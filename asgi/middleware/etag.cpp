#include <atlas/asgi/middleware/etag.hpp>

#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/static_conditions.hpp>
#include <atlas/asgi/toolkit/base64.hpp>
#include <atlas/http/header.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace atlas::asgi {
namespace {

std::string etag_of(std::string_view body) {
  constexpr std::size_t kept_bytes = 16;  // of the hash: nobody finds two bodies that share them
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  if (EVP_Digest(body.data(), body.size(), hash.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL has failed");
  std::string etag = "\"";
  etag += encode_base64url({reinterpret_cast<const char*>(hash.data()), kept_bytes});
  return etag += '"';
}

class TaggingSend final : public Send {
 public:
  TaggingSend(const EtagOptions& options, const Scope& scope, Send& outer)
      : options_(options), scope_(scope), outer_(outer) {}

  void finish() {
    if (start_) outer_(*std::exchange(start_, std::nullopt));
  }

 private:
  void handle(MessageRef message) override {
    if (const auto* start = message.get_if<HttpResponseStart>();
        start != nullptr && !start_ && may_be_tagged(*start)) {
      start_ = *start;
      return;
    }
    const auto* body = message.get_if<HttpResponseBody>();
    if (start_ && body != nullptr && !body->more_body && body->body.size() <= options_.bytes_max)
      return answer(*body);
    if (message.get_if<HttpResponseEarlyHint>() == nullptr) finish();
    outer_(message);
  }

  [[nodiscard]] bool may_be_tagged(const HttpResponseStart& start) const {
    return start.status == 200 && !start.trailers && !http::find_in_any_case(start.headers.view(), "etag");
  }

  void answer(const HttpResponseBody& body) {
    auto start = *std::exchange(start_, std::nullopt);
    const auto tag = etag_of(body.body);
    start.headers.add("etag", tag);
    const bool not_modified =
        scope_.headers.contains("if-none-match") &&
        evaluate_preconditions(scope_.headers, {.etag = tag}, 0) == Precondition::not_modified;
    if (!not_modified) {
      outer_(start);
      return outer_(body);
    }
    start.status = 304;
    outer_(start);
    outer_(HttpResponseBody{});
  }

  const EtagOptions& options_;
  const Scope& scope_;
  Send& outer_;
  std::optional<HttpResponseStart> start_;
};

}  // namespace

Middleware etag(const EtagOptions& options) {
  return http_layer([options](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    if (scope.method != "GET" && scope.method != "HEAD") return inner(scope, receive, send);
    TaggingSend tagging(options, scope, send);
    inner(scope, receive, tagging);
    tagging.finish();
  });
}

}  // namespace atlas::asgi
