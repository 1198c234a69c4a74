#include "support/manual_driver.hpp"

#include <atlas/asgi/lifespan.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

namespace atlas::asgi {
namespace {

using testing::TestLoop;
using namespace std::chrono_literals;

struct Outcome {
  std::optional<std::string> start_up;
  std::optional<std::string> shut_down;
};

/// Starts an application up and shuts it down again, if it started.
Outcome outcome_of(const Application& application) {
  Outcome outcome;
  TestLoop loop;
  loop.run([&] {
    Lifespan lifespan(application, {.type = ScopeType::lifespan, .asgi = {.spec_version = "2.0"}});
    outcome.start_up = lifespan.start_up();
    if (!outcome.start_up) outcome.shut_down = lifespan.shut_down();
  });
  return outcome;
}

TEST(Lifespan, StartsUpAndShutsDown) {
  std::string events;
  const auto outcome = outcome_of([&](const Scope& scope, Receive& receive, Send& send) {
    EXPECT_EQ(scope.type, ScopeType::lifespan);
    EXPECT_EQ(scope.asgi.spec_version, "2.0");
    EXPECT_TRUE(std::holds_alternative<LifespanStartup>(receive()));
    events += "up ";
    send(LifespanStartupComplete{});
    EXPECT_TRUE(std::holds_alternative<LifespanShutdown>(receive()));
    events += "down";
    send(LifespanShutdownComplete{});
  });
  EXPECT_EQ(outcome.start_up, std::nullopt);
  EXPECT_EQ(outcome.shut_down, std::nullopt);
  EXPECT_EQ(events, "up down");
}

TEST(Lifespan, StartUpMayTakeItsTime) {
  const auto outcome = outcome_of([](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(receive());
    this_fiber::sleep_for(1h).value();
    send(LifespanStartupComplete{});
    static_cast<void>(receive());
    this_fiber::sleep_for(1h).value();
    send(LifespanShutdownComplete{});
  });
  EXPECT_EQ(outcome.start_up, std::nullopt);
  EXPECT_EQ(outcome.shut_down, std::nullopt);
}

TEST(Lifespan, KeepsTheStateThatStartUpSets) {
  TestLoop loop;
  loop.run([] {
    const Application application([](const Scope& scope, Receive& receive, Send& send) {
      static_cast<void>(receive());
      scope.state.set("database", std::string("open"));
      send(LifespanStartupComplete{});
      static_cast<void>(receive());
    });
    Lifespan lifespan(application, {.type = ScopeType::lifespan});
    EXPECT_EQ(lifespan.start_up(), std::nullopt);
    EXPECT_EQ(lifespan.state().get<std::string>("database"), "open");
    EXPECT_EQ(lifespan.shut_down(), std::nullopt);
  });
}

TEST(Lifespan, StartUpFailureIsTold) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive& receive, Send& send) {
              static_cast<void>(receive());
              send(LifespanStartupFailed{.message = "no database"});
            }).start_up,
            "lifespan.startup.failed: no database");
}

TEST(Lifespan, ExceptionAtStartUpIsAFailure) {
  EXPECT_EQ(
      outcome_of([](const Scope&, Receive&, Send&) { throw std::runtime_error("no database"); }).start_up,
      "no database");
  EXPECT_EQ(outcome_of([](const Scope&, Receive&, Send&) { throw 42; }).start_up,
            "it threw something that is not a std::exception");
}

TEST(Lifespan, ApplicationMaySayThatItDoesNotKnowIt) {
  const auto outcome = outcome_of([](const Scope& scope, Receive&, Send&) { throw UnsupportedScope(scope); });
  EXPECT_EQ(outcome.start_up, std::nullopt);
  EXPECT_EQ(outcome.shut_down, std::nullopt);
}

TEST(Lifespan, ApplicationThatAnswersEveryScopeAsARequestDoesNotKnowIt) {
  bool went_on = false;
  const auto outcome = outcome_of([&](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{});
    went_on = true;
    send(HttpResponseBody{.body = "hello"});
  });
  EXPECT_EQ(outcome.start_up, std::nullopt);
  EXPECT_EQ(outcome.shut_down, std::nullopt);
  EXPECT_FALSE(went_on);
}

TEST(Lifespan, ApplicationThatReturnsAtOnceDoesNotKnowIt) {
  const auto outcome = outcome_of([](const Scope&, Receive&, Send&) {});
  EXPECT_EQ(outcome.start_up, std::nullopt);
  EXPECT_EQ(outcome.shut_down, std::nullopt);
}

TEST(Lifespan, ReturningWithoutCompletingStartUpIsAFailure) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive& receive, Send&) { static_cast<void>(receive()); }).start_up,
            "it returned without 'lifespan.startup.complete'");
}

TEST(Lifespan, ReturningAfterStartUpIsFine) {
  const auto outcome = outcome_of([](const Scope&, Receive& receive, Send& send) {
    static_cast<void>(receive());
    send(LifespanStartupComplete{});
  });
  EXPECT_EQ(outcome.start_up, std::nullopt);
  EXPECT_EQ(outcome.shut_down, std::nullopt);
}

TEST(Lifespan, ExceptionBetweenStartUpAndShutdownIsToldAtTheEnd) {
  TestLoop loop;
  loop.run([] {
    const Application application([](const Scope&, Receive& receive, Send& send) {
      static_cast<void>(receive());
      send(LifespanStartupComplete{});
      this_fiber::sleep_for(1s).value();
      throw std::runtime_error("lost the database");
    });
    Lifespan lifespan(application, {.type = ScopeType::lifespan});
    EXPECT_EQ(lifespan.start_up(), std::nullopt);
    this_fiber::sleep_for(2s).value();
    EXPECT_EQ(lifespan.shut_down(), "lost the database");
  });
}

TEST(Lifespan, UnsupportedScopeAfterStartUpIsAFailure) {
  EXPECT_EQ(outcome_of([](const Scope& scope, Receive& receive, Send& send) {
              static_cast<void>(receive());
              send(LifespanStartupComplete{});
              static_cast<void>(receive());
              throw UnsupportedScope(scope);
            }).shut_down,
            "it threw UnsupportedScope after start-up");
}

TEST(Lifespan, ShutdownFailureIsTold) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive& receive, Send& send) {
              static_cast<void>(receive());
              send(LifespanStartupComplete{});
              static_cast<void>(receive());
              send(LifespanShutdownFailed{.message = "cannot flush"});
            }).shut_down,
            "lifespan.shutdown.failed: cannot flush");
}

TEST(Lifespan, ExceptionAtShutdownIsAFailure) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive& receive, Send& send) {
              static_cast<void>(receive());
              send(LifespanStartupComplete{});
              static_cast<void>(receive());
              throw std::runtime_error("cannot flush");
            }).shut_down,
            "cannot flush");
}

TEST(Lifespan, ReceiveTwiceBeforeStartUpIsCompleteIsRefused) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive& receive, Send&) {
              static_cast<void>(receive());
              static_cast<void>(receive());
            }).start_up,
            "receive was called again before 'lifespan.startup.complete' was sent");
}

TEST(Lifespan, ReceiveTwiceBeforeShutdownIsCompleteIsRefused) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive& receive, Send& send) {
              static_cast<void>(receive());
              send(LifespanStartupComplete{});
              for (;;) static_cast<void>(receive());
            }).shut_down,
            "receive was called again before 'lifespan.shutdown.complete' was sent");
}

TEST(Lifespan, MessagesOutOfOrderAreRefused) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive&, Send& send) { send(LifespanShutdownComplete{}); }).start_up,
            "'lifespan.shutdown.complete' was sent out of order");
  EXPECT_EQ(outcome_of([](const Scope&, Receive& receive, Send& send) {
              static_cast<void>(receive());
              send(LifespanStartupComplete{});
              static_cast<void>(receive());
              send(LifespanStartupComplete{});
            }).shut_down,
            "'lifespan.startup.complete' was sent out of order");
}

TEST(Lifespan, MessagesThatNobodyKnowsAreRefused) {
  EXPECT_EQ(outcome_of([](const Scope&, Receive&, Send& send) {
              send(OpenMessage{.type = "my.message"});
            }).start_up,
            "'my.message' is not a message of the lifespan scope");
}

TEST(Lifespan, EndsWithoutShutdownByCancellation) {
  bool ended = false;
  TestLoop loop;
  loop.run([&] {
    const Application application([&](const Scope&, Receive& receive, Send& send) {
      static_cast<void>(receive());
      send(LifespanStartupComplete{});
      try {
        static_cast<void>(receive());
      } catch (const std::system_error& error) {
        ended = error.code() == std::errc::operation_canceled;
        throw;
      }
    });
    Lifespan lifespan(application, {.type = ScopeType::lifespan});
    EXPECT_EQ(lifespan.start_up(), std::nullopt);
  });
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace atlas::asgi
