// multipart/form-data: whole, byte by byte, split at every offset, and malformed in each way.
#include <atlas/asgi/toolkit/multipart.hpp>

#include <atlas/asgi/testing/test_client.hpp>
#include <atlas/asgi/toolkit/router.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace atlas::multipart_test {
namespace {

using namespace asgi;
using namespace std::string_view_literals;

std::string told(Request& request, const MultipartLimits& limits) {
  std::string told;
  MultipartReader parts(request, limits);
  while (const auto head = parts.next()) {
    told += head->name;
    if (head->file_name) told += " (" + *head->file_name + ", " + head->content_type + ")";
    told += ": ";
    while (const auto piece = parts.read()) told += *piece;
    told += '\n';
  }
  return told;
}

Router telling(MultipartLimits limits = {}) {
  Router routes;
  routes.post("/", [limits](Request& request) { return told(request, limits); });
  routes.post("/heads", [limits](Request& request) {
    std::string names;
    MultipartReader parts(request, limits);
    while (const auto head = parts.next()) names += head->name + ";";
    return names;
  });
  return routes;
}

constexpr std::string_view type = "multipart/form-data; boundary=XX";

TestResponse post(TestClient& client, std::string_view body, std::string_view content_type = type,
                  std::string_view path = "/") {
  return client.post(path,
                     {.headers = {{"content-type", std::string(content_type)}}, .body = std::string(body)});
}

constexpr std::string_view form =
    "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMilk\r\n--X\r\n"
    "\r\n--XX  \r\ncontent-disposition: form-data; name=\"a\"; filename=\"b.txt\"\r\nContent-Type: "
    "text/html\r\nX-More: 1\r\n"
    "\r\n\r\n-\r\n--\r\n--XX\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--XX--\r\nepilogue";
constexpr std::string_view form_told = "title: Milk\r\n--X\r\n\na (b.txt, text/html): \r\n-\r\n--\nempty: \n";

TEST(Multipart, PartsComeInTheirOrder) {
  TestClient client(telling());
  EXPECT_EQ(post(client, form).body, form_told);
}

TEST(Multipart, APartIsBegunBeforeItIsRead) {
  Router routes;
  routes.post("/", [](Request& request) {
    MultipartReader parts(request);
    EXPECT_THROW(static_cast<void>(parts.read()), std::logic_error);
    auto told = parts.next()->name + ": ";
    told += parts.read().value_or("");
    return told;
  });
  TestClient client(routes);
  EXPECT_EQ(
      post(client, "preamble\r\n--XX\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XX--").body,
      "a: 1");
}

TEST(Multipart, HoweverItIsSplit) {
  TestClient client(telling());
  const TestRequest head{.headers = {{"content-type", std::string(type)}}};
  for (std::size_t offset = 0; offset <= form.size(); ++offset) {
    auto exchange = client.open("POST", "/", head, true);
    exchange.send(form.substr(0, offset));
    exchange.send_last(form.substr(offset));
    EXPECT_EQ(exchange.finish().body, form_told) << offset;
  }
  auto exchange = client.open("POST", "/", head, true);
  for (const char byte : form) exchange.send({&byte, 1});
  exchange.send_last();
  EXPECT_EQ(exchange.finish().body, form_told);
}

TEST(Multipart, WhatIsNotReadIsPassedOver) {
  TestClient client(telling());
  EXPECT_EQ(post(client, form, type, "/heads").body, "title;a;empty;");
}

TEST(Multipart, NamesAreUnquotedAsBrowsersQuoteThem) {
  TestClient client(telling());
  const auto name = [&](std::string_view disposition) {
    return post(client, "--XX\r\nContent-Disposition: " + std::string(disposition) + "\r\n\r\n\r\n--XX--")
        .body;
  };
  EXPECT_EQ(name("form-data; name=\"a\\\"b\"; filename=\"C:\\dir\\f.txt\""),
            "a\"b (C:\\dir\\f.txt, text/plain): \n");
  EXPECT_EQ(name("form-data; name=\"a%22b\""), "a%22b: \n");
  EXPECT_EQ(name("form-data; filename=\"x;name=y\"; name=\"a\""), "a (x;name=y, text/plain): \n");
  EXPECT_EQ(name("Form-Data ; NAME = \"\xc3\xa9\""), "\xc3\xa9: \n");
  EXPECT_EQ(name("form-data; name=\"a\"; filename*=UTF-8''b.txt"), "a: \n");
}

TEST(Multipart, AMultipartBodyWithinAPartIsItsContent) {
  TestClient client(telling());
  const auto inner = "--YY\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nx\r\n--YY--"sv;
  EXPECT_EQ(post(client,
                 "--XX\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\nContent-Type: "
                 "multipart/mixed; boundary=YY\r\n\r\n" +
                     std::string(inner) + "\r\n--XX--")
                .body,
            "a (f, multipart/mixed; boundary=YY): " + std::string(inner) + "\n");
}

TEST(Multipart, WhatIsMalformedIsA400) {
  TestClient client(telling());
  const auto part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"sv;
  for (const auto body : {""sv, "x"sv, "--XX"sv, "--XX\r\n"sv, part, "--XY--"sv, "--XX\r\n\r\nx\r\n--XX--"sv,
                          "--XX\r\nContent-Type: a/b\r\n\r\nx\r\n--XX--"sv,
                          "--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--"sv,
                          "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XX--"sv,
                          "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--XX--"sv,
                          "--XXx\r\n\r\n--XX--"sv, "--XX\r\nno colon\r\n\r\nx\r\n--XX--"sv,
                          "--XX\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n\r\n--XX--"sv,
                          "--XX\nContent-Disposition: form-data; name=\"a\"\n\nx\n--XX--"sv}) {
    const auto response = post(client, body);
    EXPECT_EQ(response.status, 400) << body << "\n" << response.body;
  }
}

TEST(Multipart, TheContentTypeMustHaveAValidBoundary) {
  TestClient client(telling());
  EXPECT_EQ(post(client, form, "text/plain").status, 415);
  EXPECT_EQ(post(client, form, "multipart/mixed; boundary=XX").status, 415);
  EXPECT_EQ(post(client, form, "multipart/form-data").status, 400);
  EXPECT_EQ(post(client, form, "multipart/form-data; boundary=").status, 400);
  EXPECT_EQ(post(client, form, "multipart/form-data; boundary=\"XX \"").status, 400);
  EXPECT_EQ(post(client, form, "multipart/form-data; boundary=a@b").status, 400);
  EXPECT_EQ(post(client, form, "Multipart/Form-Data; charset=utf-8; Boundary=\"XX\"").body, form_told);
  const auto with_boundary = [&](const std::string& boundary) {
    return post(client, "--" + boundary + "--", "multipart/form-data; boundary=" + boundary).status;
  };
  EXPECT_EQ(with_boundary(std::string(70, 'b')), 200);
  EXPECT_EQ(with_boundary(std::string(71, 'b')), 400);
}

TEST(Multipart, LimitsHold) {
  TestClient client(telling({.parts_max = 2, .part_header_bytes_max = 100}));
  const auto part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n"sv;
  const auto parts = [&](int count) {
    std::string body;
    for (int i = 0; i < count; ++i) body += part;
    return post(client, body + "--XX--").status;
  };
  EXPECT_EQ(parts(0), 200);
  EXPECT_EQ(parts(2), 200);
  EXPECT_EQ(parts(3), 413);
  const auto head_of = [&](std::size_t bytes) {
    std::string head = "Content-Disposition: form-data; name=\"a\"\r\nX: ";
    head.append(bytes - head.size(), 'x');
    return post(client, "--XX\r\n" + head + "\r\n\r\n\r\n--XX--").status;
  };
  EXPECT_EQ(head_of(100), 200);
  EXPECT_EQ(head_of(101), 413);
  EXPECT_EQ(post(client, "--XX\r\n" + std::string(1'000'000, 'x')).status, 413);
  EXPECT_EQ(post(client, "--XX" + std::string(1'000'000, ' ')).status, 413);
}

TEST(Multipart, WhatIsOutsideThePartsIsBounded) {
  TestClient client(telling({.outside_bytes_max = 100'000}));
  const std::string part = "\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--XX--";
  const std::string little(50'000, 'x');
  const std::string much(1'000'000, 'x');
  EXPECT_EQ(post(client, little + part).status, 200);
  EXPECT_EQ(post(client, much + part).status, 413);
  EXPECT_EQ(post(client, part + little).status, 200);
  EXPECT_EQ(post(client, part + much).status, 413);
}

TEST(SafeFileName, HasNoWayOutOfItsFolder) {
  EXPECT_EQ(safe_file_name("a.txt"), "a.txt");
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe_file_name("C:\\windows\\a.txt"), "a.txt");
  EXPECT_EQ(safe_file_name(".."), "file");
  EXPECT_EQ(safe_file_name("a/.."), "file");
  EXPECT_EQ(safe_file_name(". .bashrc"), "bashrc");
  EXPECT_EQ(safe_file_name(""), "file");
  EXPECT_EQ(safe_file_name("a\r\n\0\x7f"
                           "b"sv),
            "ab");
  EXPECT_EQ(safe_file_name("na\xc3\xafve.txt"), "na\xc3\xafve.txt");
  EXPECT_EQ(safe_file_name(std::string(300, 'a')).size(), 255U);
  EXPECT_EQ(safe_file_name(std::string(254, 'a') + "\xc3\xa9").size(), 254U);
}

}  // namespace
}  // namespace atlas::multipart_test
