// http.response.pathsend and http.response.zerocopysend: files as bodies, in each framing, and all that can
// be wrong with a file.
#include "support/as_nobody.hpp"
#include "support/file_exchange.hpp"
#include "support/temporary_folder.hpp"

#include <atlas/core/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace atlas::asgi {
namespace {

using testing::answer;
using testing::exchange;
using ::testing::HasSubstr;
using testing::make_memory_stream;
using testing::response_of;
using testing::TemporaryFolder;
using testing::write_text;
using namespace std::chrono_literals;

constexpr std::string_view get_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view old_request = "GET / HTTP/1.0\r\n\r\n";
constexpr std::string_view head_request = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";

std::string numbers(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + ' ';
  return text;
}

Application sends_path(const std::string& path, int status = 200, const Headers& headers = {}) {
  return [=](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.status = status, .headers = headers});
    send(HttpResponsePathsend{.path = path});
  };
}

/// Opens `path`, and starts the response.
template <class Rest>
Application with_file(const std::string& path, const Headers& headers, Rest rest) {
  return [=](const Scope&, Receive&, Send& send) {
    const auto file = File::open(path).value();
    send(HttpResponseStart{.headers = headers});
    rest(file, send);
  };
}

/// The text of what `send` throws for the message.
template <class Message>
std::string refusal_of(Send& send, const Message& message) {
  try {
    send(message);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

class HttpFile : public ::testing::Test {
 protected:
  HttpFile() { write_text(path, "0123456789"); }

  TemporaryFolder folder;
  std::string path = folder.file("digits");
};

using HttpPathsend = HttpFile;
using HttpZerocopysend = HttpFile;

TEST_F(HttpFile, ExtensionsAreAnnounced) {
  const auto app = [](const Scope& scope, Receive&, Send& send) {
    const bool both = scope.extensions.contains("http.response.pathsend") &&
                      scope.extensions.contains("http.response.zerocopysend");
    answer(send, both ? "both" : "missing");
  };
  EXPECT_THAT(response_of(app, get_request), HasSubstr("both"));
}

TEST_F(HttpPathsend, DeclaresTheFilesLength) {
  EXPECT_EQ(response_of(sends_path(path), get_request),
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789");
  EXPECT_EQ(response_of(sends_path(path), old_request),
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n0123456789");
}

TEST_F(HttpPathsend, KeepsTheConnection) {
  const std::string one = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789";
  EXPECT_EQ(response_of(sends_path(path), std::string(get_request) + std::string(get_request)), one + one);
}

TEST_F(HttpPathsend, SendsLargeFilesWhole) {
  const auto text = numbers(3'000'000);
  write_text(path, text);
  const auto response = response_of(sends_path(path), get_request);
  EXPECT_TRUE(response ==
              "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
}

TEST_F(HttpPathsend, SendsAnEmptyFile) {
  write_text(path, "");
  EXPECT_EQ(response_of(sends_path(path), get_request), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

TEST_F(HttpPathsend, IsChunkedWhenTrailersFollow) {
  const auto app = [&](const Scope&, Receive&, Send& send) {
    send(HttpResponseStart{.trailers = true});
    send(HttpResponsePathsend{.path = path});
    send(HttpResponseTrailers{.headers = {{"x-a", "1"}}});
  };
  EXPECT_EQ(response_of(app, "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nx-a: 1\r\n\r\n");
}

TEST_F(HttpPathsend, ToHeadHasNoBody) {
  EXPECT_EQ(response_of(sends_path(path), head_request), "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n");
}

TEST_F(HttpPathsend, OfStatusesWithoutBodyHasNone) {
  EXPECT_EQ(response_of(sends_path(path, 204), get_request), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(response_of(sends_path(path, 304), get_request), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST_F(HttpPathsend, HoldsToTheContentLengthGiven) {
  EXPECT_EQ(response_of(sends_path(path, 200, {{"content-length", "10"}}), get_request),
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789");
  for (const char* length : {"9", "11"}) {
    const auto result =
        exchange(sends_path(path, 200, {{"content-length", std::string(length)}}), get_request);
    EXPECT_THAT(result.received, HasSubstr("HTTP/1.1 500 ")) << length;
    EXPECT_EQ(result.failures, 1U);
  }
}

TEST_F(HttpPathsend, RefusesWhatCannotBeSentAndTheResponseBeginsAnew) {
  std::filesystem::create_directory(folder.file("sub"));
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  struct Case {
    std::string path;
    std::string text;
  };
  const Case cases[] = {
      {folder.file("missing"), "No such file or directory"},
      {folder.file("sub"), "Is a directory"},
      {folder.file("fifo"), "Operation not permitted"},
      {"/dev/null", "Operation not permitted"},
      {"relative/path", "'http.response.pathsend' has a path that is not absolute, 'relative/path'"},
      {"", "not absolute"},
      {path + '\0' + ".txt", "'http.response.pathsend' of '" + path},  // what() ends at the NUL
  };
  for (const auto& one : cases) {
    std::string text;
    const auto result = exchange(
        [&](const Scope&, Receive&, Send& send) {
          send(HttpResponseStart{});
          text = refusal_of(send, HttpResponsePathsend{.path = one.path});
          answer(send, "instead", 404);
        },
        get_request);
    EXPECT_THAT(text, HasSubstr(one.text));
    EXPECT_EQ(result.received, "HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\ninstead");
    EXPECT_EQ(result.failures, 0U);
  }
}

TEST_F(HttpPathsend, AnUnreadableFileIsRefused) {
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const testing::AsNobody nobody(std::filesystem::path(path).parent_path());
  EXPECT_THAT(response_of(sends_path(path), get_request), HasSubstr("HTTP/1.1 500 "));
}

TEST_F(HttpPathsend, IsNotMixedWithBodies) {
  std::string after_body;
  std::string after_itself;
  response_of(
      [&](const Scope&, Receive&, Send& send) {
        send(HttpResponseStart{});
        send(HttpResponseBody{.body = "one", .more_body = true});
        after_body = refusal_of(send, HttpResponsePathsend{.path = path});
        send(HttpResponseBody{});
      },
      get_request);
  response_of(
      [&](const Scope&, Receive&, Send& send) {
        send(HttpResponseStart{});
        send(HttpResponsePathsend{.path = path});
        after_itself = refusal_of(send, HttpResponseBody{.body = "more"});
      },
      get_request);
  EXPECT_EQ(after_body, "'http.response.pathsend' was sent after 'http.response.body' with more_body");
  EXPECT_EQ(after_itself, "'http.response.body' was sent after the response was complete");
}

// The client is not going to send the body that the next request lies behind.
TEST_F(HttpPathsend, ClosesWhenTheClientStillWaitsForContinue) {
  EXPECT_EQ(response_of(sends_path(path),
                        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n0123456789");
}

TEST_F(HttpPathsend, BeforeTheStartIsRefused) {
  std::string text;
  response_of(
      [&](const Scope&, Receive&, Send& send) {
        text = refusal_of(send, HttpResponsePathsend{.path = path});
        answer(send, "ok");
      },
      get_request);
  EXPECT_EQ(text, "'http.response.pathsend' was sent before 'http.response.start'");
}

TEST_F(HttpZerocopysend, SendsToTheEndFromThePosition) {
  const auto app = with_file(path, {}, [](const File& file, Send& send) {
    static_cast<void>(file.seek(4).value());
    send(HttpResponseZerocopysend{.file = &file, .count = 2, .more_body = true});
    send(HttpResponseZerocopysend{.file = &file});
  });
  EXPECT_EQ(response_of(app, get_request),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n45\r\n4\r\n6789\r\n0\r\n\r\n");
}

TEST_F(HttpZerocopysend, AnOffsetLeavesThePosition) {
  std::uint64_t position = 0;
  const auto app = with_file(path, {}, [&](const File& file, Send& send) {
    static_cast<void>(file.seek(3).value());
    send(HttpResponseZerocopysend{.file = &file, .offset = 8});
    position = file.position().value();
  });
  EXPECT_EQ(response_of(app, get_request), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n89");
  EXPECT_EQ(position, 3U);
}

TEST_F(HttpZerocopysend, MixesWithBodiesInEachFraming) {
  const auto mixed = [](const File& file, Send& send) {
    send(HttpResponseBody{.body = "<", .more_body = true});
    send(HttpResponseZerocopysend{.file = &file, .offset = 2, .count = 3, .more_body = true});
    send(HttpResponseBody{.body = ">"});
  };
  EXPECT_EQ(response_of(with_file(path, {}, mixed), get_request),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n<\r\n3\r\n234\r\n1\r\n>\r\n0\r\n\r\n");
  EXPECT_EQ(response_of(with_file(path, {}, mixed), old_request),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<234>");
  EXPECT_EQ(response_of(with_file(path, {{"content-length", "5"}}, mixed), get_request),
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n<234>");
  EXPECT_EQ(response_of(with_file(path, {}, mixed), head_request),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
}

TEST_F(HttpZerocopysend, LargePiecesKeepTheirFrames) {
  const auto text = numbers(100'000);
  write_text(path, text);
  const auto app = with_file(path, {}, [](const File& file, Send& send) {
    send(HttpResponseZerocopysend{.file = &file, .offset = 0, .count = 65536, .more_body = true});
    send(HttpResponseZerocopysend{.file = &file, .offset = 0, .count = 20000});
  });
  EXPECT_TRUE(response_of(app, get_request) ==
              "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000\r\n" + text.substr(0, 65536) +
                  "\r\n4e20\r\n" + text.substr(0, 20000) + "\r\n0\r\n\r\n");
}

TEST_F(HttpZerocopysend, AnEmptyPieceIsNoChunk) {
  const auto app = with_file(path, {}, [](const File& file, Send& send) {
    send(HttpResponseZerocopysend{.file = &file, .offset = 10, .more_body = true});
    send(HttpResponseZerocopysend{.file = &file, .offset = 99});
  });
  EXPECT_EQ(response_of(app, get_request), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST_F(HttpZerocopysend, RefusesWhatIsNotThere) {
  std::string longer;
  std::string none;
  std::string device;
  const auto app = with_file(path, {}, [&](const File& file, Send& send) {
    longer = refusal_of(send, HttpResponseZerocopysend{.file = &file, .offset = 4, .count = 7});
    none = refusal_of(send, HttpResponseZerocopysend{});
    const auto zero = File::open("/dev/zero").value();
    device = refusal_of(send, HttpResponseZerocopysend{.file = &zero, .count = 5});
    send(HttpResponseBody{.body = "instead"});
  });
  EXPECT_EQ(response_of(app, get_request), "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ninstead");
  EXPECT_EQ(longer, "'http.response.zerocopysend' wants 7 bytes of a file that has 6 from byte 4 on");
  EXPECT_EQ(none, "'http.response.zerocopysend' has no file");
  EXPECT_EQ(device, "'http.response.zerocopysend' has a file that is not a regular one");
}

TEST_F(HttpZerocopysend, MoreThanTheContentLengthIsRefused) {
  std::string text;
  const auto app = with_file(path, {{"content-length", "9"}}, [&](const File& file, Send& send) {
    text = refusal_of(send, HttpResponseZerocopysend{.file = &file, .offset = 0});
    throw std::runtime_error("gives up");
  });
  EXPECT_THAT(response_of(app, get_request), HasSubstr("HTTP/1.1 500 "));
  EXPECT_EQ(text, "'http.response.zerocopysend' makes a body of 10 bytes, but content-length said 9");
}

/// One connection whose client the test drives while the application sends.
class SlowClient {
 public:
  SlowClient(const Application& application, const ServerOptions& options)
      : options_(options),
        application_(application),
        worker_{
            .options = options_, .application = application_, .counters = counters_, .admission = admission_},
        connections_(worker_),
        peer(connect()) {
    peer.stop_reading();
    peer.send(get_request);
  }

  void wait_until_closed() {
    const auto deadline = Deadline::after(20s);
    while (connections_.size() > 0 && !deadline.passed()) this_fiber::yield();
    EXPECT_EQ(connections_.size(), 0U);
  }

 private:
  testing::MemoryPeer connect() {
    auto [stream, far_end] = make_memory_stream(*Scheduler::current());
    connections_.admit({}, std::move(stream), {.id = 1, .server_host = "h"});
    return far_end;
  }

  ServerOptions options_;
  Application application_;
  WorkerCounters counters_;
  Admission admission_{{}};
  WorkerContext worker_;
  HttpConnections connections_;

 public:
  testing::MemoryPeer peer;
};

TEST_F(HttpPathsend, AFileThatShrinksWhileItIsSentCutsTheConnection) {
  write_text(path, numbers(1'000'000));
  std::string text;
  run_event_loop([&] {
    bool under_way = false;
    SlowClient client(
        [&](const Scope&, Receive&, Send& send) {
          send(HttpResponseStart{});
          under_way = true;
          text = refusal_of(send, HttpResponsePathsend{.path = path});
          EXPECT_NE(refusal_of(send, HttpResponseBody{.body = "more"}), "nothing thrown");
        },
        testing::plain_options());
    while (!under_way) this_fiber::yield();
    std::filesystem::resize_file(path, 200'000);
    client.peer.resume_reading();
    client.wait_until_closed();
    EXPECT_LT(client.peer.received().size(), 1'000'000U);
  });
  EXPECT_THAT(text, HasSubstr("became shorter while it was sent"));
}

TEST_F(HttpPathsend, AClientThatLeavesIsADisconnect) {
  write_text(path, numbers(1'000'000));
  bool disconnected = false;
  run_event_loop([&] {
    bool under_way = false;
    SlowClient client(
        [&](const Scope&, Receive&, Send& send) {
          send(HttpResponseStart{});
          under_way = true;
          try {
            send(HttpResponsePathsend{.path = path});
          } catch (const Disconnected&) {
            disconnected = true;
            throw;
          }
        },
        testing::plain_options());
    while (!under_way) this_fiber::yield();
    client.peer.reset();
    client.wait_until_closed();
  });
  EXPECT_TRUE(disconnected);
}

TEST_F(HttpPathsend, AClientThatDoesNotReadIsCutAfterTheWriteTimeout) {
  write_text(path, numbers(1'000'000));
  std::error_code error;
  auto options = testing::plain_options();
  options.timeouts.write = 20ms;
  run_event_loop([&] {
    SlowClient client(
        [&](const Scope&, Receive&, Send& send) {
          send(HttpResponseStart{});
          try {
            send(HttpResponsePathsend{.path = path});
          } catch (const Disconnected& gone) {
            error = gone.code();
            throw;
          }
        },
        options);
    client.wait_until_closed();
  });
  EXPECT_EQ(error, std::errc::timed_out);
}

}  // namespace
}  // namespace atlas::asgi
