// Who answers what, as a client sees it.
#include <atlas/asgi/toolkit/router.hpp>

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/core/fiber.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace atlas::router_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

/// A handler that says which it is, and what it was given.
auto named(std::string name) {
  return [name](Request& request) {
    auto said = name;
    for (const auto& [parameter, value] : request.path_parameters())
      said.append(" ").append(parameter).append("=").append(value);
    return said;
  };
}

Application named_nothing() {
  return [](const Scope& scope, Receive&, Send&) { throw UnsupportedScope(scope); };
}

TEST(Router, EachMethodHasItsHandler) {
  Router routes;
  routes.get("/a", named("get"));
  routes.post("/a", named("post"));
  routes.put("/a", named("put"));
  routes.patch("/a", named("patch"));
  routes.del("/a", named("delete"));
  routes.route({"PROPFIND", "REPORT"}, "/a", named("webdav"));
  TestClient client(routes);
  EXPECT_EQ(client.get("/a").body, "get");
  EXPECT_EQ(client.post("/a").body, "post");
  EXPECT_EQ(client.put("/a").body, "put");
  EXPECT_EQ(client.patch("/a").body, "patch");
  EXPECT_EQ(client.del("/a").body, "delete");
  EXPECT_EQ(client.request("REPORT", "/a").body, "webdav");
}

TEST(Router, ParametersReachTheHandler) {
  Router routes;
  routes.get("/users/{id:int}/files/{name}.json", named("file"));
  TestClient client(routes);
  EXPECT_EQ(client.get("/users/7/files/caf%C3%A9.json").body, "file id=7 name=caf\xc3\xa9");
  EXPECT_EQ(client.get("/users/x/files/a.json").status, 404);
  EXPECT_EQ(client.get("/users/7/files/.json").status, 404);
}

TEST(Router, TheParticularGoesBeforeTheGeneral) {
  Router routes;
  routes.get("/{rest:path}", named("rest"));
  routes.get("/{name}", named("name"));
  routes.get("/{id:int}", named("id"));
  routes.get("/v{version}", named("version"));
  routes.get("/me", named("me"));
  TestClient client(routes);
  EXPECT_EQ(client.get("/me").body, "me");
  EXPECT_EQ(client.get("/7").body, "id id=7");
  EXPECT_EQ(client.get("/v2").body, "version version=2");
  EXPECT_EQ(client.get("/you").body, "name name=you");
  EXPECT_EQ(client.get("/you/too").body, "rest rest=you/too");
  EXPECT_EQ(client.get("/").body, "rest rest=");
}

TEST(Router, APatternWithoutTheMethodDoesNotHideOneThatHasIt) {
  Router routes;
  routes.post("/users/me", named("change me"));
  routes.get("/users/{id}", named("user"));
  TestClient client(routes);
  EXPECT_EQ(client.get("/users/me").body, "user id=me");
  EXPECT_EQ(client.post("/users/me").body, "change me");
}

TEST(Router, GetAnswersHead) {
  Router routes;
  routes.get("/a", named("hello"));
  routes.get("/b", named("get"));
  routes.head("/b", [] { return text("").with("x-own", "yes"); });
  TestClient client(routes);
  const auto response = client.head("/a");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("content-length"), "5");
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(client.head("/b").header("x-own"), "yes");
}

TEST(Router, OtherMethodsAreNamed) {
  Router routes;
  routes.get("/users/{id}", named("user"));
  routes.post("/users/me", named("me"));
  TestClient client(routes);
  const auto refused = client.del("/users/me");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(refused.header("content-type"), "application/problem+json");
  const auto asked = client.options("/users/7");
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.header("allow"), "GET, HEAD, OPTIONS");
}

TEST(Router, OptionsMayHaveAHandler) {
  Router routes;
  routes.get("/a", named("a"));
  routes.options("/a", named("options"));
  TestClient client(routes);
  EXPECT_EQ(client.options("/a").body, "options");
}

TEST(Router, NothingIsThereForOtherPaths) {
  Router routes;
  routes.get("/a", named("a"));
  TestClient client(routes);
  for (const char* path : {"/", "/b", "/a/b", "/A", "//a", "/./a", "/a//", "/%61/%2e"}) {
    EXPECT_EQ(client.get(path).status, 404) << path;
  }
  EXPECT_EQ(client.get("/%61").body, "a");
}

TEST(Router, ManyAlikeAreToldApart) {
  Router routes;
  const auto path = [](int i) { return "/segment-" + std::to_string(i) + "-settings"; };
  for (int i = 0; i < 500; ++i) routes.get(path(i), [i] { return std::to_string(i); });
  TestClient client(routes);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(client.get(path(i)).body, std::to_string(i));
  for (const auto* other :
       {"/segment-500-settings", "/segment-", "/segment-1-setting", "/", "/segment-1-settings1"})
    EXPECT_EQ(client.get(other).status, 404) << other;
}

TEST(Router, LongPathsCostNoMoreThanTheirLength) {
  Router routes;
  routes.get("/{a}/{b}/{c}/x", named("deep"));
  routes.get("/{a}/{b}/x", named("shallow"));
  TestClient client(routes, {.server = {.limits = {.request_line_bytes_max = 100'000}}});
  std::string path;
  for (int i = 0; i < 20'000; ++i) path += "/x";
  EXPECT_EQ(client.get(path).status, 404);
  EXPECT_EQ(client.get("/" + std::string(60'000, 'x')).status, 404);
}

TEST(Router, ASlashAtTheEndIsRedirected) {
  Router routes;
  routes.get("/a", named("a"));
  routes.get("/b/", named("b"));
  routes.post("/c d/{id}", named("c"));
  TestClient client(routes);
  const auto without = client.get("/a/?x=1&y=%20");
  EXPECT_EQ(without.status, 308);
  EXPECT_EQ(without.header("location"), "/a?x=1&y=%20");
  EXPECT_EQ(client.get("/b").header("location"), "/b/");
  EXPECT_EQ(client.post("/c%20d/%3F/").header("location"), "/c%20d/%3F");
}

TEST(Router, ARedirectNeverNamesAnotherHost) {
  Router routes;
  routes.get("/{a}/{b}/{c}", named("a"));
  routes.get("/{rest:path}", named("rest"));
  TestClient client(routes);
  EXPECT_EQ(client.get("//evil.example/x/").body, "rest rest=/evil.example/x/");
  Router narrow;
  narrow.get("/{a}/{b}/{c}", named("a"));
  TestClient other(narrow);
  EXPECT_EQ(other.get("//evil.example/x/").status, 404);
}

TEST(Router, RedirectsCanBeOff) {
  Router routes({.redirect_slashes = false});
  routes.get("/a", named("a"));
  TestClient client(routes);
  EXPECT_EQ(client.get("/a/").status, 404);
}

struct Shop {
  std::string show(Request& request) { return "item " + std::string(request.path("id")); }
  [[nodiscard]] std::string list() const { return "items"; }
};

TEST(Router, MemberFunctionsAreHandlers) {
  Shop shop;
  Router routes;
  routes.get("/items/{id}", &Shop::show, shop);
  routes.get("/items", &Shop::list, shop);
  TestClient client(routes);
  EXPECT_EQ(client.get("/items/3").body, "item 3");
  EXPECT_EQ(client.get("/items").body, "items");
}

TEST(Router, ErrorsOfHandlersBecomeProblems) {
  Router routes;
  routes.get("/a/{id}", [](Request& request) { return std::to_string(request.path<int>("id")); });
  routes.get("/b", [](Request&) -> Response { throw HttpError(409, "somebody was faster"); });
  routes.get("/c", [](Request&) -> Response { throw std::domain_error("broken"); });
  TestClient client(routes);
  const auto invalid = client.get("/a/x");
  EXPECT_EQ(invalid.status, 422);
  EXPECT_NE(invalid.body.find(R"("field":"path.id","message":"is not a whole number in range")"),
            std::string::npos);
  EXPECT_EQ(client.get("/b").status, 409);
  EXPECT_THROW(static_cast<void>(client.get("/c")), std::domain_error);
}

TEST(Router, AMountIsRootForWhatIsBeneath) {
  const auto inner = [](const Scope& scope, Receive&, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    send(HttpResponseStart{});
    send(HttpResponseBody{.body = std::string(scope.root_path) + " " + std::string(scope.path)});
  };
  Router routes;
  routes.mount("/static", inner);
  routes.get("/static/special", named("special"));
  TestClient client(routes);
  EXPECT_EQ(client.get("/static/a/b%20c").body, "/static /static/a/b c");
  EXPECT_EQ(client.post("/static/").body, "/static /static/");
  EXPECT_EQ(client.get("/static").header("location"), "/static/");
  EXPECT_EQ(client.get("/static/special").body, "special");
  EXPECT_EQ(client.get("/statics").status, 404);
}

TEST(Router, RoutersMountInRouters) {
  Router inner;
  inner.get("/", named("home"));
  inner.get("/users/{id}", named("user")).name("user");
  Router routes;
  routes.mount("/api/v1", inner).name("api");
  TestClient client(routes, {.server = {.root_path = "/shop"}});
  EXPECT_EQ(client.get("/api/v1/users/7").body, "user id=7");
  EXPECT_EQ(client.get("/api/v1/").body, "home");
  EXPECT_EQ(client.get("/api/v1/users/7/").header("location"), "/shop/api/v1/users/7");
  EXPECT_EQ(routes.url("api:user", {{"id", "a b"}}), "/api/v1/users/a%20b");
}

TEST(Router, AMountAtTheRootTakesWhatNobodyElseDoes) {
  for (const auto* prefix : {"/", ""}) {
    Router inner;
    inner.get("/deep/{rest:path}", [](Request& request) {
      return "inner " + std::string(request.scope().root_path) + " " + request.path<std::string>("rest");
    });
    Router routes;
    routes.get("/own", [] { return "own"; });
    routes.mount(prefix, inner).name("inner");
    TestClient client(routes);
    EXPECT_EQ(client.get("/own").body, "own");
    EXPECT_EQ(client.get("/deep/a/b").body, "inner  a/b");
    EXPECT_EQ(client.get("/other").status, 404);
    EXPECT_EQ(routes.url("inner"), "/");
  }
}

TEST(Router, ASlashAtAMountsEndMakesNoDifference) {
  Router inner;
  inner.get("/a", [](Request& request) { return std::string(request.scope().root_path); });
  Router routes;
  routes.mount("/inner/", inner);
  EXPECT_EQ(TestClient(routes).get("/inner/a").body, "/inner");
}

TEST(Router, HostsGoBeforePaths) {
  Router api;
  api.get("/", named("api"));
  Router tenants;
  tenants.get("/", named("tenant"));
  Router routes;
  routes.get("/", named("main"));
  routes.host("api.example.com", api);
  routes.host("*.example.com", tenants);
  TestClient client(routes);
  const auto ask = [&](std::string host) {
    return client.get("/", {.headers = {{"host", std::move(host)}}}).body;
  };
  EXPECT_EQ(ask("API.Example.com:8080"), "api");
  EXPECT_EQ(ask("blue.example.com"), "tenant");
  EXPECT_EQ(ask("example.com"), "main");
  EXPECT_EQ(ask("evil-example.com"), "main");
  EXPECT_EQ(ask("[::1]:80"), "main");
}

/// A middleware that puts a letter around what is inside.
Middleware around(std::string letter) {
  return [letter](Application inner) -> Application {
    return [letter, inner](const Scope& scope, Receive& receive, Send& send) {
      if (scope.type != ScopeType::http) return inner(scope, receive, send);
      struct Adding final : Send {
        Adding(Send& to, std::string what) : outer(to), letter(std::move(what)) {}
        void handle(MessageRef message) override {
          const auto* start = message.get_if<HttpResponseStart>();
          if (start == nullptr) return outer(message);
          auto changed = *start;
          changed.headers.add("x-layer", letter);
          outer(changed);
        }
        Send& outer;
        std::string letter;
      } adding(send, letter);
      inner(scope, receive, adding);
    };
  };
}

std::string layers_of(const TestResponse& response) {
  std::string letters;
  for (const auto& [name, value] : response.headers) {
    if (name == "x-layer") letters += value;
  }
  return letters;
}

TEST(Router, GroupsHaveTheirOwnMiddleware) {
  Router routes;
  routes.get("/open", named("open"));
  routes.group("/admin", {around("a"), around("b")}, [](Router& admin) {
    admin.get("/{id}", named("admin"));
    admin.group("", {around("c")}, [](Router& inner) { inner.post("/", named("inner")); });
  });
  TestClient client(routes);
  EXPECT_EQ(layers_of(client.get("/open")), "");
  const auto response = client.get("/admin/7");
  EXPECT_EQ(response.body, "admin id=7");
  EXPECT_EQ(layers_of(response), "ba");
  EXPECT_EQ(layers_of(client.post("/admin/")), "cba");
}

TEST(Router, MiddlewareOfTheRouterIsAroundAllAnswers) {
  Router routes;
  routes.use({around("x")});
  routes.get("/a", named("a"));
  TestClient client(routes);
  EXPECT_EQ(layers_of(client.get("/a")), "x");
  EXPECT_EQ(layers_of(client.get("/nothing")), "x");
}

TEST(Router, NamesBecomePaths) {
  Router routes;
  routes.get("/users/{id:int}/{file:path}", named("file")).name("file");
  EXPECT_EQ(routes.url("file", {{"id", "7"}, {"file", "a/b c?"}}), "/users/7/a/b%20c%3F");
  EXPECT_THROW(static_cast<void>(routes.url("other")), std::out_of_range);
  EXPECT_THROW(static_cast<void>(routes.url("file", {{"id", "7"}})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(routes.url("file", {{"id", "x"}, {"file", ""}})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(routes.url("file", {{"id", "7"}, {"file", ""}, {"more", ""}})),
               std::invalid_argument);
}

TEST(Router, ConvertersOfTheUsersDecide) {
  Router routes;
  routes.converter(
      "slug", [](std::string_view text) noexcept { return text.find_first_of("ABC") == std::string::npos; });
  routes.get("/{name:slug}", named("slug"));
  TestClient client(routes);
  EXPECT_EQ(client.get("/abc").body, "slug name=abc");
  EXPECT_EQ(client.get("/ABC").status, 404);
}

std::string refusal(const Router& routes) {
  try {
    TestClient client(routes);
  } catch (const std::runtime_error& error) {
    return std::string(error.what())
        .substr(std::string("the application could not start: lifespan.startup.failed: ").size());
  }
  return "none";
}

TEST(Router, ConflictsEndTheStartAndNameBoth) {
  Router routes;
  routes.get("/users/{id}", named("a"));
  routes.get("/users/{name}", named("b"));
  EXPECT_EQ(refusal(routes), "route 'GET /users/{name}' matches the same requests as 'GET /users/{id}'");
  Router mounts;
  mounts.mount("/a", named_nothing());
  mounts.mount("/a", named_nothing());
  EXPECT_EQ(refusal(mounts),
            "route '/a/{path_below:path}' matches the same requests as '/a/{path_below:path}'");
  Router names;
  names.get("/a", named("a")).name("x");
  names.get("/b", named("b")).name("x");
  EXPECT_EQ(refusal(names), "two routes are named 'x': '/a' and '/b'");
}

TEST(Router, BadPatternsEndTheStart) {
  Router routes;
  routes.get("users", named("a"));
  EXPECT_EQ(refusal(routes), "route 'users' does not begin with a slash");
}

TEST(Router, OtherMethodsOfAPatternAreNoConflict) {
  Router routes;
  routes.get("/users/{id}", named("a"));
  routes.post("/users/{name}", named("b"));
  routes.get("/users/{id:int}", named("c"));
  routes.websocket("/users/{id}", named_nothing());
  TestClient client(routes);
  EXPECT_EQ(client.post("/users/x").body, "b name=x");
  EXPECT_EQ(client.get("/users/x").body, "a id=x");
}

TEST(Router, WithoutLifespanAFaultIsThrown) {
  Router routes;
  routes.get("x", named("x"));
  TestClient client([&](const Scope& scope, Receive& receive, Send& send) {
    if (scope.type != ScopeType::http) throw UnsupportedScope(scope);
    routes(scope, receive, send);
  });
  EXPECT_THROW(static_cast<void>(client.get("/")), std::logic_error);
}

TEST(Router, ItCannotBeChangedOnceItHasStarted) {
  Router routes;
  TestClient client(routes);
  EXPECT_THROW(routes.get("/late", named("late")), std::logic_error);
}

// ---- lifespan ----

struct Noted {
  std::vector<std::string>& events;
  std::string name;
  Noted(std::vector<std::string>& all, std::string own) : events(all), name(std::move(own)) {
    events.push_back("+" + name);
  }
  ~Noted() { events.push_back("-" + name); }
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;
};
struct Database : Noted {
  using Noted::Noted;
};
struct Cache : Noted {
  Cache(std::vector<std::string>& all, const Database& database) : Noted(all, "cache of " + database.name) {}
};
struct User : Noted {
  using Noted::Noted;
};

TEST(Router, DependenciesLiveAsLongAsTheirScope) {
  std::vector<std::string> events;
  Router routes;
  routes.per_process<Database>([&] { return Database(events, "db"); });
  routes.per_worker<Cache>([&](const Provided& given) { return Cache(events, given.get<Database>()); });
  routes.per_request<User>(
      [&](Request& request) { return User(events, std::string(request.header("x-user"))); });
  routes.get("/", [](Request& request) {
    return request.get<User>().name + " " + request.get<User>().name + " " + request.get<Cache>().name + " " +
           request.get<Database>().name;
  });
  routes.get("/plain", named("plain"));
  {
    TestClient client(routes);
    EXPECT_EQ(events, (std::vector<std::string>{"+db", "+cache of db"}));
    EXPECT_EQ(client.get("/", {.headers = {{"x-user", "ada"}}}).body, "ada ada cache of db db");
    EXPECT_EQ(client.get("/").status, 422);
    static_cast<void>(client.get("/plain"));
  }
  EXPECT_EQ(events, (std::vector<std::string>{"+db", "+cache of db", "+ada", "-ada", "-cache of db", "-db"}));
}

TEST(Router, ADependencyThatCannotBeMadeEndsTheStart) {
  Router routes;
  routes.per_process<std::string>([]() -> std::string { throw std::runtime_error("no such file"); });
  EXPECT_NE(refusal(routes).find("could not be made: no such file"), std::string::npos);
  Router twice;
  twice.per_process<int>([] { return 1; });
  twice.per_worker<int>([] { return 2; });
  EXPECT_NE(refusal(twice).find("int is provided twice"), std::string::npos);
}

TEST(Router, ADependencyThatNobodyProvidesIsNamed) {
  Router routes;
  routes.per_request<long>([](Request& request) { return request.get<long>(); });
  routes.get("/unknown", [](Request& request) { return std::to_string(request.get<int>()); });
  routes.get("/circle", [](Request& request) { return std::to_string(request.get<long>()); });
  TestClient client(routes);
  try {
    static_cast<void>(client.get("/unknown"));
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("nothing provides int"), std::string::npos) << error.what();
  }
  EXPECT_THROW(static_cast<void>(client.get("/circle")), std::logic_error);
}

TEST(Router, LifespansOfMountsLieWithinItsOwn) {
  std::vector<std::string> events;
  Router inner;
  inner.per_worker<Cache>([&](const Provided& given) { return Cache(events, given.get<Database>()); });
  inner.get("/", [](Request& request) { return request.get<Cache>().name; });
  Router routes;
  routes.per_process<Database>([&] { return Database(events, "db"); });
  routes.mount("/inner", inner);
  {
    TestClient client(routes);
    EXPECT_EQ(client.get("/inner/").body, "cache of db");
  }
  EXPECT_EQ(events, (std::vector<std::string>{"+db", "+cache of db", "-cache of db", "-db"}));
}

TEST(Router, AMountThatCannotStartEndsTheStart) {
  Router inner;
  inner.get("bad", named("bad"));
  Router routes;
  routes.mount("/inner", inner);
  EXPECT_NE(refusal(routes).find("route 'bad' does not begin with a slash"), std::string::npos);
}

// ---- what comes afterwards ----

TEST(Router, WorkInTheBackgroundBeginsBehindTheResponse) {
  std::vector<std::string> events;
  Router routes;
  routes.get("/", [&] {
    return text("done").afterwards([&] {
      static_cast<void>(this_fiber::sleep_for(5s));
      events.push_back("mailed");
    });
  });
  {
    TestClient client(routes);
    EXPECT_EQ(client.get("/").body, "done");
    EXPECT_TRUE(events.empty());
    client.advance(5s);
    EXPECT_EQ(events.size(), 1U);
    EXPECT_EQ(client.get("/").body, "done");
  }
  EXPECT_EQ(events.size(), 2U) << "the drain waits for it";
}

TEST(Router, WorkInTheBackgroundThatThrowsHarmsNobody) {
  bool ran = false;
  Router routes;
  routes.get("/", [&] {
    return text("done").afterwards([] { throw std::runtime_error("no mail today"); }).afterwards([&] {
      ran = true;
    });
  });
  TestClient client(routes);
  EXPECT_EQ(client.get("/").body, "done");
  EXPECT_TRUE(ran);
}

TEST(Router, WorkThatTakesTooLongIsCancelledByTheDrain) {
  bool cancelled = false;
  Router routes({.background_patience = 10s});
  routes.get("/", [&] { return text("done").afterwards([&] { cancelled = !this_fiber::sleep_for(1h); }); });
  {
    TestClient client(routes);
    static_cast<void>(client.get("/"));
  }
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace atlas::router_test
