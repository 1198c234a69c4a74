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

/// A connection just accepted: a descriptor that no loop owns yet, so it may go to another thread.
struct AcceptedSocket {
  FileDescriptor fd;
  SocketAddress peer;
};

struct ListenOptions {
  int backlog = 4096;       ///< The system cuts it to net.core.somaxconn.
  bool no_delay = true;     ///< TCP_NODELAY, inherited by accepted sockets.
  bool reuse_port = false;  ///< SO_REUSEPORT.
};

/// A bound, listening socket. Not tied to a thread until its first `accept`.
class Listener {
 public:
  /// Binds and listens. IPv6 addresses are IPv6 only. A unix socket's path that no server listens on any
  /// more is taken over; a listener removes its own path when destroyed.
  [[nodiscard]] static Result<Listener> bind(const SocketAddress& address, const ListenOptions& options = {});
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  /// On the thread that accepted, if any did.
  ~Listener();

  /// The next client that has connected; suspends until there is one, and now and then while there are, for
  /// the loop to have its turn. Errors of one client's connection are skipped; those of the system
  /// (too_many_files_open, too_many_files_open_in_system, not_enough_memory, …) are answered, and the next
  /// call tries again.
  Result<AcceptedSocket> accept();

  /// The address in use: port 0 has become a port.
  [[nodiscard]] const SocketAddress& address() const noexcept { return address_; }

 private:
  class Poll;
  struct Round {
    int size = 0;
    int left = 0;
  };

  Listener(FileDescriptor fd, SocketAddress address, std::string owned_path);
  Result<void> wait_for_clients();

  FileDescriptor fd_;
  SocketAddress address_;
  std::string owned_path_;  // to remove
  std::unique_ptr<Poll> poll_;
  Round round_;  // of accepting, between two looks at the loop
};

/// Makes an accepted (or otherwise connected, non-blocking) socket a stream of this thread's loop, and
/// starts reading. `peer` may be given to save asking the system.
[[nodiscard]] Result<StreamPtr> adopt_socket(FileDescriptor fd, const SocketAddress& peer);

}  // namespace atlas
