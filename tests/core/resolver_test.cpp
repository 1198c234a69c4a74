// What is kept and shared is tested in virtual time, with a name service that answers when the test says so;
// the system's, with the names that every machine knows.
#include <atlas/core/resolver.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/uv/uv_names.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <uv.h>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::TestLoop;

using Addresses = std::vector<SocketAddress>;
using Lookups = std::vector<std::shared_ptr<NameLookup>>;

SocketAddress address(std::string_view host, std::uint16_t port = 0) {
  return SocketAddress::ip(host, port).value();
}

/// Keeps what it is asked, for the test to answer.
class HeldNames final : public NameService {
 public:
  explicit HeldNames(Lookups& asked) : asked_(asked) {}
  void start(std::shared_ptr<NameLookup> lookup) override { asked_.push_back(std::move(lookup)); }

 private:
  Lookups& asked_;
};

/// A resolver in virtual time.
class HeldResolver {
 public:
  explicit HeldResolver(const ResolverOptions& options = {})
      : resolver(options, std::make_unique<HeldNames>(asked)) {}

  /// Asks, and has the question answered with `answer` if it is really asked.
  Result<Addresses> ask(std::string_view host, const Result<Addresses>& answer) {
    const std::size_t before = asked.size();
    auto answering = spawn("names", [&, before] {
      if (asked.size() > before) asked.back()->complete(answer);
    });
    auto outcome = resolver.resolve(host, 80);
    answering.join().value();
    return outcome;
  }

  TestLoop loop;
  Lookups asked;
  Resolver resolver;
};

TEST(Resolver, LiteralAddressesAreNotAskedFor) {
  HeldResolver names;
  names.loop.run([&] {
    EXPECT_EQ(names.resolver.resolve("192.0.2.1", 80).value(), Addresses{address("192.0.2.1", 80)});
    EXPECT_EQ(names.resolver.resolve("2001:db8::1", "443").value(), Addresses{address("2001:db8::1", 443)});
  });
  EXPECT_TRUE(names.asked.empty());
}

TEST(Resolver, AddressesGetThePortAskedFor) {
  HeldResolver names;
  names.loop.run([&] {
    const auto answer = names.ask("a.example", Addresses{address("192.0.2.1"), address("2001:db8::1")});
    EXPECT_EQ(answer.value(), (Addresses{address("192.0.2.1", 80), address("2001:db8::1", 80)}));
    EXPECT_EQ(names.resolver.resolve("a.example", 443).value()[0].port(), 443);
  });
  EXPECT_EQ(names.asked.size(), 1U);
}

TEST(Resolver, ANamedServiceIsPartOfTheQuestion) {
  HeldResolver names;
  names.loop.run([&] {
    auto answering =
        spawn("names", [&] { names.asked.at(0)->complete(Addresses{address("192.0.2.1", 443)}); });
    EXPECT_EQ(names.resolver.resolve("A.example", "https").value()[0].port(), 443);
    answering.join().value();
    EXPECT_EQ(names.asked[0]->query(), (NameQuery{.host = "a.example", .service = "https"}));
  });
}

TEST(Resolver, WhatCannotBeANameIsRefused) {
  HeldResolver names;
  names.loop.run([&] {
    using namespace std::string_view_literals;
    const std::string longest(Resolver::host_bytes_max, 'a');
    EXPECT_TRUE(names.ask(longest, Addresses{address("192.0.2.1")}));
    for (const std::string_view host : {""sv, "192.0.2.1\0.example"sv, "a\0b"sv}) {
      EXPECT_EQ(names.resolver.resolve(host, 80).error(), std::errc::invalid_argument);
      EXPECT_EQ(names.resolver.resolve(host, "http").error(), std::errc::invalid_argument);
    }
    EXPECT_EQ(names.resolver.resolve(longest + "a", 80).error(), std::errc::invalid_argument);
    for (const std::string_view service : {"", "65536", " 80", "+80", "-1", "80.0"}) {
      EXPECT_EQ(names.resolver.resolve("a", service).error(), std::errc::invalid_argument) << service;
    }
  });
  EXPECT_EQ(names.asked.size(), 1U);
}

TEST(Resolver, AnswersAreKeptForATime) {
  HeldResolver names({.entry_age_max = 10s});
  const Addresses first{address("192.0.2.1", 80)};
  const Addresses second{address("192.0.2.2", 80)};
  names.loop.run([&] {
    EXPECT_EQ(names.ask("a.example", first).value(), first);
    this_fiber::sleep_for(9999ms).value();
    EXPECT_EQ(names.ask("A.Example", second).value(), first);
    this_fiber::sleep_for(1ms).value();
    EXPECT_EQ(names.ask("a.example", second).value(), second);
  });
  EXPECT_EQ(names.asked.size(), 2U);
}

TEST(Resolver, KeepsNoMoreThanItsLimitAndTheOldestGoes) {
  HeldResolver names({.entries_max = 2});
  const Addresses answer{address("192.0.2.1", 80)};
  names.loop.run([&] {
    for (const char* host : {"a", "b", "a", "b"}) {
      EXPECT_TRUE(names.ask(host, answer));
      this_fiber::sleep_for(1ms).value();
    }
    EXPECT_EQ(names.asked.size(), 2U);
    EXPECT_TRUE(names.ask("c", answer));
    EXPECT_EQ(names.resolver.entry_count(), 2U);
    EXPECT_TRUE(names.ask("b", answer));
    EXPECT_EQ(names.asked.size(), 3U);
    EXPECT_TRUE(names.ask("a", answer));
    EXPECT_EQ(names.asked.size(), 4U);
  });
}

TEST(Resolver, KeepsNothingWhereNothingMayBeKept) {
  for (const auto& options : {ResolverOptions{.entries_max = 0}, ResolverOptions{.entry_age_max = 0s}}) {
    HeldResolver names(options);
    names.loop.run([&] {
      EXPECT_TRUE(names.ask("a", Addresses{address("192.0.2.1")}));
      EXPECT_EQ(names.resolver.entry_count(), 0U);
    });
  }
}

TEST(Resolver, ForgetsWhenTold) {
  HeldResolver names;
  names.loop.run([&] {
    EXPECT_TRUE(names.ask("a", Addresses{address("192.0.2.1")}));
    names.resolver.clear();
    EXPECT_TRUE(names.ask("a", Addresses{address("192.0.2.1")}));
  });
  EXPECT_EQ(names.asked.size(), 2U);
}

TEST(Resolver, AnUnknownNameIsKeptShortly) {
  HeldResolver names({.error_age_max = 1s});
  const Result<Addresses> unknown = Unexpected(ResolveErrc::unknown_name);
  names.loop.run([&] {
    EXPECT_EQ(names.ask("a", unknown).error(), ResolveErrc::unknown_name);
    EXPECT_EQ(names.ask("a", unknown).error(), ResolveErrc::unknown_name);
    EXPECT_EQ(names.asked.size(), 1U);
    this_fiber::sleep_for(1s).value();
    EXPECT_EQ(names.ask("a", Addresses{}).error(), ResolveErrc::unknown_name);
    EXPECT_EQ(names.asked.size(), 2U);
  });
}

TEST(Resolver, OtherErrorsAreNotKept) {
  HeldResolver names;
  names.loop.run([&] {
    for (const auto error : {ResolveErrc::no_answer, ResolveErrc::failed}) {
      EXPECT_EQ(names.ask("a", Unexpected(error)).error(), error);
    }
    EXPECT_TRUE(names.ask("a", Addresses{address("192.0.2.1")}));
  });
  EXPECT_EQ(names.asked.size(), 3U);
}

TEST(Resolver, ANameHasNoMoreAddressesThanTheLimit) {
  HeldResolver names({.addresses_max = 2});
  const Addresses three{address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3")};
  names.loop.run([&] {
    EXPECT_EQ(names.ask("two", Addresses(three.begin(), three.begin() + 2)).value().size(), 2U);
    EXPECT_EQ(names.ask("three", three).value().size(), 2U);
    EXPECT_EQ(names.ask("three", three).value()[1], address("192.0.2.2", 80));
  });
}

TEST(Resolver, FibersThatAskTheSameShareOneQuestion) {
  HeldResolver names({.entries_max = 0});
  names.loop.run([&] {
    int answered = 0;
    FiberGroup fibers;
    for (int i = 0; i < 5; ++i) {
      fibers.spawn("asker", [&] { answered += names.resolver.resolve("a", 80) ? 1 : 0; });
    }
    this_fiber::yield();
    ASSERT_EQ(names.asked.size(), 1U);
    EXPECT_EQ(names.resolver.lookup_count(), 1U);
    names.asked[0]->complete(Addresses{address("192.0.2.1")});
    fibers.join().value();
    EXPECT_EQ(answered, 5);
    EXPECT_EQ(names.resolver.lookup_count(), 0U);
  });
}

TEST(Resolver, NoMoreQuestionsThanTheLimitAreOnTheirWay) {
  HeldResolver names({.lookups_max = 2});
  names.loop.run([&] {
    FiberGroup fibers;
    for (const char* host : {"a", "b"}) {
      fibers.spawn("asker", [&, host] { EXPECT_TRUE(names.resolver.resolve(host, 80)); });
    }
    this_fiber::yield();
    EXPECT_EQ(names.resolver.resolve("c", 80).error(), std::errc::resource_unavailable_try_again);
    for (const auto& lookup : names.asked) lookup->complete(Addresses{address("192.0.2.1")});
    fibers.join().value();
    EXPECT_TRUE(names.ask("c", Addresses{address("192.0.2.1")}));
  });
}

TEST(Resolver, AfterADeadlineTheAnswerIsThereForTheNext) {
  HeldResolver names;
  names.loop.run([&] {
    EXPECT_EQ(names.resolver.resolve("a", 80, Deadline::after(1s)).error(), std::errc::timed_out);
    {
      const DeadlineScope deadline(1s);
      EXPECT_EQ(names.resolver.resolve("a", 80).error(), std::errc::timed_out);
    }
    ASSERT_EQ(names.asked.size(), 1U);
    names.asked[0]->complete(Addresses{address("192.0.2.1")});
    EXPECT_TRUE(names.resolver.resolve("a", 80));
    EXPECT_EQ(names.asked.size(), 1U);
  });
}

TEST(Resolver, OneThatGivesUpDoesNotTroubleTheOthers) {
  HeldResolver names;
  names.loop.run([&] {
    std::error_code first;
    bool second = false;
    auto cancelled = spawn("first", [&] { first = names.resolver.resolve("a", 80).error(); });
    auto patient = spawn("second", [&] { second = names.resolver.resolve("a", 80).has_value(); });
    this_fiber::yield();
    cancelled.cancel();
    cancelled.join().value();
    EXPECT_EQ(first, std::errc::operation_canceled);
    names.asked.at(0)->complete(Addresses{address("192.0.2.1")});
    patient.join().value();
    EXPECT_TRUE(second);
  });
}

TEST(Resolver, AnAnswerInTheTurnOfACancellationCounts) {
  HeldResolver names;
  names.loop.run([&] {
    bool answered = false;
    auto asking = spawn("asker", [&] { answered = names.resolver.resolve("a", 80).has_value(); });
    this_fiber::yield();
    asking.cancel();
    names.asked.at(0)->complete(Addresses{address("192.0.2.1")});
    asking.join().value();
    EXPECT_TRUE(answered);
  });
}

TEST(Resolver, MayGoBeforeItsAnswersCome) {
  Lookups asked;
  TestLoop loop;
  loop.run([&] {
    auto resolver = std::make_unique<Resolver>(ResolverOptions{}, std::make_unique<HeldNames>(asked));
    EXPECT_EQ(resolver->resolve("a", 80, Deadline::after(1s)).error(), std::errc::timed_out);
    resolver.reset();
    asked.at(0)->complete(Addresses{address("192.0.2.1")});
  });
}

TEST(Resolver, AQuestionIsAnsweredOnce) {
  HeldResolver names;
  names.loop.run([&] { EXPECT_TRUE(names.ask("a", Addresses{address("192.0.2.1")})); });
  EXPECT_DEATH(names.asked.at(0)->complete(Addresses{}), "a question was answered twice");
}

TEST(Resolver, ASchedulersOwnCanBeReplaced) {
  Lookups asked;
  TestLoop loop;
  loop.scheduler().set_resolver(
      std::make_unique<Resolver>(ResolverOptions{}, std::make_unique<HeldNames>(asked)));
  loop.run([&] {
    EXPECT_EQ(resolve("a", 80, Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(resolve("a", "http", Deadline::after(1s)).error(), std::errc::timed_out);
  });
  EXPECT_EQ(asked.size(), 2U);
}

TEST(SystemNames, KnowsLocalhost) {
  run_event_loop([] {
    const auto addresses = resolve("localhost", 80).value();
    ASSERT_FALSE(addresses.empty());
    for (const auto& each : addresses) {
      EXPECT_EQ(each.port(), 80);
      EXPECT_TRUE(each.host() == "127.0.0.1" || each.host() == "::1") << each.to_string();
    }
  });
}

TEST(SystemNames, AnUnknownServiceIsAnError) {
  run_event_loop(
      [] { EXPECT_EQ(resolve("127.0.0.1", "no-such-service").error(), ResolveErrc::unknown_name); });
}

TEST(SystemNames, ANameThatNobodyCanHaveIsAnError) {
  run_event_loop([] { EXPECT_EQ(resolve("a..b", 80).error(), ResolveErrc::unknown_name); });
}

TEST(SystemNames, ALoopMayEndBeforeItsAnswersCome) {
  run_event_loop([] {
    for (const char* service : {"ssh", "smtp", "domain", "http", "pop3", "ntp", "imap2", "https"}) {
      const auto answer = resolve("localhost", service, Deadline(TimePoint()));
      EXPECT_EQ(answer.error(), std::errc::timed_out);
    }
  });
}

TEST(SystemNames, WorksFromSeveralWorkers) {
  testing::on_workers(3, [](int) {
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(resolve("localhost", 80));
      Scheduler::current()->resolver().clear();
    }
  });
}

TEST(SystemNames, ErrorsOfTheSystemAreSorted) {
  EXPECT_EQ(uv::to_resolve_error(UV_EAI_NONAME), ResolveErrc::unknown_name);
  EXPECT_EQ(uv::to_resolve_error(UV_EAI_NODATA), ResolveErrc::unknown_name);
  EXPECT_EQ(uv::to_resolve_error(UV_EAI_SERVICE), ResolveErrc::unknown_name);
  EXPECT_EQ(uv::to_resolve_error(UV_EAI_AGAIN), ResolveErrc::no_answer);
  EXPECT_EQ(uv::to_resolve_error(UV_EAI_FAIL), ResolveErrc::failed);
  EXPECT_EQ(uv::to_resolve_error(UV_EAI_MEMORY), std::errc::not_enough_memory);
  EXPECT_EQ(uv::to_resolve_error(UV_EAI_CANCELED), std::errc::operation_canceled);
  EXPECT_EQ(uv::to_resolve_error(UV_EMFILE), std::errc::too_many_files_open);
}

TEST(ResolveErrc, SaysWhatIsWrong) {
  EXPECT_EQ(make_error_code(ResolveErrc::unknown_name).message(), "there is no such host or service");
  EXPECT_EQ(make_error_code(ResolveErrc::no_answer).message(), "no name server has answered");
  EXPECT_EQ(make_error_code(ResolveErrc::failed).message(), "the system could not look the name up");
  EXPECT_STREQ(make_error_code(ResolveErrc::failed).category().name(), "atlas.resolve");
}

}  // namespace
}  // namespace atlas
