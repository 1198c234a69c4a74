#include <atlas/http/response_check.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace atlas::http {
namespace {

using Kind = HeaderFault::Kind;

TEST(ResponseCheck, SoundHeadersHaveNoFault) {
  const std::vector<Header> headers{{"link", "</a.css>"}, {"X-A", ""}, {"x-a", "\xFF\t"}};
  EXPECT_EQ(find_interim_fault(headers), std::nullopt);
  EXPECT_EQ(find_interim_fault({}), std::nullopt);
  EXPECT_EQ(find_trailer_fault(headers), std::nullopt);
}

TEST(ResponseCheck, NamesMustBeTokens) {
  for (std::string_view name : {"", "a b", "a:", "a\r\nb", "\xE4"}) {
    const std::vector<Header> headers{{"a", "b"}, {name, "c"}};
    EXPECT_EQ(find_interim_fault(headers), (HeaderFault{Kind::bad_name, 1})) << name;
    EXPECT_EQ(find_trailer_fault(headers), (HeaderFault{Kind::bad_name, 1})) << name;
  }
}

TEST(ResponseCheck, ValuesMayNotSplitTheResponse) {
  for (std::string_view value :
       {std::string_view("a\r\nb: c"), std::string_view("a\n"), std::string_view("\0", 1)}) {
    const std::vector<Header> headers{{"a", value}};
    EXPECT_EQ(find_interim_fault(headers), (HeaderFault{Kind::bad_value, 0})) << value;
    EXPECT_EQ(find_trailer_fault(headers), (HeaderFault{Kind::bad_value, 0})) << value;
  }
}

TEST(ResponseCheck, TrailersMayNotFrameOrRoute) {
  for (std::string_view name : {"content-length", "Transfer-Encoding", "host", "trailer", "set-cookie"}) {
    const std::vector<Header> trailers{{"x-sum", "1"}, {name, "1"}};
    EXPECT_EQ(find_trailer_fault(trailers), (HeaderFault{Kind::forbidden_trailer, 1})) << name;
  }
}

TEST(ResponseCheck, EachFaultIsDescribed) {
  EXPECT_EQ(describe(Kind::bad_name), "header name is not a token");
  EXPECT_EQ(describe(Kind::bad_value), "header value has a control character");
  EXPECT_EQ(describe(Kind::bad_content_length),
            "content-length is not a decimal number of at most 18 digits");
  EXPECT_EQ(describe(Kind::repeated_content_length), "content-length is given more than once");
  EXPECT_EQ(describe(Kind::forbidden_trailer), "header field may not be a trailer");
}

}  // namespace
}  // namespace atlas::http
