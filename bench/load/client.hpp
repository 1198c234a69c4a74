// What the load generators share: a keep-alive connection that asks for one path and takes one answer at a
// time. Knows of HTTP what the benchmark's answers need: a status line, content-length, a body.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

inline constexpr std::size_t head_bytes_max = 16 * 1024;
inline constexpr int events_max = 256;
inline constexpr std::size_t first_requests_at_once = 256;
inline constexpr int first_answer_wait_max_ms = 10'000;

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

// Counts the bytes of one answer after the other without keeping a body.
class AnswerReader {
 public:
  enum class Progress { more, done, wrong };

  Progress take(std::string_view bytes) {
    if (!in_body_) {
      const std::size_t had = head_.size();
      head_.append(bytes);
      const std::size_t end = head_.find("\r\n\r\n");
      if (end == head_.npos) return head_.size() > head_bytes_max ? Progress::wrong : Progress::more;
      bytes.remove_prefix(end + 4 - had);
      head_.resize(end + 2);
      if (!read_head()) return Progress::wrong;
      head_.clear();
      in_body_ = true;
    }
    if (bytes.size() > body_bytes_left_) return Progress::wrong;
    body_bytes_left_ -= bytes.size();
    if (body_bytes_left_ != 0) return Progress::more;
    in_body_ = false;
    return Progress::done;
  }

 private:
  // Status 200 and a content-length, or it is wrong.
  bool read_head() {
    constexpr std::string_view name = "\r\ncontent-length: ";
    if (!head_.starts_with("HTTP/1.1 200")) return false;
    for (char& c : head_) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    const std::size_t at = head_.find(name);
    if (at == head_.npos) return false;
    const char* const first = head_.data() + at + name.size();
    return std::from_chars(first, head_.data() + head_.size(), body_bytes_left_).ec == std::errc{};
  }

  std::string head_;
  std::size_t body_bytes_left_ = 0;
  bool in_body_ = false;
};

struct Connection {
  int fd = -1;
  AnswerReader reader;
  Clock::time_point since;  // from when the answer that is awaited is measured
  bool awaits = false;
};

// `--name value` pairs; main() asks for each by name, and then that none is left.
class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; i += 2) {
      const std::string_view name = argv[i];
      if (!name.starts_with("--") || i + 1 == argc)
        fail("--name value pairs, please, not " + std::string(name));
      values_[std::string(name.substr(2))] = argv[i + 1];
    }
  }

  std::string text(const std::string& name, std::string fallback = {}) {
    const auto found = values_.extract(name);
    return found.empty() ? std::move(fallback) : found.mapped();
  }

  std::int64_t number(const std::string& name, std::int64_t fallback) {
    const std::string given = text(name);
    if (given.empty()) return fallback;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc{} || *end != '\0' || value <= 0) fail("--" + name + " is a positive number");
    return value;
  }

  void expect_no_more() const {
    if (!values_.empty()) fail("there is no --" + values_.begin()->first);
  }

 private:
  std::map<std::string, std::string> values_;
};

// `count` connections to one port of 127.0.0.1 and the epoll set that watches them.
class Connections {
 public:
  Connections(std::uint16_t port, std::size_t count, const std::string& path)
      : request_("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        all_(count) {
    raise_open_files_limit();
    for (std::size_t i = 0; i < count; ++i) open(i, port);
  }

  [[nodiscard]] std::size_t size() const { return all_.size(); }

  // Sends a request whose answer is measured from `since`. Nothing else may be under way on the connection.
  void ask(std::size_t index, Clock::time_point since) {
    Connection& connection = all_[index];
    connection.since = since;
    connection.awaits = true;
    const ssize_t sent = send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(request_.size())) fail("a request could not be sent");
  }

  // Each connection makes its first request, a bounded number of them at a time.
  void warm_up() {
    std::size_t answered = 0;
    const auto take = [&] {
      if (poll(first_answer_wait_max_ms, [&](std::size_t, const Connection&) { ++answered; }) == 0) {
        fail("first answers are missing");
      }
    };
    for (std::size_t i = 0; i < size(); ++i) {
      ask(i, Clock::now());
      while (i + 1 - answered >= first_requests_at_once) take();
    }
    while (answered < size()) take();
  }

  // Waits for up to `timeout_ms` (-1: for ever) and calls done(index, connection) for every answer that is
  // whole. Ends the process on a wrong answer or a connection that the server closed: there is nothing to
  // measure then.
  template <class Done>
  int poll(int timeout_ms, Done done) {
    std::array<epoll_event, events_max> events{};
    const int count = epoll_wait(epoll_, events.data(), events_max, timeout_ms);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
      if (read(all_[index])) done(index, all_[index]);
    }
    return count;
  }

 private:
  static void raise_open_files_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  // Blocks until the kernel has connected it: at most the backlog waits for the server's accept.
  void open(std::size_t index, std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("no more sockets: raise the hard limit of open files (ulimit -Hn)");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fail("connection " + std::to_string(index + 1) + " was refused");
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    all_[index].fd = fd;
  }

  bool read(Connection& connection) {
    const ssize_t count = recv(connection.fd, input_.data(), input_.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return false;
    if (count <= 0) fail("the server closed a connection");
    if (!connection.awaits) fail("an answer that nobody asked for");
    const auto progress = connection.reader.take({input_.data(), static_cast<std::size_t>(count)});
    if (progress == AnswerReader::Progress::wrong) fail("a wrong answer");
    connection.awaits = progress == AnswerReader::Progress::more;
    return !connection.awaits;
  }

  std::string request_;
  int epoll_;
  std::vector<Connection> all_;
  std::array<char, 64 * 1024> input_{};
};

}  // namespace bench
