#include <atlas/asgi/conformance/server_client.hpp>

#include <atlas/asgi/toolkit/text_value.hpp>
#include <atlas/asgi/toolkit/url_text.hpp>
#include <atlas/core/connect.hpp>

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace atlas::asgi {
namespace {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string endpoint_text(const SocketAddress& address) {
  return fmt::format("{} {}", address.host(), address.port());
}

}  // namespace

ServerUrl parse_server_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme))
    throw std::invalid_argument(fmt::format("'{}' does not begin with http://", url));
  const auto rest = url.substr(scheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  ServerUrl parsed{.path = std::string(rest.substr(slash))};
  while (parsed.path.ends_with('/')) parsed.path.pop_back();
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const auto port = TextValue<std::uint16_t>::parse(authority.substr(colon + 1));
    if (!port) throw std::invalid_argument(fmt::format("'{}' has no port behind its colon", url));
    parsed.port = *port;
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  if (authority.empty()) throw std::invalid_argument(fmt::format("'{}' has no host", url));
  parsed.host = authority;
  return parsed;
}

void expect_equal(std::string_view what, std::string_view seen, std::string_view wanted) {
  if (seen != wanted) throw Fault(fmt::format("{} is '{}', not '{}'", what, seen, wanted));
}

void expect_equal(std::string_view what, std::int64_t seen, std::int64_t wanted) {
  if (seen != wanted) throw Fault(fmt::format("{} is {}, not {}", what, seen, wanted));
}

void expect(bool holds, std::string_view otherwise) {
  if (!holds) throw Fault(std::string(otherwise));
}

std::string value_of(std::string_view lines, std::string_view key) {
  for (const auto& line : split_lines(lines)) {
    if (line.starts_with(key) && std::string_view(line).substr(key.size()).starts_with('='))
      return line.substr(key.size() + 1);
  }
  throw Fault(fmt::format("there is no '{}'", key));
}

// ---- a connection ----

ServerConnection::ServerConnection(const ServerUrl& url, Duration patience)
    : url_(url),
      patience_(patience),
      stream_(atlas::connect(url.host, url.port, Deadline::after(patience)).value()) {}

void ServerConnection::send(std::string_view bytes) {
  stream_->write(bytes, {.deadline = Deadline::after(patience_)}).value();
}

void ServerConnection::send_head(std::string_view method, std::string_view target, std::string_view fields,
                                 std::string_view version) {
  send(fmt::format("{} {} {}\r\nhost: {}:{}\r\n{}\r\n", method, target, version, url_.host, url_.port,
                   fields));
}

void ServerConnection::begin_response(std::string_view method) {
  if (!parser_) parser_.emplace(method == "HEAD");
}

bool ServerConnection::feed() {
  auto chunk = stream_->read_chunk(Deadline::after(patience_));
  if (!chunk.has_value() && chunk.error() == std::errc::timed_out) throw Fault("the server does not answer");
  ended_ = !chunk.has_value() || chunk->empty();
  if (ended_) {
    if (chunk.has_value()) parser_->end();  // a reset ends nothing well
    return false;
  }
  const std::string_view bytes(chunk->bytes().data(), chunk->bytes().size());
  raw_ += bytes;
  parser_->feed(bytes);
  body_ += parser_->take_body();
  return true;
}

TestResponse ServerConnection::read(std::string_view method) {
  begin_response(method);
  while (!parser_->complete() && feed()) {
  }
  TestResponse response{.status = parser_->status(),
                        .headers = parser_->headers(),
                        .body = std::exchange(body_, {}),
                        .trailers = parser_->trailers(),
                        .early_hints = parser_->early_hints(),
                        .complete = parser_->complete()};
  parser_.reset();
  return response;
}

std::string ServerConnection::read_body(std::size_t bytes) {
  begin_response("GET");
  while (body_.size() < bytes && feed()) {
  }
  return std::exchange(body_, {});
}

bool ServerConnection::closes() {
  if (ended_) return true;
  const auto chunk = stream_->read_chunk(Deadline::after(patience_));
  if (!chunk.has_value()) return chunk.error() != std::errc::timed_out;
  return chunk->empty();
}

std::string ServerConnection::local_endpoint() const { return endpoint_text(stream_->local_address()); }
std::string ServerConnection::peer_endpoint() const { return endpoint_text(stream_->peer_address()); }

// ---- the client ----

TestResponse ServerClient::ask(std::string_view path, std::string_view method, std::string_view fields,
                               std::string_view version) const {
  auto connection = connect();
  connection.send_head(method, target(path), fields, version);
  return connection.read(method);
}

std::string ServerClient::new_run() {
  // Runs of several clients of one probe must not meet.
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return fmt::format("{:016x}-{}", now, ++runs_);
}

std::string ServerClient::script(const std::string& run, std::string_view steps) const {
  return target("/script/" + run) + "?" + encode_form_text(steps);
}

std::vector<std::string> ServerClient::lines_of(const std::string& path) const {
  const auto response = ask(path);
  expect_equal("the status of the probe's notes", response.status, 200);
  return split_lines(response.body);
}

std::vector<std::string> ServerClient::notes(const std::string& run) const {
  return lines_of("/notes/" + run);
}

std::vector<std::string> ServerClient::notes_so_far(const std::string& run) const {
  return lines_of("/progress/" + run);
}

ScriptRun ServerClient::run(std::string_view steps, std::string_view method, std::string_view fields,
                            std::string_view body, std::string_view version) {
  const auto run = new_run();
  auto connection = connect();
  connection.send_head(method, script(run, steps), fields, version);
  if (!body.empty()) connection.send(body);
  ScriptRun outcome{.response = connection.read(method)};
  outcome.closed = !outcome.response.complete || outcome.response.header("connection") == "close";
  if (outcome.closed) expect(connection.closes(), "the connection stays open after 'connection: close'");
  outcome.raw = connection.raw();
  outcome.notes = notes(run);
  return outcome;
}

}  // namespace atlas::asgi
