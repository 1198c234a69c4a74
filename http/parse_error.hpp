// Why a message was refused.
#pragma once

#include <string_view>

namespace atlas::http {

struct ParseError {
  int status = 0;           // what to answer: 400, 413, 414, 431, 501 or 505; 0 is no error
  std::string_view reason;  // one line for the log; static text

  [[nodiscard]] explicit operator bool() const noexcept { return status != 0; }
};

}  // namespace atlas::http
