#include <atlas/core/output_buffer.hpp>

#include <atlas/core/assert.hpp>

#include <array>

namespace atlas {

void OutputBuffer::attach(Stream& stream, const WriteLimits& limits) {
  stream_ = &stream;
  limits_ = limits;
  error_ = {};
}

void OutputBuffer::detach() noexcept {
  ATLAS_ASSERT(in_flight_.empty() || stream_->aborted(),
               "an output buffer was left while a write was under way");
  stream_ = nullptr;
  pending_.clear();
  in_flight_.clear();
  pending_.shrink(kept_bytes_max);
  in_flight_.shrink(kept_bytes_max);
}

Result<void> OutputBuffer::flush() {
  flush_without_waiting();
  return wait_for_background();
}

Result<void> OutputBuffer::write_through(std::string_view bytes) {
  if (auto waited = wait_for_background(); !waited) return waited;
  std::array<std::string_view, 2> pieces;
  std::size_t count = 0;
  if (!pending_.empty()) pieces[count++] = pending_.view();
  if (!bytes.empty()) pieces[count++] = bytes;
  if (count == 0) return {};
  const auto written = stream_->write({pieces.data(), count}, limits_);
  pending_.clear();
  return written ? written : fail(written.error());
}

Result<void> OutputBuffer::send_file(const File& file, const FileRange& range) {
  if (auto announced = write_before_more(); !announced) return announced;
  const auto sent = atlas::send_file(*stream_, file, range, limits_);
  if (!sent) return fail(sent.error());
  return *sent == range.bytes ? Result<void>() : fail(std::make_error_code(std::errc::io_error));
}

/// What is pending, which joins what comes next in one packet.
Result<void> OutputBuffer::write_before_more() {
  if (auto waited = wait_for_background(); !waited) return waited;
  if (pending_.empty()) return {};
  const auto taken = stream_->try_write_more(pending_.view());
  if (!taken) return fail(taken.error());
  pending_.consume(*taken);
  return pending_.empty() ? Result<void>() : write_through({});
}

void OutputBuffer::flush_without_waiting() noexcept {
  if (stream_ == nullptr || pending_.empty() || error_ || stream_->writing()) return;
  const std::string_view bytes = pending_.view();
  const auto taken = stream_->try_write({&bytes, 1});
  if (!taken) {
    error_ = taken.error();
    return;
  }
  pending_.consume(*taken);
  if (pending_.empty()) return;
  in_flight_.swap(pending_);
  stream_->write_in_background(in_flight_.view(), *this);
}

void OutputBuffer::on_written(std::error_code error) {
  in_flight_.clear();
  error_ = error;
  if (!error) flush_without_waiting();
  waiter_.wake();
}

Result<void> OutputBuffer::wait_for_background() {
  while (!error_ && !in_flight_.empty()) {
    const std::size_t unsent_before = stream_->unsent_bytes();
    Wait wait({"write", stream_});
    waiter_ = wait.waker();
    const auto outcome = wait.park(Deadline::after(limits_.stall_max));
    const bool progress = outcome.status == WaitStatus::timed_out &&
                          unsent_before - stream_->unsent_bytes() >= limits_.stall_bytes;
    if (!outcome.woken() && !progress) return fail(outcome.error());
  }
  if (error_) return Unexpected(error_);
  return {};
}

Result<void> OutputBuffer::fail(std::error_code error) {
  error_ = error;
  stream_->abort();
  return Unexpected(error);
}

}  // namespace atlas
