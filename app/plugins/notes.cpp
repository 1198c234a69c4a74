// The notes service as a plugin.
#include <atlas/app/notes/notes.hpp>
#include <atlas/asgi/plugin.hpp>

#include <cstdlib>

namespace {

const char* database() {
  const char* path = std::getenv("NOTES_DATABASE");
  return path != nullptr ? path : "notes.db";
}

}  // namespace

static const auto notes = atlas::notes::notes(database());
ATLAS_APPLICATION(notes);
