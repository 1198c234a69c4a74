#include <atlas/asgi/option_values.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace atlas::asgi {
namespace {

using std::chrono::milliseconds;

template <class T>
struct Unit {
  std::string_view name;
  T size;
};

// From the largest to the smallest: the first that divides a value is the one to write it in.
constexpr std::array<Unit<std::uint64_t>, 3> size_units = {{{"G", 1 << 30}, {"M", 1 << 20}, {"k", 1 << 10}}};
constexpr std::array<Unit<milliseconds>, 4> duration_units = {{{"h", milliseconds(3'600'000)},
                                                               {"m", milliseconds(60'000)},
                                                               {"s", milliseconds(1'000)},
                                                               {"ms", milliseconds(1)}}};

/// All of `text` as an unsigned number, in digits only.
std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

/// Takes the unit off the end of a size.
std::uint64_t take_size_unit(std::string_view& text) {
  if (text.empty()) return 1;
  for (const auto& unit : size_units) {
    if (lower(text.back()) != lower(unit.name.front())) continue;
    text.remove_suffix(1);
    return unit.size;
  }
  return 1;
}

/// Takes the unit off the end of a duration.
milliseconds take_duration_unit(std::string_view& text) {
  const auto number_size = text.find_last_of("0123456789.") + 1;
  for (const auto& unit : duration_units) {
    if (text.substr(number_size) != unit.name) continue;
    text.remove_suffix(unit.name.size());
    return unit.size;
  }
  return milliseconds(1'000);
}

}  // namespace

std::uint64_t parse_whole_number(std::string_view text, Range<std::uint64_t> range) {
  const auto number = digits(text);
  if (!number) throw BadValue("not a whole number");
  if (*number < range.min || *number > range.max) {
    throw BadValue(fmt::format("not in {} to {}", range.min, range.max));
  }
  return *number;
}

std::uint64_t parse_size(std::string_view text, Range<std::uint64_t> range) {
  const auto unit = take_size_unit(text);
  const auto number = digits(text);
  if (!number) throw BadValue("not a size (like 500, 64k, 16M or 1G)");
  if (*number > range.max / unit || *number * unit < range.min) {
    throw BadValue(fmt::format("not in {} to {}", size_text(range.min), size_text(range.max)));
  }
  return *number * unit;
}

Duration parse_duration(std::string_view text, Range<Duration> range) {
  const auto unit = take_duration_unit(text);
  const auto number = decimal(text);
  if (!number) throw BadValue("not a duration (like 500ms, 10s, 2m or 1h)");
  const std::chrono::duration<double, std::milli> exact = *number * unit;
  if (exact < range.min || exact > range.max) {
    throw BadValue(fmt::format("not in {} to {}", duration_text(range.min), duration_text(range.max)));
  }
  return std::chrono::round<milliseconds>(exact);
}

std::string size_text(std::uint64_t bytes) {
  for (const auto& unit : size_units) {
    if (bytes >= unit.size && bytes % unit.size == 0)
      return fmt::format("{}{}", bytes / unit.size, unit.name);
  }
  return fmt::format("{}", bytes);
}

std::string duration_text(Duration duration) {
  const auto value = std::chrono::floor<milliseconds>(duration);
  for (const auto& unit : duration_units) {
    if (value >= unit.size && value % unit.size == milliseconds(0)) {
      return fmt::format("{}{}", value / unit.size, unit.name);
    }
  }
  return "0s";
}

std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += character;
    }
  }
  return line;
}

}  // namespace atlas::asgi
