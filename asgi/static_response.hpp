// The responses of static files: whole, in parts, and those without a file.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/static_ranges.hpp>
#include <atlas/asgi/static_resource.hpp>

namespace atlas::asgi {

/// All of them suspend as `send` does.

/// 200.
void send_whole(Send& send, const StaticVariant& variant);
/// 304.
void send_not_modified(Send& send, const StaticVariant& variant);
/// 206, with several ranges as multipart/byteranges (RFC 9110 §14.6); 416 when none can be satisfied; 200
/// when they do not count.
void send_ranges(Send& send, const StaticVariant& variant, const RangeChoice& choice);
/// An error, with its name as text.
void send_status(Send& send, int status);
/// 405.
void send_method_not_allowed(Send& send);
/// 301 to the same path with a slash at its end.
void send_redirect(Send& send, const Scope& scope);

}  // namespace atlas::asgi
