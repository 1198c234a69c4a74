// Content negotiation (RFC 9110 §12).
#include <atlas/asgi/toolkit/negotiation.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace atlas::negotiation_test {
namespace {

using namespace asgi;
using Choice = std::optional<std::string_view>;

Choice media_type(std::string_view accept) {
  const std::vector<http::Header> fields{{"accept", accept}};
  return choose_media_type(http::HeadersView(fields), {"application/json", "text/html", "text/plain"});
}

TEST(Negotiation, TheMediaTypeWantedMostIsChosen) {
  EXPECT_EQ(media_type("text/html"), "text/html");
  EXPECT_EQ(media_type("text/html;q=0.5, application/json;q=0.4"), "text/html");
  EXPECT_EQ(media_type("*/*"), "application/json");
  EXPECT_EQ(media_type("text/*, application/json;q=0.9"), "text/html");
  EXPECT_EQ(media_type("TEXT/HTML; charset=utf-8 ;Q=0.7, */*;q=0.1"), "text/html");
  EXPECT_EQ(choose_media_type({}, {"a/b", "c/d"}), "a/b");
}

TEST(Negotiation, TheParticularRangeDecides) {
  EXPECT_EQ(media_type("*/*, application/json;q=0"), "text/html");
  EXPECT_EQ(media_type("text/*;q=0.9, text/html;q=0.1, application/*;q=0.5"), "text/plain");
}

TEST(Negotiation, ParametersOfARangeMustBeThere) {
  constexpr const char *v1 = "application/json;version=1", *v2 = "application/json; version=2";
  const auto choose_of = [&](std::string_view accept) {
    const http::Header field{"accept", accept};
    return choose_media_type(http::HeadersView({&field, 1}), {v1, v2, "application/json"});
  };
  EXPECT_EQ(choose_of("application/json;version=2"), v2);
  EXPECT_EQ(choose_of("application/json; Version=1; q=0.1"), v1);
  EXPECT_EQ(choose_of("application/json;version=3"), std::nullopt);
  EXPECT_EQ(choose_of("application/json"), v1);
  EXPECT_EQ(choose_of("application/json;q=0.5, application/json;version=2"), v2);
  EXPECT_EQ(choose_of("*/*, application/json;version=1;q=0.2"), v2);
}

TEST(Negotiation, NothingIsChosenWhenNothingIsWanted) {
  EXPECT_EQ(media_type("image/png"), std::nullopt);
  EXPECT_EQ(media_type("*/*;q=0"), std::nullopt);
  EXPECT_EQ(media_type(""), std::nullopt);
}

TEST(Negotiation, MalformedElementsDoNotCount) {
  EXPECT_EQ(media_type("text/html;q=2, text/plain;q=0.1"), "text/plain");
  EXPECT_EQ(media_type("text/html;q=, ;;;, /, text/plain"), "text/plain");
}

TEST(Negotiation, LongListsAreBounded) {
  std::string accept;
  for (int i = 0; i < 100; ++i) accept += "image/png,";
  EXPECT_EQ(media_type(accept + "text/html"), std::nullopt);
}

TEST(Negotiation, ALanguageRangeTakesItsDialects) {
  const auto language = [](std::string_view accept) {
    const std::vector<http::Header> fields{{"accept-language", accept}};
    return choose_language(http::HeadersView(fields), {"en-GB", "de", "fr"});
  };
  EXPECT_EQ(language("de-CH, de;q=0.9, en;q=0.8"), "de");
  EXPECT_EQ(language("en"), "en-GB");
  EXPECT_EQ(language("en-US"), std::nullopt);
  EXPECT_EQ(language("fr;q=0.1, *;q=0.5"), "en-GB");
  EXPECT_EQ(language("*;q=0.5, en-GB;q=0, de;q=0.4"), "fr");
}

TEST(Negotiation, ACodingIsChosenOnlyWhereOneIsWanted) {
  const auto coding = [](std::string_view accept) {
    const std::vector<http::Header> fields{{"accept-encoding", accept}};
    return choose_coding(http::HeadersView(fields), {"br", "zstd", "gzip"});
  };
  EXPECT_EQ(choose_coding({}, {"br"}), std::nullopt);
  EXPECT_EQ(coding("gzip, deflate, br"), "br");
  EXPECT_EQ(coding("gzip;q=1, br;q=0.5"), "gzip");
  EXPECT_EQ(coding("*"), "br");
  EXPECT_EQ(coding("identity"), std::nullopt);
  EXPECT_EQ(coding("identity, gzip;q=0.5"), std::nullopt);
  EXPECT_EQ(coding("br;q=0, gzip"), "gzip");
  EXPECT_EQ(coding(""), std::nullopt);
}

}  // namespace
}  // namespace atlas::negotiation_test
