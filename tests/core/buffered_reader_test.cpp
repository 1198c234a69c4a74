// Everything is read whole, byte by byte, and split at every offset.
#include <atlas/core/buffered_reader.hpp>

#include <atlas/core/fiber.hpp>
#include <atlas/core/memory_stream.hpp>
#include "support/manual_driver.hpp"
#include "support/workers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace atlas {
namespace {

using namespace std::chrono_literals;
using testing::Caller;
using testing::make_memory_stream;
using testing::MemoryPeer;
using testing::TestLoop;

/// Gives `use` a reader of `input`, which comes in two parts, and then ends.
template <class Use>
void read_split(std::string_view input, std::size_t offset, const Use& use) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&, &stream = stream, &peer = peer] {
    auto sender = spawn("sender", [&] {
      peer.send(input.substr(0, offset));
      this_fiber::sleep_for(1ms).value();
      peer.send(input.substr(offset));
      peer.shutdown_write();
    });
    BufferedReader reader(*stream);
    use(reader);
    sender.join().value();
  });
}

template <class Use>
void read_byte_by_byte(std::string_view input, const Use& use) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler(), {.delivery_bytes_max = 1});
  loop.run([&, &stream = stream, &peer = peer] {
    peer.send(input);
    peer.shutdown_write();
    BufferedReader reader(*stream);
    use(reader);
  });
}

template <class Use>
void read_every_way(std::string_view input, const Use& use) {
  for (std::size_t offset = 0; offset <= input.size(); ++offset) {
    SCOPED_TRACE("split at " + std::to_string(offset));
    read_split(input, offset, use);
  }
  SCOPED_TRACE("byte by byte");
  read_byte_by_byte(input, use);
}

std::string text(const Result<InputView>& read) { return std::string(*read.value()); }

TEST(BufferedReader, LinesEndWithLfOrCrlf) {
  read_every_way("one\r\ntwo\n\n\r\nth\rree\r\r\n", [](BufferedReader& reader) {
    EXPECT_EQ(text(reader.read_line()), "one");
    EXPECT_EQ(text(reader.read_line()), "two");
    EXPECT_EQ(text(reader.read_line()), "");
    EXPECT_EQ(text(reader.read_line()), "");
    EXPECT_EQ(text(reader.read_line()), "th\rree\r");
    EXPECT_FALSE(reader.read_line().value());
    EXPECT_FALSE(reader.read_line().value());
  });
}

TEST(BufferedReader, ALoopOverLinesEndsWithTheStream) {
  read_every_way("a\n\nb\n", [](BufferedReader& reader) {
    std::vector<std::string> lines;
    while (const auto line = reader.read_line().value()) lines.emplace_back(*line);
    EXPECT_EQ(lines, (std::vector<std::string>{"a", "", "b"}));
  });
}

TEST(BufferedReader, ALineMayBeAsLongAsItsLimit) {
  for (const std::string_view end : {"\n", "\r\n"}) {
    read_every_way(std::string("12345").append(end).append("6\n"), [](BufferedReader& reader) {
      EXPECT_EQ(text(reader.read_line(5)), "12345");
      EXPECT_EQ(text(reader.read_line(5)), "6");
    });
  }
}

TEST(BufferedReader, ALineOnePastItsLimitIsAnErrorAndIsNotTaken) {
  for (const std::string_view end : {"\n", "\r\n", "\r", ""}) {
    const std::string input = std::string("123456").append(end);
    read_every_way(input, [&](BufferedReader& reader) {
      EXPECT_EQ(reader.read_line(5).error(), FramingErrc::too_long);
      EXPECT_EQ(reader.read_line(5).error(), FramingErrc::too_long);
      EXPECT_EQ(reader.read_to_end(100).value(), input);
    });
  }
}

TEST(BufferedReader, ATooLongLineIsKnownBeforeItEnds) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedReader reader(*stream);
    peer.send("123456");
    EXPECT_EQ(reader.read_line(5).error(), FramingErrc::too_long);
  });
}

TEST(BufferedReader, ALineWithoutEndTakesBoundedMemory) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedReader reader(*stream);
    peer.send(std::string(10'000'000, 'x'));
    EXPECT_EQ(reader.read_line(100'000).error(), FramingErrc::too_long);
    EXPECT_LE(reader.buffered().size(), 100'000U + 2 * 32 * 1024);
  });
}

TEST(BufferedReader, TheEndInsideALineIsAnErrorAndTheBytesStay) {
  read_every_way("whole\npart", [](BufferedReader& reader) {
    EXPECT_EQ(text(reader.read_line()), "whole");
    EXPECT_EQ(reader.read_line().error(), FramingErrc::unexpected_end);
    EXPECT_EQ(reader.buffered(), "part");
    EXPECT_EQ(text(reader.read_exactly(4)), "part");
    EXPECT_FALSE(reader.read_line().value());
  });
}

TEST(BufferedReader, ReadsUpToADelimiter) {
  read_every_way("a\r\r\n\r\nb\r\n\r\n", [](BufferedReader& reader) {
    EXPECT_EQ(text(reader.read_until("\r\n\r\n", 2)), "a\r");
    EXPECT_EQ(text(reader.read_until("\r\n\r\n", 2)), "b");
    EXPECT_FALSE(reader.read_until("\r\n\r\n", 2).value());
  });
}

TEST(BufferedReader, BytesBeforeADelimiterMayBeAsManyAsTheLimit) {
  read_every_way("1234abab", [](BufferedReader& reader) {
    EXPECT_EQ(text(reader.read_until("abab", 4)), "1234");
    EXPECT_FALSE(reader.read_until("abab", 0).value());
  });
  read_every_way("1234abab", [](BufferedReader& reader) {
    EXPECT_EQ(reader.read_until("abab", 3).error(), FramingErrc::too_long);
    EXPECT_EQ(text(reader.read_exactly(8)), "1234abab");
  });
}

TEST(BufferedReader, ADelimiterThatComesTooLateIsKnownBeforeItComes) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedReader reader(*stream);
    peer.send("12ab");
    EXPECT_EQ(reader.read_until("aba", 1).error(), FramingErrc::too_long);
    EXPECT_EQ(reader.read_until("aba", 2, Deadline::after(1s)).error(), std::errc::timed_out);
    peer.send("a");
    EXPECT_EQ(text(reader.read_until("aba", 2)), "12");
  });
}

TEST(BufferedReader, ReadsNumbersOfBytes) {
  read_every_way("abcdef", [](BufferedReader& reader) {
    EXPECT_EQ(text(reader.read_exactly(0)), "");
    EXPECT_EQ(text(reader.read_exactly(1)), "a");
    EXPECT_EQ(text(reader.read_exactly(4)), "bcde");
    EXPECT_EQ(reader.read_exactly(2).error(), FramingErrc::unexpected_end);
    EXPECT_EQ(text(reader.read_exactly(1)), "f");
    EXPECT_FALSE(reader.read_exactly(1).value());
  });
}

TEST(BufferedReader, PeekTakesNothing) {
  read_every_way("abcdef", [](BufferedReader& reader) {
    EXPECT_EQ(reader.peek(3).value(), "abc");
    EXPECT_EQ(reader.peek(6).value(), "abcdef");
    EXPECT_EQ(reader.peek(7).value(), "abcdef");
    EXPECT_EQ(text(reader.read_exactly(6)), "abcdef");
    EXPECT_EQ(reader.peek(1).value(), "");
  });
}

TEST(BufferedReader, ReadSomeTakesWhatIsThere) {
  read_every_way("abcdef", [](BufferedReader& reader) {
    std::string all;
    while (const auto some = reader.read_some(4).value()) {
      EXPECT_GE(some->size(), 1U);
      EXPECT_LE(some->size(), 4U);
      all += *some;
    }
    EXPECT_EQ(all, "abcdef");
  });
}

TEST(BufferedReader, ReadsToTheEndWithinALimit) {
  read_every_way("abcdef", [](BufferedReader& reader) {
    EXPECT_EQ(reader.read_to_end(5).error(), FramingErrc::too_long);
    EXPECT_EQ(reader.read_to_end(6).value(), "abcdef");
    EXPECT_EQ(reader.read_to_end(6).value(), "");
  });
}

TEST(BufferedReader, BufferedBytesCanBeTakenOver) {
  read_split("GET rest", 8, [](BufferedReader& reader) {
    EXPECT_EQ(text(reader.read_exactly(4)), "GET ");
    EXPECT_EQ(reader.buffered(), "rest");
    reader.consume(2);
    EXPECT_EQ(reader.buffered(), "st");
    EXPECT_EQ(text(reader.read_exactly(2)), "st");
  });
}

struct FrameCase {
  FrameFormat format;
  std::string header_of_3;
};

std::vector<FrameCase> frame_cases() {
  using namespace std::string_literals;
  return {{{.length_bytes = 1}, "\3"s},
          {{.length_bytes = 2}, "\0\3"s},
          {{.length_bytes = 2, .order = std::endian::little}, "\3\0"s},
          {{.length_bytes = 4}, "\0\0\0\3"s},
          {{.length_bytes = 4, .order = std::endian::little}, "\3\0\0\0"s},
          {{.length_bytes = 8}, "\0\0\0\0\0\0\0\3"s},
          {{.length_bytes = 8, .order = std::endian::little}, "\3\0\0\0\0\0\0\0"s}};
}

TEST(BufferedReader, FramesHaveTheirLengthBeforeThem) {
  for (const auto& [format, header] : frame_cases()) {
    const std::string empty(header.size(), '\0');
    read_every_way(header + "abc" + empty + header + "def", [&format = format](BufferedReader& reader) {
      EXPECT_EQ(text(reader.read_frame(format)), "abc");
      EXPECT_EQ(text(reader.read_frame(format)), "");
      EXPECT_EQ(text(reader.read_frame(format)), "def");
      EXPECT_FALSE(reader.read_frame(format).value());
    });
  }
}

TEST(BufferedReader, AFrameMayBeAsLongAsItsLimitAndNoLonger) {
  for (FrameCase each : frame_cases()) {
    const std::string input = each.header_of_3 + "abc";
    each.format.frame_bytes_max = 3;
    read_split(input, 0,
               [&](BufferedReader& reader) { EXPECT_EQ(text(reader.read_frame(each.format)), "abc"); });
    each.format.frame_bytes_max = 2;
    read_split(input, 0, [&](BufferedReader& reader) {
      EXPECT_EQ(reader.read_frame(each.format).error(), FramingErrc::too_long);
      EXPECT_EQ(reader.buffered(), input);
    });
  }
}

TEST(BufferedReader, AHugeLengthIsRefusedByItsHeaderAlone) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedReader reader(*stream);
    peer.send(std::string(8, '\xff'));
    EXPECT_EQ(reader.read_frame({.length_bytes = 8}).error(), FramingErrc::too_long);
  });
}

TEST(BufferedReader, ALengthWhoseBytesNeverComeTakesNoMemory) {
  read_split(std::string("\x7f\xff\xff\xff", 4) + "abc", 4, [](BufferedReader& reader) {
    EXPECT_EQ(reader.read_frame({.frame_bytes_max = 0x7fffffff}).error(), FramingErrc::unexpected_end);
    EXPECT_EQ(reader.buffered().size(), 7U);
  });
}

TEST(BufferedReader, WhatArrivedBeforeADeadlineIsThereForTheNextCall) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedReader reader(*stream);
    for (const char* part : {"on", "e\r"}) {
      peer.send(part);
      EXPECT_EQ(reader.read_line(100, Deadline::after(1s)).error(), std::errc::timed_out);
    }
    peer.send("\ntwo\n");
    EXPECT_EQ(text(reader.read_line()), "one");
    EXPECT_EQ(text(reader.read_line()), "two");
  });
}

TEST(BufferedReader, TheDeadlineIsOfTheWholeCall) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&, &stream = stream, &peer = peer] {
    auto trickle = spawn("trickle", [&] {
      while (this_fiber::sleep_for(400ms)) peer.send("x");
    });
    const auto begin = loop.now();
    BufferedReader reader(*stream);
    EXPECT_EQ(reader.read_line(100, Deadline::after(1s)).error(), std::errc::timed_out);
    EXPECT_EQ(loop.now() - begin, 1s);
    EXPECT_EQ(reader.buffered(), "xx");
  });
}

TEST(BufferedReader, ADeadlineScopeHolds) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream] {
    const DeadlineScope deadline(1s);
    EXPECT_EQ(BufferedReader(*stream).read_exactly(1).error(), std::errc::timed_out);
  });
}

TEST(BufferedReader, ACancelledReadLosesNothing) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedReader reader(*stream);
    std::error_code seen;
    auto reading = spawn("reader", [&] { seen = reader.read_line().error(); });
    peer.send("on");
    this_fiber::sleep_for(1ms).value();
    reading.cancel();
    peer.send("e\n");
    reading.join().value();
    EXPECT_EQ(seen, std::errc::operation_canceled);
    EXPECT_EQ(text(reader.read_line()), "one");
  });
}

TEST(BufferedReader, BytesInTheTurnOfACancellationAreNotLost) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  loop.run([&stream = stream, &peer = peer] {
    BufferedReader reader(*stream);
    peer.send("li");
    for (const int turns : {0, 1, 2, 3}) {
      std::string line;
      Caller caller([&]() -> Result<void> {
        const auto read = reader.read_line();
        if (!read) return Unexpected(read.error());
        line = std::string_view(*read);
        return {};
      });
      peer.send("ne\nli");
      for (int turn = 0; turn < turns; ++turn) this_fiber::yield();
      caller.cancel();
      EXPECT_EQ(caller.error() ? text(reader.read_line()) : line, "line");
    }
  });
}

TEST(BufferedReader, AnErrorOfTheStreamComesAfterWhatCanBeRead) {
  TestLoop loop;
  auto [stream, peer] = make_memory_stream(loop.scheduler());
  peer.send("one\ntw");
  loop.run_until_idle();
  peer.reset();
  loop.run_until_idle();
  loop.run([&stream = stream] {
    BufferedReader reader(*stream);
    EXPECT_EQ(text(reader.read_line()), "one");
    EXPECT_EQ(reader.read_line().error(), std::errc::connection_reset);
    EXPECT_EQ(reader.buffered(), "tw");
  });
}

TEST(BufferedReader, MovesWithWhatItHasRead) {
  read_split("one\ntwo\n", 0, [](BufferedReader& reader) {
    EXPECT_EQ(text(reader.read_line()), "one");
    BufferedReader moved = std::move(reader);
    EXPECT_EQ(text(moved.read_line()), "two");
    reader = std::move(moved);
  });
}

TEST(BufferedReader, MoreThanAChunkIsJoined) {
  std::string long_line(200'000, 'x');
  for (std::size_t i = 0; i < long_line.size(); i += 1000)
    long_line[i] = static_cast<char>('a' + i / 1000 % 26);
  read_split(long_line + "\nnext\n", 1234, [&](BufferedReader& reader) {
    EXPECT_TRUE(text(reader.read_line(200'000)) == long_line);
    EXPECT_EQ(text(reader.read_line()), "next");
  });
}

TEST(BufferedReader, ErrorsSayWhatTheyAre) {
  EXPECT_EQ(make_error_code(FramingErrc::unexpected_end).message(),
            "the stream ended in the middle of a message");
  EXPECT_EQ(make_error_code(FramingErrc::too_long).message(), "a message is longer than its limit");
  EXPECT_EQ(make_error_code(FramingErrc::too_long), std::errc::message_size);
  EXPECT_STREQ(make_error_code(FramingErrc::too_long).category().name(), "atlas.framing");
}

}  // namespace
}  // namespace atlas
