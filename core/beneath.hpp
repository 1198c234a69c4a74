// Opening names beneath a folder. Internal: see folder.hpp.
#pragma once

#include <atlas/core/folder.hpp>
#include <atlas/core/socket.hpp>

#include <cerrno>
#include <string>

namespace atlas::detail {

struct Name {
  int folder;  ///< A descriptor, or AT_FDCWD.
  const std::string& path;
  Symlinks symlinks = Symlinks::within;
};

/// A descriptor or a negative errno. `cached`: EAGAIN when it is not all in memory.
[[nodiscard]] int open_beneath(const Name& name, int flags, bool cached);

/// The same where the kernel has no openat2 (before Linux 5.6), or must not be asked: slower.
[[nodiscard]] int open_beneath_by_hand(const Name& name, int flags);

}  // namespace atlas::detail
