// Boost.Beast with stackful coroutines (asio::spawn), one io_context on one thread: straight-line code as its
// users write it, and the nearest relative of what Atlas offers.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <utility>

#include "answers.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using bench::Route;

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr int backlog = 4096;
constexpr std::size_t input_bytes = 16 * 1024;  // left to itself, Beast reads a body by 512 bytes

std::string_view as_std(beast::string_view text) { return {text.data(), text.size()}; }

void set_body(Response& response, const char* type, std::string body) {
  response.set(http::field::content_type, type);
  response.body() = std::move(body);
}

Response answer(Request&& request, const std::string& date) {
  Response response(http::status::ok, request.version());
  response.set(http::field::date, date);
  response.set(http::field::server, "bench");
  response.keep_alive(request.keep_alive());
  switch (bench::route_of(as_std(request.method_string()), as_std(request.target()))) {
    case Route::plaintext: set_body(response, "text/plain", std::string(bench::plaintext_body)); break;
    case Route::json: set_body(response, "application/json", std::string(bench::json_body)); break;
    case Route::echo: set_body(response, "application/octet-stream", std::move(request.body())); break;
    case Route::unknown: response.result(http::status::not_found); break;
  }
  response.prepare_payload();
  return response;
}

void serve_client(tcp::socket& socket, const std::string& date, const asio::yield_context& yield) {
  beast::flat_buffer buffer;
  buffer.reserve(input_bytes);
  beast::error_code error;
  while (!error) {
    Request request;
    http::async_read(socket, buffer, request, yield[error]);
    if (error) return;
    const Response response = answer(std::move(request), date);
    http::async_write(socket, response, yield[error]);
    if (response.need_eof()) return;
  }
}

void accept_clients(asio::io_context& loop, tcp::acceptor& acceptor, const std::string& date,
                    const asio::yield_context& yield) {
  for (;;) {
    beast::error_code error;
    tcp::socket socket(loop);
    acceptor.async_accept(socket, yield[error]);
    if (error) continue;
    socket.set_option(tcp::no_delay(true), error);
    asio::spawn(loop, [socket = std::move(socket), &date](const asio::yield_context& client) mutable {
      serve_client(socket, date, client);
    });
  }
}

void serve(std::uint16_t port) {
  const std::string date = bench::http_date();
  asio::io_context loop(1);
  tcp::acceptor acceptor(loop);
  acceptor.open(tcp::v4());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind({asio::ip::address_v4::loopback(), port});
  acceptor.listen(backlog);
  asio::spawn(loop, [&](const asio::yield_context& yield) { accept_clients(loop, acceptor, date, yield); });
  loop.run();
}

}  // namespace

int main(int argc, char** argv) try {
  serve(bench::port_from(argc, argv));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
