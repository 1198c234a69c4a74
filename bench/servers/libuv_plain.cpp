// A bare libuv loop with llhttp and canned answers: what Atlas' own foundations cost without fibers, seam and
// serializer. One thread, callbacks, as one would write it by hand.

#include <llhttp.h>
#include <uv.h>

#include <array>
#include <csignal>

#include "answers.hpp"

namespace {

using bench::Route;

constexpr std::size_t input_bytes_max = 64 * 1024;
constexpr std::size_t target_bytes_max = 1024;
constexpr int backlog = 4096;

// What all connections of the one thread share: buffers are in use during one callback only.
struct Shared {
  bench::Answers kept{true};
  bench::Answers closed{false};
  std::array<char, input_bytes_max> input{};
  std::string output;
  llhttp_settings_t settings{};
};

struct Connection {
  explicit Connection(Shared& shared_by_all) : shared(shared_by_all) {
    llhttp_init(&parser, HTTP_REQUEST, &shared.settings);
    parser.data = this;
  }

  Shared& shared;
  uv_tcp_t socket{};
  llhttp_t parser{};
  std::string target;
  bool closing = false;
};

// The rest of an answer that the socket did not take at once.
struct Write {
  uv_write_t request{};
  std::string bytes;
};

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

Connection& connection_of(const llhttp_t* parser) { return *static_cast<Connection*>(parser->data); }

template <class Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

uv_stream_t* stream_of(Connection& connection) { return reinterpret_cast<uv_stream_t*>(&connection.socket); }

void close_connection(Connection& connection) {
  uv_handle_t* handle = as_handle(&connection.socket);
  if (uv_is_closing(handle) != 0) return;
  uv_close(handle, [](uv_handle_t* closed) { delete static_cast<Connection*>(closed->data); });
}

int on_message_begin(llhttp_t* parser) {
  connection_of(parser).target.clear();
  return 0;
}

int on_url(llhttp_t* parser, const char* bytes, std::size_t size) {
  Connection& connection = connection_of(parser);
  connection.target.append(bytes, size);
  return connection.target.size() <= target_bytes_max ? 0 : -1;
}

int on_headers_complete(llhttp_t* parser) {
  Connection& connection = connection_of(parser);
  Shared& shared = connection.shared;
  const bool keep_alive = llhttp_should_keep_alive(parser) != 0;
  const bench::Answers& answers = keep_alive ? shared.kept : shared.closed;
  const char* method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
  switch (bench::route_of(method, connection.target)) {
    case Route::plaintext: shared.output += answers.plaintext; break;
    case Route::json: shared.output += answers.json; break;
    case Route::echo: answers.append_echo_head(shared.output, parser->content_length); break;
    case Route::unknown: shared.output += answers.not_found; return -1;
  }
  const bool is_chunked = (parser->flags & F_CHUNKED) != 0;
  return is_chunked ? -1 : 0;
}

int on_body(llhttp_t* parser, const char* bytes, std::size_t size) {
  connection_of(parser).shared.output.append(bytes, size);
  return 0;
}

int on_message_complete(llhttp_t* parser) {
  connection_of(parser).closing = llhttp_should_keep_alive(parser) == 0;
  return 0;
}

void give_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  auto& input = static_cast<Connection*>(handle->data)->shared.input;
  *buffer = uv_buf_init(input.data(), static_cast<unsigned>(input.size()));
}

void on_written(uv_write_t* request, int status) {
  delete static_cast<Write*>(request->data);
  auto& connection = *static_cast<Connection*>(request->handle->data);
  if (status < 0 || connection.closing) return close_connection(connection);
  uv_read_start(stream_of(connection), give_buffer, on_read);
}

// Reading goes on when the client has taken its answer.
void write_rest(Connection& connection, std::string_view rest) {
  auto* write = new Write{{}, std::string(rest)};
  write->request.data = write;
  const uv_buf_t buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  uv_read_stop(stream_of(connection));
  uv_write(&write->request, stream_of(connection), &buffer, 1, on_written);
}

void write_output(Connection& connection) {
  std::string& output = connection.shared.output;
  const uv_buf_t buffer = uv_buf_init(output.data(), static_cast<unsigned>(output.size()));
  const int sent = uv_try_write(stream_of(connection), &buffer, 1);
  if (sent < 0 && sent != UV_EAGAIN) return close_connection(connection);
  const std::size_t sent_bytes = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (sent_bytes < output.size()) {
    write_rest(connection, std::string_view(output).substr(sent_bytes));
  } else if (connection.closing) {
    close_connection(connection);
  }
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  auto& connection = *static_cast<Connection*>(stream->data);
  if (count == 0) return;
  if (count < 0) return close_connection(connection);
  connection.shared.output.clear();
  const llhttp_errno_t error =
      llhttp_execute(&connection.parser, buffer->base, static_cast<std::size_t>(count));
  if (!connection.shared.output.empty()) write_output(connection);
  if (error != HPE_OK) close_connection(connection);
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* connection = new Connection(*static_cast<Shared*>(listener->data));
  uv_tcp_init(listener->loop, &connection->socket);
  connection->socket.data = connection;
  if (uv_accept(listener, stream_of(*connection)) < 0) return close_connection(*connection);
  uv_tcp_nodelay(&connection->socket, 1);
  uv_read_start(stream_of(*connection), give_buffer, on_read);
}

void set_callbacks(llhttp_settings_t& settings) {
  llhttp_settings_init(&settings);
  settings.on_message_begin = on_message_begin;
  settings.on_url = on_url;
  settings.on_headers_complete = on_headers_complete;
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
}

int serve(std::uint16_t port) {
  std::signal(SIGPIPE, SIG_IGN);  // uv_try_write() to a client that has left raises it
  Shared shared;
  set_callbacks(shared.settings);
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener{};
  uv_tcp_init(loop, &listener);
  listener.data = &shared;
  sockaddr_in address{};
  uv_ip4_addr("127.0.0.1", port, &address);
  int error = uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0);
  if (error == 0) error = uv_listen(reinterpret_cast<uv_stream_t*>(&listener), backlog, on_connection);
  if (error == 0) return uv_run(loop, UV_RUN_DEFAULT);
  std::fprintf(stderr, "listen: %s\n", uv_strerror(error));
  return 1;
}

}  // namespace

int main(int argc, char** argv) { return serve(bench::port_from(argc, argv)); }
