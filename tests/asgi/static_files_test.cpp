// What a folder's files are served as: whole files, index files, redirects, errors, media types, compressed
// siblings, and the cache.
#include "asgi/allocation_counter.hpp"
#include "support/as_nobody.hpp"
#include "support/static_folder.hpp"

#include <atlas/core/fiber.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace atlas::asgi {
namespace {

using testing::exchange;
using ::testing::HasSubstr;
using testing::response_of;
using ::testing::StartsWith;
using testing::StaticFolder;
using testing::StaticResponse;
using testing::write_text;
using namespace std::chrono_literals;

TEST(StaticFiles, SendsAFileWithWhatIsKnownOfIt) {
  StaticFolder folder;
  folder.write("style.css", "body {}");
  const auto response = folder.get("/style.css");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "body {}");
  EXPECT_EQ(response.field("content-type"), "text/css; charset=utf-8");
  EXPECT_EQ(response.field("content-length"), "7");
  EXPECT_EQ(response.field("last-modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(response.field("accept-ranges"), "bytes");
  EXPECT_THAT(response.field("etag").value(), StartsWith("\""));
  EXPECT_EQ(response.field("vary"), std::nullopt);
  EXPECT_EQ(response.field("cache-control"), std::nullopt);
}

TEST(StaticFiles, SendsLargeFilesWhole) {
  StaticFolder folder;
  const std::string text(1'000'000, 'x');
  folder.write("large", text);
  EXPECT_TRUE(folder.get("/large").body == text);
}

TEST(StaticFiles, SendsAnEmptyFile) {
  StaticFolder folder;
  folder.write("empty", "");
  const auto response = folder.get("/empty");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("content-length"), "0");
}

TEST(StaticFiles, ToHeadSendsTheSameFieldsWithoutTheBody) {
  StaticFolder folder;
  folder.write("small.txt", "text");
  folder.write("large.txt", std::string(100'000, 'x'));
  for (const char* target : {"/small.txt", "/large.txt"}) {
    const auto head = folder.request("HEAD", target);
    EXPECT_EQ(head.head, folder.get(target).head);
    EXPECT_EQ(head.body, "");
  }
}

TEST(StaticFiles, OtherMethodsAreNotAllowed) {
  StaticFolder folder;
  folder.write("a", "text");
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto response = folder.request(method, "/a");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.field("allow"), "GET, HEAD");
  }
}

TEST(StaticFiles, OtherScopesAreNotSupported) {
  StaticFolder folder;
  const StaticFiles files(folder.path());
  struct Nothing final : Receive, Send {
    ReceivedMessage next() override { return HttpDisconnect{}; }
    void handle(MessageRef) override {}
  } nothing;
  Scope scope;
  scope.type = ScopeType::lifespan;
  EXPECT_THROW(files(scope, nothing, nothing), UnsupportedScope);
}

TEST(StaticFiles, AFolderThatIsNoneIsRefusedAtOnce) {
  StaticFolder folder;
  folder.write("file", "");
  EXPECT_THROW(StaticFiles(folder.path("missing")), std::system_error);
  EXPECT_THROW(StaticFiles(folder.path("file")), std::system_error);
}

TEST(StaticFiles, WhatIsNotThereIsNotFound) {
  StaticFolder folder;
  folder.write("file", "");
  for (const char* target : {"/missing", "/missing/file", "/file/more", "/file/", "/"}) {
    EXPECT_EQ(folder.get(target).status, 404) << target;
  }
  EXPECT_EQ(folder.get("/" + std::string(300, 'x')).status, 404);
  EXPECT_EQ(folder.get("/missing").body, "404 Not Found\n");
}

TEST(StaticFiles, WhatMayNotBeReadIsForbidden) {
  StaticFolder folder;
  folder.write("secret", "");
  ASSERT_EQ(::chmod(folder.path("secret").c_str(), 0), 0);
  const testing::AsNobody nobody(folder.path());
  EXPECT_EQ(folder.get("/secret").status, 403);
}

TEST(StaticFiles, AFolderIsItsIndex) {
  StaticFolder folder;
  folder.write("index.html", "root");
  folder.write("sub/index.html", "sub");
  EXPECT_EQ(folder.get("/").body, "root");
  EXPECT_EQ(folder.get("/sub/").body, "sub");
  EXPECT_EQ(folder.get("/sub/").field("content-type"), "text/html; charset=utf-8");
  folder.options.index = "start.htm";
  EXPECT_EQ(folder.get("/").status, 404);
  folder.write("start.htm", "start");
  EXPECT_EQ(folder.get("/").body, "start");
  folder.options.index = "";
  EXPECT_EQ(folder.get("/").status, 404);
}

TEST(StaticFiles, AMissingSlashIsRedirected) {
  StaticFolder folder;
  folder.write("a folder/index.html", "sub");
  const auto response = folder.get("/a%20folder?x=1&y");
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(response.field("location"), "/a%20folder/?x=1&y");
}

TEST(StaticFiles, ARedirectNeverNamesAnotherHost) {
  StaticFolder folder;
  folder.write("host/index.html", "sub");
  EXPECT_EQ(folder.get("//host").status, 404);
  EXPECT_EQ(folder.get("/%2Fhost").status, 404);
  EXPECT_EQ(folder.get("/%5Chost").status, 404);
}

TEST(StaticFiles, ARootPathIsTakenOff) {
  StaticFolder folder;
  folder.write("a.txt", "text");
  folder.write("sub/index.html", "sub");
  auto server = testing::plain_options();
  server.root_path = "/static";
  const auto get = [&](const std::string& target) {
    return StaticFolder::parsed(
        exchange(StaticFiles(folder.path()), "GET " + target + " HTTP/1.1\r\nhost: h\r\n\r\n", server)
            .received);
  };
  EXPECT_EQ(get("/a.txt").body, "text");
  EXPECT_EQ(get("/sub").field("location"), "/static/sub/");
}

TEST(StaticFiles, APathThatIsNotUnderTheRootPathIsNotFound) {
  StaticFolder folder;
  folder.write("a.txt", "text");
  const StaticFiles files(folder.path());
  const auto at = [&](std::string_view root, std::string_view path) {
    const auto app = [&](const Scope& scope, Receive& receive, Send& send) {
      Scope mounted = scope;
      mounted.root_path = root;
      mounted.path = path;
      files(mounted, receive, send);
    };
    return StaticFolder::parsed(response_of(app, "GET / HTTP/1.1\r\nhost: h\r\n\r\n"));
  };
  EXPECT_EQ(at("/static", "/static/a.txt").status, 200);
  EXPECT_EQ(at("/static/", "/static/a.txt").status, 200);
  EXPECT_EQ(at("/static", "/statica.txt").status, 404);
  EXPECT_EQ(at("/static", "/a.txt").status, 404);
  EXPECT_EQ(at("/static", "/static").field("location"), "/static/");
}

TEST(StaticFiles, MediaTypesGoByExtensionInAnyCase) {
  StaticFolder folder;
  folder.options.media_types = {{"atlas", "application/x-atlas"}, {"html", "text/x-own"}};
  struct Case {
    std::string name;
    std::string type;
  };
  for (const auto& [name, type] :
       {Case{"a.PNG", "image/png"}, Case{"a.tar.gz", "application/gzip"},
        Case{"a.mjs", "text/javascript; charset=utf-8"}, Case{"a.7z", "application/x-7z-compressed"},
        Case{"a.zst", "application/zstd"}, Case{"a.atlas", "application/x-atlas"},
        Case{"a.html", "text/x-own"}, Case{"a", "application/octet-stream"},
        Case{"a.unknown", "application/octet-stream"}, Case{"a.d/b", "application/octet-stream"}}) {
    folder.write(name, "");
    EXPECT_EQ(folder.get("/" + name).field("content-type"), type) << name;
  }
}

TEST(StaticFiles, CacheControlIsOnFilesAndWhenTheyAreNotModified) {
  StaticFolder folder;
  folder.write("a", "text");
  folder.options.cache_control = "public, max-age=60";
  const auto response = folder.get("/a");
  EXPECT_EQ(response.field("cache-control"), "public, max-age=60");
  const auto same = folder.get("/a", "if-none-match: " + response.field("etag").value() + "\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("cache-control"), "public, max-age=60");
  EXPECT_EQ(folder.get("/missing").field("cache-control"), std::nullopt);
}

class StaticEncodings : public ::testing::Test {
 protected:
  StaticEncodings() {
    folder.write("a.css", "plain");
    folder.write("a.css.br", "brotli");
    folder.write("a.css.gz", "gzip");
    folder.write("a.css.zst", "zstd");
  }

  std::string body_for(const std::string& accept) const {
    return folder.get("/a.css", "accept-encoding: " + accept + "\r\n").body;
  }

  StaticFolder folder;
};

TEST_F(StaticEncodings, TheOneMostWantedIsSent) {
  struct Case {
    std::string accept;
    std::string body;
  };
  for (const auto& [accept, body] :
       {Case{"gzip", "gzip"}, Case{"gzip, br", "brotli"}, Case{"gzip;q=1, br;q=0.5", "gzip"},
        Case{"GZIP ; Q=0.001", "gzip"}, Case{"x-gzip", "gzip"}, Case{"*", "brotli"},
        Case{"*, br;q=0", "zstd"}, Case{"zstd;q=0.9, identity;q=0.95", "plain"}, Case{"gzip;q=0", "plain"},
        Case{"gzip;q=2", "plain"}, Case{"gzip;q=0.1234", "plain"}, Case{"gzip;q=x", "plain"},
        Case{"", "plain"}, Case{"deflate", "plain"}, Case{"identity;q=0", "plain"}, Case{"*;q=0", "plain"},
        Case{"gzip;q=0.5, *;q=0", "gzip"}}) {
    EXPECT_EQ(body_for(accept), body) << accept;
  }
}

TEST_F(StaticEncodings, LinesOfTheFieldAreOneList) {
  EXPECT_EQ(folder.get("/a.css", "accept-encoding: br;q=0.1\r\naccept-encoding: gzip\r\n").body, "gzip");
}

TEST_F(StaticEncodings, EachFormHasItsOwnTagAndTellsThatItVaries) {
  const auto plain = folder.get("/a.css");
  const auto gzip = folder.get("/a.css", "accept-encoding: gzip\r\n");
  EXPECT_EQ(gzip.field("content-encoding"), "gzip");
  EXPECT_EQ(gzip.field("content-type"), "text/css; charset=utf-8");
  EXPECT_EQ(gzip.field("vary"), "accept-encoding");
  EXPECT_EQ(plain.field("vary"), "accept-encoding");
  EXPECT_EQ(plain.field("content-encoding"), std::nullopt);
  EXPECT_NE(plain.field("etag"), gzip.field("etag"));
  const auto tag = "if-none-match: " + gzip.field("etag").value() + "\r\n";
  EXPECT_EQ(folder.get("/a.css", tag).status, 200);
  const auto same = folder.get("/a.css", tag + "accept-encoding: gzip\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("vary"), "accept-encoding");
}

TEST_F(StaticEncodings, CanBeTurnedOff) {
  folder.options.precompressed = false;
  const auto response = folder.get("/a.css", "accept-encoding: gzip\r\n");
  EXPECT_EQ(response.body, "plain");
  EXPECT_EQ(response.field("vary"), std::nullopt);
}

TEST_F(StaticEncodings, ASiblingAloneIsNoFile) {
  folder.write("b.css.gz", "gzip");
  EXPECT_EQ(folder.get("/b.css", "accept-encoding: gzip\r\n").status, 404);
}

/// One StaticFiles, asked again and again on one loop, whose file changes in between.
class StaticCacheTest : public ::testing::Test {
 protected:
  template <class Change>
  std::pair<StaticResponse, StaticResponse> before_and_after(Change change, const std::string& fields = {}) {
    const StaticFiles files(folder.path(), folder.options);
    const auto request = "GET /a HTTP/1.1\r\nhost: h\r\n" + fields + "\r\n";
    const auto before = StaticFolder::parsed(response_of(files, request));
    change();
    return {before, StaticFolder::parsed(response_of(files, request))};
  }

  StaticFolder folder;
};

TEST_F(StaticCacheTest, WhatIsFreshIsNotLookedAtAgain) {
  for (const std::size_t bytes : {std::size_t{4}, std::size_t{100'000}}) {
    folder.options.cache.fresh = 1h;
    folder.write("a", std::string(bytes, 'x'));
    const auto [before, after] = before_and_after([&] { std::filesystem::remove(folder.path("a")); });
    EXPECT_EQ(before.status, 200);
    EXPECT_EQ(after.status, 200);
    EXPECT_TRUE(after.body == before.body);
  }
}

TEST_F(StaticCacheTest, ChangesAreSeenOnceItIsNotFresh) {
  folder.options.cache.fresh = 0s;
  folder.write("a", "old");
  const auto [before, after] = before_and_after([&] { write_text(folder.path("a"), "new"); });
  EXPECT_EQ(before.body, "old");
  EXPECT_EQ(after.body, "new");
  EXPECT_NE(before.field("etag"), after.field("etag"));
}

TEST_F(StaticCacheTest, AnotherLengthOfAnOpenFileIsSeenAtOnce) {
  folder.options.cache.fresh = 1h;
  for (const std::size_t bytes :
       {std::size_t{50'000}, std::size_t{150'000}, std::size_t{4}, std::size_t{0}}) {
    folder.write("a", std::string(100'000, 'x'));
    const auto [before, after] =
        before_and_after([&] { std::filesystem::resize_file(folder.path("a"), bytes); });
    EXPECT_EQ(before.body.size(), 100'000U);
    EXPECT_EQ(after.status, 200);
    EXPECT_EQ(after.body.size(), bytes);
    EXPECT_EQ(after.field("content-length"), std::to_string(bytes));
    EXPECT_NE(before.field("etag"), after.field("etag"));
  }
}

TEST_F(StaticCacheTest, SiblingsThatComeAndGoAreSeen) {
  folder.options.cache.fresh = 0s;
  folder.write("a", "plain");
  const auto [before, after] =
      before_and_after([&] { folder.write("a.gz", "gzip"); }, "accept-encoding: gzip\r\n");
  EXPECT_EQ(before.body, "plain");
  EXPECT_EQ(after.body, "gzip");
  const auto [with, without] =
      before_and_after([&] { std::filesystem::remove(folder.path("a.gz")); }, "accept-encoding: gzip\r\n");
  EXPECT_EQ(with.body, "gzip");
  EXPECT_EQ(without.body, "plain");
}

TEST_F(StaticCacheTest, AFileThatWasMissingIsSeenAtOnce) {
  folder.options.cache.fresh = 1h;
  const auto [before, after] = before_and_after([&] { folder.write("a", "new"); });
  EXPECT_EQ(before.status, 404);
  EXPECT_EQ(after.body, "new");
}

TEST_F(StaticCacheTest, AFileThatWasForbiddenIsSeenAtOnce) {
  folder.options.cache.fresh = 1h;
  folder.write("a", "text");
  ASSERT_EQ(::chmod(folder.path("a").c_str(), 0), 0);
  const testing::AsNobody nobody(folder.path());
  const auto [before, after] = before_and_after([&] {
    std::filesystem::remove(folder.path("a"));
    folder.write("a", "text");
  });
  EXPECT_EQ(before.status, 403);
  EXPECT_EQ(after.body, "text");
}

TEST_F(StaticCacheTest, NothingNeedBeKept) {
  folder.options.cache = {.fresh = 1h, .names_max = 0, .open_files_max = 0, .content_bytes_max = 0};
  folder.write("a", "old");
  const auto [before, after] = before_and_after([&] { write_text(folder.path("a"), "new"); });
  EXPECT_EQ(before.body, "old");
  EXPECT_EQ(after.body, "new");
}

TEST_F(StaticCacheTest, AWarmRequestAllocatesNothing) {
  folder.write("small.txt", "text");
  folder.write("large.txt", std::string(100'000, 'x'));
  folder.options.cache.fresh = 1h;
  for (const char* target : {"/small.txt", "/large.txt"}) {
    std::vector<std::size_t> allocations;
    const StaticFiles files(folder.path(), folder.options);
    const auto app = [&](const Scope& scope, Receive& receive, Send& send) {
      const auto before = testing::allocations_of_this_thread();
      files(scope, receive, send);
      allocations.push_back(testing::allocations_of_this_thread() - before);
    };
    std::string requests;
    for (int i = 0; i < 4; ++i) requests += "HEAD " + std::string(target) + " HTTP/1.1\r\nhost: h\r\n\r\n";
    testing::exchange(app, requests);
    ASSERT_EQ(allocations.size(), 4U) << target;
    EXPECT_GT(allocations[0], 0U);
    EXPECT_EQ(allocations[3], 0U) << target;
  }
}

TEST(StaticFilesSafety, PathsThatLeaveTheFolderAreNotFound) {
  StaticFolder outer;
  outer.write("secret", "secret");
  outer.write("public/a/b", "public");
  const StaticFiles files(outer.path("public"));
  for (const char* target :
       {"/../secret", "/a/../../secret", "/a/../b", "/%2e%2e/secret", "/..%2fsecret",
        "/a/%2E%2E/%2E%2E/secret", "/..\\secret", "/..%5csecret", "/a%2Fb", "/./a/b", "/a//b", "//a/b",
        "/a/b%00", "/a/b%01", "/%2e%2e%2f%2e%2e%2fsecret", "/..;/secret", "/a/..%00/secret"}) {
    const auto response = StaticFolder::parsed(
        response_of(files, "GET " + std::string(target) + " HTTP/1.1\r\nhost: h\r\n\r\n"));
    EXPECT_TRUE(response.status == 404 || response.status == 400) << target << response.head;
  }
  const auto absolute = response_of(files, "GET " + outer.path("secret") + " HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_THAT(absolute, HasSubstr("404 Not Found"));
}

TEST(StaticFilesSafety, HiddenFilesAreNotFound) {
  StaticFolder folder;
  folder.write(".env", "secret");
  folder.write(".git/config", "secret");
  folder.write("sub/.htpasswd", "secret");
  folder.write(".well-known/security.txt", "for everybody");
  folder.write("sub/.well-known/x", "not at the front");
  for (const char* target : {"/.env", "/.git/config", "/sub/.htpasswd", "/sub/.well-known/x"}) {
    EXPECT_EQ(folder.get(target).status, 404) << target;
  }
  EXPECT_EQ(folder.get("/.well-known/security.txt").body, "for everybody");
  folder.options.hidden_files = true;
  EXPECT_EQ(folder.get("/.env").body, "secret");
}

TEST(StaticFilesSafety, SymlinksAreFollowedAsFarAsTheOptionSays) {
  StaticFolder outer;
  outer.write("secret", "secret");
  outer.write("public/file", "public");
  std::filesystem::create_symlink("file", outer.path("public/inside"));
  std::filesystem::create_symlink("../secret", outer.path("public/outside"));
  std::filesystem::create_symlink(outer.path("secret"), outer.path("public/absolute"));
  std::filesystem::create_directory_symlink("..", outer.path("public/up"));
  const auto status = [&](Symlinks symlinks, const std::string& target) {
    const StaticFiles files(outer.path("public"), {.symlinks = symlinks});
    return StaticFolder::parsed(response_of(files, "GET " + target + " HTTP/1.1\r\nhost: h\r\n\r\n")).status;
  };
  for (const char* target : {"/outside", "/absolute", "/up/secret"}) {
    EXPECT_EQ(status(Symlinks::refused, target), 404) << target;
    EXPECT_EQ(status(Symlinks::within, target), 404) << target;
    EXPECT_EQ(status(Symlinks::followed, target), 200) << target;
  }
  EXPECT_EQ(status(Symlinks::refused, "/inside"), 404);
  EXPECT_EQ(status(Symlinks::within, "/inside"), 200);
  EXPECT_EQ(status(Symlinks::followed, "/inside"), 200);
}

TEST(StaticFilesSafety, WhatIsNoRegularFileIsNotFound) {
  StaticFolder folder;
  ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0666), 0);
  std::filesystem::create_symlink("/dev/zero", folder.path("device"));
  folder.options.symlinks = Symlinks::followed;
  EXPECT_EQ(folder.get("/fifo").status, 404);
  EXPECT_EQ(folder.get("/device").status, 404);
}

}  // namespace
}  // namespace atlas::asgi
