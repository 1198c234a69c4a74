// A Send that changes the start of a response on its way out: what most middleware consists of. Internal.
#pragma once

#include <atlas/asgi/application.hpp>

#include <utility>

namespace atlas::asgi {

/// Calls `alter(HttpResponseStart&)` with a copy; all other messages pass.
template <class Alter>
class AlteredStart final : public Send {
 public:
  AlteredStart(Send& outer, Alter alter) : outer_(outer), alter_(std::move(alter)) {}

  /// Whether the response has begun.
  [[nodiscard]] bool begun() const noexcept { return begun_; }

 private:
  void handle(MessageRef message) override {
    const auto* start = message.get_if<HttpResponseStart>();
    if (start == nullptr) return outer_(message);
    auto altered = *start;
    alter_(altered);
    outer_(altered);
    begun_ = true;
  }

  Send& outer_;
  Alter alter_;
  bool begun_ = false;
};

}  // namespace atlas::asgi
