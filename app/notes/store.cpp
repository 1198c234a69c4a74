#include <atlas/app/notes/store.hpp>

#include <atlas/core/offload.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <mutex>
#include <utility>
#include <vector>

namespace atlas::notes {
namespace {

constexpr char schema[] = R"sql(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL DEFAULT 1,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    done INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS tags (
    note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (note, place)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tags_by_tag ON tags(tag, note);
)sql";

constexpr int busy_ms = 5'000;  // for another process that writes

/// A statement that was compiled, and runs many times. Values are bound in the order of the question marks.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql) : database_(database) {
    check(sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                             &statement_, nullptr));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Begins anew.
  template <class... Values>
  Statement& with(const Values&... values) {
    sqlite3_reset(statement_);
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }

  /// Whether there is a row, or another one. Its columns are valid until the next step.
  [[nodiscard]] bool step() {
    const int status = sqlite3_step(statement_);
    if (status == SQLITE_ROW) return true;
    sqlite3_reset(statement_);
    if (status != SQLITE_DONE) check(status);
    return false;
  }
  void run() {
    while (step()) {
    }
  }

  [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  void bind(int index, std::int64_t value) { check(sqlite3_bind_int64(statement_, index, value)); }
  void bind(int index, std::string_view text) {
    check(sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
  }
  void check(int status) const {
    if (status != SQLITE_OK) throw StoreError(sqlite3_errmsg(database_));
  }

  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

struct Close {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};
using Connection = std::unique_ptr<sqlite3, Close>;

Connection open(const std::string& path) {
  sqlite3* opened = nullptr;
  const int status = sqlite3_open_v2(
      path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(opened);
  if (status != SQLITE_OK) throw StoreError(fmt::format("'{}': {}", path, sqlite3_errstr(status)));
  sqlite3_busy_timeout(opened, busy_ms);
  if (sqlite3_exec(opened, schema, nullptr, nullptr, nullptr) != SQLITE_OK)
    throw StoreError(fmt::format("'{}': {}", path, sqlite3_errmsg(opened)));
  return connection;
}

/// For LIKE, where each word may stand anywhere.
std::string pattern_of(std::string_view word) {
  std::string pattern = "%";
  for (const char c : word) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::vector<std::string> patterns_of(std::string_view words) {
  constexpr std::size_t words_max = 8;
  std::vector<std::string> patterns;
  while (!words.empty() && patterns.size() < words_max) {
    const auto word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    if (!word.empty()) patterns.push_back(pattern_of(word));
  }
  patterns.resize(words_max, "%");
  return patterns;
}

}  // namespace

/// One connection, used by one thread at a time. Blocks.
class Store::Database {
 public:
  explicit Database(const std::string& path) : connection_(open(path)) {}

  Note create(const NoteInput& input) {
    const Transaction transaction(*this);
    insert_.with(input.title, input.text, std::int64_t{input.done}).run();
    const auto id = sqlite3_last_insert_rowid(connection_.get());
    write_tags(id, input.tags);
    return transaction.commit(), *find_now(id);
  }

  std::optional<Note> find(std::int64_t id) {
    const std::lock_guard lock(mutex_);
    return find_now(id);
  }

  NotePage list(const NoteQuery& query) {
    const std::lock_guard lock(mutex_);
    const auto patterns = patterns_of(query.words);
    const auto& p = patterns;
    NotePage page;
    count_.with(query.tag, query.tag, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]);
    if (count_.step()) page.total = count_.number(0);
    count_.run();
    list_.with(query.tag, query.tag, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], query.after,
               std::int64_t{query.limit} + 1);
    while (list_.step()) page.notes.push_back(note_of(list_));
    if (page.notes.size() > static_cast<std::size_t>(query.limit)) {
      page.notes.pop_back();
      page.next = page.notes.back().id;
    }
    for (auto& note : page.notes) note.tags = read_tags(note.id);
    return page;
  }

  Change replace(std::int64_t id, std::int64_t version, const NoteInput& input) {
    const Transaction transaction(*this);
    update_.with(input.title, input.text, std::int64_t{input.done}, id, version).run();
    if (sqlite3_changes(connection_.get()) == 0) return {why_unchanged(id), find_now(id)};
    clear_tags_.with(id).run();
    write_tags(id, input.tags);
    transaction.commit();
    return {Outcome::done, find_now(id)};
  }

  Outcome remove(std::int64_t id, std::int64_t version) {
    const Transaction transaction(*this);
    remove_.with(id, version).run();
    if (sqlite3_changes(connection_.get()) == 0) return why_unchanged(id);
    transaction.commit();
    return Outcome::done;
  }

 private:
  /// Ends without effect, unless it was committed. Holds the database meanwhile.
  class Transaction {
   public:
    explicit Transaction(Database& database) : database_(database), lock_(database.mutex_) {
      database.begin_.with().run();
    }
    ~Transaction() {
      if (sqlite3_get_autocommit(database_.connection_.get()) == 0)
        sqlite3_exec(database_.connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit() const { database_.commit_.with().run(); }

   private:
    Database& database_;
    std::lock_guard<std::mutex> lock_;
  };

  [[nodiscard]] static Note note_of(const Statement& row) {
    return {.id = row.number(0),
            .version = row.number(1),
            .title = row.text(2),
            .text = row.text(3),
            .done = row.number(4) != 0,
            .tags = {}};
  }

  [[nodiscard]] std::optional<Note> find_now(std::int64_t id) {
    if (!find_.with(id).step()) return std::nullopt;
    auto note = note_of(find_);
    find_.run();
    note.tags = read_tags(id);
    return note;
  }

  [[nodiscard]] Outcome why_unchanged(std::int64_t id) {
    return find_now(id) ? Outcome::conflict : Outcome::missing;
  }

  [[nodiscard]] std::vector<std::string> read_tags(std::int64_t id) {
    std::vector<std::string> tags;
    tags_.with(id);
    while (tags_.step()) tags.push_back(tags_.text(0));
    return tags;
  }

  void write_tags(std::int64_t id, const std::vector<std::string>& tags) {
    std::int64_t place = 0;
    for (const auto& tag : tags) insert_tag_.with(id, place++, tag).run();
  }

  static constexpr char wanted[] =
      " FROM notes WHERE (? = '' OR id IN (SELECT note FROM tags WHERE tag = ?))"
      " AND title || char(10) || text LIKE ? ESCAPE '\\' AND title || char(10) || text LIKE ? ESCAPE '\\'"
      " AND title || char(10) || text LIKE ? ESCAPE '\\' AND title || char(10) || text LIKE ? ESCAPE '\\'"
      " AND title || char(10) || text LIKE ? ESCAPE '\\' AND title || char(10) || text LIKE ? ESCAPE '\\'"
      " AND title || char(10) || text LIKE ? ESCAPE '\\' AND title || char(10) || text LIKE ? ESCAPE '\\'";

  [[nodiscard]] Statement statement(const std::string& sql) { return {connection_.get(), sql}; }

  std::mutex mutex_;
  Connection connection_;
  Statement begin_ = statement("BEGIN IMMEDIATE");
  Statement commit_ = statement("COMMIT");
  Statement insert_ = statement("INSERT INTO notes (title, text, done) VALUES (?, ?, ?)");
  Statement insert_tag_ = statement("INSERT INTO tags (note, place, tag) VALUES (?, ?, ?)");
  Statement clear_tags_ = statement("DELETE FROM tags WHERE note = ?");
  Statement tags_ = statement("SELECT tag FROM tags WHERE note = ? ORDER BY place");
  Statement find_ = statement("SELECT id, version, title, text, done FROM notes WHERE id = ?");
  Statement update_ = statement(
      "UPDATE notes SET title = ?, text = ?, done = ?, version = version + 1 WHERE id = ? AND version = ?");
  Statement remove_ = statement("DELETE FROM notes WHERE id = ? AND version = ?");
  Statement count_ = statement(std::string("SELECT COUNT(*)") + wanted);
  Statement list_ = statement(std::string("SELECT id, version, title, text, done") + wanted +
                              " AND id > ? ORDER BY id LIMIT ?");
};

Store::Store(const std::string& path) : database_(std::make_unique<Database>(path)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Note Store::create(const NoteInput& input) {
  return offload([&] { return database_->create(input); }).value();
}

std::optional<Note> Store::find(std::int64_t id) {
  return offload([&] { return database_->find(id); }).value();
}

NotePage Store::list(const NoteQuery& query) {
  return offload([&] { return database_->list(query); }).value();
}

Store::Change Store::replace(std::int64_t id, std::int64_t version, const NoteInput& input) {
  return offload([&] { return database_->replace(id, version, input); }).value();
}

Store::Outcome Store::remove(std::int64_t id, std::int64_t version) {
  return offload([&] { return database_->remove(id, version); }).value();
}

}  // namespace atlas::notes
