// Suspending in catch blocks and while the stack unwinds, in hundreds of fibers whose turns come in any
// order: each must find the exceptions that it left, and no others.
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/wait.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <exception>
#include <random>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::on_workers;
using testing::TestLoop;

using Random = std::mt19937_64;

/// Fibers of one thread that wait for their turn, which comes in an order of chance.
class Turns {
 public:
  explicit Turns(Random& random) : random_(random) {}

  /// Suspends in one of the ways in which a fiber may: until it is its turn, until the others have run, for a
  /// while.
  void pass() {
    ++passed_;
    switch (random_() % 8) {
      case 0: return this_fiber::yield();
      case 1: return this_fiber::sleep_for(1ms * static_cast<int>(random_() % 3)).value();
      default: break;
    }
    Wait wait({"its turn"});
    waiting_.push_back(wait.waker());
    ASSERT_TRUE(wait.park().woken());
  }

  /// Gives turns until `group` has ended.
  void give_to(FiberGroup& group) {
    while (group.size() > 0) {
      for (auto count = random_() % 64; count > 0 && !waiting_.empty(); --count) wake_one();
      this_fiber::sleep_for(1ms).value();
    }
    group.join().value();
  }

  [[nodiscard]] std::size_t passed() const noexcept { return passed_; }

 private:
  void wake_one() {
    std::swap(waiting_[random_() % waiting_.size()], waiting_.back());
    const Waker waker = waiting_.back();
    waiting_.pop_back();
    EXPECT_TRUE(waker.wake());
  }

  Random& random_;
  std::vector<Waker> waiting_;
  std::size_t passed_ = 0;
};

/// What the fibers throw: whose it is, and which of his.
struct Thrown {
  int fiber;
  int number;
};

/// What one fiber does: it throws, catches and unwinds, and suspends wherever it can.
class Thrower {
 public:
  Thrower(int fiber, Random& random, Turns& turns) : fiber_(fiber), random_(random), turns_(turns) {}

  void run() {
    for (int round = 0; round < 3; ++round) {
      try {
        descend<4>();
        ADD_FAILURE() << "nothing was thrown";
      } catch (const Thrown& caught) {
        pass_and_see(caught, 0);
      }
      EXPECT_EQ(std::current_exception(), nullptr);
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
  }

 private:
  /// Suspends in its destructor, which runs while the stack unwinds.
  class Unwound {
   public:
    explicit Unwound(Thrower& thrower) : thrower_(thrower) {}
    Unwound(const Unwound&) = delete;
    Unwound& operator=(const Unwound&) = delete;
    ~Unwound() { thrower_.pass_while_unwinding(before_ + 1); }

   private:
    Thrower& thrower_;
    int before_ = std::uncaught_exceptions();
  };

  [[noreturn]] void throw_another() { throw Thrown{.fiber = fiber_, .number = ++thrown_}; }

  /// Throws at the bottom; every level on the way up catches, suspends, and throws on.
  template <int levels>
  void descend() {
    const Unwound unwound(*this);
    try {
      if constexpr (levels > 0) {
        descend<levels - 1>();
      } else {
        throw_another();
      }
    } catch (const Thrown& caught) {
      pass_and_see(caught, 0);
      throw_and_catch_within(0);
      pass_and_see(caught, 0);
      throw_on();
    }
  }

  /// From a catch block: the same exception, another, or the same by way of its pointer.
  [[noreturn]] void throw_on() {
    switch (random_() % 3) {
      case 0: throw;
      case 1: throw_another();
      default: std::rethrow_exception(std::current_exception());
    }
  }

  /// A whole life of an exception while others are caught, or unwinding (`uncaught`).
  void throw_and_catch_within(int uncaught) {
    const auto outer = std::current_exception();
    const int number = thrown_ + 1;
    try {
      const Unwound unwound(*this);
      throw_another();
    } catch (const Thrown& inner) {
      EXPECT_EQ(inner.number, number);
      pass_and_see(inner, uncaught);
    }
    EXPECT_EQ(std::current_exception(), outer);
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
  }

  void pass_while_unwinding(int uncaught) {
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
    turns_.pass();
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
    if (uncaught == 1) throw_and_catch_within(uncaught);
    if (random_() % 4 == 0) join_one_that_throws();
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
  }

  void pass_and_see(const Thrown& caught, int uncaught) {
    const int number = caught.number;
    const auto* const address = &caught;
    const auto handled = std::current_exception();
    turns_.pass();
    EXPECT_EQ(caught.fiber, fiber_);
    EXPECT_EQ(caught.number, number);
    EXPECT_EQ(std::current_exception(), handled);
    EXPECT_EQ(std::uncaught_exceptions(), uncaught);
    try {
      throw;
    } catch (const Thrown& again) {
      EXPECT_EQ(&again, address) << "the same object";
    }
  }

  void join_one_that_throws() {
    auto child = spawn("child", [this] {
      turns_.pass();
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      throw Thrown{.fiber = -1, .number = 0};
    });
    try {
      child.join().value();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Thrown& caught) {
      EXPECT_EQ(caught.fiber, -1);
    }
  }

  int fiber_;
  int thrown_ = 0;
  Random& random_;
  Turns& turns_;
};

/// On a fiber.
void interleave_throwers(int count, Random::result_type seed) {
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  Random random(seed);
  Turns turns(random);
  FiberGroup group;
  for (int fiber = 0; fiber < count; ++fiber) {
    group.spawn("thrower", [&, fiber] { Thrower(fiber, random, turns).run(); });
  }
  turns.give_to(group);
  EXPECT_GT(turns.passed(), static_cast<std::size_t>(count) * 100);
}

TEST(InterleavedExceptions, StayWithTheirFibers) {
  TestLoop loop;
  loop.run([] { interleave_throwers(400, std::random_device()()); });
}

TEST(InterleavedExceptions, StayWithTheirFibersOnEveryWorker) {
  const auto seed = std::random_device()();
  on_workers(3, [&](int worker) { interleave_throwers(100, seed + static_cast<unsigned>(worker)); });
}

/// Waits in its destructor for a fiber that uses it.
struct Owner {
  explicit Owner(std::vector<int>& seen)
      : child(spawn("child", [this, &seen] {
          static_cast<void>(this_fiber::sleep_for(1h));
          this_fiber::yield();
          seen.push_back(value);
        })) {}
  int value = 7;
  Fiber child;
};

TEST(InterleavedExceptions, AFiberIsWaitedForWhileTheStackOfItsOwnerUnwinds) {
  TestLoop loop;
  std::vector<int> seen;
  loop.run([&] {
    FiberGroup group;
    for (int fiber = 0; fiber < 300; ++fiber) {
      group.spawn("owner", [&, fiber] {
        try {
          const Owner owner(seen);
          this_fiber::yield();
          throw Thrown{.fiber = fiber, .number = 0};
        } catch (const Thrown& caught) {
          EXPECT_EQ(caught.fiber, fiber);
        }
      });
    }
    group.join().value();
  });
  EXPECT_EQ(seen, std::vector<int>(300, 7));
}

TEST(InterleavedExceptions, EachComesOutOfItsOwnJoin) {
  TestLoop loop;
  loop.run([] {
    std::vector<Fiber> fibers;
    for (int fiber = 0; fiber < 300; ++fiber) {
      fibers.push_back(spawn("thrower", [fiber] {
        try {
          throw Thrown{.fiber = fiber, .number = 1};
        } catch (const Thrown&) {
          this_fiber::sleep_for(1ms * (fiber % 7)).value();
          throw;
        }
      }));
    }
    for (int fiber = 299; fiber >= 0; --fiber) {
      try {
        fibers[static_cast<std::size_t>(fiber)].join().value();
        ADD_FAILURE() << "nothing was thrown";
      } catch (const Thrown& caught) {
        EXPECT_EQ(caught.fiber, fiber);
      }
    }
  });
}

TEST(InterleavedExceptions, AreKeptFromFibersThatStartOnAUsedStack) {
  TestLoop loop;
  loop.run([] {
    for (int round = 0; round < 100; ++round) {
      EXPECT_THROW(spawn("thrower", [] { throw Thrown{.fiber = 0, .number = 0}; }).join().value(), Thrown);
      spawn("next",
            [] {
              EXPECT_EQ(std::current_exception(), nullptr);
              EXPECT_EQ(std::uncaught_exceptions(), 0);
            })
          .join()
          .value();
    }
  });
}

}  // namespace
}  // namespace atlas
