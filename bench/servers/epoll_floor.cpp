// The floor: what the kernel alone costs. One thread, level-triggered epoll, canned answers, and no parser to
// speak of: it knows just enough of HTTP/1.1 to be driven by wrk, spelled as wrk spells it. Not a web server.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "answers.hpp"

namespace {

using bench::Route;

constexpr std::size_t input_bytes_max = 128 * 1024;
constexpr std::size_t head_bytes_max = 16 * 1024;
constexpr int events_max = 256;
constexpr int backlog = 4096;

// What most connections never need: the start of a request whose rest has not come, an answer's unsent rest.
struct Leftovers {
  std::string unread;
  std::string unsent;
};

struct Connection {
  std::unique_ptr<Leftovers> leftovers;
  std::uint64_t body_bytes_left = 0;
  bool closing = false;
};

struct Request {
  Route route;
  bool keep_alive;
  std::uint64_t body_bytes;
};

std::uint64_t content_length(std::string_view head) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const std::size_t at = head.find(name);
  std::uint64_t length = 0;
  if (at != head.npos) std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
  return length;
}

Request read_head(std::string_view head) {
  const std::size_t method_end = head.find(' ');
  const std::size_t path_end = head.find(' ', method_end + 1);
  if (path_end == head.npos) return {Route::unknown, false, 0};
  const std::string_view method = head.substr(0, method_end);
  const Route route = bench::route_of(method, head.substr(method_end + 1, path_end - method_end - 1));
  const bool keep_alive = head.find("\r\nConnection: close", path_end) == head.npos;
  return {route, keep_alive, method == "POST" ? content_length(head) : 0};
}

int listen_on(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) bench::die("bind");
  if (listen(listener, backlog) != 0) bench::die("listen");
  return listener;
}

class Floor {
 public:
  explicit Floor(std::uint16_t port) : listener_(listen_on(port)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    input_.resize(input_bytes_max);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, events_max> events{};
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events_max, -1);
      if (count < 0 && errno != EINTR) bench::die("epoll_wait");
      for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)]);
    }
  }

 private:
  void handle(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) {
      accept_all();
    } else if ((event.events & EPOLLOUT) != 0) {
      send_rest(fd);
    } else {
      read_and_answer(fd);
    }
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      if (connections_.size() <= static_cast<std::size_t>(fd)) {
        connections_.resize(static_cast<std::size_t>(fd) + 1);
      }
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void read_and_answer(int fd) {
    const ssize_t count = recv(fd, input_.data(), input_.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close_connection(fd);

    Connection& connection = at(fd);
    std::string joined;
    std::string_view input(input_.data(), static_cast<std::size_t>(count));
    if (connection.leftovers && !connection.leftovers->unread.empty()) {
      joined = std::exchange(connection.leftovers->unread, {}).append(input);
      input = joined;
    }
    const std::string_view unread = answer_all(connection, input);
    if (unread.size() > head_bytes_max) return close_connection(fd);
    if (!unread.empty()) leftovers_of(connection).unread = unread;
    if (!output_.empty() || !body_.empty()) send_output(fd);
  }

  // Fills output_ and body_ with the answers to what `input` holds and returns what is not a whole head yet.
  std::string_view answer_all(Connection& connection, std::string_view input) {
    output_.clear();
    body_ = {};
    while (!input.empty() && body_.empty()) {
      if (connection.body_bytes_left == 0) {
        const std::size_t head_end = input.find("\r\n\r\n");
        if (head_end == input.npos) return input;
        answer_head(connection, read_head(input.substr(0, head_end)));
        input.remove_prefix(head_end + 4);
      }
      echo_body(connection, input);
    }
    return {};
  }

  void answer_head(Connection& connection, const Request& request) {
    const bench::Answers& answers = request.keep_alive ? kept_ : closed_;
    connection.closing = !request.keep_alive;
    switch (request.route) {
      case Route::plaintext: output_ += answers.plaintext; break;
      case Route::json: output_ += answers.json; break;
      case Route::unknown: output_ += answers.not_found; break;
      case Route::echo:
        answers.append_echo_head(output_, request.body_bytes);
        connection.body_bytes_left = request.body_bytes;
        break;
    }
  }

  // A body goes back as it comes. A piece that ends the input is sent from where it lies.
  void echo_body(Connection& connection, std::string_view& input) {
    const std::size_t size = std::min<std::uint64_t>(connection.body_bytes_left, input.size());
    const std::string_view piece = input.substr(0, size);
    input.remove_prefix(size);
    connection.body_bytes_left -= size;
    if (input.empty()) {
      body_ = piece;
    } else {
      output_ += piece;
    }
  }

  void send_output(int fd) {
    const ssize_t sent =
        body_.empty() ? send(fd, output_.data(), output_.size(), MSG_NOSIGNAL) : send_with_body(fd);
    if (sent < 0 && errno != EAGAIN) return close_connection(fd);
    const std::size_t sent_bytes = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    if (sent_bytes == output_.size() + body_.size()) return finish(fd);
    std::string& unsent = leftovers_of(at(fd)).unsent;
    unsent.append(output_).append(body_).erase(0, sent_bytes);
    watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
  }

  ssize_t send_with_body(int fd) {
    std::array<iovec, 2> parts{
        {{output_.data(), output_.size()}, {const_cast<char*>(body_.data()), body_.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return sendmsg(fd, &message, MSG_NOSIGNAL);
  }

  void send_rest(int fd) {
    std::string& unsent = leftovers_of(at(fd)).unsent;
    const ssize_t sent = send(fd, unsent.data(), unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return close_connection(fd);
    unsent.erase(0, static_cast<std::size_t>(sent));
    if (!unsent.empty()) return;
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    finish(fd);
  }

  void finish(int fd) {
    if (at(fd).closing && at(fd).body_bytes_left == 0) close_connection(fd);
  }

  void close_connection(int fd) {
    at(fd) = Connection{};
    close(fd);
  }

  void watch(int operation, int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, operation, fd, &event) != 0) bench::die("epoll_ctl");
  }

  Connection& at(int fd) { return connections_[static_cast<std::size_t>(fd)]; }

  static Leftovers& leftovers_of(Connection& connection) {
    if (!connection.leftovers) connection.leftovers = std::make_unique<Leftovers>();
    return *connection.leftovers;
  }

  const bench::Answers kept_{true};
  const bench::Answers closed_{false};
  int listener_;
  int epoll_;
  std::vector<Connection> connections_;  // by descriptor
  std::string input_;
  std::string output_;
  std::string_view body_;  // what follows output_, still in the input
};

}  // namespace

int main(int argc, char** argv) { Floor(bench::port_from(argc, argv)).run(); }
