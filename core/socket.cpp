#include <atlas/core/socket.hpp>

#include <atlas/core/native_socket.hpp>
#include <atlas/core/uv/uv_poll.hpp>
#include <atlas/core/uv/uv_stream.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace atlas {
namespace {

using detail::bound_address;
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

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

class Listener::Poll : public uv::Readiness {
 public:
  using Readiness::Readiness;
};

Listener::Listener(FileDescriptor fd, SocketAddress address, std::string owned_path)
    : fd_(std::move(fd)), address_(std::move(address)), owned_path_(std::move(owned_path)) {}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::move(other.fd_)),
      address_(std::move(other.address_)),
      owned_path_(std::exchange(other.owned_path_, {})),
      poll_(std::move(other.poll_)),
      round_(other.round_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  Listener taken(std::move(other));
  std::swap(fd_, taken.fd_);
  std::swap(address_, taken.address_);
  std::swap(owned_path_, taken.owned_path_);
  std::swap(poll_, taken.poll_);
  std::swap(round_, taken.round_);
  return *this;
}

Listener::~Listener() {
  poll_.reset();
  if (!owned_path_.empty()) ::unlink(owned_path_.c_str());
}

Result<Listener> Listener::bind(const SocketAddress& address, const ListenOptions& options) {
  auto fd = detail::open_socket(address, SOCK_STREAM);
  if (!fd) return Unexpected(fd.error());
  set_listen_options(fd->get(), address, options);
  if (address.is_unix()) remove_stale_socket(address);
  if (auto bound = detail::bind_socket(fd->get(), address); !bound) return Unexpected(bound.error());
  Listener listener(*std::move(fd), address, address.is_unix() ? address.host() : std::string());
  if (::listen(listener.fd_.get(), options.backlog) != 0) return Unexpected(last_error());
  if (!address.is_unix()) listener.address_ = bound_address(listener.fd_.get());
  return listener;
}

// Asking for a connection that is not there costs nearly as much as accepting one, so a round asks for as
// many as the last one found, and for more while they keep coming; then the loop has its turn.
Result<AcceptedSocket> Listener::accept() {
  for (;;) {
    if (round_.left == 0) {
      if (auto ready = wait_for_clients(); !ready) return Unexpected(ready.error());
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

Result<void> Listener::wait_for_clients() {
  constexpr int round_max = 64;
  if (!poll_) poll_ = std::make_unique<Poll>(fd_.get());
  const auto outcome = poll_->wait({"accept", this}, UV_READABLE);
  if (!outcome.woken()) return Unexpected(outcome.error());
  round_.size = std::clamp(2 * round_.size, 1, round_max);
  round_.left = round_.size;
  return {};
}

Result<StreamPtr> adopt_socket(FileDescriptor fd, const SocketAddress& peer) {
  return uv::UvStream::open(std::move(fd), peer);
}

}  // namespace atlas
