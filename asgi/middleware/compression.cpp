#include <atlas/asgi/middleware/compression.hpp>

#include <atlas/asgi/middleware/coders.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/negotiation.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/status.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace atlas::asgi {
namespace {

/// Compressors that nobody uses at present, to be used again: to make one costs more than a small body's
/// compression.
class CompressorPool {
 public:
  CompressorPool(std::string_view coding, int level) : coding_(coding), level_(level) {}

  [[nodiscard]] std::unique_ptr<Compressor> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto compressor = std::move(free_.back());
        free_.pop_back();
        return compressor;
      }
    }
    return make_compressor(coding_, level_);
  }
  void give_back(std::unique_ptr<Compressor> compressor) {
    constexpr std::size_t kept_max = 16;
    const std::lock_guard lock(mutex_);
    if (free_.size() < kept_max) free_.push_back(std::move(compressor));
  }
  [[nodiscard]] const std::string& coding() const noexcept { return coding_; }
  [[nodiscard]] bool enabled() const noexcept { return level_ > 0; }

 private:
  std::string coding_;
  int level_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Compressor>> free_;
};

class Compression {
 public:
  explicit Compression(const CompressionOptions& options)
      : options_(options),
        pools_{{"br", options.brotli_quality}, {"zstd", options.zstd_level}, {"gzip", options.gzip_level}} {
    const auto within = [](int level, int max) { return level >= 0 && level <= max; };
    if (!within(options.gzip_level, 9) || !within(options.brotli_quality, 11) ||
        !within(options.zstd_level, 19))
      throw std::invalid_argument("compression: a level that there is not");
  }

  [[nodiscard]] bool compresses(std::string_view content_type) const {
    const auto type = http::trim_ows(content_type.substr(0, content_type.find(';')));
    if (http::iequals(type, "text/event-stream")) return false;
    if (type.size() > 5 && http::iequals(type.substr(0, 5), "text/")) return true;
    if (type.ends_with("+json") || type.ends_with("+xml")) return true;
    constexpr std::string_view known[] = {"application/json",
                                          "application/javascript",
                                          "application/xml",
                                          "application/wasm",
                                          "application/manifest+json",
                                          "application/x-ndjson",
                                          "font/ttf",
                                          "font/otf",
                                          "image/bmp"};
    const auto is_type = [&](std::string_view one) { return http::iequals(type, one); };
    return std::ranges::any_of(known, is_type) || std::ranges::any_of(options_.media_types, is_type);
  }

  /// Null when the client wants none.
  [[nodiscard]] CompressorPool* pool_for(http::HeadersView headers) {
    const auto offered = [&](CompressorPool& pool) {
      return pool.enabled() ? std::string_view(pool.coding()) : std::string_view();
    };
    const auto coding = choose_coding(headers, {offered(pools_[0]), offered(pools_[1]), offered(pools_[2])});
    if (!coding || coding->empty()) return nullptr;
    return std::ranges::find(pools_, *coding,
                             [](const auto& pool) { return std::string_view(pool.coding()); });
  }

  [[nodiscard]] std::size_t bytes_min() const noexcept { return options_.bytes_min; }

 private:
  CompressionOptions options_;
  CompressorPool pools_[3];
};

bool says_no_transform(http::HeadersView headers) {
  return std::ranges::any_of(headers, [](const auto& field) {
    return http::iequals(field.name, "cache-control") && http::list_has_token(field.value, "no-transform");
  });
}

/// With a weak ETag, as what was compressed has it: other bytes stand for the same.
void add_weakened(Headers& to, const http::Header& field) {
  if (http::iequals(field.name, "etag") && !field.value.starts_with("W/")) {
    to.add(field.name, std::string("W/").append(field.value));
  } else {
    to.add(field.name, field.value);
  }
}

HttpResponseStart weakened(const HttpResponseStart& start) {
  HttpResponseStart weak{.status = start.status, .trailers = start.trailers};
  for (const auto& field : start.headers.view()) add_weakened(weak.headers, field);
  return weak;
}

/// The headers of what is compressed.
Headers compressed_headers(const Headers& headers, const std::string& coding) {
  Headers changed;
  for (const auto& field : headers.view()) {
    if (!http::iequals(field.name, "content-length") && !http::iequals(field.name, "accept-ranges"))
      add_weakened(changed, field);
  }
  changed.add("content-encoding", coding);
  return changed;
}

/// One response on its way out.
class CompressingSend final : public Send {
 public:
  CompressingSend(Compression& compression, const Scope& scope, Send& outer)
      : compression_(compression), scope_(scope), outer_(outer) {}
  ~CompressingSend() override {
    // One that was left in the middle cannot begin anew.
    if (compressor_ != nullptr && complete_) pool_->give_back(std::move(compressor_));
  }

  /// A start that nothing has followed is the server's to judge.
  void finish() {
    if (start_) pass_start();
  }

 private:
  void handle(MessageRef message) override {
    if (const auto* start = message.get_if<HttpResponseStart>()) return take(*start, message);
    if (const auto* body = message.get_if<HttpResponseBody>()) return take(*body);
    if (message.get_if<HttpResponseEarlyHint>() == nullptr) finish();
    outer_(message);
  }

  void take(const HttpResponseStart& start, MessageRef message) {
    if (start.status == 304 && has_weak_form(start.headers)) return outer_(weakened(start));
    const auto headers = start.headers.view();
    const bool has_content = !http::forbids_body(start.status) && start.status != 206;
    if (start_ || compressor_ != nullptr || !has_content ||
        http::find_in_any_case(headers, "content-encoding") || says_no_transform(headers) ||
        !compression_.compresses(http::find_in_any_case(headers, "content-type").value_or("")))
      return outer_(message);
    start_ = start;
    start_->headers.add("vary", "accept-encoding");
  }

  /// Whether the client has what was compressed, by the ETag that it had then.
  [[nodiscard]] bool has_weak_form(const Headers& headers) const {
    const auto etag = http::find_in_any_case(headers.view(), "etag");
    if (!etag || etag->starts_with("W/")) return false;
    const auto weak = std::string("W/").append(*etag);
    bool has = false;
    scope_.headers.for_each("if-none-match", [&](std::string_view known) {
      has = has || known.find(weak) != std::string_view::npos;
    });
    return has;
  }

  void take(const HttpResponseBody& body) {
    if (start_) begin(body);
    if (compressor_ == nullptr) return outer_(body);
    out_.clear();
    compressor_->write(body.body, body.more_body ? Flush::piece : Flush::end, out_);
    complete_ = !body.more_body;
    if (!out_.empty() || complete_) outer_(HttpResponseBody{.body = out_, .more_body = body.more_body});
  }

  void begin(const HttpResponseBody& first) {
    const bool too_small = !first.more_body && first.body.size() < compression_.bytes_min();
    pool_ = too_small ? nullptr : compression_.pool_for(scope_.headers);
    if (pool_ != nullptr) {
      compressor_ = pool_->take();
      start_->headers = compressed_headers(start_->headers, pool_->coding());
    }
    pass_start();
  }

  void pass_start() {
    const auto start = *std::exchange(start_, std::nullopt);
    outer_(start);
  }

  Compression& compression_;
  const Scope& scope_;
  Send& outer_;
  std::optional<HttpResponseStart> start_;  // held until the first body
  CompressorPool* pool_ = nullptr;
  std::unique_ptr<Compressor> compressor_;
  bool complete_ = false;
  std::string out_;
};

}  // namespace

Middleware compression(const CompressionOptions& options) {
  const auto shared = std::make_shared<Compression>(options);
  return http_layer([shared](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    CompressingSend compressing(*shared, scope, send);
    inner(scope, receive, compressing);
    compressing.finish();
  });
}

}  // namespace atlas::asgi
