#include <atlas/asgi/toolkit/middleware.hpp>

namespace atlas::asgi {

Application with_middleware(Application inner, std::span<const Middleware> layers) {
  for (auto left = layers.size(); left > 0; --left) inner = layers[left - 1](std::move(inner));
  return inner;
}

}  // namespace atlas::asgi
