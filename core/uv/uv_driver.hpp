// The driver of real servers: one libuv loop. Internal, like everything that includes <uv.h>.
#pragma once

#include <atlas/core/driver.hpp>

#include <uv.h>

#include <cstddef>

namespace atlas::uv {

class UvDriver : public Driver {
 public:
  UvDriver();
  /// Every handle on the loop but the driver's own must be closed, or closing.
  ~UvDriver() override;
  UvDriver(const UvDriver&) = delete;
  UvDriver& operator=(const UvDriver&) = delete;

  [[nodiscard]] TimePoint now() noexcept override;
  [[nodiscard]] TimePoint turn_time() noexcept override;
  void poll(std::optional<TimePoint> until) override;
  void interrupt() noexcept override;

  [[nodiscard]] uv_loop_t* loop() noexcept { return &loop_; }
  /// Whether libuv waits for the system on somebody's behalf: an open handle that is active, or a request.
  [[nodiscard]] bool has_work() noexcept;

  /// To be called at the end of a callback that has told of input: libuv can report 48 times 1,024
  /// descriptors in one poll, and what came of the first would have long left the processor's cache when the
  /// last is there. It may destroy whatever the callback was about.
  static void reported(uv_loop_t* loop, std::size_t bytes) {
    auto& self = *static_cast<UvDriver*>(loop->data);
    self.reports_left_ -= 1 + static_cast<int>(bytes / bytes_of_report);
    if (self.reports_left_ <= 0) self.pause_reports();
  }

 private:
  static constexpr int reports_together_max = 64;
  static constexpr std::size_t bytes_of_report = 4096;  // more bytes count as more reports

  void pause_reports();
  void arm_timer(std::optional<TimePoint> until);

  uv_loop_t loop_;
  uv_async_t interrupted_;
  uv_timer_t timer_;
  std::optional<TimePoint> timer_until_;
  int reports_left_ = reports_together_max;  // before the scheduler has its turn
};

/// The loop of the scheduler that runs the caller. Asserts that there is one and that it is libuv's.
[[nodiscard]] uv_loop_t* current_loop();

/// libuv's negative status as an error code. Must not be 0.
[[nodiscard]] std::error_code to_error(int status) noexcept;

}  // namespace atlas::uv
