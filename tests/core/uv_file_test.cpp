#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/uv/uv_file.hpp>
#include <atlas/core/uv/uv_poll.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iterator>
#include <string>

namespace atlas::uv {
namespace {

using namespace std::chrono_literals;

constexpr Deadline over{TimePoint()};

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// A pipe as a shell makes them: blocking.
struct BlockingPipe {
  BlockingPipe() {
    std::array<int, 2> fds{};
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
    reader = FileDescriptor(fds[0]);
    writer = FileDescriptor(fds[1]);
  }
  std::string read_some() const {
    std::string text(65'536, '\0');
    text.resize(static_cast<std::size_t>(read(reader.get(), text.data(), text.size())));
    return text;
  }
  FileDescriptor reader;
  FileDescriptor writer;
};

TEST(UvFile, WriteAllToAFullBlockingPipeSuspendsOnlyItsFiber) {
  const BlockingPipe pipe;
  const std::string sent(1'000'000, 'x');
  std::string received;
  run_event_loop([&] {
    auto writer = spawn("writer", [&] { EXPECT_TRUE(write_all(pipe.writer.get(), sent)); });
    Readiness readiness(pipe.reader.get());
    while (received.size() < sent.size() && readiness.wait({"test reads"}, UV_READABLE).woken()) {
      received += pipe.read_some();
    }
    EXPECT_TRUE(writer.join());
  });
  EXPECT_EQ(received, sent);
  EXPECT_EQ(fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(UvFile, WriteAllToAStuckPipeEndsAtItsDeadline) {
  const BlockingPipe pipe;
  const std::string bytes(100'000, 'x');
  run_event_loop([&] {
    EXPECT_EQ(write_all(pipe.writer.get(), bytes, Deadline::after(10ms)).error(), std::errc::timed_out);
  });
}

TEST(UvFile, WriteAllEndsWhenItsFiberIsCancelled) {
  const BlockingPipe pipe;
  run_event_loop([&] {
    auto writer = spawn("writer", [&] {
      const std::string bytes(100'000, 'x');
      EXPECT_EQ(write_all(pipe.writer.get(), bytes).error(), std::errc::operation_canceled);
    });
    this_fiber::yield();
    writer.cancel();
    EXPECT_TRUE(writer.join());
  });
}

// What the pool's thread reads is the operation's own: the caller's bytes are gone at once.
TEST(UvFile, AWriteGivenUpBeforeItBeganTouchesNothingOfItsCaller) {
  const BlockingPipe pipe;
  run_event_loop([&] {
    for (int i = 0; i < 100; ++i) {
      FileWriter writer(FileDescriptor(dup(pipe.writer.get())));
      const std::string bytes(64, 'x');
      EXPECT_EQ(writer.write_all(bytes, over).error(), std::errc::timed_out);
    }
  });
}

TEST(UvFile, OpenFileAnswersErrors) {
  run_event_loop(
      [] { EXPECT_EQ(open_file("/missing/file", O_RDONLY).error(), std::errc::no_such_file_or_directory); });
}

TEST(UvFile, AFileOpenedTooLateIsClosed) {
  const auto open_too_late = [] {
    EXPECT_EQ(open_file("/dev/null", O_RDONLY, 0, over).error(), std::errc::timed_out);
  };
  run_event_loop(open_too_late);  // libuv keeps descriptors of its own from here
  const auto before = open_descriptors();
  run_event_loop([&] {
    for (int i = 0; i < 100; ++i) open_too_late();
  });
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace atlas::uv
