// A connection as clients use it: one value that owns the stream and the reader of what comes.
//
//   auto cache = TcpStream::connect("127.0.0.1", 6379);
//   cache->write("PING\r\n").value();
//   use(cache->read_line().value());
//
// It is a type of its own because a StreamPtr is what servers hold by the ten thousand and hand to who reads
// it in his own way, while a client wants lines and frames of it, and what a read brought beyond them kept.
// It adds nothing to the two that it owns.
#pragma once

#include <atlas/core/address.hpp>
#include <atlas/core/buffered_reader.hpp>
#include <atlas/core/connect.hpp>
#include <atlas/core/result.hpp>
#include <atlas/core/stream.hpp>
#include <atlas/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace atlas {

/// Of one thread, moved but not copied. One fiber reads and one writes at a time. Closed when destroyed.
class TcpStream {
 public:
  /// Suspends: see atlas::connect.
  [[nodiscard]] static Result<TcpStream> connect(const SocketAddress& address, Deadline deadline = {},
                                                 const ConnectOptions& options = {}) {
    return of(atlas::connect(address, deadline, options));
  }
  /// Suspends: see atlas::connect.
  [[nodiscard]] static Result<TcpStream> connect(std::string_view host, std::uint16_t port,
                                                 Deadline deadline = {}, const ConnectOptions& options = {}) {
    return of(atlas::connect(host, port, deadline, options));
  }
  /// Of any stream that nobody else reads: an accepted one, a unix socket's.
  explicit TcpStream(StreamPtr stream) noexcept : stream_(std::move(stream)), reader_(*stream_) {}

  /// Suspends until the system has taken all of `bytes`: see Stream::write. They are not held back.
  Result<void> write(std::string_view bytes, Deadline deadline = {}) {
    return stream_->write(bytes, {.deadline = deadline});
  }
  /// Suspends: see BufferedReader::read_line, whose views they are.
  Result<InputView> read_line(std::size_t bytes_max = BufferedReader::line_bytes_max_default,
                              Deadline deadline = {}) {
    return reader_.read_line(bytes_max, deadline);
  }
  /// Suspends: see BufferedReader::read_exactly.
  Result<InputView> read_exactly(std::size_t count, Deadline deadline = {}) {
    return reader_.read_exactly(count, deadline);
  }

  /// For all other ways of reading.
  [[nodiscard]] BufferedReader& reader() noexcept { return reader_; }
  /// For all but reading.
  [[nodiscard]] Stream& stream() noexcept { return *stream_; }

 private:
  static Result<TcpStream> of(Result<StreamPtr> connected) {
    if (!connected) return Unexpected(connected.error());
    return TcpStream(*std::move(connected));
  }

  StreamPtr stream_;
  BufferedReader reader_;
};

}  // namespace atlas
