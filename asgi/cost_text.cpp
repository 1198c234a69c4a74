#include <atlas/asgi/cost_text.hpp>

#include <atlas/http/header.hpp>

#include <iterator>
#include <string_view>

namespace atlas::asgi {
namespace {

constexpr std::size_t name_bytes_max = 32;

std::int64_t microseconds(Duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

/// A token of HTTP (RFC 9110 §5.6.2) is also a whole word in a log, and has nothing that JSON escapes.
void append_name(auto& out, std::string_view reason) {
  if (reason.empty()) out.push_back('-');
  for (const char& c : reason.substr(0, name_bytes_max)) out.push_back(http::is_token({&c, 1}) ? c : '-');
}

void append_metric(std::string& line, std::string_view name, Duration time) {
  append_name(line, name);
  const auto us = microseconds(time);
  fmt::format_to(std::back_inserter(line), ";dur={}.{:03}", us / 1000, us % 1000);
}

}  // namespace

void write_server_timing(std::string& line, const Cost& cost) {
  line.assign("server-timing: ");
  append_metric(line, "cpu", cost.processor);
  for (const auto& [reason, time] : cost.suspended()) {
    line.append(", ");
    append_metric(line, reason, time);
  }
  if (cost.ready > Duration::zero()) {
    line.append(", ");
    append_metric(line, "ready", cost.ready);
  }
  line.append("\r\n");
}

void append_cost_fields(fmt::memory_buffer& line, const Cost& cost) {
  fmt::format_to(fmt::appender(line), "cpu_us={}", microseconds(cost.processor));
  for (const auto& [reason, time] : cost.suspended()) {
    line.push_back(' ');
    append_name(line, reason);
    fmt::format_to(fmt::appender(line), "_us={}", microseconds(time));
  }
  if (cost.ready > Duration::zero())
    fmt::format_to(fmt::appender(line), " ready_us={}", microseconds(cost.ready));
}

void append_cost_object(fmt::memory_buffer& line, const Cost& cost) {
  fmt::format_to(fmt::appender(line), "{{\"cpu_us\":{},\"suspended_us\":{{", microseconds(cost.processor));
  std::string_view separator;
  for (const auto& [reason, time] : cost.suspended()) {
    fmt::format_to(fmt::appender(line), "{}\"", separator);
    append_name(line, reason);
    fmt::format_to(fmt::appender(line), "\":{}", microseconds(time));
    separator = ",";
  }
  fmt::format_to(fmt::appender(line), "}},\"ready_us\":{}}}", microseconds(cost.ready));
}

}  // namespace atlas::asgi
