#include <atlas/core/stream_handle.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/memory_stream.hpp>
#include <atlas/core/stream.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::make_memory_stream;
using testing::TestLoop;

TEST(StreamHandle, OfNoStreamDoesNothing) {
  EXPECT_FALSE(StreamHandle().post([](Stream&) { ADD_FAILURE(); }));
  StreamHandle().abort();
}

TEST(StreamHandle, ReachesItsStream) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream] {
    Stream* reached = nullptr;
    EXPECT_TRUE(stream->handle().post([&](Stream& there) { reached = &there; }));
    EXPECT_EQ(reached, nullptr) << "it does not run on the caller's stack";
    this_fiber::sleep_for(1ms).value();
    EXPECT_EQ(reached, stream.get());
  });
}

TEST(StreamHandle, OfAClosedStreamDoesNothing) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream] {
    const StreamHandle handle = stream->handle();
    handle.post([](Stream&) { ADD_FAILURE() << "it was closed"; });
    stream.reset();
    handle.abort();
    this_fiber::sleep_for(1ms).value();
  });
}

TEST(StreamHandle, AbortsFromAnotherThread) {
  std::promise<StreamHandle> handle;
  std::thread other([&] {
    run_event_loop([&] {
      auto [stream, peer] = make_memory_stream(*Scheduler::current());
      handle.set_value(stream->handle());
      EXPECT_FALSE(stream->read_chunk()) << "it was aborted";
    });
  });
  handle.get_future().get().abort();
  other.join();
}

TEST(StreamHandle, RefusesOnceItsLoopHasEnded) {
  StreamHandle handle;
  run_event_loop([&] {
    auto [stream, peer] = make_memory_stream(*Scheduler::current());
    handle = stream->handle();
  });
  EXPECT_FALSE(handle.post([](Stream&) { ADD_FAILURE(); }));
}

}  // namespace
}  // namespace atlas
