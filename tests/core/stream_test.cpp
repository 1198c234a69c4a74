#include <atlas/core/stream.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/memory_stream.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::make_memory_pipe;
using testing::make_memory_stream;
using testing::MemoryStreamOptions;
using testing::TestLoop;

std::string read_some(Stream& stream, std::size_t bytes_max = 1024) {
  std::string text(bytes_max, '\0');
  text.resize(stream.read_some(text).value());
  return text;
}

/// Reads to the end.
std::string read_all(Stream& stream) {
  std::string text;
  for (;;) {
    Chunk chunk = stream.read_chunk().value();
    if (chunk.empty()) return text;
    text.append(chunk.bytes().data(), chunk.bytes().size());
  }
}

TEST(Stream, ReadSuspendsUntilBytesArrive) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&, &stream = stream, &peer = peer] {
    auto sender = spawn("sender", [&] { peer.send("hello"); });
    EXPECT_FALSE(stream->input_ready());
    EXPECT_EQ(read_some(*stream), "hello");
    sender.join().value();
  });
}

TEST(Stream, ReadSomeLeavesTheRestForTheNext) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("abcdef");
  loop.run([&stream = stream] {
    EXPECT_EQ(read_some(*stream, 4), "abcd");
    EXPECT_TRUE(stream->input_ready());
    EXPECT_EQ(read_some(*stream, 4), "ef");
    EXPECT_FALSE(stream->input_ready());
  });
}

TEST(Stream, ReadChunkHandsOverAllThatHasArrived) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("abc");
  loop.run_until_idle();
  peer.send("def");
  loop.run_until_idle();
  loop.run([&stream = stream] {
    Chunk chunk = stream->read_chunk().value();
    EXPECT_EQ(std::string(chunk.bytes().data(), chunk.bytes().size()), "abcdef");
  });
}

TEST(Stream, ReadGivesUpAtItsDeadlineAndTheStreamGoesOn) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    char byte = 0;
    EXPECT_EQ(stream->read_some({&byte, 1}, Deadline::after(1s)).error(), std::errc::timed_out);
    peer.send("x");
    EXPECT_EQ(read_some(*stream), "x");
  });
}

TEST(Stream, ACancelledReadLosesNoBytes) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    std::error_code seen;
    auto reader = spawn("reader", [&] { seen = stream->read_chunk().error(); });
    this_fiber::yield();
    reader.cancel();
    peer.send("later");
    reader.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
    EXPECT_EQ(read_some(*stream), "later");
  });
}

TEST(Stream, BytesInTheTurnOfACancellationAreNotLost) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&loop, &stream = stream, &peer = peer] {
    for (const bool cancel_first : {true, false}) {
      std::string received;
      Caller reader([&]() -> Result<void> {
        auto chunk = stream->read_chunk();
        if (!chunk) return Unexpected(chunk.error());
        received.assign(chunk->bytes().data(), chunk->bytes().size());
        return {};
      });
      peer.send("x");
      if (cancel_first) reader.cancel();
      // Behind the delivery, which wakes the reader.
      if (!cancel_first) loop.scheduler().inbox()->post([&] { reader.cancel(); });
      const auto error = reader.error();
      EXPECT_EQ(error == std::errc::operation_canceled, cancel_first);
      EXPECT_EQ(error ? read_some(*stream) : received, "x");
    }
  });
}

TEST(Stream, IsClosedWhenAnExceptionEndsItsOwner) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    const auto fail = [&] {
      const StreamPtr owned = std::move(stream);
      peer.reset();
      static_cast<void>(owned->read_chunk().value());
    };
    EXPECT_THROW(fail(), std::system_error);
    EXPECT_TRUE(peer.closed());
  });
}

TEST(Stream, TheEndIsAValueAfterAllBytes) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("last");
  peer.shutdown_write();
  loop.run([&stream = stream] {
    EXPECT_EQ(read_some(*stream), "last");
    EXPECT_EQ(read_some(*stream), "");
    EXPECT_EQ(read_some(*stream), "");
    EXPECT_TRUE(stream->read_chunk().value().empty());
    EXPECT_TRUE(stream->input_ended());
    EXPECT_FALSE(stream->input_error());
  });
}

TEST(Stream, AResetIsAnErrorAfterTheBytesThatArrivedBeforeIt) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("last");
  loop.run_until_idle();
  peer.reset();
  loop.run_until_idle();
  loop.run([&stream = stream] {
    EXPECT_EQ(read_some(*stream), "last");
    EXPECT_EQ(stream->read_chunk().error(), std::errc::connection_reset);
    EXPECT_EQ(stream->read_chunk().error(), std::errc::connection_reset);
    EXPECT_EQ(stream->input_error(), std::errc::connection_reset);
  });
}

TEST(Stream, AResetEndsAReadThatWaits) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    auto cutter = spawn("cutter", [&] { peer.reset(); });
    EXPECT_EQ(stream->read_chunk().error(), std::errc::connection_reset);
    cutter.join().value();
  });
}

TEST(Stream, ReadAheadIsBoundedAndGoesOnOnceRead) {
  TestLoop loop({.read_chunk_bytes = 8192, .trim_interval = Duration::zero()});
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 1});
  const std::string sent(100'000, 'x');
  peer.send(sent);
  peer.shutdown_write();
  loop.run_until_idle();
  EXPECT_FALSE(stream->input_ended());  // two buffers are full, the rest has to wait
  loop.run([&, &stream = stream] {
    Chunk first = stream->read_chunk().value();
    EXPECT_EQ(first.bytes().size(), 8192U);
    EXPECT_EQ(8192 + read_all(*stream).size(), sent.size());
  });
}

TEST(Stream, ATrickleOfBytesSharesBuffers) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.delivery_bytes_max = 1});
  const std::string sent(1000, 'x');
  peer.send(sent);
  loop.run_until_idle();
  loop.run([&, &stream = stream] { EXPECT_EQ(stream->read_chunk().value().bytes().size(), sent.size()); });
}

TEST(Stream, ATrickleIsReadAheadAlsoWhileManyBuffersAreLent) {
  TestLoop loop;
  auto& pool = loop.scheduler().chunks();
  std::vector<Chunk> lent;
  while (lent.size() < ChunkPool::unfitted_max) lent.push_back(pool.take());
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.delivery_bytes_max = 1});
  const std::string sent(1000, 'x');
  peer.send(sent);
  peer.shutdown_write();
  loop.run_until_idle();
  EXPECT_TRUE(stream->input_ended());
  loop.run([&, &stream = stream] {
    EXPECT_EQ(stream->read_chunk().value().bytes().size(), 1U);  // fitted
    EXPECT_EQ(stream->read_chunk().value().bytes().size(), sent.size() - 1);
  });
}

TEST(Stream, BytesArriveInOrderWhateverTheSizesOfReadsAndDeliveries) {
  for (const std::size_t delivery_bytes : {1U, 7U, 4096U, 100'000U}) {
    SCOPED_TRACE(delivery_bytes);
    TestLoop loop({.read_chunk_bytes = 8192, .trim_interval = Duration::zero()});
    auto [stream, peer] = make_memory_stream(loop.scheduler(), {.delivery_bytes_max = delivery_bytes});
    std::string sent;
    for (int i = 0; i < 10'000; ++i) sent += std::to_string(i);
    peer.send(sent);
    peer.shutdown_write();
    loop.run([&, &stream = stream] {
      std::string text;
      for (std::string part; !(part = read_some(*stream, 1000)).empty();) text += part;
      EXPECT_EQ(text, sent);
    });
  }
}

class NotingObserver final : public InputObserver {
 public:
  void on_input() override { ++calls; }
  int calls = 0;
};

TEST(Stream, TheInputObserverIsToldOnlyWhenNobodyReads) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  NotingObserver observer;
  stream->set_input_observer(&observer);
  loop.run([&, &stream = stream, &peer = peer] {
    auto sender = spawn("sender", [&] { peer.send("a"); });
    EXPECT_EQ(read_some(*stream), "a");
    sender.join().value();
  });
  EXPECT_EQ(observer.calls, 0);
  peer.send("b");
  loop.run_until_idle();
  EXPECT_EQ(observer.calls, 1);
  peer.shutdown_write();
  loop.run_until_idle();
  EXPECT_EQ(observer.calls, 2);
  EXPECT_TRUE(stream->input_ended());
}

TEST(Stream, AnInputObserverMayDestroyTheStream) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  class Destroyer final : public InputObserver {
   public:
    explicit Destroyer(StreamPtr& doomed) : stream_(doomed) {}
    void on_input() override { stream_.reset(); }

   private:
    StreamPtr& stream_;
  } destroyer(stream);
  stream->set_input_observer(&destroyer);
  peer.send("x");
  loop.run_until_idle();
  EXPECT_EQ(stream, nullptr);
  EXPECT_TRUE(peer.closed());
}

TEST(Stream, WriteSendsAllPiecesInOrder) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream] {
    const std::vector<std::string_view> pieces{"one ", "", "two ", "three"};
    stream->write(pieces).value();
  });
  EXPECT_EQ(peer.received(), "one two three");
}

TEST(Stream, WriteOfNothingSucceeds) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream] {
    EXPECT_TRUE(stream->write(""));
    EXPECT_TRUE(stream->write(std::span<const std::string_view>()));
  });
  EXPECT_EQ(peer.received(), "");
}

TEST(Stream, WriteSuspendsUntilTheSystemHasTakenAll) {
  for (std::size_t capacity = 1; capacity <= 13; ++capacity) {
    SCOPED_TRACE(capacity);
    TestLoop loop;
    auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = capacity});
    peer.stop_reading();
    bool written = false;
    loop.start("writer", [&, &stream = stream] {
      const std::vector<std::string_view> pieces{"one ", "two ", "three"};
      stream->write(pieces).value();
      written = true;
    });
    loop.run_until_idle();
    EXPECT_EQ(written, capacity == 13);
    EXPECT_EQ(stream->writing(), !written);
    EXPECT_EQ(stream->unsent_bytes(), 13 - capacity);
    while (peer.received().size() < 13) {
      peer.read(1);
      loop.run_until_idle();
    }
    EXPECT_TRUE(written);
    EXPECT_EQ(peer.received(), "one two three");
  }
}

TEST(Stream, TryWriteTakesWhatFits) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 5});
  peer.stop_reading();
  const std::vector<std::string_view> pieces{"abc", "def"};
  EXPECT_EQ(stream->try_write(pieces).value(), 5U);
  EXPECT_EQ(stream->try_write(pieces).value(), 0U);
  peer.read(5);
  EXPECT_EQ(peer.received(), "abcde");
}

TEST(Stream, AWriteThatMissesItsDeadlineAbortsTheStream) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 5});
  peer.stop_reading();
  loop.run([&stream = stream] {
    const auto written = stream->write("too much", {.deadline = Deadline::after(1s)});
    EXPECT_EQ(written.error(), std::errc::timed_out);
    EXPECT_TRUE(stream->aborted());
    EXPECT_FALSE(stream->writing());
    EXPECT_EQ(stream->read_chunk().error(), std::errc::connection_aborted);
  });
  EXPECT_TRUE(peer.closed());
}

TEST(Stream, ACancelledWriteAbortsTheStream) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 5});
  peer.stop_reading();
  loop.run([&stream = stream] {
    std::error_code seen;
    auto writer = spawn("writer", [&] { seen = stream->write("too much").error(); });
    this_fiber::yield();
    writer.cancel();
    writer.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
    EXPECT_TRUE(stream->aborted());
  });
}

TEST(Stream, TheEndOfAWriteInTheTurnOfACancellationCounts) {
  TestLoop loop;
  for (const bool cancel_first : {true, false}) {
    auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 5});
    peer.stop_reading();
    loop.run([&loop, cancel_first, &stream = stream, &peer = peer] {
      Caller writer([&] { return stream->write("too much"); });
      const auto cancel = [&] { writer.cancel(); };
      if (cancel_first) loop.scheduler().inbox()->post(cancel);
      peer.resume_reading();
      if (!cancel_first) loop.scheduler().inbox()->post(cancel);
      const auto error = writer.error();
      EXPECT_EQ(stream->aborted(), error == std::errc::operation_canceled);
      if (error) return;
      this_fiber::yield();
      EXPECT_EQ(peer.received(), "too much");
    });
  }
}

TEST(Stream, AWriteWithoutProgressStalls) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 5});
  peer.stop_reading();
  loop.run([&, &stream = stream] {
    const TimePoint before = loop.now();
    const auto written = stream->write("far too much", {.stall_max = 2s});
    EXPECT_EQ(written.error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 2s);
    EXPECT_TRUE(stream->aborted());
  });
}

TEST(Stream, AWriteGoesOnForAsLongAsThereIsProgress) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 5});
  peer.stop_reading();
  loop.run([&stream = stream, &peer = peer] {
    auto reader = spawn("reader", [&] {
      for (int i = 0; i < 20; ++i) {
        this_fiber::sleep_for(1500ms).value();
        peer.read(1);
      }
    });
    EXPECT_TRUE(stream->write("twenty bytes of text", {.stall_max = 2s}));
    reader.join().value();
  });
  EXPECT_EQ(peer.received(), "twenty bytes of text");
}

TEST(Stream, ADeadlineHoldsInSpiteOfProgress) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 5});
  peer.stop_reading();
  loop.run([&, &stream = stream, &peer = peer] {
    const auto reader = spawn("reader", [&] {
      while (this_fiber::sleep_for(1s)) peer.read(1);
    });
    const TimePoint before = loop.now();
    const std::string text(1000, 'x');
    const auto written = stream->write(text, {.deadline = Deadline::after(10s), .stall_max = 2s});
    EXPECT_EQ(written.error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - before, 10s);
  });
}

TEST(Stream, AWriteToAPeerThatHasClosedFailsAndAborts) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.close();
  loop.run([&stream = stream] {
    EXPECT_EQ(stream->write("x").error(), std::errc::broken_pipe);
    EXPECT_TRUE(stream->aborted());
    EXPECT_EQ(stream->write("x").error(), std::errc::broken_pipe);
  });
}

TEST(Stream, AResetEndsAWriteThatWaits) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 1});
  peer.stop_reading();
  loop.run([&stream = stream, &peer = peer] {
    auto cutter = spawn("cutter", [&] { peer.reset(); });
    EXPECT_EQ(stream->write("xy").error(), std::errc::connection_reset);
    cutter.join().value();
  });
}

TEST(Stream, AbortEndsTheWaitsOfReaderAndWriter) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 1});
  peer.stop_reading();
  loop.run([&stream = stream] {
    std::error_code read_error;
    std::error_code write_error;
    FiberGroup group;
    group.spawn("reader", [&] { read_error = stream->read_chunk().error(); });
    group.spawn("writer", [&] { write_error = stream->write("xy").error(); });
    this_fiber::yield();
    stream->abort();
    group.join().value();
    EXPECT_EQ(read_error, std::errc::connection_aborted);
    EXPECT_EQ(write_error, std::errc::connection_aborted);
  });
}

TEST(Stream, BytesThatArrivedBeforeAnAbortCanBeRead) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("before");
  loop.run_until_idle();
  stream->abort();
  loop.run([&stream = stream] {
    EXPECT_EQ(read_some(*stream), "before");
    EXPECT_EQ(stream->read_chunk().error(), std::errc::connection_aborted);
  });
}

class NotingWriteObserver final : public WriteObserver {
 public:
  void on_written(std::error_code error) override { outcome = error; }
  std::optional<std::error_code> outcome;
};

TEST(Stream, ABackgroundWriteTellsItsObserver) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  NotingWriteObserver observer;
  stream->write_in_background("background", observer);
  loop.run_until_idle();
  EXPECT_TRUE(stream->writing());
  EXPECT_FALSE(observer.outcome);
  peer.resume_reading();
  loop.run_until_idle();
  EXPECT_FALSE(stream->writing());
  EXPECT_EQ(observer.outcome, std::error_code());
  EXPECT_EQ(peer.received(), "background");
}

TEST(Stream, ABackgroundWriteTellsItsObserverOfAnError) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  NotingWriteObserver observer;
  stream->write_in_background("background", observer);
  peer.reset();
  loop.run_until_idle();
  ASSERT_TRUE(observer.outcome);
  EXPECT_EQ(*observer.outcome, std::errc::connection_reset);
}

TEST(Stream, AnAbortDoesNotTellObservers) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 4});
  peer.stop_reading();
  NotingWriteObserver write_observer;
  NotingObserver input_observer;
  stream->set_input_observer(&input_observer);
  stream->write_in_background("background", write_observer);
  stream->abort();
  loop.run_until_idle();
  EXPECT_FALSE(write_observer.outcome);
  EXPECT_EQ(input_observer.calls, 0);
  EXPECT_FALSE(stream->writing());
}

TEST(Stream, HalfCloseLetsThePeerGoOn) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    stream->write("request").value();
    stream->shutdown_write().value();
    EXPECT_EQ(peer.received(), "request");
    EXPECT_TRUE(peer.input_ended());
    EXPECT_FALSE(peer.closed());
    peer.send("answer");
    peer.shutdown_write();
    EXPECT_EQ(read_all(*stream), "answer");
    EXPECT_EQ(stream->write("more").error(), std::errc::broken_pipe);
  });
}

TEST(Stream, HalfCloseDuringAWriteIsRefused) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 1});
  peer.stop_reading();
  NotingWriteObserver observer;
  stream->write_in_background("background", observer);
  EXPECT_EQ(stream->shutdown_write().error(), std::errc::operation_in_progress);
}

void write_twice_at_once() {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.capacity_bytes = 1});
  peer.stop_reading();
  NotingWriteObserver observer;
  stream->write_in_background("one", observer);
  stream->write_in_background("two", observer);
}

TEST(StreamDeathTest, TwoWritesAtOnceAbort) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(write_twice_at_once(), "two writes at once on one stream");
}

TEST(MemoryStream, NeverDeliversInsideTheWritersCall) {
  TestLoop loop;
  loop.run([&] {
    auto [near, far] = make_memory_pipe(loop.scheduler());
    near->write("x").value();
    EXPECT_FALSE(far->input_ready());
    EXPECT_EQ(read_some(*far), "x");
  });
}

TEST(MemoryStream, EchoesThroughAPipeUnderBackPressure) {
  TestLoop loop;
  loop.run([&] {
    auto [near, far] = make_memory_pipe(loop.scheduler(), {.capacity_bytes = 10, .delivery_bytes_max = 3});
    auto echo = spawn("echo", [stream = std::move(far)] {
      while (true) {
        Chunk chunk = stream->read_chunk().value();
        if (chunk.empty()) break;
        stream->write({chunk.bytes().data(), chunk.bytes().size()}).value();
      }
      stream->shutdown_write().value();
    });
    const std::string sent(5000, 'e');
    auto sender = spawn("sender", [&, &stream = near] {
      stream->write(sent).value();
      stream->shutdown_write().value();
    });
    EXPECT_EQ(read_all(*near), sent);
    sender.join().value();
    echo.join().value();
  });
}

TEST(MemoryStream, DestructionEndsTheOtherSideInGoodOrder) {
  TestLoop loop;
  loop.run([&] {
    auto [near, far] = make_memory_pipe(loop.scheduler());
    near->write("last words").value();
    near.reset();
    EXPECT_EQ(read_all(*far), "last words");
    EXPECT_EQ(far->write("x").error(), std::errc::broken_pipe);
  });
}

TEST(MemoryStream, FailsTheChosenWrite) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(
      loop.scheduler(),
      {.write_fault = {.call = 2, .error = std::make_error_code(std::errc::no_buffer_space)}});
  loop.run([&stream = stream] {
    EXPECT_TRUE(stream->write("one"));
    EXPECT_EQ(stream->write("two").error(), std::errc::no_buffer_space);
  });
  EXPECT_EQ(peer.received(), "one");
}

TEST(MemoryStream, FailsTheChosenDelivery) {
  TestLoop loop;
  auto [stream, peer] =
      make_memory_stream(loop.scheduler(), {.delivery_bytes_max = 1, .read_fault = {.call = 3}});
  peer.send("abc");
  loop.run([&stream = stream] {
    EXPECT_EQ(read_some(*stream), "a");
    EXPECT_EQ(read_some(*stream), "b");
    EXPECT_EQ(stream->read_chunk().error(), std::errc::connection_reset);
  });
}

TEST(MemoryStream, PeerMayOutliveTheScheduler) {
  std::optional<testing::MemoryPeer> kept;
  {
    TestLoop loop;
    auto [stream, peer] = make_memory_stream(loop.scheduler());
    kept = peer;
  }
  kept->send("x");
  EXPECT_TRUE(kept->closed());
}

}  // namespace
}  // namespace atlas
