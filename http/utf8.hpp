// UTF-8 (RFC 3629): whether a text is, and how one is made of what is not.
#pragma once

#include <atlas/core/byte_buffer.hpp>

#include <cstddef>
#include <string_view>

namespace atlas::http {

/// Neither overlong forms nor surrogates nor code points above U+10FFFF are.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Appends `text` with U+FFFD for each maximal part that is no UTF-8.
void append_repaired_utf8(std::string_view text, ByteBuffer& out);
/// How many times as long it can become.
inline constexpr std::size_t utf8_repair_growth = 3;

}  // namespace atlas::http
