#include <atlas/core/uv/uv_pool.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/unhurried.hpp>

namespace atlas::uv {

Result<std::size_t> PoolWait::finish(uv_req_t* request) {
  const auto first = wait_.park(deadline_);
  auto last = first;
  if (!first.woken()) {
    uv_cancel(request);  // its callback comes in any case
    const detail::Unhurried unhurried;
    last = wait_.park();
    ATLAS_ASSERT(last.woken(), "an unhurried wait was cut short");
  }
  if (last.value == UV_ECANCELED && !first.woken()) return Unexpected(first.error());
  if (last.value < 0) return Unexpected(to_error(static_cast<int>(last.value)));
  return static_cast<std::size_t>(last.value);
}

}  // namespace atlas::uv
