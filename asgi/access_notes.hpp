// What applications add to their request's line in the access log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {

struct Scope;

/// Of one request. What it is given is copied, up to bounds; what goes beyond is left out.
class AccessNotes {
 public:
  struct Field {
    std::string name;
    std::string value;
  };
  static constexpr std::size_t fields_max = 32;
  static constexpr std::size_t text_bytes_max = 1024;  ///< Of each text; the rest is cut off.

  /// In place of the connection's address: a client behind a proxy.
  void set_client(std::string_view host) { client_ = cut(host); }
  void set_user(std::string_view name) { user_ = cut(name); }
  /// A field of that name is replaced.
  void set(std::string_view name, std::string_view value);
  void clear() noexcept;

  [[nodiscard]] const std::string& client() const noexcept { return client_; }
  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }

 private:
  [[nodiscard]] static std::string_view cut(std::string_view text) noexcept {
    return text.substr(0, text_bytes_max);
  }

  std::string client_;
  std::string user_;
  std::vector<Field> fields_;
};

/// A field of the request's line: "name=value" in the common format, a member of "fields" in JSON. Does
/// nothing where there is no access log.
void set_access_field(const Scope& scope, std::string_view name, std::string_view value);
/// Who asks, and from where, as its line has it.
void set_access_user(const Scope& scope, std::string_view name);
void set_access_client(const Scope& scope, std::string_view host);

}  // namespace atlas::asgi
