// Conditional requests for static files, section by section of RFC 9110.
#include "support/static_folder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atlas::asgi {
namespace {

using testing::StaticFolder;

constexpr auto same_date = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr auto earlier_date = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr auto later_date = "Sun, 06 Nov 1994 08:49:38 GMT";

class StaticConditions : public ::testing::Test {
 protected:
  StaticConditions() {
    folder.write("a", "0123456789");
    etag = folder.get("/a").field("etag").value();
  }

  int status_with(const std::string& fields) const { return folder.get("/a", fields).status; }

  StaticFolder folder;
  std::string etag;
};

// RFC 9110 §8.8.1, §8.8.3
TEST_F(StaticConditions, TheTagOfAFileThatHasJustChangedIsWeak) {
  testing::write_text(folder.path("new"), "text");
  const auto weak = folder.get("/new").field("etag").value();
  EXPECT_TRUE(weak.starts_with("W/\"")) << weak;
  EXPECT_TRUE(etag.starts_with('"')) << etag;
  EXPECT_EQ(folder.get("/new", "if-none-match: " + weak + "\r\n").status, 304);
  EXPECT_EQ(folder.get("/new", "if-match: " + weak + "\r\n").status, 412);
}

// RFC 9110 §8.8.2.1
TEST_F(StaticConditions, NoDateLiesInTheFuture) {
  folder.set_modified("a", StaticFolder::modified + std::int64_t{50} * 365 * 86'400);
  const auto future = folder.get("/a").field("last-modified").value();
  EXPECT_LT(future.substr(12, 4), "2044") << future;
}

// RFC 9110 §13.1.1
TEST_F(StaticConditions, IfMatchComparesStrongly) {
  EXPECT_EQ(status_with("if-match: " + etag + "\r\n"), 200);
  EXPECT_EQ(status_with("if-match: *\r\n"), 200);
  EXPECT_EQ(status_with("if-match: \"x\", " + etag + "\r\n"), 200);
  EXPECT_EQ(status_with("if-match: \"x\"\r\nif-match: " + etag + "\r\n"), 200);
  EXPECT_EQ(status_with("if-match: \"x\"\r\n"), 412);
  EXPECT_EQ(status_with("if-match: W/" + etag + "\r\n"), 412);
  EXPECT_EQ(status_with("if-match:\r\n"), 412);
  EXPECT_EQ(status_with("if-match: x\r\n"), 412);
}

// RFC 9110 §13.1.2
TEST_F(StaticConditions, IfNoneMatchComparesWeakly) {
  EXPECT_EQ(status_with("if-none-match: " + etag + "\r\n"), 304);
  EXPECT_EQ(status_with("if-none-match: W/" + etag + "\r\n"), 304);
  EXPECT_EQ(status_with("if-none-match: *\r\n"), 304);
  EXPECT_EQ(status_with("if-none-match: \"a,b\" ,, " + etag + "\r\n"), 304);
  EXPECT_EQ(status_with("if-none-match: \"x\"\r\nif-none-match: " + etag + "\r\n"), 304);
  EXPECT_EQ(status_with("if-none-match: \"x\"\r\n"), 200);
  EXPECT_EQ(status_with("if-none-match: x, " + etag + "\r\n"), 200);
  EXPECT_EQ(status_with("if-none-match: " + etag.substr(0, etag.size() - 1) + "\r\n"), 200);
}

// RFC 9110 §13.1.3, §5.6.7
TEST_F(StaticConditions, IfModifiedSinceTakesEachFormOfADate) {
  EXPECT_EQ(status_with("if-modified-since: " + std::string(same_date) + "\r\n"), 304);
  EXPECT_EQ(status_with("if-modified-since: " + std::string(later_date) + "\r\n"), 304);
  EXPECT_EQ(status_with("if-modified-since: " + std::string(earlier_date) + "\r\n"), 200);
  EXPECT_EQ(status_with("if-modified-since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), 304);
  EXPECT_EQ(status_with("if-modified-since: Sun Nov  6 08:49:37 1994\r\n"), 304);
}

// RFC 9110 §13.1.3: "A recipient MUST ignore the If-Modified-Since header field if ..."
TEST_F(StaticConditions, AnIfModifiedSinceThatIsNoDateIsIgnored) {
  EXPECT_EQ(status_with("if-modified-since: yesterday\r\n"), 200);
  EXPECT_EQ(status_with("if-modified-since: Sun, 06 Nov 1994 08:49:37\r\n"), 200);
  EXPECT_EQ(status_with("if-modified-since: 784111777\r\n"), 200);
  const std::string line = "if-modified-since: " + std::string(same_date) + "\r\n";
  EXPECT_EQ(status_with(line + line), 200);
}

// RFC 9110 §13.1.4
TEST_F(StaticConditions, IfUnmodifiedSinceFailsForAnOlderDate) {
  EXPECT_EQ(status_with("if-unmodified-since: " + std::string(same_date) + "\r\n"), 200);
  EXPECT_EQ(status_with("if-unmodified-since: " + std::string(earlier_date) + "\r\n"), 412);
  EXPECT_EQ(status_with("if-unmodified-since: long ago\r\n"), 200);
}

// RFC 9110 §13.1.5
TEST_F(StaticConditions, IfRangeDecidesWhetherTheRangeCounts) {
  const std::string range = "range: bytes=0-3\r\n";
  EXPECT_EQ(status_with(range + "if-range: " + etag + "\r\n"), 206);
  EXPECT_EQ(status_with(range + "if-range: " + same_date + "\r\n"), 206);
  EXPECT_EQ(status_with(range + "if-range: \"x\"\r\n"), 200);
  EXPECT_EQ(status_with(range + "if-range: W/" + etag + "\r\n"), 200);
  EXPECT_EQ(status_with(range + "if-range: " + earlier_date + "\r\n"), 200);
  EXPECT_EQ(status_with(range + "if-range: " + later_date + "\r\n"), 200);
  EXPECT_EQ(status_with(range + "if-range: *\r\n"), 200);
  EXPECT_EQ(status_with("if-range: \"x\"\r\n"), 200);
}

// RFC 9110 §8.8.2.2
TEST_F(StaticConditions, TheDateOfAFileThatHasJustChangedIsNotStrongEnoughForIfRange) {
  testing::write_text(folder.path("new"), "text");
  const auto date = folder.get("/new").field("last-modified").value();
  EXPECT_EQ(folder.get("/new", "range: bytes=0-1\r\nif-range: " + date + "\r\n").status, 200);
}

// RFC 9110 §13.2.2, steps 1 and 2
TEST_F(StaticConditions, IfMatchGoesBeforeIfUnmodifiedSince) {
  EXPECT_EQ(status_with("if-match: " + etag + "\r\nif-unmodified-since: " + earlier_date + "\r\n"), 200);
  EXPECT_EQ(status_with("if-match: \"x\"\r\nif-unmodified-since: " + std::string(same_date) + "\r\n"), 412);
}

// RFC 9110 §13.2.2, steps 3 and 4
TEST_F(StaticConditions, IfNoneMatchGoesBeforeIfModifiedSince) {
  EXPECT_EQ(status_with("if-none-match: \"x\"\r\nif-modified-since: " + std::string(same_date) + "\r\n"),
            200);
  EXPECT_EQ(status_with("if-none-match: " + etag + "\r\nif-modified-since: " + earlier_date + "\r\n"), 304);
}

// RFC 9110 §13.2.2: the first that fails answers
TEST_F(StaticConditions, FailingGoesBeforeNotModifiedAndBothBeforeRanges) {
  EXPECT_EQ(status_with("if-match: \"x\"\r\nif-none-match: " + etag + "\r\nrange: bytes=0-1\r\n"), 412);
  EXPECT_EQ(status_with("if-match: " + etag + "\r\nif-none-match: " + etag + "\r\nrange: bytes=0-1\r\n"),
            304);
}

// RFC 9110 §13.2.1: "... if the response without it would be other than 2xx"
TEST_F(StaticConditions, DoNotCountForWhatIsNotThere) {
  EXPECT_EQ(folder.get("/missing", "if-match: *\r\n").status, 404);
  EXPECT_EQ(folder.get("/missing", "if-none-match: *\r\n").status, 404);
}

// RFC 9110 §15.4.5
TEST_F(StaticConditions, NotModifiedHasTheTagAndNoBody) {
  const auto response = folder.get("/a", "if-none-match: *\r\n");
  EXPECT_EQ(response.head, "HTTP/1.1 304 Not Modified\r\netag: " + etag + "\r\n\r\n");
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(folder.request("HEAD", "/a", "if-none-match: *\r\n").head, response.head);
}

}  // namespace
}  // namespace atlas::asgi
