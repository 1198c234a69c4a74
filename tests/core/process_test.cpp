// Real processes.
#include <atlas/core/process.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/file.hpp>
#include "support/temporary_folder.hpp"
#include "support/workers.hpp"

#include <sys/wait.h>

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TemporaryFolder;

constexpr Deadline over{TimePoint()};

ProcessOptions shell(const std::string& script) { return {.arguments = {"/bin/sh", "-c", script}}; }

std::string read_all(Stream& stream) {
  std::string text;
  for (;;) {
    Chunk chunk = stream.read_chunk(Deadline::after(20s)).value();
    if (chunk.empty()) return text;
    text.append(chunk.bytes().data(), chunk.bytes().size());
  }
}

/// What a process writes to its output.
std::string output_of(ProcessOptions options) {
  options.output = ProcessStream::pipe();
  auto process = Process::start(options).value();
  auto text = read_all(*process.output());
  EXPECT_TRUE(process.wait().value().success());
  return text;
}

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

bool exists(int id) { return ::kill(id, 0) == 0; }

TEST(Process, WaitTellsHowItEnded) {
  run_event_loop([] {
    auto failing = Process::start(shell("exit 3")).value();
    EXPECT_EQ(failing.wait().value(), (ExitStatus{.code = 3}));
    EXPECT_EQ(failing.wait().value(), (ExitStatus{.code = 3}));  // again
    auto killed = Process::start(shell("kill -TERM $$")).value();
    EXPECT_EQ(killed.wait().value(), (ExitStatus{.signal = SIGTERM}));
    EXPECT_TRUE(Process::start({.arguments = {"true"}}).value().wait().value().success());  // found in PATH
  });
}

TEST(Process, OtherFibersRunWhileItDoes) {
  run_event_loop([] {
    auto process = Process::start({.arguments = {"cat"}, .input = ProcessStream::pipe()}).value();
    auto other = spawn("other", [&] { process.close_input(); });
    EXPECT_TRUE(process.wait(Deadline::after(20s)).value().success());
    other.join().value();
  });
}

TEST(Process, GetsItsArgumentsAsTheyAre) {
  run_event_loop([] {
    EXPECT_EQ(output_of({.arguments = {"printf", "<%s>", "a b", "$HOME", "*", ""}}), "<a b><$HOME><*><>");
  });
}

TEST(Process, SpeaksThroughPipes) {
  run_event_loop([] {
    auto process =
        Process::start(
            {.arguments = {"cat"}, .input = ProcessStream::pipe(), .output = ProcessStream::pipe()})
            .value();
    EXPECT_EQ(process.error(), nullptr);
    process.input()->write("hello").value();
    Chunk echo = process.output()->read_chunk(Deadline::after(20s)).value();
    EXPECT_EQ(std::string(echo.bytes().data(), echo.bytes().size()), "hello");
    process.close_input();
    EXPECT_EQ(read_all(*process.output()), "");
    EXPECT_TRUE(process.wait().value().success());
  });
}

TEST(Process, MovesMoreThanItsPipesHold) {
  run_event_loop([] {
    auto process =
        Process::start(
            {.arguments = {"cat"}, .input = ProcessStream::pipe(), .output = ProcessStream::pipe()})
            .value();
    const std::string sent(3'000'000, 'x');
    auto writer = spawn("writer", [&] {
      process.input()->write(sent).value();
      process.input()->shutdown_write().value();
    });
    EXPECT_TRUE(read_all(*process.output()) == sent);
    writer.join().value();
  });
}

TEST(Process, WritesToAPipeOfItsOwnForErrors) {
  run_event_loop([] {
    auto options = shell("echo out; echo err >&2");
    options.output = options.error = ProcessStream::pipe();
    auto process = Process::start(options).value();
    EXPECT_EQ(read_all(*process.output()), "out\n");
    EXPECT_EQ(read_all(*process.error()), "err\n");
  });
}

TEST(Process, AWriteToOneThatHasGoneIsAnError) {
  run_event_loop([] {
    auto process = Process::start({.arguments = {"true"}, .input = ProcessStream::pipe()}).value();
    process.wait().value();
    EXPECT_EQ(process.input()->write("x").error(), std::errc::broken_pipe);
  });
}

TEST(Process, ReadsAndWritesFiles) {
  run_event_loop([] {
    const TemporaryFolder folder;
    std::ofstream(folder.file("from")) << "contents";
    {
      const auto from = File::open(folder.file("from")).value();
      const auto to = File::open(folder.file("to"), {.write = true, .create = true}).value();
      auto process = Process::start({.arguments = {"cat"},
                                     .input = ProcessStream::file(from.descriptor()),
                                     .output = ProcessStream::file(to.descriptor())});
      process.value().wait().value();
    }
    EXPECT_EQ(read_file(folder.file("to"), 100).value(), "contents");
  });
}

TEST(Process, ItsInputIsEmptyByDefault) {
  run_event_loop([] { EXPECT_EQ(output_of({.arguments = {"cat"}}), ""); });
}

TEST(Process, InheritsItsEnvironmentOrGetsAnother) {
  run_event_loop([] {
    ::setenv("ATLAS_PROCESS_TEST", "ours", 1);
    EXPECT_EQ(output_of(shell("echo $ATLAS_PROCESS_TEST")), "ours\n");
    auto options = shell("echo $ATLAS_PROCESS_TEST$OTHER");
    options.environment = {"OTHER=theirs"};
    EXPECT_EQ(output_of(options), "theirs\n");
    ::unsetenv("ATLAS_PROCESS_TEST");
  });
}

TEST(Process, RunsInItsFolder) {
  run_event_loop([] {
    auto options = shell("pwd");
    options.folder = "/";
    EXPECT_EQ(output_of(options), "/\n");
  });
}

TEST(Process, StartAnswersErrorsAndLeaksNothing) {
  run_event_loop([] {
    static_cast<void>(Process::start({.arguments = {"true"}}).value().wait());
    const auto before = open_descriptors();
    EXPECT_EQ(Process::start({}).error(), std::errc::invalid_argument);
    EXPECT_EQ(Process::start({.arguments = {"/missing/program"}, .output = ProcessStream::pipe()}).error(),
              std::errc::no_such_file_or_directory);
    EXPECT_EQ(Process::start({.arguments = {"/"}}).error(), std::errc::permission_denied);
    EXPECT_EQ(Process::start({.arguments = {"true"}, .folder = "/missing"}).error(),
              std::errc::no_such_file_or_directory);
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(Process, WaitGivesUpAtItsDeadline) {
  run_event_loop([] {
    auto process = Process::start({.arguments = {"sleep", "1000"}}).value();
    EXPECT_EQ(process.wait(Deadline::after(1ms)).error(), std::errc::timed_out);
    const DeadlineScope scope(1ms);
    EXPECT_EQ(process.wait().error(), std::errc::timed_out);
  });
}

TEST(Process, AnEndThatIsKnownIsToldWhateverTheDeadline) {
  run_event_loop([] {
    auto process = Process::start({.arguments = {"true"}}).value();
    process.wait().value();
    EXPECT_TRUE(process.wait(over));
  });
}

TEST(Process, WaitIsCancelledAndTheProcessGoesOn) {
  run_event_loop([] {
    auto process = Process::start({.arguments = {"sleep", "1000"}}).value();
    Caller caller([&] { return process.wait(); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_TRUE(exists(process.id()));
  });
}

TEST(Process, KillSendsASignal) {
  run_event_loop([] {
    auto process = Process::start({.arguments = {"sleep", "1000"}}).value();
    process.kill(SIGTERM).value();
    EXPECT_EQ(process.wait().value(), (ExitStatus{.signal = SIGTERM}));
    EXPECT_EQ(process.kill(SIGTERM).error(), std::errc::no_such_process);
  });
}

TEST(Process, IsKilledAndReapedWithItsObject) {
  run_event_loop([] {
    static_cast<void>(output_of({.arguments = {"true"}}));  // libuv keeps descriptors of its own from here
    const auto before = open_descriptors();
    int id = 0;
    {
      auto options = shell("trap '' TERM; exec sleep 1000");
      options.input = options.output = options.error = ProcessStream::pipe();
      auto process = Process::start(options).value();
      id = process.id();
      auto moved = std::move(process);
      EXPECT_TRUE(exists(id));
    }
    EXPECT_FALSE(exists(id));  // not even as a zombie
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(Process, IsKilledWhenTheFiberThatOwnsItIsCancelled) {
  run_event_loop([] {
    int id = 0;
    auto owner = spawn("owner", [&] {
      auto process = Process::start({.arguments = {"sleep", "1000"}}).value();
      id = process.id();
      EXPECT_EQ(process.wait().error(), std::errc::operation_canceled);
    });
    while (id == 0) this_fiber::yield();
    owner.cancel();
    owner.join().value();
    EXPECT_FALSE(exists(id));
  });
}

// It has ended, and the loop has yet to hear of it, when the cancellation comes.
TEST(Process, AnEndInTheTurnOfACancellationIsTold) {
  run_event_loop([] {
    auto process = Process::start({.arguments = {"sleep", "1000"}}).value();
    Caller caller([&] { return process.wait(); });
    process.kill(SIGTERM).value();
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(process.id()), &info, WEXITED | WNOWAIT), 0);
    caller.cancel();
    const auto error = caller.error();
    EXPECT_TRUE(!error || error == std::errc::operation_canceled) << error.message();
    EXPECT_EQ(process.wait(Deadline::after(20s)).value(), (ExitStatus{.signal = SIGTERM}));
  });
}

TEST(Process, IsKilledWhenAnExceptionEndsItsOwner) {
  run_event_loop([] {
    std::vector<int> ids;
    FiberGroup group;
    for (int i = 0; i < 5; ++i) {
      group.spawn("owner", [&ids, i] {
        try {
          const auto process = Process::start({.arguments = {"sleep", "1000"}}).value();
          ids.push_back(process.id());
          throw i;  // then its destructor waits
        } catch (int thrown) {
          EXPECT_EQ(thrown, i);
        }
      });
    }
    group.join().value();
    ASSERT_EQ(ids.size(), 5U);
    for (const int id : ids) EXPECT_FALSE(exists(id));
  });
}

TEST(Process, SeveralWorkersHaveProcessesOfTheirOwn) {
  on_workers(3, [](int worker) {
    for (int i = 0; i < 5; ++i) {
      const auto text = std::to_string(worker) + std::to_string(i);
      EXPECT_EQ(output_of({.arguments = {"echo", text}}), text + "\n");
    }
  });
}

}  // namespace
}  // namespace atlas
