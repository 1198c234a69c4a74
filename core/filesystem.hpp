// Names of files: asked after, changed, removed, listed, and given for a while. What is said in file.hpp of
// every call holds here too.
#pragma once

#include <atlas/core/file.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

namespace atlas {

/// Suspends. Of what `path` names; a symlink is followed to its end.
[[nodiscard]] Result<FileStatus> file_status(const std::string& path, Deadline deadline = {});
/// Suspends. As `file_status`, but of a symlink itself.
[[nodiscard]] Result<FileStatus> file_status_no_follow(const std::string& path, Deadline deadline = {});

struct Renaming {
  std::string from;
  std::string to;
};

/// Suspends. In one step; what `to` named before is replaced. cross_device_link from one file system to
/// another.
Result<void> rename_file(const Renaming& names, Deadline deadline = {});
/// Suspends. The file itself goes with its last name and its last open descriptor.
Result<void> remove_file(const std::string& path, Deadline deadline = {});
/// Suspends. The process's umask is taken off `mode`.
Result<void> make_directory(const std::string& path, unsigned mode = 0777, Deadline deadline = {});
/// Suspends. directory_not_empty when it is not.
Result<void> remove_directory(const std::string& path, Deadline deadline = {});

struct DirectoryEntry {
  std::string name;                   ///< Without the folder.
  FileKind kind = FileKind::unknown;  ///< Some file systems do not say.
};

/// The entries of a folder, in no order, without "." and "..". Holds 64 of them at most, however many there
/// are. Of the thread that opened it.
///
///   auto inbox = Directory::open("inbox").value();
///   for (const auto& entry : inbox) handle(entry.name);
class Directory {
 public:
  /// Suspends.
  [[nodiscard]] static Result<Directory> open(const std::string& path, Deadline deadline = {});
  Directory(Directory&& other) noexcept;
  Directory& operator=(Directory&& other) noexcept;
  ~Directory();

  /// Suspends now and then. None after the last.
  Result<std::optional<DirectoryEntry>> next(Deadline deadline = {});

  class Iterator;
  /// Steps suspend now and then, and throw std::system_error.
  [[nodiscard]] Iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  struct State;
  explicit Directory(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

class Directory::Iterator {
 public:
  using value_type = DirectoryEntry;
  using difference_type = std::ptrdiff_t;

  explicit Iterator(Directory& directory) : directory_(&directory) { ++*this; }
  const DirectoryEntry& operator*() const { return *entry_; }
  const DirectoryEntry* operator->() const { return &*entry_; }
  Iterator& operator++() {
    entry_ = directory_->next().value();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
    return !iterator.entry_;
  }

 private:
  Directory* directory_;
  std::optional<DirectoryEntry> entry_;
};

inline Directory::Iterator Directory::begin() { return Iterator(*this); }

struct TemporaryFileOptions {
  unsigned mode = 0600;  ///< Less the process's umask.
};

/// A file to read and write under a name of its own, which is removed with the object.
class TemporaryFile {
 public:
  /// Suspends.
  [[nodiscard]] static Result<TemporaryFile> create(const std::string& folder,
                                                    const TemporaryFileOptions& options = {},
                                                    Deadline deadline = {});
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&& other) noexcept;
  /// Removes the name at once, without suspending.
  ~TemporaryFile();

  [[nodiscard]] File& file() noexcept { return file_; }
  /// Empty once it was renamed.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Suspends. Gives it a lasting name on the same file system; what had that name is replaced.
  Result<void> rename_to(const std::string& path, Deadline deadline = {});

 private:
  TemporaryFile(File file, std::string path) noexcept : file_(std::move(file)), path_(std::move(path)) {}

  File file_;
  std::string path_;
};

}  // namespace atlas
