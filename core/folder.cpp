#include <atlas/core/folder.hpp>

#include <atlas/core/beneath.hpp>
#include <atlas/core/descriptor_status.hpp>
#include <atlas/core/last_error.hpp>
#include <atlas/core/uv/uv_pool.hpp>

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace atlas {
namespace {

using detail::Name;

struct Found {
  FileDescriptor fd;  // none when only the status was asked for
  FileStatus status;
};

int errno_of(std::error_code error) { return -error.value(); }

int take_status(int fd, FileStatus& status) {
  auto found = detail::try_status(fd);
  if (!found) return errno_of(found.error());
  status = *found;
  return 0;
}

int look(const Name& name, bool cached, Found& found) {
  const FileDescriptor place(detail::open_beneath(name, O_PATH | O_CLOEXEC, cached));
  if (!place) return place.get();
  return take_status(place.get(), found.status);
}

int refusal(FileKind kind) {
  if (kind == FileKind::regular) return 0;
  return kind == FileKind::directory ? -EISDIR : -EPERM;
}

// Opening a FIFO or a device does something already: what it is is looked at first. Should another thing have
// taken its place since, O_NONBLOCK keeps it from holding the thread.
int look_and_open(const Name& name, bool cached, Found& found) {
  if (const int failed = look(name, cached, found); failed < 0) return failed;
  if (const int refused = refusal(found.status.kind); refused < 0) return refused;
  found.fd = FileDescriptor(detail::open_beneath(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, cached));
  if (!found.fd) return found.fd.get();
  if (const int failed = take_status(found.fd.get(), found.status); failed < 0) return failed;
  return refusal(found.status.kind);
}

using Step = int(const Name& name, bool cached, Found& found);

/// Suspends, if what the system has in memory does not do.
Result<Found> in_pool_if_need_be(const Name& name, Deadline deadline, Step* step) {
  const bool sound = !name.path.empty() && name.path.find('\0') == std::string::npos;
  if (!sound || (name.folder != AT_FDCWD && name.path.front() == '/'))
    return Unexpected(std::errc::invalid_argument);
  Found found;
  const int done = step(name, true, found);
  if (done == 0) return found;
  if (done != -EAGAIN) return Unexpected(std::error_code(-done, std::system_category()));
  const auto later =
      uv::call_in_pool({"find file"}, deadline, [&]() -> std::intptr_t { return step(name, false, found); });
  if (!later) return Unexpected(later.error());
  return found;
}

Result<FoundFile> as_file(Result<Found> found) {
  if (!found) return Unexpected(found.error());
  return FoundFile{.file = File(std::move(found->fd)), .status = found->status};
}

}  // namespace

Result<Folder> Folder::open(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Unexpected(detail::last_error());
  return Folder(std::move(fd));
}

Result<FileStatus> Folder::status(const std::string& name, Symlinks symlinks, Deadline deadline) const {
  const auto found = in_pool_if_need_be({fd_.get(), name, symlinks}, deadline, look);
  if (!found) return Unexpected(found.error());
  return found->status;
}

Result<FoundFile> Folder::find(const std::string& name, Symlinks symlinks, Deadline deadline) const {
  return as_file(in_pool_if_need_be({fd_.get(), name, symlinks}, deadline, look_and_open));
}

Result<FoundFile> find_file(const std::string& path, Deadline deadline) {
  if (!path.starts_with('/')) return Unexpected(std::errc::invalid_argument);
  return as_file(in_pool_if_need_be({AT_FDCWD, path, Symlinks::followed}, deadline, look_and_open));
}

}  // namespace atlas
