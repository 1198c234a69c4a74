// The examples of docs/requests.md.
#include "support/temporary_folder.hpp"

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/form.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas {

std::string search(asgi::Request& request) {
  const auto words = request.query("q");                              // must be there
  const auto page = request.query<int>("page", 1);                    // or this
  const auto limit = request.query<unsigned>("limit", std::nullopt);  // an optional
  const auto tags = request.query_all("tag");                         // ?tag=a&tag=b
  const auto theme = request.cookie("theme", "light");
  const auto agent = request.header("user-agent", "nobody");
  return fmt::format("{} {} {} {} {} {}\n", words, page, limit.value_or(20), tags.size(), theme, agent);
}

enum class Colour { red, green };

template <>
struct asgi::TextValue<Colour> {
  static std::optional<Colour> parse(std::string_view text) {
    if (text == "red") return Colour::red;
    if (text == "green") return Colour::green;
    return std::nullopt;
  }
  static std::string_view to_text(Colour colour) { return colour == Colour::red ? "red" : "green"; }
  static constexpr std::string_view expected = "red or green";
};

struct NewNote {
  std::string title;
  int stars = 0;
  std::optional<std::string> text;
  std::vector<std::string> tags;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    using namespace asgi;
    field("title", self.title, length(1, 200));
    field("stars", self.stars, with_default, between(0, 5));  // keeps its default when it is missing
    field("text", self.text);                                 // may be missing, or null
    field("tags", self.tags, with_default, length(0, 10));
  }
};

NewNote take_note(asgi::Request& request) {
  auto note = request.json<NewNote>();
  note.tags.push_back("new");
  return note;  // application/json
}

std::string count_bytes(asgi::Request& request) {
  std::size_t bytes = 0;
  while (const auto piece = request.read()) bytes += piece->size();
  return fmt::format("{}\n", bytes);
}

asgi::Response take_form(asgi::Request& request) {
  const auto form = asgi::read_form(request, {.file_bytes_max = 10 << 20});
  const auto* photo = form.file("photo");
  if (photo == nullptr) throw asgi::ValidationError("form.photo", "is missing");
  photo->save_as("/tmp/photos-" + asgi::safe_file_name(photo->file_name())).value();
  return asgi::text(fmt::format("{} {} bytes\n", form.get("title"), photo->size()));
}

std::string longest_part(asgi::Request& request) {
  std::string longest;
  std::size_t bytes_max = 0;
  asgi::MultipartReader parts(request);
  while (const auto part = parts.next()) {
    std::size_t bytes = 0;
    while (const auto piece = parts.read()) bytes += piece->size();
    if (bytes >= bytes_max) longest = part->name;
    bytes_max = std::max(bytes_max, bytes);
  }
  return longest;
}

namespace {

TEST(RequestsPage, ValuesHaveTypes) {
  asgi::Router routes;
  routes.get("/", search);
  routes.get("/colour", [](asgi::Request& request) {
    return request.query<Colour>("c") == Colour::red ? "red" : "green";
  });
  asgi::TestClient client(routes);
  EXPECT_EQ(client.get("/?q=milk&tag=a&tag=b&limit=5").body, "milk 1 5 2 light nobody\n");
  EXPECT_EQ(client.get("/colour?c=red").body, "red");
  EXPECT_NE(client.get("/colour?c=blue").body.find("query.c is not red or green"), std::string::npos);
}

TEST(RequestsPage, JsonIsDescribed) {
  asgi::Router routes;
  routes.post("/", take_note);
  asgi::TestClient client(routes);
  EXPECT_EQ(client.post("/", {.body = R"({"title":"Milk"})"}).body,
            R"({"title":"Milk","stars":0,"text":null,"tags":["new"]})");
}

TEST(RequestsPage, BodiesAndFormsAreRead) {
  asgi::Router routes;
  routes.post("/count", count_bytes);
  routes.post("/form", take_form);
  routes.post("/longest", longest_part);
  asgi::TestClient client(routes);
  EXPECT_EQ(client.post("/count", {.body = "12345"}).body, "5\n");
  const asgi::TestRequest form{.headers = {{"content-type", "multipart/form-data; boundary=X"}},
                               .body =
                                   "--X\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nme\r\n"
                                   "--X\r\ncontent-disposition: form-data; name=\"photo\"; "
                                   "filename=\"../atlas-docs-test\"\r\n\r\n12345\r\n--X--"};
  std::filesystem::remove("/tmp/photos-atlas-docs-test");
  EXPECT_EQ(client.post("/form", form).body, "me 5 bytes\n");
  EXPECT_TRUE(std::filesystem::remove("/tmp/photos-atlas-docs-test"));
  EXPECT_EQ(client.post("/longest", form).body, "photo");
}

}  // namespace
}  // namespace atlas
