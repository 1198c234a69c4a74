#include <atlas/asgi/static_variant.hpp>

#include <atlas/http/date.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace atlas::asgi {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

// A file that was changed twice within the steps in which its file system counts time has the time of the
// first change. The coarsest that are common count whole seconds.
constexpr auto settling_time = std::chrono::seconds(2);

std::int64_t seconds_of(SystemTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Weak while a second change could go unseen (RFC 9110 §8.8.1).
std::string etag_of(const StaticVariant& variant) {
  const auto modified = variant.status.modified.time_since_epoch().count();
  const auto suffix = variant.coding == "identity" ? "" : fmt::format("-{}", variant.coding);
  return fmt::format("{}\"{:x}-{:x}{}\"", variant.settled ? "" : "W/", modified, variant.status.bytes,
                     suffix);
}

}  // namespace

bool means_no_file(std::error_code error) noexcept {
  constexpr std::errc errors[] = {
      std::errc::no_such_file_or_directory, std::errc::not_a_directory,
      std::errc::filename_too_long,         std::errc::too_many_symbolic_link_levels,
      std::errc::cross_device_link,         std::errc::operation_not_permitted,
      std::errc::no_such_device_or_address, std::errc::invalid_argument};
  return std::ranges::any_of(errors, [&](std::errc one) { return error == one; });
}

void recognise(StaticVariant& variant, std::string_view coding, const FileStatus& status) {
  const auto now = std::chrono::system_clock::now();
  variant.coding = coding;
  variant.status = status;
  variant.settled = now - status.modified >= settling_time;
  variant.modified = seconds_of(std::min(status.modified, now));
  const auto date = http::format_date(variant.modified);
  variant.last_modified.assign(date.data(), date.size());
  variant.etag = etag_of(variant);
}

}  // namespace atlas::asgi
