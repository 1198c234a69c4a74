#include <atlas/app/notes/notes.hpp>

#include <atlas/app/notes/store.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace atlas::notes {
namespace {

using namespace asgi;

constexpr int limit_default = 20;
constexpr int limit_max = 100;

std::string etag_of(const Note& note) { return fmt::format("\"{}\"", note.version); }

Response answer(const Note& note, int status = 200) { return json(note, status).with("etag", etag_of(note)); }

/// Which version of a note the client has seen (RFC 9110 §13.1.1): without it, it might write over what it
/// has not.
std::int64_t version_seen(Request& request) {
  const auto seen = request.header("if-match", std::nullopt);
  if (!seen) throw HttpError(428, "say in if-match which version of the note you change");
  std::optional<std::int64_t> version;
  if (seen->size() > 2 && seen->starts_with('"') && seen->ends_with('"'))
    version = TextValue<std::int64_t>::parse(seen->substr(1, seen->size() - 2));
  if (!version) throw HttpError(412, "the note has another version");
  return *version;
}

void require_done(Store::Outcome outcome) {
  if (outcome == Store::Outcome::missing) throw HttpError(404, "there is no such note");
  if (outcome == Store::Outcome::conflict) throw HttpError(412, "the note has another version");
}

Response create(Request& request) {
  const auto note = request.get<Store>().create(request.json<NoteInput>());
  return answer(note, 201).with("location", fmt::format("{}/notes/{}", request.scope().root_path, note.id));
}

Response read(Request& request) {
  const auto note = request.get<Store>().find(request.path<std::int64_t>("id"));
  if (!note) throw HttpError(404, "there is no such note");
  if (request.header("if-none-match", "") == etag_of(*note))
    return Response(304).with("etag", etag_of(*note));
  return answer(*note);
}

NotePage list(Request& request) {
  const int limit = request.query<int>("limit", limit_default);
  if (limit < 1 || limit > limit_max)
    throw ValidationError("query.limit", fmt::format("is not in 1 to {}", limit_max));
  return request.get<Store>().list({.words = request.query<std::string>("q", ""),
                                    .tag = request.query<std::string>("tag", ""),
                                    .after = request.query<std::int64_t>("after", 0),
                                    .limit = limit});
}

Response replace(Request& request) {
  const auto version = version_seen(request);
  const auto id = request.path<std::int64_t>("id");
  const auto change = request.get<Store>().replace(id, version, request.json<NoteInput>());
  require_done(change.outcome);
  return answer(*change.note);
}

Response remove(Request& request) {
  require_done(request.get<Store>().remove(request.path<std::int64_t>("id"), version_seen(request)));
  return no_content();
}

}  // namespace

Router notes(const std::string& database) {
  Router routes;
  routes.per_process<Store>([database] { return Store(database); });
  routes.post("/notes", create);
  routes.get("/notes", list);
  routes.get("/notes/{id:int}", read).name("note");
  routes.put("/notes/{id:int}", replace);
  routes.del("/notes/{id:int}", remove);
  return routes;
}

}  // namespace atlas::notes
