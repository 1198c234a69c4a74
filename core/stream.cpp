#include <atlas/core/stream.hpp>

#include <atlas/core/assert.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace atlas {
namespace {

/// The pieces of a write that are still to go.
class Rest {
 public:
  explicit Rest(std::span<const std::string_view> pieces) : count_(pieces.size()) {
    ATLAS_ASSERT(pieces.size() <= Stream::pieces_max, "too many pieces in one write");
    std::copy(pieces.begin(), pieces.end(), pieces_.begin());
  }

  [[nodiscard]] std::span<const std::string_view> pieces() const {
    return {pieces_.data() + first_, count_ - first_};
  }

  void consume(std::size_t bytes) {
    while (first_ < count_ && bytes >= pieces_[first_].size()) bytes -= pieces_[first_++].size();
    if (first_ < count_) pieces_[first_].remove_prefix(bytes);
  }

 private:
  std::array<std::string_view, Stream::pieces_max> pieces_;
  std::size_t first_ = 0;
  std::size_t count_;
};

/// A trickle of small packets fills the last buffer up before another is begun, or the input paused.
bool takes_more(Chunk& chunk) {
  constexpr std::size_t worthwhile_bytes = 4096;
  return chunk.room().size() >= worthwhile_bytes;
}

}  // namespace

Result<std::size_t> Stream::read_some(std::span<char> into, Deadline deadline) {
  if (auto ready = wait_for_input(deadline); !ready) return Unexpected(ready.error());
  if (queued_ == 0) return std::size_t{0};
  Chunk& first = queue_[0];
  const std::size_t count = std::min(into.size(), first.bytes().size());
  std::memcpy(into.data(), first.bytes().data(), count);
  first.consume(count);
  if (first.empty()) auto finished = read_chunk();  // drops the emptied buffer
  return count;
}

Result<Chunk> Stream::read_chunk(Deadline deadline) {
  if (auto ready = wait_for_input(deadline); !ready) return Unexpected(ready.error());
  if (queued_ == 0) return Chunk();
  Chunk first = std::move(queue_[0]);
  std::move(queue_.begin() + 1, queue_.begin() + queued_, queue_.begin());
  --queued_;
  if (std::exchange(paused_, false) && !ended_ && !aborted_) resume_input();
  return first;
}

Result<void> Stream::wait_for_input(Deadline deadline) {
  if (queued_ > 0) return {};
  if (!ended_ && !aborted_) {
    Wait wait({"read", this});
    reader_ = wait.waker();
    const auto outcome = wait.park(deadline);
    if (!outcome.woken()) return Unexpected(outcome.error());
  }
  if (queued_ > 0) return {};
  if (end_error_) return Unexpected(end_error_);
  return {};
}

std::span<char> Stream::receive_room(ChunkPool& pool) {
  if (queued_ > 0 && takes_more(queue_[queued_ - 1])) return queue_[queued_ - 1].room();
  queue_[queued_] = pool.take();
  return queue_[queued_].room();
}

void Stream::received(std::size_t count) {
  if (has_new_buffer()) ++queued_;
  Chunk& last = queue_[queued_ - 1];
  last.filled(count);
  if (queued_ == 1) last.fit();  // a second one keeps its room, for a trickle
  if ((queued_ == read_ahead_chunks_max && !takes_more(last)) || last.is_scarce()) {
    paused_ = true;
    pause_input();
  }
  input_arrived();
}

void Stream::receive_cancelled() noexcept {
  if (has_new_buffer()) queue_[queued_] = {};
}

void Stream::input_ended_with(std::error_code error) {
  receive_cancelled();
  if (std::exchange(ended_, true)) return;
  end_error_ = error;
  input_arrived();
}

void Stream::input_arrived() {
  if (reader_.wake()) return;
  if (input_observer_ != nullptr) input_observer_->on_input();
}

Result<void> Stream::write(std::span<const std::string_view> pieces, const WriteLimits& limits) {
  ATLAS_ASSERT(!writing_, "two writes at once on one stream");
  auto outcome = finish_write(pieces, limits);
  if (!outcome) abort();
  return outcome;
}

Result<void> Stream::finish_write(std::span<const std::string_view> pieces, const WriteLimits& limits) {
  auto taken = try_write(pieces);
  if (!taken) return Unexpected(taken.error());
  Rest rest(pieces);
  rest.consume(*taken);
  if (rest.pieces().empty()) return {};
  writing_ = true;
  submit(rest.pieces());
  if (aborted_) return Unexpected(std::errc::connection_aborted);
  return wait_written(limits);
}

Result<void> Stream::wait_written(const WriteLimits& limits) {
  Wait wait({"write", this});
  writer_ = wait.waker();
  for (;;) {
    const std::size_t unsent_before = unsent_bytes();
    const auto outcome = wait.park(earlier(limits.deadline, Deadline::after(limits.stall_max)));
    if (outcome.woken()) {
      if (outcome.value == 0) return {};
      return Unexpected(std::error_code(static_cast<int>(outcome.value), std::system_category()));
    }
    const bool stalled = unsent_before - unsent_bytes() < limits.stall_bytes;
    const bool overdue = limits.deadline.when() <= Deadline::after(Duration::zero()).when();
    if (outcome.status == WaitStatus::timed_out && !stalled && !overdue) continue;
    return Unexpected(outcome.error());
  }
}

void Stream::write_in_background(std::string_view bytes, WriteObserver& observer) {
  ATLAS_ASSERT(!writing_, "two writes at once on one stream");
  writing_ = true;
  write_observer_ = &observer;
  submit({&bytes, 1});
}

void Stream::written(std::error_code error) {
  writing_ = false;
  if (auto* observer = std::exchange(write_observer_, nullptr)) return observer->on_written(error);
  writer_.wake(error.value());
}

void Stream::abort() noexcept {
  if (std::exchange(aborted_, true)) return;
  cut();
  writing_ = false;
  write_observer_ = nullptr;
  receive_cancelled();
  if (!std::exchange(ended_, true)) end_error_ = std::make_error_code(std::errc::connection_aborted);
  reader_.wake_queued();
  writer_.wake_queued(ECONNABORTED);
}

void Stream::reset() noexcept {
  if (aborted_) return;
  prepare_reset();
  abort();
}

StreamHandle Stream::handle() {
  if (handle_slot_ == nullptr) handle_slot_ = std::make_shared<Stream*>(this);
  return StreamHandle(LoopHandle::current(), handle_slot_);
}

}  // namespace atlas
