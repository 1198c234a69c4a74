#include <atlas/http/request_parser.hpp>

#include "http/request_transcript.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace atlas::http {
namespace {

struct Attempt {
  std::string_view name;
  std::string_view fields;  // of a POST
  std::string_view body;
};

// Each hides a second request behind a framing that two readers could take for two things.
constexpr Attempt attempts[] = {
    {"CL.TE", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
    {"TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5\r\n12345\r\n0\r\n\r\n"},
    {"CL.CL", "Content-Length: 0\r\nContent-Length: 5\r\n", "12345"},
    {"CL list", "Content-Length: 0, 5\r\n", "12345"},
    {"CL with plus", "Content-Length: +5\r\n", "12345"},
    {"CL in a folded line", "A: b\r\n Content-Length: 5\r\n", ""},
    {"TE with space before colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n"},
    {"TE behind a bare LF", "A: b\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
    {"TE behind a bare CR", "A: b\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
    {"TE with vertical tab",
     "Transfer-Encoding: \x0B"
     "chunked\r\n",
     "0\r\n\r\n"},
    {"TE prefixed", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"},
    {"TE twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"},
    {"TE with a tab", "Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n"},
    {"TE quoted", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"},
    {"TE folded", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"},
    {"TE first line indented", " Transfer-Encoding: chunked\r\n", "0\r\n\r\n"},
    {"TE with NUL in its name", {"Transfer-Encoding\0: chunked\r\n", 29}, "0\r\n\r\n"},
    {"chunk line ends in LF", "Transfer-Encoding: chunked\r\n", "2\nxx\r\n0\r\n\r\n"},
    {"chunk extension with LF", "Transfer-Encoding: chunked\r\n", "2;a\nxx\r\n0\r\n\r\n"},
    {"chunk size overflows", "Transfer-Encoding: chunked\r\n", "10000000000000000\r\n\r\n0\r\n\r\n"},
    {"chunk size with 0x", "Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n"},
    {"chunk size with underscore", "Transfer-Encoding: chunked\r\n", "0_2\r\nxx\r\n0\r\n\r\n"},
    {"chunk data too long", "Transfer-Encoding: chunked\r\n", "2\r\nxxx\r\n0\r\n\r\n"},
    {"last chunk ends in LF", "Transfer-Encoding: chunked\r\n", "0\n\r\n"},
    {"trailer section ends in LF", "Transfer-Encoding: chunked\r\n", "0\r\n\n"},
    {"framing in trailers", "Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 30\r\n\r\n"},
};

TEST(RequestSmuggling, NoAttemptReachesTheHiddenRequest) {
  for (const Attempt& attempt : attempts) {
    SCOPED_TRACE(attempt.name);
    const std::string input = "POST /front HTTP/1.1\r\nHost: h\r\n" + std::string(attempt.fields) + "\r\n" +
                              std::string(attempt.body) + "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n";
    const std::string transcript = testing::transcribe(input);
    EXPECT_NE(transcript.find("error "), std::string::npos) << transcript;
    EXPECT_EQ(transcript.find("complete"), std::string::npos) << transcript;
    EXPECT_EQ(transcript.find("/hidden"), std::string::npos) << transcript;
  }
}

}  // namespace
}  // namespace atlas::http
