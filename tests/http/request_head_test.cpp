#include <atlas/http/request_head.hpp>

#include <gtest/gtest.h>

#include <string_view>

namespace atlas::http {
namespace {

RequestHead head_of(std::string_view line) {
  RequestHead head{.request_line = line};
  EXPECT_FALSE(read_request_line(head)) << line;
  return head;
}

TEST(RequestHead, HostsAreNamesAndAddressesWithPorts) {
  for (std::string_view host :
       {"a", "a.b-c.example", "127.0.0.1", "[::1]", "[::ffff:1.2.3.4]:80", "[2001:DB8::a]",
        "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535", "a:1", "a:65535", "a:00080", "1:9999",
        "a:", "a%20b", "a_b", "A~!$&'()*+;="}) {
    EXPECT_TRUE(is_host(host)) << host;
  }
}

TEST(RequestHead, OtherTextsAreNoHosts) {
  for (std::string_view host :
       {"",         ":",          ":80",       "a:65536", "a:99999", "[::1]:65536", "[::]]", "a]:1",
        "a:000080", "a:+1",       "a:8o",      "a:1:2",   "[",       "[]",          "[:",    "[::1",
        "[::1]x",   "[::1]:x",    "[g::1]",    "[:::::]", "[....]",  "[1]",         "[1:2]", "[::1%1]",
        "[::1]]",   "[12345::1]", "[1.2.3.4]", "[v1.a]",  "::1",     "a]",          "u@a",   "a/",
        "a?",       "a#",         "a,b",       "a b",     "a\t",     "{",           "\"a\"", "a%",
        "a%2",      "a%2g",       "\x7F",      "\x80",    "<a>",     "a\\b"}) {
    EXPECT_FALSE(is_host(host)) << host;
  }
  EXPECT_FALSE(is_host(std::string_view("[::1\0]", 6)));
  EXPECT_FALSE(is_host("[" + std::string(60, '0') + "::1]"));
}

TEST(RequestHead, AbsoluteTargetKeepsPortInHost) {
  EXPECT_EQ(head_of("GET http://[::1]:8080/a HTTP/1.1").host, "[::1]:8080");
}

TEST(RequestHead, QueryMayHaveQuestionMarks) {
  const RequestHead head = head_of("GET /a?b?c HTTP/1.1");
  EXPECT_EQ(head.path, "/a");
  EXPECT_EQ(head.query, "b?c");
}

TEST(RequestHead, PathMayHaveTwoSlashesInFront) { EXPECT_EQ(head_of("GET //a HTTP/1.1").path, "//a"); }

}  // namespace
}  // namespace atlas::http
