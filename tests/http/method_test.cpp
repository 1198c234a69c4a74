#include <atlas/http/method.hpp>

#include <gtest/gtest.h>

namespace atlas::http {
namespace {

TEST(Method, NamesAndMethodsBelongTogether) {
  for (int value = 0; value < static_cast<int>(Method::unknown); ++value) {
    const Method method = static_cast<Method>(value);
    EXPECT_EQ(method_from(to_string(method)), method) << to_string(method);
  }
  EXPECT_EQ(to_string(Method::get), "GET");
  EXPECT_EQ(to_string(Method::delete_), "DELETE");
  EXPECT_EQ(to_string(Method::version_control), "VERSION-CONTROL");
}

TEST(Method, OtherNamesAreUnknown) {
  for (std::string_view name : {"", "get", "GETT", "GE", "BREW"})
    EXPECT_EQ(method_from(name), Method::unknown) << name;
  EXPECT_EQ(to_string(Method::unknown), "");
}

}  // namespace
}  // namespace atlas::http
