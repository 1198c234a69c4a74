// Connections to real listeners, of the loopback interface and of the file system.
#include <atlas/core/connect.hpp>

#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/resolver.hpp>
#include <atlas/core/socket.hpp>
#include "support/temporary_folder.hpp"
#include "support/workers.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFolder;

SocketAddress loopback(const char* host = "127.0.0.1") { return SocketAddress::ip(host, 0).value(); }

SocketAddress unix_address(const TemporaryFolder& folder) {
  return SocketAddress::unix_socket(folder.file("socket")).value();
}

/// Connects until nobody more fits into the listener's backlog; the connections that fill it.
std::vector<StreamPtr> fill_backlog(const Listener& listener) {
  std::vector<StreamPtr> waiting;
  for (;;) {
    auto stream = connect(listener.address(), Deadline::after(50ms));
    if (!stream) return waiting;
    waiting.push_back(*std::move(stream));
  }
}

int descriptor_option(const Stream& stream, int level, int option) {
  // The stream does not show its descriptor: it is the one with the stream's address.
  for (int fd = 3; fd < 1024; ++fd) {
    sockaddr_storage storage{};
    socklen_t bytes = sizeof storage;
    auto* native = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(fd, native, &bytes) != 0) continue;
    if (SocketAddress(native, bytes) != stream.local_address()) continue;
    int value = -1;
    socklen_t value_bytes = sizeof value;
    ::getsockopt(fd, level, option, &value, &value_bytes);
    return value;
  }
  return -1;
}

TEST(Connect, IsRefusedWhereNobodyListens) {
  run_event_loop([] {
    const auto address = Listener::bind(loopback()).value().address();
    EXPECT_EQ(connect(address).error(), std::errc::connection_refused);
  });
}

TEST(Connect, FailsForAMissingUnixPath) {
  run_event_loop([] {
    const TemporaryFolder folder;
    EXPECT_EQ(connect(unix_address(folder)).error(), std::errc::no_such_file_or_directory);
  });
}

TEST(Connect, StartsFromTheAddressAskedFor) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    const auto stream = connect(listener.address(), {}, {.local_address = loopback("127.0.0.2")}).value();
    EXPECT_EQ(stream->local_address().host(), "127.0.0.2");
  });
}

TEST(Connect, CannotStartFromAnAddressOfNoInterface) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    // 203.0.113.0/24 is kept for documentation (RFC 5737).
    const auto stream = connect(listener.address(), {}, {.local_address = loopback("203.0.113.1")});
    EXPECT_EQ(stream.error(), std::errc::address_not_available);
  });
}

TEST(Connect, SmallWritesLeaveAtOnceUnlessAskedOtherwise) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    const auto prompt = connect(listener.address()).value();
    EXPECT_NE(descriptor_option(*prompt, IPPROTO_TCP, TCP_NODELAY), 0);
    const auto patient = connect(listener.address(), {}, {.no_delay = false}).value();
    EXPECT_EQ(descriptor_option(*patient, IPPROTO_TCP, TCP_NODELAY), 0);
  });
}

TEST(Connect, KeepsAliveWhereAskedFor) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    const auto plain = connect(listener.address()).value();
    EXPECT_EQ(descriptor_option(*plain, SOL_SOCKET, SO_KEEPALIVE), 0);
    const ConnectOptions options{.keep_alive = KeepAlive{.idle = 7s, .interval = 3s, .probes_max = 4}};
    const auto kept = connect(listener.address(), {}, options).value();
    EXPECT_EQ(descriptor_option(*kept, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(descriptor_option(*kept, IPPROTO_TCP, TCP_KEEPIDLE), 7);
    EXPECT_EQ(descriptor_option(*kept, IPPROTO_TCP, TCP_KEEPINTVL), 3);
    EXPECT_EQ(descriptor_option(*kept, IPPROTO_TCP, TCP_KEEPCNT), 4);
  });
}

TEST(Connect, RefusesAKeepAliveThatTheSystemDoesNotKnow) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    const ConnectOptions options{.keep_alive = KeepAlive{.probes_max = 0}};
    EXPECT_EQ(connect(listener.address(), {}, options).error(), std::errc::invalid_argument);
  });
}

TEST(Connect, BuffersHaveTheSizeAskedFor) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    const ConnectOptions options{.receive_buffer_bytes = 20'000, .send_buffer_bytes = 30'000};
    const auto stream = connect(listener.address(), {}, options).value();
    // Linux doubles what is asked for, to have room for its own book-keeping.
    EXPECT_EQ(descriptor_option(*stream, SOL_SOCKET, SO_RCVBUF), 40'000);
    EXPECT_EQ(descriptor_option(*stream, SOL_SOCKET, SO_SNDBUF), 60'000);
  });
}

TEST(Connect, GivesUpAtItsDeadlineWhenNobodyAnswers) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback(), {.backlog = 1}).value();
    const auto waiting = fill_backlog(listener);
    EXPECT_EQ(connect(listener.address(), Deadline::after(1ms)).error(), std::errc::timed_out);
    const DeadlineScope deadline(1ms);
    EXPECT_EQ(connect(listener.address()).error(), std::errc::timed_out);
  });
}

TEST(Connect, IsCancelledWhenNobodyAnswers) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback(), {.backlog = 1}).value();
    const auto waiting = fill_backlog(listener);
    std::error_code seen;
    auto connecting = spawn("client", [&] { seen = connect(listener.address()).error(); });
    this_fiber::yield();
    connecting.cancel();
    connecting.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(Connect, IsGivenUpByTheFiberThatIsDestroyed) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback(), {.backlog = 1}).value();
    const auto waiting = fill_backlog(listener);
    for (int i = 0; i < 10; ++i) {
      const auto connecting = spawn("client", [&] { static_cast<void>(connect(listener.address())); });
      this_fiber::yield();
    }
  });
}

TEST(Connect, CancelledAsItSucceedsEndsEitherWay) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto connecting = spawn("client", [&] {
      const auto stream = connect(listener.address());
      EXPECT_TRUE(stream || stream.error() == std::errc::operation_canceled) << stream.error().message();
    });
    auto accepted = listener.accept().value();
    connecting.cancel();
    connecting.join().value();
  });
}

TEST(Connect, WaitsForItsTurnInAUnixSocketsFullBacklog) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto listener = Listener::bind(unix_address(folder), {.backlog = 1}).value();
    auto waiting = fill_backlog(listener);
    bool connected = false;
    auto connecting = spawn("client", [&] { connected = connect(listener.address()).has_value(); });
    this_fiber::sleep_for(5ms).value();
    EXPECT_FALSE(connected);
    static_cast<void>(listener.accept().value());
    connecting.join().value();
    EXPECT_TRUE(connected);
  });
}

TEST(Connect, GivesUpInAUnixSocketsFullBacklog) {
  run_event_loop([] {
    const TemporaryFolder folder;
    const auto listener = Listener::bind(unix_address(folder), {.backlog = 1}).value();
    const auto waiting = fill_backlog(listener);
    EXPECT_EQ(connect(listener.address(), Deadline::after(10ms)).error(), std::errc::timed_out);
    std::error_code seen;
    auto connecting = spawn("client", [&] { seen = connect(listener.address()).error(); });
    this_fiber::yield();
    connecting.cancel();
    connecting.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

/// Answers whatever is asked with these addresses.
class FixedNames final : public NameService {
 public:
  explicit FixedNames(std::vector<SocketAddress> addresses) : addresses_(std::move(addresses)) {}
  void start(std::shared_ptr<NameLookup> lookup) override { lookup->complete(addresses_); }

 private:
  std::vector<SocketAddress> addresses_;
};

void resolve_to(std::vector<SocketAddress> addresses) {
  Scheduler::current()->set_resolver(
      std::make_unique<Resolver>(ResolverOptions{}, std::make_unique<FixedNames>(std::move(addresses))));
}

TEST(ConnectToName, ReachesLocalhost) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    const auto stream = connect("localhost", listener.address().port(), Deadline::after(20s)).value();
    EXPECT_EQ(stream->peer_address(), listener.address());
  });
}

TEST(ConnectToName, TakesALiteralAddress) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    EXPECT_TRUE(connect("127.0.0.1", listener.address().port()));
  });
}

TEST(ConnectToName, GoesOnToTheAddressWhereSomebodyListens) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    resolve_to({loopback("::1"), loopback("127.0.0.2"), loopback("127.0.0.1")});
    const auto stream = connect("name", listener.address().port()).value();
    EXPECT_EQ(stream->peer_address(), listener.address());
  });
}

TEST(ConnectToName, GoesOnFromAnAddressThatDoesNotAnswer) {
  run_event_loop([] {
    const auto full = Listener::bind(loopback("127.0.0.2"), {.backlog = 1}).value();
    const auto waiting = fill_backlog(full);
    const auto port = full.address().port();
    const auto listener = Listener::bind(loopback().with_port(port)).value();
    resolve_to({full.address(), listener.address()});
    EXPECT_EQ(connect("name", port, {}, {.attempt_delay = 10ms}).value()->peer_address(), listener.address());
  });
}

TEST(ConnectToName, IsRefusedWhereNobodyListens) {
  run_event_loop([] {
    const auto port = Listener::bind(loopback()).value().address().port();
    resolve_to({loopback("127.0.0.2"), loopback("127.0.0.1")});
    EXPECT_EQ(connect("name", port).error(), std::errc::connection_refused);
  });
}

TEST(ConnectToName, ANameWithoutAddressIsAnError) {
  run_event_loop([] {
    resolve_to({});
    EXPECT_EQ(connect("name", 80).error(), ResolveErrc::unknown_name);
  });
}

TEST(ConnectToName, ALocalAddressAllowsItsOwnFamilyOnly) {
  run_event_loop([] {
    const auto listener = Listener::bind(loopback()).value();
    const ConnectOptions from_two{.local_address = loopback("127.0.0.2")};
    resolve_to({loopback("::1"), loopback("127.0.0.1")});
    const auto stream = connect("name", listener.address().port(), {}, from_two).value();
    EXPECT_EQ(stream->local_address().host(), "127.0.0.2");
    resolve_to({loopback("::1")});
    EXPECT_EQ(connect("name", 80, {}, from_two).error(), std::errc::address_family_not_supported);
  });
}

TEST(ConnectToName, GivesUpAtItsDeadlineAndWhenCancelled) {
  run_event_loop([] {
    const auto full = Listener::bind(loopback(), {.backlog = 1}).value();
    const auto waiting = fill_backlog(full);
    const auto port = full.address().port();
    resolve_to({full.address(), full.address()});
    EXPECT_EQ(connect("name", port, Deadline::after(1ms)).error(), std::errc::timed_out);
    std::error_code seen;
    auto connecting = spawn("client", [&] { seen = connect("name", port).error(); });
    this_fiber::yield();
    connecting.cancel();
    connecting.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(ConnectToName, WorksFromSeveralWorkers) {
  std::latch all_done(3);
  testing::on_workers(3, [&](int) {
    const auto listener = Listener::bind(loopback()).value();
    resolve_to({loopback("::1"), loopback("127.0.0.1")});
    std::vector<StreamPtr> streams;
    for (int i = 0; i < 10; ++i) streams.push_back(connect("name", listener.address().port()).value());
    for (const auto& stream : streams) EXPECT_EQ(stream->peer_address(), listener.address());
    all_done.arrive_and_wait();  // see below
  });
}

// Nobody closes before all have connected: a thread checker does not see libuv close a descriptor, and takes
// its number in another thread for a race.
TEST(Connect, WorksFromSeveralWorkers) {
  constexpr int clients = 3;
  constexpr int connections_each = 10;
  auto listener = Listener::bind(loopback()).value();
  const auto address = listener.address();
  std::latch all_done(clients + 1);
  testing::on_workers(clients + 1, [&](int worker) {
    std::vector<StreamPtr> streams;
    for (int i = 0; worker > 0 && i < connections_each; ++i) {
      streams.push_back(connect(address).value());
      streams.back()->write("x").value();
    }
    for (int i = 0; worker == 0 && i < clients * connections_each; ++i) {
      auto accepted = listener.accept().value();
      streams.push_back(adopt_socket(std::move(accepted)).value());
      EXPECT_EQ(streams.back()->read_chunk().value().bytes().size(), 1U);
    }
    if (worker == 0) static_cast<void>(Listener(std::move(listener)));  // on the thread that accepted
    all_done.arrive_and_wait();
  });
}

}  // namespace
}  // namespace atlas
