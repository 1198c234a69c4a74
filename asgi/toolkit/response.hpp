// What a handler returns: a status, headers, and a body of text or one that is made while it is sent. A
// value, which is moved; nothing happens before it is sent.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/toolkit/cookies.hpp>
#include <atlas/core/unique_function.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace atlas::asgi {

/// A body of text: a literal is referred to, everything else is copied or moved in.
class BodyText {
 public:
  BodyText() noexcept = default;
  template <std::size_t n>
  BodyText(const char (&literal)[n]) noexcept : literal_(literal) {}
  BodyText(std::string text) noexcept : owned_(std::move(text)) {}
  BodyText(std::string_view text) : owned_(text) {}
  template <class Text>
  requires std::same_as<Text, const char*> BodyText(Text text) : owned_(text) {}

  [[nodiscard]] std::string_view view() const noexcept { return literal_.empty() ? owned_ : literal_; }

 private:
  std::string_view literal_;
  std::string owned_;
};

/// Where the body of a stream goes.
class BodyWriter {
 public:
  explicit BodyWriter(Send& send) : send_(send) {}

  /// **Suspends** while the client does not take the bytes. Throws Disconnected once the client is gone.
  void write(std::string_view bytes) { send_(HttpResponseBody{.body = bytes, .more_body = true}); }

 private:
  Send& send_;
};

/// A body that is more than text. Implemented by file(), stream() and event_stream(), and by whoever needs
/// another.
class ResponseBody {
 public:
  virtual ~ResponseBody() = default;
  ResponseBody() = default;
  ResponseBody(const ResponseBody&) = delete;
  ResponseBody& operator=(const ResponseBody&) = delete;

  /// **Suspends**. Sends the whole response, beginning with `start`, which it may complete before.
  virtual void send(HttpResponseStart& start, const Scope& scope, Send& send) = 0;
};

/// Its `status` and `headers` are those of the message that begins it.
class Response : public HttpResponseStart {
 public:
  explicit Response(int status_code = 200) noexcept : HttpResponseStart{.status = status_code} {}
  Response(int status_code, BodyText body) noexcept
      : HttpResponseStart{.status = status_code}, text_(std::move(body)) {}
  Response(int status_code, BodyText body, Headers fields)
      : HttpResponseStart{.status = status_code, .headers = std::move(fields)}, text_(std::move(body)) {}
  Response(int status_code, std::unique_ptr<ResponseBody> body, Headers fields = {})
      : HttpResponseStart{.status = status_code, .headers = std::move(fields)}, body_(std::move(body)) {}

  /// Adds a field, and gives the response back: `return text("made", 201).with("location", url);`
  Response& with(const HeaderText& name, const HeaderText& value) & {
    headers.add(name, value);
    return *this;
  }
  Response&& with(const HeaderText& name, const HeaderText& value) && {
    headers.add(name, value);
    return std::move(*this);
  }

  /// Adds a `set-cookie`. Throws as to_text(Cookie) does.
  Response& set_cookie(const Cookie& cookie) & { return with("set-cookie", to_text(cookie)); }
  Response&& set_cookie(const Cookie& cookie) && { return std::move(with("set-cookie", to_text(cookie))); }

  /// Work that begins when the response is complete, also when the client has not taken it; what it throws is
  /// logged. It runs on a fiber of its own: it may not use the request. The server's drain waits for it.
  Response& afterwards(UniqueFunction work) & {
    background_.push_back(std::move(work));
    return *this;
  }
  Response&& afterwards(UniqueFunction work) && { return std::move(afterwards(std::move(work))); }

  /// **Suspends** while the client takes it. Once only: the body is gone then. Throws as Send does. What
  /// comes afterwards is the caller's to run.
  void send(const Scope& scope, Send& send);
  [[nodiscard]] std::vector<UniqueFunction> take_background() noexcept {
    return std::exchange(background_, {});
  }

  /// The body, when it is text; empty for any other.
  [[nodiscard]] std::string_view body_text() const noexcept { return text_.view(); }
  [[nodiscard]] bool is_text() const noexcept { return body_ == nullptr; }

 private:
  BodyText text_;
  std::unique_ptr<ResponseBody> body_;
  std::vector<UniqueFunction> background_;
};

/// "text/plain; charset=utf-8".
[[nodiscard]] Response text(BodyText body, int status = 200);
/// "text/html; charset=utf-8".
[[nodiscard]] Response html(BodyText body, int status = 200);
/// Of any media type.
[[nodiscard]] Response content(const HeaderText& media_type, BodyText body, int status = 200);
/// 204.
[[nodiscard]] Response no_content();
/// To `location`, a URL or an absolute path. 303 has the client GET it, 307 and 308 have it repeat the
/// request. Throws std::invalid_argument for a location with control characters.
[[nodiscard]] Response redirect(std::string_view location, int status = 303);

namespace detail {
template <class Function>
class StreamBody final : public ResponseBody {
 public:
  explicit StreamBody(Function&& function) : function_(std::move(function)) {}
  void send(HttpResponseStart& start, const Scope& scope, Send& send) override {
    send(start);
    if (scope.method != "HEAD") {
      BodyWriter writer(send);
      function_(writer);
    }
    send(HttpResponseBody{});
  }

 private:
  Function function_;
};
}  // namespace detail

/// A body that `write(BodyWriter&)` writes while it is sent, on the request's fiber: what it refers to must
/// live until then. It is not called for HEAD. When it throws, the client sees that the body is not complete.
template <class Function>
[[nodiscard]] Response stream(const HeaderText& media_type, Function write, int status = 200) {
  return Response(status, std::make_unique<detail::StreamBody<Function>>(std::move(write)),
                  {{"content-type", media_type}});
}

/// What handlers may return in place of a Response becomes one by an overload of to_response, which is looked
/// for beside the type, too.
[[nodiscard]] inline Response to_response(Response response) { return response; }
/// As text().
[[nodiscard]] Response to_response(std::string body);
[[nodiscard]] Response to_response(std::string_view body);
[[nodiscard]] Response to_response(const char* body);
/// A status alone; its phrase is the body where there may be one. Throws std::invalid_argument when it is
/// none.
template <class Status>
requires std::same_as<Status, int>
[[nodiscard]] Response to_response(Status status);
template <>
[[nodiscard]] Response to_response<int>(int status);

}  // namespace atlas::asgi
