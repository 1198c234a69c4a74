// The seam between a connection and the bytes it speaks in: a TCP or unix socket in a server, memory
// in tests. Reading goes on underneath, bounded, whether or not somebody waits for bytes, so that a peer
// that leaves is noticed at once.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/chunk.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream_handle.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/wait.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace atlas {

/// How long a write may take.
struct WriteLimits {
  Deadline deadline;                     ///< For the whole of it.
  Duration stall_max = Duration::max();  ///< Without the peer taking `stall_bytes`, or all that is left.
  std::size_t stall_bytes = 1;           ///< More than none makes a least rate of it.
};

/// Told of input that arrives while no fiber waits for it (data, the end, or an error). Runs on the
/// loop's stack and must not suspend; it may start a fiber.
class InputObserver {
 public:
  virtual void on_input() = 0;

 protected:
  ~InputObserver() = default;
};

/// Told when a write in the background has ended. Runs on the loop's stack and must not suspend.
class WriteObserver {
 public:
  virtual void on_written(std::error_code error) = 0;

 protected:
  ~WriteObserver() = default;
};

/// A connection's two directions. Of one thread. One fiber reads and one writes at a time (they may
/// be two).
class Stream {
 public:
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Suspends until bytes have arrived; how many were copied to `into`. 0 at the end of the stream.
  Result<std::size_t> read_some(std::span<char> into, Deadline deadline = {});
  /// Suspends until bytes have arrived, and hands over the buffer they lie in. Empty at the end of the
  /// stream.
  Result<Chunk> read_chunk(Deadline deadline = {});
  /// Whether a read would return without suspending.
  [[nodiscard]] bool input_ready() const noexcept { return queued_ > 0 || ended_; }
  /// Whether the peer has closed its direction, or the connection has failed. Bytes may still be unread.
  [[nodiscard]] bool input_ended() const noexcept { return ended_; }
  /// What ended the input; none when it is open, or was closed in good order.
  [[nodiscard]] std::error_code input_error() const noexcept { return end_error_; }
  /// `observer` must outlive the stream, or be replaced. Null: nobody.
  void set_input_observer(InputObserver* observer) noexcept { input_observer_ = observer; }

  /// Suspends until the system has taken all of `pieces` (16 at most), which must live until then. After
  /// an error, also by a deadline or cancellation, the stream is aborted: the peer may have got a part.
  Result<void> write(std::span<const std::string_view> pieces, const WriteLimits& limits = {});
  Result<void> write(std::string_view bytes, const WriteLimits& limits = {}) {
    return write({&bytes, 1}, limits);
  }
  /// Writes what the system takes at once; how many bytes that was, 0 when it takes none.
  virtual Result<std::size_t> try_write(std::span<const std::string_view> pieces) = 0;
  /// As `try_write`, of bytes that more will follow at once: the system may hold them back until then.
  virtual Result<std::size_t> try_write_more(std::string_view bytes) { return try_write({&bytes, 1}); }
  /// Writes all of `bytes` while the caller goes on; they must live until `observer` was told. One at a
  /// time, and none while a fiber is in `write`.
  void write_in_background(std::string_view bytes, WriteObserver& observer);
  /// Whether a write is under way, in the background or by a fiber.
  [[nodiscard]] bool writing() const noexcept { return writing_; }
  /// Bytes that were written and not taken yet by the peer's system, as far as ours can tell; those of the
  /// write under way among them.
  [[nodiscard]] virtual std::size_t unsent_bytes() const noexcept = 0;

  /// Closes our direction: the peer reads an end of stream after all that was written. Not during a
  /// write (operation_in_progress).
  virtual Result<void> shutdown_write() = 0;
  /// Cuts the connection in both directions. Waits end with an error; observers are not told.
  void abort() noexcept;
  /// As `abort`, and the peer's reads end with an error (connection_reset), where they would come to an end
  /// in good order: what it has got is not all there was. Unsent bytes may be lost. Not told apart by pipes.
  void reset() noexcept;
  [[nodiscard]] bool aborted() const noexcept { return aborted_; }

  [[nodiscard]] virtual SocketAddress peer_address() const = 0;
  [[nodiscard]] virtual SocketAddress local_address() const = 0;

  /// The system's descriptor, for `send_file`; -1 when there is none, or no longer. It stays the stream's.
  [[nodiscard]] virtual int descriptor() const noexcept { return -1; }
  /// For other threads.
  [[nodiscard]] StreamHandle handle();

  static constexpr std::size_t pieces_max = 16;

 protected:
  Stream() = default;
  virtual ~Stream() = default;

  /// Where the transport puts the next bytes; then it calls `received`, or `receive_cancelled`, before
  /// anything else happens to the stream.
  std::span<char> receive_room(ChunkPool& pool);
  void received(std::size_t count);
  void receive_cancelled() noexcept;
  void input_ended_with(std::error_code error);
  /// Gives the buffers of unread bytes back: nobody will read them.
  void drop_input() noexcept { queue_ = {}, queued_ = 0; }
  /// The write that `submit` began has ended.
  void written(std::error_code error);

 private:
  virtual void pause_input() noexcept = 0;
  virtual void resume_input() noexcept = 0;
  /// Begins to write `pieces` and calls `written` later, from the loop's stack; or aborts at once.
  virtual void submit(std::span<const std::string_view> pieces) = 0;
  /// Has the `cut` that follows break the connection.
  virtual void prepare_reset() noexcept {}
  /// After it, the transport calls none of the protected functions.
  virtual void cut() noexcept = 0;
  /// For StreamPtr: closes the stream and frees it once the system is done with it.
  virtual void destroy() noexcept = 0;

  Result<void> wait_for_input(Deadline deadline);
  Result<void> finish_write(std::span<const std::string_view> pieces, const WriteLimits& limits);
  Result<void> wait_written(const WriteLimits& limits);
  void input_arrived();
  [[nodiscard]] bool has_new_buffer() const noexcept {
    return queued_ < read_ahead_chunks_max && static_cast<bool>(queue_[queued_]);
  }

  static constexpr std::size_t read_ahead_chunks_max = 2;

  friend struct StreamCloser;

  // The first `queued_` hold unread bytes; the next one is a buffer only while the transport has it.
  std::array<Chunk, read_ahead_chunks_max> queue_;
  InputObserver* input_observer_ = nullptr;
  WriteObserver* write_observer_ = nullptr;
  Waker reader_;
  Waker writer_;
  std::error_code end_error_;
  std::uint8_t queued_ = 0;
  bool paused_ = false;
  bool ended_ = false;
  bool writing_ = false;
  bool aborted_ = false;
  std::shared_ptr<Stream*> handle_slot_;  // none before somebody asks for a handle
};

struct StreamCloser {
  void operator()(Stream* stream) const noexcept {
    if (stream->handle_slot_ != nullptr) *stream->handle_slot_ = nullptr;
    stream->destroy();
  }
};
using StreamPtr = std::unique_ptr<Stream, StreamCloser>;

}  // namespace atlas
