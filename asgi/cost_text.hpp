// What a request has cost, in the forms that people and tools read: the Server-Timing field and the access
// log's. Internal.
#pragma once

#include <atlas/core/cost.hpp>

#include <fmt/format.h>

#include <string>

namespace atlas::asgi {

/// In place of what `line` holds: "server-timing: cpu;dur=1.250, read-file;dur=20.000, ready;dur=0.100\r\n",
/// in milliseconds (W3C Server Timing §3). A reason's name has a hyphen for what a token cannot hold, and is
/// cut at 32 bytes. Without an allocation, once `line` has the capacity.
void write_server_timing(std::string& line, const Cost& cost);

/// `cpu_us=1250 read-file_us=20000 ready_us=100`
void append_cost_fields(fmt::memory_buffer& line, const Cost& cost);

/// {"cpu_us":1250,"suspended_us":{"read-file":20000},"ready_us":100}
void append_cost_object(fmt::memory_buffer& line, const Cost& cost);

}  // namespace atlas::asgi
