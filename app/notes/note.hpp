// What the notes service speaks of: notes, and what clients may say of them.
#pragma once

#include <atlas/asgi/toolkit/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atlas::notes {

inline constexpr std::size_t title_characters_max = 200;
inline constexpr std::size_t text_characters_max = 10'000;
inline constexpr std::size_t tags_max = 20;
inline constexpr std::size_t tag_characters_max = 50;

struct Note {
  std::int64_t id = 0;
  std::int64_t version = 1;  ///< Counts its changes: who changes it says which one he has seen.
  std::string title;
  std::string text;
  bool done = false;
  std::vector<std::string> tags;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("id", self.id);
    field("version", self.version);
    field("title", self.title);
    field("text", self.text);
    field("done", self.done);
    field("tags", self.tags);
  }
};

/// What a client gives for a new note, and for one that it replaces.
struct NoteInput {
  std::string title;
  std::string text;
  bool done = false;
  std::vector<std::string> tags;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    using namespace asgi;
    const auto short_enough = [](const auto& given) {
      for (const auto& tag : given) {
        if (tag.empty() || tag.size() > tag_characters_max || tag.find('\n') != std::string::npos)
          return false;
      }
      return true;
    };
    field("title", self.title, length(1, title_characters_max));
    field("text", self.text, with_default, length(0, text_characters_max));
    field("done", self.done, with_default);
    field("tags", self.tags, with_default, length(0, tags_max),
          checked(short_enough, "has a tag that cannot be one"));
  }
};

/// A part of a list, in the order of ids.
struct NotePage {
  std::vector<Note> notes;
  std::int64_t total = 0;                 ///< Of all that were asked for.
  std::optional<std::int64_t> next = {};  ///< What `after` is to be for the next page; none behind the last.

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("notes", self.notes);
    field("total", self.total);
    field("next", self.next);
  }
};

}  // namespace atlas::notes
