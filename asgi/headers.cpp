#include <atlas/asgi/headers.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace atlas::asgi {

Headers::Headers(http::HeadersView fields) {
  for (const auto& field : fields) add(field.name, field.value);
}

Headers::Headers(Headers&& other) noexcept { take(other); }

Headers& Headers::operator=(Headers other) noexcept {
  take(other);
  return *this;
}

void Headers::take(Headers& other) noexcept {
  size_ = other.size_;
  std::uninitialized_copy_n(other.inline_.begin(), std::min(size_, inline_fields), inline_.begin());
  overflow_ = std::move(other.overflow_);
  texts_ = std::move(other.texts_);
  other.clear();
}

void Headers::append(const Headers& other) {
  if (&other == this) return append(Headers(other));
  for (const auto& field : other.view()) {
    push({other.owns(field.name) ? copied(field.name) : field.name,
          other.owns(field.value) ? copied(field.value) : field.value});
  }
}

void Headers::clear() noexcept {
  size_ = 0;
  overflow_.clear();
  texts_.clear();
}

std::string_view Headers::copied(std::string_view text) {
  auto bytes = std::make_unique_for_overwrite<char[]>(text.size());
  std::copy(text.begin(), text.end(), bytes.get());
  const auto& kept = texts_.emplace_back(Text{std::move(bytes), text.size()});
  return {kept.bytes.get(), kept.size};
}

bool Headers::owns(std::string_view text) const noexcept {
  return std::any_of(texts_.begin(), texts_.end(),
                     [&](const Text& kept) { return kept.bytes.get() == text.data(); });
}

void Headers::push_to_overflow(const http::Header& field) {
  if (overflow_.empty()) overflow_.assign(inline_.begin(), inline_.end());
  overflow_.push_back(field);
  ++size_;
}

}  // namespace atlas::asgi
