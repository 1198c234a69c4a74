#include <atlas/core/uv/uv_stream.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/uv/uv_driver.hpp>

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
  static_cast<void>(fd.release());  // the handle owns it now
  self.resume_input();
  return owner;
}

void UvStream::on_room(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  auto& self = *static_cast<UvStream*>(handle->data);
  const auto room = self.receive_room(self.chunks_);
  *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
}

void UvStream::on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
  auto& self = *static_cast<UvStream*>(stream->data);
  if (count > 0) return self.received(static_cast<std::size_t>(count));
  if (count == 0) return self.receive_cancelled();
  uv_read_stop(stream);
  self.input_ended_with(count == UV_EOF ? std::error_code() : to_error(static_cast<int>(count)));
}

void UvStream::pause_input() noexcept { uv_read_stop(stream()); }

void UvStream::resume_input() noexcept { uv_read_start(stream(), on_room, on_read); }

Result<std::size_t> UvStream::try_write(std::span<const std::string_view> pieces) {
  if (aborted()) return Unexpected(std::errc::broken_pipe);
  Buffers buffers;
  const unsigned count = fill(buffers, pieces);
  const int written = uv_try_write(stream(), buffers.data(), count);
  if (written >= 0) return static_cast<std::size_t>(written);
  if (written == UV_EAGAIN) return std::size_t{0};
  return Unexpected(to_error(written));
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
  if (::shutdown(descriptor(), SHUT_WR) == 0) return {};
  return Unexpected(std::error_code(errno, std::system_category()));
}

int UvStream::descriptor() const noexcept {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle_), &fd);
  return fd;
}

SocketAddress UvStream::local_address() const {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(descriptor(), address, &bytes) != 0) return {};
  return SocketAddress(address, bytes);
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
