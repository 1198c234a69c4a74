#include <atlas/core/filesystem.hpp>

#include <atlas/core/last_error.hpp>
#include <atlas/core/uv/uv_pool.hpp>
#include <atlas/core/uv/uv_status.hpp>

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using uv::FileCall;
using uv::without_value;

FileKind kind_of(uv_dirent_type_t type) {
  switch (type) {
    case UV_DIRENT_FILE: return FileKind::regular;
    case UV_DIRENT_DIR: return FileKind::directory;
    case UV_DIRENT_LINK: return FileKind::symlink;
    case UV_DIRENT_FIFO: return FileKind::fifo;
    case UV_DIRENT_SOCKET: return FileKind::socket;
    case UV_DIRENT_CHAR:
    case UV_DIRENT_BLOCK: return FileKind::device;
    default: return FileKind::unknown;
  }
}

/// A name that nobody can guess.
Result<std::string> random_name(const std::string& folder) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) {
    return Unexpected(detail::last_error());
  }
  return fmt::format("{}/.atlas-{:016x}.tmp", folder, number);
}

}  // namespace

Result<FileStatus> file_status(const std::string& path, Deadline deadline) {
  FileCall call;
  const auto done = call.run({"file status"}, deadline, [&](auto* loop, auto* request, auto on_done) {
    return uv_fs_stat(loop, request, path.c_str(), on_done);
  });
  if (!done) return Unexpected(done.error());
  return uv::to_status(call.raw().statbuf);
}

Result<FileStatus> file_status_no_follow(const std::string& path, Deadline deadline) {
  FileCall call;
  const auto done = call.run({"file status"}, deadline, [&](auto* loop, auto* request, auto on_done) {
    return uv_fs_lstat(loop, request, path.c_str(), on_done);
  });
  if (!done) return Unexpected(done.error());
  return uv::to_status(call.raw().statbuf);
}

Result<void> rename_file(const Renaming& names, Deadline deadline) {
  FileCall call;
  return without_value(call.run({"rename file"}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_rename(loop, request, names.from.c_str(), names.to.c_str(), done);
  }));
}

Result<void> remove_file(const std::string& path, Deadline deadline) {
  FileCall call;
  return without_value(call.run({"remove file"}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_unlink(loop, request, path.c_str(), done);
  }));
}

Result<void> make_directory(const std::string& path, unsigned mode, Deadline deadline) {
  FileCall call;
  return without_value(call.run({"make directory"}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_mkdir(loop, request, path.c_str(), static_cast<int>(mode), done);
  }));
}

Result<void> remove_directory(const std::string& path, Deadline deadline) {
  FileCall call;
  return without_value(call.run({"remove directory"}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_rmdir(loop, request, path.c_str(), done);
  }));
}

struct Directory::State {
  explicit State(uv_dir_t* opened) : handle(opened) {}
  ~State() {
    uv_fs_t request{};  // without a callback, it is done at once
    uv_fs_closedir(nullptr, &request, handle, nullptr);
    uv_fs_req_cleanup(&request);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> read_batch(Deadline deadline);

  uv_dir_t* handle;
  std::array<uv_dirent_t, 64> entries{};
  std::vector<DirectoryEntry> batch;
  std::size_t taken = 0;
};

Directory::Directory(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Directory::Directory(Directory&& other) noexcept = default;
Directory& Directory::operator=(Directory&& other) noexcept = default;
Directory::~Directory() = default;

Result<Directory> Directory::open(const std::string& path, Deadline deadline) {
  FileCall call;
  const auto done = call.run({"open directory"}, deadline, [&](auto* loop, auto* request, auto on_done) {
    return uv_fs_opendir(loop, request, path.c_str(), on_done);
  });
  if (!done) return Unexpected(done.error());
  return Directory(std::make_unique<State>(static_cast<uv_dir_t*>(call.raw().ptr)));
}

Result<void> Directory::State::read_batch(Deadline deadline) {
  handle->dirents = entries.data();
  handle->nentries = entries.size();
  FileCall call;
  const auto count = call.run({"read directory", this}, deadline, [&](auto* loop, auto* request, auto done) {
    return uv_fs_readdir(loop, request, handle, done);
  });
  if (!count) return Unexpected(count.error());
  batch.clear();
  taken = 0;
  for (std::size_t i = 0; i < *count; ++i) batch.push_back({entries[i].name, kind_of(entries[i].type)});
  return {};
}

Result<std::optional<DirectoryEntry>> Directory::next(Deadline deadline) {
  if (state_->taken == state_->batch.size()) {
    if (auto read = state_->read_batch(deadline); !read) return Unexpected(read.error());
    if (state_->batch.empty()) return std::optional<DirectoryEntry>();
  }
  return std::optional(std::move(state_->batch[state_->taken++]));
}

Result<TemporaryFile> TemporaryFile::create(const std::string& folder, const TemporaryFileOptions& options,
                                            Deadline deadline) {
  for (;;) {
    const auto path = random_name(folder);
    if (!path) return Unexpected(path.error());
    const OpenOptions open{.write = true, .create = true, .exclusive = true, .mode = options.mode};
    auto file = File::open(*path, open, deadline);
    if (file) return TemporaryFile(*std::move(file), *path);
    if (file.error() != std::errc::file_exists) return Unexpected(file.error());
  }
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : file_(std::move(other.file_)), path_(std::exchange(other.path_, {})) {}

TemporaryFile& TemporaryFile::operator=(TemporaryFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> TemporaryFile::rename_to(const std::string& path, Deadline deadline) {
  auto renamed = rename_file({.from = path_, .to = path}, deadline);
  if (renamed) path_.clear();
  return renamed;
}

}  // namespace atlas
