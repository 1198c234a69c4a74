// One call of an application on an http scope, by a server and a client that behave as conditions say.
// Internal; see application_check.hpp.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/conformance/application_check.hpp>
#include <atlas/asgi/conformance/response_judge.hpp>
#include <atlas/core/byte_buffer.hpp>
#include <atlas/core/event.hpp>
#include <atlas/http/header.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atlas::asgi {

struct CallConditions {
  bool extensions = true;              ///< The scope offers all of them.
  bool endpoints = true;               ///< The scope names client and server.
  std::string root_path = {};          ///< Where the application is mounted; targets are below it.
  std::size_t piece_bytes = SIZE_MAX;  ///< So much of the body at a time.
  std::optional<std::size_t> gone_after_bytes = {};  ///< The client leaves when so much of the body was read.
  std::optional<std::size_t> gone_at_message = {};   ///< The client leaves before this message is sent.
  bool slow = false;                                 ///< Each message takes the client a while.
};

struct CallOutcome {
  std::string breach;        ///< The first message against the contract; empty: none.
  std::string exception;     ///< What came out of it, but for Disconnected; empty: nothing.
  std::string state;         ///< Of the response when it ended.
  bool complete = false;     ///< The response is.
  bool returned = false;     ///< Else it had to be cancelled.
  bool endless = false;      ///< The response went on until the client left, who had had enough.
  int status = 0;            ///< 0: no start was sent.
  std::size_t messages = 0;  ///< Taken from it.

  /// What is wrong with it where the client stays to the end; empty: nothing.
  [[nodiscard]] std::string fault() const;
};

class ApplicationCall final : private Receive, private Send {
 public:
  /// All must outlive it. The request's target is well-formed.
  ApplicationCall(const ConformanceRequest& request, const CallConditions& conditions, const State& state);

  /// Suspends until the application has ended, or was made to.
  [[nodiscard]] CallOutcome run(const Application& application);

 private:
  void fill_scope(const State& state);
  void call(const Application& application);
  void client_leaves();

  ReceivedMessage next() override;
  void handle(MessageRef message) override;

  const ConformanceRequest& request_;
  const CallConditions& conditions_;
  std::string raw_path_;
  std::string path_;
  std::string query_;
  std::vector<http::Header> headers_;
  Scope scope_;
  ResponseJudge judge_;
  CallOutcome outcome_;
  std::size_t body_read_ = 0;
  bool body_ended_ = false;
  bool gone_ = false;
  std::size_t vain_calls_ = 0;  // of send and receive, when there is no client any more
  local::Event over_;           // the response is complete, or the client has left
};

}  // namespace atlas::asgi
