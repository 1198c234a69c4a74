// What libuv says of a file, in Atlas' terms. Internal.
#pragma once

#include <atlas/core/file.hpp>

#include <uv.h>

#include <sys/stat.h>

namespace atlas::uv {

[[nodiscard]] inline FileKind kind_of_mode(std::uint64_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return FileKind::regular;
    case S_IFDIR: return FileKind::directory;
    case S_IFLNK: return FileKind::symlink;
    case S_IFIFO: return FileKind::fifo;
    case S_IFSOCK: return FileKind::socket;
    case S_IFCHR:
    case S_IFBLK: return FileKind::device;
    default: return FileKind::unknown;
  }
}

[[nodiscard]] inline std::chrono::system_clock::time_point to_time(const uv_timespec_t& time) noexcept {
  const auto since_epoch = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since_epoch));
}

[[nodiscard]] inline FileStatus to_status(const uv_stat_t& status) noexcept {
  return {.kind = kind_of_mode(status.st_mode),
          .bytes = status.st_size,
          .mode = static_cast<unsigned>(status.st_mode & 07777),
          .links = status.st_nlink,
          .modified = to_time(status.st_mtim),
          .changed = to_time(status.st_ctim),
          .device = status.st_dev,
          .inode = status.st_ino};
}

}  // namespace atlas::uv
