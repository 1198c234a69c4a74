#include <atlas/core/memory_stream.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/byte_buffer.hpp>
#include <atlas/core/inbox.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

namespace atlas::testing {

class MemoryStream;

namespace {

/// One way of a connection.
struct Direction {
  MemoryStream* writer = nullptr;  // null: a peer's, or gone
  MemoryStream* reader = nullptr;
  ByteBuffer on_the_way;
  std::array<std::string_view, Stream::pieces_max> submitted;
  std::size_t submitted_first = 0;
  std::size_t submitted_count = 0;
  std::error_code written_error;
  bool writing = false;
  bool written = false;  // and the writer is to be told
  bool closed = false;   // by its writer
  bool reset = false;    // likewise
  bool end_delivered = false;
  bool pump_posted = false;

  // A peer's.
  ByteBuffer received;
  bool read_by_peer = false;
  bool peer_reading = true;
};

}  // namespace

/// Both directions of a connection. Shared by its ends and by what they have posted to the loop.
class MemoryLink : public std::enable_shared_from_this<MemoryLink> {
 public:
  MemoryLink(std::shared_ptr<Inbox> inbox, const MemoryStreamOptions& options)
      : inbox_(std::move(inbox)), capacity_bytes_(options.capacity_bytes) {}

  /// What side 0 writes is `direction(0)`; side 1, `direction(1)`.
  [[nodiscard]] Direction& direction(std::size_t side) noexcept { return directions_[side]; }
  [[nodiscard]] const Direction& direction(std::size_t side) const noexcept { return directions_[side]; }
  [[nodiscard]] bool closed(std::size_t side) const noexcept { return closed_[side]; }

  /// Why `side` cannot write; none when it can.
  [[nodiscard]] std::error_code write_error(std::size_t side) const noexcept;
  /// Takes what fits of `bytes`; how much.
  std::size_t take(std::size_t side, std::string_view bytes);
  void submit(std::size_t side, std::span<const std::string_view> pieces);
  void close_direction(std::size_t side);
  void close(std::size_t side);
  void break_with(std::error_code error);
  /// Lets `side`, a peer, read up to `bytes`.
  void read_as_peer(std::size_t side, std::size_t bytes);
  /// Has the loop move `side`'s bytes on.
  void post_pump(std::size_t side);

 private:
  void pump(std::size_t side);
  void absorb_submitted(std::size_t side);
  void end_write(std::size_t side, std::error_code error);
  void deliver(std::size_t side);

  std::shared_ptr<Inbox> inbox_;
  std::size_t capacity_bytes_;
  std::array<Direction, 2> directions_;
  std::array<bool, 2> closed_{};
  std::error_code broken_;
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(Scheduler& scheduler, std::shared_ptr<MemoryLink> link, std::size_t side,
               MemoryStreamOptions options)
      : inbox_(scheduler.inbox()),
        chunks_(scheduler.chunks()),
        link_(std::move(link)),
        side_(side),
        options_(std::move(options)) {
    link_->direction(side_).writer = this;
    link_->direction(1 - side_).reader = this;
  }

  Result<std::size_t> try_write(std::span<const std::string_view> pieces) override;
  [[nodiscard]] std::size_t unsent_bytes() const noexcept override;
  Result<void> shutdown_write() override;
  [[nodiscard]] SocketAddress peer_address() const override { return options_.peer_address; }
  [[nodiscard]] SocketAddress local_address() const override { return options_.local_address; }
  void destroy() noexcept override;

  // For the link.
  [[nodiscard]] bool paused() const noexcept { return input_paused_; }
  /// Receives the front of `bytes`; returns how much of it before the reader learns of it, which is
  /// when `tell_received` is called.
  std::size_t copy_in(std::string_view bytes);
  void tell_received(std::size_t count) { received(count); }
  void tell_ended(std::error_code error) { input_ended_with(error); }
  void tell_written(std::error_code error) { written(error); }
  /// Whether the delivery that begins now is to fail.
  [[nodiscard]] bool delivery_fails() { return ++delivery_count_ == options_.read_fault.call; }
  [[nodiscard]] std::error_code delivery_error() const { return options_.read_fault.error; }

 private:
  struct Freer {
    void operator()(MemoryStream* stream) const noexcept { delete stream; }
  };

  ~MemoryStream() override = default;
  void pause_input() noexcept override { input_paused_ = true; }
  void resume_input() noexcept override;
  void submit(std::span<const std::string_view> pieces) override { link_->submit(side_, pieces); }
  void prepare_reset() noexcept override { link_->direction(side_).reset = true; }
  void cut() noexcept override { link_->close(side_); }

  std::shared_ptr<Inbox> inbox_;
  ChunkPool& chunks_;
  std::shared_ptr<MemoryLink> link_;
  std::size_t side_;
  MemoryStreamOptions options_;
  std::size_t write_count_ = 0;
  std::size_t delivery_count_ = 0;
  bool input_paused_ = false;
};

std::error_code MemoryLink::write_error(std::size_t side) const noexcept {
  if (broken_) return broken_;
  const bool refused = closed_[1 - side] || directions_[side].closed;
  return refused ? std::make_error_code(std::errc::broken_pipe) : std::error_code();
}

std::size_t MemoryLink::take(std::size_t side, std::string_view bytes) {
  Direction& way = directions_[side];
  if (way.read_by_peer && way.peer_reading) {
    way.received.append(bytes);
    return bytes.size();
  }
  const std::size_t room = capacity_bytes_ - std::min(capacity_bytes_, way.on_the_way.size());
  const std::size_t count = std::min(bytes.size(), room);
  way.on_the_way.append(bytes.substr(0, count));
  if (count > 0 && way.reader != nullptr) post_pump(side);
  return count;
}

void MemoryLink::submit(std::size_t side, std::span<const std::string_view> pieces) {
  Direction& way = directions_[side];
  std::ranges::copy(pieces, way.submitted.begin());
  way.submitted_first = 0;
  way.submitted_count = pieces.size();
  way.writing = true;
  if (const auto error = write_error(side)) return end_write(side, error);
  absorb_submitted(side);
}

void MemoryLink::absorb_submitted(std::size_t side) {
  Direction& way = directions_[side];
  if (!way.writing) return;
  while (way.submitted_first < way.submitted_count) {
    auto& piece = way.submitted[way.submitted_first];
    piece.remove_prefix(take(side, piece));
    if (!piece.empty()) return;
    ++way.submitted_first;
  }
  end_write(side, {});
}

void MemoryLink::end_write(std::size_t side, std::error_code error) {
  Direction& way = directions_[side];
  if (!std::exchange(way.writing, false)) return;
  way.submitted_first = way.submitted_count = 0;
  way.written = true;
  way.written_error = error;
  post_pump(side);
}

void MemoryLink::close_direction(std::size_t side) {
  directions_[side].closed = true;
  post_pump(side);
}

void MemoryLink::close(std::size_t side) {
  closed_[side] = true;
  directions_[side].writer = nullptr;
  directions_[side].writing = directions_[side].written = false;
  directions_[1 - side].reader = nullptr;
  directions_[1 - side].on_the_way.clear();
  close_direction(side);
  end_write(1 - side, std::make_error_code(std::errc::broken_pipe));
}

void MemoryLink::break_with(std::error_code error) {
  broken_ = error;
  for (const std::size_t side : {0U, 1U}) {
    directions_[side].on_the_way.clear();
    end_write(side, error);
    post_pump(side);
  }
}

void MemoryLink::read_as_peer(std::size_t side, std::size_t bytes) {
  Direction& way = directions_[1 - side];
  while (bytes > 0 && !way.on_the_way.empty()) {
    const std::size_t count = std::min(bytes, way.on_the_way.size());
    way.received.append(way.on_the_way.view().substr(0, count));
    way.on_the_way.consume(count);
    bytes -= count;
    absorb_submitted(1 - side);
  }
}

void MemoryLink::post_pump(std::size_t side) {
  if (std::exchange(directions_[side].pump_posted, true)) return;
  inbox_->post([link = shared_from_this(), side] { link->pump(side); });
}

// Whatever is told here may run fibers that close or destroy either stream: nothing is kept across.
void MemoryLink::pump(std::size_t side) {
  Direction& way = directions_[side];
  way.pump_posted = false;
  if (std::exchange(way.written, false) && way.writer != nullptr) way.writer->tell_written(way.written_error);
  deliver(side);
}

void MemoryLink::deliver(std::size_t side) {
  Direction& way = directions_[side];
  if (way.reader == nullptr || way.reader->paused() || way.end_delivered) return;
  if (!broken_ && !way.on_the_way.empty()) {
    if (way.reader->delivery_fails()) return break_with(way.reader->delivery_error());
    const std::size_t count = way.reader->copy_in(way.on_the_way.view());
    way.on_the_way.consume(count);
    absorb_submitted(side);
    if (!way.on_the_way.empty() || way.closed) post_pump(side);
    return way.reader->tell_received(count);
  }
  if (!broken_ && !way.closed) return;
  way.end_delivered = true;
  way.reader->tell_ended(broken_);
}

Result<std::size_t> MemoryStream::try_write(std::span<const std::string_view> pieces) {
  ATLAS_ASSERT(pieces.size() <= pieces_max, "too many pieces in one write");
  if (aborted()) return Unexpected(std::errc::broken_pipe);
  if (++write_count_ == options_.write_fault.call) link_->break_with(options_.write_fault.error);
  if (const auto error = link_->write_error(side_)) return Unexpected(error);
  std::size_t taken = 0;
  if (writing()) return taken;
  for (const auto piece : pieces) {
    const std::size_t count = link_->take(side_, piece);
    taken += count;
    if (count < piece.size()) break;
  }
  return taken;
}

std::size_t MemoryStream::unsent_bytes() const noexcept {
  const Direction& way = link_->direction(side_);
  std::size_t bytes = 0;
  for (std::size_t i = way.submitted_first; i < way.submitted_count; ++i) bytes += way.submitted[i].size();
  return bytes;
}

Result<void> MemoryStream::shutdown_write() {
  if (aborted() || link_->write_error(side_)) return Unexpected(std::errc::broken_pipe);
  if (writing()) return Unexpected(std::errc::operation_in_progress);
  link_->close_direction(side_);
  return {};
}

std::size_t MemoryStream::copy_in(std::string_view bytes) {
  const std::span<char> room = receive_room(chunks_);
  const std::size_t count = std::min({bytes.size(), room.size(), options_.delivery_bytes_max});
  std::memcpy(room.data(), bytes.data(), count);
  return count;
}

void MemoryStream::resume_input() noexcept {
  input_paused_ = false;
  link_->post_pump(1 - side_);
}

// Freed from the loop's stack, as with libuv: a fiber may still be on its way out of a call.
void MemoryStream::destroy() noexcept {
  set_input_observer(nullptr);
  drop_input();
  abort();
  inbox_->post([owned = std::unique_ptr<MemoryStream, Freer>(this)] {});
}

void MemoryPeer::send(std::string_view bytes) {
  link_->direction(1).on_the_way.append(bytes);
  link_->post_pump(1);
}

void MemoryPeer::shutdown_write() { link_->close_direction(1); }
void MemoryPeer::close() {
  // Unlike a stream's, a peer's close does not lose what the stream has already written.
  read(std::numeric_limits<std::size_t>::max());
  link_->close(1);
}
void MemoryPeer::reset() { link_->break_with(std::make_error_code(std::errc::connection_reset)); }

void MemoryPeer::stop_reading() { link_->direction(0).peer_reading = false; }
void MemoryPeer::resume_reading() {
  link_->direction(0).peer_reading = true;
  read(std::numeric_limits<std::size_t>::max());
}
void MemoryPeer::read(std::size_t bytes) { link_->read_as_peer(1, bytes); }

std::string_view MemoryPeer::received() const noexcept { return link_->direction(0).received.view(); }
void MemoryPeer::discard_received() noexcept { link_->direction(0).received.clear(); }
bool MemoryPeer::input_ended() const noexcept {
  return link_->direction(0).closed && link_->direction(0).on_the_way.empty();
}
bool MemoryPeer::closed() const noexcept { return link_->closed(0); }
bool MemoryPeer::was_reset() const noexcept { return link_->direction(0).reset; }

std::pair<StreamPtr, MemoryPeer> make_memory_stream(Scheduler& scheduler,
                                                    const MemoryStreamOptions& options) {
  auto link = std::make_shared<MemoryLink>(scheduler.inbox(), options);
  link->direction(0).read_by_peer = true;
  return {StreamPtr(new MemoryStream(scheduler, link, 0, options)), MemoryPeer(link)};
}

std::pair<StreamPtr, StreamPtr> make_memory_pipe(Scheduler& scheduler, const MemoryStreamOptions& options) {
  auto link = std::make_shared<MemoryLink>(scheduler.inbox(), options);
  MemoryStreamOptions second = options;
  second.write_fault = second.read_fault = {};
  std::swap(second.local_address, second.peer_address);
  return {StreamPtr(new MemoryStream(scheduler, link, 0, options)),
          StreamPtr(new MemoryStream(scheduler, link, 1, second))};
}

}  // namespace atlas::testing
