#include <atlas/core/connect.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/memory_stream.hpp>
#include <atlas/core/socket.hpp>
#include "support/held_pool.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::make_memory_pipe;
using testing::make_memory_stream;
using testing::on_workers;

constexpr Deadline over{TimePoint()};

std::string numbers(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + ' ';
  return text;
}

File file_with(const std::string& text) {
  const bool in_memory = std::filesystem::exists("/dev/shm");  // spares the disk what is large
  auto file = File::unnamed(in_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string()).value();
  file.write(text).value();
  return file;
}

std::string read_all(Stream& stream) {
  std::string text;
  for (;;) {
    Chunk chunk = stream.read_chunk(Deadline::after(10s)).value();
    if (chunk.empty()) return text;
    text.append(chunk.bytes().data(), chunk.bytes().size());
  }
}

/// Both ends of a TCP connection.
struct Connection {
  Connection() {
    auto listener = Listener::bind(SocketAddress::ip("127.0.0.1", 0).value()).value();
    auto connecting = spawn("client", [&] { client = connect(listener.address()).value(); });
    auto accepted = listener.accept().value();
    server = adopt_socket(std::move(accepted)).value();
    connecting.join().value();
  }
  StreamPtr client;
  StreamPtr server;
};

/// What arrives of `range` at the other end.
std::string sent_through(Stream& from, Stream& to, const File& file, const FileRange& range) {
  std::uint64_t sent = 0;
  auto sender = spawn("sender", [&] {
    sent = send_file(from, file, range).value();
    from.shutdown_write().value();
  });
  auto received = read_all(to);
  sender.join().value();
  EXPECT_EQ(sent, received.size());
  return received;
}

TEST(SendFile, SendsAllToASocket) {
  run_event_loop([] {
    const auto text = numbers(20'000'000);  // more than the system's buffers hold
    const auto file = file_with(text);
    Connection connection;
    EXPECT_TRUE(sent_through(*connection.server, *connection.client, file, {}) == text);
  });
}

TEST(SendFile, SendsAllToAMemoryStream) {
  run_event_loop([] {
    const auto text = numbers(500'000);
    const auto file = file_with(text);
    const auto [from, to] = make_memory_pipe(*Scheduler::current());
    EXPECT_TRUE(sent_through(*from, *to, file, {}) == text);
  });
}

TEST(SendFile, WhatIsInMemoryDoesNotWaitForThePool) {
  run_event_loop([] {
    const auto text = numbers(3'000'000);
    const auto file = file_with(text);
    char byte = 0;
    if (!file.try_read_some_at(0, {&byte, 1})) GTEST_SKIP() << "the system does not say what is in memory";
    Connection connection;
    const testing::HeldPool pool;
    EXPECT_TRUE(sent_through(*connection.server, *connection.client, file, {}) == text);
  });
}

TEST(SendFile, LetsOthersRunBetweenItsPieces) {
  run_event_loop([] {
    const auto file = file_with(numbers(8'000'000));
    Connection connection;
    bool sent = false;
    int turns = 0;
    auto other = spawn("other", [&] {
      while (!sent) {
        this_fiber::yield();
        ++turns;
      }
    });
    sent_through(*connection.server, *connection.client, file, {});
    sent = true;
    other.join().value();
    EXPECT_GE(turns, 4);
  });
}

TEST(SendFile, SendsARange) {
  run_event_loop([] {
    const auto file = file_with("0123456789");
    const auto over_socket = [&](FileRange range) {
      Connection connection;
      return sent_through(*connection.server, *connection.client, file, range);
    };
    const auto over_memory = [&](FileRange range) {
      const auto [from, to] = make_memory_pipe(*Scheduler::current());
      return sent_through(*from, *to, file, range);
    };
    for (const FileRange range : {FileRange{2, 5}, FileRange{0, 0}, FileRange{7, 3}, FileRange{10, 1}}) {
      const auto expected = std::string("0123456789").substr(range.offset, range.bytes);
      EXPECT_EQ(over_socket(range), expected);
      EXPECT_EQ(over_memory(range), expected);
    }
  });
}

TEST(SendFile, TellsWhenTheFileIsShorterThanTheRange) {
  run_event_loop([] {
    const auto file = file_with("0123456789");
    Connection connection;
    EXPECT_EQ(send_file(*connection.server, file, {.offset = 4, .bytes = 100}).value(), 6U);
    EXPECT_FALSE(connection.server->aborted());
  });
}

TEST(SendFile, LeavesTheFilesPosition) {
  run_event_loop([] {
    auto file = file_with("0123456789");
    Connection connection;
    send_file(*connection.server, file).value();
    file.write("more").value();
    EXPECT_EQ(file.status().value().bytes, 14U);
  });
}

TEST(SendFile, WhatIsWrittenBeforeAndAfterStaysInOrder) {
  run_event_loop([] {
    const auto file = file_with("file");
    Connection connection;
    connection.server->write("before ").value();
    send_file(*connection.server, file).value();
    connection.server->write(" after").value();
    connection.server->shutdown_write().value();
    EXPECT_EQ(read_all(*connection.client), "before file after");
  });
}

TEST(SendFile, APeerThatDoesNotReadStalls) {
  run_event_loop([] {
    const auto file = file_with(numbers(20'000'000));
    Connection connection;
    EXPECT_EQ(send_file(*connection.server, file, {}, {.stall_max = 20ms}).error(), std::errc::timed_out);
    EXPECT_TRUE(connection.server->aborted());
    const auto [from, to] = make_memory_pipe(*Scheduler::current());
    EXPECT_EQ(send_file(*from, file, {}, {.stall_max = 1ms}).error(), std::errc::timed_out);
    EXPECT_TRUE(from->aborted());
  });
}

TEST(SendFile, GivesUpAtItsDeadline) {
  run_event_loop([] {
    const auto file = file_with(numbers(20'000'000));
    Connection connection;
    EXPECT_EQ(send_file(*connection.server, file, {}, {.deadline = Deadline::after(20ms)}).error(),
              std::errc::timed_out);
    Connection late;
    EXPECT_EQ(send_file(*late.server, file, {}, {.deadline = over}).error(), std::errc::timed_out);
  });
}

TEST(SendFile, IsCancelledWhileThePeerDoesNotRead) {
  run_event_loop([] {
    const auto file = file_with(numbers(20'000'000));
    Connection connection;
    Caller caller([&] { return send_file(*connection.server, file); });
    while (!connection.server->writing()) this_fiber::sleep_for(1ms).value();
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_TRUE(connection.server->aborted());
  });
}

TEST(SendFile, CancelledAtAnyMomentHasSentAllOrAbortedTheStream) {
  run_event_loop([] {
    const auto text = numbers(200'000);
    const auto file = file_with(text);
    bool done = false;
    for (int turns = 0; !done; turns += 1 + turns / 4) {
      auto [stream, peer] = make_memory_stream(*Scheduler::current());
      Caller caller([&, &stream = stream] { return send_file(*stream, file); });
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      caller.cancel();
      const auto error = caller.error();
      done = !error;
      EXPECT_TRUE(done || error == std::errc::operation_canceled) << error.message();
      EXPECT_EQ(stream->aborted(), !done);
      while (done && peer.received().size() < text.size()) this_fiber::yield();
      EXPECT_TRUE(text.starts_with(peer.received()));
    }
  });
}

TEST(SendFile, OneFileIsSentByFibersOfSeveralWorkers) {
  std::optional<File> file;
  const auto text = numbers(300'000);
  run_event_loop([&] { file = file_with(text); });
  on_workers(3, [&](int) {
    const auto [from, to] = make_memory_pipe(*Scheduler::current());
    EXPECT_TRUE(sent_through(*from, *to, *file, {}) == text);
  });
}

TEST(SendFile, EndsWhenAnotherFiberAbortsTheStream) {
  run_event_loop([] {
    const auto file = file_with(numbers(20'000'000));
    Connection connection;
    Caller caller([&] { return send_file(*connection.server, file); });
    connection.server->abort();
    EXPECT_EQ(caller.error(), std::errc::connection_aborted);
  });
}

TEST(SendFile, APeerThatHasGoneIsAnError) {
  run_event_loop([] {
    const auto file = file_with(numbers(20'000'000));
    Connection connection;
    connection.client.reset();
    const auto error = send_file(*connection.server, file).error();
    EXPECT_TRUE(error == std::errc::broken_pipe || error == std::errc::connection_reset) << error.message();
    EXPECT_TRUE(connection.server->aborted());
  });
}

TEST(SendFile, AFileThatCannotBeReadIsAnError) {
  run_event_loop([] {
    const auto folder = File::open("/").value();
    Connection connection;
    EXPECT_EQ(send_file(*connection.server, folder).error(), std::errc::is_a_directory);
    EXPECT_TRUE(connection.server->aborted());
  });
}

}  // namespace
}  // namespace atlas
