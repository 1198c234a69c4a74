// The examples of docs/synchronisation.md: pages_test.cpp sees to it that the page shows them as they are
// here.
#include <atlas/core/channel.hpp>
#include <atlas/core/condition_variable.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/future.hpp>
#include <atlas/core/mutex.hpp>
#include <atlas/core/once.hpp>
#include <atlas/core/select.hpp>
#include <atlas/core/semaphore.hpp>
#include <atlas/core/shared_mutex.hpp>
#include <atlas/core/std_mutex_guard.hpp>
#include <atlas/core/when.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::TestLoop;

struct Account {
  int balance = 0;
};

int ask(const std::string& server) {
  this_fiber::sleep_for(server == "near" ? 1ms : 50ms).value();
  return static_cast<int>(server.size());
}

class Accounts {
 public:
  Result<void> move(const std::string& from, const std::string& to, int amount) {
    const auto lock = mutex_.lock(Deadline::after(100ms));  // suspends this fiber while another holds it
    if (!lock) return Unexpected(lock.error());             // timed_out, or operation_canceled
    accounts_[from].balance -= amount;
    accounts_[to].balance += amount;
    return {};
  }

 private:
  Mutex mutex_;
  std::map<std::string, Account> accounts_;
};

class Settings {
 public:
  std::string get(const std::string& key) const {
    const auto reading = mutex_.lock_shared().value();  // with any number of other readers
    const auto found = values_.find(key);
    return found == values_.end() ? std::string() : found->second;
  }
  void set(const std::string& key, std::string value) {
    const auto writing = mutex_.lock().value();  // alone
    values_[key] = std::move(value);
  }

 private:
  mutable SharedMutex mutex_;
  std::map<std::string, std::string> values_;
};

class Stock {
 public:
  void add(int count) {
    {
      const auto lock = mutex_.lock().value();
      count_ += count;
    }
    changed_.notify_all();
  }
  Result<void> take(int count, Deadline deadline) {
    auto lock = mutex_.lock(deadline);
    if (!lock) return Unexpected(lock.error());
    const auto enough = [&] { return count_ >= count; };
    if (const auto waited = changed_.wait(*lock, enough, deadline); !waited) return waited;
    count_ -= count;
    return {};
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  int count_ = 0;
};

int ask_gently(Semaphore& at_a_time, const std::string& server) {
  const auto permit = at_a_time.permit().value();  // given back at the end, also when ask() throws
  return ask(server);
}

class Table {
 public:
  int size() {
    loaded_.call([this] { size_ = ask("far"); }).value();  // when it throws, the next caller tries again
    return size_;
  }

 private:
  Once loaded_;
  int size_ = 0;
};

int sum_by_way_of(Channel<int>& numbers) {
  const auto sender = spawn("sender", [&] {
    for (int i = 1; i <= 10; ++i) numbers.send(i).value();  // suspends while the channel is full
    numbers.close();
  });
  int sum = 0;
  for (const int number : numbers) sum += number;  // to the end
  return sum;
}

std::string next_of(Channel<int>& numbers, Channel<std::string>& texts) {
  std::string next = "the end";
  const auto on_number = [&](std::optional<int> number) {
    if (number) next = std::to_string(*number);  // none: the channel is closed and empty
  };
  const auto on_text = [&](std::optional<std::string> text) {
    if (text) next = *text;
  };
  const auto served = select(Deadline::after(1s), on_receive(numbers, on_number), on_receive(texts, on_text));
  return served ? next : served.error().message();
}

bool offer(Channel<int>& numbers, int number) {
  bool taken = true;
  select(on_send(numbers, std::move(number), [] {}), or_else([&] { taken = false; })).value();
  return taken;
}

int ask_both() {
  const auto [near, far] = when_all([] { return ask("near"); }, [] { return ask("far"); }).value();
  return near + far;
}

int ask_either() {
  const auto near = [] { return ask("near"); };
  const auto far = [] { return ask("far"); };
  const auto first = when_any(Deadline::after(1s), near, far).value();
  return first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
}

int answer_from(Promise<int> promise) {
  auto answer = promise.future();
  const auto fiber =
      spawn("answer", [promise = std::move(promise)]() mutable { promise.set_value(ask("far")); });
  return answer.get(Deadline::after(1s)).value();  // rethrows what set_exception was given
}

int count_calls() {
  static std::mutex mutex;
  static int calls = 0;
  const StdMutexGuard guard(mutex);  // a debug build aborts if this fiber suspends before the end
  return ++calls;
}

TEST(SynchronisationPage, LocksGuard) {
  TestLoop loop;
  loop.run([] {
    Accounts accounts;
    EXPECT_TRUE(accounts.move("a", "b", 5));
    Settings settings;
    settings.set("key", "value");
    EXPECT_EQ(settings.get("key"), "value");
    EXPECT_EQ(settings.get("other"), "");
    Stock stock;
    Caller taker([&] { return stock.take(3, Deadline::after(1s)); });
    stock.add(2);
    stock.add(2);
    EXPECT_FALSE(taker.error());
    EXPECT_EQ(stock.take(3, Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(count_calls(), 1);
    EXPECT_EQ(count_calls(), 2);
  });
}

TEST(SynchronisationPage, BoundsAndDoesOnce) {
  TestLoop loop;
  loop.run([] {
    Semaphore two(2);
    EXPECT_EQ(ask_gently(two, "near"), 4);
    EXPECT_EQ(two.available(), 2U);
    Table table;
    EXPECT_EQ(table.size(), 3);
    EXPECT_EQ(table.size(), 3);
  });
}

TEST(SynchronisationPage, ChannelsCarry) {
  TestLoop loop;
  loop.run([] {
    Channel<int> numbers(4);
    EXPECT_EQ(sum_by_way_of(numbers), 55);
    Channel<int> more(1);
    Channel<std::string> texts(1);
    texts.send("text").value();
    EXPECT_EQ(next_of(more, texts), "text");
    EXPECT_TRUE(offer(more, 4));
    EXPECT_FALSE(offer(more, 5));
    EXPECT_EQ(next_of(more, texts), "4");
    EXPECT_EQ(next_of(more, texts), std::make_error_code(std::errc::timed_out).message());
  });
}

TEST(SynchronisationPage, SeveralThingsAtATime) {
  TestLoop loop;
  loop.run([&] {
    EXPECT_EQ(ask_both(), 7);
    EXPECT_EQ(ask_either(), 4);
    EXPECT_EQ(answer_from(Promise<int>()), 3);
  });
}

}  // namespace
}  // namespace atlas
