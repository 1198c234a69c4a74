#include <atlas/http/status.hpp>

#include <gtest/gtest.h>

namespace atlas::http {
namespace {

TEST(Status, RegisteredCodesHavePhrases) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(413), "Content Too Large");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
}

TEST(Status, OtherCodesHaveNone) {
  for (int status : {-1, 0, 99, 299, 306, 418, 599, 600}) EXPECT_EQ(reason_phrase(status), "") << status;
}

TEST(Status, FinalOnesAreFrom200To599) {
  EXPECT_FALSE(is_final(199));
  EXPECT_TRUE(is_final(200));
  EXPECT_TRUE(is_final(599));
  EXPECT_FALSE(is_final(600));
}

TEST(Status, SomeForbidBodyOrLength) {
  for (int status : {100, 103, 204, 205, 304}) EXPECT_TRUE(forbids_body(status)) << status;
  for (int status : {200, 206, 404}) EXPECT_FALSE(forbids_body(status)) << status;
  for (int status : {101, 204}) EXPECT_TRUE(forbids_content_length(status)) << status;
  for (int status : {200, 205, 304}) EXPECT_FALSE(forbids_content_length(status)) << status;
}

}  // namespace
}  // namespace atlas::http
