// Notes in an SQLite database. Its calls suspend the fiber while a thread of the offload pool talks to
// SQLite. Knows nothing of HTTP.
#pragma once

#include <atlas/app/notes/note.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace atlas::notes {

/// SQLite has refused: its own text.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct NoteQuery {
  std::string words = {};  ///< All of them stand in the title or the text; empty: no matter.
  std::string tag = {};    ///< Empty: no matter.
  std::int64_t after = 0;  ///< Ids above this one.
  int limit = 20;
};

/// Of any number of workers at the same time. What a call has said is on the disk when it returns. All throw
/// StoreError.
class Store {
 public:
  /// Opens the database, and makes what is missing in it. `path` may be ":memory:".
  explicit Store(const std::string& path);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  [[nodiscard]] Note create(const NoteInput& input);
  [[nodiscard]] std::optional<Note> find(std::int64_t id);
  [[nodiscard]] NotePage list(const NoteQuery& query);

  enum class Outcome : std::uint8_t { done, missing, conflict };
  /// Replaces the note's content when its version still is `version`; `note` is how it is then.
  struct Change {
    Outcome outcome;
    std::optional<Note> note;
  };
  [[nodiscard]] Change replace(std::int64_t id, std::int64_t version, const NoteInput& input);
  [[nodiscard]] Outcome remove(std::int64_t id, std::int64_t version);

 private:
  class Database;
  std::unique_ptr<Database> database_;
};

}  // namespace atlas::notes
