// Regular files looked up beneath a folder by names that strangers give. What is said in file.hpp of every
// call holds here too; what the system has in memory is answered without the thread pool.
#pragma once

#include <atlas/core/file.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>

#include <cstdint>
#include <string>

namespace atlas {

/// Which symlinks a name may lead through.
enum class Symlinks : std::uint8_t {
  refused,  ///< None: too_many_symbolic_link_levels.
  within,  ///< Those that do not leave the folder, not even for a while: cross_device_link. Absolute ones do.
  followed,  ///< All.
};

/// A regular file that was found.
struct FoundFile {
  File file;
  FileStatus status;
};

/// An open folder. It stays the same one when its name is given to another. Of any thread, any number at
/// once.
class Folder {
 public:
  /// Does not suspend, but may wait for the disk: for when a program starts. not_a_directory when it is none.
  [[nodiscard]] static Result<Folder> open(const std::string& path);

  /// Suspends, if the system must ask the disk. Of what `name` names beneath the folder: parts with slashes
  /// between them, none in front (invalid_argument). The folder itself is ".".
  [[nodiscard]] Result<FileStatus> status(const std::string& name, Symlinks symlinks,
                                          Deadline deadline = {}) const;
  /// Suspends, if the system must ask the disk. is_a_directory for folders; operation_not_permitted for what
  /// is neither, which is not opened.
  [[nodiscard]] Result<FoundFile> find(const std::string& name, Symlinks symlinks,
                                       Deadline deadline = {}) const;

 private:
  explicit Folder(FileDescriptor fd) noexcept : fd_(std::move(fd)) {}

  FileDescriptor fd_;
};

/// As Folder::find, of an absolute path, all symlinks followed.
[[nodiscard]] Result<FoundFile> find_file(const std::string& path, Deadline deadline = {});

}  // namespace atlas
