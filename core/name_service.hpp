// Where a resolver asks for names: the system, or in tests a table. Knows nothing of what is kept of the
// answers.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/wait.hpp>

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace atlas {

class Resolver;

/// Why a name has no address. `not_enough_memory` and other errors of the system are std::errc's.
enum class ResolveErrc {
  unknown_name = 1,  ///< There is no such host or service.
  no_answer,         ///< Nobody who could know has answered: it may be worth trying again.
  failed,            ///< The system's resolver could not do its work.
};

[[nodiscard]] const std::error_category& resolve_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(ResolveErrc code) noexcept {
  return {static_cast<int>(code), resolve_category()};
}

/// What is asked.
struct NameQuery {
  std::string host;     ///< In lower case.
  std::string service;  ///< A name such as "https"; empty when only the host is asked for.

  friend auto operator<=>(const NameQuery&, const NameQuery&) = default;
};

/// One question on its way to its answer; shared by those who wait and by who will answer, so that either may
/// be gone before the other. Of one thread.
class NameLookup {
 public:
  NameLookup(NameQuery query, Resolver& resolver) : query_(std::move(query)), resolver_(&resolver) {}

  [[nodiscard]] const NameQuery& query() const noexcept { return query_; }
  /// The answer, in the order in which to try the addresses. Once.
  void complete(Result<std::vector<SocketAddress>> answer);

 private:
  friend class Resolver;

  NameQuery query_;
  Resolver* resolver_;  // null when it is gone
  std::optional<Result<std::vector<SocketAddress>>> answer_;
  std::vector<Waker> waiters_;
};

/// Of one thread.
class NameService {
 public:
  NameService() = default;
  virtual ~NameService() = default;
  NameService(const NameService&) = delete;
  NameService& operator=(const NameService&) = delete;

  /// Begins; completes `lookup` later on this thread, or at once. Does not suspend.
  virtual void start(std::shared_ptr<NameLookup> lookup) = 0;
};

}  // namespace atlas

template <>
struct std::is_error_code_enum<atlas::ResolveErrc> : std::true_type {};
