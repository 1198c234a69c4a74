// The messages that server and application exchange, spelled as in ASGI 3.0: HttpResponseStart is
// `http.response.start`. Members are the message's keys.
#pragma once

#include <atlas/asgi/headers.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace atlas {
class File;
}

namespace atlas::asgi {

/// What the application receives on an http scope: a piece of the request's body, as it arrives.
struct HttpRequest {
  std::string_view body;  ///< Valid until the next `receive`. May be empty.
  bool more_body = false;
};

/// The response is complete, or the client is gone.
struct HttpDisconnect {};

/// Begins the response. Held back until the first body, so that an error can still replace it.
struct HttpResponseStart {
  int status = 200;  ///< 200 to 599.
  Headers headers = {};
  bool trailers = false;  ///< `http.response.trailers` will follow the last body.
};

/// A piece of the response's body.
struct HttpResponseBody {
  std::string_view body = {};  ///< Needs to live until `send` returns.
  bool more_body = false;
};

/// After the last body of a response that announced trailers. Sent only to clients that accept them.
struct HttpResponseTrailers {
  Headers headers = {};
  bool more_trailers = false;
};

/// A 103 response with a `link` field for each element. Before the response's first body.
struct HttpResponseEarlyHint {
  std::vector<std::string> links;
};

/// All of a regular file as the response's body, once and not together with bodies. Which content-type it has
/// is the application's to say. A file that cannot be opened, and one whose length is not the content-length
/// that was given, throw before anything was sent: the response may begin anew, with another start.
struct HttpResponsePathsend {
  std::string path;  ///< Absolute.
};

/// A piece of the response's body that the system takes from a regular file; bodies may come before and after
/// it. A file that has less than `count` from there on throws.
struct HttpResponseZerocopysend {
  const File* file = nullptr;                ///< Stays the application's, which closes it after `send`.
  std::optional<std::uint64_t> offset = {};  ///< None: the file's position, which then moves.
  std::optional<std::uint64_t> count = {};   ///< None: to the file's end.
  bool more_body = false;
};

/// Accepted and ignored: browsers have dropped server push.
struct HttpResponsePush {
  std::string path;
  Headers headers = {};
};

struct LifespanStartup {};
struct LifespanShutdown {};
struct LifespanStartupComplete {};
struct LifespanStartupFailed {
  std::string message = {};
};
struct LifespanShutdownComplete {};
struct LifespanShutdownFailed {
  std::string message = {};
};

/// Names to values. Making and copying them is compiled once, for all who include this.
struct OpenValues
    : std::map<std::string, std::variant<std::monostate, bool, std::int64_t, double, std::string>,
               std::less<>> {
  OpenValues() noexcept;
  OpenValues(std::initializer_list<value_type> values);
  OpenValues(const OpenValues& other);
  OpenValues(OpenValues&& other) noexcept;
  OpenValues& operator=(const OpenValues& other);
  OpenValues& operator=(OpenValues&& other) noexcept;
  ~OpenValues();
};

/// A message of a type that Atlas does not know, for extensions between middleware.
struct OpenMessage {
  using Value = OpenValues::mapped_type;

  std::string type;
  OpenValues values = {};
};

/// What `receive` gives.
using ReceivedMessage =
    std::variant<HttpRequest, HttpDisconnect, LifespanStartup, LifespanShutdown, OpenMessage>;

namespace detail {
template <class... M>
struct MessageList {
  using Variant = std::variant<M...>;
  template <class One>
  static constexpr bool has = (std::same_as<One, M> || ...);
  template <class One>
  static constexpr std::uint8_t index_of = [] {
    std::uint8_t index = 0;
    static_cast<void>(((std::same_as<One, M> || (++index, false)) || ...));
    return index;
  }();
};
using SentMessages =
    MessageList<HttpResponseStart, HttpResponseBody, HttpResponseTrailers, HttpResponseEarlyHint,
                HttpResponsePathsend, HttpResponseZerocopysend, HttpResponsePush, LifespanStartupComplete,
                LifespanStartupFailed, LifespanShutdownComplete, LifespanShutdownFailed, OpenMessage>;
}  // namespace detail

/// What `send` takes, when it has to be kept.
using SentMessage = detail::SentMessages::Variant;

/// A message on its way through `send`: which one it is, and where it lies. Nothing is copied. Valid
/// for the duration of the call.
class MessageRef {
 public:
  template <class M>
  requires detail::SentMessages::has<M> MessageRef(const M& message)
  noexcept : message_(&message), index_(detail::SentMessages::index_of<M>) {}

  /// The message, if it is an M; else null.
  template <class M>
  [[nodiscard]] const M* get_if() const noexcept {
    return index_ == detail::SentMessages::index_of<M> ? static_cast<const M*>(message_) : nullptr;
  }

  /// "http.response.start" and so on.
  [[nodiscard]] std::string_view type() const;
  /// Calls `visitor` with a reference to the message.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    return visit_from(visitor, detail::SentMessages());
  }

 private:
  template <class Visitor, class M, class... Others>
  decltype(auto) visit_from(Visitor& visitor, detail::MessageList<M, Others...>) const {
    if constexpr (sizeof...(Others) == 0) {
      return visitor(*static_cast<const M*>(message_));
    } else {
      if (index_ == detail::SentMessages::index_of<M>) return visitor(*static_cast<const M*>(message_));
      return visit_from(visitor, detail::MessageList<Others...>());
    }
  }

  const void* message_;
  std::uint8_t index_;
};

}  // namespace atlas::asgi
