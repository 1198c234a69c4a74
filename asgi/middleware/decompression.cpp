#include <atlas/asgi/middleware/decompression.hpp>

#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/coders.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/http/header.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace atlas::asgi {
namespace {

constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

/// One coding's layer: what comes from the layer beneath, and what was made of it.
struct Layer {
  std::unique_ptr<Decompressor> decompressor;
  std::string input = {};
  std::size_t consumed = 0;
};

class DecompressingReceive final : public Receive {
 public:
  DecompressingReceive(Receive& outer, std::vector<Layer> layers, const DecompressionOptions& options)
      : outer_(outer), layers_(std::move(layers)), options_(options) {}

 private:
  ReceivedMessage next() override {
    if (ended_) return outer_();
    piece_.clear();
    while (piece_.empty() && !ended_) {
      if (!read_layer(0, piece_)) return HttpDisconnect{};
    }
    count();
    return HttpRequest{.body = piece_, .more_body = !ended_};
  }

  /// Appends to `out` what the layer has; sets `ended_` of the first at its end. False: the client is gone.
  bool read_layer(std::size_t index, std::string& out) {
    auto& layer = layers_[index];
    for (;;) {
      const auto before = out.size();
      auto rest = std::string_view(layer.input).substr(layer.consumed);
      layer.decompressor->read(rest, piece_bytes, out);
      layer.consumed = layer.input.size() - rest.size();
      if (out.size() > before) return true;
      layer.input.clear();
      layer.consumed = 0;
      if (!fill(index)) return false;
      if (!layer.input.empty()) continue;
      if (!layer.decompressor->complete()) throw BadCoding("the compressed body ends too early");
      if (index == 0) ended_ = true;
      return true;
    }
  }

  /// Empty afterwards: there is no more.
  bool fill(std::size_t index) {
    auto& layer = layers_[index];
    if (index + 1 < layers_.size()) return read_layer(index + 1, layer.input);
    while (layer.input.empty() && !body_ended_) {
      const auto message = outer_();
      const auto* piece = std::get_if<HttpRequest>(&message);
      if (piece == nullptr) return false;
      body_ended_ = !piece->more_body;
      in_bytes_ += piece->body.size();
      layer.input.assign(piece->body);
    }
    return true;
  }

  void count() {
    out_bytes_ += piece_.size();
    if (out_bytes_ > options_.bytes_max) throw HttpError(413, "the decompressed body is too long");
    if (out_bytes_ > options_.ratio_bytes_min && out_bytes_ / options_.ratio_max > in_bytes_)
      throw HttpError(413, "the body is compressed too well");
  }

  Receive& outer_;
  std::vector<Layer> layers_;  // the last is the one that the bytes on the wire go through first
  const DecompressionOptions& options_;
  std::string piece_;
  std::uint64_t in_bytes_ = 0;
  std::uint64_t out_bytes_ = 0;
  bool body_ended_ = false;
  bool ended_ = false;
};

/// In the order of their application; the last was put on last.
std::vector<std::string_view> codings_of(http::HeadersView headers) {
  std::vector<std::string_view> codings;
  headers.for_each("content-encoding", [&](std::string_view list) {
    http::for_each_list_element(list, [&](std::string_view coding) {
      if (!coding.empty() && !http::iequals(coding, "identity")) codings.push_back(coding);
    });
  });
  return codings;
}

std::optional<std::vector<Layer>> layers_of(const std::vector<std::string_view>& codings,
                                            std::size_t count_max) {
  if (codings.size() > count_max) return std::nullopt;
  std::vector<Layer> layers;
  for (const auto coding : codings) {
    auto decompressor = make_decompressor(coding);
    if (decompressor == nullptr) return std::nullopt;
    layers.push_back({std::move(decompressor)});
  }
  return layers;
}

std::vector<http::Header> headers_without_coding(http::HeadersView headers) {
  std::vector<http::Header> kept;
  std::ranges::copy_if(headers, std::back_inserter(kept), [](const auto& field) {
    return field.name != "content-encoding" && field.name != "content-length";
  });
  return kept;
}

void serve_decompressed(const Application& inner, std::vector<Layer> layers,
                        const DecompressionOptions& options, const Scope& scope, Receive& receive,
                        Send& send) {
  const auto headers = headers_without_coding(scope.headers);
  Scope plain = scope;
  plain.headers = http::HeadersView(headers);
  DecompressingReceive decompressing(receive, std::move(layers), options);
  AlteredStart watched(send, [](HttpResponseStart&) {});
  std::optional<HttpError> refusal;
  try {
    return inner(plain, decompressing, watched);
  } catch (const BadCoding& error) {
    if (watched.begun()) throw;
    refusal.emplace(400, error.what());
  } catch (const HttpError& error) {
    if (watched.begun()) throw;
    refusal = error;
  }
  error_response(*refusal).send(scope, send);
}

}  // namespace

Middleware decompression(const DecompressionOptions& options) {
  return http_layer([options](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    const auto codings = codings_of(scope.headers);
    if (codings.empty()) return inner(scope, receive, send);
    auto layers = layers_of(codings, options.codings_max);
    if (!layers) {
      return error_response(HttpError(415, "the body has a coding that is not read here",
                                      {{"accept-encoding", "gzip, deflate, br, zstd"}}))
          .send(scope, send);
    }
    serve_decompressed(inner, *std::move(layers), options, scope, receive, send);
  });
}

}  // namespace atlas::asgi
