// Described structs: read from JSON with all faults named, written to JSON, as bodies of requests and
// responses.
#include <atlas/asgi/toolkit/describe.hpp>

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace atlas {
namespace {

enum class Colour { red, green };

struct Address {
  std::string city;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("city", self.city, asgi::length(1, 20));
  }
};

struct Note {
  std::string title;
  int stars = 3;
  std::optional<std::string> text;
  std::vector<Address> places;
  std::map<std::string, std::int64_t> counts;
  Colour colour = Colour::green;
  std::uint8_t small = 0;
  double weight = 0;
  bool done = false;
  asgi::Json extra;

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    using asgi::with_default;
    field("title", self.title, asgi::length(1, 5),
          asgi::checked([](const auto& t) { return t != "no"; }, "is not allowed"));
    field("stars", self.stars, with_default, asgi::between(0, 5));
    field("text", self.text, asgi::length(0, 3));
    field("places", self.places, with_default, asgi::length(0, 2));
    field("counts", self.counts, with_default);
    field("colour", self.colour, with_default);
    field("small", self.small, with_default);
    field("weight", self.weight, with_default);
    field("done", self.done, with_default);
    field("extra", self.extra, with_default);
  }
};

}  // namespace

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

namespace {

using namespace asgi;

Note read(std::string_view text) { return read_json<Note>(Json::parse(text)); }

std::string faults(std::string_view text) {
  try {
    static_cast<void>(read(text));
    return "none";
  } catch (const ValidationError& error) {
    return error.detail();
  }
}

TEST(Describe, AllMembersAreRead) {
  const auto note =
      read(R"({"title":"Milk","stars":5,"text":"ab","places":[{"city":"Rome"}],"counts":{"a":-1},
      "colour":"red","small":255,"weight":1,"done":true,"extra":[1],"unknown":0})");
  EXPECT_EQ(note.title, "Milk");
  EXPECT_EQ(note.stars, 5);
  EXPECT_EQ(note.text, "ab");
  ASSERT_EQ(note.places.size(), 1U);
  EXPECT_EQ(note.places[0].city, "Rome");
  EXPECT_EQ(note.counts.at("a"), -1);
  EXPECT_EQ(note.colour, Colour::red);
  EXPECT_EQ(note.small, 255);
  EXPECT_EQ(note.weight, 1.0);
  EXPECT_TRUE(note.done);
  EXPECT_EQ(note.extra, Json(Json::Array{1}));
}

TEST(Describe, WhatIsMissingKeepsItsDefaultOrIsNothing) {
  const auto note = read(R"({"title":"a"})");
  EXPECT_EQ(note.stars, 3);
  EXPECT_EQ(note.text, std::nullopt);
  EXPECT_EQ(read(R"({"title":"a","text":null})").text, std::nullopt);
}

TEST(Describe, AllFaultsAreNamed) {
  EXPECT_EQ(faults("{}"), "body.title is missing");
  EXPECT_EQ(
      faults(
          R"({"title":"","stars":6,"text":"abcd","places":[{},{"city":7}],"counts":{"a":"x"},"colour":"blue",
      "small":256,"weight":"1","done":1})"),
      "body.title has 0 characters, but needs 1; body.stars is not in 0 to 5; "
      "body.text has 4 characters, but may have 3; body.places[0].city is missing; "
      "body.places[1].city is a whole number, not text; body.counts.a is text, not a whole number; "
      "body.colour is not red or green; body.small is not a whole number from 0 to 255; "
      "body.weight is text, not a number; body.done is a whole number, not true or false");
}

TEST(Describe, TheWholeMustBeAnObject) {
  EXPECT_EQ(faults("[]"), "body is an array, not an object");
  EXPECT_EQ(faults("null"), "body is null, not an object");
}

TEST(Describe, LimitsHoldAtTheirEdges) {
  EXPECT_EQ(faults(R"({"title":"\u00e9\u00e9\u00e9\u00e9\u00e9","stars":0})"), "none");
  EXPECT_EQ(faults(R"({"title":"123456"})"), "body.title has 6 characters, but may have 5");
  EXPECT_EQ(faults(R"({"title":"a","stars":-1})"), "body.stars is not in 0 to 5");
  EXPECT_EQ(faults(R"({"title":"a","stars":2147483648})"),
            "body.stars is not a whole number from -2147483648 to 2147483647");
  EXPECT_EQ(faults(R"({"title":"a","small":-1})"), "body.small is not a whole number from 0 to 255");
  EXPECT_EQ(faults(R"({"title":"a","stars":1.5})"),
            "body.stars is not a whole number from -2147483648 to 2147483647");
  EXPECT_EQ(faults(R"({"title":"no"})"), "body.title is not allowed");
}

TEST(Describe, VeryManyFaultsAreNotAllNamed) {
  std::string text = R"({"title":"a","counts":{)";
  for (int i = 0; i < 1000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":null";
  try {
    static_cast<void>(read(text + "}}"));
    FAIL();
  } catch (const ValidationError& error) {
    EXPECT_EQ(error.errors().size(), 100U);
  }
}

TEST(Describe, AStructIsWritten) {
  Note note{
      .title = "Mi\"lk", .places = {{.city = "Rome"}}, .counts = {{"a", 1}}, .extra = Json{{"b", nullptr}}};
  EXPECT_EQ(write_json(note),
            R"({"title":"Mi\"lk","stars":3,"text":null,"places":[{"city":"Rome"}],"counts":{"a":1},)"
            R"("colour":"green","small":0,"weight":0.0,"done":false,"extra":{"b":null}})");
  EXPECT_EQ(write_json(std::vector<int>{1, 2}), "[1,2]");
}

Router described_routes() {
  Router routes;
  routes.post("/notes", [](Request& request) { return request.json<Note>().places; });
  routes.post("/raw", [](Request& request) { return request.json(); });
  routes.get("/one", [] { return Address{.city = "Rome"}; });
  routes.get("/made", [] { return json(Address{.city = "Rome"}, 201); });
  return routes;
}

TEST(DescribedBodies, HandlersTakeAndReturnThem) {
  TestClient client(described_routes());
  const auto response = client.post("/notes", {.body = R"({"title":"a","places":[{"city":"Rome"}]})"});
  EXPECT_EQ(response.body, R"([{"city":"Rome"}])");
  EXPECT_EQ(response.header("content-type"), "application/json");
  EXPECT_EQ(client.get("/one").body, R"({"city":"Rome"})");
  EXPECT_EQ(client.get("/made").status, 201);
  EXPECT_EQ(client.post("/raw", {.body = "[1, 2]"}).body, "[1,2]");
}

TEST(DescribedBodies, WhatIsWrongIsAnswered) {
  TestClient client(described_routes());
  const auto invalid = client.post("/notes", {.body = R"({"title":7})"});
  EXPECT_EQ(invalid.status, 422);
  EXPECT_NE(invalid.body.find(R"({"field":"body.title","message":"is a whole number, not text"})"),
            std::string::npos);
  const auto broken = client.post("/notes", {.body = "{\n1"});
  EXPECT_EQ(broken.status, 400);
  EXPECT_NE(broken.body.find("the body is no JSON: line 2, column 1"), std::string::npos) << broken.body;
  EXPECT_EQ(client.post("/notes", {.body = std::string(10'000, '[')}).status, 400);
}

TEST(DescribedBodies, TheContentTypeMustBeJsonWhereThereIsOne) {
  TestClient client(described_routes());
  const auto post = [&](std::string type) {
    return client.post("/raw", {.headers = {{"content-type", std::move(type)}}, .body = "1"}).status;
  };
  EXPECT_EQ(post("application/json"), 200);
  EXPECT_EQ(post("Application/JSON; charset=utf-8"), 200);
  EXPECT_EQ(post("application/merge-patch+json"), 200);
  EXPECT_EQ(post("text/plain"), 415);
  EXPECT_EQ(post("application/x-www-form-urlencoded"), 415);
  EXPECT_EQ(post("+json"), 415);
}

TEST(DescribedBodies, ALongBodyIsRefused) {
  TestClient client(described_routes());
  EXPECT_EQ(client.post("/raw", {.body = std::string((1 << 20) + 1, ' ')}).status, 413);
}

}  // namespace
}  // namespace atlas
