#include <atlas/core/channel.hpp>

#include <atlas/core/fiber.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TestLoop;

template <class Sharing>
class ChannelTest : public ::testing::Test {
 protected:
  template <class T>
  using Kind = BasicChannel<T, Sharing>;
  TestLoop loop;
};
using Kinds = ::testing::Types<detail::AnyThread, detail::OneThread>;
TYPED_TEST_SUITE(ChannelTest, Kinds);

TYPED_TEST(ChannelTest, DeliversInTheOrderOfSending) {
  for (const std::size_t capacity : {0U, 1U, 2U, 3U, 100U}) {
    std::vector<int> received;
    this->loop.run([&] {
      typename TestFixture::template Kind<int> channel(capacity);
      auto sender = spawn("sender", [&] {
        for (int i = 0; i < 10; ++i) channel.send(i).value();
        channel.close();
      });
      for (const int value : channel) received.push_back(value);
      sender.join().value();
    });
    EXPECT_EQ(received, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})) << "capacity " << capacity;
  }
}

TYPED_TEST(ChannelTest, HoldsAsManyAsItsCapacityAndNotOneMore) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(2);
    EXPECT_EQ(channel.capacity(), 2U);
    EXPECT_TRUE(channel.try_send(1));
    EXPECT_TRUE(channel.try_send(2));
    EXPECT_EQ(channel.size(), 2U);
    EXPECT_FALSE(channel.try_send(3));
    EXPECT_EQ(channel.try_receive(), 1);
    EXPECT_TRUE(channel.try_send(4));
    EXPECT_EQ(channel.try_receive(), 2);
    EXPECT_EQ(channel.try_receive(), 4);
    EXPECT_EQ(channel.try_receive(), std::nullopt);
  });
}

TYPED_TEST(ChannelTest, WithoutCapacityASenderWaitsForItsReceiver) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(0);
    EXPECT_FALSE(channel.try_send(1));
    Caller sender([&] { return channel.send(2); });
    EXPECT_TRUE(sender.waits());
    EXPECT_EQ(channel.try_receive(), 2);
    EXPECT_FALSE(sender.error());
    Caller receiver([&] { return channel.receive(); });
    EXPECT_TRUE(channel.try_send(3));
    EXPECT_FALSE(receiver.error());
  });
}

TYPED_TEST(ChannelTest, ServesSendersAndReceiversInTheOrderOfTheirComing) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(1);
    std::string order;
    FiberGroup group;
    for (const char letter : {'a', 'b', 'c'}) {
      group.spawn("receiver", [&, letter] {
        const int value = *channel.receive().value();
        order += letter + std::to_string(value);
      });
    }
    for (int i = 1; i <= 3; ++i) group.spawn("sender", [&, i] { channel.send(i).value(); });
    group.join().value();
    EXPECT_EQ(order, "a1b2c3");
  });
}

TYPED_TEST(ChannelTest, CarriesWhatOnlyMoves) {
  this->loop.run([] {
    typename TestFixture::template Kind<std::unique_ptr<int>> channel(1);
    EXPECT_TRUE(channel.send(std::make_unique<int>(5)));
    EXPECT_EQ(**channel.receive().value(), 5);
  });
}

TYPED_TEST(ChannelTest, MovesFromAValueOnlyIfItIsSent) {
  this->loop.run([] {
    typename TestFixture::template Kind<std::unique_ptr<int>> channel(1);
    EXPECT_TRUE(channel.try_send(std::make_unique<int>(1)));
    auto value = std::make_unique<int>(2);
    EXPECT_FALSE(channel.try_send(std::move(value)));
    EXPECT_TRUE(value);
    EXPECT_EQ(channel.send(std::move(value), Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_TRUE(value);
    channel.close();
    EXPECT_EQ(channel.send(std::move(value)).error(), std::errc::broken_pipe);
    EXPECT_TRUE(value);
  });
}

TYPED_TEST(ChannelTest, CopiesWhatIsSentByName) {
  this->loop.run([] {
    typename TestFixture::template Kind<std::string> channel(2);
    const std::string text = "a text that is too long for the small string";
    EXPECT_TRUE(channel.send(text));
    EXPECT_TRUE(channel.try_send(text));
    EXPECT_EQ(channel.try_receive(), text);
    EXPECT_EQ(channel.try_receive(), text);
  });
}

TYPED_TEST(ChannelTest, AfterTheCloseReceiversGetTheRestThenTheEnd) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(2);
    EXPECT_TRUE(channel.send(1));
    EXPECT_TRUE(channel.send(2));
    EXPECT_FALSE(channel.closed());
    channel.close();
    channel.close();
    EXPECT_TRUE(channel.closed());
    EXPECT_EQ(channel.receive().value(), 1);
    EXPECT_EQ(channel.receive().value(), 2);
    EXPECT_EQ(channel.receive().value(), std::nullopt);
    EXPECT_EQ(channel.receive().value(), std::nullopt);
    EXPECT_EQ(channel.try_receive(), std::nullopt);
  });
}

TYPED_TEST(ChannelTest, TheCloseEndsTheWaitsOfReceivers) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(1);
    FiberGroup group;
    for (int i = 0; i < 2; ++i) {
      group.spawn("receiver", [&] { EXPECT_EQ(channel.receive().value(), std::nullopt); });
    }
    this_fiber::yield();
    channel.close();
    group.join().value();
  });
}

TYPED_TEST(ChannelTest, TheCloseEndsTheWaitsOfSendersWithAnError) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(1);
    EXPECT_TRUE(channel.send(1));
    Caller sender([&] { return channel.send(2); });
    channel.close();
    EXPECT_EQ(sender.error(), std::errc::broken_pipe);
    EXPECT_EQ(channel.send(3).error(), std::errc::broken_pipe);
    EXPECT_FALSE(channel.try_send(3));
    EXPECT_EQ(channel.receive().value(), 1);
    EXPECT_EQ(channel.receive().value(), std::nullopt);
  });
}

TYPED_TEST(ChannelTest, GivesUpAtItsDeadline) {
  this->loop.run([this] {
    typename TestFixture::template Kind<int> channel(1);
    const TimePoint before = this->loop.now();
    EXPECT_EQ(channel.receive(Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_TRUE(channel.send(1, Deadline::after(1s)));
    EXPECT_EQ(channel.send(2, Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(this->loop.now() - before, 2s);
    EXPECT_EQ(channel.try_receive(), 1);
    EXPECT_EQ(channel.try_receive(), std::nullopt);
  });
}

TYPED_TEST(ChannelTest, CancellationEndsTheWait) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(0);
    Caller receiver([&] { return channel.receive(); });
    receiver.cancel();
    EXPECT_EQ(receiver.error(), std::errc::operation_canceled);
    Caller sender([&] { return channel.send(1); });
    sender.cancel();
    EXPECT_EQ(sender.error(), std::errc::operation_canceled);
    EXPECT_FALSE(channel.try_send(2));
    EXPECT_EQ(channel.try_receive(), std::nullopt);
  });
}

TYPED_TEST(ChannelTest, AValueInTheTurnOfACancellationIsNotLost) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(0);
    std::vector<int> received;
    for (const bool cancel_first : {true, false}) {
      auto receiver = spawn("receiver", [&] { received.push_back(*channel.receive().value()); });
      this_fiber::yield();
      if (cancel_first) receiver.cancel();
      EXPECT_TRUE(channel.try_send(cancel_first ? 1 : 2));
      if (!cancel_first) receiver.cancel();
      receiver.join().value();
    }
    EXPECT_EQ(received, (std::vector<int>{1, 2}));
  });
}

TYPED_TEST(ChannelTest, ASenderIsToldThatItsValueWasTakenInTheTurnOfACancellation) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(0);
    for (const bool cancel_first : {true, false}) {
      Caller sender([&] { return channel.send(7); });
      if (cancel_first) sender.cancel();
      EXPECT_EQ(channel.try_receive(), 7);
      if (!cancel_first) sender.cancel();
      EXPECT_FALSE(sender.error());
    }
  });
}

TYPED_TEST(ChannelTest, AnExceptionOfAReceiverLeavesTheRestInTheChannel) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(3);
    for (int i = 0; i < 3; ++i) channel.send(i).value();
    auto thrower = spawn("thrower", [&] {
      for (const int value : channel) {
        if (value == 1) throw std::runtime_error("failed");
      }
    });
    EXPECT_THROW(thrower.join().value(), std::runtime_error);
    EXPECT_EQ(channel.try_receive(), 2);
  });
}

struct ThrowsWhenCopied {
  ThrowsWhenCopied() = default;
  ThrowsWhenCopied(const ThrowsWhenCopied&) { throw std::runtime_error("no copies"); }
  ThrowsWhenCopied(ThrowsWhenCopied&&) noexcept = default;
};

TYPED_TEST(ChannelTest, ACopyThatThrowsLeavesTheChannelAsItWas) {
  this->loop.run([] {
    typename TestFixture::template Kind<ThrowsWhenCopied> channel(1);
    const ThrowsWhenCopied value;
    EXPECT_THROW(static_cast<void>(channel.send(value)), std::runtime_error);
    EXPECT_EQ(channel.size(), 0U);
    EXPECT_TRUE(channel.send(ThrowsWhenCopied()));
  });
}

TYPED_TEST(ChannelTest, IterationThrowsWhenCancelled) {
  this->loop.run([] {
    typename TestFixture::template Kind<int> channel(1);
    auto fiber = spawn("receiver", [&] {
      for ([[maybe_unused]] const int value : channel) ADD_FAILURE() << "nothing was sent";
    });
    this_fiber::yield();
    fiber.cancel();
    EXPECT_THROW(fiber.join().value(), std::system_error);
  });
}

TYPED_TEST(ChannelTest, DestroysTheValuesInIt) {
  this->loop.run([] {
    const auto token = std::make_shared<int>();
    {
      typename TestFixture::template Kind<std::shared_ptr<int>> channel(3);
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(channel.send(token));
      static_cast<void>(channel.try_receive());
      EXPECT_TRUE(channel.send(token));
      EXPECT_EQ(token.use_count(), 4);
    }
    EXPECT_EQ(token.use_count(), 1);
  });
}

TYPED_TEST(ChannelTest, MayBeDestroyedByWhoeverSawTheEnd) {
  this->loop.run([] {
    auto channel = std::make_unique<typename TestFixture::template Kind<int>>(1);
    Caller caller([&] {
      auto received = channel->receive();
      channel.reset();
      return received;
    });
    channel->close();
    EXPECT_FALSE(caller.error());
    EXPECT_EQ(channel, nullptr);
  });
}

TEST(Channel, CarriesValuesFromWorkersToWorkers) {
  constexpr int senders = 2;
  constexpr int count = 1000;
  for (const std::size_t capacity : {0U, 1U, 16U}) {
    Channel<std::unique_ptr<int>> channel(capacity);
    std::atomic<int> senders_left = senders;
    std::atomic<long> sum = 0;
    on_workers(2 * senders, [&](int worker) {
      if (worker % 2 == 0) {
        for (int i = 1; i <= count; ++i) channel.send(std::make_unique<int>(i)).value();
        if (--senders_left == 0) channel.close();
      } else {
        for (const auto& value : channel) sum += *value;
      }
    });
    EXPECT_EQ(sum, long{senders} * count * (count + 1) / 2) << "capacity " << capacity;
  }
}

TEST(Channel, TimeOutsThatRaceWithHandOversLoseNothing) {
  constexpr int count = 500;
  Channel<int> channel(0);
  int sent = 0;
  int received = 0;
  on_workers(2, [&](int worker) {
    if (worker == 0) {
      for (int i = 0; i < count; ++i) {
        if (channel.send(i, Deadline::after(20us * (i % 4)))) ++sent;
      }
      channel.close();
      return;
    }
    while (true) {
      const auto value = channel.receive(Deadline::after(30us));
      if (!value) continue;
      if (!*value) return;
      ++received;
    }
  });
  EXPECT_EQ(received, sent);
}

TEST(Channel, KeepsTheOrderOfOneSenderAcrossWorkers) {
  Channel<int> channel(4);
  on_workers(2, [&](int worker) {
    if (worker == 0) {
      for (int i = 0; i < 2000; ++i) channel.send(i).value();
      channel.close();
      return;
    }
    int expected = 0;
    for (const int value : channel) EXPECT_EQ(value, expected++);
    EXPECT_EQ(expected, 2000);
  });
}

TEST(ChannelDeathTest, DestructionWhileAFiberWaitsAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestLoop loop;
        loop.run([] {
          auto channel = std::make_unique<Channel<int>>(1);
          const Caller caller([&] { return channel->receive(); });
          channel.reset();
        });
      },
      "destroyed while a fiber waits for it");
}

}  // namespace
}  // namespace atlas
