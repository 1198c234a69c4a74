#include <atlas/asgi/serve.hpp>
#include <atlas/asgi/toolkit/router.hpp>
#include <atlas/core/offload.hpp>

#include <sqlite3.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace atlas;

struct NewNote {
  std::string title;
  bool done = false;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("title", self.title, asgi::length(1, 200));
    field("done", self.done, asgi::with_default);
  }
};

struct Note {
  std::int64_t id = 0;
  std::string title;
  bool done = false;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("id", self.id);
    field("title", self.title);
    field("done", self.done);
  }
};

class Database {
 public:
  explicit Database(const char* path) {
    if (sqlite3_open(path, &db_) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db_));
    sqlite3_exec(db_, "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, title TEXT, done INTEGER)",
                 nullptr, nullptr, nullptr);
  }
  ~Database() { sqlite3_close(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Note add(const NewNote& note) {
    const std::lock_guard lock(mutex_);
    sqlite3_stmt* insert = nullptr;
    sqlite3_prepare_v2(db_, "INSERT INTO notes (title, done) VALUES (?, ?)", -1, &insert, nullptr);
    sqlite3_bind_text(insert, 1, note.title.c_str(), -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(insert, 2, note.done ? 1 : 0);
    const int status = sqlite3_step(insert);
    sqlite3_finalize(insert);
    if (status != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(db_));
    return {sqlite3_last_insert_rowid(db_), note.title, note.done};
  }

  std::vector<Note> all() {
    const std::lock_guard lock(mutex_);
    std::vector<Note> notes;
    sqlite3_stmt* select = nullptr;
    sqlite3_prepare_v2(db_, "SELECT id, title, done FROM notes ORDER BY id", -1, &select, nullptr);
    while (sqlite3_step(select) == SQLITE_ROW) {
      notes.push_back({sqlite3_column_int64(select, 0),
                       reinterpret_cast<const char*>(sqlite3_column_text(select, 1)),
                       sqlite3_column_int(select, 2) != 0});
    }
    sqlite3_finalize(select);
    return notes;
  }

 private:
  std::mutex mutex_;
  sqlite3* db_ = nullptr;
};

asgi::Response add_note(asgi::Request& request) {
  const auto input = request.json<NewNote>();
  auto& database = request.get<Database>();
  const auto note = offload([&] { return database.add(input); }).value();
  return asgi::json(note, 201);
}

std::vector<Note> list_notes(asgi::Request& request) {
  auto& database = request.get<Database>();
  return offload([&] { return database.all(); }).value();
}

int main(int argc, char** argv) {
  asgi::Router routes;
  routes.per_process<Database>([] { return Database("notes.db"); });
  routes.post("/notes", add_note);
  routes.get("/notes", list_notes);
  return serve(routes, argc, argv);
}
