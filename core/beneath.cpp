#include <atlas/core/beneath.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>

namespace atlas::detail {
namespace {

constexpr std::uint64_t resolve_cached = 0x20;  // RESOLVE_CACHED, Linux 5.12

std::uint64_t resolve_flags(Symlinks symlinks) {
  switch (symlinks) {
    case Symlinks::refused: return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    case Symlinks::within: return RESOLVE_BENEATH;
    case Symlinks::followed: return 0;
  }
  return RESOLVE_BENEATH;
}

int or_errno(int fd) { return fd < 0 ? -errno : fd; }

int try_openat2(const Name& name, int flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.resolve = resolve;
  return or_errno(static_cast<int>(::syscall(SYS_openat2, name.folder, name.path.c_str(), &how, sizeof how)));
}

/// A folder or file beneath `folder` that is no symlink.
int open_part(int folder, const std::string& part, int flags) {
  FileDescriptor fd(::openat(folder, part.c_str(), flags | O_NOFOLLOW));
  if (!fd) return -errno;
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return -errno;
  if (S_ISLNK(status.st_mode)) return -ELOOP;  // O_PATH opens the symlink itself
  return fd.release();
}

int open_part_by_part(const Name& name, int flags) {
  FileDescriptor folder;
  std::string_view rest = name.path;
  for (auto slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    if (rest.substr(0, slash) == "..") return -EXDEV;
    const int next = open_part(folder ? folder.get() : name.folder, std::string(rest.substr(0, slash)),
                               O_PATH | O_CLOEXEC);
    if (next < 0) return next;
    folder = FileDescriptor(next);
    rest.remove_prefix(slash + 1);
  }
  if (rest == "..") return -EXDEV;
  return open_part(folder ? folder.get() : name.folder, std::string(rest), flags);
}

using Link = std::array<char, 32>;

Link link_of(int fd) {
  Link link{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  return link;
}

/// Empty when the system does not say.
std::string path_of(int fd) {
  std::string path(4096, '\0');
  const auto bytes = ::readlink(link_of(fd).data(), path.data(), path.size());
  path.resize(bytes < 0 || static_cast<std::size_t>(bytes) == path.size() ? 0
                                                                          : static_cast<std::size_t>(bytes));
  return path;
}

bool lies_within(const std::string& path, const std::string& folder) {
  if (path.empty() || folder.empty()) return false;
  return folder == "/" || path == folder || path.starts_with(folder + "/");
}

// Found first, looked at, and only then opened: opening may already do something, out there.
int open_what_lies_within(const Name& name, int flags) {
  FileDescriptor found(::openat(name.folder, name.path.c_str(), O_PATH | O_CLOEXEC));
  if (!found) return -errno;
  if (!lies_within(path_of(found.get()), path_of(name.folder))) return -EXDEV;
  if ((flags & O_PATH) != 0) return found.release();
  return or_errno(::open(link_of(found.get()).data(), flags));
}

}  // namespace

int open_beneath(const Name& name, int flags, bool cached) {
  const auto resolve = resolve_flags(name.symlinks);
  if (cached) {
    const int fd = try_openat2(name, flags, resolve | resolve_cached);
    const bool unknown = fd == -EINVAL || fd == -ENOSYS || fd == -EPERM;
    return unknown ? -EAGAIN : fd;
  }
  constexpr int attempts = 8;  // EAGAIN says that something was renamed meanwhile
  int fd = -EAGAIN;
  for (int i = 0; i < attempts && fd == -EAGAIN; ++i) fd = try_openat2(name, flags, resolve);
  return fd == -ENOSYS || fd == -EPERM ? open_beneath_by_hand(name, flags) : fd;
}

int open_beneath_by_hand(const Name& name, int flags) {
  switch (name.symlinks) {
    case Symlinks::refused: return open_part_by_part(name, flags);
    case Symlinks::within: return open_what_lies_within(name, flags);
    case Symlinks::followed: return or_errno(::openat(name.folder, name.path.c_str(), flags));
  }
  return -EINVAL;
}

}  // namespace atlas::detail
