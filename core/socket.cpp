#include <atlas/core/socket.hpp>

#include <atlas/core/native_socket.hpp>
#include <atlas/core/uv/uv_poll.hpp>
#include <atlas/core/uv/uv_stream.hpp>
#include <atlas/core/world.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

namespace atlas {
namespace {

using detail::last_error;
using detail::NativeAddress;

/// Where an option that is refused changes little.
void try_option(int fd, int level, int option) { static_cast<void>(detail::set_option(fd, level, option)); }

void set_listen_options(int fd, const SocketAddress& address, const ListenOptions& options) {
  if (address.is_unix()) return;
  try_option(fd, SOL_SOCKET, SO_REUSEADDR);
  if (options.reuse_port) try_option(fd, SOL_SOCKET, SO_REUSEPORT);
  if (options.no_delay) try_option(fd, IPPROTO_TCP, TCP_NODELAY);
  if (address.family() == SocketAddress::Family::ipv6) try_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

/// Removes a unix socket that a server which is gone has left behind.
void remove_stale_socket(const SocketAddress& address) {
  struct stat status {};
  if (::lstat(address.host().c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  NativeAddress native(address);
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), native.get(), native.bytes) != 0 && errno == ECONNREFUSED) {
    ::unlink(address.host().c_str());
  }
}

/// Errors that accept reports of a connection that is already gone, or of the network (accept(2)).
bool concerns_one_client(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM: return true;
    default: return false;
  }
}

class SystemListener final : public ListeningSocket {
 public:
  SystemListener(FileDescriptor fd, SocketAddress address, std::string owned_path)
      : fd_(std::move(fd)), address_(std::move(address)), owned_path_(std::move(owned_path)) {}
  ~SystemListener() override;
  SystemListener(const SystemListener&) = delete;
  SystemListener& operator=(const SystemListener&) = delete;

  Result<AcceptedSocket> accept(Deadline deadline) override;
  [[nodiscard]] const SocketAddress& address() const noexcept override { return address_; }

 private:
  struct Round {
    int size = 0;
    int left = 0;
  };

  Result<void> wait_for_clients(Deadline deadline);

  FileDescriptor fd_;
  SocketAddress address_;
  std::string owned_path_;  // to remove
  std::optional<uv::Readiness> readiness_;
  Round round_;  // of accepting, between two looks at the loop
};

SystemListener::~SystemListener() {
  readiness_.reset();
  if (!owned_path_.empty()) ::unlink(owned_path_.c_str());
}

// Asking for a connection that is not there costs nearly as much as accepting one, so a round asks for as
// many as the last one found, and for more while they keep coming; then the loop has its turn.
Result<AcceptedSocket> SystemListener::accept(Deadline deadline) {
  for (;;) {
    if (round_.left == 0) {
      if (auto ready = wait_for_clients(deadline); !ready) return Unexpected(ready.error());
    }
    sockaddr_storage storage{};
    socklen_t bytes = sizeof storage;
    auto* peer = reinterpret_cast<sockaddr*>(&storage);
    FileDescriptor fd(::accept4(fd_.get(), peer, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      --round_.left;
      return AcceptedSocket{std::move(fd), SocketAddress(peer, bytes)};
    }
    if (concerns_one_client(errno)) continue;
    if (errno != EAGAIN) return Unexpected(last_error());
    round_ = {.size = round_.size - round_.left, .left = 0};
  }
}

Result<void> SystemListener::wait_for_clients(Deadline deadline) {
  constexpr int round_max = 64;
  if (!readiness_) readiness_.emplace(fd_.get());
  const auto outcome = readiness_->wait({"accept", this}, UV_READABLE, deadline);
  if (!outcome.woken()) return Unexpected(outcome.error());
  round_.size = std::clamp(2 * round_.size, 1, round_max);
  round_.left = round_.size;
  return {};
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<ListeningSocket>> detail::listen_on_system_socket(const SocketAddress& address,
                                                                         const ListenOptions& options) {
  auto fd = open_socket(address, SOCK_STREAM);
  if (!fd) return Unexpected(fd.error());
  const int descriptor = fd->get();
  set_listen_options(descriptor, address, options);
  if (address.is_unix()) remove_stale_socket(address);
  if (auto bound = bind_socket(descriptor, address); !bound) return Unexpected(bound.error());
  auto listener = std::make_unique<SystemListener>(*std::move(fd),
                                                   address.is_unix() ? address : bound_address(descriptor),
                                                   address.is_unix() ? address.host() : std::string());
  if (::listen(descriptor, options.backlog) != 0) return Unexpected(last_error());
  return Result<std::unique_ptr<ListeningSocket>>(std::move(listener));
}

Result<Listener> Listener::bind(const SocketAddress& address, const ListenOptions& options) {
  auto socket = this_world().listen(address, options);
  if (!socket) return Unexpected(socket.error());
  return Listener(*std::move(socket));
}

Result<StreamPtr> adopt_socket(AcceptedSocket socket) {
  if (socket.simulated != nullptr) return socket.simulated->attach();
  return uv::UvStream::open(std::move(socket.fd), socket.peer);
}

}  // namespace atlas
