#include <atlas/asgi/middleware/coders.hpp>

#include <atlas/http/header.hpp>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::size_t step_bytes = std::size_t{16} * 1024;
constexpr int zlib_window_bits = 15;
constexpr int gzip_format = 16;  // added to the window bits

using Buffer = std::array<char, step_bytes>;

[[noreturn]] void fail(const char* library) {
  throw std::runtime_error(std::string(library) + " has failed");
}

Bytef* zlib_bytes(const char* bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes)); }
const std::uint8_t* brotli_bytes(const char* bytes) { return reinterpret_cast<const std::uint8_t*>(bytes); }

class GzipCompressor final : public Compressor {
 public:
  explicit GzipCompressor(int level) {
    if (deflateInit2(&stream_, level, Z_DEFLATED, zlib_window_bits + gzip_format, MAX_MEM_LEVEL - 1,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      fail("zlib");
  }
  ~GzipCompressor() override { deflateEnd(&stream_); }

  void write(std::string_view bytes, Flush flush, std::string& out) override {
    stream_.next_in = zlib_bytes(bytes.data());
    stream_.avail_in = static_cast<uInt>(bytes.size());
    Buffer buffer;
    do {
      stream_.next_out = zlib_bytes(buffer.data());
      stream_.avail_out = buffer.size();
      if (deflate(&stream_, flush == Flush::end ? Z_FINISH : Z_SYNC_FLUSH) == Z_STREAM_ERROR) fail("zlib");
      out.append(buffer.data(), buffer.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
    if (flush == Flush::end) deflateReset(&stream_);
  }

 private:
  z_stream stream_{};
};

class BrotliCompressor final : public Compressor {
 public:
  explicit BrotliCompressor(int quality) : quality_(quality) {}
  ~BrotliCompressor() override { BrotliEncoderDestroyInstance(state_); }

  void write(std::string_view bytes, Flush flush, std::string& out) override {
    if (state_ == nullptr) begin();
    auto left = bytes.size();
    const auto* next = brotli_bytes(bytes.data());
    const auto operation = flush == Flush::end ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH;
    do {
      std::size_t room = 0;
      if (BrotliEncoderCompressStream(state_, operation, &left, &next, &room, nullptr, nullptr) ==
          BROTLI_FALSE)
        fail("brotli");
      std::size_t size = 0;
      const auto* made = BrotliEncoderTakeOutput(state_, &size);
      out.append(reinterpret_cast<const char*>(made), size);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_) == BROTLI_TRUE);
    if (flush == Flush::end) BrotliEncoderDestroyInstance(std::exchange(state_, nullptr));
  }

 private:
  void begin() {
    constexpr std::uint32_t window_bits = 18;  // 256 KiB: what an encoder needs is a few times as much
    state_ = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    if (state_ == nullptr) fail("brotli");
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(quality_));
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, window_bits);
  }

  int quality_;
  BrotliEncoderState* state_ = nullptr;
};

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(int level) : context_(ZSTD_createCCtx()) {
    constexpr int window_bits = 19;  // 512 KiB
    if (context_ == nullptr) fail("zstd");
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, window_bits);
  }
  ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }

  void write(std::string_view bytes, Flush flush, std::string& out) override {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    Buffer buffer;
    for (std::size_t left = 1; left > 0;) {
      ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
      left = ZSTD_compressStream2(context_, &output, &input, flush == Flush::end ? ZSTD_e_end : ZSTD_e_flush);
      if (ZSTD_isError(left) != 0) fail("zstd");
      out.append(buffer.data(), output.pos);
    }
    if (flush == Flush::end) ZSTD_CCtx_reset(context_, ZSTD_reset_session_only);
  }

 private:
  ZSTD_CCtx* context_;
};

/// gzip, whose members may follow one another, and zlib's format, which HTTP calls deflate.
class ZlibDecompressor final : public Decompressor {
 public:
  explicit ZlibDecompressor(bool is_gzip) : is_gzip_(is_gzip) {
    if (inflateInit2(&stream_, zlib_window_bits + (is_gzip ? gzip_format : 0)) != Z_OK) fail("zlib");
  }
  ~ZlibDecompressor() override { inflateEnd(&stream_); }

  void read(std::string_view& bytes, std::size_t bytes_max, std::string& out) override {
    const auto enough = out.size() + bytes_max;
    Buffer buffer;
    while (out.size() < enough) {
      if (complete_ && !begin_next_member(bytes)) return;
      stream_.next_in = zlib_bytes(bytes.data());
      stream_.avail_in = static_cast<uInt>(bytes.size());
      stream_.next_out = zlib_bytes(buffer.data());
      stream_.avail_out = buffer.size();
      const int status = inflate(&stream_, Z_NO_FLUSH);
      bytes.remove_prefix(bytes.size() - stream_.avail_in);
      const auto made = buffer.size() - stream_.avail_out;
      out.append(buffer.data(), made);
      complete_ = status == Z_STREAM_END;
      if (status == Z_BUF_ERROR || (status == Z_OK && made == 0 && bytes.empty())) return;
      if (status != Z_OK && status != Z_STREAM_END) throw BadCoding("the compressed body is malformed");
    }
  }
  [[nodiscard]] bool complete() const noexcept override { return complete_; }

 private:
  [[nodiscard]] bool begin_next_member(std::string_view bytes) {
    if (bytes.empty()) return false;
    if (!is_gzip_) throw BadCoding("the compressed body goes on behind its end");
    inflateReset(&stream_);
    complete_ = false;
    return true;
  }

  bool is_gzip_;
  bool complete_ = false;
  z_stream stream_{};
};

class BrotliDecompressor final : public Decompressor {
 public:
  BrotliDecompressor() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) fail("brotli");
  }
  ~BrotliDecompressor() override { BrotliDecoderDestroyInstance(state_); }

  void read(std::string_view& bytes, std::size_t bytes_max, std::string& out) override {
    const auto enough = out.size() + bytes_max;
    while (out.size() < enough) {
      if (complete_) {
        if (!bytes.empty()) throw BadCoding("the compressed body goes on behind its end");
        return;
      }
      auto left = bytes.size();
      const auto* next = brotli_bytes(bytes.data());
      std::size_t room = 0;
      const auto result = BrotliDecoderDecompressStream(state_, &left, &next, &room, nullptr, nullptr);
      bytes.remove_prefix(bytes.size() - left);
      std::size_t size = enough - out.size();
      const auto* made = BrotliDecoderTakeOutput(state_, &size);
      out.append(reinterpret_cast<const char*>(made), size);
      if (result == BROTLI_DECODER_RESULT_ERROR) throw BadCoding("the compressed body is malformed");
      complete_ = BrotliDecoderIsFinished(state_) == BROTLI_TRUE;
      if (size == 0 && result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return;
    }
  }
  [[nodiscard]] bool complete() const noexcept override { return complete_; }

 private:
  BrotliDecoderState* state_;
  bool complete_ = false;
};

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : context_(ZSTD_createDCtx()) {
    constexpr int window_bits_max = 23;  // 8 MiB, as RFC 8878 §3.1.1.1.2 recommends
    if (context_ == nullptr) fail("zstd");
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, window_bits_max);
  }
  ~ZstdDecompressor() override { ZSTD_freeDCtx(context_); }

  void read(std::string_view& bytes, std::size_t bytes_max, std::string& out) override {
    const auto enough = out.size() + bytes_max;
    Buffer buffer;
    while (out.size() < enough) {
      if (complete_ && bytes.empty()) return;
      ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
      ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
      const auto hint = ZSTD_decompressStream(context_, &output, &input);
      if (ZSTD_isError(hint) != 0) throw BadCoding("the compressed body is malformed");
      bytes.remove_prefix(input.pos);
      out.append(buffer.data(), output.pos);
      complete_ = hint == 0;
      if (!complete_ && bytes.empty() && output.pos < buffer.size()) return;
    }
  }
  [[nodiscard]] bool complete() const noexcept override { return complete_; }

 private:
  ZSTD_DCtx* context_;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_compressor(std::string_view coding, int level) {
  if (coding == "gzip") return std::make_unique<GzipCompressor>(level);
  if (coding == "br") return std::make_unique<BrotliCompressor>(level);
  if (coding == "zstd") return std::make_unique<ZstdCompressor>(level);
  throw std::invalid_argument("'" + std::string(coding) + "' is no coding to compress with");
}

std::unique_ptr<Decompressor> make_decompressor(std::string_view coding) {
  if (http::iequals(coding, "gzip") || http::iequals(coding, "x-gzip"))
    return std::make_unique<ZlibDecompressor>(true);
  if (http::iequals(coding, "deflate")) return std::make_unique<ZlibDecompressor>(false);
  if (http::iequals(coding, "br")) return std::make_unique<BrotliDecompressor>();
  if (http::iequals(coding, "zstd")) return std::make_unique<ZstdDecompressor>();
  return nullptr;
}

}  // namespace atlas::asgi
