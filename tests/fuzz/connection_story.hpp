// One client, one connection and an application, all three led by a fuzzer's choices; and what must hold of
// them however it went.
#pragma once

#include "fuzz/fuzz_input.hpp"
#include "fuzz/response_reader.hpp"
#include "support/http_harness.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atlas::testing {

/// What must hold at the end:
///
/// - All that was sent is well-formed responses, each to the request whose turn it was; only the last may
///   break off, and only where somebody gave a reason for it.
/// - The application was called for the requests that a second parser finds in the client's bytes, in their
///   order, and for none behind one that was refused.
/// - A client that does nothing odd gets all its answers.
/// - No connection, fiber, read buffer or stack is left, once a day has passed.
class ConnectionStory {
 public:
  explicit ConnectionStory(FuzzInput input);

  void run();

 private:
  /// One call of the application.
  struct Call {
    std::string request;  // "GET /path?query"
    char letter = 'a';    // of which its body consists
    std::uint64_t body_bytes = 0;
  };
  /// A request, as the client's bytes have it.
  struct Expected {
    std::string request;
    Asked asked;
    bool refused = false;  // though its head is sound
  };

  void client_step();
  void send_piece(std::size_t bytes);
  void drain(Duration patience);
  void disturb() noexcept { disturbed_ = true; }

  void serve(const asgi::Scope& scope, asgi::Receive& receive, asgi::Send& send);
  void answer_plainly(Call& call, asgi::Receive& receive, asgi::Send& send);
  void improvise(Call& call, asgi::Receive& receive, asgi::Send& send);
  bool improvise_once(Call& call, asgi::Receive& receive, asgi::Send& send);
  void send_start(Call& call, asgi::Send& send);
  void send_body(Call& call, asgi::Send& send, bool more_body);
  void send_nonsense(asgi::Send& send);

  [[nodiscard]] std::vector<Expected> expected_requests();
  void check_calls(const std::vector<Expected>& expected) const;
  void check_responses(const std::vector<Expected>& expected);
  void check_response(const ReadResponse& response, std::size_t index, bool head_asked) const;

  FuzzInput input_;
  asgi::ServerOptions options_;
  std::string sent_;
  std::vector<Call> calls_;
  Asked unread_;            // of what can only be answered by a refusal of its head
  bool disturbed_ = false;  // somebody has given a reason for answers to be missing
  bool draining_ = false;
  bool serving_ = false;
  std::optional<HttpHarness> harness_;
  MemoryPeer peer_;
};

}  // namespace atlas::testing
