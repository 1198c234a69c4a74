// The small readers of text, each beside a plainer one or put to what must hold of its answer: paths, hosts,
// lists, dates, the values of options.
#include "fuzz/fuzz_target.hpp"

#include <atlas/asgi/option_values.hpp>
#include <atlas/core/assert.hpp>
#include <atlas/http/date.hpp>
#include <atlas/http/header.hpp>
#include <atlas/http/request_head.hpp>
#include <atlas/http/target.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::optional<std::string> unescape(std::string_view raw) {
  std::string bytes;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      bytes += raw[i];
      continue;
    }
    if (raw.size() - i < 3 || std::isxdigit(http::byte_of(raw[i + 1])) == 0 ||
        std::isxdigit(http::byte_of(raw[i + 2])) == 0) {
      return std::nullopt;
    }
    const auto byte = static_cast<char>(std::stoi(std::string(raw.substr(i + 1, 2)), nullptr, 16));
    if (byte == 0) return std::nullopt;
    bytes += byte;
    i += 2;
  }
  return bytes;
}

/// The code point at the front of `text` and how many bytes it takes, by its bits rather than by tables.
std::size_t code_point_bytes(std::string_view text) {
  const auto lead = http::byte_of(text.front());
  if (lead < 0x80) return 1;
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || lead >= 0xF8 || text.size() < bytes) return 0;
  std::uint32_t value = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((http::byte_of(text[i]) & 0xC0) != 0x80) return 0;
    value = value << 6 | (http::byte_of(text[i]) & 0x3FU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value >= least[bytes] && value <= 0x10FFFF && !surrogate ? bytes : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto bytes = code_point_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

void check_path(std::string_view text) {
  ByteBuffer scratch;
  const auto decoded = http::decode_path(text, scratch);
  const auto bytes = unescape(text);
  ATLAS_ASSERT(decoded.has_value() == bytes.has_value(), "an escape is read differently");
  if (!decoded) return;
  ATLAS_ASSERT(is_utf8(*decoded), "a path is not UTF-8");
  if (is_utf8(*bytes)) return expect_same(*decoded, *bytes, "a path is read differently");
  ATLAS_ASSERT(decoded->find(replacement) != std::string_view::npos, "broken UTF-8 was lost");
  ATLAS_ASSERT(decoded->size() <= bytes->size() * replacement.size(), "a path has grown too much");
}

void check_case(std::string_view text) {
  std::string lowered(text);
  http::make_lower(lowered);
  std::string expected(text);
  for (char& c : expected) c = http::to_lower(c);
  expect_same(lowered, expected, "lower case differs");
  ATLAS_ASSERT(http::iequals(text, expected), "a text differs from itself in lower case");
  const auto half = text.substr(0, text.size() / 2);
  const auto other = text.substr(text.size() - half.size());
  std::string half_lowered(half);
  std::string other_lowered(other);
  for (char& c : half_lowered) c = http::to_lower(c);
  for (char& c : other_lowered) c = http::to_lower(c);
  ATLAS_ASSERT(http::iequals(half, other) == (half_lowered == other_lowered),
               "two texts compare differently");
}

void check_list(std::string_view text) {
  std::string joined;
  std::size_t elements = 0;
  http::for_each_list_element(text, [&](std::string_view element) {
    ATLAS_ASSERT(element == http::trim_ows(element), "an element of a list is not trimmed");
    ATLAS_ASSERT(element.find(',') == std::string_view::npos, "an element of a list is several");
    ATLAS_ASSERT(element.empty() || http::list_has_token(text, element), "a list does not have its element");
    ++elements;
  });
  ATLAS_ASSERT(elements == static_cast<std::size_t>(std::ranges::count(text, ',')) + 1,
               "a list was cut short");
}

// A host may stand in URLs and in logs without a second thought.
void check_host(std::string_view text) {
  if (!http::is_host(text)) return;
  constexpr std::string_view never = " \t\r\n/\\?#@,\"<>{}|^`";
  ATLAS_ASSERT(!text.empty() && text.find_first_of(never) == std::string_view::npos, "that is no host");
  const auto visible = [](char c) { return c > ' ' && c < '\x7F'; };
  ATLAS_ASSERT(std::ranges::all_of(text, visible), "a host has bytes that nobody sees");
}

void check_date(std::string_view text) {
  std::int64_t seconds = 0;
  if (!text.empty()) std::memcpy(&seconds, text.data(), std::min(text.size(), sizeof seconds));
  constexpr std::int64_t first = -62'167'219'200;  // of year 0
  constexpr std::int64_t last = 253'402'300'799;   // of year 9999
  const auto clamped = static_cast<std::time_t>(std::clamp(seconds, first, last));
  std::tm parts{};
  ATLAS_ASSERT(gmtime_r(&clamped, &parts) != nullptr, "the C library does not know that time");
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto expected =
      fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[parts.tm_wday], parts.tm_mday,
                  months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  const auto date = http::format_date(seconds);
  expect_same({date.data(), date.size()}, expected, "a date is written differently");
  http::DateCache cache;
  expect_same(cache.value(seconds), expected, "a date is kept differently");
}

void check_options(std::string_view text) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  try {
    const auto size = asgi::parse_size(text, {.min = 0, .max = most});
    ATLAS_ASSERT(asgi::parse_size(asgi::size_text(size), {.min = 0, .max = most}) == size,
                 "a size has changed");
  } catch (const asgi::BadValue&) {
  }
  try {
    static_cast<void>(asgi::parse_whole_number(text, {.min = 1, .max = 65535}));
    const bool digits = std::ranges::all_of(text, http::is_digit);
    ATLAS_ASSERT(digits && std::stoul(std::string(text)) <= 65535, "that is no whole number");
  } catch (const asgi::BadValue&) {
  }
  try {
    constexpr Duration longest = std::chrono::hours(24 * 365);
    const auto duration = asgi::parse_duration(text, {.min = Duration::zero(), .max = longest});
    ATLAS_ASSERT(duration >= Duration::zero() && duration <= longest, "a duration is out of its range");
    const auto again =
        asgi::parse_duration(asgi::duration_text(duration), {.min = Duration::zero(), .max = longest});
    ATLAS_ASSERT(again == duration, "a duration has changed");
  } catch (const asgi::BadValue&) {
  }
  const auto line = asgi::on_one_line(text);
  ATLAS_ASSERT(line.find_first_of(std::string_view("\0\r\n\x1B\x7F", 5)) == std::string::npos,
               "a line is several");
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  check_path(bytes);
  check_case(bytes);
  check_list(bytes);
  check_host(bytes);
  check_date(bytes);
  check_options(bytes);
}

}  // namespace atlas::testing
