// What another thread hands over to a waiting fiber, for every primitive that works across workers: it
// counts, though the fiber's own loop has yet to hear of it, and its coming late disturbs nobody.
#include <atlas/core/barrier.hpp>
#include <atlas/core/channel.hpp>
#include <atlas/core/condition_variable.hpp>
#include <atlas/core/event.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/future.hpp>
#include <atlas/core/mutex.hpp>
#include <atlas/core/select.hpp>
#include <atlas/core/semaphore.hpp>
#include <atlas/core/shared_mutex.hpp>
#include <atlas/core/wait_group.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

// Each specimen is something to wait for; `serve`, called by a fiber of another thread, ends the wait.

struct OfMutex {
  Mutex mutex;
  std::optional<Mutex::Lock> lock = mutex.try_lock();

  auto wait(Deadline deadline) { return mutex.lock(deadline); }
  void serve() { lock->unlock(); }
};

struct OfReader {
  SharedMutex mutex;
  std::optional<SharedMutex::Lock> lock = mutex.try_lock();

  auto wait(Deadline deadline) { return mutex.lock_shared(deadline); }
  void serve() { lock->unlock(); }
};

struct OfWriter {
  SharedMutex mutex;
  std::optional<SharedMutex::SharedLock> lock = mutex.try_lock_shared();

  auto wait(Deadline deadline) { return mutex.lock(deadline); }
  void serve() { lock->unlock(); }
};

struct OfConditionVariable {
  Mutex mutex;
  ConditionVariable changed;
  bool ready = false;

  Result<void> wait(Deadline deadline) {
    auto lock = mutex.lock().value();
    if (ready) return {};
    return changed.wait(lock, deadline);
  }
  void serve() {
    const auto lock = mutex.lock().value();
    ready = true;
    changed.notify_one();
  }
};

struct OfSemaphore {
  Semaphore semaphore{0};

  auto wait(Deadline deadline) { return semaphore.acquire(deadline); }
  void serve() { semaphore.release(); }
};

struct OfEvent {
  Event event;

  auto wait(Deadline deadline) { return event.wait(deadline); }
  void serve() { event.set(); }
};

struct OfWaitGroup {
  WaitGroup group{1};

  auto wait(Deadline deadline) { return group.wait(deadline); }
  void serve() { group.done(); }
};

struct OfReceiver {
  Channel<int> channel{0};

  auto wait(Deadline deadline) { return channel.receive(deadline); }
  void serve() {
    while (!channel.try_send(7)) std::this_thread::yield();
  }
};

struct OfSender {
  Channel<int> channel{0};

  auto wait(Deadline deadline) { return channel.send(7, deadline); }
  void serve() {
    while (!channel.try_receive()) std::this_thread::yield();
  }
};

struct OfEndOfChannel {
  Channel<int> channel{0};

  auto wait(Deadline deadline) { return channel.receive(deadline); }
  void serve() { channel.close(); }
};

struct OfSelect {
  Channel<int> channel{0};
  Channel<int> quiet{0};

  auto wait(Deadline deadline) {
    const auto ignore = [](std::optional<int>) {};
    return select(deadline, on_receive(quiet, ignore), on_receive(channel, ignore));
  }
  void serve() {
    while (!channel.try_send(7)) std::this_thread::yield();
  }
};

struct OfFuture {
  Promise<int> promise;
  Future<int> future = promise.future();

  auto wait(Deadline deadline) { return future.get(deadline); }
  void serve() {
    Promise<int> own = std::move(promise);
    own.set_value(7);
  }
};

struct OfBarrier {
  Barrier barrier{2};

  auto wait(Deadline deadline) { return barrier.arrive_and_wait(deadline); }
  void serve() { barrier.arrive_and_wait().value(); }
};

/// Serves on another thread, while this one stands still: its loop has been told, and does not know it yet.
template <class Specimen>
void serve_elsewhere(Specimen& specimen) {
  std::thread([&] { run_event_loop([&] { specimen.serve(); }); }).join();
}

template <class Specimen>
class RemoteHandOverTest : public ::testing::Test {
 protected:
  TestLoop loop;
};
using Specimens =
    ::testing::Types<OfMutex, OfReader, OfWriter, OfConditionVariable, OfSemaphore, OfEvent, OfWaitGroup,
                     OfReceiver, OfSender, OfEndOfChannel, OfSelect, OfFuture, OfBarrier>;
TYPED_TEST_SUITE(RemoteHandOverTest, Specimens);

TYPED_TEST(RemoteHandOverTest, EndsTheWait) {
  this->loop.run([] {
    TypeParam specimen;
    Caller caller([&] { return specimen.wait({}); });
    EXPECT_TRUE(caller.waits());
    serve_elsewhere(specimen);
    EXPECT_FALSE(caller.error());
  });
}

TYPED_TEST(RemoteHandOverTest, CountsWhenTheFiberIsCancelledRightAfter) {
  this->loop.run([] {
    TypeParam specimen;
    Caller caller([&] { return specimen.wait({}); });
    serve_elsewhere(specimen);
    caller.cancel();
    EXPECT_FALSE(caller.error());
  });
}

TYPED_TEST(RemoteHandOverTest, CountsWhenTheFiberWasCancelledRightBefore) {
  this->loop.run([] {
    TypeParam specimen;
    Caller caller([&] { return specimen.wait({}); });
    caller.cancel();
    serve_elsewhere(specimen);
    EXPECT_FALSE(caller.error());
  });
}

TYPED_TEST(RemoteHandOverTest, CountsWhenTheDeadlineIsDueInTheSameTurn) {
  this->loop.run([this] {
    TypeParam specimen;
    Caller caller([&] { return specimen.wait(Deadline::after(1s)); });
    serve_elsewhere(specimen);
    this->loop.driver().advance(1s);
    EXPECT_FALSE(caller.error());
  });
}

TYPED_TEST(RemoteHandOverTest, EndsNoOtherWaitWhenItIsHeardOfLate) {
  this->loop.run([this] {
    TypeParam specimen;
    auto fiber = spawn("fiber", [&] {
      EXPECT_FALSE(specimen.wait({}).error());
      const CancellationShield shield;
      const TimePoint before = this->loop.now();
      EXPECT_TRUE(this_fiber::sleep_for(1s));
      EXPECT_EQ(this->loop.now() - before, 1s);
    });
    this_fiber::yield();
    serve_elsewhere(specimen);
    fiber.cancel();
    fiber.join().value();
  });
}

// A barrier's fibers all wait, so that none may destroy it without knowing of the others.
template <class Specimen>
class LastServedTest : public ::testing::Test {};
using Destructibles = ::testing::Types<OfMutex, OfReader, OfWriter, OfConditionVariable, OfSemaphore, OfEvent,
                                       OfWaitGroup, OfReceiver, OfSender, OfEndOfChannel, OfSelect, OfFuture>;
TYPED_TEST_SUITE(LastServedTest, Destructibles);

TYPED_TEST(LastServedTest, MayDestroyItWhileTheOtherThreadIsOnItsWayOut) {
  Channel<TypeParam*> to_serve(0);
  on_workers(2, [&](int worker) {
    if (worker == 1) {
      for (TypeParam* specimen : to_serve) specimen->serve();
      return;
    }
    for (int round = 0; round < 300; ++round) {
      auto specimen = std::make_unique<TypeParam>();
      to_serve.send(specimen.get()).value();
      EXPECT_FALSE(specimen->wait({}).error());
      specimen.reset();
    }
    to_serve.close();
  });
}

}  // namespace
}  // namespace atlas
