// Streams on libuv: TCP and unix sockets, and single ends of pipes, which pass for unix sockets. Internal.
#pragma once

#include <atlas/core/socket.hpp>
#include <atlas/core/stream.hpp>

#include <uv.h>

#include <cstdint>
#include <utility>

namespace atlas::uv {

class UvStream final : public Stream {
 public:
  /// Takes over a connected, non-blocking socket, or an end of a pipe, and starts reading.
  [[nodiscard]] static Result<StreamPtr> open(FileDescriptor fd, const SocketAddress& peer);

  Result<std::size_t> try_write(std::span<const std::string_view> pieces) override;
  Result<std::size_t> try_write_more(std::string_view bytes) override;
  [[nodiscard]] std::size_t unsent_bytes() const noexcept override;
  Result<void> shutdown_write() override;
  [[nodiscard]] SocketAddress peer_address() const override { return peer_; }
  [[nodiscard]] SocketAddress local_address() const override;
  [[nodiscard]] int descriptor() const noexcept override { return aborted() ? -1 : descriptor_; }
  void destroy() noexcept override;

 private:
  UvStream(ChunkPool& chunks, SocketAddress peer) : chunks_(chunks), peer_(std::move(peer)) {}
  ~UvStream() override = default;

  /// What is done when libuv tells of input.
  enum class Input : std::uint8_t {
    open,        ///< It is read.
    full,        ///< Nothing.
    full_still,  ///< Nothing, for the second time.
    stopped,     ///< It does not tell.
  };

  static void on_room(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer);
  static void on_input(uv_stream_t* stream, ssize_t status, const uv_buf_t* buffer);

  [[nodiscard]] Result<std::size_t> taken(ssize_t sent, std::span<const std::string_view> pieces);
  [[nodiscard]] Result<std::size_t> try_write_pipe(std::span<const std::string_view> pieces);
  /// Whether there may be more to read, and room for it.
  [[nodiscard]] bool read_once();
  /// libuv has told of input while there was no room.
  void turned_away() noexcept;
  void pause_input() noexcept override;
  void resume_input() noexcept override;
  void submit(std::span<const std::string_view> pieces) override;
  void prepare_reset() noexcept override;
  void cut() noexcept override;

  [[nodiscard]] uv_stream_t* stream() noexcept { return reinterpret_cast<uv_stream_t*>(&handle_); }
  [[nodiscard]] const uv_stream_t* stream() const noexcept {
    return reinterpret_cast<const uv_stream_t*>(&handle_);
  }
  [[nodiscard]] uv_handle_t* handle() noexcept { return reinterpret_cast<uv_handle_t*>(&handle_); }

  ChunkPool& chunks_;
  SocketAddress peer_;
  int descriptor_ = -1;  // the handle's
  Input input_ = Input::stopped;
  bool destroyed_ = false;
  bool closed_ = false;
  uv_write_t write_;
  union {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_;
};

}  // namespace atlas::uv
