// What handlers need and do not make themselves: a database for the process, a cache for each worker, a user
// for each request. Known by its type, made in the order of declaration when the server starts, destroyed in
// the opposite one when it stops.
#pragma once

#include <atlas/asgi/scope.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

namespace atlas::asgi {

class Request;

namespace detail {

/// Owns one object of any type.
class HeldObject {
 public:
  virtual ~HeldObject() = default;
  HeldObject() = default;
  HeldObject(const HeldObject&) = delete;
  HeldObject& operator=(const HeldObject&) = delete;
  [[nodiscard]] virtual void* address() noexcept = 0;
};

template <class T>
class Held final : public HeldObject {
 public:
  template <class Make>
  explicit Held(Make&& make) : object_(std::forward<Make>(make)()) {}
  [[nodiscard]] void* address() noexcept override { return std::addressof(object_); }

 private:
  T object_;
};

struct Dependency {
  std::type_index type;
  std::unique_ptr<HeldObject> object;
};

/// In the order of their making; destroyed from the last to the first.
class DependencyList {
 public:
  DependencyList() = default;
  ~DependencyList();
  DependencyList(const DependencyList&) = delete;
  DependencyList& operator=(const DependencyList&) = delete;

  [[nodiscard]] void* find(std::type_index type) const noexcept;
  void push(std::type_index type, std::unique_ptr<HeldObject> object) {
    made_.push_back({type, std::move(object)});
  }
  /// Destroys all but the first `size`.
  void shrink(std::size_t size) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return made_.size(); }

 private:
  std::vector<Dependency> made_;
};

using RequestFactory = std::unique_ptr<HeldObject> (*)(const void* make, Request& request);

}  // namespace detail

/// What was made so far, for the process or for a worker: what a later factory builds upon.
class Provided {
 public:
  /// Throws std::logic_error when there is no T yet.
  template <class T>
  [[nodiscard]] T& get() const {
    return *static_cast<T*>(get(typeid(T)));
  }

 private:
  friend class Dependencies;
  friend class DependenciesOfRequest;

  struct OfRequest {
    std::type_index type;
    std::shared_ptr<const void> make;
    detail::RequestFactory call;
  };

  [[nodiscard]] void* get(std::type_index type) const;
  [[nodiscard]] void* find(std::type_index type) const noexcept;
  [[nodiscard]] const OfRequest* find_factory(std::type_index type) const noexcept;

  std::shared_ptr<const Provided> process_;  // a worker's has the process's behind it
  detail::DependencyList made_;
  std::vector<OfRequest> of_request_;
  int worker_ = -1;
};

/// Who provides what. Declared before the server starts, and then used by all workers at the same time.
class Dependencies {
 public:
  /// `make()` or `make(const Provided&)` gives the one T of the process, which all workers use at the same
  /// time: it must guard itself. It may suspend. What it throws ends the start, with its text.
  template <class T, class Make>
  void per_process(Make make) {
    add<T>(Lifetime::process, std::move(make));
  }
  /// The same for a T of each worker: no two threads use it.
  template <class T, class Make>
  void per_worker(Make make) {
    add<T>(Lifetime::worker, std::move(make));
  }
  /// `make(Request&)` gives a T when a request first asks for it; it is destroyed after the response.
  template <class T, class Make>
  void per_request(Make make) {
    static_assert(std::is_invocable_r_v<T, const Make&, Request&>,
                  "a T of each request is made by make(asgi::Request&)");
    const detail::RequestFactory call = [](const void* held, Request& request) {
      const auto& function = *static_cast<const Make*>(held);
      return std::unique_ptr<detail::HeldObject>(
          std::make_unique<detail::Held<T>>([&]() -> T { return function(request); }));
    };
    of_request_.push_back({typeid(T), std::make_shared<const Make>(std::move(make)), call});
  }

  /// On lifespan's start-up: makes what belongs to this lifespan's process or worker, into its state.
  /// Suspends as the factories do. Throws std::runtime_error that names the type whose factory threw, or
  /// which was provided already; nothing of it is left then.
  void start(const Scope& scope) const;
  /// On lifespan's shutdown: destroys what `start` has made.
  void stop(const Scope& scope) const noexcept;

 private:
  enum class Lifetime : std::uint8_t { process, worker };
  struct Factory {
    std::type_index type;
    Lifetime lifetime;
    std::shared_ptr<const void> make;
    std::unique_ptr<detail::HeldObject> (*call)(const void* make, const Provided& given);
  };

  template <class T, class Make>
  void add(Lifetime lifetime, Make&& make) {
    using Function = std::decay_t<Make>;
    static_assert(std::is_invocable_r_v<T, const Function&, const Provided&> ||
                      std::is_invocable_r_v<T, const Function&>,
                  "a dependency is made by make() or make(const asgi::Provided&), which gives it by value");
    factories_.push_back({typeid(T), lifetime, std::make_shared<const Function>(std::forward<Make>(make)),
                          [](const void* held, const Provided& given) {
                            const auto& function = *static_cast<const Function*>(held);
                            return std::unique_ptr<detail::HeldObject>(
                                std::make_unique<detail::Held<T>>([&]() -> T {
                                  if constexpr (std::is_invocable_v<const Function&, const Provided&>) {
                                    return function(given);
                                  } else {
                                    return function();
                                  }
                                }));
                          }});
  }
  [[nodiscard]] static Lifetime lifetime_of(int worker) noexcept {
    return worker < 0 ? Lifetime::process : Lifetime::worker;
  }
  void make(const Factory& factory, Provided& given) const;
  void add_factories_of_request(Provided& given) const;

  std::vector<Factory> factories_;
  std::vector<Provided::OfRequest> of_request_;
};

/// What one request has asked for; see Request::get.
class DependenciesOfRequest {
 public:
  /// Throws std::logic_error that names the type when nobody provides it, or when it is needed for its own
  /// making.
  [[nodiscard]] void* get(std::type_index type, Request& request);

 private:
  [[nodiscard]] void* make(const Provided::OfRequest& factory, Request& request);

  detail::DependencyList made_;
  std::vector<std::type_index> in_making_;
};

}  // namespace atlas::asgi
