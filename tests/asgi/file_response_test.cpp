// Files as responses of handlers.
#include <atlas/asgi/toolkit/file_response.hpp>

#include "support/temporary_folder.hpp"

#include <atlas/asgi/conformance/application_check.hpp>
#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace atlas::file_response_test {
namespace {

using namespace asgi;

class FileResponses : public ::testing::Test {
 protected:
  FileResponses() { std::ofstream(folder_.file("a.html")) << "<p>"; }

  TestResponse get(const std::string& name, const FileResponse& options = {}) {
    Router routes;
    routes.get("/", [&] { return file(folder_.file(name), options); });
    TestClient client(routes);
    return client.get("/");
  }

  testing::TemporaryFolder folder_;
};

TEST_F(FileResponses, HaveTypeAndLength) {
  const auto response = get("a.html");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(response.header("content-length"), "3");
  EXPECT_EQ(response.body, "<p>");
  EXPECT_EQ(get("a.html", {.media_type = "text/x"}).header("content-type"), "text/x");
}

TEST_F(FileResponses, AreSavedUnderANameThatIsSafe) {
  EXPECT_EQ(
      get("a.html", {.download_name = "../r\xc3\xa9sum\xc3\xa9 \"1\".html"}).header("content-disposition"),
      "attachment; filename=\"r__sum__ _1_.html\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.html");
}

TEST_F(FileResponses, AreNotThereWhenTheFileIsNot) {
  EXPECT_EQ(get("b.html").status, 404);
  std::filesystem::create_directory(folder_.file("folder"));
  EXPECT_EQ(get("folder").status, 404);
  EXPECT_THROW(static_cast<void>(file("a.html")), std::invalid_argument);
}

class ConditionalFiles : public FileResponses {
 protected:
  ConditionalFiles() {
    std::ofstream(folder_.file("text")) << "0123456789";
    std::filesystem::last_write_time(folder_.file("text"),
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    routes_.get("/", [this] { return file(folder_.file("text")).with("cache-control", "max-age=5"); });
    routes_.get("/error", [this] {
      auto response = file(folder_.file("text"));
      response.status = 404;
      return response;
    });
    routes_.get("/plain", [this] { return file(folder_.file("text"), {.conditional = false}); });
    routes_.get("/own", [this] { return file(folder_.file("text")).with("ETag", "\"own\""); });
  }

  TestResponse ask(const std::string& path, std::string name, std::string value) {
    return TestClient(routes_).get(path, {.headers = {{std::move(name), std::move(value)}}});
  }

  Router routes_;
};

TEST_F(ConditionalFiles, AreKnownAgain) {
  TestClient client(routes_);
  const auto first = client.get("/");
  const std::string etag(first.header("etag").value_or("none"));
  EXPECT_EQ(etag.front(), '"');
  EXPECT_TRUE(first.header("last-modified"));
  EXPECT_EQ(first.header("accept-ranges"), "bytes");
  const auto again = ask("/", "if-none-match", etag);
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(again.header("etag"), etag);
  EXPECT_EQ(again.header("cache-control"), "max-age=5");
  EXPECT_EQ(again.count("content-type"), 0U);
  EXPECT_EQ(ask("/", "if-match", "\"other\"").status, 412);
  EXPECT_EQ(ask("/", "if-modified-since", std::string(*first.header("last-modified"))).status, 304);
}

TEST_F(ConditionalFiles, AreSentInParts) {
  const auto part = ask("/", "range", "bytes=2-4");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.header("content-range"), "bytes 2-4/10");
  EXPECT_EQ(ask("/", "range", "bytes=-2").body, "89");
  EXPECT_EQ(ask("/", "range", "bytes=20-").status, 416);
  EXPECT_NE(ask("/", "range", "bytes=0-0,9-9").body.find("content-range: bytes 9-9/10\r\n\r\n9"),
            std::string::npos);
}

TEST_F(ConditionalFiles, OtherStatusesAndOtherWishesAreWhole) {
  const auto error = ask("/error", "range", "bytes=2-4");
  EXPECT_EQ(error.status, 404);
  EXPECT_EQ(error.body, "0123456789");
  const auto plain = ask("/plain", "range", "bytes=2-4");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, "0123456789");
  EXPECT_EQ(plain.count("etag"), 0U);
}

TEST_F(ConditionalFiles, AnETagOfOnesOwnCounts) {
  const auto response = ask("/own", "if-none-match", "\"own\"");
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.count("etag"), 1U);
}

TEST_F(ConditionalFiles, DoWithoutExtensions) {
  EXPECT_TRUE(check_application(routes_, {{}}).conforms()) << check_application(routes_, {{}}).to_text(true);
}

TEST_F(FileResponses, WhatIsNoFileIsNotThere) {
  EXPECT_EQ(get(std::string(300, 'x')).status, 404);
  ASSERT_EQ(::mkfifo(folder_.file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(get("fifo").status, 404);
}

}  // namespace
}  // namespace atlas::file_response_test
