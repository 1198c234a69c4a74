#include <atlas/core/standard_streams.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/file.hpp>
#include "support/temporary_folder.hpp"
#include "support/workers.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TemporaryFolder;

/// A pipe as a shell makes them: blocking.
struct Pipe {
  Pipe() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
    reader = FileDescriptor(fds[0]);
    writer = FileDescriptor(fds[1]);
  }
  void send(std::string_view text) const {
    EXPECT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  FileDescriptor reader;
  FileDescriptor writer;
};

/// Puts a descriptor in the place of a standard stream while it lives.
class Redirection {
 public:
  Redirection(int standard, int descriptor) : standard_(standard), saved_(::dup(standard)) {
    ::dup2(descriptor, standard);
  }
  ~Redirection() { ::dup2(saved_.get(), standard_); }
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;

 private:
  int standard_;
  FileDescriptor saved_;
};

std::string read_some(DescriptorReader& reader) {
  std::string text(1000, '\0');
  text.resize(reader.read_some(text, Deadline::after(20s)).value());
  return text;
}

TEST(StandardInput, ReadsAPipeToItsEnd) {
  run_event_loop([] {
    Pipe pipe;
    const Redirection redirection(STDIN_FILENO, pipe.reader.get());
    auto input = standard_input().value();
    auto sender = spawn("sender", [&] { pipe.send("line\n"); });
    EXPECT_EQ(read_some(input), "line\n");
    sender.join().value();
    pipe.writer = FileDescriptor();
    EXPECT_EQ(read_some(input), "");
    EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
  });
}

TEST(StandardInput, ReadsAFile) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("input")) << "contents";
    const auto file = File::open(folder.file("input")).value();
    const Redirection redirection(STDIN_FILENO, file.descriptor());
    auto input = standard_input().value();
    EXPECT_EQ(read_some(input), "contents");
    EXPECT_EQ(read_some(input), "");
  });
}

TEST(StandardInput, ReadsATerminalLineByLine) {
  run_event_loop([] {
    const FileDescriptor keyboard(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(keyboard && ::grantpt(keyboard.get()) == 0 && ::unlockpt(keyboard.get()) == 0);
    const FileDescriptor terminal(::open(::ptsname(keyboard.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    const Redirection redirection(STDIN_FILENO, terminal.get());
    auto input = standard_input().value();
    auto typist = spawn("typist", [&] { EXPECT_EQ(::write(keyboard.get(), "typed\nmore\n", 11), 11); });
    EXPECT_EQ(read_some(input), "typed\n");
    EXPECT_EQ(read_some(input), "more\n");
    typist.join().value();
  });
}

TEST(StandardInput, GivesUpAtItsDeadlineAndReadsOnLater) {
  run_event_loop([] {
    Pipe pipe;
    DescriptorReader reader(FileDescriptor(::dup(pipe.reader.get())));
    char byte = 0;
    EXPECT_EQ(reader.read_some({&byte, 1}, Deadline::after(1ms)).error(), std::errc::timed_out);
    const DeadlineScope scope(20s);
    pipe.send("x");
    EXPECT_EQ(reader.read_some({&byte, 1}).value(), 1U);
  });
}

TEST(StandardInput, IsCancelledWhileNothingComes) {
  run_event_loop([] {
    Pipe pipe;
    DescriptorReader reader(FileDescriptor(::dup(pipe.reader.get())));
    Caller caller([&] {
      char byte = 0;
      return reader.read_some({&byte, 1});
    });
    EXPECT_TRUE(caller.waits());
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
  });
}

TEST(StandardInput, WhatComesInTheTurnOfACancellationIsNotLost) {
  run_event_loop([] {
    Pipe pipe;
    DescriptorReader reader(FileDescriptor(::dup(pipe.reader.get())));
    for (int turns = 0; turns < 30; ++turns) {
      std::string first(8, '\0');
      std::size_t count = 0;
      Caller caller([&]() -> Result<void> {
        const auto read = reader.read_some(first);
        if (!read) return Unexpected(read.error());
        count = *read;
        return {};
      });
      pipe.send("x");
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      caller.cancel();
      if (caller.error() == std::errc::operation_canceled) {
        EXPECT_EQ(read_some(reader), "x");
      } else {
        EXPECT_EQ(first.substr(0, count), "x");
      }
    }
  });
}

TEST(StandardInput, MayBeDestroyedRightAfterACancelledRead) {
  run_event_loop([] {
    Pipe pipe;
    for (int i = 0; i < 20; ++i) {
      auto reader = std::make_unique<DescriptorReader>(FileDescriptor(::dup(pipe.reader.get())));
      Caller caller([&] {
        char byte = 0;
        auto read = reader->read_some({&byte, 1});
        reader.reset();
        return read;
      });
      caller.cancel();
      EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    }
    pipe.send("x");
    DescriptorReader next(std::move(pipe.reader));
    EXPECT_EQ(read_some(next), "x");
  });
}

TEST(StandardInput, SeveralWorkersReadAndWriteAtATime) {
  on_workers(3, [](int worker) {
    Pipe pipe;
    DescriptorReader reader(std::move(pipe.reader));
    DescriptorWriter writer(std::move(pipe.writer));
    const std::string text(100'000, static_cast<char>('a' + worker));
    auto writing = spawn("writer", [&] { writer.write(text).value(); });
    std::string received;
    while (received.size() < text.size()) received += read_some(reader);
    writing.join().value();
    EXPECT_TRUE(received == text);
  });
}

TEST(StandardInput, MayBeMissing) {
  run_event_loop([] {
    const FileDescriptor saved(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    ::close(STDIN_FILENO);
    EXPECT_EQ(standard_input().error(), std::errc::bad_file_descriptor);
    ::dup2(saved.get(), STDIN_FILENO);
  });
}

TEST(StandardOutput, WritesMoreThanAPipeHolds) {
  run_event_loop([] {
    Pipe pipe;
    const Redirection redirection(STDOUT_FILENO, pipe.writer.get());
    pipe.writer = FileDescriptor();
    const std::string text(300'000, 'x');
    auto writer = spawn("writer", [&] { standard_output().value().write(text).value(); });
    DescriptorReader reader(std::move(pipe.reader));
    std::string received;
    while (received.size() < text.size()) received += read_some(reader);
    writer.join().value();
    EXPECT_TRUE(received == text);
  });
}

TEST(StandardError, WritesToItsOwnDescriptor) {
  run_event_loop([] {
    Pipe pipe;
    const Redirection redirection(STDERR_FILENO, pipe.writer.get());
    standard_error().value().write("trouble\n").value();
    DescriptorReader reader(std::move(pipe.reader));
    EXPECT_EQ(read_some(reader), "trouble\n");
  });
}

TEST(StandardOutput, IsCancelledWhenNobodyReads) {
  run_event_loop([] {
    Pipe pipe;
    DescriptorWriter writer(FileDescriptor(::dup(pipe.writer.get())));
    const std::string text(300'000, 'x');
    Caller caller([&] { return writer.write(text); });
    const int pipe_bytes = ::fcntl(pipe.writer.get(), F_GETPIPE_SZ);
    for (int unread = 0; unread < pipe_bytes;) {
      this_fiber::yield();
      ASSERT_EQ(::ioctl(pipe.reader.get(), FIONREAD, &unread), 0);
    }
    EXPECT_TRUE(caller.waits());
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
  });
}

TEST(StandardOutput, GivesUpAtItsDeadlineWhenNobodyReads) {
  run_event_loop([] {
    Pipe pipe;
    DescriptorWriter writer(FileDescriptor(::dup(pipe.writer.get())));
    const std::string text(300'000, 'x');
    EXPECT_EQ(writer.write(text, Deadline::after(1ms)).error(), std::errc::timed_out);
  });
}

}  // namespace
}  // namespace atlas
