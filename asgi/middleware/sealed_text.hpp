// Texts that only who has the key can have made: signed, or encrypted, and of a time. Internal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

/// Of any thread. Throws std::runtime_error when OpenSSL fails.
class Sealer {
 public:
  /// `purpose` tells apart what is sealed with the same keys for something else. Throws std::invalid_argument
  /// for no key, or one of less than 32 bytes.
  Sealer(const std::vector<std::string>& keys, std::string_view purpose, bool encrypted);

  /// Of letters, digits, "-", "_" and ".".
  [[nodiscard]] std::string seal(std::string_view text, std::int64_t now) const;
  /// Nothing unless it was sealed with one of the keys, no longer than `age_max` ago.
  [[nodiscard]] std::optional<std::string> open(std::string_view sealed, std::int64_t now,
                                                std::chrono::seconds age_max) const;

 private:
  struct Keys {
    std::string signing;
    std::string encrypting;
  };

  [[nodiscard]] std::optional<std::string> open_with(const Keys& keys, std::string_view body,
                                                     std::string_view seal) const;

  std::vector<Keys> keys_;
  bool encrypted_;
};

}  // namespace atlas::asgi
