// Values that belong to what a fiber is doing: a request's id, a field for its log lines. Bound for a scope,
// seen by everything called in it and by the fibers started in it.
//
//   inline FiberLocal<std::string> request_id;
//
//   const FiberLocal<std::string>::Scope scope(request_id, "b7f3");
//   log::info("for {}", *request_id.get());
#pragma once

#include <cstdint>
#include <utility>

namespace atlas {

namespace detail {

/// One binding in a chain from the innermost to the outermost. Shared by the fibers of one thread that were
/// started in its scope, and freed by the last.
struct LocalBinding {
  LocalBinding(const void* of_key, void (*destroyer)(LocalBinding*) noexcept) noexcept
      : key(of_key), destroy(destroyer) {}

  const void* key;
  void (*destroy)(LocalBinding*) noexcept;
  LocalBinding* outer = nullptr;
  std::uint32_t users = 1;  // scopes, fibers and inner bindings
};

/// A fiber's share in a chain. Copies add a user to its innermost binding.
class LocalBindings {
 public:
  LocalBindings() noexcept = default;
  LocalBindings(const LocalBindings& other) noexcept : innermost_(other.innermost_) {
    if (innermost_ != nullptr) ++innermost_->users;
  }
  LocalBindings(LocalBindings&& other) noexcept : innermost_(std::exchange(other.innermost_, nullptr)) {}
  LocalBindings& operator=(LocalBindings other) noexcept {
    std::swap(innermost_, other.innermost_);
    return *this;
  }
  ~LocalBindings() { release(innermost_); }

  /// Takes over `binding`, fresh, as the innermost.
  void push(LocalBinding* binding) noexcept {
    binding->outer = innermost_;
    innermost_ = binding;
  }
  /// Undoes the last `push`.
  void pop() noexcept {
    LocalBinding* binding = innermost_;
    innermost_ = binding->outer;
    if (innermost_ != nullptr) ++innermost_->users;
    release(binding);
  }
  [[nodiscard]] const LocalBinding* find(const void* key) const noexcept {
    const LocalBinding* binding = innermost_;
    while (binding != nullptr && binding->key != key) binding = binding->outer;
    return binding;
  }

 private:
  static void release(LocalBinding* binding) noexcept {
    while (binding != nullptr && --binding->users == 0) {
      LocalBinding* outer = binding->outer;
      binding->destroy(binding);
      binding = outer;
    }
  }

  LocalBinding* innermost_ = nullptr;
};

/// The running fiber's. Asserts that there is one.
[[nodiscard]] LocalBindings& bindings_of_running_fiber() noexcept;
/// Null outside of a fiber.
[[nodiscard]] const LocalBinding* find_local(const void* key) noexcept;

}  // namespace detail

/// A key; what it is bound to differs from fiber to fiber. Usually an inline or static variable; it must
/// outlive its scopes. Of any thread.
template <class T>
class FiberLocal {
 public:
  constexpr FiberLocal() noexcept = default;
  FiberLocal(const FiberLocal&) = delete;
  FiberLocal& operator=(const FiberLocal&) = delete;

  /// Binds a value, until its own end, in the running fiber and in the fibers that are started meanwhile.
  /// Those keep it until they end. Scopes of a fiber end in the reverse order of their beginning.
  class [[nodiscard]] Scope {
   public:
    template <class... Arguments>
    explicit Scope(const FiberLocal& local, Arguments&&... arguments)
        : bindings_(detail::bindings_of_running_fiber()) {
      bindings_.push(new Binding(&local, std::forward<Arguments>(arguments)...));
    }
    ~Scope() { bindings_.pop(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    detail::LocalBindings& bindings_;
  };

  /// The innermost bound value, valid while it is bound; null if there is none, or no fiber.
  [[nodiscard]] const T* get() const noexcept {
    const auto* binding = detail::find_local(this);
    return binding != nullptr ? &static_cast<const Binding*>(binding)->value : nullptr;
  }

 private:
  struct Binding : detail::LocalBinding {
    template <class... Arguments>
    explicit Binding(const void* of_key, Arguments&&... arguments)
        : LocalBinding(of_key, [](LocalBinding* self) noexcept { delete static_cast<Binding*>(self); }),
          value(std::forward<Arguments>(arguments)...) {}
    const T value;
  };
};

}  // namespace atlas
