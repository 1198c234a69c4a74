#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_record.hpp>
#include <atlas/core/inbox.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/log_format.hpp>
#include <atlas/core/log_sink.hpp>
#include <atlas/core/socket.hpp>
#include <atlas/core/uv/uv_poll.hpp>
#include "support/workers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace atlas::log {
namespace {

using namespace std::chrono_literals;
using atlas::testing::Caller;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class TempDir {
 public:
  TempDir() {
    std::string pattern = ::testing::TempDir() + "atlas-log-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A pipe of one page, so that a single byte in it makes it full: what a stuck reader looks like.
class StuckPipe {
 public:
  StuckPipe() {
    std::array<int, 2> fds{};
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_ = FileDescriptor(fds[0]);
    write_ = FileDescriptor(fds[1]);
    EXPECT_EQ(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
    EXPECT_EQ(::write(fds[1], "\n", 1), 1);
  }

  /// A sink that opens it shares nothing with this object but the pipe.
  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", write_.get()); }
  void close_reader() { read_ = FileDescriptor(); }

  /// Suspends: takes all there is until nobody can write any more.
  std::string read_all() {
    write_ = FileDescriptor();
    std::string text;
    std::array<char, 4096> buffer{};
    uv::Readiness readiness(read_.get());
    for (;;) {
      const auto count = read(read_.get(), buffer.data(), buffer.size());
      if (count == 0) return text.substr(1);  // without the byte that made it stuck
      if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
      if (count < 0 && !readiness.wait({"test reads"}, UV_READABLE).woken()) return text;
    }
  }

 private:
  FileDescriptor read_;
  FileDescriptor write_;
};

/// A sink that the running thread's `log::…` lines go to.
class ThreadSink {
 public:
  explicit ThreadSink(const SinkOptions& options) : sink_(Sink::open(options).value()) {
    Scheduler::current()->set_log_sink(sink_.get());
  }
  ~ThreadSink() { close(); }
  ThreadSink(const ThreadSink&) = delete;
  ThreadSink& operator=(const ThreadSink&) = delete;

  void close() {
    Scheduler::current()->set_log_sink(nullptr);
    sink_.reset();
  }
  Sink* operator->() { return sink_.get(); }
  Sink& operator*() { return *sink_; }

 private:
  std::unique_ptr<Sink> sink_;
};

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Suspends: lets the loop turn until `condition` holds.
void turn_until(const std::function<bool()>& condition) {
  while (!condition()) this_fiber::yield();
}

/// Suspends until `function` has run on the loop's own stack, where nothing can suspend.
void on_loop_stack(const std::function<void()>& function) {
  Wait wait({"test callback"});
  Scheduler::current()->inbox()->post([&, waker = wait.waker()] {
    function();
    waker.wake();
  });
  ASSERT_TRUE(wait.park().woken());
}

const std::string time_regex = "20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z";
const std::string line_of_64 = std::string(63, 'x') + '\n';

std::string formatted(Format format, const Line& line) {
  LineBuffer buffer;
  format_line(buffer, format, line);
  return {buffer.data(), buffer.size()};
}

std::string text_message(std::string_view message) {
  const auto line = formatted(Format::text, {.message = message});
  return line.substr(line.find("] ") + 2);
}

std::string json_message(std::string_view message) {
  const auto line = formatted(Format::json, {.message = message});
  return line.substr(line.find("\"message\":") + 10);
}

constexpr auto noon = std::chrono::system_clock::time_point(1795441141123ms);  // 2026-11-23T13:39:01.123Z

TEST(LogFormat, TextLineHasTimeLevelWorkerFiberAndMessage) {
  const Line line{.time = noon, .level = Level::info, .worker = 0, .fiber = "client", .message = "hello"};
  EXPECT_EQ(formatted(Format::text, line), "2026-11-23T13:39:01.123Z INFO  [w0 client] hello\n");
}

TEST(LogFormat, JsonLineHasTimeLevelWorkerFiberAndMessage) {
  const Line line{.time = noon, .level = Level::error, .worker = 12, .fiber = "client", .message = "hello"};
  EXPECT_EQ(
      formatted(Format::json, line),
      R"({"time":"2026-11-23T13:39:01.123Z","level":"error","worker":12,"fiber":"client","message":"hello"})"
      "\n");
}

TEST(LogFormat, TextNamesOnlyWhatThereIs) {
  EXPECT_THAT(formatted(Format::text, {.time = noon, .worker = 3}), HasSubstr(" [w3] "));
  EXPECT_THAT(formatted(Format::text, {.time = noon, .fiber = "main"}), HasSubstr(" [main] "));
  EXPECT_THAT(formatted(Format::text, {.time = noon}), HasSubstr(" [-] "));
}

TEST(LogFormat, JsonLeavesOutWhatThereIsNot) {
  EXPECT_EQ(formatted(Format::json, {.time = noon, .level = Level::warn}),
            "{\"time\":\"2026-11-23T13:39:01.123Z\",\"level\":\"warn\",\"message\":\"\"}\n");
}

TEST(LogFormat, TimeFollowsTheSecondBothWays) {
  EXPECT_THAT(formatted(Format::text, {.time = noon}), HasSubstr("13:39:01.123Z"));
  EXPECT_THAT(formatted(Format::text, {.time = noon + 877ms}), HasSubstr("13:39:02.000Z"));
  EXPECT_THAT(formatted(Format::text, {.time = noon + 876ms}), HasSubstr("13:39:01.999Z"));
}

TEST(LogFormat, TextEscapesWhatCouldForgeALineOrDriveATerminal) {
  EXPECT_EQ(text_message("a\nb\r\t\x1b[31m\x7f"), "a\\x0ab\\x0d\\x09\\x1b[31m\\x7f\n");
  EXPECT_EQ(text_message("\xc2\x9b"), "\\xc2\\x9b\n");
  EXPECT_EQ(text_message(std::string_view("\0", 1)), "\\x00\n");
}

TEST(LogFormat, TextEscapesTheFiberName) {
  EXPECT_THAT(formatted(Format::text, {.fiber = "a\nb"}), HasSubstr(" [a\\x0ab] "));
}

TEST(LogFormat, TextKeepsQuotesAndUtf8) {
  EXPECT_EQ(text_message("\"\\ grün \U0001F600"), "\"\\ grün \U0001F600\n");
}

TEST(LogFormat, JsonEscapesQuotesAndControls) {
  EXPECT_EQ(json_message("\"\\/\n\r\t\x01\x1b\x7f\xc2\x85"), R"("\"\\/\n\r\t\u0001\u001b\u007f\u0085"})"
                                                             "\n");
}

TEST(LogFormat, BytesThatAreNotUtf8AreMadeSafe) {
  struct {
    std::string_view bytes, text, json;
  } const cases[] = {
      {"\x80", "\\x80", "\\ufffd"},                                                  // a continuation alone
      {"\xc0\xaf", "\\xc0\\xaf", "\\ufffd\\ufffd"},                                  // overlong, 2 bytes
      {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf", "\\ufffd\\ufffd\\ufffd"},                  // overlong, 3 bytes
      {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"},                  // a surrogate
      {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf", "\\ufffd\\ufffd\\ufffd\\ufffd"},  // overlong, 4 bytes
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},  // past U+10FFFF
      {"\xff", "\\xff", "\\ufffd"},
      {"\xe2\x82", "\\xe2\\x82", "\\ufffd\\ufffd"},                  // cut short
      {"\xe2\"x", "\\xe2\"x", "\\ufffd\\\"x"},                       // what follows is not swallowed
      {"\xed\x9f\xbf", "\xed\x9f\xbf", "\xed\x9f\xbf"},              // the last before the surrogates
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},  // U+10FFFF
  };
  for (const auto& test : cases) {
    EXPECT_EQ(text_message(test.bytes), std::string(test.text) + "\n");
    EXPECT_EQ(json_message(test.bytes), "\"" + std::string(test.json) + "\"}\n");
  }
}

TEST(LogFormat, MessageAtTheLimitIsWhole) {
  const std::string message(message_bytes_max, 'm');
  EXPECT_EQ(text_message(message), message + "\n");
}

TEST(LogFormat, MessagePastTheLimitIsCutAndSaysSo) {
  const std::string limit(message_bytes_max, 'm');
  EXPECT_EQ(text_message(limit + "x"), limit + "… (1 bytes more)\n");
}

TEST(LogFormat, MessageIsNotCutWithinACharacter) {
  const std::string limit(message_bytes_max - 1, 'm');
  EXPECT_EQ(text_message(limit + "ü"), limit + "… (2 bytes more)\n");
}

TEST(Log, LinesOfAFiberCarryItsNameAndWorker) {
  const TempDir dir;
  run_event_loop([&] {
    ThreadSink sink({.target = dir.file("log")});
    info("{} and {}", 1, "two");
    Scheduler::current()->set_worker_index(5);
    warn("three");
  });
  const auto lines = lines_of(content(dir.file("log")));
  EXPECT_THAT(lines, ElementsAre(MatchesRegex(time_regex + " INFO  \\[main\\] 1 and two"),
                                 MatchesRegex(time_regex + " WARN  \\[w5 main\\] three")));
}

TEST(Log, JsonSinkWritesJson) {
  const TempDir dir;
  run_event_loop([&] {
    ThreadSink sink({.target = dir.file("log"), .format = Format::json});
    error("say \"{}\"", "hi");
  });
  EXPECT_THAT(
      content(dir.file("log")),
      MatchesRegex("\\{\"time\":\"" + time_regex +
                   "\",\"level\":\"error\",\"fiber\":\"main\",\"message\":\"say \\\\\"hi\\\\\"\"\\}\n"));
}

TEST(Log, LevelsBelowTheSinksAreLeftOut) {
  const TempDir dir;
  run_event_loop([&] {
    ThreadSink sink({.target = dir.file("log"), .level = Level::warn});
    info("no");
    warn("yes");
    sink->set_level(Level::trace);
    trace("now");
    sink->set_level(Level::off);
    error("never");
  });
  EXPECT_THAT(lines_of(content(dir.file("log"))), ElementsAre(HasSubstr("yes"), HasSubstr("now")));
}

struct CountsFormatting {
  int* count;
};

}  // namespace
}  // namespace atlas::log

template <>
struct fmt::formatter<atlas::log::CountsFormatting> : fmt::formatter<int> {
  auto format(const atlas::log::CountsFormatting& value, fmt::format_context& context) const {
    return fmt::formatter<int>::format(++*value.count, context);
  }
};

namespace atlas::log {
namespace {

TEST(Log, ArgumentsOfADisabledLevelAreNotFormatted) {
  const TempDir dir;
  int count = 0;
  run_event_loop([&] {
    ThreadSink sink({.target = dir.file("log")});
    debug("{}", CountsFormatting{&count});
    EXPECT_EQ(count, 0);
    info("{}", CountsFormatting{&count});
    EXPECT_EQ(count, 1);
  });
}

TEST(Log, WithoutASinkLinesGoToStderr) {
  ::testing::internal::CaptureStderr();
  info("outside of {}", "everything");
  debug("no");
  run_event_loop([] { error("on a fiber"); });
  EXPECT_THAT(lines_of(::testing::internal::GetCapturedStderr()),
              ElementsAre(MatchesRegex(time_regex + " INFO  \\[-\\] outside of everything"),
                          MatchesRegex(time_regex + " ERROR \\[main\\] on a fiber")));
}

TEST(Log, AFileIsAppendedTo) {
  const TempDir dir;
  for (const auto* word : {"first", "second"}) {
    run_event_loop([&] {
      ThreadSink sink({.target = dir.file("log")});
      info("{}", word);
    });
  }
  EXPECT_THAT(lines_of(content(dir.file("log"))), ElementsAre(HasSubstr("first"), HasSubstr("second")));
}

TEST(Log, ATargetThatCannotBeOpenedIsAnError) {
  const TempDir dir;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("missing/log")});
    EXPECT_EQ(sink.error(), std::errc::no_such_file_or_directory);
  });
}

TEST(Log, ANamedPipeWithoutAReaderIsAnErrorAndNoWait) {
  const TempDir dir;
  ASSERT_EQ(mkfifo(dir.file("fifo").c_str(), 0600), 0);
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("fifo")});
    EXPECT_EQ(sink.error(), std::errc::no_such_device_or_address);
  });
}

/// Puts a descriptor in the place of stdout for a scope.
class ReplacedStdout {
 public:
  explicit ReplacedStdout(int fd) : saved_(dup(STDOUT_FILENO)) { dup2(fd, STDOUT_FILENO); }
  ~ReplacedStdout() { dup2(saved_.get(), STDOUT_FILENO); }
  ReplacedStdout(const ReplacedStdout&) = delete;
  ReplacedStdout& operator=(const ReplacedStdout&) = delete;

 private:
  FileDescriptor saved_;
};

TEST(Log, StdoutStaysBlockingForThoseWhoShareIt) {
  std::array<int, 2> fds{};
  ASSERT_EQ(pipe(fds.data()), 0);
  const FileDescriptor reader(fds[0]);
  const FileDescriptor writer(fds[1]);
  {
    const ReplacedStdout replaced(writer.get());
    run_event_loop([&] {
      ThreadSink sink({.target = "stdout"});
      info("hello");
      EXPECT_TRUE(sink->drain());
      EXPECT_TRUE(sink->reopen());
    });
  }
  EXPECT_EQ(fcntl(writer.get(), F_GETFL) & O_NONBLOCK, 0);
  std::string text(256, '\0');
  text.resize(static_cast<std::size_t>(read(reader.get(), text.data(), text.size())));
  EXPECT_THAT(text, MatchesRegex(time_regex + " INFO  \\[main\\] hello\n"));
}

TEST(LogSink, LinesOfSeveralThreadsAreWholeCompleteAndInOrder) {
  constexpr int threads = 4;
  constexpr int lines_per_thread = 10'000;
  const TempDir dir;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("log"), .pending_bytes_max = 16 * 1024}).value();
    std::atomic<int> running = threads;
    std::vector<std::jthread> workers;
    for (int worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&, worker] {
        run_event_loop([&] {
          Scheduler::current()->set_log_sink(sink.get());
          Scheduler::current()->set_worker_index(worker);
          for (int i = 0; i < lines_per_thread; ++i)
            info("{} {}", i, std::string(static_cast<std::size_t>(i % 90), '.'));
        });
        --running;
      });
    }
    turn_until([&] { return running == 0; });
    EXPECT_TRUE(sink->drain());
    EXPECT_EQ(sink->lines_dropped(), 0U);
  });

  std::map<std::string, int> next;
  for (const auto& line : lines_of(content(dir.file("log")))) {
    std::istringstream words(line);
    std::string time, level, worker, fiber, dots;
    int number = -1;
    words >> time >> level >> worker >> fiber >> number >> dots;
    ASSERT_EQ(number, next[worker]++) << line;
    ASSERT_EQ(dots, std::string(static_cast<std::size_t>(number % 90), '.')) << line;
  }
  ASSERT_EQ(next.size(), static_cast<std::size_t>(threads));
  for (const auto& [worker, count] : next) EXPECT_EQ(count, lines_per_thread) << worker;
}

TEST(LogSink, AFiberOfAnotherThreadIsWokenWhenThereIsRoom) {
  StuckPipe pipe;
  std::string text;
  run_event_loop([&] {
    auto sink = Sink::open({.target = pipe.path(), .pending_bytes_max = 128}).value();
    sink->write_line(line_of_64);
    sink->write_line(line_of_64);
    std::atomic<bool> waiting = false;
    std::atomic<bool> done = false;
    std::jthread other([&] {
      run_event_loop([&] {
        // The second fiber runs once the first has suspended.
        auto writer = spawn("writer", [&] {
          sink->write_line("late");
          done = true;
        });
        this_fiber::yield();
        waiting = true;
        EXPECT_TRUE(writer.join());
      });
    });
    turn_until([&] { return waiting.load(); });
    EXPECT_FALSE(done);
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    turn_until([&] { return done.load(); });
    other.join();
    sink.reset();
    EXPECT_TRUE(reader.join());
  });
  EXPECT_EQ(text, line_of_64 + line_of_64 + "late\n");
}

TEST(LogSink, AThreadWithoutASchedulerIsBlockedUntilThereIsRoom) {
  StuckPipe pipe;
  std::string text;
  run_event_loop([&] {
    auto sink = Sink::open({.target = pipe.path(), .pending_bytes_max = 128}).value();
    std::atomic<bool> done = false;
    std::jthread other([&] {
      for (int i = 0; i < 100; ++i) sink->write_line(line_of_64);
      done = true;
    });
    turn_until([&] { return sink->pending_bytes() == 128; });
    EXPECT_FALSE(done);
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    turn_until([&] { return done.load(); });
    sink.reset();
    EXPECT_TRUE(reader.join());
  });
  EXPECT_EQ(text.size(), 100 * line_of_64.size());
}

TEST(LogSink, AFullPipeSuspendsTheCallerAndNobodyElse) {
  constexpr int lines = 2000;
  StuckPipe pipe;
  std::string text;
  run_event_loop([&] {
    ThreadSink sink({.target = pipe.path(), .pending_bytes_max = 4096});
    bool done = false;
    auto writer = spawn("writer", [&] {
      for (int i = 0; i < lines; ++i) info("line {:04}", i);
      done = true;
    });
    // This fiber goes on; no number of turns lets the other one finish.
    turn_until([&] { return sink->pending_bytes() > 4000; });
    for (int i = 0; i < 100; ++i) this_fiber::yield();
    EXPECT_FALSE(done);

    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    EXPECT_TRUE(writer.join());
    sink.close();
    EXPECT_TRUE(reader.join());
  });
  const auto read = lines_of(text);
  ASSERT_EQ(read.size(), static_cast<std::size_t>(lines));
  for (int i = 0; i < lines; ++i) {
    ASSERT_THAT(read[static_cast<std::size_t>(i)], HasSubstr(fmt::format("[writer] line {:04}", i)));
  }
}

TEST(LogSink, SuspendedLinesAreTakenInTheOrderTheyCame) {
  StuckPipe pipe;
  std::string text;
  std::string expected;
  run_event_loop([&] {
    auto sink = Sink::open({.target = pipe.path(), .pending_bytes_max = 64}).value();
    sink->write_line(expected = line_of_64);
    FiberGroup writers;
    for (int i = 0; i < 20; ++i) {
      expected += fmt::format("line {}\n", i);
      writers.spawn("writer", [&, i] { sink->write_line(fmt::format("line {}", i)); });
    }
    this_fiber::yield();
    EXPECT_EQ(writers.size(), 20U);
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    EXPECT_TRUE(writers.join());
    sink.reset();
    EXPECT_TRUE(reader.join());
  });
  EXPECT_EQ(text, expected);
}

TEST(LogSink, ACancelledFiberLeavesItsLine) {
  StuckPipe pipe;
  std::string text;
  run_event_loop([&] {
    auto sink = Sink::open({.target = pipe.path(), .pending_bytes_max = 64}).value();
    sink->write_line(line_of_64);
    auto writer = spawn("writer", [&] { sink->write_line("from the cancelled"); });
    this_fiber::yield();
    EXPECT_FALSE(writer.done());
    writer.cancel();
    EXPECT_TRUE(writer.join());
    EXPECT_EQ(sink->lines_dropped(), 0U);
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    sink.reset();
    EXPECT_TRUE(reader.join());
  });
  EXPECT_EQ(text, line_of_64 + "from the cancelled\n");
}

TEST(LogSink, ADeadlineOfTheCallerHoldsAndItsLineIsLeft) {
  StuckPipe pipe;
  run_event_loop([&] {
    const auto sink =
        Sink::open({.target = pipe.path(), .pending_bytes_max = 64, .flush_timeout = 0s}).value();
    sink->write_line(line_of_64);
    {
      const DeadlineScope scope(Duration::zero());
      sink->write_line("late");
    }
    EXPECT_EQ(sink->pending_bytes(), line_of_64.size() + 5);
    EXPECT_EQ(sink->lines_dropped(), 0U);
    pipe.close_reader();
  });
}

TEST(LogSink, CallbacksUseAReserveThenTheirLinesAreDroppedAndCounted) {
  StuckPipe pipe;
  std::string text;
  run_event_loop([&] {
    auto sink = Sink::open({.target = pipe.path(), .pending_bytes_max = 128}).value();
    on_loop_stack([&] {
      for (int i = 0; i < 4; ++i) sink->write_line(line_of_64);
      EXPECT_EQ(sink->lines_dropped(), 0U);
      sink->write_line("one too many");
      sink->write_line("two too many");
    });
    EXPECT_EQ(sink->lines_dropped(), 2U);
    EXPECT_EQ(sink->pending_bytes(), 256U);
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    sink.reset();
    EXPECT_TRUE(reader.join());
  });
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[4], MatchesRegex(time_regex + " WARN  \\[log\\] log lines dropped: 2"));
}

TEST(LogSink, DrainWaitsForTheReportOfDroppedLines) {
  StuckPipe pipe;
  std::string text;
  run_event_loop([&] {
    auto sink = Sink::open({.target = pipe.path(), .format = Format::json, .pending_bytes_max = 32}).value();
    on_loop_stack([&] {
      sink->write_line(line_of_64);
      sink->write_line("too many");
    });
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    EXPECT_TRUE(sink->drain());
    sink.reset();
    EXPECT_TRUE(reader.join());
  });
  EXPECT_THAT(text, HasSubstr("\"message\":\"log lines dropped: 1\"}\n"));
}

TEST(LogSink, PendingStaysWithinTheBoundHoweverManyWrite) {
  StuckPipe pipe;
  run_event_loop([&] {
    const auto sink =
        Sink::open({.target = pipe.path(), .pending_bytes_max = 1024, .flush_timeout = 0s}).value();
    FiberGroup writers;
    for (int i = 0; i < 200; ++i) writers.spawn("writer", [&] { sink->write_line(line_of_64); });
    this_fiber::yield();
    on_loop_stack([] {});  // by now the sink's fiber hangs in a write
    EXPECT_EQ(sink->pending_bytes(), 1024U);
    writers.cancel();
    EXPECT_TRUE(writers.join());
    EXPECT_EQ(sink->pending_bytes(), 2048U);
    EXPECT_EQ(sink->lines_dropped(), 200U - 32U);
    pipe.close_reader();
  });
}

TEST(LogSink, ALineLongerThanTheBoundIsTakenAlone) {
  StuckPipe pipe;
  std::string text;
  const std::string longer(10'000, 'x');
  run_event_loop([&] {
    auto sink = Sink::open({.target = pipe.path(), .pending_bytes_max = 64}).value();
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    sink->write_line("before");
    sink->write_line(longer);
    sink->write_line("after");
    sink.reset();
    EXPECT_TRUE(reader.join());
  });
  EXPECT_EQ(text, "before\n" + longer + "\nafter\n");
}

class LoggingHook final : public SuspendHook {
 public:
  void before_suspend() noexcept override { info("from the hook"); }
};

TEST(LogSink, ASuspendHookMayLogWhileItsFiberWaitsForTheLog) {
  StuckPipe pipe;
  std::string text;
  run_event_loop([&] {
    ThreadSink sink({.target = pipe.path(), .pending_bytes_max = 128});
    sink->write_line(line_of_64);
    sink->write_line(line_of_64);
    LoggingHook hook;
    auto writer = spawn("writer", [&] {
      Scheduler::current()->running()->suspend_hook = &hook;
      sink->write_line("from the fiber");
      Scheduler::current()->running()->suspend_hook = nullptr;
    });
    this_fiber::yield();
    auto reader = spawn("reader", [&] { text = pipe.read_all(); });
    EXPECT_TRUE(writer.join());
    sink.close();
    EXPECT_TRUE(reader.join());
  });
  EXPECT_THAT(text, HasSubstr("from the hook\n"));
  EXPECT_THAT(text, HasSubstr("from the fiber\n"));
}

TEST(LogSink, AClosedPipeCostsLinesAndIsNotedOnce) {
  StuckPipe pipe;
  pipe.close_reader();
  ::testing::internal::CaptureStderr();
  run_event_loop([&] {
    ThreadSink sink({.target = pipe.path()});
    for (int i = 0; i < 3; ++i) {
      info("into the void");
      EXPECT_TRUE(sink->drain());
    }
    EXPECT_EQ(sink->lines_dropped(), 3U);
  });
  EXPECT_THAT(
      lines_of(::testing::internal::GetCapturedStderr()),
      ElementsAre(fmt::format("atlas: cannot log to {}: Broken pipe; lines are dropped", pipe.path())));
}

TEST(LogSink, AFullDiskCostsLinesAndIsNotedOnce) {
  ::testing::internal::CaptureStderr();
  run_event_loop([&] {
    ThreadSink sink({.target = "/dev/full"});
    for (int i = 0; i < 3; ++i) {
      info("no room");
      EXPECT_TRUE(sink->drain());
    }
    EXPECT_EQ(sink->lines_dropped(), 3U);
  });
  EXPECT_THAT(lines_of(::testing::internal::GetCapturedStderr()),
              ElementsAre("atlas: cannot log to /dev/full: No space left on device; lines are dropped"));
}

TEST(LogSink, AfterAFailureItSaysHowMuchIsMissing) {
  const TempDir dir;
  const auto path = dir.file("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  ::testing::internal::CaptureStderr();
  run_event_loop([&] {
    FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    ThreadSink sink({.target = path});
    reader = FileDescriptor();  // swaps: closed at the end of the statement
    info("lost");
    EXPECT_TRUE(sink->drain());
    info("lost");
    EXPECT_TRUE(sink->drain());
    reader = FileDescriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
    info("here again");
    EXPECT_TRUE(sink->drain());
    std::string text(1024, '\0');
    text.resize(static_cast<std::size_t>(read(reader.get(), text.data(), text.size())));
    EXPECT_THAT(lines_of(text), ElementsAre(HasSubstr("here again"), HasSubstr("log lines dropped: 2")));
  });
  ::testing::internal::GetCapturedStderr();
}

/// While it lives, no file grows past `bytes`: what a full disk looks like in the middle of a line.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &saved_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = saved_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &saved_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit saved_{};
  void (*handler_)(int);
};

TEST(LogSink, ATornLineIsEndedBeforeTheNext) {
  const TempDir dir;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("log")}).value();
    {
      const FileSizeLimit limit(10);
      sink->write_line("123456");
      sink->write_line("abcdef");
      EXPECT_TRUE(sink->drain());
    }
    EXPECT_EQ(sink->lines_dropped(), 1U);
    sink->write_line("whole");
    EXPECT_TRUE(sink->drain());
  });
  EXPECT_THAT(lines_of(content(dir.file("log"))),
              ElementsAre("123456", "abc", "whole", HasSubstr("log lines dropped: 1")));
}

TEST(LogSink, DrainReturnsWhenEverythingIsWritten) {
  const TempDir dir;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("log")}).value();
    for (int i = 0; i < 1000; ++i) sink->write_line(line_of_64);
    EXPECT_TRUE(sink->drain());
    EXPECT_EQ(std::filesystem::file_size(dir.file("log")), 64'000U);
    EXPECT_EQ(sink->pending_bytes(), 0U);
  });
}

TEST(LogSink, DestructionWritesEverything) {
  const TempDir dir;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("log")}).value();
    for (int i = 0; i < 1000; ++i) sink->write_line(line_of_64);
  });
  EXPECT_EQ(std::filesystem::file_size(dir.file("log")), 64'000U);
}

TEST(LogSink, DrainOfAStuckPipeEndsAtItsDeadline) {
  StuckPipe pipe;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = pipe.path(), .flush_timeout = 0s}).value();
    sink->write_line("never read");
    EXPECT_EQ(sink->drain(Deadline::after(1ms)).error(), std::errc::timed_out);
    pipe.close_reader();
  });
}

TEST(LogSink, DrainIsCancelled) {
  StuckPipe pipe;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = pipe.path(), .flush_timeout = 0s}).value();
    sink->write_line("never read");
    Caller caller([&] { return sink->drain(); });
    EXPECT_TRUE(caller.waits());
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    pipe.close_reader();
  });
}

TEST(LogSink, TheLastWriteInTheTurnOfACancellationOfADrainCounts) {
  const TempDir dir;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("log")}).value();
    for (int turns = 0; turns < 30; ++turns) {
      sink->write_line(line_of_64);
      Caller caller([&] {
        auto drained = sink->drain();
        EXPECT_EQ(drained.has_value(), sink->pending_bytes() == 0);
        return drained;
      });
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      caller.cancel();
      const auto error = caller.error();
      EXPECT_TRUE(!error || error == std::errc::operation_canceled) << error.message();
    }
  });
}

// Whether there is room before the cancellation or after: the line is there, once.
TEST(LogSink, RoomInTheTurnOfACancellationTakesTheLineOnce) {
  for (int turns = 0; turns < 20; ++turns) {
    StuckPipe pipe;
    std::string text;
    run_event_loop([&] {
      auto sink = Sink::open({.target = pipe.path(), .pending_bytes_max = 64}).value();
      sink->write_line(line_of_64);
      auto writer = spawn("writer", [&] { sink->write_line("from the cancelled"); });
      this_fiber::yield();
      auto reader = spawn("reader", [&] { text = pipe.read_all(); });
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      writer.cancel();
      EXPECT_TRUE(writer.join());
      sink.reset();
      EXPECT_TRUE(reader.join());
    });
    EXPECT_EQ(text, line_of_64 + "from the cancelled\n");
  }
}

TEST(LogSink, AStuckPipeDoesNotHoldUpTheExitAndSaysWhatIsLost) {
  StuckPipe pipe;
  ::testing::internal::CaptureStderr();
  run_event_loop([&] {
    const auto sink = Sink::open({.target = pipe.path(), .flush_timeout = 1ms}).value();
    sink->write_line("never read");
    sink->write_line("never read");
  });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            fmt::format("atlas: {} did not take the last 2 log lines in time\n", pipe.path()));
}

TEST(LogSink, ReopenAfterARenameWritesToANewFile) {
  const TempDir dir;
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("log")}).value();
    sink->write_line("old");
    EXPECT_TRUE(sink->drain());
    std::filesystem::rename(dir.file("log"), dir.file("log.1"));
    sink->write_line("still old");
    EXPECT_TRUE(sink->drain());
    EXPECT_TRUE(sink->reopen());
    sink->write_line("new");
  });
  EXPECT_EQ(content(dir.file("log.1")), "old\nstill old\n");
  EXPECT_EQ(content(dir.file("log")), "new\n");
}

TEST(LogSink, AReopenThatFailsKeepsTheOldFile) {
  const TempDir dir;
  std::filesystem::create_directory(dir.file("logs"));
  run_event_loop([&] {
    const auto sink = Sink::open({.target = dir.file("logs/log")}).value();
    std::filesystem::rename(dir.file("logs"), dir.file("elsewhere"));
    EXPECT_EQ(sink->reopen().error(), std::errc::no_such_file_or_directory);
    sink->write_line("kept");
  });
  EXPECT_EQ(content(dir.file("elsewhere/log")), "kept\n");
}

}  // namespace
}  // namespace atlas::log
