#include <atlas/asgi/toolkit/middleware.hpp>

namespace atlas::asgi {

Application with_middleware(Application inner, std::span<const Middleware> layers) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) inner = (*layer)(std::move(inner));
  return inner;
}

}  // namespace atlas::asgi
