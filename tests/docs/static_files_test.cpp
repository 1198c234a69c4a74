// The examples of docs/static-files.md: pages_test.cpp sees to it that the page shows them as they are here.
#include "support/file_exchange.hpp"
#include "support/static_folder.hpp"
#include "support/temporary_folder.hpp"

#include <atlas/asgi/serve.hpp>
#include <atlas/asgi/static_files.hpp>
#include <atlas/core/file.hpp>
#include <atlas/core/filesystem.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace atlas {
namespace {

using asgi::Receive;
using asgi::Scope;
using asgi::Send;
using testing::response_of;
using testing::StaticFolder;

namespace simple {

int main(int argc, char** argv) { return atlas::serve(asgi::StaticFiles("public"), argc, argv); }

}  // namespace simple

class Site {
 public:
  void operator()(const Scope& scope, Receive& receive, Send& send) const {
    if (!scope.path.starts_with("/assets/")) return page(send);
    Scope mounted = scope;
    mounted.root_path = "/assets";
    assets_(mounted, receive, send);
  }

 private:
  static void page(Send& send) {
    send(asgi::HttpResponseStart{.headers = {{"content-type", "text/html; charset=utf-8"}}});
    send(asgi::HttpResponseBody{.body = "<link rel=stylesheet href=/assets/site.css>"});
  }

  asgi::StaticFiles assets_{"assets", {.cache_control = "public, max-age=31536000, immutable"}};
};

void report(const Scope&, Receive&, Send& send) {
  send(asgi::HttpResponseStart{.headers = {{"content-type", "application/pdf"}}});
  send(asgi::HttpResponsePathsend{.path = "/srv/reports/latest.pdf"});
}

void framed(const File& file, Send& send) {
  send(asgi::HttpResponseStart{});
  send(asgi::HttpResponseBody{.body = "begin\n", .more_body = true});
  send(asgi::HttpResponseZerocopysend{.file = &file, .offset = 0, .more_body = true});
  send(asgi::HttpResponseBody{.body = "end\n"});
}

/// Answers once all of the body is in `folder` under the name "upload", and on the disk.
void store(const std::string& folder, Receive& receive, Send& send) {
  auto upload = TemporaryFile::create(folder).value();
  for (bool more = true; more;) {
    const auto message = receive();
    const auto* piece = std::get_if<asgi::HttpRequest>(&message);
    if (piece == nullptr) return;              // the client is gone: so is the temporary file
    upload.file().write(piece->body).value();  // meanwhile the client is held back
    more = piece->more_body;
  }
  upload.file().sync().value();
  upload.rename_to(folder + "/upload").value();
  send(asgi::HttpResponseStart{.status = 201});
  send(asgi::HttpResponseBody{.body = "stored\n"});
}

/// Works in `folder`, whatever the working folder was.
class InFolder {
 public:
  explicit InFolder(const std::string& folder) { std::filesystem::current_path(folder); }
  ~InFolder() { std::filesystem::current_path(before_); }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
};

TEST(StaticFilesPage, TheWholeProgramRefusesAFolderThatIsNotThere) {
  const testing::TemporaryFolder folder;
  const InFolder in(folder.path());
  char name[] = "program";
  char* arguments[] = {name, nullptr};
  EXPECT_THROW(simple::main(1, arguments), std::system_error);
}

TEST(StaticFilesPage, AssetsAreMountedBesideAPage) {
  const StaticFolder folder;
  folder.write("assets/site.css", "body {}");
  const InFolder in(folder.path());
  const asgi::Application site = Site();
  const auto css =
      StaticFolder::parsed(response_of(site, "GET /assets/site.css HTTP/1.1\r\nhost: h\r\n\r\n"));
  EXPECT_EQ(css.body, "body {}");
  EXPECT_EQ(css.field("cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(StaticFolder::parsed(response_of(site, "GET / HTTP/1.1\r\nhost: h\r\n\r\n")).status, 200);
}

TEST(StaticFilesPage, AReportThatIsNotThereIsAnError) {
  const auto response = response_of(report, "GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_EQ(StaticFolder::parsed(response).status, 500);
}

TEST(StaticFilesPage, AFileGoesBetweenTwoBodies) {
  const testing::TemporaryFolder folder;
  testing::write_text(folder.file("a"), "file\n");
  const auto app = [&](const Scope&, Receive&, Send& send) {
    const auto file = File::open(folder.file("a")).value();
    framed(file, send);
  };
  EXPECT_EQ(response_of(app, "GET / HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nbegin\nfile\nend\n");
}

TEST(StaticFilesPage, AnUploadIsStoredWholeOrNotAtAll) {
  const testing::TemporaryFolder folder;
  const auto app = [&](const Scope&, Receive& receive, Send& send) { store(folder.path(), receive, send); };
  const std::string head = "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\n";
  response_of(app, head + "upl");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_EQ(StaticFolder::parsed(response_of(app, head + "upload")).status, 201);
  EXPECT_EQ(std::filesystem::file_size(folder.file("upload")), 6U);
}

}  // namespace
}  // namespace atlas
