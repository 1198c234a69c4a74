// Ranges of static files, section by section of RFC 9110.
#include "support/static_folder.hpp"

#include <atlas/asgi/static_ranges.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atlas::asgi {
namespace {

using ::testing::MatchesRegex;
using testing::StaticFolder;
using Kind = RangeChoice::Kind;

constexpr std::size_t ranges_max = 4;

RangeChoice parts(std::vector<ByteRange> ranges) {
  return {.kind = Kind::parts, .ranges = std::move(ranges)};
}

RangeChoice of_ten(std::string_view field) { return choose_ranges(field, 10, ranges_max); }

class StaticRanges : public ::testing::TestWithParam<std::size_t> {
 protected:
  // Small ones are sent from memory, large ones from the file.
  StaticRanges() {
    while (text.size() < GetParam()) text += std::to_string(text.size()) + ' ';
    folder.write("a.txt", text);
  }

  StaticFolder folder;
  std::string text;
};

INSTANTIATE_TEST_SUITE_P(Sizes, StaticRanges, ::testing::Values(1'000, 300'000));

// RFC 9110 §14.1.2
TEST(ByteRanges, AreOfThreeForms) {
  EXPECT_EQ(of_ten("bytes=2-4"), parts({{2, 3}}));
  EXPECT_EQ(of_ten("bytes=2-"), parts({{2, 8}}));
  EXPECT_EQ(of_ten("bytes=-3"), parts({{7, 3}}));
  EXPECT_EQ(of_ten("bytes=0-0"), parts({{0, 1}}));
  EXPECT_EQ(of_ten("BYTES=9-9"), parts({{9, 1}}));
}

// RFC 9110 §14.1.2: beyond the end
TEST(ByteRanges, EndWithTheRepresentation) {
  EXPECT_EQ(of_ten("bytes=8-99"), parts({{8, 2}}));
  EXPECT_EQ(of_ten("bytes=-99"), parts({{0, 10}}));
  EXPECT_EQ(of_ten("bytes=8-99999999999999999999999"), parts({{8, 2}}));
  EXPECT_EQ(of_ten("bytes=-99999999999999999999999"), parts({{0, 10}}));
}

// RFC 9110 §14.1.2, §15.5.17
TEST(ByteRanges, ThatBeginBehindTheEndCannotBeSatisfied) {
  EXPECT_EQ(of_ten("bytes=10-").kind, Kind::unsatisfiable);
  EXPECT_EQ(of_ten("bytes=99999999999999999999999-").kind, Kind::unsatisfiable);
  EXPECT_EQ(of_ten("bytes=-0").kind, Kind::unsatisfiable);
  EXPECT_EQ(of_ten("bytes=10-11, 20-").kind, Kind::unsatisfiable);
  EXPECT_EQ(of_ten("bytes=10-11, 0-1"), parts({{0, 2}}));
}

// RFC 9110 §14.1.2: a suffix range of nothing can be satisfied, and has no Content-Range
TEST(ByteRanges, OfNothingDoNotCount) {
  for (const char* field : {"bytes=0-", "bytes=-5", "bytes=-0", "bytes=0-0,-1"}) {
    EXPECT_EQ(choose_ranges(field, 0, ranges_max).kind, Kind::all) << field;
  }
}

// RFC 9110 §14.2: "MAY ignore or reject a Range header field that contains an invalid ranges-specifier"
TEST(ByteRanges, ThatAreMalformedDoNotCount) {
  for (const char* field : {"", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=1", "bytes=4-2", "bytes=-",
                            "bytes=--1", "bytes=1-2-3", "bytes=+1-2", "bytes= 1 - 2", "bytes=0x1-2",
                            "lines=1-2", "bytes 1-2", "bytes=1-2, x", "bytes =1-2"}) {
    EXPECT_EQ(of_ten(field).kind, Kind::all) << field;
  }
}

// RFC 9110 §14.2, §17.15: many or overlapping ranges
TEST(ByteRanges, ThatAreManyOrOverlapDoNotCount) {
  EXPECT_EQ(of_ten("bytes=0-0,2-2,4-4,6-6").kind, Kind::parts);
  EXPECT_EQ(of_ten("bytes=0-0,2-2,4-4,6-6,8-8").kind, Kind::all);
  EXPECT_EQ(of_ten("bytes=99-,99-,99-,99-,0-1").kind, Kind::all);
  EXPECT_EQ(of_ten("bytes=0-4,4-9").kind, Kind::all);
  EXPECT_EQ(of_ten("bytes=0-,0-").kind, Kind::all);
  EXPECT_EQ(of_ten("bytes=5-9,0-4"), parts({{5, 5}, {0, 5}}));
}

// RFC 9110 §14.2, §14.4, §15.3.7.1
TEST_P(StaticRanges, OneRangeIsAPartialResponse) {
  const auto response = folder.get("/a.txt", "range: bytes=10-19\r\n");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.body, text.substr(10, 10));
  EXPECT_EQ(response.field("content-range"), "bytes 10-19/" + std::to_string(text.size()));
  EXPECT_EQ(response.field("content-length"), "10");
  EXPECT_EQ(response.field("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(response.field("etag"), folder.get("/a.txt").field("etag"));
  EXPECT_TRUE(folder.get("/a.txt", "range: bytes=5-\r\n").body == text.substr(5));
  EXPECT_EQ(folder.get("/a.txt", "range: bytes=-7\r\n").body, text.substr(text.size() - 7));
}

// RFC 9110 §15.3.7.2, §14.6
TEST_P(StaticRanges, SeveralAreAMultipartResponse) {
  const auto response = folder.get("/a.txt", "range: bytes=0-1, 10-12\r\n");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.field("content-range"), std::nullopt);
  EXPECT_EQ(response.field("content-length"), std::to_string(response.body.size()));
  const auto type = response.field("content-type").value();
  ASSERT_THAT(type, MatchesRegex("multipart/byteranges; boundary=[0-9a-f]+"));
  const auto boundary = type.substr(type.find('=') + 1);
  const auto total = std::to_string(text.size());
  EXPECT_EQ(response.body, "--" + boundary +
                               "\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 0-1/" +
                               total + "\r\n\r\n" + text.substr(0, 2) + "\r\n--" + boundary +
                               "\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 10-12/" +
                               total + "\r\n\r\n" + text.substr(10, 3) + "\r\n--" + boundary + "--\r\n");
}

// RFC 9110 §15.3.7.2: "A server MUST NOT generate a multipart response to a request for a single range"
TEST_P(StaticRanges, SeveralOfWhichOneCanBeSatisfiedAreOne) {
  const auto response = folder.get("/a.txt", "range: bytes=0-1, 999999-\r\n");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.body, text.substr(0, 2));
}

// RFC 9110 §15.5.17, §14.4
TEST_P(StaticRanges, ThatCannotBeSatisfiedAreRefusedWithTheLength) {
  const auto response = folder.get("/a.txt", "range: bytes=999999-\r\n");
  EXPECT_EQ(response.status, 416);
  EXPECT_EQ(response.field("content-range"), "bytes */" + std::to_string(text.size()));
}

// RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request method that ..."
TEST_P(StaticRanges, DoNotCountForHead) {
  const auto response = folder.request("HEAD", "/a.txt", "range: bytes=0-1\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("content-length"), std::to_string(text.size()));
}

TEST_P(StaticRanges, GivenTwiceDoNotCount) {
  EXPECT_EQ(folder.get("/a.txt", "range: bytes=0-1\r\nrange: bytes=0-1\r\n").status, 200);
}

TEST_P(StaticRanges, OfACompressedSiblingAreOfItsBytes) {
  folder.write("a.txt.gz", "compressed");
  const auto response = folder.get("/a.txt", "accept-encoding: gzip\r\nrange: bytes=2-4\r\n");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.body, "mpr");
  EXPECT_EQ(response.field("content-encoding"), "gzip");
  EXPECT_EQ(response.field("content-range"), "bytes 2-4/10");
}

}  // namespace
}  // namespace atlas::asgi
