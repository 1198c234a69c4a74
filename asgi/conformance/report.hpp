// What a check against the contract has found, promise by promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

enum class Verdict : std::uint8_t { holds, broken, not_checked };

struct Finding {
  std::string subject;  ///< What was checked: "lifespan", "GET /".
  std::string promise;  ///< A sentence that is true where the contract holds.
  Verdict verdict = Verdict::holds;
  std::string detail = {};  ///< What was seen instead, or why it was not checked.
};

class ConformanceReport {
 public:
  /// What is added next is about this.
  void begin(std::string_view subject) { subject_ = subject; }
  /// Holds if `fault` is empty.
  void add(std::string_view promise, std::string_view fault);
  void add_not_checked(std::string_view promise, std::string_view why);

  [[nodiscard]] const std::vector<Finding>& findings() const noexcept { return findings_; }
  [[nodiscard]] std::size_t count(Verdict verdict) const noexcept;
  /// Nothing is broken, and something was checked.
  [[nodiscard]] bool conforms() const noexcept;
  /// A line for each finding under its subject, and one with the sums at the end. `broken_only` leaves out
  /// what holds.
  [[nodiscard]] std::string to_text(bool broken_only = false) const;

 private:
  std::string subject_;
  std::vector<Finding> findings_;
};

}  // namespace atlas::asgi
