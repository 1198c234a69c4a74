// Real sockets, of the loopback interface and of the file system.
#include <atlas/core/socket.hpp>

#include <atlas/core/channel.hpp>
#include <atlas/core/connect.hpp>
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/signals.hpp>
#include "support/temporary_folder.hpp"
#include "support/workers.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::on_workers;
using testing::TemporaryFolder;

SocketAddress loopback(const char* host = "127.0.0.1") { return SocketAddress::ip(host, 0).value(); }

bool has_ipv6() { return Listener::bind(loopback("::1")).has_value(); }

struct Connection {
  StreamPtr client;
  StreamPtr server;
};

/// Both ends of a connection to `listener`.
Connection connect_to(Listener& listener) {
  StreamPtr client;
  auto connecting = spawn("client", [&] { client = connect(listener.address()).value(); });
  auto accepted = listener.accept().value();
  auto server = adopt_socket(std::move(accepted)).value();
  connecting.join().value();
  return {std::move(client), std::move(server)};
}

std::string read_all(Stream& stream) {
  std::string text;
  for (;;) {
    Chunk chunk = stream.read_chunk(Deadline::after(10s)).value();
    if (chunk.empty()) return text;
    text.append(chunk.bytes().data(), chunk.bytes().size());
  }
}

/// How many bytes can be read before an error.
std::size_t bytes_before_error(Stream& stream) {
  std::size_t bytes = 0;
  while (auto chunk = stream.read_chunk(Deadline::after(10s))) {
    if (chunk->empty()) break;
    bytes += chunk->bytes().size();
  }
  return bytes;
}

/// Sends both ways and closes both ways.
void expect_conversation(Listener& listener) {
  auto [client, server] = connect_to(listener);
  client->write("question").value();
  client->shutdown_write().value();
  EXPECT_EQ(read_all(*server), "question");
  server->write("answer").value();
  server->shutdown_write().value();
  EXPECT_EQ(read_all(*client), "answer");
}

TEST(Socket, SpeaksIPv4) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    EXPECT_NE(listener.address().port(), 0);
    EXPECT_EQ(listener.address().host(), "127.0.0.1");
    expect_conversation(listener);
  });
}

TEST(Socket, SpeaksIPv6) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 loopback here";
  run_event_loop([] {
    auto listener = Listener::bind(loopback("::1")).value();
    expect_conversation(listener);
  });
}

TEST(Socket, SpeaksThroughAUnixPath) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto listener = Listener::bind(SocketAddress::unix_socket(folder.file("socket")).value()).value();
    expect_conversation(listener);
  });
}

TEST(Socket, WhatThePeerHasNotTakenFromTheSystemIsUnsent) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto listener = Listener::bind(SocketAddress::unix_socket(folder.file("socket")).value()).value();
    const auto [client, server] = connect_to(listener);
    const std::string_view bytes = "bytes";
    ASSERT_EQ(server->try_write({&bytes, 1}).value(), bytes.size());
    EXPECT_GE(server->unsent_bytes(), bytes.size());
    static_cast<void>(client->read_chunk(Deadline::after(10s)).value());
    EXPECT_EQ(server->unsent_bytes(), 0U);
  });
}

TEST(Socket, KnowsItsAddresses) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    const auto [client, server] = connect_to(listener);
    EXPECT_EQ(client->peer_address(), listener.address());
    EXPECT_EQ(server->local_address(), listener.address());
    EXPECT_EQ(server->peer_address(), client->local_address());
    EXPECT_NE(client->local_address().port(), listener.address().port());
  });
}

TEST(Socket, AcceptedConnectionsHaveNoDelayWhereAskedFor) {
  const auto no_delay_of_accepted = [](bool asked) {
    int value = -1;
    run_event_loop([&] {
      auto listener = Listener::bind(loopback(), {.no_delay = asked}).value();
      auto connecting = spawn("client", [&] { static_cast<void>(connect(listener.address()).value()); });
      const auto accepted = listener.accept().value();
      socklen_t bytes = sizeof value;
      ::getsockopt(accepted.fd.get(), IPPROTO_TCP, TCP_NODELAY, &value, &bytes);
      connecting.join().value();
    });
    return value != 0;
  };
  EXPECT_TRUE(no_delay_of_accepted(true));
  EXPECT_FALSE(no_delay_of_accepted(false));
}

TEST(Socket, AReadGivesUpAtItsDeadline) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    const auto [client, server] = connect_to(listener);
    const DeadlineScope deadline(1ms);
    EXPECT_EQ(server->read_chunk().error(), std::errc::timed_out);
  });
}

TEST(Socket, MovesMoreThanTheSystemsBuffersHold) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    std::string sent;
    while (sent.size() < 20'000'000) sent += std::to_string(sent.size());
    auto writer = spawn("writer", [&, &stream = client] {
      stream->write(sent).value();
      stream->shutdown_write().value();
    });
    EXPECT_TRUE(read_all(*server) == sent);
    writer.join().value();
  });
}

TEST(Socket, AWriteToAPeerThatDoesNotReadStalls) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    const std::string sent(20'000'000, 'x');
    EXPECT_EQ(client->write(sent, {.stall_max = 20ms}).error(), std::errc::timed_out);
    EXPECT_TRUE(client->aborted());
  });
}

TEST(Socket, InputThatNobodyTakesDoesNotKeepTheLoopAwake) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    const std::string sent(20'000'000, 'x');
    auto writer = spawn("writer", [&, &stream = client] { EXPECT_FALSE(stream->write(sent)); });
    const auto beat = [] { return Scheduler::current()->pulse().beat; };
    constexpr int sleeps = 50;
    const auto beats_of_sleeps = [&] {
      const auto before = beat();
      for (int i = 0; i < sleeps; ++i) this_fiber::sleep_for(1ms).value();
      return beat() - before;
    };
    static_cast<void>(beats_of_sleeps());  // meanwhile both sockets' buffers become full
    EXPECT_LE(beats_of_sleeps(), std::uint64_t{10} * sleeps);
    char first = 0;
    EXPECT_EQ(server->read_some({&first, 1}).value(), 1U);
    client->abort();
    writer.join().value();
  });
}

TEST(Socket, AnEndThatComesWithTheBytesThatPauseTheInputIsSeen) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    Scheduler::current()->chunks().set_scarce_above(0);  // all input pauses
    server->shutdown_write().value();
    client->write("last words").value();
    client.reset();
    while (!server->input_ready()) this_fiber::yield();
    EXPECT_EQ(read_all(*server), "last words");
  });
}

TEST(Socket, BytesThatFillItsBuffersJustSoAreReadToTheirEnd) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    const std::string sent(Scheduler::current()->chunks().take().room().size(), 'x');
    client->write(sent).value();
    client.reset();  // the end comes right behind them
    while (!server->input_ready()) this_fiber::yield();
    EXPECT_EQ(read_all(*server), sent);
  });
}

TEST(Socket, AResetRightBehindBytesIsAnErrorAfterThem) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    client->write("half of it").value();
    client->reset();
    const auto first = server->read_chunk(Deadline::after(10s));
    ASSERT_TRUE(first);
    EXPECT_EQ(server->read_chunk(Deadline::after(10s)).error(), std::errc::connection_reset);
  });
}

/// Cuts the stream as soon as it has input.
class Cutter final : public InputObserver {
 public:
  explicit Cutter(Stream& stream) : stream_(stream) { stream.set_input_observer(this); }
  void on_input() override {
    stream_.abort();
    ++told_;
  }
  [[nodiscard]] int told() const { return told_; }

 private:
  Stream& stream_;
  int told_ = 0;
};

TEST(Socket, AStreamThatIsCutByItsObserverIsReadNoFurther) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    const std::size_t buffer_bytes = Scheduler::current()->chunks().take().room().size();
    Cutter cutter(*server);
    client->write(std::string(2 * buffer_bytes, 'x')).value();
    while (cutter.told() == 0) this_fiber::yield();
    EXPECT_EQ(bytes_before_error(*server), buffer_bytes);
    EXPECT_EQ(cutter.told(), 1);
  });
}

TEST(Socket, InputIsReadToItsEndHoweverOftenTheReaderIsLate) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    const std::string sent(2'000'000, 'x');
    auto writer = spawn("writer", [&, &stream = client] {
      stream->write(sent).value();
      stream.reset();  // all the way: the reader sees a hang-up, too
    });
    std::size_t bytes = 0;
    for (int turns = 0;; turns = (turns + 1) % 4) {
      for (int i = 0; i < turns; ++i) this_fiber::yield();
      Chunk chunk = server->read_chunk(Deadline::after(10s)).value();
      if (chunk.empty()) break;
      bytes += chunk.bytes().size();
    }
    EXPECT_EQ(bytes, sent.size());
    writer.join().value();
  });
}

TEST(Socket, ABackgroundWriteEnds) {
  class Observer final : public WriteObserver {
   public:
    void on_written(std::error_code error) override {
      outcome = error;
      waker.wake();
    }
    std::error_code outcome = std::make_error_code(std::errc::operation_in_progress);
    Waker waker;
  };
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    Observer observer;
    client->write_in_background("background", observer);
    {
      Wait wait({"write in the background"});
      observer.waker = wait.waker();
      if (client->writing()) static_cast<void>(wait.park(Deadline::after(10s)));
    }
    EXPECT_FALSE(observer.outcome);
    client.reset();
    EXPECT_EQ(read_all(*server), "background");
  });
}

TEST(Socket, AConnectionThatThePeerResetIsAnError) {
  ignore_broken_pipes();
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto connecting = spawn("client", [&] { return static_cast<void>(connect(listener.address()).value()); });
    auto accepted = listener.accept().value();
    connecting.join().value();  // the client has gone
    const auto server = adopt_socket(std::move(accepted)).value();
    EXPECT_EQ(read_all(*server), "");
    std::error_code error;  // the first write is answered with a reset, a later one fails
    while (!error) {
      error = server->write("x").error();
      this_fiber::sleep_for(1ms).value();
    }
    EXPECT_TRUE(error == std::errc::broken_pipe || error == std::errc::connection_reset) << error.message();
  });
}

TEST(Socket, AStreamMayBeDestroyedWhileItsFiberHasNotReadAll) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto [client, server] = connect_to(listener);
    client->write("unread").value();
    char first = 0;
    EXPECT_EQ(server->read_some({&first, 1}, Deadline::after(10s)).value(), 1U);
  });
}

/// Starts a fiber that reads, once there is something to read; counts those that wait for theirs.
class Awakened final : public InputObserver {
 public:
  Awakened(Connection connection, FiberGroup& fibers, std::vector<std::size_t>& waiting)
      : connection_(std::move(connection)), fibers_(fibers), waiting_(waiting) {
    connection_.server->set_input_observer(this);
  }
  void on_input() override {
    waiting_.push_back(waiting_.back() + 1);
    fibers_.spawn("reader", [this] {
      EXPECT_EQ(connection_.server->read_chunk().value().bytes().size(), 1U);
      waiting_.push_back(waiting_.back() - 1);
    });
  }
  Stream& client() { return *connection_.client; }

 private:
  Connection connection_;
  FiberGroup& fibers_;
  std::vector<std::size_t>& waiting_;
};

TEST(Socket, ManyThatBecomeReadableTogetherAreServedInPortions) {
  run_event_loop([] {
    constexpr std::size_t count = 200;
    auto listener = Listener::bind(loopback()).value();
    FiberGroup fibers;
    std::vector<std::size_t> waiting{0};
    std::vector<std::unique_ptr<Awakened>> all;
    while (all.size() < count)
      all.push_back(std::make_unique<Awakened>(connect_to(listener), fibers, waiting));
    for (auto& one : all) one->client().write("x").value();
    while (waiting.size() < 1 + 2 * count) this_fiber::yield();
    fibers.join().value();
    EXPECT_LE(*std::max_element(waiting.begin(), waiting.end()), 64U);
  });
}

TEST(Listener, AcceptIsCancelled) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    std::error_code seen;
    auto acceptor = spawn("acceptor", [&] { seen = listener.accept().error(); });
    this_fiber::yield();
    acceptor.cancel();
    acceptor.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
  });
}

TEST(Listener, AcceptGivesUpAtItsDeadline) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    EXPECT_EQ(listener.accept(Deadline::after(1ms)).error(), std::errc::timed_out);
    const DeadlineScope scope(1ms);
    EXPECT_EQ(listener.accept().error(), std::errc::timed_out);
  });
}

TEST(Listener, AClientInTheTurnOfACancellationIsNotLost) {
  run_event_loop([] {
    const TemporaryFolder folder;
    auto listener = Listener::bind(SocketAddress::unix_socket(folder.file("socket")).value()).value();
    for (const bool cancel_first : {true, false}) {
      Caller acceptor([&] { return listener.accept(); });
      if (cancel_first) acceptor.cancel();
      const auto client = connect(listener.address()).value();  // at once: it is a unix socket
      if (!cancel_first) acceptor.cancel();
      EXPECT_EQ(acceptor.error(), std::errc::operation_canceled);
      EXPECT_TRUE(listener.accept(Deadline::after(20s)));
    }
  });
}

TEST(Listener, MayBeDestroyedRightAfterACancelledWait) {
  run_event_loop([] {
    for (int i = 0; i < 20; ++i) {
      auto listener = std::make_unique<Listener>(Listener::bind(loopback()).value());
      Caller acceptor([&] {
        auto accepted = listener->accept();
        listener.reset();
        return accepted;
      });
      acceptor.cancel();
      EXPECT_EQ(acceptor.error(), std::errc::operation_canceled);
    }
  });
}

TEST(Listener, WhatOneWorkerAcceptsAnotherServes) {
  constexpr int clients = 20;
  Channel<AcceptedSocket> accepted(4);
  std::latch all_done(3);
  auto bound = Listener::bind(loopback()).value();
  const auto address = bound.address();
  on_workers(3, [&](int worker) {
    std::vector<StreamPtr> streams;
    if (worker == 0) {
      auto listener = std::move(bound);
      for (int i = 0; i < clients; ++i) accepted.send(listener.accept().value()).value();
      accepted.close();
      all_done.arrive_and_wait();
      return;
    }
    if (worker == 1) {
      for (AcceptedSocket& socket : accepted) {
        streams.push_back(adopt_socket(std::move(socket)).value());
        streams.back()->write("hello").value();
      }
    }
    for (int i = 0; worker == 2 && i < clients; ++i) {
      streams.push_back(connect(address).value());
      EXPECT_EQ(streams.back()->read_chunk().value().bytes().size(), 5U);
    }
    all_done.arrive_and_wait();  // nobody closes before: see Connect.WorksFromSeveralWorkers
  });
}

TEST(Listener, AcceptsManyOneAfterTheOther) {
  run_event_loop([] {
    auto listener = Listener::bind(loopback()).value();
    auto clients = spawn("clients", [&] {
      for (int i = 0; i < 50; ++i) connect(listener.address()).value()->write("x").value();
    });
    for (int i = 0; i < 50; ++i) {
      auto accepted = listener.accept().value();
      const auto stream = adopt_socket(std::move(accepted)).value();
      EXPECT_EQ(read_all(*stream), "x");
    }
    clients.join().value();
  });
}

TEST(Listener, APortInUseIsRefused) {
  const auto first = Listener::bind(loopback()).value();
  EXPECT_EQ(Listener::bind(first.address()).error(), std::errc::address_in_use);
}

TEST(Listener, PortsMayBeSharedWhereAskedFor) {
  const auto first = Listener::bind(loopback(), {.reuse_port = true}).value();
  EXPECT_TRUE(Listener::bind(first.address(), {.reuse_port = true}));
}

TEST(Listener, AnAddressOfNoInterfaceIsRefused) {
  // 203.0.113.0/24 is kept for documentation (RFC 5737).
  EXPECT_EQ(Listener::bind(loopback("203.0.113.1")).error(), std::errc::address_not_available);
}

TEST(Listener, TakesOverAStaleUnixSocket) {
  const TemporaryFolder folder;
  const std::string path = folder.file("socket");
  const auto address = SocketAddress::unix_socket(path).value();
  {
    // A server that was killed: its socket stays in the file system.
    const FileDescriptor gone(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_storage storage{};
    auto* native = reinterpret_cast<sockaddr*>(&storage);
    const auto bytes = static_cast<socklen_t>(address.to_native(native));
    ASSERT_EQ(::bind(gone.get(), native, bytes), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(Listener::bind(address));
}

TEST(Listener, DoesNotTakeALiveUnixSocketAway) {
  const TemporaryFolder folder;
  const auto address = SocketAddress::unix_socket(folder.file("socket")).value();
  const auto live = Listener::bind(address).value();
  EXPECT_EQ(Listener::bind(address).error(), std::errc::address_in_use);
  EXPECT_TRUE(std::filesystem::exists(address.host()));
}

TEST(Listener, DoesNotRemoveAFileThatIsNoSocket) {
  const TemporaryFolder folder;
  const std::string path = folder.file("notes.txt");
  std::ofstream(path) << "notes";
  EXPECT_EQ(Listener::bind(SocketAddress::unix_socket(path).value()).error(), std::errc::address_in_use);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(Listener, RemovesItsUnixPathWhenDestroyed) {
  const TemporaryFolder folder;
  const auto address = SocketAddress::unix_socket(folder.file("socket")).value();
  {
    auto listener = Listener::bind(address).value();
    const Listener moved = std::move(listener);
    EXPECT_TRUE(std::filesystem::exists(address.host()));
  }
  EXPECT_FALSE(std::filesystem::exists(address.host()));
}

TEST(FileDescriptor, ClosesWhatItOwnsUnlessReleased) {
  int raw = -1;
  {
    FileDescriptor owned(::dup(STDERR_FILENO));
    raw = owned.get();
    ASSERT_TRUE(owned);
    FileDescriptor moved = std::move(owned);
    EXPECT_FALSE(owned);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(moved.get(), raw);
    EXPECT_EQ(::close(moved.release()), 0);
  }
  EXPECT_FALSE(FileDescriptor(-1));
}

}  // namespace
}  // namespace atlas
