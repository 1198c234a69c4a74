// The access log: a line for each request, in the common (combined) format of NCSA's and Apache's
// servers, or as JSON.
#pragma once

#include <atlas/asgi/access_notes.hpp>
#include <atlas/asgi/options.hpp>
#include <atlas/core/cost.hpp>
#include <atlas/core/time.hpp>
#include <atlas/http/header.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace atlas::asgi {

struct AccessRecord {
  std::string_view client_host;  ///< Empty on a unix socket.
  std::string_view request_line;
  http::HeadersView headers;  ///< The request's: referer and user-agent are logged.
  int status = 0;             ///< 0 when the connection was cut before there was one.
  std::uint64_t body_bytes = 0;
  Duration duration{};
  const Cost* cost = nullptr;          ///< Null: not counted, and not in the line.
  const AccessNotes* notes = nullptr;  ///< The application's; null: none.
};

/// The line, with its line feed. What a client sent is escaped: it cannot forge lines or fields.
[[nodiscard]] std::string format_access_line(AccessLogFormat format, const AccessRecord& record,
                                             std::int64_t unix_seconds);

/// Suspends while the log's sink is full. Without a sink on this thread, writes to stderr.
void write_access_log(AccessLogFormat format, const AccessRecord& record);

}  // namespace atlas::asgi
