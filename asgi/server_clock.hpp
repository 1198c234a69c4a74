// The date field of responses, for the price of a comparison. One per worker.
#pragma once

#include <atlas/core/time.hpp>
#include <atlas/http/date.hpp>

#include <string_view>

namespace atlas::asgi {

class ServerClock {
 public:
  /// "date: …\r\n" of the present second. `turn_time` is the loop's; valid until the next call.
  [[nodiscard]] std::string_view date_line(TimePoint turn_time) {
    if (turn_time >= next_second_) refresh(turn_time);
    return line_;
  }

 private:
  void refresh(TimePoint turn_time) {
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    const auto second = std::chrono::floor<std::chrono::seconds>(wall);
    line_ = dates_.line(second.count());
    next_second_ =
        turn_time + std::chrono::ceil<std::chrono::milliseconds>(second + std::chrono::seconds(1) - wall);
  }

  http::DateCache dates_;
  std::string_view line_;
  TimePoint next_second_ = TimePoint::min();
};

}  // namespace atlas::asgi
