// The examples of docs/fibers.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/core/fiber.hpp>
#include <atlas/core/fiber_local.hpp>
#include <atlas/core/log.hpp>
#include <atlas/core/wait.hpp>
#include "support/captured_log.hpp"
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

/// A C library with a thread of its own: what it is asked it answers from there, when a test says so.
struct Sensor {
  using Callback = void (*)(void* context, int celsius);

  std::deque<std::pair<Callback, void*>> questions;

  void answer(int celsius) {
    std::thread([&] {
      for (const auto& [callback, context] : std::exchange(questions, {})) callback(context, celsius);
    }).join();
  }
};
Sensor sensor;

}  // namespace

extern "C" void sensor_read(void (*callback)(void* context, int celsius), void* context) {
  sensor.questions.emplace_back(callback, context);
}

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TestLoop;

int price_of(const std::string& item) {
  this_fiber::sleep_for(20ms).value();
  if (item.empty()) throw std::runtime_error("no item");
  return static_cast<int>(item.size()) * 100;
}

int tax_percent_in(const std::string& country) {
  this_fiber::sleep_for(30ms).value();
  if (country.empty()) throw std::runtime_error("no country");
  return 20;
}

std::string fetch(const std::string& url) {
  this_fiber::sleep_for(10ms).value();
  if (url == "gone") throw std::runtime_error("nothing there");
  return "page of " + url;
}

Result<std::string> ask(const std::string& server, Deadline deadline = {}) {
  const DeadlineScope scope(deadline);
  if (const auto slept = this_fiber::sleep_for(server == "near" ? 30ms : 300ms); !slept) {
    return Unexpected(slept.error());
  }
  return "answer of " + server;
}

struct Ledger {
  std::string lines;
  Result<void> append(const std::string& line) {
    if (const auto slept = this_fiber::sleep_for(5ms); !slept) return slept;
    lines += line;
    return {};
  }
};

int price_with_tax(const std::string& item, const std::string& country) {
  int percent = 0;
  Fiber lookup = spawn("tax lookup", [&] { percent = tax_percent_in(country); });
  const int price = price_of(item);  // the fibers wait at the same time
  lookup.join().value();             // rethrows what has ended it
  return price + price * percent / 100;
}

std::vector<std::string> fetch_all(const std::vector<std::string>& urls) {
  std::vector<std::string> pages(urls.size());
  FiberGroup group;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    group.spawn("fetch", [&, i] { pages[i] = fetch(urls[i]); });
  }
  group.join().value();
  return pages;
}

std::size_t count_primes(int below) {
  std::size_t count = 0;
  for (int n = 2; n < below && !this_fiber::cancelled(); ++n) {
    bool prime = true;
    for (int divisor = 2; divisor * divisor <= n && prime; ++divisor) prime = n % divisor != 0;
    if (prime) ++count;
    if (n % 1000 == 0) this_fiber::yield();  // lets the others run
  }
  return count;
}

void pay(Ledger& from, Ledger& to) {
  ask("near").value();  // throws when the fiber is cancelled: nothing has happened
  const CancellationShield shield;
  from.append("-1 ").value();  // from here on to the end, in any case
  to.append("+1 ").value();
}

Result<std::string> ask_in_turn(const std::vector<std::string>& servers) {
  const DeadlineScope all(250ms);  // for every wait below
  for (const auto& server : servers) {
    if (auto answer = ask(server, Deadline::after(100ms))) return answer;
  }
  return Unexpected(std::errc::timed_out);
}

void append_heartbeats(std::string& stream) {
  while (this_fiber::sleep_for(10s)) stream += "beat ";  // until the fiber is cancelled
}

std::string export_slowly(std::string& stream) {
  const Fiber heartbeats = spawn("heartbeats", [&] { append_heartbeats(stream); });
  this_fiber::sleep_for(25s).value();
  return stream + "done";
}

FiberLocal<std::string> tenant;

void audit(std::string_view what) {
  const std::string* name = tenant.get();  // null where nothing is bound
  log::info("{} for {}", what, name != nullptr ? *name : "nobody");
}

void serve_tenant(const std::string& name) {
  const FiberLocal<std::string>::Scope scope(tenant, name);
  FiberGroup group;
  group.spawn("audit", [] { audit("a fiber"); });
  group.join().value();
  audit("a call");
}

// What the library has, and calls back once, later, on a thread of its own:
//   void sensor_read(void (*callback)(void* context, int celsius), void* context);
Result<int> read_sensor(Deadline deadline = {}) {
  Wait wait({"sensor"});
  if (const auto refusal = wait.refusal(deadline)) return Unexpected(refusal);  // do not even begin
  auto waker = std::make_unique<RemoteWaker>(wait.remote_waker());
  sensor_read(
      [](void* context, int celsius) {
        const std::unique_ptr<RemoteWaker> ours(static_cast<RemoteWaker*>(context));
        ours->wake(celsius);
      },
      waker.release());
  const auto outcome = wait.park(deadline);
  if (!outcome.woken()) return Unexpected(outcome.error());
  return static_cast<int>(outcome.value);
}

class Doorbell {
 public:
  Result<void> wait(Deadline deadline = {}) {
    Wait wait({"doorbell", this});
    visitor_ = wait.waker();
    const auto outcome = wait.park(deadline);
    return outcome.woken() ? Result<void>() : Unexpected(outcome.error());
  }
  void ring() { visitor_.wake(); }  // nothing when nobody waits, or no longer

 private:
  Waker visitor_;
};

TEST(FibersPage, FibersAreJoined) {
  TestLoop loop;
  loop.run([&] {
    const auto begun = loop.now();
    EXPECT_EQ(price_with_tax("book", "there"), 480);
    EXPECT_EQ(loop.now() - begun, 30ms);
    EXPECT_THROW(price_with_tax("book", ""), std::runtime_error);
    EXPECT_THROW(price_with_tax("", "there"), std::runtime_error);
  });
  EXPECT_EQ(loop.scheduler().fibers_alive(), 0U);
}

TEST(FibersPage, GroupsEndTogether) {
  TestLoop loop;
  loop.run([&] {
    const auto begun = loop.now();
    EXPECT_THAT(fetch_all({"a", "b"}), ElementsAre("page of a", "page of b"));
    EXPECT_EQ(loop.now() - begun, 10ms);
    EXPECT_THROW(fetch_all({"a", "gone", "b"}), std::runtime_error);
  });
  EXPECT_EQ(loop.scheduler().fibers_alive(), 0U);
}

TEST(FibersPage, CancellationIsSeenWhereCodeWaitsOrAsks) {
  TestLoop loop;
  loop.run([] {
    EXPECT_EQ(count_primes(100), 25U);
    std::size_t counted = 0;
    auto counting = spawn("primes", [&] { counted = count_primes(100'000); });
    this_fiber::yield();
    counting.cancel();
    counting.join().value();
    EXPECT_EQ(counted, 168U);
  });
}

TEST(FibersPage, ShieldsKeepCancellationBack) {
  TestLoop loop;
  loop.run([] {
    Ledger from;
    Ledger to;
    {
      const auto payer = spawn("payer", [&] { pay(from, to); });
      this_fiber::sleep_for(1ms).value();
    }
    EXPECT_EQ(from.lines + to.lines, "");
    {
      const auto payer = spawn("payer", [&] { pay(from, to); });
      this_fiber::sleep_for(32ms).value();
    }
    EXPECT_EQ(from.lines + to.lines, "-1 +1 ");
  });
}

TEST(FibersPage, DeadlinesBoundWaits) {
  TestLoop loop;
  loop.run([&] {
    const auto begun = loop.now();
    EXPECT_EQ(*ask_in_turn({"far", "near"}), "answer of near");
    EXPECT_EQ(loop.now() - begun, 130ms);
    EXPECT_EQ(ask_in_turn({"far", "far", "far", "far"}).error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - begun, 130ms + 250ms);
  });
}

TEST(FibersPage, TimersAreFibersThatSleep) {
  TestLoop loop;
  loop.run([] {
    std::string stream;
    EXPECT_EQ(export_slowly(stream), "beat beat done");
  });
  EXPECT_EQ(loop.scheduler().fibers_alive(), 0U);
}

TEST(FibersPage, FiberLocalsAreInherited) {
  TestLoop loop;
  testing::CapturedLog log;
  loop.run([] {
    serve_tenant("Smith");
    audit("a call");
  });
  const auto text = log.take();
  EXPECT_THAT(text, HasSubstr("a fiber for Smith\n"));
  EXPECT_THAT(text, HasSubstr("a call for Smith\n"));
  EXPECT_THAT(text, HasSubstr("a call for nobody\n"));
}

TEST(FibersPage, ABlockingCallIsMadeOfACallback) {
  TestLoop loop;
  loop.run([] {
    Caller caller([] {
      auto celsius = read_sensor();
      EXPECT_EQ(*celsius, 21);
      return celsius;
    });
    EXPECT_TRUE(caller.waits());
    sensor.answer(21);
    EXPECT_FALSE(caller.error());
  });
}

TEST(FibersPage, ACallbackThatComesLateDoesNothing) {
  TestLoop loop;
  loop.run([&] {
    EXPECT_EQ(read_sensor(Deadline::after(1s)).error(), std::errc::timed_out);
    sensor.answer(21);
    Caller cancelled([] { return read_sensor(); });
    cancelled.cancel();
    EXPECT_EQ(cancelled.error(), std::errc::operation_canceled);
    sensor.answer(22);
    const auto begun = loop.now();
    EXPECT_TRUE(this_fiber::sleep_for(1s));
    EXPECT_EQ(loop.now() - begun, 1s);  // no later wait is ended by it
  });
}

TEST(FibersPage, ACallThatIsOverBeforeItBeginsAsksNobody) {
  TestLoop loop;
  loop.run([] {
    const DeadlineScope overdue(Duration::zero());
    EXPECT_EQ(read_sensor().error(), std::errc::timed_out);
    EXPECT_TRUE(sensor.questions.empty());
  });
}

TEST(FibersPage, AWakerWakesOnItsOwnThread) {
  TestLoop loop;
  loop.run([] {
    Doorbell bell;
    bell.ring();
    EXPECT_EQ(bell.wait(Deadline::after(1s)).error(), std::errc::timed_out);
    Caller host([&] { return bell.wait(); });
    bell.ring();
    EXPECT_FALSE(host.error());
  });
}

}  // namespace
}  // namespace atlas
