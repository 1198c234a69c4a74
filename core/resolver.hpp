// Names to addresses: the system's resolver, asked off the loop, and a small memory of its answers.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/name_service.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace atlas {

struct ResolverOptions {
  std::size_t entries_max = 256;  ///< Answers kept; 0: none. The one that ends first makes room.
  /// How long an answer is kept. The system's resolver does not tell how long it holds.
  Duration entry_age_max = std::chrono::seconds(30);
  /// How long unknown_name is kept; zero: not at all. No other error is ever kept.
  Duration error_age_max = std::chrono::seconds(1);
  std::size_t lookups_max = 256;   ///< Questions on their way at once.
  std::size_t addresses_max = 32;  ///< Of one name; the rest is dropped.
};

/// Of one thread; each scheduler has one. Whoever waits asks it no more when it is destroyed.
class Resolver {
 public:
  static constexpr std::size_t host_bytes_max = 255;  // RFC 1035 §2.3.4

  /// `service`: null for the system's, which needs a loop of libuv.
  explicit Resolver(const ResolverOptions& options = {}, std::unique_ptr<NameService> service = nullptr);
  /// Does not wait: questions on their way end by themselves, before the loop is destroyed.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Suspends until the system has answered; at least one address, in the order in which to try them (RFC
  /// 6724). Literal addresses and names that were asked for lately are answered at once, and fibers that ask
  /// the same at the same time share one question. Errors: ResolveErrc's; resource_unavailable_try_again when
  /// lookups_max questions are on their way; invalid_argument for what cannot be a name. After an error by
  /// deadline or cancellation the question goes on, for the next who asks.
  Result<std::vector<SocketAddress>> resolve(std::string_view host, std::uint16_t port,
                                             Deadline deadline = {});
  /// Suspends. As above; `service` is a number or a name that the system knows ("https").
  Result<std::vector<SocketAddress>> resolve(std::string_view host, std::string_view service,
                                             Deadline deadline = {});

  /// Forgets all answers.
  void clear() noexcept { entries_.clear(); }
  [[nodiscard]] std::size_t entry_count() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t lookup_count() const noexcept { return lookups_.size(); }

 private:
  friend class NameLookup;
  using Answer = Result<std::vector<SocketAddress>>;

  struct Entry {
    Answer answer;
    TimePoint until;
  };

  Answer ask(const NameQuery& query, Deadline deadline);
  [[nodiscard]] const Answer* known(const NameQuery& query);
  Result<std::shared_ptr<NameLookup>> lookup_of(const NameQuery& query);
  void answered(NameLookup& lookup);
  void keep(const NameQuery& query, const Answer& answer, Duration age_max);

  ResolverOptions options_;
  std::unique_ptr<NameService> service_;
  std::map<NameQuery, Entry> entries_;
  std::map<NameQuery, std::shared_ptr<NameLookup>> lookups_;
};

/// Suspends. Asks this thread's resolver: see Resolver::resolve.
Result<std::vector<SocketAddress>> resolve(std::string_view host, std::uint16_t port, Deadline deadline = {});
Result<std::vector<SocketAddress>> resolve(std::string_view host, std::string_view service,
                                           Deadline deadline = {});

}  // namespace atlas
