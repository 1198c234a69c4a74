// Handlers: what answers a request in one call, and how such a callable becomes an application.
#pragma once

#include <atlas/asgi/toolkit/describe.hpp>
#include <atlas/asgi/toolkit/request.hpp>
#include <atlas/asgi/toolkit/response.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace atlas::asgi {

template <class Value>
concept ResponseLike = requires(Value&& value) {
  { to_response(std::forward<Value>(value)) } -> std::same_as<Response>;
};

namespace detail {
template <class F>
concept TakesRequest = requires(const F& function, Request& request) {
  function(request);
};
template <class F>
concept TakesNothing = requires(const F& function) {
  function();
};

template <class F>
constexpr bool returns_response() {
  if constexpr (TakesRequest<F>) {
    return ResponseLike<decltype(std::declval<const F&>()(std::declval<Request&>()))>;
  } else if constexpr (TakesNothing<F>) {
    return ResponseLike<decltype(std::declval<const F&>()())>;
  } else {
    return true;
  }
}

/// Fails with a sentence instead of a page of templates.
template <class F>
constexpr void require_handler() {
  static_assert(
      TakesRequest<F> || TakesNothing<F>,
      "an Atlas handler is Response(asgi::Request&) or Response(): a function, a const call operator, "
      "or &Class::member together with its object");
  static_assert(
      returns_response<F>(),
      "an Atlas handler returns an asgi::Response or what becomes one: text, an int status, "
      "asgi::Json, a described struct, or a type with a to_response() beside it. Is a return missing?");
}
}  // namespace detail

/// Any handler, owned; copies share it. All workers call the same one, at the same time.
class Handler {
 public:
  template <class F>
  requires(!std::same_as<std::decay_t<F>, Handler>) Handler(F&& function) {
    using Function = std::decay_t<F>;
    detail::require_handler<Function>();
    held_ = std::make_shared<Holder<Function>>(std::forward<F>(function));
  }
  /// A member function of an object, which must outlive the handler.
  template <class Class, class Result, class... Arguments>
  Handler(Result (Class::*member)(Arguments...), Class& object)
      : Handler([member, &object](Arguments... arguments) -> decltype(auto) {
          return (object.*member)(arguments...);
        }) {}
  template <class Class, class Result, class... Arguments>
  Handler(Result (Class::*member)(Arguments...) const, const Class& object)
      : Handler([member, &object](Arguments... arguments) -> decltype(auto) {
          return (object.*member)(arguments...);
        }) {}

  /// Suspends as the handler does.
  [[nodiscard]] Response operator()(Request& request) const { return held_->call(request); }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual Response call(Request& request) const = 0;
  };
  template <class F>
  struct Holder final : Base {
    template <class G>
    explicit Holder(G&& held) : function(std::forward<G>(held)) {}
    [[nodiscard]] Response call(Request& request) const override {
      if constexpr (detail::TakesRequest<F>) {
        return response_of([&]() -> decltype(auto) { return function(request); });
      } else {
        return response_of([&]() -> decltype(auto) { return function(); });
      }
    }
    F function;

   private:
    template <class Call>
    static Response response_of(Call call) {
      if constexpr (std::same_as<decltype(call()), Response>) {
        return call();  // where it lies: a response is large
      } else {
        return to_response(call());
      }
    }
  };

  std::shared_ptr<const Base> held_;
};

}  // namespace atlas::asgi
