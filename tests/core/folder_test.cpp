#include <atlas/core/folder.hpp>

#include <atlas/core/beneath.hpp>
#include <atlas/core/event_loop.hpp>
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace atlas {
namespace {

using testing::TemporaryFolder;

/// outer/secret, and outer/inner with a file, a folder and symlinks of all kinds.
class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    std::filesystem::create_directories(path("inner/sub"));
    write("secret", "secret");
    write("inner/file", "text");
    write("inner/sub/file", "below");
    std::filesystem::create_symlink("sub/file", path("inner/inside"));
    std::filesystem::create_symlink("../secret", path("inner/outside"));
    std::filesystem::create_symlink(path("inner/file"), path("inner/absolute"));
    std::filesystem::create_directory_symlink("..", path("inner/up"));
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_.file(name); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  /// What find says.
  [[nodiscard]] std::error_code error_of(const std::string& name, Symlinks symlinks) const {
    std::error_code error;
    run_event_loop([&] { error = Folder::open(path("inner")).value().find(name, symlinks).error(); });
    return error;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(FolderTest, FindsRegularFilesAndTellsTheirStatus) {
  run_event_loop([&] {
    const auto folder = Folder::open(path("inner")).value();
    const auto found = folder.find("sub/file", Symlinks::refused).value();
    char text[8] = {};
    EXPECT_EQ(found.file.read_some_at(0, text).value(), 5U);
    EXPECT_EQ(std::string(text), "below");
    EXPECT_EQ(found.status, found.file.status().value());
    EXPECT_EQ(found.status, folder.status("sub/file", Symlinks::refused).value());
    EXPECT_EQ(folder.status("sub", Symlinks::refused).value().kind, FileKind::directory);
    EXPECT_EQ(folder.status(".", Symlinks::refused).value().kind, FileKind::directory);
  });
}

TEST_F(FolderTest, FollowsSymlinksAsFarAsItIsTold) {
  for (const char* name : {"outside", "absolute", "up/secret"}) {
    EXPECT_EQ(error_of(name, Symlinks::refused), std::errc::too_many_symbolic_link_levels) << name;
    EXPECT_EQ(error_of(name, Symlinks::within), std::errc::cross_device_link) << name;
    EXPECT_FALSE(error_of(name, Symlinks::followed)) << name;
  }
  EXPECT_EQ(error_of("inside", Symlinks::refused), std::errc::too_many_symbolic_link_levels);
  EXPECT_FALSE(error_of("inside", Symlinks::within));
}

TEST_F(FolderTest, NamesDoNotLeadOut) {
  EXPECT_EQ(error_of("../secret", Symlinks::within), std::errc::cross_device_link);
  EXPECT_EQ(error_of("sub/../../secret", Symlinks::within), std::errc::cross_device_link);
  EXPECT_EQ(error_of("..", Symlinks::refused), std::errc::cross_device_link);
}

TEST_F(FolderTest, RefusesNamesThatAreNone) {
  EXPECT_EQ(error_of("", Symlinks::within), std::errc::invalid_argument);
  EXPECT_EQ(error_of("/etc/passwd", Symlinks::followed), std::errc::invalid_argument);
  EXPECT_EQ(error_of(std::string("file\0", 5), Symlinks::within), std::errc::invalid_argument);
  EXPECT_EQ(error_of("missing", Symlinks::within), std::errc::no_such_file_or_directory);
  EXPECT_EQ(error_of("file/more", Symlinks::within), std::errc::not_a_directory);
}

TEST_F(FolderTest, DoesNotOpenWhatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo(path("inner/fifo").c_str(), 0600), 0);
  EXPECT_EQ(error_of("fifo", Symlinks::within), std::errc::operation_not_permitted);
  EXPECT_EQ(error_of("sub", Symlinks::within), std::errc::is_a_directory);
  EXPECT_EQ(error_of(".", Symlinks::within), std::errc::is_a_directory);
}

TEST_F(FolderTest, StaysTheSameWhenItsNameIsGivenToAnother) {
  run_event_loop([&] {
    const auto folder = Folder::open(path("inner")).value();
    std::filesystem::rename(path("inner"), path("old"));
    std::filesystem::create_directory(path("inner"));
    EXPECT_TRUE(folder.find("file", Symlinks::within));
  });
}

TEST_F(FolderTest, OpensFoldersOnly) {
  EXPECT_EQ(Folder::open(path("secret")).error(), std::errc::not_a_directory);
  EXPECT_EQ(Folder::open(path("missing")).error(), std::errc::no_such_file_or_directory);
}

TEST_F(FolderTest, AFileIsFoundByItsAbsolutePath) {
  run_event_loop([&] {
    EXPECT_EQ(find_file(path("secret")).value().status.bytes, 6U);
    EXPECT_EQ(find_file("secret").error(), std::errc::invalid_argument);
    EXPECT_EQ(find_file(path("inner")).error(), std::errc::is_a_directory);
  });
}

// Where the kernel has no openat2.
TEST_F(FolderTest, ByHandTheSameIsFoundAndRefused) {
  const int inner = ::open(path("inner").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  ASSERT_GE(inner, 0);
  const FileDescriptor closer(inner);
  const auto open = [&](const std::string& name, Symlinks symlinks, int flags) {
    const FileDescriptor fd(detail::open_beneath_by_hand({inner, name, symlinks}, flags | O_CLOEXEC));
    return fd ? 0 : -fd.get();
  };
  for (const int flags : {O_RDONLY, O_PATH}) {
    for (const auto symlinks : {Symlinks::refused, Symlinks::within}) {
      EXPECT_EQ(open("file", symlinks, flags), 0);
      EXPECT_EQ(open("sub/file", symlinks, flags), 0);
      EXPECT_EQ(open("sub", symlinks, flags), 0);
      EXPECT_EQ(open("missing", symlinks, flags), ENOENT);
      EXPECT_EQ(open("file/more", symlinks, flags), ENOTDIR);
      EXPECT_EQ(open("../secret", symlinks, flags), EXDEV);
    }
    EXPECT_EQ(open("inside", Symlinks::refused, flags), ELOOP);
    EXPECT_EQ(open("up/secret", Symlinks::refused, flags), ELOOP);
    EXPECT_EQ(open("inside", Symlinks::within, flags), 0);
    EXPECT_EQ(open("outside", Symlinks::within, flags), EXDEV);
    EXPECT_EQ(open("up/secret", Symlinks::within, flags), EXDEV);
    EXPECT_EQ(open("outside", Symlinks::followed, flags), 0);
  }
}

}  // namespace
}  // namespace atlas
