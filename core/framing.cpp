#include <atlas/core/framing.hpp>

#include <string>

namespace atlas {
namespace {

class FramingCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "atlas.framing"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<FramingErrc>(code)) {
      case FramingErrc::unexpected_end: return "the stream ended in the middle of a message";
      case FramingErrc::too_long: return "a message is longer than its limit";
    }
    return "unknown";
  }
  [[nodiscard]] std::error_condition default_error_condition(int code) const noexcept override {
    if (static_cast<FramingErrc>(code) == FramingErrc::too_long) return std::errc::message_size;
    return {code, *this};
  }
};

}  // namespace

const std::error_category& framing_category() noexcept {
  static const FramingCategory category;
  return category;
}

}  // namespace atlas
