// The error of the system call that has just failed. Internal.
#pragma once

#include <cerrno>
#include <system_error>

namespace atlas::detail {

/// errno's, of std::system_category.
[[nodiscard]] inline std::error_code last_error() noexcept { return {errno, std::system_category()}; }

}  // namespace atlas::detail
