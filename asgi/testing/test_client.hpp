// A client for tests of applications: in this process, without sockets, in virtual time. Between the client
// and the application stands the whole server, so that what a test sees is what a client would see. Needs no
// test framework.
#pragma once

#include <atlas/asgi/application.hpp>
#include <atlas/asgi/options.hpp>
#include <atlas/core/time.hpp>
#include <atlas/core/unique_function.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atlas::asgi {

struct TestClientOptions {
  std::string host = "testserver";  ///< The `host` field of requests.
  std::string client_host = "192.0.2.1";
  std::uint16_t client_port = 4000;
  bool raise_errors = true;       ///< What the application throws comes out of the call; else it is a 500.
  bool follow_redirects = false;  ///< As browsers do: 303 by GET, and 301 and 302 where it was a POST.
  int redirects_max = 20;
  bool keep_cookies = true;   ///< What responses set is sent with later requests, whatever its path and age.
  ServerOptions server = {};  ///< Its limits, timeouts, root_path; where it listens is not heeded.
};

struct TestRequest {
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

struct TestResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< As sent, but for `date`.
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> trailers = {};
  std::vector<std::string> early_hints = {};  ///< The links of 103 responses.
  std::vector<OpenMessage> debug = {};        ///< What the application has sent as `http.response.debug`.
  bool complete = false;                      ///< False: the server has cut it.

  /// The first field of that name, in any case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
};

class TestClient;

/// A request and its response, under way in both directions. Closes its connection when it is destroyed.
class TestExchange {
 public:
  TestExchange(TestExchange&&) noexcept;
  TestExchange& operator=(TestExchange&&) noexcept;
  ~TestExchange();

  /// A piece of the request's body; time stands still. It is chunked.
  void send(std::string_view piece);
  void send_last(std::string_view piece = {});
  /// Waits, in virtual time, for the response's head: status and headers. Throws std::runtime_error when none
  /// comes.
  [[nodiscard]] TestResponse start();
  /// Waits for more of the body; none at its end.
  [[nodiscard]] std::optional<std::string> read();
  /// What of the body is there without waiting.
  [[nodiscard]] std::string read_available();
  /// The client leaves: the connection is reset.
  void disconnect();
  /// Waits for the rest; `body` is what was not read before.
  [[nodiscard]] TestResponse finish();

 private:
  friend class TestClient;
  struct State;
  explicit TestExchange(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

/// Of one thread. The application runs on fibers of a loop that this thread turns within the calls below;
/// lifespan's start-up and shutdown are called for the process and for one worker. Exchanges must end before
/// it does.
class TestClient {
 public:
  /// Throws std::runtime_error when start-up fails.
  explicit TestClient(Application application, TestClientOptions options = {});
  /// As `close`, but a failure is only logged.
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  TestResponse get(std::string_view target, const TestRequest& request = {}) {
    return this->request("GET", target, request);
  }
  TestResponse head(std::string_view target, const TestRequest& request = {}) {
    return this->request("HEAD", target, request);
  }
  TestResponse post(std::string_view target, const TestRequest& request = {}) {
    return this->request("POST", target, request);
  }
  TestResponse put(std::string_view target, const TestRequest& request = {}) {
    return this->request("PUT", target, request);
  }
  TestResponse patch(std::string_view target, const TestRequest& request = {}) {
    return this->request("PATCH", target, request);
  }
  TestResponse del(std::string_view target, const TestRequest& request = {}) {
    return this->request("DELETE", target, request);
  }
  TestResponse options(std::string_view target, const TestRequest& request = {}) {
    return this->request("OPTIONS", target, request);
  }
  /// Any method. Time passes as the application makes it. `target` is a path with its query, percent-encoded.
  /// Throws std::runtime_error, naming who waits for what, when no response can ever come.
  TestResponse request(std::string_view method, std::string_view target, const TestRequest& request = {});

  /// Begins a request whose body, if there is to be one, comes by the exchange. What `request.body` has is
  /// its first piece.
  [[nodiscard]] TestExchange open(std::string_view method, std::string_view target,
                                  const TestRequest& request = {}, bool has_body = false);

  /// Lets time pass.
  void advance(Duration duration);
  [[nodiscard]] TimePoint now() const noexcept;
  /// Runs code on a fiber of the application's loop, to its end, and rethrows what it threw.
  void run(UniqueFunction code);
  /// Ends all connections and shuts the application down; nothing but the destructor may be called then.
  /// Throws std::runtime_error when it fails.
  void close();

  /// By name; what responses have set, and what tests want to send.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>>& cookies() noexcept;

 private:
  friend class TestExchange;
  class Server;

  TestResponse exchange(std::string_view method, std::string_view target, const TestRequest& request);

  std::unique_ptr<Server> server_;
};

}  // namespace atlas::asgi
