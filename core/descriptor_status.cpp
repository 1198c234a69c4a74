#include <atlas/core/descriptor_status.hpp>

#include <atlas/core/last_error.hpp>
#include <atlas/core/uv/uv_status.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace atlas::detail {
namespace {

uv_timespec_t to_timespec(const statx_timestamp& time) noexcept {
  return {static_cast<long>(time.tv_sec), static_cast<long>(time.tv_nsec)};
}

}  // namespace

Result<FileStatus> try_status(int descriptor) {
  struct statx facts {};
  if (::statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &facts) != 0) {
    return Unexpected(detail::last_error());
  }
  return FileStatus{.kind = uv::kind_of_mode(facts.stx_mode),
                    .bytes = facts.stx_size,
                    .mode = static_cast<unsigned>(facts.stx_mode & 07777),
                    .links = facts.stx_nlink,
                    .modified = uv::to_time(to_timespec(facts.stx_mtime)),
                    .changed = uv::to_time(to_timespec(facts.stx_ctime)),
                    .device = makedev(facts.stx_dev_major, facts.stx_dev_minor),
                    .inode = facts.stx_ino};
}

}  // namespace atlas::detail
