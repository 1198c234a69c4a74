// What a browser is the judge of: a headless Chromium asks a server of this process, and its page tells what
// it has found.
#include "support/process.hpp"
#include "support/temporary_folder.hpp"

#include <atlas/asgi/middleware/compression.hpp>
#include <atlas/asgi/middleware/cors.hpp>
#include <atlas/asgi/middleware/error_pages.hpp>
#include <atlas/asgi/middleware/etag.hpp>
#include <atlas/asgi/middleware/security_headers.hpp>
#include <atlas/asgi/middleware/sessions.hpp>
#include <atlas/asgi/server.hpp>
#include <atlas/asgi/static_files.hpp>
#include <atlas/asgi/toolkit/cookies.hpp>
#include <atlas/asgi/toolkit/event_stream.hpp>
#include <atlas/asgi/toolkit/file_response.hpp>
#include <atlas/asgi/toolkit/form.hpp>
#include <atlas/asgi/toolkit/router.hpp>
#include <atlas/asgi/toolkit/url_text.hpp>
#include <atlas/core/event.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>

namespace atlas::browser_test {
namespace {

using namespace asgi;
using namespace std::chrono_literals;

constexpr char page[] =
    "<!doctype html><title>Atlas</title><body><script>window.inlineRan = true</script>"
    "<script src=\"/report.js\"></script><script src=\"/{}.js\"></script>";

/// Where a page's script posts what it has found.
class Findings {
 public:
  void add_routes(Router& routes, std::string script) {
    routes.get("/page", [script = std::move(script)] { return html(fmt::format(page, script)); });
    routes.post("/result", [this](Request& request) {
      found_.set_value(std::string(request.body()));
      return 204;
    });
    routes.mount("/", StaticFiles(ATLAS_SOURCE_DIR "/tests/browser"));
  }

  /// Has a browser open the page; a line "name: outcome" for each check.
  [[nodiscard]] std::string of(const std::string& url) {
    const testing::TemporaryFolder profile;
    testing::Process browser(
        {"/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-background-networking", "--no-first-run", "--user-data-dir=" + profile.path(), url},
        {"HOME=" + profile.path()});
    auto found = found_.get_future();
    const bool told = found.wait_for(50s) == std::future_status::ready;
    browser.signal(SIGTERM);
    static_cast<void>(browser.wait());
    if (!told) throw std::runtime_error("the page does not tell: " + browser.err().rest());
    return found.get();
  }

 private:
  std::promise<std::string> found_;
};

ServerOptions on_any_port() {
  ServerOptions options;
  options.port = 0;
  options.workers = 2;
  return options;
}

/// A server of this test.
class Serving {
 public:
  explicit Serving(Application application)
      : server_(std::move(application), on_any_port(), log::SinkOptions{.target = "/dev/null"}) {
    server_.start();
  }
  [[nodiscard]] std::string origin() const { return fmt::format("http://localhost:{}", server_.port()); }

 private:
  Server server_;
};

void expect_all_ok(const std::string& findings, std::size_t count) {
  std::size_t ok = 0;
  for (std::size_t at = 0; at < findings.size();) {
    const auto line = findings.substr(at, findings.find('\n', at) - at);
    at += line.size() + 1;
    EXPECT_TRUE(line.ends_with(": ok")) << line;
    ok += line.ends_with(": ok") ? 1U : 0U;
  }
  EXPECT_EQ(ok, count);
}

void add_streams(Router& routes, Event& released) {
  routes.get("/long-text", [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "all work and no play\n";
    return text;
  });
  routes.get("/stream", [&] {
    return stream("text/plain", [&](BodyWriter& writer) {
      writer.write("first ");
      released.wait(Deadline::after(20s)).value();
      writer.write("second");
    });
  });
  routes.post("/release", [&] {
    released.set();
    return 204;
  });
  routes.get("/events", [](Request& request) {
    const auto last = std::string(request.headers().find("last-event-id").value_or(""));
    return event_stream([last](EventSink& sink) {
      if (last.empty()) {
        sink.send("two\nlines");
        sink.send({.data = "first", .event = "tick", .id = "7", .retry = 10ms});
      } else {
        sink.send({.data = "after " + last, .event = "tick", .id = "8"});
      }
    });
  });
}

void add_cookies(Router& routes) {
  const auto sent = [](Request& request) {
    std::string names;
    for (const auto* name : {"seen", "hidden", "beneath"}) {
      if (request.cookie(name, std::nullopt)) names += fmt::format("{}{}", names.empty() ? "" : " ", name);
    }
    return names;
  };
  routes.get("/cookies", sent);
  routes.get("/cookies/beneath", sent);
  routes.post("/cookies", [] {
    return no_content()
        .set_cookie({.name = "seen", .value = "1", .http_only = false})
        .set_cookie({.name = "hidden", .value = "1", .max_age = 60s, .same_site = SameSite::strict})
        .set_cookie({.name = "beneath", .value = "1", .path = "/cookies/beneath"});
  });
  routes.del("/cookies", [] { return no_content().set_cookie(forgotten_cookie("seen")); });
  routes.post("/session", [](Request& request) {
    auto& session = session_of(request.scope());
    const auto* before = session.find("count");
    const auto count = before == nullptr ? 1 : *before->integer() + 1;
    session.set("count", count);
    return std::to_string(count);
  });
}

void add_forms(Router& routes) {
  routes.post("/form", [](Request& request) {
    const auto form = read_form(request);
    const auto* file = form.file("file");
    if (file == nullptr) return std::string("no file");
    const auto content = file->content().value();
    const auto sum = std::accumulate(content.begin(), content.end(), 0);
    return fmt::format("{}|{}|{}|{}|{}", form.get("title"), file->file_name(), file->content_type(),
                       file->size(), sum);
  });
  routes.post("/pairs", [](Request& request) {
    const auto form = read_form(request);
    return fmt::format("{}|{}", form.get("a"), form.get("b"));
  });
  routes.get("/hello/{name}", [](Request& request) {
    return fmt::format("{}|{}|{}", request.path<std::string>("name"), request.query("from"),
                       request.query("to"));
  });
}

TEST(Browser, SeesWhatItShouldOfItsOwnOrigin) {
  Event released;
  std::atomic<int> asked_again = 0;
  Findings findings;
  Router routes;
  add_streams(routes, released);
  add_cookies(routes);
  add_forms(routes);
  routes.get("/known", [&](Request& request) {
    if (request.headers().contains("if-none-match")) ++asked_again;
    return "known by its hash";
  });
  routes.get("/known/count", [&] { return std::to_string(asked_again.load()); });
  const auto where = [](Request& request) { return fmt::format("{} {}", request.method(), request.path()); };
  routes.get("/new", where);
  routes.post("/new", where);
  routes.post("/old", [] { return redirect("/new"); });
  routes.post("/old-kept", [] { return redirect("/new", 307); });
  routes.get("/throws", []() -> Response { throw std::runtime_error("as it should"); });
  routes.get("/file", [] {
    return file(ATLAS_SOURCE_DIR "/tests/browser/report.js", {.media_type = "application/octet-stream"});
  });
  routes.get("/text", [] { return "window.ran = true"; });
  routes.get("/framed", [] { return html("<p>framed"); });
  findings.add_routes(routes, "same_origin");
  const Serving serving(with_middleware(
      routes, {error_pages(), security_headers({.content_security_policy = "default-src 'self'"}),
               compression({.bytes_min = 100}), etag(), sessions({.keys = {std::string(32, 'k')}})}));
  expect_all_ok(findings.of(serving.origin() + "/page"), 15);
}

/// What has reached an application, of all workers.
class Methods {
 public:
  void add(std::string_view method) {
    const std::lock_guard lock(mutex_);
    text_ += method;
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

/// What pages of `origin` may read.
Router thing_for(const std::string& origin, Methods& methods) {
  Router routes;
  routes.use({cors({.origins = {origin},
                    .methods = {"GET", "PUT"},
                    .headers = {"content-type", "x-wish"},
                    .expose_headers = {"x-shown"},
                    .credentials = true}),
              error_pages(), security_headers({.resource_policy = "cross-origin"})});
  routes.get("/thing", [&] {
    methods.add("GET ");
    return text("thing").with("x-shown", "yes").with("x-not-shown", "yes");
  });
  routes.put("/thing", [&](Request& request) {
    methods.add("PUT ");
    return "put " + std::string(request.header("x-wish"));
  });
  routes.del("/thing", [&] {
    methods.add("DELETE ");
    return 204;
  });
  routes.get("/throws", []() -> Response { throw std::runtime_error("as it should"); });
  routes.get("/log", [&] { return methods.text(); });
  return routes;
}

TEST(Browser, ReadsOfOtherOriginsWhatTheyAllow) {
  Findings findings;
  Router routes;
  findings.add_routes(routes, "cross_origin");
  const Serving ours(routes);
  Methods methods;
  Methods unused;
  const Serving allowed(thing_for(ours.origin(), methods));
  const Serving refusing(thing_for("http://another.example", unused));
  const auto found =
      findings.of(fmt::format("{}/page?allowed={}&refusing={}", ours.origin(),
                              encode_form_text(allowed.origin()), encode_form_text(refusing.origin())));
  expect_all_ok(found, 7);
  EXPECT_EQ(unused.text(), "GET ")
      << "a simple request reaches the application; its answer is not for the page";
}

}  // namespace
}  // namespace atlas::browser_test
