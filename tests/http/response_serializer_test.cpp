#include <atlas/http/response_serializer.hpp>

#include <atlas/http/chunk_decoder.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace atlas::http {
namespace {

constexpr ServerFields server_fields{.date_line = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                                     .server_line = "server: atlas\r\n"};

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
