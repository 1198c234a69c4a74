#include <atlas/core/filesystem.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include "support/held_pool.hpp"
#include "support/temporary_folder.hpp"
#include "support/workers.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace atlas {
namespace {

using testing::Caller;
using testing::HeldPool;
using testing::on_workers;
using testing::TemporaryFolder;

constexpr Deadline over{TimePoint()};

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST(Filesystem, StatusFollowsSymlinksOrNot) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("target")) << "four";
    ASSERT_EQ(::symlink("target", folder.file("link").c_str()), 0);
    EXPECT_EQ(file_status(folder.file("link")).value().kind, FileKind::regular);
    EXPECT_EQ(file_status(folder.file("link")).value().bytes, 4U);
    EXPECT_EQ(file_status_no_follow(folder.file("link")).value().kind, FileKind::symlink);
    EXPECT_EQ(file_status(folder.path()).value().kind, FileKind::directory);
  });
}

TEST(Filesystem, RenamesOverWhatWasThere) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("from")) << "new";
    std::ofstream(folder.file("to")) << "old";
    rename_file({.from = folder.file("from"), .to = folder.file("to")}).value();
    EXPECT_EQ(contents(folder.file("to")), "new");
    EXPECT_FALSE(std::filesystem::exists(folder.file("from")));
  });
}

TEST(Filesystem, MakesAndRemoves) {
  run_event_loop([] {
    const TemporaryFolder folder;
    make_directory(folder.file("inner"), 0700).value();
    EXPECT_EQ(make_directory(folder.file("inner")).error(), std::errc::file_exists);
    std::ofstream(folder.file("inner/file")).close();
    EXPECT_EQ(remove_directory(folder.file("inner")).error(), std::errc::directory_not_empty);
    remove_file(folder.file("inner/file")).value();
    remove_directory(folder.file("inner")).value();
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  });
}

TEST(Filesystem, EveryCallAnswersWhatIsMissing) {
  run_event_loop([] {
    const std::string missing = "/missing/name";
    const auto expected = std::errc::no_such_file_or_directory;
    EXPECT_EQ(file_status(missing).error(), expected);
    EXPECT_EQ(file_status_no_follow(missing).error(), expected);
    EXPECT_EQ(rename_file({.from = missing, .to = missing}).error(), expected);
    EXPECT_EQ(remove_file(missing).error(), expected);
    EXPECT_EQ(make_directory(missing).error(), expected);
    EXPECT_EQ(remove_directory(missing).error(), expected);
    EXPECT_EQ(Directory::open(missing).error(), expected);
    EXPECT_EQ(TemporaryFile::create(missing).error(), expected);
    EXPECT_EQ(File::unnamed(missing).error(), expected);
  });
}

TEST(Filesystem, NoCallBeginsWhenItIsOverdue) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("file")).close();
    const auto name = folder.file("file");
    EXPECT_EQ(file_status(name, over).error(), std::errc::timed_out);
    EXPECT_EQ(file_status_no_follow(name, over).error(), std::errc::timed_out);
    EXPECT_EQ(rename_file({.from = name, .to = name + "2"}, over).error(), std::errc::timed_out);
    EXPECT_EQ(remove_file(name, over).error(), std::errc::timed_out);
    EXPECT_EQ(make_directory(name + "2", 0700, over).error(), std::errc::timed_out);
    EXPECT_EQ(remove_directory(folder.path(), over).error(), std::errc::timed_out);
    EXPECT_EQ(Directory::open(folder.path(), over).error(), std::errc::timed_out);
    EXPECT_EQ(TemporaryFile::create(folder.path(), {}, over).error(), std::errc::timed_out);
    EXPECT_TRUE(std::filesystem::exists(name));
  });
}

TEST(Filesystem, CancellationTakesQueuedCallsBack) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("file")).close();
    const auto name = folder.file("file");
    const auto expect_cancelled = [](auto call) {
      Caller caller(call);
      EXPECT_TRUE(caller.waits());
      caller.cancel();
      EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    };
    {
      const HeldPool pool;
      expect_cancelled([&] { return file_status(name); });
      expect_cancelled([&] { return file_status_no_follow(name); });
      expect_cancelled([&] { return rename_file({.from = name, .to = name + "2"}); });
      expect_cancelled([&] { return remove_file(name); });
      expect_cancelled([&] { return make_directory(name + "2"); });
      expect_cancelled([&] { return remove_directory(folder.path()); });
      expect_cancelled([&] { return Directory::open(folder.path()); });
      expect_cancelled([&] { return TemporaryFile::create(folder.path()); });
    }
    EXPECT_TRUE(std::filesystem::exists(name));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  });
}

// What was opened or made counts, and goes with its object, however near the cancellation came.
TEST(Filesystem, WhatIsOpenedInTheTurnOfACancellationIsNotLost) {
  run_event_loop([] {
    const TemporaryFolder folder;
    static_cast<void>(Directory::open(folder.path()).value());
    const auto before = open_descriptors();
    const auto cancelled_after = [](int turns, auto call) {
      Caller caller(call);
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      caller.cancel();
      const auto error = caller.error();
      EXPECT_TRUE(!error || error == std::errc::operation_canceled) << error.message();
    };
    for (int turns = 0; turns < 60; ++turns) {
      cancelled_after(turns, [&] { return Directory::open(folder.path()); });
      cancelled_after(turns, [&] { return TemporaryFile::create(folder.path()); });
    }
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  });
}

TEST(Filesystem, WorksFromSeveralWorkers) {
  const TemporaryFolder folder;
  on_workers(3, [&](int worker) {
    const auto own = folder.file(std::to_string(worker));
    for (int i = 0; i < 10; ++i) {
      make_directory(own).value();
      auto temporary = TemporaryFile::create(own).value();
      temporary.rename_to(own + "/first").value();
      rename_file({.from = own + "/first", .to = own + "/second"}).value();
      auto directory = Directory::open(own).value();
      for (const auto& entry : directory) EXPECT_EQ(entry.name, "second");
      remove_file(own + "/second").value();
      remove_directory(own).value();
    }
  });
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Directory, ListsManyEntriesOnceEach) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::set<std::string> made;
    for (int i = 0; i < 200; ++i) {
      made.insert(std::to_string(i));
      std::ofstream(folder.file(std::to_string(i))).close();
    }
    std::set<std::string> found;
    auto directory = Directory::open(folder.path()).value();
    for (const auto& entry : directory) EXPECT_TRUE(found.insert(entry.name).second);
    EXPECT_EQ(found, made);
    EXPECT_FALSE(directory.next().value());  // also after the last
  });
}

TEST(Directory, TellsTheKindsOfItsEntries) {
  run_event_loop([] {
    const TemporaryFolder folder;
    make_directory(folder.file("inner")).value();
    std::ofstream(folder.file("inner/file")).close();
    ASSERT_EQ(::symlink("file", folder.file("inner/link").c_str()), 0);
    auto directory = Directory::open(folder.file("inner")).value();
    for (const auto& entry : directory) {
      EXPECT_EQ(entry.kind, entry.name == "link" ? FileKind::symlink : FileKind::regular);
    }
  });
}

TEST(Directory, MayBeEmpty) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto directory = Directory::open(folder.path()).value();
    EXPECT_TRUE(directory.begin() == directory.end());
  });
}

TEST(Directory, IterationThrowsAndNextAnswersWhenItIsOverdue) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto directory = Directory::open(folder.path()).value();
    EXPECT_EQ(directory.next(over).error(), std::errc::timed_out);
    const DeadlineScope scope(over);
    EXPECT_THROW(static_cast<void>(directory.begin()), std::system_error);
  });
}

TEST(Directory, ClosesWhatItHasOpened) {
  run_event_loop([] {
    const TemporaryFolder folder;
    static_cast<void>(Directory::open(folder.path()).value());
    const auto before = open_descriptors();
    {
      auto directory = Directory::open(folder.path()).value();
      auto moved = std::move(directory);
      EXPECT_FALSE(moved.next().value());
      EXPECT_EQ(open_descriptors(), before + 1);
    }
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(TemporaryFile, IsRemovedWithItsObject) {
  run_event_loop([] {
    const TemporaryFolder folder;
    {
      auto temporary = TemporaryFile::create(folder.path()).value();
      temporary.file().write("scratch").value();
      EXPECT_EQ(contents(temporary.path()), "scratch");
      EXPECT_EQ(file_status(temporary.path()).value().mode, 0600U);
      const auto moved = std::move(temporary);
      EXPECT_TRUE(std::filesystem::exists(moved.path()));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  });
}

TEST(TemporaryFile, IsRemovedWhenAnExceptionEndsItsOwner) {
  run_event_loop([] {
    const TemporaryFolder folder;
    const auto before = open_descriptors();
    const auto fail_with_both_open = [&] {
      auto temporary = TemporaryFile::create(folder.path()).value();
      auto directory = Directory::open(folder.path()).value();
      for (const auto& entry : directory) remove_directory(folder.file(entry.name)).value();
    };
    EXPECT_THROW(fail_with_both_open(), std::system_error);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(TemporaryFile, StaysUnderALastingName) {
  run_event_loop([] {
    const TemporaryFolder folder;
    {
      auto temporary = TemporaryFile::create(folder.path()).value();
      temporary.file().write("kept").value();
      temporary.rename_to(folder.file("lasting")).value();
      EXPECT_EQ(temporary.path(), "");
    }
    EXPECT_EQ(contents(folder.file("lasting")), "kept");
  });
}

TEST(UnnamedFile, LeavesNothingInItsFolder) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto file = File::unnamed(folder.path()).value();
    file.write("scratch").value();
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    std::string text(7, '\0');
    EXPECT_EQ(file.read_some_at(0, text).value(), 7U);
    EXPECT_EQ(text, "scratch");
  });
}

}  // namespace
}  // namespace atlas
