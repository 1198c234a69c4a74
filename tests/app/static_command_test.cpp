// `atlas serve --static` as people run it, asked by real clients.
#include "app/running_server.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace atlas::testing {
namespace {

std::string numbers(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + ' ';
  return text;
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class StaticCommand : public ::testing::Test {
 protected:
  StaticCommand() {
    std::filesystem::create_directory(folder.file("public"));
    write("public/large.txt", large);
    write("public/index.html", "<h1>hello</h1>");
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.file(name), std::ios::binary) << text;
  }

  /// Runs curl with `arguments`; its status.
  static std::optional<int> curl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"/usr/bin/curl", "--silent", "--show-error", "--max-time", "20"});
    Process process(arguments);
    return process.wait();
  }

  const std::string large = numbers(5'000'000);
  TemporaryFolder folder;
};

TEST_F(StaticCommand, ServesAFolder) {
  RunningServer server({"--static", folder.file("public")});
  EXPECT_EQ(server.get("/").body, "<h1>hello</h1>");
  EXPECT_EQ(server.get("/missing").status, 404);
  const auto response = server.get("/large.txt");
  EXPECT_EQ(response.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_TRUE(response.body == large);
  EXPECT_EQ(server.stop(), 0);
}

TEST_F(StaticCommand, ManyRequestsOnOneConnectionKeepTheirOrder) {
  RunningServer server({"--static", folder.file("public")});
  BlockingClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    client.send_request("GET", "/large.txt");
    client.send_request("GET", "/");
    EXPECT_TRUE(client.receive().body == large);
    EXPECT_EQ(client.receive().body, "<h1>hello</h1>");
  }
}

TEST_F(StaticCommand, CurlResumesADownload) {
  ASSERT_TRUE(std::filesystem::exists("/usr/bin/curl")) << "scripts/setup test installs it";
  RunningServer server({"--static", folder.file("public")});
  const auto url = "http://127.0.0.1:" + std::to_string(server.port()) + "/large.txt";
  write("copy", large.substr(0, 1'234'567));
  EXPECT_EQ(curl({"--continue-at", "-", "--output", folder.file("copy"), url}), 0);
  EXPECT_TRUE(text_of_file(folder.file("copy")) == large);
}

TEST_F(StaticCommand, CurlDownloadsOnlyWhatHasChanged) {
  ASSERT_TRUE(std::filesystem::exists("/usr/bin/curl")) << "scripts/setup test installs it";
  RunningServer server({"--static", folder.file("public")});
  const auto url = "http://127.0.0.1:" + std::to_string(server.port()) + "/large.txt";
  const std::vector<std::string> arguments = {"--etag-save",
                                              folder.file("tag"),
                                              "--etag-compare",
                                              folder.file("tag"),
                                              "--output",
                                              folder.file("copy"),
                                              url};
  write("tag", "");
  EXPECT_EQ(curl(arguments), 0);
  EXPECT_TRUE(text_of_file(folder.file("copy")) == large);
  write("copy", "kept");
  EXPECT_EQ(curl(arguments), 0);
  EXPECT_EQ(text_of_file(folder.file("copy")), "kept");
}

TEST_F(StaticCommand, ASlowReaderGetsAllOfIt) {
  ASSERT_TRUE(std::filesystem::exists("/usr/bin/curl")) << "scripts/setup test installs it";
  RunningServer server({"--static", folder.file("public")});
  const auto url = "http://127.0.0.1:" + std::to_string(server.port()) + "/large.txt";
  EXPECT_EQ(curl({"--limit-rate", "5M", "--output", folder.file("copy"), url}), 0);
  EXPECT_TRUE(text_of_file(folder.file("copy")) == large);
}

}  // namespace
}  // namespace atlas::testing
