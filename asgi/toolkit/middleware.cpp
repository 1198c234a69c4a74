#include <atlas/asgi/toolkit/middleware.hpp>

#include <iterator>

namespace atlas::asgi {

Application with_middleware(Application inner, std::initializer_list<Middleware> layers) {
  for (auto layer = std::rbegin(layers); layer != std::rend(layers); ++layer)
    inner = (*layer)(std::move(inner));
  return inner;
}

}  // namespace atlas::asgi
