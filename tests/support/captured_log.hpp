// What a piece of a test logs. Without a sink, log lines go to stderr: that is caught here.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace atlas::testing {

/// Catches stderr while it lives. One at a time.
class CapturedLog {
 public:
  CapturedLog() { ::testing::internal::CaptureStderr(); }
  ~CapturedLog() {
    if (!taken_) ::testing::internal::GetCapturedStderr();
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  /// Ends the catching.
  [[nodiscard]] std::string take() {
    taken_ = true;
    return ::testing::internal::GetCapturedStderr();
  }

 private:
  bool taken_ = false;
};

}  // namespace atlas::testing
