#include <atlas/asgi/conformance/application_check.hpp>

#include <atlas/asgi/conformance/application_call.hpp>
#include <atlas/asgi/lifespan.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/core/virtual_loop.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>

namespace atlas::asgi {
namespace {

/// Where a client may leave, of a response in many messages.
constexpr std::size_t departures_max = 8;

/// Between the application and `Lifespan`: whether the application asks before it answers.
class LifespanEye final : private Receive, private Send {
 public:
  explicit LifespanEye(std::string& fault) : fault_(fault) {}

  void call(const Application& application, const Scope& scope, Receive& receive, Send& send) {
    receive_ = &receive;
    send_ = &send;
    application(scope, *this, *this);
  }

 private:
  ReceivedMessage next() override {
    auto message = (*receive_)();
    startup_ = startup_ || std::holds_alternative<LifespanStartup>(message);
    shutdown_ = shutdown_ || std::holds_alternative<LifespanShutdown>(message);
    return message;
  }

  void handle(MessageRef message) override {
    const auto type = message.type();
    const bool early = type.starts_with("lifespan.startup.")
                           ? !startup_
                           : type.starts_with("lifespan.shutdown.") && !shutdown_;
    if (early && fault_.empty()) fault_ = fmt::format("'{}' was sent before it was asked for", type);
    (*send_)(message);
  }

  std::string& fault_;
  Receive* receive_ = nullptr;
  Send* send_ = nullptr;
  bool startup_ = false;
  bool shutdown_ = false;
};

/// Asks one application everything. On a fiber.
class Examination {
 public:
  Examination(const Application& application, ConformanceReport& report)
      : application_(application), report_(report) {}

  void run(const std::vector<ConformanceRequest>& requests);

 private:
  [[nodiscard]] bool start_up();
  void shut_down();
  void examine(const ConformanceRequest& request);
  void check_departures(const ConformanceRequest& request, const CallOutcome& usual);
  void check_variations(const ConformanceRequest& request, const CallOutcome& usual);
  void check_company(const ConformanceRequest& request, const CallOutcome& usual);

  [[nodiscard]] CallOutcome call(const ConformanceRequest& request, const CallConditions& conditions) const {
    return ApplicationCall(request, conditions, worker_->state()).run(application_);
  }

  const Application& application_;
  ConformanceReport& report_;
  std::string order_fault_;
  const Application watched_ = [this](const Scope& scope, Receive& receive, Send& send) {
    LifespanEye(order_fault_).call(application_, scope, receive, send);
  };
  std::optional<Lifespan> process_;
  std::optional<Lifespan> worker_;
};

bool Examination::start_up() {
  report_.begin("lifespan");
  process_.emplace(watched_, lifespan_scope(-1));
  const auto process_error = process_->start_up();
  report_.add("the process's 'lifespan.startup' ends with complete, or the scope is unsupported",
              process_error.value_or(""));
  if (process_error) return false;
  worker_.emplace(watched_, lifespan_scope(0, process_->state()));
  const auto worker_error = worker_->start_up();
  report_.add("each worker's 'lifespan.startup' ends with complete, or the scope is unsupported",
              worker_error.value_or(""));
  return !worker_error;
}

void Examination::shut_down() {
  report_.begin("lifespan");
  report_.add("each worker's 'lifespan.shutdown' ends with complete", worker_->shut_down().value_or(""));
  report_.add("the process's 'lifespan.shutdown' ends with complete", process_->shut_down().value_or(""));
  report_.add("it answers lifespan's messages after it has received them", order_fault_);
}

void Examination::run(const std::vector<ConformanceRequest>& requests) {
  if (start_up()) {
    for (const auto& request : requests) examine(request);
    shut_down();
  }
  worker_.reset();
  process_.reset();
}

void Examination::examine(const ConformanceRequest& request) {
  report_.begin(request.name.empty() ? fmt::format("{} {}", request.method, request.target) : request.name);
  const auto usual = call(request, {});
  report_.add("every message is valid, and in its place", usual.breach);
  report_.add("it does not throw", usual.exception);
  report_.add("it returns", usual.returned ? "" : "it had to be cancelled");
  constexpr std::string_view completes = "the response is complete when it returns";
  if (usual.endless) {
    report_.add_not_checked(completes, "the response went on until the client left");
  } else {
    report_.add(completes, usual.complete ? "" : "it ended " + usual.state);
  }
  if (!usual.fault().empty()) return;  // variations of that would tell the same again
  check_variations(request, usual);
  check_departures(request, usual);
  check_company(request, usual);
}

/// What is wrong with an answer that should be as usual; empty: nothing.
std::string difference(const CallOutcome& outcome, const CallOutcome& usual) {
  if (auto fault = outcome.fault(); !fault.empty()) return fault;
  if (outcome.status == usual.status) return {};
  return fmt::format("the status is {}, not {}", outcome.status, usual.status);
}

void Examination::check_variations(const ConformanceRequest& request, const CallOutcome& usual) {
  report_.add("it does without extensions", difference(call(request, {.extensions = false}), usual));
  report_.add("it does without knowing client and server",
              difference(call(request, {.endpoints = false}), usual));
  report_.add("mounted at a root_path it answers the same",
              difference(call(request, {.root_path = "/mounted"}), usual));
  if (!request.body.empty())
    report_.add("a body that comes byte by byte is the same body",
                difference(call(request, {.piece_bytes = 1}), usual));
}

/// How a call has ended whose client has left; empty: well.
std::string departure_fault(const CallOutcome& outcome) {
  if (!outcome.breach.empty()) return outcome.breach;
  if (!outcome.exception.empty()) return "it threw: " + outcome.exception;
  return outcome.returned ? "" : "it did not return";
}

void Examination::check_departures(const ConformanceRequest& request, const CallOutcome& usual) {
  if (!request.body.empty()) {
    const CallConditions halfway{.piece_bytes = 1, .gone_after_bytes = request.body.size() / 2};
    report_.add("a client that leaves in its body ends the call", departure_fault(call(request, halfway)));
  }
  std::string fault;
  for (std::size_t at = 0; at < std::min(usual.messages, departures_max) && fault.empty(); ++at) {
    fault = departure_fault(call(request, {.gone_at_message = at}));
    if (!fault.empty()) fault = fmt::format("at message {}: {}", at + 1, fault);
  }
  report_.add("a client that leaves at any message ends the call", fault);
}

void Examination::check_company(const ConformanceRequest& request, const CallOutcome& usual) {
  const CallConditions slow{.slow = true};
  std::array<CallOutcome, 3> outcomes;
  FiberGroup clients;
  for (auto& outcome : outcomes) clients.spawn("client", [&] { outcome = call(request, slow); });
  clients.join().value();
  std::string fault;
  for (const auto& outcome : outcomes)
    if (fault.empty()) fault = difference(outcome, usual);
  report_.add("calls at the same time do not disturb one another", fault);
}

}  // namespace

std::vector<ConformanceRequest> usual_requests() {
  return {
      {},
      {.method = "HEAD"},
      {.method = "OPTIONS"},
      {.method = "POST",
       .headers = {{"content-type", "application/json"}, {"content-length", "9"}},
       .body = R"({"a": 1})"
               "\n"},
      {.target = "/no/such/path"},
      {.name = "GET of broken UTF-8", .target = "/%ff%c3%28/?a=%zz&&=&b=%ff"},
      {.name = "GET with broken fields",
       .headers = {{"accept", ";q=x,,*/*;q="},
                   {"accept-encoding", "gzip;q=2, ;"},
                   {"authorization", "Basic !!!"},
                   {"cookie", "a; =b; c=\"; \xff"},
                   {"cookie", ""},
                   {"if-none-match", "\"a, W/"},
                   {"range", "bytes=9-1,-"},
                   {"x-forwarded-for", "unknown, , ["}}},
      {.name = "POST of a broken form",
       .method = "POST",
       .headers = {{"content-type", "multipart/form-data; boundary="}, {"content-length", "8"}},
       .body = "--\r\n--\r\n"},
  };
}

ConformanceReport check_application(const Application& application,
                                    const std::vector<ConformanceRequest>& requests) {
  ConformanceReport report;
  VirtualLoop loop;
  try {
    loop.run([&] { Examination(application, report).run(requests); });
  } catch (const std::exception& error) {
    report.begin("the examination");
    report.add("it comes to its end", error.what());
  }
  return report;
}

}  // namespace atlas::asgi
