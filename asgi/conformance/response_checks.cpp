#include <atlas/asgi/conformance/probe_script.hpp>
#include <atlas/asgi/conformance/server_checks.hpp>
#include <atlas/core/fiber.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;

std::string field(const TestResponse& response, std::string_view name) {
  return std::string(response.header(name).value_or("none"));
}

void expect_body(const ScriptRun& run, std::string_view body) {
  expect_equal("the status", run.response.status, 200);
  expect_equal("the body", run.response.body, body);
  expect(run.response.complete, "the response was cut");
}

// ---- from outside ----

void check_framed(ServerClient& client) { expect(client.ask("/").complete, "the response was cut"); }

void check_date(ServerClient& client) {
  expect(client.ask("/").header("date").has_value(), "there is no 'date'");
}

void check_keep_alive(ServerClient& client) {
  auto connection = client.connect();
  for (int request = 0; request < 3; ++request) {
    connection.send_head("GET", client.target("/"));
    expect(connection.read().complete, "the response was cut");
  }
}

void check_close(ServerClient& client) {
  auto connection = client.connect();
  connection.send_head("GET", client.target("/"), "connection: close\r\n");
  const auto response = connection.read();
  expect_equal("'connection'", field(response, "connection"), "close");
  expect(connection.closes(), "the connection stays open");
}

void check_head_from_outside(ServerClient& client) {
  auto connection = client.connect();
  connection.send_head("HEAD", client.target("/"));
  expect(connection.read("HEAD").complete, "the response was cut");
  connection.send_head("GET", client.target("/"));
  expect(connection.read().complete, "what follows it is no response");
}

// ---- framing ----

void check_single_body(ServerClient& client) {
  const auto run = client.run("start 200|body hello");
  expect_body(run, "hello");
  expect_equal("content-length", field(run.response, "content-length"), "5");
  expect_equal("transfer-encoding", field(run.response, "transfer-encoding"), "none");
}

void check_many_bodies(ServerClient& client) {
  const auto run = client.run("start 200|body+ a|body+ b|body c");
  expect_body(run, "abc");
  expect_equal("transfer-encoding", field(run.response, "transfer-encoding"), "chunked");
  expect_equal("content-length", field(run.response, "content-length"), "none");
}

void check_until_close(ServerClient& client) {
  const auto run = client.run("start 200|body+ a|body b", "GET", {}, {}, "HTTP/1.0");
  expect_body(run, "ab");
  expect_equal("transfer-encoding", field(run.response, "transfer-encoding"), "none");
}

void check_own_length(ServerClient& client) {
  const auto run = client.run("start 200 content-length:2|body+ a|body b");
  expect_body(run, "ab");
  expect_equal("content-length", field(run.response, "content-length"), "2");
}

void check_own_transfer_encoding(ServerClient& client) {
  const auto run = client.run("start 200 transfer-encoding:gzip|body abc");
  expect_body(run, "abc");
  expect_equal("transfer-encoding", field(run.response, "transfer-encoding"), "none");
}

void expect_no_body(const ScriptRun& run, int status) {
  expect_equal("the status", run.response.status, status);
  expect(run.raw.ends_with("\r\n\r\n"), "there is a body");
  for (const auto& note : run.notes) expect_equal("what became of the message", note, "ok");
}

void check_head(ServerClient& client) {
  const auto run = client.run("start 200|body hello", "HEAD");
  expect_no_body(run, 200);
  expect_equal("content-length", field(run.response, "content-length"), "5");
}

void check_no_content(ServerClient& client) {
  for (const int status : {204, 304}) {
    const auto run = client.run(fmt::format("start {}|body hello", status));
    expect_no_body(run, status);
    expect_equal("transfer-encoding", field(run.response, "transfer-encoding"), "none");
  }
}

void check_repeated_headers(ServerClient& client) {
  const auto run = client.run("start 200 x-b:1 X-A:2 x-b:3|body ok");
  std::string seen;
  for (const auto& [name, value] : run.response.headers)
    if (name == "x-a" || name == "X-A" || name == "x-b") seen += value;
  expect_equal("the values in order", seen, "123");
}

void check_application_closes(ServerClient& client) {
  const auto run = client.run("start 200 connection:close|body ok");
  expect(run.closed, "the connection stays open");
}

// ---- refusals ----

/// The step with '!' is refused, and the answer is right for all that.
void refused(ServerClient& client, std::string_view steps, std::string_view message,
             std::string_view body = "ok") {
  const auto run = client.run(steps, "GET", "te: trailers\r\nconnection: te\r\n");
  const auto note =
      std::ranges::find_if(run.notes, [](const auto& text) { return text.starts_with("ContractError: "); });
  expect(note != run.notes.end(), "it was not refused");
  expect(note->find("'" + std::string(message) + "'") != std::string::npos,
         fmt::format("the error does not name the message: '{}'", *note));
  expect_body(run, body);
}

template <const auto& steps, const auto& message>
void check_refused(ServerClient& client) {
  refused(client, steps, message);
}

constexpr char start_message[] = "http.response.start";
constexpr char body_message[] = "http.response.body";
constexpr char trailers_message[] = "http.response.trailers";
constexpr char hint_message[] = "http.response.early_hint";
constexpr char path_message[] = "http.response.pathsend";
constexpr char unknown_message[] = "http.response.teleport";
constexpr char debug_message[] = "http.response.debug";
constexpr char startup_message[] = "lifespan.startup.complete";

constexpr char body_first[] = "!body x|start 200|body ok";
constexpr char trailers_first[] = "!trailers a:1|start 200|body ok";
constexpr char start_twice[] = "start 200|!start 201|body ok";
constexpr char start_in_body[] = "start 200|body+ o|!start 201|body k";
constexpr char start_behind[] = "start 200|body ok|!start 200";
constexpr char body_behind[] = "start 200|body ok|!body x";
constexpr char trailers_unannounced[] = "start 200|body ok|!trailers a:1";
constexpr char trailers_early[] = "start+ 200|body+ o|!trailers a:1|body k|trailers a:1";
constexpr char hint_late[] = "start 200|body+ o|!hint </a>|body k";
constexpr char path_late[] = "start 200|body+ o|!path file|body k";
constexpr char path_relative[] = "start 200|!path relative|!start 200|body ok";
constexpr char status_early[] = "!start 199|start 200|body ok";
constexpr char status_late[] = "!start 600|start 200|body ok";
constexpr char unknown[] = "!open http.response.teleport|start 200|body ok";
constexpr char debug[] = "!open http.response.debug|start 200|body ok";
constexpr char other_scope[] = "!startup|start 200|body ok";
constexpr char bad_name[] = "!start 200 b@d:1|start 200|body ok";
constexpr char split_value[] = "!start 200 x-a:1\r\nx-b:2|start 200|body ok";
constexpr char split_hint[] = "!hint </a>\r\nx-b:2|start 200|body ok";
constexpr char bad_length[] = "!start 200 content-length:+5|start 200|body ok";
constexpr char two_lengths[] = "!start 200 content-length:2 content-length:2|start 200|body ok";
constexpr char body_too_long[] = "start 200 content-length:2|!body abc|body ok";
constexpr char bad_trailer[] = "start+ 200|body ok|!trailers content-length:2|trailers a:1";

void check_body_behind_path(ServerClient& client) {
  refused(client, "start 200|path file|!body x", body_message, probe_file_text);
}

void check_missing_file(ServerClient& client) {
  const auto run = client.run("start 200|!path none|start 200|body ok");
  expect(run.notes.size() > 1 && run.notes[1] != "ok", "it was taken");
  expect_body(run, "ok");
}

// ---- failures ----

void expect_error(const ScriptRun& run) {
  expect_equal("the status", run.response.status, 500);
  expect(run.response.complete, "the response was cut");
}

template <const auto& steps>
void check_error(ServerClient& client) {
  expect_error(client.run(steps));
}

constexpr char throws_at_once[] = "throw";
constexpr char throws_after_start[] = "start 200 x-a:1|throw";
constexpr char no_start[] = "drain";
constexpr char no_body[] = "start 200";

void expect_cut(const ScriptRun& run) {
  expect_equal("the status", run.response.status, 200);
  expect(!run.response.complete, "the client cannot tell that something is missing");
}

void check_cut(ServerClient& client) {
  expect_cut(client.run("start 200|body+ abc|throw"));
  expect_cut(client.run("start 200 content-length:9|body+ abc|throw"));
  expect_cut(client.run("start 200|body+ abc|throw", "GET", {}, {}, "HTTP/1.0"));
}

void check_unfinished(ServerClient& client) {
  expect_cut(client.run("start 200|body+ abc"));
  expect_cut(client.run("start 200 content-length:9|body+ abc"));
  expect_cut(client.run("start 200|body+ abc", "GET", {}, {}, "HTTP/1.0"));
}

void check_failure_behind(ServerClient& client) {
  auto connection = client.connect();
  connection.send_head("GET", client.script(client.new_run(), "start 200|body ok|throw"));
  expect_equal("the body", connection.read().body, "ok");
}

void check_alive(ServerClient& client) { expect_equal("the status", client.ask("/").status, 200); }

void check_disconnected(ServerClient& client) {
  const auto run = client.new_run();
  auto connection = client.connect();
  connection.send_head("GET", client.script(run, "start 200|fill 67108864"));
  static_cast<void>(connection.read_body(1));
  connection.reset();
  const auto notes = client.notes(run);
  expect(notes.back().starts_with("Disconnected: "), "the last message came to '" + notes.back() + "'");
}

void check_back_pressure(ServerClient& client) {
  constexpr std::size_t size = 64 * 1024 * 1024;
  constexpr std::size_t pieces = size / (64 * 1024);
  const auto run = client.new_run();
  auto connection = client.connect();
  connection.send_head("GET", client.script(run, fmt::format("start 200|fill {}", size)));
  constexpr int looks_max = 100;
  std::size_t before = 0;
  std::size_t now = 0;
  for (int look = 0; look < looks_max && (now == 0 || now != before); ++look) {
    before = now;
    static_cast<void>(this_fiber::sleep_for(300ms));
    now = client.notes_so_far(run).size();
  }
  expect(now < pieces, "all of 64 MiB were taken for a client that does not read");
  const auto response = connection.read();
  expect_equal("the body's size", static_cast<std::int64_t>(response.body.size()), size);
}

// ---- extensions ----

constexpr std::string_view takes_trailers = "te: trailers\r\nconnection: te\r\n";

std::string trailers_of(const ScriptRun& run) {
  std::string text;
  for (const auto& [name, value] : run.response.trailers) text += fmt::format("{}={} ", name, value);
  return text;
}

void check_trailers(ServerClient& client) {
  const auto run =
      client.run("start+ 200|body+ o|body k|trailers+ x-a:1|trailers x-b:2", "GET", takes_trailers);
  expect_body(run, "ok");
  expect_equal("the trailers", trailers_of(run), "x-a=1 x-b=2 ");
}

void check_unwanted_trailers(ServerClient& client) {
  const auto run = client.run("start+ 200|body+ o|body k|trailers x-a:1");
  expect_body(run, "ok");
  expect_equal("the trailers", trailers_of(run), "");
}

void check_hints(ServerClient& client) {
  for (const auto* steps : {"hint </a>|start 200|body ok", "start 200|hint </a>|body ok"}) {
    const auto run = client.run(steps);
    expect_body(run, "ok");
    expect_equal("the number of links", static_cast<std::int64_t>(run.response.early_hints.size()), 1);
  }
}

void check_no_interim_to_old_clients(ServerClient& client) {
  const auto run = client.run("hint </a>|start 200|body ok", "GET", {}, {}, "HTTP/1.0");
  expect_body(run, "ok");
  expect(run.raw.find(" 103 ") == std::string::npos, "there is a 103 response");
}

void check_pathsend(ServerClient& client) {
  expect_body(client.run("start 200 content-type:text/plain|path file"), probe_file_text);
}

void check_zerocopysend(ServerClient& client) {
  const auto text = std::string(probe_file_text);
  expect_body(client.run("start 200|file+ 5 3|body+ -|file 0 4"),
              text.substr(5, 3) + "-" + text.substr(0, 4));
}

void check_short_file(ServerClient& client) {
  const auto run = client.run("start 200|!file 0 999999");
  expect(run.notes.size() == 2 && run.notes[1] != "ok", "it was taken");
}

void check_push(ServerClient& client) {
  const auto run = client.run("start 200|push /a|body ok");
  expect_body(run, "ok");
}

constexpr ServerCheck outer_table[] = {
    {"the client can tell where a response ends", check_framed},
    {"a response has a date", check_date},
    {"a connection is kept for the next request", check_keep_alive},
    {"'connection: close' is honoured", check_close},
    {"a response to HEAD has no body", check_head_from_outside},
};

constexpr ServerCheck framing_table[] = {
    {"a body in one message has its content-length", check_single_body},
    {"a body in several messages is chunked", check_many_bodies},
    {"to HTTP/1.0 it ends with the connection", check_until_close},
    {"the application's content-length stays", check_own_length},
    {"the application's transfer-encoding is dropped", check_own_transfer_encoding},
    {"a response to HEAD has no body, but its length", check_head},
    {"204 and 304 have no body", check_no_content},
    {"headers keep their order and their duplicates", check_repeated_headers},
    {"the application may close the connection", check_application_closes},
};

constexpr ServerCheck refusals_table[] = {
    {"a body before the start", check_refused<body_first, body_message>},
    {"trailers before the start", check_refused<trailers_first, trailers_message>},
    {"a second start", check_refused<start_twice, start_message>},
    {"a start in the body", check_refused<start_in_body, start_message>},
    {"a start behind the response", check_refused<start_behind, start_message>},
    {"a body behind the response", check_refused<body_behind, body_message>},
    {"a body behind a pathsend", check_body_behind_path},
    {"trailers that were not announced", check_refused<trailers_unannounced, trailers_message>},
    {"trailers before the last body", check_refused<trailers_early, trailers_message>},
    {"an early hint behind the first body", check_refused<hint_late, hint_message>},
    {"a pathsend in the body", check_refused<path_late, path_message>},
    {"a pathsend of a relative path", check_refused<path_relative, path_message>},
    {"a pathsend of no file, in whose place another answer may stand", check_missing_file},
    {"an interim status", check_refused<status_early, start_message>},
    {"a status beyond 599", check_refused<status_late, start_message>},
    {"a type that nobody knows", check_refused<unknown, unknown_message>},
    {"a type of test clients", check_refused<debug, debug_message>},
    {"a message of another scope", check_refused<other_scope, startup_message>},
    {"a header name that is no token", check_refused<bad_name, start_message>},
    {"a header value that would split the response", check_refused<split_value, start_message>},
    {"a link that would split the response", check_refused<split_hint, hint_message>},
    {"a content-length that is no number", check_refused<bad_length, start_message>},
    {"two content-lengths", check_refused<two_lengths, start_message>},
    {"a body longer than its content-length", check_refused<body_too_long, body_message>},
    {"a trailer that frames the message", check_refused<bad_trailer, trailers_message>},
};

constexpr ServerCheck failures_table[] = {
    {"an application that throws at once makes a 500", check_error<throws_at_once>},
    {"a start is held back, so that it can still become a 500", check_error<throws_after_start>},
    {"an application that throws in the body cuts the response", check_cut},
    {"an application that does not start a response makes a 500", check_error<no_start>},
    {"an application that sends no body makes a 500", check_error<no_body>},
    {"an application that does not complete the body cuts the response", check_unfinished},
    {"an application that throws behind the response leaves it whole", check_failure_behind},
    {"send waits for a client that does not read", check_back_pressure},
    {"send throws Disconnected once the client has left", check_disconnected},
    {"the server goes on after all that", check_alive},
};

constexpr ServerCheck extensions_table[] = {
    {"trailers reach a client that takes them", check_trailers},
    {"trailers are left out for a client that does not", check_unwanted_trailers},
    {"early hints are 103 responses, before and behind the start", check_hints},
    {"an HTTP/1.0 client gets no interim response", check_no_interim_to_old_clients},
    {"pathsend sends all of a file", check_pathsend},
    {"zerocopysend sends parts of a file, between bodies", check_zerocopysend},
    {"zerocopysend of more than the file has throws", check_short_file},
    {"push is taken and ignored", check_push},
};

}  // namespace

std::span<const ServerCheck> outer_checks() { return outer_table; }
std::span<const ServerCheck> framing_checks() { return framing_table; }
std::span<const ServerCheck> refusal_checks() { return refusals_table; }
std::span<const ServerCheck> failure_checks() { return failures_table; }
std::span<const ServerCheck> extension_checks() { return extensions_table; }

}  // namespace atlas::asgi
