#include <atlas/asgi/middleware/rate_limit.hpp>

#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/asgi/toolkit/problem.hpp>
#include <atlas/core/scheduler.hpp>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace atlas::asgi {
namespace {

/// The client's address; of an IPv6 one the first bits, since the others are its own to choose.
std::string client_key(const Scope& scope, int ipv6_prefix_bits) {
  if (!scope.client) return {};
  std::string host(scope.client->host.substr(0, scope.client->host.find('%')));
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return host;
  const auto kept = static_cast<std::size_t>(ipv6_prefix_bits);
  for (std::size_t bit = kept; bit < bytes.size() * 8; ++bit)
    bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] & ~(0x80U >> bit % 8));
  return {bytes.begin(), bytes.end()};
}

/// The generic cell rate algorithm: of each key, one point in time says all. It lies as far in the future as
/// the key has asked too fast; up to the burst's length that is well.
class Allowances {
 public:
  explicit Allowances(RateLimit limit)
      : limit_(std::move(limit)),
        interval_(limit_.window / static_cast<Duration::rep>(std::max<std::size_t>(limit_.requests, 1))) {
    if (limit_.ipv6_prefix_bits < 0 || limit_.ipv6_prefix_bits > 128)
      throw std::invalid_argument("rate_limit: an IPv6 network has 0 to 128 bits");
    if (limit_.requests == 0 || limit_.burst == 0 || limit_.keys_max == 0 || interval_ <= Duration::zero())
      throw std::invalid_argument("rate_limit: a limit of zero lets nobody in");
    tolerance_ = interval_ * static_cast<Duration::rep>(limit_.burst - 1);
  }

  /// How long to wait, if there is nothing left.
  [[nodiscard]] std::optional<Duration> take(const Scope& scope) {
    const auto now = Scheduler::current()->turn_time();
    const auto key = limit_.key ? limit_.key(scope) : client_key(scope, limit_.ipv6_prefix_bits);
    auto& shard = shards_[std::hash<std::string>()(key) % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    auto& next = shard.slot(key, now, (limit_.keys_max + shards_.size() - 1) / shards_.size());
    const auto due = std::max(next, now);
    if (due - now > tolerance_) return due - now - tolerance_;
    next = due + interval_;
    return std::nullopt;
  }

 private:
  /// A part of the keys, with a lock of its own.
  struct Shard {
    TimePoint& slot(const std::string& key, TimePoint now, std::size_t keys_max) {
      if (const auto found = next.find(key); found != next.end()) return found->second;
      if (next.size() >= keys_max) forget_some(now);
      if (next.size() >= keys_max) return overflow;
      return next.try_emplace(key, now).first->second;
    }
    /// Of those that have their whole allowance again, some.
    void forget_some(TimePoint now) {
      constexpr std::size_t looked_at_max = 64;
      auto candidate = next.begin();
      for (std::size_t i = 0; i < looked_at_max && candidate != next.end(); ++i) {
        candidate = candidate->second <= now ? next.erase(candidate) : std::next(candidate);
      }
    }

    std::mutex mutex;
    std::unordered_map<std::string, TimePoint> next;
    TimePoint overflow;
  };

  RateLimit limit_;
  Duration interval_;
  Duration tolerance_{};
  std::array<Shard, 16> shards_;
};

}  // namespace

Middleware rate_limit(RateLimit limit) {
  const auto allowances = std::make_shared<Allowances>(std::move(limit));
  return http_layer([allowances](const Application& inner, const Scope& scope, Receive& receive, Send& send) {
    if (const auto wait = allowances->take(scope)) {
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
      return error_response(HttpError(429, {}, {{"retry-after", std::to_string(seconds)}})).send(scope, send);
    }
    inner(scope, receive, send);
  });
}

}  // namespace atlas::asgi
