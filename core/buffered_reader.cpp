#include <atlas/core/buffered_reader.hpp>

#include <atlas/core/assert.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace atlas {

/// Where in the unread bytes lies what is read; no total: more bytes are needed.
struct BufferedReader::Extent {
  std::size_t begin = 0;
  std::size_t size = 0;
  std::size_t total = 0;
  bool complete = false;

  static Extent incomplete() noexcept { return {}; }
};

namespace {

/// Whether a delimiter may still begin no later than `bytes_max`, if more bytes follow.
bool may_still_come(std::string_view unread, std::string_view delimiter, std::size_t bytes_max) {
  if (unread.size() <= bytes_max) return true;
  const std::size_t overlap_max = std::min(unread.size(), delimiter.size() - 1);
  for (std::size_t begin = unread.size() - overlap_max; begin <= bytes_max; ++begin) {
    if (delimiter.starts_with(unread.substr(begin))) return true;
  }
  return false;
}

/// Finds a delimiter in bytes that become more from call to call, looking at each of them once.
class DelimiterSearch {
 public:
  explicit DelimiterSearch(std::string_view delimiter) : delimiter_(delimiter) {}

  std::size_t find(std::string_view unread) {
    const std::size_t found = unread.find(delimiter_, begin_);
    if (unread.size() >= delimiter_.size()) begin_ = unread.size() - delimiter_.size() + 1;
    return found;
  }

 private:
  std::string_view delimiter_;
  std::size_t begin_ = 0;
};

std::uint64_t decode_length(std::string_view header, std::endian order) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::size_t at = order == std::endian::big ? i : header.size() - 1 - i;
    length = length << 8 | static_cast<unsigned char>(header[at]);
  }
  return length;
}

}  // namespace

// `measure` says where in the unread bytes lies what the caller wants.
template <class Measure>
Result<InputView> BufferedReader::read(const Measure& measure, Deadline deadline) {
  for (;;) {
    const Result<Extent> extent = measure(buffered());
    if (!extent) return Unexpected(extent.error());
    if (extent->complete) return take(*extent);
    const auto more = wait_for_more(deadline);
    if (!more) return Unexpected(more.error());
    if (!*more) return at_end();
  }
}

Result<InputView> BufferedReader::read_some(std::size_t bytes_max, Deadline deadline) {
  const auto measure = [bytes_max](std::string_view unread) -> Result<Extent> {
    const std::size_t size = std::min(unread.size(), bytes_max);
    return Extent{.size = size, .total = size, .complete = !unread.empty() || bytes_max == 0};
  };
  return read(measure, deadline);
}

Result<InputView> BufferedReader::read_exactly(std::size_t count, Deadline deadline) {
  const auto measure = [count](std::string_view unread) -> Result<Extent> {
    return Extent{.size = count, .total = count, .complete = unread.size() >= count};
  };
  return read(measure, deadline);
}

Result<InputView> BufferedReader::read_until(std::string_view delimiter, std::size_t bytes_max,
                                             Deadline deadline) {
  ATLAS_ASSERT(!delimiter.empty(), "a delimiter has at least one byte");
  DelimiterSearch search(delimiter);
  const auto measure = [&](std::string_view unread) -> Result<Extent> {
    const std::size_t found = search.find(unread);
    if (found <= bytes_max && found != std::string_view::npos) {
      return Extent{.size = found, .total = found + delimiter.size(), .complete = true};
    }
    if (found != std::string_view::npos || !may_still_come(unread, delimiter, bytes_max)) {
      return Unexpected(FramingErrc::too_long);
    }
    return Extent::incomplete();
  };
  return read(measure, deadline);
}

Result<InputView> BufferedReader::read_line(std::size_t bytes_max, Deadline deadline) {
  DelimiterSearch search("\n");
  const auto measure = [&](std::string_view unread) -> Result<Extent> {
    const std::size_t found = search.find(unread);
    std::string_view line = unread.substr(0, found);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > bytes_max) return Unexpected(FramingErrc::too_long);
    if (found == std::string_view::npos) return Extent::incomplete();
    return Extent{.size = line.size(), .total = found + 1, .complete = true};
  };
  return read(measure, deadline);
}

Result<InputView> BufferedReader::read_frame(const FrameFormat& format, Deadline deadline) {
  const std::size_t header_bytes = format.length_bytes;
  ATLAS_ASSERT(header_bytes <= 8 && std::has_single_bit(header_bytes), "a length has 1, 2, 4 or 8 bytes");
  const auto measure = [&](std::string_view unread) -> Result<Extent> {
    if (unread.size() < header_bytes) return Extent::incomplete();
    const std::uint64_t length = decode_length(unread.substr(0, header_bytes), format.order);
    if (length > format.frame_bytes_max) return Unexpected(FramingErrc::too_long);
    if (unread.size() - header_bytes < length) return Extent::incomplete();
    const auto size = static_cast<std::size_t>(length);
    return Extent{.begin = header_bytes, .size = size, .total = header_bytes + size, .complete = true};
  };
  return read(measure, deadline);
}

Result<std::string_view> BufferedReader::read_to_end(std::size_t bytes_max, Deadline deadline) {
  for (;;) {
    const std::string_view unread = buffered();
    if (unread.size() > bytes_max) return Unexpected(FramingErrc::too_long);
    const auto more = wait_for_more(deadline);
    if (!more) return Unexpected(more.error());
    if (*more) continue;
    consume(unread.size());
    return unread;
  }
}

Result<std::string_view> BufferedReader::peek(std::size_t count, Deadline deadline) {
  while (buffered().size() < count) {
    const auto more = wait_for_more(deadline);
    if (!more) return Unexpected(more.error());
    if (!*more) break;
  }
  return buffered().substr(0, count);
}

std::string_view BufferedReader::buffered() noexcept {
  if (!joined_.empty()) return joined_.view();
  const auto bytes = chunk_.bytes();
  return {bytes.data(), bytes.size()};
}

void BufferedReader::consume(std::size_t count) {
  ATLAS_ASSERT(count <= buffered().size(), "more was consumed than is buffered");
  if (joined_.empty()) return chunk_.consume(count);
  joined_.consume(count);
}

// Whether more has come; false at the end of the stream. A reader that waits with nothing unread holds no
// buffer.
Result<bool> BufferedReader::wait_for_more(Deadline deadline) {
  if (buffered().empty()) {
    chunk_ = {};
    joined_.shrink(kept_bytes_max);
  }
  auto chunk = stream_->read_chunk(deadline);
  if (!chunk) return Unexpected(chunk.error());
  const auto bytes = chunk->bytes();
  if (bytes.empty()) return false;
  if (buffered().empty()) {
    chunk_ = *std::move(chunk);
    return true;
  }
  if (joined_.empty()) joined_.append(buffered());
  joined_.append({bytes.data(), bytes.size()});
  chunk_ = {};
  return true;
}

Result<InputView> BufferedReader::take(const Extent& extent) {
  const std::string_view all = buffered();
  consume(extent.total);
  return InputView(all.substr(extent.begin, extent.size));
}

Result<InputView> BufferedReader::at_end() noexcept {
  if (buffered().empty()) return InputView();
  return Unexpected(FramingErrc::unexpected_end);
}

}  // namespace atlas
