#include <atlas/core/buffered_writer.hpp>

#include <atlas/core/buffered_reader.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/memory_stream.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::Caller;
using testing::make_memory_pipe;
using testing::make_memory_stream;
using testing::TestLoop;

TEST(BufferedWriter, NothingLeavesBeforeAFlush) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedWriter writer(*stream);
    writer.write("one ").value();
    writer.write("two").value();
    EXPECT_EQ(writer.buffered_bytes(), 7U);
    EXPECT_EQ(peer.received(), "");
    writer.flush().value();
    EXPECT_EQ(writer.buffered_bytes(), 0U);
    EXPECT_EQ(peer.received(), "one two");
    writer.flush().value();
    EXPECT_EQ(peer.received(), "one two");
  });
}

TEST(BufferedWriter, WhatWasNotFlushedIsLost) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedWriter(*stream).write("lost").value();
    EXPECT_EQ(peer.received(), "");
  });
}

TEST(BufferedWriter, TheBufferHoldsItsLimitAndWritesThroughOnePast) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedWriter writer(*stream, {.buffer_bytes_max = 4});
    writer.write("ab").value();
    writer.write("cd").value();
    EXPECT_EQ(peer.received(), "");
    writer.write("e").value();
    EXPECT_EQ(peer.received(), "abcde");
    EXPECT_EQ(writer.buffered_bytes(), 0U);
    writer.write("12345").value();
    EXPECT_EQ(peer.received(), "abcde12345");
  });
}

TEST(BufferedWriter, ABufferOfNothingWritesAtOnce) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedWriter writer(*stream, {.buffer_bytes_max = 0});
    writer.write("").value();
    writer.write("a").value();
    EXPECT_EQ(peer.received(), "a");
  });
}

TEST(BufferedWriter, FramesHaveTheirLengthBeforeThem) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedWriter writer(*stream);
    writer.write_frame("a", {.length_bytes = 1}).value();
    writer.write_frame("bc", {.length_bytes = 2}).value();
    writer.write_frame("de", {.length_bytes = 2, .order = std::endian::little}).value();
    writer.write_frame("", {.length_bytes = 4}).value();
    writer.write_frame("fgh", {.length_bytes = 8, .order = std::endian::little}).value();
    writer.flush().value();
    EXPECT_EQ(peer.received(), "\1a\0\2bc\2\0de\0\0\0\0\3\0\0\0\0\0\0\0fgh"s);
  });
}

TEST(BufferedWriter, WhatItWritesAReaderReads) {
  TestLoop loop;
  auto [left, right] = make_memory_pipe(loop.scheduler());
  loop.run([&left = left, &right = right] {
    auto writing = spawn("writer", [&] {
      BufferedWriter writer(*left, {.buffer_bytes_max = 100});
      for (std::size_t size = 0; size < 300; ++size) writer.write_frame(std::string(size, 'x')).value();
      writer.flush().value();
    });
    BufferedReader reader(*right);
    for (std::size_t size = 0; size < 300; ++size) {
      ASSERT_EQ(*reader.read_frame().value(), std::string(size, 'x'));
    }
    writing.join().value();
  });
}

TEST(BufferedWriter, AFrameMayBeAsLongAsItsLimitAndNoLonger) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream] {
    BufferedWriter writer(*stream);
    writer.write_frame("123", {.frame_bytes_max = 3}).value();
    EXPECT_EQ(writer.write_frame("1234", {.frame_bytes_max = 3}).error(), FramingErrc::too_long);
    EXPECT_EQ(writer.buffered_bytes(), 7U);
  });
}

TEST(BufferedWriter, AFrameMustFitIntoItsLength) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream] {
    BufferedWriter writer(*stream);
    writer.write_frame(std::string(255, 'x'), {.length_bytes = 1}).value();
    EXPECT_EQ(writer.write_frame(std::string(256, 'x'), {.length_bytes = 1}).error(), FramingErrc::too_long);
    writer.write_frame(std::string(65'535, 'x'), {.length_bytes = 2}).value();
    EXPECT_EQ(writer.write_frame(std::string(65'536, 'x'), {.length_bytes = 2}).error(),
              FramingErrc::too_long);
    EXPECT_FALSE(writer.error());
  });
}

TEST(BufferedWriter, AFlushWaitsForASlowPeer) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  loop.run([&, &stream = stream, &peer = peer] {
    auto reading = spawn("peer", [&] {
      this_fiber::sleep_for(1s).value();
      peer.resume_reading();
    });
    BufferedWriter writer(*stream);
    writer.write("123456789").value();
    const auto begin = loop.now();
    writer.flush().value();
    EXPECT_EQ(loop.now() - begin, 1s);
    EXPECT_EQ(peer.received(), "123456789");
    reading.join().value();
  });
}

TEST(BufferedWriter, ADeadlineAbortsTheStreamAndTheErrorStays) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  loop.run([&stream = stream] {
    BufferedWriter writer(*stream);
    writer.write("123456789").value();
    EXPECT_EQ(writer.flush(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_TRUE(stream->aborted());
    EXPECT_EQ(writer.error(), std::errc::timed_out);
    EXPECT_EQ(writer.write("x").error(), std::errc::timed_out);
    EXPECT_EQ(writer.flush().error(), std::errc::timed_out);
    EXPECT_EQ(writer.buffered_bytes(), 0U);
  });
}

TEST(BufferedWriter, AStallIsAnError) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  loop.run([&stream = stream] {
    BufferedWriter writer(*stream, {.buffer_bytes_max = 0, .stall_max = 1s});
    EXPECT_EQ(writer.write("123456789").error(), std::errc::timed_out);
  });
}

TEST(BufferedWriter, AFlushIsCancelled) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  loop.run([&stream = stream] {
    BufferedWriter writer(*stream);
    writer.write("123456789").value();
    auto flushing = spawn("flush", [&] { static_cast<void>(writer.flush()); });
    this_fiber::yield();
    flushing.cancel();
    flushing.join().value();
    EXPECT_EQ(writer.error(), std::errc::operation_canceled);
  });
}

TEST(BufferedWriter, TheEndOfAFlushInTheTurnOfACancellationIsToldAsItIs) {
  for (const int turns : {0, 1, 2, 3}) {
    TestLoop loop;
    auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
    peer.stop_reading();
    loop.run([turns, &stream = stream, &peer = peer] {
      BufferedWriter writer(*stream);
      writer.write("12345678").value();
      Caller flushing([&] { return writer.flush(); });
      peer.resume_reading();
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      flushing.cancel();
      const auto error = flushing.error();
      EXPECT_EQ(writer.error(), error);
      EXPECT_EQ(stream->aborted(), error == std::errc::operation_canceled);
      if (error) return;
      this_fiber::yield();
      EXPECT_EQ(peer.received(), "12345678");
    });
  }
}

TEST(BufferedWriter, TheFirstErrorOfTheStreamStays) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.write_fault = {.call = 2}});
  loop.run([&stream = stream, &peer = peer] {
    BufferedWriter writer(*stream, {.buffer_bytes_max = 1});
    writer.write("12").value();
    EXPECT_EQ(writer.write("34").error(), std::errc::connection_reset);
    EXPECT_EQ(writer.write("5").error(), std::errc::connection_reset);
    EXPECT_EQ(peer.received(), "12");
  });
}

}  // namespace
}  // namespace atlas
