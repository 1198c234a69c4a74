// Forms read whole: fields, files in memory and on disk, limits.
#include <atlas/asgi/toolkit/form.hpp>

#include "support/temporary_folder.hpp"

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace atlas::form_test {
namespace {

using namespace asgi;

std::string part(std::string_view name, std::string_view content, std::string_view file = {}) {
  std::string text = "--XX\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"";
  if (!file.empty()) text += "; filename=\"" + std::string(file) + "\"";
  return text + "\r\n\r\n" + std::string(content) + "\r\n";
}

TestResponse post(TestClient& client, std::string_view path, std::string body,
                  std::string type = "multipart/form-data; boundary=XX") {
  return client.post(path, {.headers = {{"content-type", std::move(type)}}, .body = std::move(body)});
}

Router routes_of_forms(FormLimits limits = {}) {
  Router routes;
  routes.post("/note", [limits](Request& request) {
    const auto form = read_form(request, limits);
    return std::string(form.get("title")) + " " + std::to_string(form.get<int>("stars")) + " " +
           std::to_string(form.all("tag").size()) + " " +
           std::string(form.get("more", std::nullopt).value_or("none"));
  });
  routes.post("/file", [limits](Request& request) -> Response {
    const auto form = read_form(request, limits);
    const auto* file = form.file("f");
    if (file == nullptr) return text("no file");
    return text(file->file_name() + " " + std::to_string(file->size()) +
                (file->on_disk() ? " on disk " : " in memory ") + file->content().value());
  });
  return routes;
}

TEST(Form, UrlencodedFieldsHaveTypes) {
  TestClient client(routes_of_forms());
  const auto type = "application/x-www-form-urlencoded; charset=utf-8";
  EXPECT_EQ(post(client, "/note", "title=Milk+%26+more&stars=5&tag=a&tag=b", type).body,
            "Milk & more 5 2 none");
  const auto missing = post(client, "/note", "stars=5", type);
  EXPECT_EQ(missing.status, 422);
  EXPECT_NE(missing.body.find(R"({"field":"form.title","message":"is missing"})"), std::string::npos);
  EXPECT_NE(post(client, "/note", "title=a&stars=x", type).body.find("form.stars is not a whole number"),
            std::string::npos);
  EXPECT_EQ(post(client, "/note", "title=%ff", type).status, 400);
}

TEST(Form, MultipartFieldsAreTheSame) {
  TestClient client(routes_of_forms());
  EXPECT_EQ(
      post(client, "/note", part("title", "Milk") + part("stars", "5") + part("more", "x") + "--XX--").body,
      "Milk 5 0 x");
  EXPECT_EQ(post(client, "/note", part("title", "\xff") + "--XX--").status, 400);
}

TEST(Form, AnotherTypeIsRefused) {
  TestClient client(routes_of_forms());
  const auto refused = post(client, "/note", "{}", "application/json");
  EXPECT_EQ(refused.status, 415);
  EXPECT_EQ(refused.header("accept"), "application/x-www-form-urlencoded, multipart/form-data");
}

TEST(Form, SmallFilesStayInMemoryAndLargeOnesGoToDisk) {
  TestClient client(routes_of_forms({.file_memory_bytes_max = 4}));
  EXPECT_EQ(post(client, "/file", part("f", "1234", "a.txt") + "--XX--").body, "a.txt 4 in memory 1234");
  EXPECT_EQ(post(client, "/file", part("f", "12345", "a.txt") + "--XX--").body, "a.txt 5 on disk 12345");
}

TEST(Form, AFileThatWasNotChosenIsNone) {
  TestClient client(routes_of_forms());
  const std::string none =
      "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n--XX--";
  EXPECT_EQ(post(client, "/file", none).body, "no file");
}

TEST(Form, LimitsNameTheField) {
  TestClient client(
      routes_of_forms({.fields_max = 2, .field_bytes_max = 4, .file_bytes_max = 6, .bytes_max = 8}));
  EXPECT_EQ(post(client, "/file", part("a", "1234") + "--XX--").status, 200);
  const auto long_field = post(client, "/file", part("a", "12345") + "--XX--");
  EXPECT_EQ(long_field.status, 413);
  EXPECT_NE(long_field.body.find("form.a may have 4 bytes"), std::string::npos);
  EXPECT_EQ(post(client, "/file", part("f", "123456", "x") + "--XX--").status, 200);
  EXPECT_NE(post(client, "/file", part("f", "1234567", "x") + "--XX--").body.find("form.f may have 6 bytes"),
            std::string::npos);
  EXPECT_NE(post(client, "/file", part("f", "123456", "x") + part("g", "123", "x") + "--XX--")
                .body.find("the form may have 8 bytes, which form.g goes beyond"),
            std::string::npos);
  EXPECT_EQ(post(client, "/file", part("a", "") + part("b", "") + "--XX--").status, 200);
  EXPECT_EQ(post(client, "/file", part("a", "") + part("b", "") + part("c", "") + "--XX--").status, 413);
}

TEST(Form, LimitsHoldForUrlencodedFieldsToo) {
  TestClient client(routes_of_forms({.fields_max = 3, .field_bytes_max = 4, .bytes_max = 8}));
  const auto posted = [&](std::string body) {
    return post(client, "/file", std::move(body), "application/x-www-form-urlencoded");
  };
  EXPECT_EQ(posted("a=1234&b=1234&c=").status, 200);
  const auto many = posted("a=&b=&c=&d=");
  EXPECT_EQ(many.status, 413);
  EXPECT_NE(many.body.find("the form has more than 3 names"), std::string::npos);
  const auto long_field = posted("a=12345");
  EXPECT_EQ(long_field.status, 413);
  EXPECT_NE(long_field.body.find("form.a may have 4 bytes"), std::string::npos);
  const auto long_form = posted("a=1234&b=1234&c=1");
  EXPECT_EQ(long_form.status, 413);
  EXPECT_NE(long_form.body.find("the form may have 8 bytes, which form.c goes beyond"), std::string::npos);
}

TEST(Form, FilesAreSavedUnderNamesOfOurs) {
  const testing::TemporaryFolder folder;
  Router routes;
  routes.post("/", [&](Request& request) -> Response {
    const auto form = read_form(request, {.file_memory_bytes_max = 10});
    for (const auto& file : form.files()) {
      if (const auto saved = file.save_as(folder.path() + "/" + safe_file_name(file.file_name())); !saved)
        return text(saved.error().message(), 409);
    }
    return no_content();
  });
  TestClient client(routes);
  const std::string large(200'000, 'x');
  const auto body = part("f", large, "../../large") + part("g", "small", "small") + "--XX--";
  EXPECT_EQ(post(client, "/", body).status, 204);
  EXPECT_EQ(std::filesystem::file_size(folder.path() + "/large"), large.size());
  std::ifstream small(folder.path() + "/small");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(small), {}), "small");
  EXPECT_EQ(post(client, "/", body).status, 409);
}

TEST(Form, MemoryOfAllFieldsAndFilesIsBounded) {
  TestClient client(routes_of_forms({.file_memory_bytes_max = 100, .memory_bytes_max = 10}));
  const auto eight = part("a", "12345678", "a.txt");
  EXPECT_EQ(post(client, "/file", eight + part("f", "12", "f.txt") + "--XX--").body, "f.txt 2 in memory 12");
  EXPECT_EQ(post(client, "/file", eight + part("f", "123", "f.txt") + "--XX--").body, "f.txt 3 on disk 123");
  const auto refused = post(client, "/file", eight + part("f", "123") + "--XX--");
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("the form's fields may have 10 bytes, which form.f goes beyond"),
            std::string::npos);
  const auto pairs = post(client, "/note", "title=123456&stars=12345", "application/x-www-form-urlencoded");
  EXPECT_EQ(pairs.status, 413);
}

TEST(Form, FilesAreCounted) {
  TestClient client(routes_of_forms({.files_max = 1}));
  EXPECT_EQ(post(client, "/file", part("f", "1", "a") + "--XX--").status, 200);
  const auto refused = post(client, "/file", part("f", "1", "a") + part("g", "1", "b") + "--XX--");
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("the form may have 1 files"), std::string::npos);
}

TEST(Form, AFileThatCannotBeSavedWholeIsNotThere) {
  const testing::TemporaryFolder folder;
  const auto path = folder.file("saved");
  Router routes;
  routes.post("/", [&](Request& request) {
    const auto form = read_form(request);
    // A file of this size may not be written by this process.
    const rlimit small{.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto saved = form.file("f")->save_as(path);
    ::setrlimit(RLIMIT_FSIZE, &before);
    return std::string(saved.has_value() ? "saved" : "not saved");
  });
  TestClient client(routes);
  EXPECT_EQ(post(client, "/", part("f", std::string(5000, 'x'), "a") + "--XX--").body, "not saved");
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace atlas::form_test
