// Middleware: an application around another. Composed in one visible order.
#pragma once

#include <atlas/asgi/application.hpp>

#include <concepts>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

namespace atlas::asgi {

/// Any callable `Application(Application inner)`, owned; copies share it.
class Middleware {
 public:
  template <class F>
  requires(!std::same_as<std::decay_t<F>, Middleware> &&
           std::is_invocable_r_v<Application, const std::decay_t<F>&, Application>) Middleware(F&& wrap)
      : held_(std::make_shared<Holder<std::decay_t<F>>>(std::forward<F>(wrap))) {}

  [[nodiscard]] Application operator()(Application inner) const { return held_->wrap(std::move(inner)); }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual Application wrap(Application inner) const = 0;
  };
  template <class F>
  struct Holder final : Base {
    template <class G>
    explicit Holder(G&& held) : function(std::forward<G>(held)) {}
    [[nodiscard]] Application wrap(Application inner) const override { return function(std::move(inner)); }
    F function;
  };

  std::shared_ptr<const Base> held_;
};

/// `inner` with all of `layers` around it. The first is the outermost: it sees a request first and a response
/// last.
///
///   serve(with_middleware(routes, {request_id(), compression(), cors({.origins = {"https://a.example"}})}),
///   …)
[[nodiscard]] Application with_middleware(Application inner, std::span<const Middleware> layers);
[[nodiscard]] inline Application with_middleware(Application inner,
                                                 std::initializer_list<Middleware> layers) {
  return with_middleware(std::move(inner), std::span(layers.begin(), layers.size()));
}

}  // namespace atlas::asgi
