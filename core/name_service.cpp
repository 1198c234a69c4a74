#include <atlas/core/name_service.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/resolver.hpp>

#include <string>
#include <utility>

namespace atlas {
namespace {

class ResolveCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "atlas.resolve"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<ResolveErrc>(code)) {
      case ResolveErrc::unknown_name: return "there is no such host or service";
      case ResolveErrc::no_answer: return "no name server has answered";
      case ResolveErrc::failed: return "the system could not look the name up";
    }
    return "unknown";
  }
};

}  // namespace

const std::error_category& resolve_category() noexcept {
  static const ResolveCategory category;
  return category;
}

void NameLookup::complete(Result<std::vector<SocketAddress>> answer) {
  ATLAS_ASSERT(!answer_, "a question was answered twice");
  answer_ = std::move(answer);
  if (resolver_ != nullptr) resolver_->answered(*this);
  for (const auto& waiter : std::exchange(waiters_, {})) waiter.wake_queued();
}

}  // namespace atlas
