#include <atlas/asgi/application.hpp>
#include <atlas/asgi/messages.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace atlas::asgi {
namespace {

TEST(MessageRef, NamesMessagesAsAsgiDoes) {
  EXPECT_EQ(MessageRef(HttpResponseStart{}).type(), "http.response.start");
  EXPECT_EQ(MessageRef(HttpResponseBody{}).type(), "http.response.body");
  EXPECT_EQ(MessageRef(HttpResponseTrailers{}).type(), "http.response.trailers");
  EXPECT_EQ(MessageRef(HttpResponseEarlyHint{}).type(), "http.response.early_hint");
  EXPECT_EQ(MessageRef(HttpResponsePush{}).type(), "http.response.push");
  EXPECT_EQ(MessageRef(LifespanStartupComplete{}).type(), "lifespan.startup.complete");
  EXPECT_EQ(MessageRef(LifespanStartupFailed{}).type(), "lifespan.startup.failed");
  EXPECT_EQ(MessageRef(LifespanShutdownComplete{}).type(), "lifespan.shutdown.complete");
  EXPECT_EQ(MessageRef(LifespanShutdownFailed{}).type(), "lifespan.shutdown.failed");
  const OpenMessage open{.type = "my.message"};
  EXPECT_EQ(MessageRef(open).type(), "my.message");
}

TEST(MessageRef, RefersAndDoesNotCopy) {
  const HttpResponseBody body{.body = "text"};
  const MessageRef message(body);
  EXPECT_EQ(message.get_if<HttpResponseBody>(), &body);
  EXPECT_EQ(message.get_if<HttpResponseStart>(), nullptr);
}

TEST(Application, CopiesShareTheObject) {
  int calls = 0;
  struct Counting {
    int& calls;
    std::unique_ptr<int> not_copyable = {};
    void operator()(const Scope&, Receive&, Send&) const { ++calls; }
  };
  struct NoReceive final : Receive {
    ReceivedMessage next() override { return HttpDisconnect{}; }
  } receive;
  struct NoSend final : Send {
    void handle(MessageRef) override {}
  } send;
  const Application application(Counting{.calls = calls});
  const Application copy = application;
  application({}, receive, send);
  copy({}, receive, send);
  EXPECT_EQ(calls, 2);
}

TEST(Application, ErrorsSayWhatWentWrong) {
  EXPECT_STREQ(UnsupportedScope(Scope{.type = ScopeType::lifespan}).what(),
               "this application does not serve scopes of type lifespan");
  const Disconnected gone(std::make_error_code(std::errc::connection_reset));
  EXPECT_EQ(gone.code(), std::errc::connection_reset);
  EXPECT_EQ(std::string(gone.what()).substr(0, 18), "the client is gone");
}

}  // namespace
}  // namespace atlas::asgi
