// The application that a server serves while it is checked against the contract at the seam: it does what
// requests tell it to, and keeps notes of what it meets. Not for the public: whoever reaches it can make it
// hold memory and connections.
#pragma once

#include <atlas/asgi/application.hpp>

#include <string_view>

namespace atlas::asgi {

/// Serve it alone, or mounted somewhere; then give `check_server` its URL. It answers
///   GET /                 what it is, and what its lifespans were;
///   ANY /scope            what its scope holds, a line for each key;
///   ANY /script/RUN?STEPS does the steps, as probe_script.hpp says, and keeps notes of them;
///   GET /notes/RUN        those notes, once that call has ended.
[[nodiscard]] Application conformance_probe();

/// How its answer to GET / begins.
inline constexpr std::string_view probe_greeting = "atlas conformance probe";

}  // namespace atlas::asgi
