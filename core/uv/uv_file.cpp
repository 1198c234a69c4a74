#include <atlas/core/uv/uv_file.hpp>

#include <atlas/core/last_error.hpp>
#include <atlas/core/uv/uv_driver.hpp>
#include <atlas/core/uv/uv_poll.hpp>
#include <atlas/core/wait.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

namespace atlas::uv {
namespace {

/// A request to the thread pool. It owns what the pool's thread works on and frees itself when libuv is done
/// with it, which may be long after the fiber gave up waiting.
struct Operation {
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() { uv_fs_req_cleanup(&request); }

  uv_fs_t request{};
  Waker waker;
  std::string bytes;
  std::shared_ptr<const FileDescriptor> fd;
};

// A file that was opened too late for anybody is closed again.
void on_done(uv_fs_t* request) {
  std::unique_ptr<Operation> operation(static_cast<Operation*>(request->data));
  const bool opened = request->fs_type == UV_FS_OPEN && request->result >= 0;
  FileDescriptor file(opened ? static_cast<int>(request->result) : -1);
  const auto result = request->result;
  const Waker waker = operation->waker;
  operation.reset();
  if (waker.pending()) static_cast<void>(file.release());
  waker.wake(result);
}

/// Suspends until the operation that `submit` starts is done; its result.
template <class Submit>
Result<std::size_t> perform(WaitReason reason, std::unique_ptr<Operation> operation, Deadline deadline,
                            const Submit& submit) {
  Wait wait(reason);
  operation->waker = wait.waker();
  operation->request.data = operation.get();
  if (const int status = submit(current_loop(), *operation); status < 0) return Unexpected(to_error(status));
  Operation& submitted = *operation.release();
  const auto outcome = wait.park(deadline);
  if (!outcome.woken()) {
    submitted.waker = {};
    uv_cancel(reinterpret_cast<uv_req_t*>(&submitted.request));
    return Unexpected(outcome.error());
  }
  if (outcome.value < 0) return Unexpected(to_error(static_cast<int>(outcome.value)));
  return static_cast<std::size_t>(outcome.value);
}

bool writable_now(int fd) {
  pollfd polled{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&polled, 1, 0) != 0;
}

// libuv would make the descriptor itself non-blocking, for everyone who shares it: it gets to see an
// epoll instance with the descriptor inside.
Result<void> wait_until_writable(int fd, Deadline deadline) {
  if (writable_now(fd)) return {};
  const FileDescriptor watch(epoll_create1(EPOLL_CLOEXEC));
  if (!watch) return Unexpected(detail::last_error());
  epoll_event event{.events = EPOLLOUT, .data = {}};
  if (epoll_ctl(watch.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Unexpected(detail::last_error());
  }
  Readiness readiness(watch.get());
  const auto outcome = readiness.wait({"write to file"}, UV_READABLE, deadline);
  if (!outcome.woken()) return Unexpected(outcome.error());
  return {};
}

/// Whether it is a regular file or a device such as /dev/null, which never let a writer wait for a reader.
bool takes_everything(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return false;
  return S_ISREG(status.st_mode) || (S_ISCHR(status.st_mode) && isatty(fd) == 0);
}

}  // namespace

Result<FileDescriptor> open_file(const std::string& path, int flags, int mode, Deadline deadline) {
  const auto submit = [&](uv_loop_t* loop, Operation& operation) {
    return uv_fs_open(loop, &operation.request, path.c_str(), flags | O_CLOEXEC, mode, on_done);
  };
  const auto fd = perform({"open file"}, std::make_unique<Operation>(), deadline, submit);
  if (!fd) return Unexpected(fd.error());
  return FileDescriptor(static_cast<int>(*fd));
}

FileWriter::FileWriter(FileDescriptor fd)
    : fd_(std::make_shared<const FileDescriptor>(std::move(fd))),
      pipe_bytes_(fcntl(fd_->get(), F_GETPIPE_SZ)),
      takes_everything_(takes_everything(fd_->get())) {}

// A blocking pipe that poll(2) calls writable takes PIPE_BUF at least, and an empty one all it can hold.
// PIPE_BUF fits into writable sockets and terminals as well, as long as nobody else writes to them meanwhile.
std::size_t FileWriter::piece_bytes_max() const {
  constexpr std::size_t unhindered_bytes = std::size_t{256} * 1024;
  if (takes_everything_ || (fcntl(fd_->get(), F_GETFL) & O_NONBLOCK) != 0) return unhindered_bytes;
  int unread_bytes = 0;
  const bool empty_pipe =
      pipe_bytes_ > 0 && ioctl(fd_->get(), FIONREAD, &unread_bytes) == 0 && unread_bytes == 0;
  return empty_pipe ? static_cast<std::size_t>(pipe_bytes_) : PIPE_BUF;
}

Result<std::size_t> FileWriter::write_some(std::string_view bytes, Deadline deadline) {
  const auto submit = [](uv_loop_t* loop, Operation& operation) {
    const auto buffer = uv_buf_init(operation.bytes.data(), static_cast<unsigned>(operation.bytes.size()));
    return uv_fs_write(loop, &operation.request, operation.fd->get(), &buffer, 1, -1, on_done);
  };
  for (;;) {
    if (const auto ready = wait_until_writable(fd_->get(), deadline); !ready)
      return Unexpected(ready.error());
    auto operation = std::make_unique<Operation>();
    operation->bytes = bytes.substr(0, piece_bytes_max());
    operation->fd = fd_;
    auto written = perform({"write to file", this}, std::move(operation), deadline, submit);
    if (written.error() != std::errc::resource_unavailable_try_again) return written;
  }
}

Result<void> FileWriter::write_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto written = write_some(bytes, deadline);
    if (!written) return Unexpected(written.error());
    bytes.remove_prefix(*written);
  }
  return {};
}

Result<void> write_all(int fd, std::string_view bytes, Deadline deadline) {
  FileDescriptor copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return Unexpected(detail::last_error());
  return FileWriter(std::move(copy)).write_all(bytes, deadline);
}

}  // namespace atlas::uv
