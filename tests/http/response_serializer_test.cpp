#include <atlas/http/response_serializer.hpp>

#include <atlas/http/chunk_decoder.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace atlas::http {
namespace {

constexpr ServerFields server_fields{.date_line = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                                     .server = "atlas"};

std::string head_of(const ResponseFacts& facts, const ServerFields& fields = server_fields) {
  ByteBuffer out;
  append_head(out, facts, choose_framing(facts), fields);
  return std::string(out.view());
}

TEST(ResponseSerializer, WritesHeadOfKnownLength) {
  const std::vector<Header> headers{{"content-type", "text/plain"}, {"x-a", ""}};
  EXPECT_EQ(head_of({.headers = headers, .body_bytes = 13}),
            "HTTP/1.1 200 OK\r\n"
            "content-type: text/plain\r\n"
            "x-a: \r\n"
            "content-length: 13\r\n"
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "server: atlas\r\n"
            "\r\n");
}

TEST(ResponseSerializer, WritesNamesAndValuesOfAnyLength) {
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string text = std::string("abcdefghijklmnopqrstuvwxyz0123456789ABCD").substr(0, size);
    const std::vector<Header> headers{{text, text}};
    EXPECT_EQ(head_of({.headers = headers, .body_bytes = 0}, {}),
              "HTTP/1.1 200 OK\r\n" + text + ": " + text + "\r\ncontent-length: 0\r\n\r\n");
  }
}

TEST(ResponseSerializer, WritesHeadOfUnknownLength) {
  EXPECT_EQ(head_of({.status = 404}),
            "HTTP/1.1 404 Not Found\r\n"
            "transfer-encoding: chunked\r\n"
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "server: atlas\r\n"
            "\r\n");
}

TEST(ResponseSerializer, SaysWhenItCloses) {
  EXPECT_EQ(head_of({.keep_alive = false, .body_bytes = 0}, {}),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

TEST(ResponseSerializer, TellsHttp10ToKeepAlive) {
  EXPECT_EQ(head_of({.version = http_1_0, .body_bytes = 0}, {}),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n");
}

TEST(ResponseSerializer, OwnsTheFramingFields) {
  const std::vector<Header> headers{
      {"Transfer-Encoding", "gzip"}, {"Connection", "upgrade"}, {"Content-Length", "007"}};
  EXPECT_EQ(head_of({.headers = headers}, {}), "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
}

TEST(ResponseSerializer, ApplicationMayGiveDateAndServer) {
  const std::vector<Header> headers{{"Date", "today"}, {"Server", "mine"}};
  EXPECT_EQ(head_of({.headers = headers, .body_bytes = 0}),
            "HTTP/1.1 200 OK\r\nDate: today\r\nServer: mine\r\ncontent-length: 0\r\n\r\n");
}

TEST(ResponseSerializer, UnregisteredStatusHasNoPhrase) {
  EXPECT_TRUE(head_of({.status = 599}).starts_with("HTTP/1.1 599 \r\n"));
}

TEST(ResponseSerializer, LongestAddedFieldsFit) {
  ByteBuffer out;
  const ResponseFacts facts{.version = http_1_0};
  const ResponseFraming framing{.content_length = UINT64_MAX, .transfer_chunked = true, .keep_alive = true};
  append_head(out, facts, framing, server_fields);
  EXPECT_TRUE(out.view().ends_with("server: atlas\r\n\r\n"));
}

TEST(ResponseSerializer, AppendsBehindWhatIsThere) {
  ByteBuffer out;
  out.append("before ");
  append_interim(out, 100);
  EXPECT_EQ(out.view(), "before " + std::string(continue_response));
}

TEST(ResponseSerializer, WritesInterimResponses) {
  ByteBuffer out;
  const std::vector<Header> hints{{"link", "</a.css>; rel=preload"}};
  append_interim(out, 103, hints);
  EXPECT_EQ(out.view(), "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n");
}

TEST(ResponseSerializer, SwitchingProtocolsKeepsConnectionFields) {
  ByteBuffer out;
  const std::vector<Header> fields{{"connection", "upgrade"}, {"upgrade", "websocket"}};
  append_interim(out, 101, fields);
  EXPECT_EQ(out.view(),
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
}

TEST(ResponseSerializer, ChunksAreDecodedToWhatWasWritten) {
  ByteBuffer out;
  append_chunk_head(out, 26);
  out.append("abcdefghijklmnopqrstuvwxyz");
  out.append(chunk_end);
  append_last_chunk(out);
  EXPECT_EQ(out.view(), "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n");

  const Limits limits;
  ChunkDecoder decoder(limits);
  decoder.start();
  const ChunkDecoder::Step data = decoder.decode(out.view());
  EXPECT_EQ(data.data, "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(decoder.decode(out.view().substr(data.consumed)).event, ChunkDecoder::Event::end);
}

TEST(ResponseSerializer, LastChunkCarriesTrailers) {
  ByteBuffer out;
  const std::vector<Header> trailers{{"x-sum", "1"}, {"x-time", "2"}};
  append_last_chunk(out, trailers);
  EXPECT_EQ(out.view(), "0\r\nx-sum: 1\r\nx-time: 2\r\n\r\n");
}

TEST(ResponseSerializer, ErrorSaysItsStatusAndCloses) {
  ByteBuffer out;
  append_error(out, {.status = 413}, server_fields);
  EXPECT_EQ(out.view(),
            "HTTP/1.1 413 Content Too Large\r\n"
            "content-type: text/plain; charset=utf-8\r\n"
            "content-length: 22\r\n"
            "connection: close\r\n"
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "server: atlas\r\n"
            "\r\n"
            "413 Content Too Large\n");
}

TEST(ResponseSerializer, ErrorMaySayMore) {
  ByteBuffer out;
  append_error(out, {.status = 503, .text = "busy", .keep_alive = true}, {});
  EXPECT_EQ(out.view(),
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
            "content-length: 5\r\n\r\nbusy\n");
}

TEST(ResponseSerializer, ErrorToHeadHasNoBody) {
  ByteBuffer out;
  append_error(out, {.status = 404, .head_request = true, .keep_alive = true}, {});
  EXPECT_EQ(
      out.view(),
      "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 14\r\n\r\n");
}

TEST(ResponseSerializerDeathTest, ChunkOfSize0IsABug) {
  ByteBuffer out;
  EXPECT_DEATH(append_chunk_head(out, 0), "a chunk of size 0 would end the body");
}

TEST(ResponseSerializerDeathTest, StatusOutOfRangeIsABug) {
  ByteBuffer out;
  EXPECT_DEATH(append_interim(out, 99), "response status is not in 100 to 599");
  EXPECT_DEATH(append_interim(out, 600), "response status is not in 100 to 599");
}

}  // namespace
}  // namespace atlas::http
