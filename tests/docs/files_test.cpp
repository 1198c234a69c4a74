// The examples of docs/files.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/filesystem.hpp>
#include <atlas/core/memory_stream.hpp>
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace atlas {
namespace {

using namespace std::chrono_literals;

std::string greeting(const std::string& path) {
  return read_file(path, 64 * 1024).value();  // file_too_large beyond 64 KiB
}

Result<void> save(const std::string& path, const std::string& settings) {
  return write_file(path, settings, {.mode = 0600});
}

Result<void> append_line(const std::string& path, const std::string& line) {
  auto file = File::open(path, {.append = true, .create = true});
  if (!file) return Unexpected(file.error());
  if (auto written = file->write(line + "\n"); !written) return written;
  return file->sync_data();  // on the disk
}

Result<void> send_whole_file(Stream& client, const std::string& path) {
  const auto file = File::open(path);
  if (!file) return Unexpected(file.error());
  const auto sent = send_file(client, *file, {}, {.stall_max = 30s});
  if (!sent) return Unexpected(sent.error());
  return {};
}

std::uint64_t bytes_in(const std::string& folder) {
  std::uint64_t sum = 0;
  auto directory = Directory::open(folder).value();
  for (const auto& entry : directory) {  // 64 names in memory at a time
    if (entry.kind == FileKind::regular) sum += file_status(folder + '/' + entry.name).value().bytes;
  }
  return sum;
}

TEST(FilesPage, ItsExamplesDoWhatTheySay) {
  run_event_loop([] {
    const testing::TemporaryFolder folder;
    save(folder.file("settings"), "one").value();
    append_line(folder.file("settings"), " and two").value();
    EXPECT_EQ(greeting(folder.file("settings")), "one and two\n");
    EXPECT_EQ(bytes_in(folder.path()), 12U);
    auto [stream, peer] = testing::make_memory_stream(*Scheduler::current());
    send_whole_file(*stream, folder.file("settings")).value();
    this_fiber::yield();
    EXPECT_EQ(peer.received(), "one and two\n");
  });
}

}  // namespace
}  // namespace atlas
