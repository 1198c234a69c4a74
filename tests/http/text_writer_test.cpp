#include <atlas/http/text_writer.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace atlas::http {
namespace {

TEST(TextWriter, PutsTextsOfAnyLength) {
  const std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";
  for (std::size_t size = 0; size <= letters.size(); ++size) {
    ByteBuffer out;
    TextWriter writer(out, size + 2);
    writer.put("<");
    writer.put(letters.substr(0, size));
    writer.put(">");
    writer.commit();
    EXPECT_EQ(out.view(), "<" + letters.substr(0, size) + ">");
  }
}

TEST(TextWriter, FieldsPutAsMuchAsTheirLinesHold) {
  constexpr std::array<Header, 2> fields{{{"name", "value"}, {"x", ""}}};
  ByteBuffer out;
  TextWriter writer(out, line_bytes(fields));
  for (const Header& field : fields) writer.put(field);
  writer.commit();
  EXPECT_EQ(out.view(), "name: value\r\nx: \r\n");
  EXPECT_EQ(out.size(), line_bytes(fields));
}

TEST(TextWriter, PutsTheLargestNumber) {
  ByteBuffer out;
  TextWriter writer(out, TextWriter::number_bytes_max);
  writer.put_number(UINT64_MAX);
  writer.commit();
  EXPECT_EQ(out.view(), "18446744073709551615");
}

TEST(TextWriter, WhatIsNotCommittedIsNotThere) {
  ByteBuffer out;
  out.append("before");
  TextWriter writer(out, 10);
  writer.put("abc");
  EXPECT_EQ(out.view(), "before");
}

}  // namespace
}  // namespace atlas::http
