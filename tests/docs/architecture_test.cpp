// The example of docs/architecture.md: pages_test.cpp sees to it that the page shows it as it is here.
#include <atlas/core/memory_stream.hpp>
#include <atlas/core/stream.hpp>
#include "support/manual_driver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;

TEST(ArchitecturePage, AReadLooksAsIfItBlocked) {
  testing::TestLoop loop;
  loop.run([&] {
    auto [stream_pointer, peer] = testing::make_memory_stream(loop.scheduler());
    Stream& stream = *stream_pointer;
    const auto deadline = Deadline::after(1s);
    peer.send("bytes");
    auto chunk = stream.read_chunk(deadline);  // suspends this fiber; the thread goes on with others
    EXPECT_EQ(std::string(chunk->bytes().begin(), chunk->bytes().end()), "bytes");
    EXPECT_EQ(stream.read_chunk(deadline).error(), std::errc::timed_out);
  });
}

}  // namespace
}  // namespace atlas
