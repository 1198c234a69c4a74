// The system's resolver, asked in libuv's thread pool. Internal.
#pragma once

#include <atlas/core/intrusive_list.hpp>
#include <atlas/core/name_service.hpp>

#include <memory>
#include <system_error>

namespace atlas::uv {

/// getaddrinfo(3), in at most half of the pool's threads: libuv sees to that. What it works on is its own;
/// destruction takes back what no thread has begun yet.
class SystemNames final : public NameService {
 public:
  ~SystemNames() override;
  void start(std::shared_ptr<NameLookup> lookup) override;

 private:
  struct Request;

  detail::ListLink<Request> requests_;
};

/// uv_getaddrinfo's negative status as an error code. Must not be 0.
[[nodiscard]] std::error_code to_resolve_error(int status) noexcept;

}  // namespace atlas::uv
