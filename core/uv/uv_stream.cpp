#include <atlas/core/uv/uv_stream.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/last_error.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/uv/uv_driver.hpp>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>

namespace atlas::uv {
namespace {

using Buffers = std::array<uv_buf_t, Stream::pieces_max>;

unsigned fill(Buffers& buffers, std::span<const std::string_view> pieces) {
  ATLAS_ASSERT(pieces.size() <= buffers.size(), "too many pieces in one write");
  unsigned count = 0;
  for (const auto piece : pieces) {
    // libuv's buffers are not const, but a write does not write to them.
    buffers[count++] = uv_buf_init(const_cast<char*>(piece.data()), static_cast<unsigned>(piece.size()));
  }
  return count;
}

constexpr int send_flags = MSG_NOSIGNAL | MSG_DONTWAIT;

ssize_t send_piece(int descriptor, std::string_view piece, int flags = send_flags) noexcept {
  return ::send(descriptor, piece.data(), piece.size(), flags);
}

ssize_t send_pieces(int descriptor, std::span<const std::string_view> pieces) {
  std::array<iovec, Stream::pieces_max> vector;
  ATLAS_ASSERT(pieces.size() <= vector.size(), "too many pieces in one write");
  msghdr message{};
  message.msg_iov = vector.data();
  // An iovec is not const, but sending does not write to it.
  for (const auto piece : pieces) {
    vector[message.msg_iovlen++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  return ::sendmsg(descriptor, &message, send_flags);
}

ssize_t receive_into(int descriptor, std::span<char> room) noexcept {
  for (;;) {
    ssize_t count = ::recv(descriptor, room.data(), room.size(), MSG_DONTWAIT);
    if (count < 0 && errno == ENOTSOCK) count = ::read(descriptor, room.data(), room.size());  // a pipe
    if (count >= 0 || errno != EINTR) return count;
  }
}

}  // namespace

Result<StreamPtr> UvStream::open(FileDescriptor fd, const SocketAddress& peer) {
  uv_loop_t* loop = current_loop();
  StreamPtr owner(new UvStream(Scheduler::current()->chunks(), peer));
  auto& self = static_cast<UvStream&>(*owner);
  int status = 0;
  if (peer.is_unix()) {
    uv_pipe_init(loop, &self.handle_.pipe, 0);
    status = uv_pipe_open(&self.handle_.pipe, fd.get());
  } else {
    uv_tcp_init(loop, &self.handle_.tcp);
    status = uv_tcp_open(&self.handle_.tcp, fd.get());
  }
  self.handle()->data = &self;
  if (status != 0) return Unexpected(to_error(status));
  self.descriptor_ = fd.release();  // the handle owns it now
  self.resume_input();
  return owner;
}

// Only what the peer has taken is progress. The system's buffer may be so large that it has no room for more
// for minutes, while a slow peer takes from it all the time. A pipe does not say what is in it.
std::size_t UvStream::unsent_bytes() const noexcept {
  int with_system = 0;
  if (::ioctl(descriptor(), SIOCOUTQ, &with_system) != 0) with_system = 0;
  return stream()->write_queue_size + static_cast<std::size_t>(with_system);
}

// Without memory libuv makes no system call and comes to `on_input`, which reads by itself: from a socket
// with `recv`, whose way through the kernel is shorter than that of libuv's `read`. And libuv would take a
// reset right behind bytes for an end in good order.
void UvStream::on_room(uv_handle_t*, std::size_t, uv_buf_t* buffer) { *buffer = uv_buf_init(nullptr, 0); }

void UvStream::on_input(uv_stream_t* stream, ssize_t, const uv_buf_t*) {
  constexpr int reads_together_max = 32;  // others wait meanwhile
  auto& self = *static_cast<UvStream*>(stream->data);
  if (self.input_ != Input::open) return self.turned_away();
  for (int left = reads_together_max; left > 0 && self.read_once(); --left) {
  }
}

bool UvStream::read_once() {
  const auto room = receive_room(chunks_);
  const ssize_t count = receive_into(descriptor_, room);
  if (count > 0) {
    received(static_cast<std::size_t>(count));
    UvDriver::reported(stream()->loop, static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count) == room.size() && input_ == Input::open && !aborted();
  }
  if (count < 0 && errno == EAGAIN) {
    receive_cancelled();
    return false;
  }
  const auto error = count == 0 ? std::error_code() : detail::last_error();
  uv_read_stop(stream());
  input_ended_with(error);
  return false;
}

// The end of a body that is longer than the read-ahead pauses the input for as long as it takes until the
// reader's fiber runs. To stop and start again costs two calls of epoll_ctl, so libuv is only told when the
// system reports input a second time.
void UvStream::pause_input() noexcept { input_ = Input::full; }

void UvStream::turned_away() noexcept {
  if (input_ == Input::full) {
    input_ = Input::full_still;
    return;
  }
  input_ = Input::stopped;
  uv_read_stop(stream());
}

void UvStream::resume_input() noexcept {
  if (std::exchange(input_, Input::open) == Input::stopped) uv_read_start(stream(), on_room, on_input);
}

// Straight to the socket: uv_try_write asks after a queue that is empty here, and calls `write`, whose way
// through the kernel is longer. 1 % of a request's processor time.
Result<std::size_t> UvStream::try_write(std::span<const std::string_view> pieces) {
  if (aborted()) return Unexpected(std::errc::broken_pipe);
  if (writing()) return std::size_t{0};
  const ssize_t sent =
      pieces.size() == 1 ? send_piece(descriptor_, pieces[0]) : send_pieces(descriptor_, pieces);
  return taken(sent, pieces);
}

Result<std::size_t> UvStream::try_write_more(std::string_view bytes) {
  if (aborted()) return Unexpected(std::errc::broken_pipe);
  if (writing()) return std::size_t{0};
  return taken(send_piece(descriptor_, bytes, send_flags | MSG_MORE), {&bytes, 1});
}

Result<std::size_t> UvStream::taken(ssize_t sent, std::span<const std::string_view> pieces) {
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN) return std::size_t{0};
  if (errno == ENOTSOCK) return try_write_pipe(pieces);
  return Unexpected(detail::last_error());
}

Result<std::size_t> UvStream::try_write_pipe(std::span<const std::string_view> pieces) {
  Buffers buffers;
  const unsigned count = fill(buffers, pieces);
  const int status = uv_try_write(stream(), buffers.data(), count);
  if (status == UV_EAGAIN) return std::size_t{0};
  if (status < 0) return Unexpected(to_error(status));
  return static_cast<std::size_t>(status);
}

void UvStream::submit(std::span<const std::string_view> pieces) {
  Buffers buffers;
  const unsigned count = fill(buffers, pieces);
  write_.data = this;
  const auto on_done = [](uv_write_t* request, int status) {
    auto& self = *static_cast<UvStream*>(request->data);
    if (self.aborted()) return;
    self.written(status == 0 ? std::error_code() : to_error(status));
  };
  const int status = uv_write(&write_, stream(), buffers.data(), count, on_done);
  if (status != 0) abort();
}

Result<void> UvStream::shutdown_write() {
  if (aborted()) return Unexpected(std::errc::broken_pipe);
  if (writing()) return Unexpected(std::errc::operation_in_progress);
  if (::shutdown(descriptor_, SHUT_WR) == 0) return {};
  if (errno == ENOTSOCK) return abort(), Result<void>();  // a pipe has one direction, and keeps what it holds
  return Unexpected(detail::last_error());
}

SocketAddress UvStream::local_address() const {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(descriptor_, address, &bytes) != 0) return {};
  return SocketAddress(address, bytes);
}

void UvStream::prepare_reset() noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  static_cast<void>(::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

void UvStream::cut() noexcept {
  uv_close(handle(), [](uv_handle_t* handle) {
    auto* self = static_cast<UvStream*>(handle->data);
    self->closed_ = true;
    if (self->destroyed_) delete self;
  });
}

void UvStream::destroy() noexcept {
  destroyed_ = true;
  set_input_observer(nullptr);
  drop_input();  // the pool may be gone when libuv has closed the handle
  if (closed_) {
    delete this;
  } else {
    abort();
  }
}

}  // namespace atlas::uv
