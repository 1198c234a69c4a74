#include <atlas/core/stack_marks.hpp>

#include <algorithm>

namespace atlas::detail {

StackMarks::StackMarks() { marks_.reserve(names_max + 1); }

void StackMarks::note(std::string_view name, std::size_t bytes) noexcept {
  Mark& mark = mark_of(name.substr(0, Mark().name_text.size()));
  mark.bytes_max = std::max(mark.bytes_max, bytes);
  ++mark.samples;
}

StackMarks::Mark& StackMarks::mark_of(std::string_view name) noexcept {
  const auto known =
      std::find_if(marks_.begin(), marks_.end(), [&](const Mark& mark) { return mark.name() == name; });
  if (known != marks_.end()) return *known;
  if (marks_.size() > names_max) return marks_.back();
  if (marks_.size() == names_max) name = "(others)";
  Mark& mark = marks_.emplace_back();  // within the capacity reserved by the constructor
  mark.name_size = static_cast<std::uint8_t>(name.size());
  std::copy_n(name.data(), name.size(), mark.name_text.data());
  return mark;
}

}  // namespace atlas::detail
