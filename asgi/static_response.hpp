// The responses of static files: whole, in parts, and those without a file.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/static_variant.hpp>

#include <cstddef>

namespace atlas::asgi {

/// All of them suspend as `send` does.

/// What a GET or HEAD asks of a file that is there: 200 or 304; 206, with several ranges as
/// multipart/byteranges (RFC 9110 §14.6); 412 and 416. More than `ranges_max` ranges do not count.
void send_variant(const Scope& scope, Send& send, const StaticVariant& variant, std::size_t ranges_max);
/// What `variant.whole` begins, whatever was asked.
void send_whole(const Scope& scope, Send& send, const StaticVariant& variant);
/// An error, with its name as text.
void send_status(Send& send, int status);
/// 405.
void send_method_not_allowed(Send& send);
/// 301 to the same path with a slash at its end.
void send_redirect(Send& send, const Scope& scope);

}  // namespace atlas::asgi
