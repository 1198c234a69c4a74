// Fields for log lines: what all lines of a request have in common, and would be repeated in each of their
// messages.
//
//   const log::FieldScope scope("request_id", "b7f3");
//   log::info("found");          // … INFO  [w0 client request_id=b7f3] found
#pragma once

#include <atlas/core/fiber_local.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace atlas::log {

/// What a line can show; views of where it is bound.
struct Field {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::size_t fields_max = 16;
inline constexpr std::size_t field_name_bytes_max = 32;
inline constexpr std::size_t field_value_bytes_max = 256;

/// A field as it is bound, and the one that was bound before. Internal.
struct BoundField {
  BoundField(std::string_view name, std::string_view value);

  const std::string name;
  const std::string value;
  const BoundField* const outer;
};

/// While it lives, log lines of the running fiber, and of the fibers that are started meanwhile, have this
/// field. Those keep it until they end. A field of the same name is hidden meanwhile. Scopes of a fiber end
/// in the reverse order of their beginning.
///
/// Of a name, what is not a letter, a digit or one of `_-.` becomes `_`, so does an empty name, and one that
/// JSON lines have for themselves ("time", "level", "worker", "fiber", "message") gets a `_` behind it. Names
/// are cut at `field_name_bytes_max`, values at `field_value_bytes_max`, which then end in "…". A line shows
/// the innermost `fields_max`.
class [[nodiscard]] FieldScope {
 public:
  /// Both are copied. On a fiber.
  FieldScope(std::string_view name, std::string_view value);

 private:
  FiberLocal<BoundField>::Scope scope_;
};

/// The fields that a line written here would have, outermost first.
class FieldsHere {
 public:
  FieldsHere() noexcept;

  [[nodiscard]] std::span<const Field> all() const noexcept {
    return std::span(fields_).subspan(fields_max - count_);
  }

 private:
  [[nodiscard]] bool has(std::string_view name) const noexcept;

  std::array<Field, fields_max> fields_;  // filled from the back
  std::size_t count_ = 0;
};

}  // namespace atlas::log
