#include <atlas/http/field_memory.hpp>

#include <atlas/core/assert.hpp>

namespace atlas::http {

void FieldMemory::keep(std::string_view section) {
  remembers_ = false;
  section_.clear();
  if (section.size() <= section_bytes_max) section_.append(section);
}

void FieldMemory::remember(const RequestHead& head, std::string_view section) {
  if (section_.empty()) return;  // it was too long
  ATLAS_ASSERT(section.size() == section_.size(), "FieldMemory: this is not the section that was kept");
  read_.clear();
  read_.append(section);
  const auto moved = [&](std::string_view view) {
    if (view.empty()) return std::string_view();
    return std::string_view(read_.data() + (view.data() - section.data()), view.size());
  };
  fields_.clear();
  for (const Header& field : head.headers) fields_.push_back({moved(field.name), moved(field.value)});
  set_what_fields_say(said_, head);
  said_.version = head.version;
  said_.headers = HeadersView(fields_);
  said_.host = moved(head.host);
  remembers_ = true;
}

}  // namespace atlas::http
