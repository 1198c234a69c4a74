#include <atlas/asgi/middleware/request_id.hpp>

#include <atlas/asgi/access_notes.hpp>
#include <atlas/asgi/middleware/altered_start.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/core/log_fields.hpp>
#include <atlas/http/characters.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::string_view request_id_state = "atlas.request_id";
constexpr std::size_t id_bytes_max = 128;

bool is_id(std::string_view text) noexcept {
  const auto allowed = [](char c) {
    return http::is_digit(c) || http::is_letter(c) ||
           std::string_view("-_.:+/=").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= id_bytes_max && std::ranges::all_of(text, allowed);
}

/// Unique in all processes: a number that was drawn once, and a count.
class Ids {
 public:
  explicit Ids(RequestIdOptions options) : options_(std::move(options)) {
    std::random_device random;
    drawn_ = std::uint64_t{random()} << 32 | random();
    http::make_lower(options_.header);
  }

  [[nodiscard]] std::string of(const Scope& scope) {
    const auto given = options_.trust_client ? scope.headers.find(options_.header) : std::nullopt;
    if (given && is_id(*given)) return std::string(*given);
    return fmt::format("{:016x}-{:x}", drawn_, count_.fetch_add(1, std::memory_order_relaxed));
  }
  [[nodiscard]] const std::string& header() const noexcept { return options_.header; }

 private:
  RequestIdOptions options_;
  std::uint64_t drawn_ = 0;
  std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace

Middleware request_id(const RequestIdOptions& options) {
  const auto ids = std::make_shared<Ids>(options);
  return http_layer([ids](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    const auto id = ids->of(scope);
    scope.state.set(request_id_state, id);
    const log::FieldScope logged("request_id", id);
    set_access_field(scope, "request_id", id);
    AlteredStart adding(send, [&](HttpResponseStart& start) { start.headers.add(ids->header(), id); });
    inner(scope, receive, adding);
  });
}

std::string_view request_id_of(const Scope& scope) {
  const auto* id = scope.state.find<std::string>(request_id_state);
  return id != nullptr ? std::string_view(*id) : std::string_view();
}

}  // namespace atlas::asgi
