#include <atlas/core/select.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

constexpr auto ignore = [](auto&&...) {};

template <class Sharing>
class SelectTest : public ::testing::Test {
 protected:
  using Ints = BasicChannel<int, Sharing>;
  TestLoop loop;
};
using Kinds = ::testing::Types<detail::AnyThread, detail::OneThread>;
TYPED_TEST_SUITE(SelectTest, Kinds);

TYPED_TEST(SelectTest, ReceivesFromTheChannelThatHasAValue) {
  this->loop.run([] {
    typename TestFixture::Ints one(1);
    typename TestFixture::Ints two(1);
    EXPECT_TRUE(two.send(5));
    std::optional<int> received;
    const auto served =
        select(on_receive(one, ignore), on_receive(two, [&](std::optional<int> value) { received = value; }));
    EXPECT_EQ(served.value(), 1U);
    EXPECT_EQ(received, 5);
  });
}

TYPED_TEST(SelectTest, WaitsUntilOneCanGoOn) {
  this->loop.run([] {
    typename TestFixture::Ints one(0);
    typename TestFixture::Ints two(0);
    std::optional<int> received;
    Caller caller([&] {
      return select(on_receive(one, ignore), on_receive(two, [&](std::optional<int> v) { received = v; }));
    });
    EXPECT_TRUE(caller.waits());
    EXPECT_TRUE(two.try_send(7));
    EXPECT_FALSE(one.try_send(8)) << "it is served once";
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(received, 7);
    EXPECT_FALSE(one.try_send(9)) << "and waits for nothing afterwards";
  });
}

TYPED_TEST(SelectTest, SendsWhereThereIsRoom) {
  this->loop.run([] {
    typename TestFixture::Ints full(0);
    typename TestFixture::Ints roomy(1);
    bool sent = false;
    const auto served = select(on_send(full, 1, ignore), on_send(roomy, 2, [&] { sent = true; }));
    EXPECT_EQ(served.value(), 1U);
    EXPECT_TRUE(sent);
    EXPECT_EQ(roomy.try_receive(), 2);
  });
}

TYPED_TEST(SelectTest, WaitsUntilAValueIsTaken) {
  this->loop.run([] {
    BasicChannel<std::unique_ptr<int>, TypeParam> one(0);
    BasicChannel<std::unique_ptr<int>, TypeParam> two(0);
    auto first = std::make_unique<int>(1);
    auto second = std::make_unique<int>(2);
    Caller caller([&] {
      return select(on_send(one, std::move(first), ignore), on_send(two, std::move(second), ignore));
    });
    EXPECT_EQ(**two.try_receive(), 2);
    EXPECT_FALSE(one.try_receive());
    EXPECT_FALSE(caller.error());
    EXPECT_TRUE(first) << "what was not sent stays";
    EXPECT_FALSE(second);
  });
}

TYPED_TEST(SelectTest, DoesNotWaitWithAnOrElse) {
  this->loop.run([] {
    typename TestFixture::Ints channel(1);
    int otherwise = 0;
    const auto poll = [&] {
      return select(on_receive(channel, ignore), or_else([&] { ++otherwise; })).value();
    };
    EXPECT_EQ(poll(), 1U);
    EXPECT_EQ(otherwise, 1);
    EXPECT_TRUE(channel.send(1));
    EXPECT_EQ(poll(), 0U);
    EXPECT_EQ(otherwise, 1);
  });
}

TYPED_TEST(SelectTest, TakesTurnsWhenSeveralCanGoOn) {
  this->loop.run([] {
    typename TestFixture::Ints one(100);
    typename TestFixture::Ints two(100);
    for (int i = 0; i < 100; ++i) {
      one.send(i).value();
      two.send(i).value();
    }
    std::vector<int> served(3);
    for (int i = 0; i < 30; ++i) {
      ++served[select(on_receive(one, ignore), on_receive(two, ignore), on_send(one, 0, ignore)).value()];
    }
    EXPECT_EQ(served, (std::vector<int>{10, 10, 10}));
  });
}

TYPED_TEST(SelectTest, AClosedChannelIsAnEndForReceiversAndAnErrorForSenders) {
  this->loop.run([] {
    typename TestFixture::Ints channel(1);
    Caller sender([&] {
      channel.send(0).value();
      return select(on_send(channel, 1, [] { ADD_FAILURE() << "not sent"; }));
    });
    channel.close();
    EXPECT_EQ(sender.error(), std::errc::broken_pipe);
    EXPECT_EQ(select(on_send(channel, 1, ignore)).error(), std::errc::broken_pipe);
    std::vector<std::optional<int>> received;
    const auto receive = [&] {
      return select(on_receive(channel, [&](std::optional<int> v) { received.push_back(v); }));
    };
    EXPECT_TRUE(receive());
    EXPECT_TRUE(receive());
    EXPECT_EQ(received, (std::vector<std::optional<int>>{0, std::nullopt}));
  });
}

TYPED_TEST(SelectTest, TheCloseEndsTheWait) {
  this->loop.run([] {
    typename TestFixture::Ints one(0);
    typename TestFixture::Ints two(0);
    bool ended = false;
    Caller caller([&] {
      return select(on_receive(one, [&](std::optional<int> value) { ended = !value; }),
                    on_receive(two, ignore));
    });
    one.close();
    two.close();
    EXPECT_FALSE(caller.error());
    EXPECT_TRUE(ended);
  });
}

TYPED_TEST(SelectTest, GivesUpAtItsDeadline) {
  this->loop.run([this] {
    typename TestFixture::Ints one(0);
    typename TestFixture::Ints two(0);
    const TimePoint before = this->loop.now();
    EXPECT_EQ(select(Deadline::after(1s), on_receive(one, ignore), on_send(two, 1, ignore)).error(),
              std::errc::timed_out);
    EXPECT_EQ(this->loop.now() - before, 1s);
    EXPECT_FALSE(one.try_send(1));
    EXPECT_FALSE(two.try_receive());
  });
}

TYPED_TEST(SelectTest, CancellationEndsTheWait) {
  this->loop.run([] {
    typename TestFixture::Ints channel(0);
    Caller caller([&] { return select(on_receive(channel, ignore)); });
    caller.cancel();
    EXPECT_EQ(caller.error(), std::errc::operation_canceled);
    EXPECT_FALSE(channel.try_send(1));
  });
}

TYPED_TEST(SelectTest, AValueInTheTurnOfACancellationIsNotLost) {
  this->loop.run([] {
    typename TestFixture::Ints one(0);
    typename TestFixture::Ints two(0);
    for (const bool cancel_first : {true, false}) {
      int received = 0;
      Caller caller([&] {
        return select(on_receive(one, ignore), on_receive(two, [&](std::optional<int> v) { received = *v; }));
      });
      if (cancel_first) caller.cancel();
      EXPECT_TRUE(two.try_send(6));
      if (!cancel_first) caller.cancel();
      EXPECT_FALSE(caller.error());
      EXPECT_EQ(received, 6);
    }
  });
}

TYPED_TEST(SelectTest, OneSelectServesAnother) {
  this->loop.run([] {
    typename TestFixture::Ints one(0);
    typename TestFixture::Ints two(0);
    int received = 0;
    Caller receiver([&] {
      return select(on_receive(one, ignore), on_receive(two, [&](std::optional<int> v) { received = *v; }));
    });
    EXPECT_EQ(select(on_send(two, 4, ignore), on_send(one, 3, ignore)).value(), 0U);
    EXPECT_FALSE(receiver.error());
    EXPECT_EQ(received, 4);
  });
}

TYPED_TEST(SelectTest, DoesNotSendToItself) {
  this->loop.run([] {
    typename TestFixture::Ints channel(0);
    const auto both = [&] {
      return select(Deadline::after(1s), on_send(channel, 1, ignore), on_receive(channel, ignore));
    };
    EXPECT_EQ(both().error(), std::errc::timed_out);
    Caller one(both);
    Caller two(both);
    EXPECT_FALSE(one.error());
    EXPECT_FALSE(two.error());
  });
}

TYPED_TEST(SelectTest, WhatAHandlerThrowsComesOutAndTheOthersAreLetGoOf) {
  this->loop.run([] {
    typename TestFixture::Ints one(1);
    typename TestFixture::Ints two(0);
    Caller caller([&]() -> Result<void> {
      const auto failing = [](std::optional<int>) { throw std::runtime_error("failed"); };
      EXPECT_THROW(static_cast<void>(select(on_receive(one, failing), on_receive(two, ignore))),
                   std::runtime_error);
      return {};
    });
    EXPECT_TRUE(one.send(1));
    EXPECT_FALSE(caller.error());
    EXPECT_FALSE(two.try_send(1));
  });
}

TYPED_TEST(SelectTest, AHandlerMaySuspendAndDestroyTheChannels) {
  this->loop.run([] {
    auto one = std::make_unique<typename TestFixture::Ints>(0);
    auto two = std::make_unique<typename TestFixture::Ints>(0);
    Caller caller([&] {
      return select(on_receive(*one, ignore), on_receive(*two, [&](std::optional<int>) {
                      this_fiber::sleep_for(1s).value();
                      one.reset();
                      two.reset();
                    }));
    });
    EXPECT_TRUE(two->try_send(1));
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(two, nullptr);
  });
}

TEST(Select, MixesLocalChannelsWithOthers) {
  TestLoop loop;
  loop.run([] {
    Channel<int> shared(0);
    local::Channel<std::string> own(0);
    std::string received;
    Caller caller([&] {
      return select(on_receive(shared, ignore),
                    on_receive(own, [&](std::optional<std::string> text) { received = *text; }));
    });
    EXPECT_TRUE(own.try_send("text"));
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(received, "text");
  });
}

TEST(Select, CarriesValuesBetweenWorkersInBothDirections) {
  constexpr int count = 500;
  Channel<int> one(0);
  Channel<int> two(1);
  std::atomic<int> sum = 0;
  // Each sends as often as it receives, by whichever channel and in whichever order the others allow.
  on_workers(4, [&](int worker) {
    const auto add = [&](std::optional<int> value) { sum += *value; };
    int sent = 0;
    int received = 0;
    Channel<int>& first = worker % 2 == 0 ? one : two;
    Channel<int>& second = worker % 2 == 0 ? two : one;
    while (sent < count || received < count) {
      if (sent < count && received < count) {
        const auto served = select(on_send(first, 1, ignore), on_receive(second, add),
                                   on_send(second, 1, ignore), on_receive(first, add));
        ++(served.value() % 2 == 0 ? sent : received);
      } else if (sent < count) {
        select(on_send(first, 1, ignore), on_send(second, 1, ignore)).value();
        ++sent;
      } else {
        select(on_receive(first, add), on_receive(second, add)).value();
        ++received;
      }
    }
  });
  EXPECT_EQ(sum, 4 * count);
}

TEST(Select, TimeOutsThatRaceWithHandOversLoseNothing) {
  constexpr int count = 300;
  Channel<int> one(0);
  Channel<int> two(0);
  int sent = 0;
  int received = 0;
  on_workers(2, [&](int worker) {
    if (worker == 0) {
      for (int i = 0; i < count; ++i) {
        if (select(Deadline::after(25us * (i % 3)), on_send(one, 1, ignore), on_send(two, 2, ignore))) ++sent;
      }
      one.close();
      return;
    }
    bool open = true;
    const auto on_one = [&](std::optional<int> value) { value ? void(++received) : void(open = false); };
    while (open) {
      static_cast<void>(select(Deadline::after(30us), on_receive(one, on_one),
                               on_receive(two, [&](std::optional<int>) { ++received; })));
    }
  });
  EXPECT_EQ(received, sent);
}

TEST(SelectDeathTest, DestructionOfAChannelThatASelectWaitsForAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          Channel<int> one(0);
          auto two = std::make_unique<Channel<int>>(0);
          const Caller caller([&] { return select(on_receive(one, ignore), on_send(*two, 1, ignore)); });
          two.reset();
        });
      },
      "destroyed while a fiber waits for it");
}

}  // namespace
}  // namespace atlas
