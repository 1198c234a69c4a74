// Real files, and libuv's real thread pool.
#include <atlas/core/file.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/filesystem.hpp>
#include <atlas/core/uv/uv_pool.hpp>
#include "support/held_pool.hpp"
#include "support/temporary_folder.hpp"
#include "support/workers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <semaphore>
#include <string>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
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

std::string read_all(File& file) {
  std::string text(1000, '\0');
  text.resize(file.read_some(text).value());
  return text;
}

TEST(File, WritesAndReadsBack) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto file = File::open(folder.file("new"), {.write = true, .create = true}).value();
    file.write("hello, ").value();
    file.write("file").value();
    EXPECT_EQ(contents(folder.file("new")), "hello, file");
    auto again = File::open(folder.file("new")).value();
    EXPECT_EQ(read_all(again), "hello, file");
    EXPECT_EQ(read_all(again), "");  // the end
  });
}

TEST(File, OtherFibersRunMeanwhile) {
  run_event_loop([] {
    bool ran = false;
    auto other = spawn("other", [&] { ran = true; });
    static_cast<void>(File::open("/dev/null").value());
    EXPECT_TRUE(ran);
    other.join().value();
  });
}

TEST(File, ReadsAndWritesAtOffsetsWithoutMovingItsPosition) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto file = File::open(folder.file("new"), {.write = true, .create = true}).value();
    file.write_at(4, "efgh").value();
    file.write_at(0, "abcd").value();
    std::string text(4, '\0');
    EXPECT_EQ(file.read_some_at(2, text).value(), 4U);
    EXPECT_EQ(text, "cdef");
    EXPECT_EQ(file.read_some_at(100, text).value(), 0U);
    EXPECT_EQ(read_all(file), "abcdefgh");
  });
}

TEST(File, RefusesOffsetsThatTheSystemCannotCount) {
  run_event_loop([] {
    auto file = File::unnamed(std::filesystem::temp_directory_path()).value();
    char byte = 0;
    const std::uint64_t last = INT64_MAX;
    EXPECT_EQ(file.read_some_at(last / 2, {&byte, 1}).value(), 0U);
    EXPECT_EQ(file.read_some_at(last + 1, {&byte, 1}).error(), std::errc::invalid_argument);
    EXPECT_EQ(file.write_at(last, "x").error(), std::errc::file_too_large);
    EXPECT_EQ(file.truncate(last + 1).error(), std::errc::file_too_large);
  });
}

TEST(File, TriesToReadWithoutSuspending) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto file = File::open(folder.file("a"), {.write = true, .create = true}).value();
    file.write("0123456789").value();
    char byte = 0;
    const auto count = file.try_read_some_at(4, {&byte, 1});
    if (count.error() == std::errc::resource_unavailable_try_again) GTEST_SKIP() << "the system does not say";
    EXPECT_EQ(count.value(), 1U);
    EXPECT_EQ(byte, '4');
    EXPECT_EQ(file.try_read_some_at(10, {&byte, 1}).value(), 0U);
    EXPECT_EQ(file.try_read_some_at(UINT64_MAX, {&byte, 1}).error(), std::errc::invalid_argument);
  });
}

TEST(File, TellsItsStatusWithoutSuspending) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto file = File::open(folder.file("a"), {.write = true, .create = true}).value();
    file.write("0123456789").value();
    EXPECT_EQ(file.try_status().value(), file.status().value());
    EXPECT_EQ(file.try_status().value().bytes, 10U);
  });
}

TEST(File, HasAPositionUnlessItIsAFifo) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto file = File::open(folder.file("a"), {.write = true, .create = true}).value();
    file.write("0123456789").value();
    EXPECT_EQ(file.position().value(), 10U);
    EXPECT_EQ(file.seek(3).value(), 3U);
    EXPECT_EQ(read_all(file), "3456789");
    EXPECT_EQ(file.seek(UINT64_MAX).error(), std::errc::invalid_argument);
    ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
    EXPECT_EQ(File::open(folder.file("fifo")).value().position().error(), std::errc::invalid_seek);
  });
}

TEST(File, AppendsWhateverThePosition) {
  run_event_loop([] {
    const TemporaryFolder folder;
    for (const auto* text : {"one", "two"}) {
      auto file = File::open(folder.file("log"), {.read = false, .append = true, .create = true}).value();
      file.write(text).value();
    }
    EXPECT_EQ(contents(folder.file("log")), "onetwo");
  });
}

TEST(File, OpensOnlyWhatItsOptionsAllow) {
  run_event_loop([] {
    const TemporaryFolder folder;
    const auto path = folder.file("new");
    EXPECT_EQ(File::open(path).error(), std::errc::no_such_file_or_directory);
    const OpenOptions exclusive{.write = true, .create = true, .exclusive = true, .mode = 0600};
    File::open(path, exclusive).value().write("x").value();
    EXPECT_EQ(File::open(path, exclusive).error(), std::errc::file_exists);
    EXPECT_EQ(File::open(path).value().write("x").error(), std::errc::bad_file_descriptor);
    EXPECT_EQ(File::open(path).value().status().value().mode, 0600U);
    static_cast<void>(File::open(path, {.write = true, .truncate = true}).value());
    EXPECT_EQ(contents(path), "");
  });
}

TEST(File, FollowsNoSymlinkWhereAskedNotTo) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("target")) << "secret";
    ASSERT_EQ(::symlink("target", folder.file("link").c_str()), 0);
    EXPECT_TRUE(File::open(folder.file("link")));
    EXPECT_EQ(File::open(folder.file("link"), {.no_follow = true}).error(),
              std::errc::too_many_symbolic_link_levels);
    EXPECT_TRUE(File::open(folder.file("target"), {.no_follow = true}));
  });
}

TEST(File, AFifoThatNobodyWritesToHoldsUpNobody) {
  run_event_loop([] {
    const TemporaryFolder folder;
    ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
    EXPECT_TRUE(File::open(folder.file("fifo")));
  });
}

TEST(File, ErrorsAreTheSystems) {
  run_event_loop([] {
    const auto error = File::open("/missing/file").error();
    EXPECT_EQ(error.category(), std::system_category());
    EXPECT_EQ(error.message(), "No such file or directory");
  });
}

TEST(File, StatusTellsWhatItIs) {
  run_event_loop([] {
    auto file = File::unnamed(std::filesystem::temp_directory_path()).value();
    file.write("four").value();
    const auto status = file.status().value();
    EXPECT_EQ(status.kind, FileKind::regular);
    EXPECT_EQ(status.bytes, 4U);
    EXPECT_EQ(status.links, 0U);
    EXPECT_GT(status.modified.time_since_epoch().count(), 0);
    EXPECT_EQ(File::open("/dev/null").value().status().value().kind, FileKind::device);
  });
}

TEST(File, TruncateCutsAndLengthens) {
  run_event_loop([] {
    auto file = File::unnamed(std::filesystem::temp_directory_path()).value();
    file.write("abcdef").value();
    file.truncate(3).value();
    EXPECT_EQ(file.status().value().bytes, 3U);
    file.truncate(5).value();
    std::string text(10, 'x');
    EXPECT_EQ(file.read_some_at(0, text).value(), 5U);
    EXPECT_EQ(text.substr(0, 5), std::string("abc\0\0", 5));
  });
}

TEST(File, SyncsToTheDisk) {
  run_event_loop([] {
    auto file = File::unnamed(std::filesystem::temp_directory_path()).value();
    file.write("x").value();
    file.sync().value();
    file.sync_data().value();
    EXPECT_FALSE(File::open("/proc/self/stat").value().sync());  // has no disk
  });
}

TEST(File, CloseGivesTheDescriptorBackEvenWhenCancelled) {
  run_event_loop([] {
    auto file = File::open("/dev/null").value();
    const int descriptor = file.descriptor();
    Caller caller([&] { return file.close(); });
    caller.cancel();
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(file.descriptor(), -1);
    EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
    EXPECT_EQ(file.close().error(), std::errc::bad_file_descriptor);
  });
}

TEST(File, TheDestructorClosesAndMovingDoesNot) {
  run_event_loop([] {
    static_cast<void>(File::open("/dev/null").value());
    const auto before = open_descriptors();
    for (int i = 0; i < 10; ++i) {
      auto file = File::open("/dev/null").value();
      const auto moved = std::move(file);
      EXPECT_EQ(open_descriptors(), before + 1);
    }
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(File, IsClosedWhenAnExceptionEndsItsOwner) {
  run_event_loop([] {
    const auto before = open_descriptors();
    FiberGroup group;
    for (int i = 0; i < 10; ++i) {
      group.spawn("owner", [] {
        try {
          const auto file = File::open("/dev/null").value();
          static_cast<void>(file.status().value());
          static_cast<void>(File::open("/missing/file").value());
        } catch (const std::system_error& error) {
          EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
        }
      });
    }
    group.join().value();
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(File, NothingIsDoneWhenItIsTooLateFromTheStart) {
  run_event_loop([] {
    const TemporaryFolder folder;
    EXPECT_EQ(File::open(folder.file("new"), {.write = true, .create = true}, over).error(),
              std::errc::timed_out);
    Caller caller([&] {
      static_cast<void>(this_fiber::sleep_for(1h));
      return File::open(folder.file("new"), {.write = true, .create = true});
    });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  });
}

TEST(File, ADeadlineOrItsScopeTakesAQueuedOperationBack) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto file = File::open(folder.file("new"), {.write = true, .create = true}).value();
    {
      const HeldPool pool;
      EXPECT_EQ(file.write("late", Deadline::after(1ms)).error(), std::errc::timed_out);
      const DeadlineScope scope(1ms);
      EXPECT_EQ(file.write("late").error(), std::errc::timed_out);
      EXPECT_EQ(file.sync().error(), std::errc::timed_out);
    }
    EXPECT_EQ(contents(folder.file("new")), "");
  });
}

TEST(File, CancellationTakesAQueuedOperationBack) {
  run_event_loop([] {
    const TemporaryFolder folder;
    const HeldPool pool;
    Caller caller([&] { return File::open(folder.file("new"), {.write = true, .create = true}); });
    EXPECT_TRUE(caller.waits());
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  });
}

TEST(File, AnOperationThatHasBegunEndsDespiteCancellation) {
  run_event_loop([] {
    std::binary_semaphore began(0);
    std::binary_semaphore may_end(0);
    Caller caller([&] {
      return uv::call_in_pool({"test"}, {}, [&]() -> std::intptr_t {
        began.release();
        may_end.acquire();
        return 7;
      });
    });
    began.acquire();
    caller.cancel();
    this_fiber::yield();
    EXPECT_TRUE(caller.waits());
    may_end.release();
    EXPECT_FALSE(caller.error());
  });
}

// The operation has ended, and its callback is due on the same turn as the cancellation.
TEST(File, AResultThatMeetsACancellationIsNotLost) {
  run_event_loop([] {
    for (int i = 0; i < 50; ++i) {
      std::binary_semaphore done(0);
      Caller caller([&] {
        return uv::call_in_pool({"test"}, {}, [&]() -> std::intptr_t { return done.release(), 0; });
      });
      done.acquire();
      caller.cancel();
      EXPECT_FALSE(caller.error());
    }
  });
}

TEST(File, SeveralWorkersWriteTheirPartsOfOneFile) {
  constexpr int workers = 4;
  constexpr int pieces = 25;
  const TemporaryFolder folder;
  std::ofstream(folder.file("shared")).close();
  on_workers(workers, [&](int worker) {
    auto file = File::open(folder.file("shared"), {.write = true}).value();
    FiberGroup group;
    for (int i = 0; i < pieces; ++i) {
      group.spawn("writer", [&, i] {
        const auto offset = static_cast<std::uint64_t>(i * workers + worker);
        file.write_at(offset, std::string(1, static_cast<char>('a' + worker))).value();
      });
    }
    group.join().value();
  });
  std::string expected;
  for (int i = 0; i < pieces; ++i) expected += "abcd";
  EXPECT_EQ(contents(folder.file("shared")), expected);
}

TEST(ReadFile, GivesAllOfAFile) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::string text;
    while (text.size() < 300'000) text += std::to_string(text.size());
    std::ofstream(folder.file("large")) << text;
    EXPECT_EQ(read_file(folder.file("large"), 1'000'000).value(), text);
    EXPECT_FALSE(read_file("/proc/self/status", 100'000).value().empty());  // says that it has no bytes
  });
}

TEST(ReadFile, ReadsUpToItsLimitAndNoFurther) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("ten")) << "0123456789";
    EXPECT_EQ(read_file(folder.file("ten"), 10).value(), "0123456789");
    EXPECT_EQ(read_file(folder.file("ten"), 9).error(), std::errc::file_too_large);
    EXPECT_EQ(read_file(folder.file("ten"), 9).error().message(), "File too large");
    EXPECT_EQ(read_file("/proc/self/status", 10).error(), std::errc::file_too_large);
    std::ofstream(folder.file("empty")).close();
    EXPECT_EQ(read_file(folder.file("empty"), 0).value(), "");
  });
}

TEST(ReadFile, AnswersErrors) {
  run_event_loop([] {
    EXPECT_EQ(read_file("/missing/file", 10).error(), std::errc::no_such_file_or_directory);
    EXPECT_EQ(read_file("/", 1'000'000).error(), std::errc::is_a_directory);
    EXPECT_EQ(read_file("/dev/null", 10, over).error(), std::errc::timed_out);
  });
}

TEST(ReadFile, IsCancelled) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("file")) << "text";
    const HeldPool pool;
    Caller caller([&] { return read_file(folder.file("file"), 100); });
    EXPECT_TRUE(caller.waits());
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
  });
}

TEST(ReadFile, WorksFromSeveralWorkers) {
  const TemporaryFolder folder;
  on_workers(3, [&](int worker) {
    const auto path = folder.file(std::to_string(worker));
    for (int i = 0; i < 20; ++i) {
      const std::string text(static_cast<std::size_t>(i * 1000), static_cast<char>('a' + worker));
      write_file(path, text, {.sync = false}).value();
      EXPECT_EQ(read_file(path, 100'000).value(), text);
    }
  });
}

TEST(WriteFile, MakesAndReplaces) {
  run_event_loop([] {
    const TemporaryFolder folder;
    write_file(folder.file("config"), "old").value();
    EXPECT_EQ(contents(folder.file("config")), "old");
    write_file(folder.file("config"), "new", {.mode = 0640, .sync = false}).value();
    EXPECT_EQ(contents(folder.file("config")), "new");
    EXPECT_EQ(file_status(folder.file("config")).value().mode & 0707U, 0600U);
  });
}

TEST(WriteFile, LeavesTheOldFileAloneWhenItFails) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("config")) << "old";
    {
      const HeldPool pool;
      EXPECT_EQ(write_file(folder.file("config"), "new", {}, Deadline::after(1ms)).error(),
                std::errc::timed_out);
    }
    EXPECT_EQ(contents(folder.file("config")), "old");
    ASSERT_EQ(::mkdir(folder.file("taken").c_str(), 0700), 0);
    EXPECT_EQ(write_file(folder.file("taken"), "new").error(), std::errc::is_a_directory);
    const auto names = std::distance(std::filesystem::directory_iterator(folder.path()), {});
    EXPECT_EQ(names, 2);  // no temporary file is left
  });
}

// After no turn of the loop, then after more and more.
TEST(WriteFile, CancelledAtAnyMomentLeavesTheOldFileOrTheNew) {
  run_event_loop([] {
    const TemporaryFolder folder;
    bool done = false;
    for (int turns = 0; !done; turns += 1 + turns / 4) {
      std::ofstream(folder.file("file")) << "old";
      Caller caller([&] { return write_file(folder.file("file"), "new"); });
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      caller.cancel();
      const auto error = caller.error();
      done = !error;
      EXPECT_TRUE(done || error == std::errc::operation_canceled) << error.message();
      const auto found = contents(folder.file("file"));
      EXPECT_TRUE(found == "new" || (!done && found == "old")) << found;
      const auto names = std::distance(std::filesystem::directory_iterator(folder.path()), {});
      EXPECT_EQ(names, 1);
    }
  });
}

TEST(WriteFile, ReadersFindOneOfTwoFilesNeverAPart) {
  run_event_loop([] {
    const TemporaryFolder folder;
    const std::string first(100'000, 'a');
    const std::string second(100'000, 'b');
    write_file(folder.file("file"), first, {.sync = false}).value();
    FiberGroup group;
    group.spawn("writer", [&] {
      for (int i = 0; i < 20; ++i)
        write_file(folder.file("file"), i % 2 == 0 ? second : first, {.sync = false}).value();
    });
    for (int i = 0; i < 20; ++i) {
      const auto found = read_file(folder.file("file"), 1'000'000).value();
      EXPECT_TRUE(found == first || found == second);
    }
    group.join().value();
  });
}

}  // namespace
}  // namespace atlas
