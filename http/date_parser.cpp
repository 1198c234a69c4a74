#include <atlas/http/date_parser.hpp>

#include <atlas/http/calendar.hpp>
#include <atlas/http/characters.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace atlas::http {
namespace {

constexpr std::int64_t seconds_per_year = 31'556'952;  // on average

constexpr std::array<std::string_view, 7> weekdays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                      "Friday", "Saturday", "Sunday"};

struct Parts {
  int year = 0;
  int month = 0;  // 1 to 12
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Takes a text apart from the front. After the first thing that is not there it stays failed.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  void expect(std::string_view literal) {
    if (!rest_.starts_with(literal)) return fail();
    rest_.remove_prefix(literal.size());
  }

  [[nodiscard]] int number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) return fail(), 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!is_digit(c)) return fail(), 0;
      value = 10 * value + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  /// asctime's, in which a space stands for the first digit.
  [[nodiscard]] int padded_number() {
    if (!rest_.starts_with(' ')) return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }

  [[nodiscard]] int month() {
    const auto at = rest_.size() < 3 ? std::string_view::npos : month_names.find(rest_.substr(0, 3));
    if (at == std::string_view::npos || at % 3 != 0) return fail(), 1;
    rest_.remove_prefix(3);
    return static_cast<int>(at / 3) + 1;
  }

  void time(Parts& parts) {
    parts.hour = number(2);
    expect(":");
    parts.minute = number(2);
    expect(":");
    parts.second = number(2);
  }

  [[nodiscard]] bool done() const { return !failed_ && rest_.empty(); }

 private:
  void fail() { failed_ = true; }

  std::string_view rest_;
  bool failed_ = false;
};

bool is_leap_year(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_of(int year, int month) {
  if (month == 2) return is_leap_year(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool is_sound(const Parts& parts) {
  return parts.day >= 1 && parts.day <= days_of(parts.year, parts.month) && parts.hour < 24 &&
         parts.minute < 60 && parts.second <= 60;
}

/// Since 1970-01-01. Counted from the first of March, after which a leap day comes last.
std::int64_t days_since_epoch(const Parts& parts) {
  const int years = parts.year - (parts.month <= 2 ? 1 : 0) + 400;  // never negative
  const int months = (parts.month + 9) % 12;
  return std::int64_t{365} * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 +
         parts.day - 1 - 146'097 - 719'468;
}

std::int64_t seconds_of(const Parts& parts) {
  return days_since_epoch(parts) * seconds_per_day + parts.hour * 3600 + parts.minute * 60 +
         std::min(parts.second, 59);
}

struct DateStyle {
  std::string_view separator;
  std::size_t year_digits;
};
constexpr DateStyle imf_fixdate_style{" ", 4};  // "06 Nov 1994 08:49:37 GMT", behind the day of the week
constexpr DateStyle rfc850_style{"-", 2};       // "06-Nov-94 08:49:37 GMT"

bool read_day_first(std::string_view text, const DateStyle& style, Parts& parts) {
  Cursor cursor(text);
  parts.day = cursor.number(2);
  cursor.expect(style.separator);
  parts.month = cursor.month();
  cursor.expect(style.separator);
  parts.year = cursor.number(style.year_digits);
  cursor.expect(" ");
  cursor.time(parts);
  cursor.expect(" GMT");
  return cursor.done();
}

// "Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, Parts& parts) {
  Cursor cursor(text);
  parts.month = cursor.month();
  cursor.expect(" ");
  parts.day = cursor.padded_number();
  cursor.expect(" ");
  cursor.time(parts);
  cursor.expect(" ");
  parts.year = cursor.number(4);
  return cursor.done();
}

/// The year with these last two digits that is not more than fifty years from now (RFC 9110 §5.6.7).
int century_of(int two_digits, std::int64_t now) {
  const int this_year = static_cast<int>(1970 + now / seconds_per_year);
  int year = this_year - this_year % 100 + two_digits;
  if (year > this_year + 50) year -= 100;
  return year;
}

enum class Form : std::uint8_t { none, imf_fixdate, rfc850, asctime };

/// By what stands before and after the day of the week, which is taken off.
Form take_weekday(std::string_view& text) {
  for (const auto name : weekdays) {
    if (!text.starts_with(name.substr(0, 3))) continue;
    const bool full = text.starts_with(name);
    text.remove_prefix(full ? name.size() : 3);
    const std::string_view between = text.starts_with(", ") ? ", " : " ";
    if (!text.starts_with(between)) return Form::none;
    text.remove_prefix(between.size());
    if (between == " ") return full ? Form::none : Form::asctime;
    return full ? Form::rfc850 : Form::imf_fixdate;
  }
  return Form::none;
}

bool read(Form form, std::string_view text, std::int64_t now, Parts& parts) {
  switch (form) {
    case Form::none: return false;
    case Form::imf_fixdate: return read_day_first(text, imf_fixdate_style, parts);
    case Form::asctime: return read_asctime(text, parts);
    case Form::rfc850: break;
  }
  const bool sound = read_day_first(text, rfc850_style, parts);
  parts.year = century_of(parts.year, now);
  return sound;
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now) noexcept {
  Parts parts;
  const auto form = take_weekday(text);
  if (!read(form, text, now, parts) || !is_sound(parts)) return std::nullopt;
  return seconds_of(parts);
}

}  // namespace atlas::http
