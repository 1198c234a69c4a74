// Sockets of the operating system: listening, accepting, and as streams. Connecting is connect.hpp.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <memory>
#include <utility>

namespace atlas {

/// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() noexcept = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// The accepted end of a simulated connection, which no loop owns yet.
class DetachedStream {
 public:
  DetachedStream() = default;
  /// Cuts the connection, unless it was attached.
  virtual ~DetachedStream() = default;
  DetachedStream(const DetachedStream&) = delete;
  DetachedStream& operator=(const DetachedStream&) = delete;

  /// A stream of the calling thread's loop. Once.
  [[nodiscard]] virtual Result<StreamPtr> attach() = 0;
};

/// A connection just accepted: a descriptor that no loop owns yet, so it may go to another thread.
struct AcceptedSocket {
  FileDescriptor fd;
  SocketAddress peer;
  std::unique_ptr<DetachedStream> simulated = nullptr;  ///< Instead of a descriptor, in a simulated world.
};

struct ListenOptions {
  int backlog = 4096;       ///< The system cuts it to net.core.somaxconn.
  bool no_delay = true;     ///< TCP_NODELAY, inherited by accepted sockets.
  bool reuse_port = false;  ///< SO_REUSEPORT.
};

/// What a Listener stands on: a socket of the system's, or of a simulated world. Calls are as Listener's.
class ListeningSocket {
 public:
  ListeningSocket() = default;
  virtual ~ListeningSocket() = default;
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  [[nodiscard]] virtual Result<AcceptedSocket> accept(Deadline deadline) = 0;
  [[nodiscard]] virtual const SocketAddress& address() const noexcept = 0;
};

/// A bound, listening socket. Not tied to a thread until its first `accept`; then it is destroyed on that
/// one.
class Listener {
 public:
  /// Binds and listens, in this_world(). IPv6 addresses are IPv6 only. A unix socket's path that no server
  /// listens on any more is taken over; a listener removes its own path when destroyed.
  [[nodiscard]] static Result<Listener> bind(const SocketAddress& address, const ListenOptions& options = {});

  /// The next client that has connected; suspends until there is one, and now and then while there are, for
  /// the loop to have its turn. timed_out and operation_canceled leave who has connected to the next call.
  /// Errors of one client's connection are skipped; those of the system (too_many_files_open,
  /// too_many_files_open_in_system, not_enough_memory, …) are answered, and the next call tries again.
  Result<AcceptedSocket> accept(Deadline deadline = {}) { return socket_->accept(deadline); }

  /// The address in use: port 0 has become a port.
  [[nodiscard]] const SocketAddress& address() const noexcept { return socket_->address(); }

 private:
  explicit Listener(std::unique_ptr<ListeningSocket> socket) noexcept : socket_(std::move(socket)) {}

  std::unique_ptr<ListeningSocket> socket_;  // null when moved from
};

/// Makes an accepted (or otherwise connected, non-blocking) socket a stream of this thread's loop, and
/// starts reading.
[[nodiscard]] Result<StreamPtr> adopt_socket(AcceptedSocket socket);

}  // namespace atlas
