// The notes service: through the test client, and as a plugin by a real client.
#include <atlas/app/notes/notes.hpp>

#include "app/running_server.hpp"
#include "support/temporary_folder.hpp"

#include <atlas/app/notes/store.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/json.hpp>

#include <gtest/gtest.h>

#include <string>

namespace atlas::notes {
namespace {

using asgi::Json;
using asgi::TestClient;
using asgi::TestResponse;

class Notes : public ::testing::Test {
 protected:
  TestResponse make(const std::string& title, const std::string& rest = "") {
    return client_.post("/notes", {.body = R"({"title":")" + title + "\"" + rest + "}"});
  }
  Json get(const std::string& target) { return Json::parse(client_.get(target).body); }
  TestResponse replace(const std::string& target, std::string version, std::string body) {
    return client_.put(target, {.headers = {{"if-match", std::move(version)}}, .body = std::move(body)});
  }

  testing::TemporaryFolder folder_;
  TestClient client_{notes(folder_.file("notes.db"))};
};

TEST_F(Notes, ANoteIsCreatedAndRead) {
  const auto made = make("Milk", R"(,"text":"2 l","tags":["shop","soon"])");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.header("location"), "/notes/1");
  EXPECT_EQ(made.header("etag"), "\"1\"");
  EXPECT_EQ(made.body,
            R"({"id":1,"version":1,"title":"Milk","text":"2 l","done":false,"tags":["shop","soon"]})");
  EXPECT_EQ(client_.get("/notes/1").body, made.body);
  EXPECT_EQ(client_.get("/notes/1", {.headers = {{"if-none-match", "\"1\""}}}).status, 304);
}

TEST_F(Notes, WhatIsWrongIsNamed) {
  const auto invalid = make("", R"(,"done":1,"tags":[""])");
  EXPECT_EQ(invalid.status, 422);
  EXPECT_NE(invalid.body.find(
                "body.title has 0 characters, but needs 1; body.done is a whole number, not true or false; "
                "body.tags has a tag that cannot be one"),
            std::string::npos)
      << invalid.body;
  EXPECT_EQ(client_.post("/notes", {.body = "{"}).status, 400);
  EXPECT_EQ(make(std::string(200, 'x')).status, 201);
  EXPECT_EQ(make(std::string(201, 'x')).status, 422);
}

TEST_F(Notes, OtherIdsAreNotThere) {
  EXPECT_EQ(client_.get("/notes/7").status, 404);
  EXPECT_EQ(client_.get("/notes/x").status, 404);
  EXPECT_EQ(client_.get("/notes/99999999999999999999").status, 404);
  EXPECT_EQ(replace("/notes/7", "\"1\"", R"({"title":"a"})").status, 404);
  EXPECT_EQ(client_.del("/notes/7", {.headers = {{"if-match", "\"1\""}}}).status, 404);
}

TEST_F(Notes, AListComesByPages) {
  for (int i = 1; i <= 5; ++i) make("note " + std::to_string(i));
  const auto first = get("/notes?limit=2");
  EXPECT_EQ(first.find("total")->integer(), 5);
  EXPECT_EQ(first.find("notes")->size(), 2U);
  EXPECT_EQ(first.find("next")->integer(), 2);
  const auto last = get("/notes?limit=2&after=4");
  EXPECT_EQ(last.find("notes")->elements()[0].find("title")->text(), "note 5");
  EXPECT_TRUE(last.find("next")->is_null());
  EXPECT_EQ(client_.get("/notes?limit=0").status, 422);
  EXPECT_EQ(client_.get("/notes?limit=101").status, 422);
  EXPECT_EQ(client_.get("/notes?limit=100").status, 200);
}

TEST_F(Notes, AreFoundByWordsAndTags) {
  make("Buy milk", R"(,"tags":["shop"])");
  make("Sell 100% milk", R"(,"text":"or_more")");
  make("Sleep", R"(,"tags":["home","shop"])");
  const auto count = [&](const std::string& query) {
    return get("/notes?" + query).find("total")->integer();
  };
  EXPECT_EQ(count("q=MILK"), 2);
  EXPECT_EQ(count("q=milk+sell"), 1);
  EXPECT_EQ(count("q=100%25"), 1);
  EXPECT_EQ(count("q=o_m"), 0) << "no wildcard";
  EXPECT_EQ(count("q=r_m"), 1);
  EXPECT_EQ(count("tag=shop"), 2);
  EXPECT_EQ(count("tag=shop&q=sleep"), 1);
  EXPECT_EQ(count("tag=nothing"), 0);
  EXPECT_EQ(count("q='%20OR%201=1%20--"), 0);
}

TEST_F(Notes, AChangeSaysWhichVersionItHasSeen) {
  make("Milk", R"(,"tags":["a","b"])");
  EXPECT_EQ(client_.put("/notes/1", {.body = R"({"title":"x"})"}).status, 428);
  const auto changed = replace("/notes/1", "\"1\"", R"({"title":"Bread","done":true,"tags":["c"]})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.body, R"({"id":1,"version":2,"title":"Bread","text":"","done":true,"tags":["c"]})");
  EXPECT_EQ(changed.header("etag"), "\"2\"");
  EXPECT_EQ(replace("/notes/1", "\"1\"", R"({"title":"too late"})").status, 412);
  EXPECT_EQ(replace("/notes/1", "W/\"2\"", R"({"title":"weak"})").status, 412);
  EXPECT_EQ(get("/notes/1").find("title")->text(), "Bread");
}

TEST_F(Notes, ANoteIsDeletedOnce) {
  make("Milk", R"(,"tags":["a"])");
  EXPECT_EQ(client_.del("/notes/1").status, 428);
  EXPECT_EQ(client_.del("/notes/1", {.headers = {{"if-match", "\"2\""}}}).status, 412);
  EXPECT_EQ(client_.del("/notes/1", {.headers = {{"if-match", "\"1\""}}}).status, 204);
  EXPECT_EQ(client_.get("/notes/1").status, 404);
  EXPECT_EQ(get("/notes?tag=a").find("total")->integer(), 0);
  EXPECT_EQ(make("Bread").header("location"), "/notes/2") << "an id is not used again";
}

TEST(NotesStart, KeepsWhatWasThere) {
  const testing::TemporaryFolder folder;
  {
    TestClient client(notes(folder.file("notes.db")));
    EXPECT_EQ(client.post("/notes", {.body = R"({"title":"kept"})"}).status, 201);
  }
  TestClient client(notes(folder.file("notes.db")));
  EXPECT_EQ(client.get("/notes/1").status, 200);
}

TEST(NotesStart, ADatabaseThatCannotBeOpenedEndsIt) {
  try {
    TestClient client(notes("/nowhere/notes.db"));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("'/nowhere/notes.db': unable to open database file"),
              std::string::npos)
        << error.what();
  }
}

TEST(NotesPlugin, IsServedByTheCommand) {
  const testing::TemporaryFolder folder;
  const testing::RunningServer server({testing::plugin_path("libnotes.so"), "--workers=2"},
                                      {"NOTES_DATABASE=" + folder.file("notes.db")});
  testing::Process curl({"/usr/bin/curl", "--silent", "--show-error", "--json", R"({"title":"by curl"})",
                         "http://127.0.0.1:" + std::to_string(server.port()) + "/notes"});
  EXPECT_EQ(curl.out().rest(), R"({"id":1,"version":1,"title":"by curl","text":"","done":false,"tags":[]})");
  EXPECT_EQ(curl.wait(), 0);
  EXPECT_EQ(server.get("/notes/1").status, 200);
}

TEST(DemoPlugin, IsServedByTheCommand) {
  const testing::RunningServer server({testing::plugin_path("libdemo.so")});
  EXPECT_EQ(server.get("/plaintext").body, "Hello, World!");
}

}  // namespace
}  // namespace atlas::notes
