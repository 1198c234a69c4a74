// Files as responses of handlers.
#include <atlas/asgi/toolkit/file_response.hpp>

#include "support/temporary_folder.hpp"

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace atlas::file_response_test {
namespace {

using namespace asgi;

class FileResponses : public ::testing::Test {
 protected:
  FileResponses() { std::ofstream(folder_.file("a.html")) << "<p>"; }

  TestResponse get(const std::string& name, const FileResponse& options = {}) {
    Router routes;
    routes.get("/", [&] { return file(folder_.file(name), options); });
    TestClient client(routes);
    return client.get("/");
  }

  testing::TemporaryFolder folder_;
};

TEST_F(FileResponses, HaveTypeAndLength) {
  const auto response = get("a.html");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(response.header("content-length"), "3");
  EXPECT_EQ(response.body, "<p>");
  EXPECT_EQ(get("a.html", {.media_type = "text/x"}).header("content-type"), "text/x");
}

TEST_F(FileResponses, AreSavedUnderANameThatIsSafe) {
  EXPECT_EQ(
      get("a.html", {.download_name = "../r\xc3\xa9sum\xc3\xa9 \"1\".html"}).header("content-disposition"),
      "attachment; filename=\"r__sum__ _1_.html\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.html");
}

TEST_F(FileResponses, AreNotThereWhenTheFileIsNot) {
  EXPECT_EQ(get("b.html").status, 404);
  std::filesystem::create_directory(folder_.file("folder"));
  EXPECT_EQ(get("folder").status, 404);
  EXPECT_THROW(static_cast<void>(file("a.html")), std::invalid_argument);
}

}  // namespace
}  // namespace atlas::file_response_test
