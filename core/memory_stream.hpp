// Connections in memory: both ends in one loop, or one end driven by the test itself. Bytes travel as
// with libuv: what is written arrives later, from the loop's stack, never inside the writer's call.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/stream.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace atlas::testing {

/// A call that fails, to drive error paths by call 1, 2, 3 …
struct MemoryFault {
  std::size_t call = 0;  ///< Which one, counted from 1; 0: none.
  std::error_code error = std::make_error_code(std::errc::connection_reset);
};

/// How the two directions of a memory connection behave.
struct MemoryStreamOptions {
  /// What a direction holds of bytes written and not yet read: a write beyond it waits.
  std::size_t capacity_bytes = std::size_t{64} * 1024;
  /// A stream receives no more than this at once; each delivery comes on a turn of its own.
  std::size_t delivery_bytes_max = std::numeric_limits<std::size_t>::max();
  /// The stream's own call to `try_write` (or `write`) that breaks the connection.
  MemoryFault write_fault;
  /// The delivery to the stream that is an error instead.
  MemoryFault read_fault;
  SocketAddress local_address;
  SocketAddress peer_address;
};

class MemoryLink;

/// The far end of one MemoryStream, in the hands of a test: no fiber needed, nothing suspends, nothing
/// runs but in the loop's next turn. Copies mean the same end.
class MemoryPeer {
 public:
  explicit MemoryPeer(std::shared_ptr<MemoryLink> link) noexcept : link_(std::move(link)) {}

  /// Sends any amount; not bound by the capacity.
  void send(std::string_view bytes);
  /// Closes our direction only: the stream reads its end after all that was sent.
  void shutdown_write();
  /// Closes both: as `shutdown_write`, and what the stream writes from now on fails (broken_pipe).
  void close();
  /// The stream's reads and writes fail at once (connection_reset); what is on its way is lost.
  void reset();

  /// From now on, writes of the stream fill up the direction's capacity, then wait.
  void stop_reading();
  void resume_reading();
  /// Reads no more than `bytes` of what waits while reading is stopped.
  void read(std::size_t bytes);

  /// All that has arrived and was not discarded. Valid until more arrives.
  [[nodiscard]] std::string_view received() const noexcept;
  /// Forgets what has arrived; its memory stays.
  void discard_received() noexcept;
  /// Whether the stream has closed its direction (or all of it) and everything before that has arrived.
  [[nodiscard]] bool input_ended() const noexcept;
  /// Whether the stream was aborted or destroyed.
  [[nodiscard]] bool closed() const noexcept;
  /// Whether the stream was reset.
  [[nodiscard]] bool was_reset() const noexcept;

 private:
  std::shared_ptr<MemoryLink> link_;
};

/// A stream of `scheduler` and the far end of it. Both may outlive one another, but not the scheduler.
[[nodiscard]] std::pair<StreamPtr, MemoryPeer> make_memory_stream(Scheduler& scheduler,
                                                                  const MemoryStreamOptions& options = {});

/// Two streams of `scheduler`, connected. The faults happen to the first; the second's addresses are
/// the first's, exchanged.
[[nodiscard]] std::pair<StreamPtr, StreamPtr> make_memory_pipe(Scheduler& scheduler,
                                                               const MemoryStreamOptions& options = {});

}  // namespace atlas::testing
