#include <atlas/core/standard_streams.hpp>

#include <atlas/core/last_error.hpp>
#include <atlas/core/signals.hpp>
#include <atlas/core/uv/uv_file.hpp>
#include <atlas/core/uv/uv_poll.hpp>
#include <atlas/core/uv/uv_pool.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace atlas {
namespace {

Result<FileDescriptor> copy_of(int standard) {
  FileDescriptor copy(::fcntl(standard, F_DUPFD_CLOEXEC, 3));
  if (!copy) return Unexpected(detail::last_error());
  return copy;
}

bool readable_now(int fd) {
  pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, 0) != 0;
}

// As for writers in core/uv: libuv would make the descriptor non-blocking for all who share it, so it gets to
// see an epoll instance with the descriptor inside. Files, which poll(2) calls ready at any time, do not come
// here.
Result<void> wait_until_readable(int fd, Deadline deadline) {
  if (readable_now(fd)) return {};
  const FileDescriptor watch(::epoll_create1(EPOLL_CLOEXEC));
  if (!watch) return Unexpected(detail::last_error());
  epoll_event event{.events = EPOLLIN, .data = {}};
  if (::epoll_ctl(watch.get(), EPOLL_CTL_ADD, fd, &event) != 0) return Unexpected(detail::last_error());
  uv::Readiness readiness(watch.get());
  const auto outcome = readiness.wait({"read input"}, UV_READABLE, deadline);
  if (!outcome.woken()) return Unexpected(outcome.error());
  return {};
}

Result<DescriptorWriter> writer_to(int standard) {
  auto copy = copy_of(standard);
  if (!copy) return Unexpected(copy.error());
  ignore_broken_pipes();
  return DescriptorWriter(*std::move(copy));
}

}  // namespace

Result<std::size_t> DescriptorReader::read_some(std::span<char> into, Deadline deadline) {
  for (;;) {
    if (auto ready = wait_until_readable(fd_.get(), deadline); !ready) return Unexpected(ready.error());
    const auto count = uv::call_in_pool({"read input", this}, deadline, [&]() -> std::intptr_t {
      const auto read = ::read(fd_.get(), into.data(), into.size());
      return read < 0 ? -errno : read;
    });
    if (count.error() != std::errc::resource_unavailable_try_again) return count;
  }
}

DescriptorWriter::DescriptorWriter(FileDescriptor fd)
    : writer_(std::make_unique<uv::FileWriter>(std::move(fd))) {}
DescriptorWriter::DescriptorWriter(DescriptorWriter&& other) noexcept = default;
DescriptorWriter& DescriptorWriter::operator=(DescriptorWriter&& other) noexcept = default;
DescriptorWriter::~DescriptorWriter() = default;

Result<void> DescriptorWriter::write(std::string_view bytes, Deadline deadline) {
  return writer_->write_all(bytes, deadline);
}

Result<DescriptorReader> standard_input() {
  auto copy = copy_of(STDIN_FILENO);
  if (!copy) return Unexpected(copy.error());
  return DescriptorReader(*std::move(copy));
}

Result<DescriptorWriter> standard_output() { return writer_to(STDOUT_FILENO); }
Result<DescriptorWriter> standard_error() { return writer_to(STDERR_FILENO); }

}  // namespace atlas
