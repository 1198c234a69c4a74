// ETags of responses that an application makes anew each time: a client that has the same gets 304.
#pragma once

#include <atlas/asgi/toolkit/middleware.hpp>

#include <cstddef>

namespace atlas::asgi {

struct EtagOptions {
  std::size_t bytes_max = std::size_t{1} << 20;  ///< A longer body is not hashed.
};

/// For 200 responses to GET and HEAD whose body comes in one piece, and which have no ETag. The application
/// has done its work by then: what is saved is the way to the client.
[[nodiscard]] Middleware etag(const EtagOptions& options = {});

}  // namespace atlas::asgi
