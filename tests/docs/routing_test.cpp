// The examples of docs/routing.md.
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/event_stream.hpp>
#include <atlas/asgi/toolkit/router.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/log.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace atlas::routing_test {
namespace {

asgi::Response show_user(asgi::Request& request) {
  return asgi::text(fmt::format("user {}\n", request.path<int>("id")));
}

asgi::Router make_routes() {
  asgi::Router routes;
  routes.get("/", [] { return "hello\n"; });
  routes.get("/users/{id:int}", show_user).name("user");
  routes.get("/files/{name}.txt", [](asgi::Request& request) { return std::string(request.path("name")); });
  routes.post("/users", [] { return 201; });
  return routes;
}

asgi::Response made(asgi::Request&) {
  return asgi::text("made\n", 201)
      .with("location", "/notes/7")
      .set_cookie({.name = "seen", .value = "1"})
      .afterwards([] { log::info("after the response"); });
}

asgi::Response count_down(asgi::Request& request) {
  return asgi::stream("text/plain", [from = request.query<int>("from", 3)](asgi::BodyWriter& body) {
    for (int i = from; i > 0; --i)
      body.write(fmt::format("{}\n", i));  // suspends while the client does not take it
  });
}

asgi::Response ticks(asgi::Request&) {
  return asgi::event_stream([](asgi::EventSink& events) {  // server-sent events
    for (int i = 0; i < 3; ++i) {
      events.send({.data = fmt::format("tick {}", i), .event = "tick"});
      this_fiber::sleep_for(std::chrono::seconds(1)).value();
    }
  });
}

asgi::Response rename(asgi::Request& request) {
  if (request.path<int>("id") == 1) throw asgi::HttpError(409, "nobody renames the first user");
  return asgi::no_content();
}

asgi::Router make_site(asgi::Middleware only_admins) {
  asgi::Router api;
  api.get("/users/{id:int}", show_user).name("user");

  asgi::Router site;
  site.mount("/api", api).name("api");         // any application: a router, StaticFiles, yours
  site.host("*.example.com", asgi::Router());  // by Host, whatever the path
  site.group("/admin", {only_admins}, [](asgi::Router& admin) {
    admin.get("/", [] { return "admin\n"; });  // /admin/, with the group's middleware around it
  });
  return site;
}

void add_slugs(asgi::Router& routes) {
  routes.converter("slug", [](std::string_view text) noexcept {
    return text.find_first_of(" .") == std::string_view::npos;
  });
  routes.get("/posts/{slug:slug}", [](asgi::Request& request) { return std::string(request.path("slug")); });
}

struct Settings {
  std::string greeting;
};
struct Cache {
  int hits = 0;  // of one worker: no lock
};
struct User {
  std::string name;
};

asgi::Router make_service() {
  asgi::Router routes;
  routes.per_process<Settings>([] { return Settings{"hello"}; });
  routes.per_worker<Cache>([](const asgi::Provided&) { return Cache{}; });
  routes.per_request<User>(
      [](asgi::Request& request) { return User{request.header<std::string>("x-user")}; });
  routes.get("/greet", [](asgi::Request& request) {
    ++request.get<Cache>().hits;
    return fmt::format("{}, {}\n", request.get<Settings>().greeting, request.get<User>().name);
  });
  return routes;
}

TEST(RoutingPage, RoutesAnswer) {
  asgi::TestClient client(make_routes());
  EXPECT_EQ(client.get("/").body, "hello\n");
  EXPECT_EQ(client.get("/users/7").body, "user 7\n");
  EXPECT_EQ(client.get("/files/a.txt").body, "a");
  EXPECT_EQ(client.post("/users").status, 201);
}

TEST(RoutingPage, ResponsesAreWhatTheySay) {
  asgi::Router routes;
  routes.post("/made", made);
  routes.get("/down", count_down);
  routes.get("/ticks", ticks);
  routes.put("/users/{id:int}", rename);
  add_slugs(routes);
  asgi::TestClient client(routes);
  EXPECT_EQ(client.post("/made").header("location"), "/notes/7");
  EXPECT_EQ(client.get("/down?from=2").body, "2\n1\n");
  EXPECT_EQ(client.get("/ticks").body.substr(0, 26), "event: tick\ndata: tick 0\n\n");
  EXPECT_EQ(client.put("/users/1").status, 409);
  EXPECT_EQ(client.put("/users/2").status, 204);
  EXPECT_EQ(client.get("/posts/a-b").body, "a-b");
  EXPECT_EQ(client.get("/posts/a.b").status, 404);
}

TEST(RoutingPage, PartsFitTogether) {
  const auto site = make_site([](asgi::Application inner) { return inner; });
  EXPECT_EQ(site.url("api:user", {{"id", "7"}}), "/api/users/7");
  asgi::TestClient client(site);
  EXPECT_EQ(client.get("/api/users/7").body, "user 7\n");
  EXPECT_EQ(client.get("/admin/").body, "admin\n");
  EXPECT_EQ(client.get("/", {.headers = {{"host", "a.example.com"}}}).status, 404);
}

TEST(RoutingPage, DependenciesAreThere) {
  asgi::TestClient client(make_service());
  EXPECT_EQ(client.get("/greet", {.headers = {{"x-user", "ada"}}}).body, "hello, ada\n");
}

}  // namespace
}  // namespace atlas::routing_test
