#include <atlas/core/stream_handle.hpp>

#include <atlas/core/stream.hpp>

namespace atlas {

void StreamHandle::abort() const {
  post([](Stream& stream) { stream.abort(); });
}

}  // namespace atlas
