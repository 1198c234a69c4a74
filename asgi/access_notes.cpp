#include <atlas/asgi/access_notes.hpp>

#include <atlas/asgi/scope.hpp>

#include <algorithm>

namespace atlas::asgi {

void AccessNotes::set(std::string_view name, std::string_view value) {
  const auto known = std::ranges::find(fields_, name, &Field::name);
  if (known != fields_.end()) {
    known->value = cut(value);
  } else if (fields_.size() < fields_max) {
    fields_.push_back({.name = std::string(cut(name)), .value = std::string(cut(value))});
  }
}

void AccessNotes::clear() noexcept {
  client_.clear();
  user_.clear();
  fields_.clear();
}

void set_access_field(const Scope& scope, std::string_view name, std::string_view value) {
  if (auto* notes = scope.extensions.atlas.access_notes) notes->set(name, value);
}

void set_access_user(const Scope& scope, std::string_view name) {
  if (auto* notes = scope.extensions.atlas.access_notes) notes->set_user(name);
}

void set_access_client(const Scope& scope, std::string_view host) {
  if (auto* notes = scope.extensions.atlas.access_notes) notes->set_client(host);
}

}  // namespace atlas::asgi
