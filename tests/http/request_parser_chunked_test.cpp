#include <atlas/http/request_parser.hpp>

#include "http/request_transcript.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas::http {
namespace {

// What becomes of a chunked request with that body: the transcript without the head's line.
std::string after_head(std::string_view body, const Limits& limits = {}) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string transcript = testing::transcribe(head + std::string(body), limits);
  return transcript.substr(transcript.find('\n') + 1);
}

TEST(ChunkedBody, IsGivenWithoutItsFraming) {
  EXPECT_EQ(after_head("5\r\n12345\r\nA\r\n1234567890\r\n0\r\n\r\n"), "body 123451234567890\ncomplete\n");
}

TEST(ChunkedBody, MayBeEmpty) { EXPECT_EQ(after_head("0\r\n\r\n"), "complete\n"); }

TEST(ChunkedBody, DataMayLookLikeFraming) {
  EXPECT_EQ(after_head("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), "body \r\n0\r\n\r\n\ncomplete\n");
}

TEST(ChunkedBody, SizeMayBeInEitherCaseAndHaveLeadingZeros) {
  EXPECT_EQ(after_head("00a\r\n1234567890\r\n00000B\r\n12345678901\r\n000\r\n\r\n"),
            "body 123456789012345678901\ncomplete\n");
}

TEST(ChunkedBody, LeavesWhatFollowsIt) {
  EXPECT_EQ(after_head("1\r\na\r\n0\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
            "body a\ncomplete\nhead GET / 1.0 close\ncomplete\n");
}

TEST(ChunkedBody, TrailersComeWithTheEnd) {
  EXPECT_EQ(after_head("1\r\na\r\n0\r\nX-Sum: 1\r\nY:\t2 \r\n\r\n"), "body a\ncomplete [x-sum=1] [y=2]\n");
}

TEST(ChunkedBody, FramingFieldsAmongTrailersAreRefused) {
  for (std::string field : {"Content-Length: 5", "Transfer-Encoding: chunked", "Host: h"}) {
    SCOPED_TRACE(field);
    EXPECT_EQ(after_head("0\r\n" + field + "\r\n\r\n"), "error 400 forbidden trailer field\n");
  }
}

TEST(ChunkedBody, MalformedTrailersAreRefused) {
  EXPECT_EQ(after_head("0\r\nA b\r\n\r\n"), "error 400 malformed header line\n");
  EXPECT_EQ(after_head("0\r\nA: b\n\r\n"), "error 400 malformed header line\n");
  EXPECT_EQ(after_head("0\r\n\n"), "error 400 header section does not end in CRLF\n");
  EXPECT_EQ(after_head("0\r\nA: b\r\n c\r\n\r\n"), "error 400 folded header line\n");
}

TEST(ChunkedBody, MalformedSizeIsRefused) {
  for (std::string line : {"", "g", "0x5", "+5", "-5", "1_0", "5g", " 5", "\t5", "5,", "five"}) {
    SCOPED_TRACE(line);
    EXPECT_EQ(after_head(line + "\r\n12345\r\n0\r\n\r\n"),
              "error 400 chunk size is not a hexadecimal number\n");
  }
}

TEST(ChunkedBody, SizeWithTooManyDigitsIsRefused) {
  EXPECT_EQ(after_head("00000000000000005\r\n12345"), "error 400 chunk size has too many digits\n");
  EXPECT_EQ(after_head("10000000000000005\r\n12345"), "error 400 chunk size has too many digits\n");
}

TEST(ChunkedBody, BareLineFeedsAreRefused) {
  EXPECT_EQ(after_head("1\na\r\n0\r\n\r\n"), "error 400 chunk size is not a hexadecimal number\n");
  EXPECT_EQ(after_head("1\r\na\n0\r\n\r\n"), "body a\nerror 400 chunk data does not end in CRLF\n");
  EXPECT_EQ(after_head("1;a\na\r\n0\r\n\r\n"), "error 400 malformed chunk extension\n");
}

TEST(ChunkedBody, BareCarriageReturnsAreRefused) {
  EXPECT_EQ(after_head("1\ra\r\n"), "error 400 bare CR in a chunk line\n");
  EXPECT_EQ(after_head("1;a=\"\r\"\r\na\r\n"), "error 400 malformed chunk extension\n");
  EXPECT_EQ(after_head("1;a=b\rc\r\na\r\n"), "error 400 bare CR in a chunk line\n");
  EXPECT_EQ(after_head("1\r\na\rb"), "body a\nerror 400 chunk data does not end in CRLF\n");
}

TEST(ChunkedBody, DataMustEndInCrlf) {
  EXPECT_EQ(after_head("1\r\nab0\r\n\r\n"), "body a\nerror 400 chunk data does not end in CRLF\n");
}

TEST(ChunkedBody, ExtensionsAreSkipped) {
  for (std::string extension :
       {";a", ";a=b", ";a=\"b\"", " ;a", "\t;a", "; a", ";a =b", ";a= b", ";a = \"b\" ;c", ";a;b;c=d",
        ";a=\"b;\tc\\\"\\\\\"", ";a=\"\"", ";a=\"\xFF\"", ";a ; b"}) {
    SCOPED_TRACE(extension);
    EXPECT_EQ(after_head("1" + extension + "\r\na\r\n0" + extension + "\r\n\r\n"), "body a\ncomplete\n");
  }
}

TEST(ChunkedBody, MalformedExtensionsAreRefused) {
  for (std::string extension : {";",    " ",      "\t",        ";a ",         ";a=b ",  ";a=\"b\" ", ";a=",
                                ";=b",  ";a=\"b", ";a=\"b\"c", ";a b",        ";a=b c", ";;a",       ";(",
                                ";a=(", " a",     ";a=\"\\",   ";a=\"\x7F\"", ";a\x01", ";a=\x01"}) {
    SCOPED_TRACE(extension);
    EXPECT_EQ(after_head("1" + extension + "\r\na\r\n0\r\n\r\n"), "error 400 malformed chunk extension\n");
  }
  EXPECT_EQ(after_head(std::string("1;a=\0\r\na\r\n", 10)), "error 400 malformed chunk extension\n");
}

}  // namespace
}  // namespace atlas::http
