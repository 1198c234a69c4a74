// Sessions in cookies, signed or encrypted.
#include <atlas/asgi/middleware/sessions.hpp>

#include <atlas/asgi/middleware/sealed_text.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/base64.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace atlas::sessions_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

const std::string key(32, 'k');
const std::string other_key(32, 'o');

TEST(Base64, IsReadStrictly) {
  EXPECT_EQ(decode_base64("YWxp"), "ali");
  EXPECT_EQ(decode_base64("YQ=="), "a");
  EXPECT_EQ(decode_base64(""), "");
  for (const char* text : {"YQ", "YQ=", "YR==", "Y Q=", "YWxp\n", "====", "YQ==YQ==", "-_-_"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(encode_base64url("\xff\xfe"), "__4");
  EXPECT_EQ(decode_base64url("__4"), "\xff\xfe");
  EXPECT_EQ(decode_base64url("//4"), std::nullopt);
}

class Sealing : public ::testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] Sealer sealer(std::vector<std::string> keys = {key},
                              std::string_view purpose = "test") const {
    return {keys, purpose, GetParam()};
  }
};

TEST_P(Sealing, IsOpenedByWhoHasTheKey) {
  const auto sealed = sealer().seal("text\n", 1000);
  EXPECT_EQ(sealer().open(sealed, 1000, 60s), "text\n");
  EXPECT_EQ(sealer({other_key, key}).open(sealed, 1000, 60s), "text\n") << "an older key";
  EXPECT_EQ(sealer({other_key}).open(sealed, 1000, 60s), std::nullopt);
  EXPECT_EQ(sealer({key}, "something else").open(sealed, 1000, 60s), std::nullopt);
  EXPECT_EQ(Sealer({key}, "test", !GetParam()).open(sealed, 1000, 60s), std::nullopt);
}

TEST_P(Sealing, BecomesTooOld) {
  const auto sealed = sealer().seal("text", 1000);
  EXPECT_EQ(sealer().open(sealed, 1060, 60s), "text");
  EXPECT_EQ(sealer().open(sealed, 1061, 60s), std::nullopt);
}

TEST_P(Sealing, EveryChangeIsNoticed) {
  const auto sealed = sealer().seal("text", 1000);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(sealer().open(changed, 1000, 60s), std::nullopt) << i;
    EXPECT_EQ(sealer().open(sealed.substr(0, i), 1000, 60s), std::nullopt) << i;
  }
  EXPECT_EQ(sealer().open(sealed + "A", 1000, 60s), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(SignedAndEncrypted, Sealing, ::testing::Bool());

TEST(SealedText, EncryptedTellsNothing) {
  const Sealer sealer({key}, "test", true);
  EXPECT_NE(sealer.seal("text", 1), sealer.seal("text", 1));
  EXPECT_EQ(decode_base64url(sealer.seal("text", 1))->find("text"), std::string::npos);
}

TEST(SealedText, ShortKeysAreRefused) {
  EXPECT_THROW(Sealer({std::string(31, 'k')}, "test", false), std::invalid_argument);
  EXPECT_THROW(Sealer({}, "test", false), std::invalid_argument);
}

Application counting(SessionOptions options) {
  Router routes;
  routes.get("/", [](Request& request) {
    const auto* count = session_of(request.scope()).find("count");
    return std::to_string(count != nullptr ? count->integer().value() : 0);
  });
  routes.post("/", [](Request& request) {
    auto& session = session_of(request.scope());
    const auto* count = session.find("count");
    session.set("count", (count != nullptr ? count->integer().value() : 0) + 1);
    return "counted";
  });
  routes.del("/", [](Request& request) {
    session_of(request.scope()).clear();
    return "forgotten";
  });
  routes.post("/big", [](Request& request) {
    session_of(request.scope()).set("big", std::string(5000, 'x'));
    return "big";
  });
  return with_middleware(routes, {sessions(std::move(options))});
}

TEST(Sessions, AreKeptByTheClient) {
  for (const bool encrypted : {false, true}) {
    TestClient client(counting({.keys = {key}, .encrypted = encrypted}));
    const auto first = client.get("/");
    EXPECT_EQ(first.body, "0");
    EXPECT_EQ(first.header("set-cookie"), std::nullopt) << "nothing was changed";
    EXPECT_EQ(first.header("vary"), "cookie");
    const auto set = client.post("/");
    EXPECT_NE(set.header("set-cookie")->find("; Max-Age=1209600; Path=/; Secure; HttpOnly; SameSite=Lax"),
              std::string::npos);
    static_cast<void>(client.post("/"));
    EXPECT_EQ(client.get("/").body, "2");
    EXPECT_NE(client.del("/").header("set-cookie")->find("session=; Max-Age=0"), std::string::npos);
    EXPECT_EQ(client.get("/").body, "0");
  }
}

TEST(Sessions, AForgedOneIsEmpty) {
  TestClient client(counting({.keys = {key}}));
  static_cast<void>(client.post("/"));
  client.cookies()[0].second[3] ^= 1;
  EXPECT_EQ(client.get("/").body, "0");
  client.cookies()[0].second = "junk";
  EXPECT_EQ(client.get("/").body, "0");
}

TEST(Sessions, SurviveAnotherKey) {
  TestClient before(counting({.keys = {key}}));
  static_cast<void>(before.post("/"));
  TestClient after(counting({.keys = {other_key, key}}));
  after.cookies() = before.cookies();
  EXPECT_EQ(after.get("/").body, "1");
}

TEST(Sessions, OneThatIsTooLargeIsAnError) {
  TestClient client(counting({.keys = {key}}));
  EXPECT_THROW(static_cast<void>(client.post("/big")), std::invalid_argument);
}

TEST(Sessions, OptionsThatNoBrowserWouldTakeAreRefused) {
  EXPECT_THROW(static_cast<void>(sessions({.keys = {"short"}})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(sessions({.keys = {key}, .cookie = "__Host-s", .path = "/x"})),
               std::invalid_argument);
}

TEST(Sessions, OutsideOfTheMiddlewareThereIsNone) {
  Router routes;
  routes.get("/", [](Request& request) { return session_of(request.scope()).empty() ? "empty" : "full"; });
  TestClient client(routes);
  EXPECT_THROW(static_cast<void>(client.get("/")), std::logic_error);
}

}  // namespace
}  // namespace atlas::sessions_test
