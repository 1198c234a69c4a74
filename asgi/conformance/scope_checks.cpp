#include <atlas/asgi/conformance/server_checks.hpp>

#include <fmt/format.h>

namespace atlas::asgi {
namespace {

std::string scope_of(const ServerClient& client, std::string_view path = "/scope",
                     std::string_view method = "GET", std::string_view fields = {},
                     std::string_view version = "HTTP/1.1") {
  const auto response = client.ask(path, method, fields, version);
  expect_equal("the status", response.status, 200);
  return response.body;
}

void expect_key(std::string_view scope, std::string_view key, std::string_view wanted) {
  expect_equal(key, value_of(scope, key), wanted);
}

void check_versions(ServerClient& client) {
  const auto scope = scope_of(client);
  expect_key(scope, "type", "http");
  expect_key(scope, "asgi.version", "3.0");
  expect_key(scope, "asgi.spec_version", "2.5");
  expect_key(scope, "scheme", "http");
}

void check_http_version(ServerClient& client) {
  expect_key(scope_of(client), "http_version", "1.1");
  expect_key(scope_of(client, "/scope", "GET", {}, "HTTP/1.0"), "http_version", "1.0");
}

void check_method(ServerClient& client) {
  for (const std::string_view method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    const auto fields = method == "GET" ? "" : "content-length: 0\r\n";
    expect_key(scope_of(client, "/scope", method, fields), "method", method);
  }
}

void check_path(ServerClient& client) {
  const auto scope = scope_of(client, "/scope/a%20b/%C3%A4%2F");
  const auto path = value_of(scope, "path");
  expect(path.ends_with("/scope/a b/\xc3\xa4/"), "path is '" + path + "'");
  expect_key(scope, "raw_path", client.target("/scope/a%20b/%C3%A4%2F"));
}

void check_query(ServerClient& client) {
  expect_key(scope_of(client), "query_string", "");
  expect_key(scope_of(client, "/scope?a=%20b&&=%zz+"), "query_string", "a=%20b&&=%zz+");
}

void check_root_path(ServerClient& client) {
  const auto scope = scope_of(client);
  const auto path = value_of(scope, "path");
  const auto root_path = value_of(scope, "root_path");
  expect(path.starts_with(root_path),
         fmt::format("path '{}' does not begin with root_path '{}'", path, root_path));
}

void check_headers(ServerClient& client) {
  const auto scope = scope_of(client, "/scope", "GET", "X-Second: 1\r\nx-first:   2  \r\nX-SECOND: 3\r\n");
  std::string seen;
  for (std::string_view rest = scope; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    if (line.starts_with("header x-")) seen += std::string(line.substr(7)) + " ";
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  expect_equal("what came of the fields", seen, "x-second=1 x-first=2 x-second=3 ");
}

void check_host(ServerClient& client) {
  const auto scope = scope_of(client);
  expect(scope.find("header host=") != std::string::npos, "there is no 'host'");
}

void check_endpoints(ServerClient& client) {
  auto connection = client.connect();
  connection.send_head("GET", client.target("/scope"));
  const auto scope = connection.read().body;
  expect_key(scope, "client", connection.local_endpoint());
  expect_key(scope, "server", connection.peer_endpoint());
}

void check_state(ServerClient& client) {
  const auto scope = scope_of(client);
  expect_key(scope, "state conformance.process", "set");
  expect_key(scope, "state conformance.worker", "set");
}

void check_own_state(ServerClient& client) {
  auto connection = client.connect();  // stays on one worker
  connection.send_head("GET", client.script(client.new_run(), "set changed|start 200|body ok"));
  expect_equal("the status", connection.read().status, 200);
  connection.send_head("GET", client.target("/scope"));
  expect_key(connection.read().body, "state changed", "none");
}

void check_extensions(ServerClient& client) {
  const auto scope = scope_of(client);
  for (const std::string_view name :
       {"http.response.trailers", "http.response.early_hint", "http.response.pathsend",
        "http.response.zerocopysend", "http.response.push", "atlas"})
    expect_key(scope, "extension " + std::string(name), "true");
  expect_key(scope, "extension http.response.debug", "false");
}

void check_connection_id(ServerClient& client) {
  auto connection = client.connect();
  const auto id_of = [&](ServerConnection& of) {
    of.send_head("GET", client.target("/scope"));
    return value_of(of.read().body, "atlas.connection_id");
  };
  const auto first = id_of(connection);
  expect_equal("the second request's connection id", id_of(connection), first);
  auto another = client.connect();
  expect(id_of(another) != first, "two connections have the id " + first);
}

void check_startups(ServerClient& client) {
  const auto about = client.ask("/").body;
  expect_key(about, "process_startups", "1");
  expect_key(about, "worker_startups", value_of(about, "workers"));
}

void check_one_empty_request(ServerClient& client) {
  const auto run = client.run("drain|start 200|body ok");
  expect_equal("the first message", run.notes.at(0), "received http.request 0 last");
}

std::size_t bytes_received(const std::vector<std::string>& notes) {
  std::size_t bytes = 0;
  for (const auto& note : notes) {
    constexpr std::string_view received = "received http.request ";
    if (note.starts_with(received)) bytes += std::stoul(note.substr(received.size()));
  }
  return bytes;
}

void check_counted_body(ServerClient& client) {
  const auto run = client.run("drain|start 200|body ok", "POST", "content-length: 5\r\n", "abcde");
  expect_equal("the body's size", static_cast<std::int64_t>(bytes_received(run.notes)), 5);
}

void check_chunked_body(ServerClient& client) {
  const auto run = client.run("start 200|echo", "POST", "transfer-encoding: chunked\r\n",
                              "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n");
  expect_equal("the body", run.response.body, "abcde");
}

void check_streamed_body(ServerClient& client) {
  auto connection = client.connect();
  connection.send_head("POST", client.script(client.new_run(), "start 200|echo"),
                       "transfer-encoding: chunked\r\n");
  connection.send("3\r\nabc\r\n");
  expect_equal("what came back of the first piece", connection.read_body(3), "abc");
  connection.send("2\r\nde\r\n0\r\n\r\n");
  const auto response = connection.read();
  expect_equal("the rest", response.body, "de");
  expect(response.complete, "the response was cut");
}

void check_disconnect_after_response(ServerClient& client) {
  const auto run = client.run("drain|start 200|body ok|receive");
  expect_equal("the message behind the response", run.notes.back(), "received http.disconnect");
}

void check_unread_body(ServerClient& client) {
  const auto run = client.run("start 200|body ok", "POST", "content-length: 5\r\n", "abcde");
  expect_equal("the body", run.response.body, "ok");
}

void check_client_left(ServerClient& client) {
  const auto run = client.new_run();
  {
    auto connection = client.connect();
    connection.send_head("POST", client.script(run, "drain|receive"), "content-length: 10\r\n");
    connection.send("abc");
    connection.reset();
  }
  const auto notes = client.notes(run);
  // A server that had not begun the call when the client left has nothing to tell.
  if (!notes.empty()) expect_equal("the last message", notes.back(), "received http.disconnect");
}

void check_silent_client_left(ServerClient& client) {
  const auto run = client.new_run();
  auto connection = client.connect();
  connection.send_head("GET", client.script(run, "drain|start 200|body+ begun|receive"));
  expect_equal("the body's beginning", connection.read_body(5), "begun");
  connection.reset();
  expect_equal("the last message", client.notes(run).back(), "received http.disconnect");
}

constexpr ServerCheck scope_table[] = {
    {"type, asgi and scheme are those of ASGI 3.0 over http", check_versions},
    {"http_version is the request's", check_http_version},
    {"method is the request's", check_method},
    {"path is percent-decoded UTF-8; raw_path is as sent", check_path},
    {"query_string is as sent", check_query},
    {"path includes root_path", check_root_path},
    {"headers have lower-case names, their order and their duplicates", check_headers},
    {"headers have the host", check_host},
    {"client and server are the connection's two ends", check_endpoints},
    {"state is what lifespan has set", check_state},
    {"a request that changes its state changes no other's", check_own_state},
    {"extensions offers what the contract lists, and no more", check_extensions},
    {"extensions.atlas tells connections apart", check_connection_id},
};

constexpr ServerCheck lifespan_table[] = {
    {"'lifespan.startup' came once for the process, and once for each worker", check_startups},
};

constexpr ServerCheck receive_table[] = {
    {"a request without a body is one empty http.request", check_one_empty_request},
    {"a body is received whole, and its last piece is said to be the last", check_counted_body},
    {"a chunked body is de-chunked", check_chunked_body},
    {"a body is received as it arrives", check_streamed_body},
    {"an application need not receive the body", check_unread_body},
    {"http.disconnect follows the complete response", check_disconnect_after_response},
    {"http.disconnect tells of a client that left in its body", check_client_left},
    {"http.disconnect tells of a client that left in the response", check_silent_client_left},
};

}  // namespace

std::span<const ServerCheck> scope_checks() { return scope_table; }
std::span<const ServerCheck> lifespan_checks() { return lifespan_table; }
std::span<const ServerCheck> receive_checks() { return receive_table; }

}  // namespace atlas::asgi
