// multipart/form-data (RFC 7578, RFC 2046 §5.1), part after part, as it arrives: nothing is gathered but a
// part's own header fields.
#pragma once

#include <atlas/asgi/toolkit/request.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace atlas::asgi {

struct MultipartLimits {
  std::size_t parts_max = 1000;
  std::size_t part_header_bytes_max = std::size_t{8} * 1024;  ///< Of each part.
  std::size_t outside_bytes_max = std::size_t{64} * 1024;     ///< Before the first part and behind the last.
};

/// What a part says of itself.
struct PartHead {
  std::string name;                           ///< The form's field.
  std::optional<std::string> file_name = {};  ///< As the client has sent it: see safe_file_name.
  std::string content_type = "text/plain";
};

/// A file name that can be used in a folder of ours: what follows the last slash or backslash, without
/// control characters and dots at its front; "file" when nothing is left. At most 255 bytes, cut between
/// characters.
[[nodiscard]] std::string safe_file_name(std::string_view name);

/// Reads a request's body. Throws HttpError: 415 for another content-type, 400 for a malformed body, 413 over
/// a limit. A multipart body within a part is that part's content.
class MultipartReader {
 public:
  /// `request` must outlive it; nothing of its body may have been read.
  explicit MultipartReader(Request& request, const MultipartLimits& limits = {});

  /// **Suspends** until the next part begins; what is left of the one before is passed over. None behind the
  /// last.
  [[nodiscard]] std::optional<PartHead> next();
  /// **Suspends** until more of the part's content has come; none at its end. Valid until the next call.
  /// Throws std::logic_error before the first `next`.
  [[nodiscard]] std::optional<std::string_view> read();

 private:
  [[nodiscard]] std::optional<std::string_view> read_content();
  [[nodiscard]] bool fill();
  void drop_consumed();
  void count_outside(std::size_t bytes);
  [[nodiscard]] bool at_end_of_delimiter();
  [[nodiscard]] PartHead read_head();
  [[nodiscard]] std::string_view take_until(std::string_view mark, std::size_t bytes_max);

  Request& request_;
  const MultipartLimits limits_;
  std::string delimiter_;       // CRLF, two dashes and the boundary
  std::string input_ = "\r\n";  // so that the first delimiter is like the others
  std::size_t consumed_ = 0;    // of the input
  std::size_t parts_ = 0;
  std::size_t outside_ = 0;  // bytes of the preamble and the epilogue
  bool in_part_ = true;      // the preamble passes for one
  bool ended_ = false;
};

}  // namespace atlas::asgi
