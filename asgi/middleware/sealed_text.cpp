#include <atlas/asgi/middleware/sealed_text.hpp>

#include <atlas/asgi/toolkit/base64.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <memory>
#include <stdexcept>

namespace atlas::asgi {
namespace {

constexpr std::size_t key_bytes_min = 32;
constexpr std::size_t mac_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void require(bool succeeded) {
  if (!succeeded) throw std::runtime_error("OpenSSL has failed");
}

std::string hmac(std::string_view key, std::string_view text) {
  std::string mac(mac_bytes, '\0');
  unsigned size = 0;
  require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
               bytes_of(mac), &size) != nullptr);
  return mac;
}

bool same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

/// Nonce, encrypted text, tag.
std::string encrypt(std::string_view key, std::string_view text) {
  std::string sealed(nonce_bytes + text.size() + tag_bytes, '\0');
  auto* const out = bytes_of(sealed);
  require(RAND_bytes(out, nonce_bytes) == 1);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  require(cipher != nullptr &&
          EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), out) == 1);
  require(EVP_EncryptUpdate(cipher.get(), out + nonce_bytes, &size, bytes_of(text),
                            static_cast<int>(text.size())) == 1);
  require(EVP_EncryptFinal_ex(cipher.get(), out + nonce_bytes + size, &size) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes,
                              out + nonce_bytes + text.size()) == 1);
  return sealed;
}

std::optional<std::string> decrypt(std::string_view key, std::string_view sealed) {
  if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
  std::string tag(sealed.substr(sealed.size() - tag_bytes));
  const auto body = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
  std::string text(body.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  require(cipher != nullptr &&
          EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(sealed)) == 1);
  require(EVP_DecryptUpdate(cipher.get(), bytes_of(text), &size, bytes_of(body),
                            static_cast<int>(body.size())) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), bytes_of(text) + size, &size) != 1) return std::nullopt;
  return text;
}

/// "1764100000:text".
std::optional<std::string> text_in_time(std::string_view dated, std::int64_t now,
                                        std::chrono::seconds age_max) {
  std::int64_t made = 0;
  const auto [stop, error] = std::from_chars(dated.data(), dated.data() + dated.size(), made);
  const auto digits = static_cast<std::size_t>(stop - dated.data());
  if (error != std::errc() || digits == dated.size() || dated[digits] != ':') return std::nullopt;
  if (now - made > age_max.count()) return std::nullopt;
  return std::string(dated.substr(digits + 1));
}

}  // namespace

Sealer::Sealer(const std::vector<std::string>& keys, std::string_view purpose, bool encrypted)
    : encrypted_(encrypted) {
  if (keys.empty()) throw std::invalid_argument("there is no key to sign with");
  for (const auto& key : keys) {
    if (key.size() < key_bytes_min) throw std::invalid_argument("a key has less than 32 bytes");
    keys_.push_back({hmac(key, std::string("sign ").append(purpose)),
                     hmac(key, std::string("encrypt ").append(purpose))});
  }
}

std::string Sealer::seal(std::string_view text, std::int64_t now) const {
  const auto dated = std::to_string(now).append(":").append(text);
  if (encrypted_) return encode_base64url(encrypt(keys_[0].encrypting, dated));
  const auto body = encode_base64url(dated);
  return body + "." + encode_base64url(hmac(keys_[0].signing, body));
}

std::optional<std::string> Sealer::open(std::string_view sealed, std::int64_t now,
                                        std::chrono::seconds age_max) const {
  const auto dot = sealed.find('.');
  if (encrypted_ == (dot != std::string_view::npos)) return std::nullopt;
  const auto body = sealed.substr(0, dot);
  const auto seal = encrypted_ ? std::string_view() : sealed.substr(dot + 1);
  for (const auto& keys : keys_) {
    if (const auto dated = open_with(keys, body, seal)) return text_in_time(*dated, now, age_max);
  }
  return std::nullopt;
}

std::optional<std::string> Sealer::open_with(const Keys& keys, std::string_view body,
                                             std::string_view seal) const {
  const auto bytes = decode_base64url(body);
  if (!bytes) return std::nullopt;
  if (encrypted_) return decrypt(keys.encrypting, *bytes);
  const auto mac = decode_base64url(seal);
  return mac && same(*mac, hmac(keys.signing, body)) ? bytes : std::nullopt;
}

}  // namespace atlas::asgi
