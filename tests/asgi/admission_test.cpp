// Who may have a connection.
#include <atlas/asgi/admission.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace atlas::asgi {
namespace {

using Place = Admission::Place;
using Refusal = Admission::Refusal;

SocketAddress client(std::string_view host, std::uint16_t port = 4000) {
  return SocketAddress::ip(host, port).value();
}

/// "place", or why there is none.
std::string outcome(const std::variant<Place, Refusal>& admitted) {
  const auto* refusal = std::get_if<Refusal>(&admitted);
  if (refusal == nullptr) return "place";
  return *refusal == Refusal::full ? "full" : "address full";
}

TEST(Admission, GivesAsManyPlacesAsThereAre) {
  Admission admission({.connections_max = 2});
  const auto first = admission.admit(client("192.0.2.1"));
  const auto second = admission.admit(client("192.0.2.2"));
  EXPECT_EQ(outcome(first) + ", " + outcome(second), "place, place");
  EXPECT_EQ(outcome(admission.admit(client("192.0.2.3"))), "full");
  EXPECT_EQ(admission.admitted(), 2U);
}

TEST(Admission, APlaceIsGivenBack) {
  Admission admission({.connections_max = 1, .connections_per_address_max = 1});
  { const auto place = admission.admit(client("192.0.2.1")); }
  EXPECT_EQ(admission.admitted(), 0U);
  EXPECT_EQ(outcome(admission.admit(client("192.0.2.1"))), "place");
}

TEST(Admission, APlaceThatMovesIsGivenBackOnce) {
  Admission admission({.connections_max = 3});
  auto first = std::get<Place>(admission.admit(client("192.0.2.1")));
  auto second = std::get<Place>(admission.admit(client("192.0.2.2")));
  Place moved(std::move(first));
  second = std::move(moved);
  moved = {};
  first = {};
  EXPECT_EQ(admission.admitted(), 1U);
  second = {};
  EXPECT_EQ(admission.admitted(), 0U);
}

TEST(Admission, CountsAnAddressWhateverItsPort) {
  Admission admission({.connections_per_address_max = 2});
  const auto first = admission.admit(client("192.0.2.1", 1));
  const auto second = admission.admit(client("192.0.2.1", 2));
  EXPECT_EQ(outcome(admission.admit(client("192.0.2.1", 3))), "address full");
  EXPECT_EQ(outcome(admission.admit(client("192.0.2.2", 3))), "place");
}

TEST(Admission, ARefusalTakesNoPlace) {
  Admission admission({.connections_per_address_max = 1});
  auto first = admission.admit(client("192.0.2.1"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcome(admission.admit(client("192.0.2.1"))), "address full");
  first = Place();
  EXPECT_EQ(outcome(admission.admit(client("192.0.2.1"))), "place");
}

TEST(Admission, CountsAnIpv6NetworkOf64Bits) {
  Admission admission({.connections_per_address_max = 1});
  const auto first = admission.admit(client("2001:db8:0:1::1"));
  EXPECT_EQ(outcome(admission.admit(client("2001:db8:0:1:ffff::2"))), "address full");
  EXPECT_EQ(outcome(admission.admit(client("2001:db8:0:2::1"))), "place");
}

TEST(Admission, TellsIpv4FromIpv6) {
  Admission admission({.connections_per_address_max = 1});
  const auto first = admission.admit(client("192.0.2.1"));
  EXPECT_EQ(outcome(admission.admit(client("::c000:201"))), "place");
  EXPECT_EQ(outcome(admission.admit(client("ff00:0:c000:201::"))), "address full") << "which no client has";
}

TEST(Admission, AUnixSocketsClientsHaveNoAddress) {
  Admission admission({.connections_max = 3, .connections_per_address_max = 1});
  const auto first = admission.admit({});
  const auto second = admission.admit({});
  const auto third = admission.admit({});
  EXPECT_EQ(outcome(second) + ", " + outcome(third), "place, place");
  EXPECT_EQ(outcome(admission.admit({})), "full");
}

TEST(Admission, NeverGivesMoreToSeveralThreadsAtOnce) {
  constexpr int thread_count = 4;
  constexpr int rounds = 2000;
  Admission admission({.connections_max = 2});
  std::atomic<int> held = 0;
  std::atomic<int> held_max = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < thread_count; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        const auto admitted = admission.admit(client("192.0.2.1"));
        if (outcome(admitted) != "place") continue;
        const int now = ++held;
        for (int seen = held_max; now > seen && !held_max.compare_exchange_weak(seen, now);) continue;
        --held;
      }
    });
  }
  threads.clear();
  EXPECT_LE(held_max, 2);
  EXPECT_GE(held_max, 1);
  EXPECT_EQ(admission.admitted(), 0U);
}

}  // namespace
}  // namespace atlas::asgi
