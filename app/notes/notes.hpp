// A JSON API for notes: create, read, list by pages, search, replace, delete. An example of a service on
// Atlas, and a plugin: `atlas serve libnotes.so`, with the database's path in NOTES_DATABASE.
#pragma once

#include <atlas/asgi/toolkit/router.hpp>

#include <string>

namespace atlas::notes {

/// The database is opened when the application starts up.
[[nodiscard]] asgi::Router notes(const std::string& database);

}  // namespace atlas::notes
