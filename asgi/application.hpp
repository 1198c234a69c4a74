// The seam: an application is any callable `void(const Scope&, Receive&, Send&)`. Server, middleware
// and application meet here, and nowhere else.
#pragma once

#include <atlas/asgi/messages.hpp>
#include <atlas/asgi/scope.hpp>

#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace atlas::asgi {

/// Where the application's next message comes from. Middleware derives from it to wrap another.
class Receive {
 public:
  virtual ~Receive() = default;
  Receive() = default;
  Receive(const Receive&) = delete;
  Receive& operator=(const Receive&) = delete;

  /// **Suspends** until there is a message.
  ReceivedMessage operator()() { return next(); }

 private:
  virtual ReceivedMessage next() = 0;
};

/// Where the application's messages go. Middleware derives from it to wrap another.
class Send {
 public:
  virtual ~Send() = default;
  Send() = default;
  Send(const Send&) = delete;
  Send& operator=(const Send&) = delete;

  /// **Suspends** while the client does not take the bytes: this is the back-pressure. Throws ContractError
  /// for a message that is invalid or out of order, Disconnected once the client is gone.
  void operator()(MessageRef message) { handle(message); }

 private:
  virtual void handle(MessageRef message) = 0;
};

/// The application has broken the contract: its text names the message, and in which state it came.
class ContractError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// What an application throws that does not serve scopes of this type.
class UnsupportedScope : public std::logic_error {
 public:
  explicit UnsupportedScope(const Scope& scope);
  explicit UnsupportedScope(const std::string& text) : std::logic_error(text) {}
};

/// The client is gone. Not a failure of the application, which may let it pass.
class Disconnected : public std::system_error {
 public:
  explicit Disconnected(std::error_code reason);
};

template <class App>
concept ApplicationLike = std::invocable<const App&, const Scope&, Receive&, Send&>;

/// Any application, owned; copies share it. All workers call the same object, at the same time: what it
/// shares between requests it must guard. Give it a std::shared_ptr or a std::reference_wrapper of yours
/// inside a lambda to keep hold of it.
class Application {
 public:
  template <class App>
  requires(ApplicationLike<std::decay_t<App>> && !std::same_as<std::decay_t<App>, Application>)
      Application(App&& app)
      : app_(std::make_shared<Holder<std::decay_t<App>>>(std::forward<App>(app))) {}

  void operator()(const Scope& scope, Receive& receive, Send& send) const {
    app_->call(scope, receive, send);
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void call(const Scope& scope, Receive& receive, Send& send) const = 0;
  };
  template <class App>
  struct Holder final : Base {
    template <class A>
    explicit Holder(A&& held) : app(std::forward<A>(held)) {}
    void call(const Scope& scope, Receive& receive, Send& send) const override { app(scope, receive, send); }
    App app;
  };

  std::shared_ptr<const Base> app_;
};

}  // namespace atlas::asgi
