#include "support/simulated_link.hpp"

#include "support/simulated_loop.hpp"
#include "support/simulated_world.hpp"

#include <atlas/core/assert.hpp>
#include <atlas/core/inbox.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace atlas::testing {

class SimulatedStream final : public Stream {
 public:
  SimulatedStream(std::shared_ptr<SimulatedLink> link, std::size_t end, Scheduler& scheduler)
      : link_(std::move(link)), end_(end), chunks_(scheduler.chunks()), inbox_(scheduler.inbox()) {}

  Result<std::size_t> try_write(std::span<const std::string_view> pieces) override;
  [[nodiscard]] std::size_t unsent_bytes() const noexcept override { return link_->unsent_bytes(end_); }
  Result<void> shutdown_write() override;
  [[nodiscard]] SocketAddress peer_address() const override { return link_->address(1 - end_); }
  [[nodiscard]] SocketAddress local_address() const override { return link_->address(end_); }

  // For the link:
  [[nodiscard]] bool paused() const noexcept { return input_paused_; }
  /// How much of `bytes` a delivery can take, and takes.
  std::size_t copy_in(std::string_view bytes);
  void tell_received(std::size_t count) { received(count); }
  void tell_ended(std::error_code error) { input_ended_with(error); }
  void tell_written(std::error_code error) { written(error); }

 private:
  struct Freer {
    void operator()(SimulatedStream* stream) const noexcept { delete stream; }
  };
  ~SimulatedStream() override = default;

  void pause_input() noexcept override { input_paused_ = true; }
  void resume_input() noexcept override {
    input_paused_ = false;
    link_->resume(end_);
  }
  void submit(std::span<const std::string_view> pieces) override { link_->submit(end_, pieces); }
  void cut() noexcept override { link_->close(end_); }
  void destroy() noexcept override;

  std::shared_ptr<SimulatedLink> link_;
  const std::size_t end_;
  ChunkPool& chunks_;
  std::shared_ptr<Inbox> inbox_;
  bool input_paused_ = false;
};

Result<std::size_t> SimulatedStream::try_write(std::span<const std::string_view> pieces) {
  ATLAS_ASSERT(pieces.size() <= pieces_max, "too many pieces in one write");
  if (aborted()) return Unexpected(std::errc::broken_pipe);
  if (writing()) return std::size_t{0};
  if (const auto error = link_->write_error(end_)) return Unexpected(error);
  std::size_t taken = 0;
  for (const auto piece : pieces) {
    const std::size_t count = link_->take(end_, piece);
    taken += count;
    if (count < piece.size()) break;
  }
  return taken;
}

Result<void> SimulatedStream::shutdown_write() {
  if (aborted()) return Unexpected(std::errc::broken_pipe);
  if (writing()) return Unexpected(std::errc::operation_in_progress);
  if (const auto error = link_->write_error(end_)) return Unexpected(error);
  link_->finish(end_);
  return {};
}

std::size_t SimulatedStream::copy_in(std::string_view bytes) {
  const std::span<char> room = receive_room(chunks_);
  const std::size_t count = std::min(bytes.size(), room.size());
  std::memcpy(room.data(), bytes.data(), count);
  return count;
}

// Freed from the loop's stack, as with libuv: a fiber may still be on its way out of a call.
void SimulatedStream::destroy() noexcept {
  set_input_observer(nullptr);
  drop_input();
  abort();
  --link_->network().totals_.streams_open;
  inbox_->post([owned = std::unique_ptr<SimulatedStream, Freer>(this)] {});
}

StreamPtr open_end(std::shared_ptr<SimulatedLink> link, std::size_t end) {
  auto& loop = SimulatedLoop::current();
  auto* stream = new SimulatedStream(link, end, loop.scheduler());
  link->attach(end, *stream, loop);
  return StreamPtr(stream);
}

SimulatedLink::~SimulatedLink() {
  for (const std::size_t end : {client, server}) lose_what_comes_to(end);
}

void SimulatedLink::attach(std::size_t end, SimulatedStream& stream, SimulatedLoop& loop) {
  ++network_.totals_.streams_open;
  ends_[end].stream = &stream;
  ends_[end].loop = &loop;
  plan_delivery(end);
}

// On the end's loop; before it has one, on whichever runs, where nothing but the link is touched.
template <class What>
void SimulatedLink::plan_at(std::size_t end, TimePoint when, What what) {
  auto* loop = ends_[end].loop;
  if (loop == nullptr && Scheduler::current() != nullptr) loop = &SimulatedLoop::current();
  if (loop == nullptr) return;
  loop->plan(when, [link = shared_from_this(), what = std::move(what)] { what(*link); });
}

template <class What>
void SimulatedLink::plan(std::size_t end, Duration delay, What what) {
  plan_at(end, network_.world_.now() + delay, std::move(what));
}

std::error_code SimulatedLink::write_error(std::size_t end) const noexcept {
  const bool over = ends_[end].broken || ends_[end].closed || ways_[end].finished;
  return over ? std::make_error_code(std::errc::broken_pipe) : std::error_code();
}

std::size_t SimulatedLink::pieced(std::size_t bytes, unsigned odds) {
  auto& random = network_.world_.random();
  return bytes > 1 && random.per_mille(odds) ? random.between(1, bytes - 1) : bytes;
}

std::size_t SimulatedLink::take(std::size_t end, std::string_view bytes) {
  Way& way = ways_[end];
  const auto& weather = network_.weather_;
  const std::size_t room = weather.window_bytes - std::min(weather.window_bytes, way.outstanding_bytes);
  const std::size_t count = pieced(std::min(bytes.size(), room), weather.partial_writes);
  if (count == 0) return 0;
  way.outstanding_bytes += count;
  network_.totals_.bytes_written += count;
  send(end, std::string(bytes.substr(0, count)));
  if (network_.world_.random().per_mille(weather.resets)) {
    send_reset(end);
    send_reset(other(end));
  }
  return count;
}

void SimulatedLink::submit(std::size_t end, std::span<const std::string_view> pieces) {
  Way& way = ways_[end];
  std::ranges::copy(pieces, way.submitted.begin());
  way.submitted_first = 0;
  way.submitted_count = pieces.size();
  way.submitting = true;
  plan(end, Duration::zero(), [end](SimulatedLink& link) { link.absorb_submitted(end); });
}

std::size_t SimulatedLink::unsent_bytes(std::size_t end) const noexcept {
  const Way& way = ways_[end];
  std::size_t bytes = 0;
  for (std::size_t i = way.submitted_first; i < way.submitted_count; ++i) bytes += way.submitted[i].size();
  return bytes;
}

// What is left has room when the reader has read: see `deliver`.
void SimulatedLink::absorb_submitted(std::size_t end) {
  Way& way = ways_[end];
  if (!way.submitting || ends_[end].closed) return;
  if (const auto error = write_error(end)) return tell_written(end, error);
  while (way.submitted_first < way.submitted_count) {
    auto& piece = way.submitted[way.submitted_first];
    const std::size_t count = take(end, piece);
    piece.remove_prefix(count);
    if (piece.empty()) {
      ++way.submitted_first;
    } else if (count > 0) {
      return plan(end, Duration::zero(), [end](SimulatedLink& link) { link.absorb_submitted(end); });
    } else {
      return;
    }
  }
  tell_written(end, {});
}

void SimulatedLink::tell_written(std::size_t end, std::error_code error) {
  Way& way = ways_[end];
  way.submitting = false;
  way.submitted_first = way.submitted_count = 0;
  ends_[end].stream->tell_written(error);
}

void SimulatedLink::finish(std::size_t end) {
  if (!std::exchange(ways_[end].finished, true)) send(end, {});
}

void SimulatedLink::send(std::size_t end, std::string segment) {
  Way& way = ways_[end];
  way.in_transit.push_back(std::move(segment));
  way.last_arrival = std::max(way.last_arrival, network_.world_.now() + network_.latency());
  plan_at(other(end), way.last_arrival, [to = other(end)](SimulatedLink& link) { link.arrive(to); });
}

void SimulatedLink::arrive(std::size_t end) {
  Way& way = ways_[other(end)];
  if (way.in_transit.empty()) return;  // a reset was faster
  const std::string segment = std::move(way.in_transit.front());
  way.in_transit.pop_front();
  if (ends_[end].closed || ends_[end].broken) {
    lose(segment.size());
    if (!segment.empty()) send_reset(other(end));
    return;
  }
  if (segment.empty()) way.end_arrived = true;
  way.arrived.append(segment);
  plan_delivery(end);
}

void SimulatedLink::plan_delivery(std::size_t end) {
  if (ends_[end].stream == nullptr || std::exchange(ways_[other(end)].delivery_planned, true)) return;
  plan(end, Duration::zero(), [end](SimulatedLink& link) { link.deliver(end); });
}

// Whatever is told here may run fibers that close or destroy either stream: nothing is kept across.
void SimulatedLink::deliver(std::size_t end) {
  Way& way = ways_[other(end)];
  way.delivery_planned = false;
  SimulatedStream* stream = ends_[end].stream;
  if (stream == nullptr || stream->paused() || way.end_told) return;
  if (!way.arrived.empty()) {
    const std::size_t wanted = pieced(way.arrived.size(), network_.weather_.partial_reads);
    const std::size_t count = stream->copy_in(way.arrived.view().substr(0, wanted));
    way.arrived.consume(count);
    way.outstanding_bytes -= count;
    network_.totals_.bytes_delivered += count;
    plan(other(end), network_.latency(),
         [to = other(end)](SimulatedLink& link) { link.absorb_submitted(to); });
    if (!way.arrived.empty() || way.end_arrived) plan_delivery(end);
    return stream->tell_received(count);
  }
  if (!way.end_arrived && !ends_[end].broken) return;
  way.end_told = true;
  stream->tell_ended(ends_[end].broken ? std::make_error_code(std::errc::connection_reset)
                                       : std::error_code());
}

void SimulatedLink::resume(std::size_t end) { plan_delivery(end); }

// An end that is closed over bytes that nobody has read resets the connection, as TCP does (RFC 2525 §2.17).
void SimulatedLink::close(std::size_t end) noexcept {
  if (std::exchange(ends_[end].closed, true)) return;
  const bool unread = !ways_[other(end)].arrived.empty();
  lose(ways_[other(end)].arrived.size());
  ways_[other(end)].arrived.clear();
  ways_[end].submitting = false;
  ways_[end].submitted_first = ways_[end].submitted_count = 0;
  ends_[end].stream = nullptr;
  ends_[end].loop = nullptr;
  if (ends_[end].broken) return;
  unread ? send_reset(other(end)) : finish(end);
}

void SimulatedLink::send_reset(std::size_t to) {
  ++network_.totals_.resets;
  plan(to, network_.latency(), [to](SimulatedLink& link) { link.reset(to); });
}

void SimulatedLink::reset(std::size_t end) {
  if (ends_[end].closed || std::exchange(ends_[end].broken, true)) return;
  lose_what_comes_to(end);
  plan_delivery(end);
  plan(end, Duration::zero(), [end](SimulatedLink& link) { link.absorb_submitted(end); });
}

void SimulatedLink::lose(std::size_t bytes) noexcept { network_.totals_.bytes_lost += bytes; }

void SimulatedLink::lose_what_comes_to(std::size_t end) noexcept {
  Way& way = ways_[other(end)];
  lose(way.arrived.size());
  way.arrived.clear();
  for (const auto& segment : way.in_transit) lose(segment.size());
  way.in_transit.clear();
}

}  // namespace atlas::testing
