// The examples of docs/offload.md: pages_test.cpp sees to it that the page shows them as they are here.
#include <atlas/core/event_loop.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/offload.hpp>

#include <gtest/gtest.h>

#include <string>

namespace atlas {
namespace {

using namespace std::chrono_literals;

std::string slow_hash(const std::string& password) { return "hash of " + password; }
std::string scale(const std::string& picture) { return "small " + picture; }
std::string rendered(int year) { return "report of " + std::to_string(year); }

std::string password_hash(const std::string& password) {
  return offload([&] { return slow_hash(password); }).value();  // suspends this fiber only
}

Result<std::string> thumbnail(const std::string& picture) {
  return offload([&] { return scale(picture); }, Deadline::after(2s));
}

class Reports {
 public:
  Result<std::string> render(int year) {
    return pool_.run([&] { return rendered(year); });
  }
  bool overloaded() const { return pool_.status().queued == pool_.limits().queue_max; }

 private:
  OffloadPool pool_{{.threads = 2, .queue_max = 50}};
};

TEST(OffloadPage, ItsExamplesDoWhatTheySay) {
  run_event_loop([] {
    EXPECT_EQ(password_hash("secret"), "hash of secret");
    EXPECT_EQ(thumbnail("picture").value(), "small picture");
    Reports reports;
    EXPECT_EQ(reports.render(2024).value(), "report of 2024");
    EXPECT_FALSE(reports.overloaded());
  });
}

}  // namespace
}  // namespace atlas
