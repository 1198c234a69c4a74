// `scope.state`: what an application's lifespan sets up and its requests find. Copies share what they
// were copied from until one of them changes.
#pragma once

#include <any>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace atlas::asgi {

/// Names to values of any copyable type. Of one thread; what it holds may be shared (a shared_ptr).
class State {
 public:
  template <class T>
  void set(std::string_view name, T value) {
    own().insert_or_assign(std::string(name), std::any(std::move(value)));
  }

  /// The value of that name; null when there is none, or it is not a T.
  template <class T>
  [[nodiscard]] const T* find(std::string_view name) const {
    if (!values_) return nullptr;
    const auto found = values_->find(name);
    return found == values_->end() ? nullptr : std::any_cast<T>(&found->second);
  }

  /// As `find`, for what must be there: throws std::out_of_range, naming it.
  template <class T>
  [[nodiscard]] const T& get(std::string_view name) const {
    if (const T* value = find<T>(name)) return *value;
    throw std::out_of_range("scope.state has no '" + std::string(name) + "' of that type");
  }

  /// Whether this still is what `other` is, unchanged.
  [[nodiscard]] bool same_as(const State& other) const noexcept { return values_ == other.values_; }

 private:
  using Values = std::map<std::string, std::any, std::less<>>;

  /// What no copy shares.
  [[nodiscard]] Values& own();

  std::shared_ptr<Values> values_;
};

}  // namespace atlas::asgi
