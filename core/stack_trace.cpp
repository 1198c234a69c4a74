#include <atlas/core/stack_trace.hpp>

#include <fmt/format.h>

#include <cxxabi.h>
#include <dlfcn.h>
#include <unwind.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace atlas::detail {
namespace {

struct Capture {
  std::span<const void*> addresses;
  std::size_t count = 0;
};

// A return address lies behind its call, perhaps in another function: one byte back is within the call. What
// a signal interrupted is told apart by the unwinder, and what lies before it is the handler's.
_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* into) {
  auto& capture = *static_cast<Capture*>(into);
  int interrupted = 0;
  auto address = static_cast<std::uintptr_t>(_Unwind_GetIPInfo(context, &interrupted));
  if (interrupted != 0) {
    capture.count = 0;
  } else if (address > 0) {
    --address;
  }
  if (capture.count == capture.addresses.size() || address == 0) return _URC_END_OF_STACK;
  capture.addresses[capture.count++] =
      reinterpret_cast<const void*>(address);  // NOLINT(performance-no-int-to-ptr)
  return _URC_NO_REASON;
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? std::string(text.get()) : std::string(name);
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::ptrdiff_t distance(const void* from, const void* to) {
  return static_cast<const char*>(to) - static_cast<const char*>(from);
}

}  // namespace

void prepare_stack_capture() noexcept {
  std::array<const void*, 1> any;
  static_cast<void>(capture_stack(any));
}

std::size_t capture_stack(std::span<const void*> addresses) noexcept {
  Capture capture{addresses};
  _Unwind_Backtrace(add_frame, &capture);
  return capture.count;
}

std::string describe_address(const void* address) {
  Dl_info found{};
  if (::dladdr(address, &found) == 0) return fmt::format("{}", address);
  if (found.dli_sname == nullptr) {
    return fmt::format("{}+{:#x}", file_name(found.dli_fname), distance(found.dli_fbase, address));
  }
  return fmt::format("{}+{:#x}", demangled(found.dli_sname), distance(found.dli_saddr, address));
}

}  // namespace atlas::detail
