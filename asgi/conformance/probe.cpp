#include <atlas/asgi/conformance/probe.hpp>

#include <atlas/asgi/conformance/probe_script.hpp>
#include <atlas/asgi/server_status.hpp>
#include <atlas/asgi/toolkit/url_text.hpp>
#include <atlas/core/fiber.hpp>
#include <atlas/version.hpp>

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;

// What is kept of earlier runs, so that its memory is bounded.
constexpr std::size_t runs_max = 256;
constexpr std::size_t notes_max = 4096;
// How long the notes of a run wait for its end.
constexpr int note_polls_max = 2000;
constexpr Duration note_poll = 5ms;

constexpr std::string_view process_state = "conformance.process";
constexpr std::string_view worker_state = "conformance.worker";

/// Of all workers.
class Runs {
 public:
  void note(const std::string& run, std::string_view text) {
    const std::lock_guard lock(mutex_);
    auto& own = runs_[run];
    if (++own.count <= notes_max) fmt::format_to(std::back_inserter(own.notes), "{}\n", text);
    while (runs_.size() > runs_max) runs_.erase(runs_.begin());
  }
  void end(const std::string& run) {
    const std::lock_guard lock(mutex_);
    runs_[run].ended = true;
  }
  /// Of a run that has ended, when it has.
  [[nodiscard]] std::optional<std::string> notes(const std::string& run) const {
    const std::lock_guard lock(mutex_);
    const auto found = runs_.find(run);
    return found != runs_.end() && found->second.ended ? std::optional(found->second.notes) : std::nullopt;
  }
  /// So far.
  [[nodiscard]] std::string notes_so_far(const std::string& run) const {
    const std::lock_guard lock(mutex_);
    const auto found = runs_.find(run);
    return found == runs_.end() ? std::string() : found->second.notes;
  }

 private:
  struct Run {
    std::string notes;
    std::size_t count = 0;
    bool ended = false;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Run, std::less<>> runs_;
};

struct LifespanCounts {
  int process_startups = 0;
  int worker_startups = 0;
};

void answer(Send& send, int status, std::string_view text) {
  send(HttpResponseStart{.status = status, .headers = {{"content-type", "text/plain; charset=utf-8"}}});
  send(HttpResponseBody{.body = text});
}

std::string endpoint_text(const std::optional<Endpoint>& endpoint) {
  if (!endpoint) return "none";
  return endpoint->port ? fmt::format("{} {}", endpoint->host, *endpoint->port) : std::string(endpoint->host);
}

std::string scope_text(const Scope& scope) {
  std::string text;
  const auto line = [&](std::string_view key, auto&& value) {
    fmt::format_to(std::back_inserter(text), "{}={}\n", key, value);
  };
  line("type", to_string(scope.type));
  line("asgi.version", scope.asgi.version);
  line("asgi.spec_version", scope.asgi.spec_version);
  line("http_version", scope.http_version);
  line("method", scope.method);
  line("scheme", scope.scheme);
  line("path", scope.path);
  line("raw_path", scope.raw_path);
  line("query_string", scope.query_string);
  line("root_path", scope.root_path);
  for (const auto& [name, value] : scope.headers) line("header " + std::string(name), value);
  line("client", endpoint_text(scope.client));
  line("server", endpoint_text(scope.server));
  const auto state_line = [&](std::string_view key) {
    const auto* value = scope.state.find<std::string>(key);
    line(fmt::format("state {}", key), value != nullptr ? std::string_view(*value) : "none");
  };
  state_line(process_state);
  state_line(worker_state);
  state_line("changed");
  for (const std::string_view name :
       {"http.response.trailers", "http.response.early_hint", "http.response.pathsend",
        "http.response.zerocopysend", "http.response.push", "http.response.debug", "atlas"})
    line(fmt::format("extension {}", name), scope.extensions.contains(name));
  line("atlas.worker", scope.extensions.atlas.worker);
  line("atlas.connection_id", scope.extensions.atlas.connection_id);
  return text;
}

class Probe {
 public:
  void serve(const Scope& scope, Receive& receive, Send& send) {
    if (scope.type == ScopeType::lifespan) return live(scope, receive, send);
    auto path = scope.path;
    if (path.starts_with(scope.root_path)) path.remove_prefix(scope.root_path.size());
    if (path.empty() || path == "/") return answer(send, 200, about(scope));
    if (path.starts_with("/scope")) return answer(send, 200, scope_text(scope));
    if (path.starts_with("/script/")) return run_script(std::string(path.substr(8)), scope, receive, send);
    if (path.starts_with("/notes/")) return give_notes(std::string(path.substr(7)), send);
    if (path.starts_with("/progress/"))
      return answer(send, 200, runs_.notes_so_far(std::string(path.substr(10))));
    answer(send, 404, "the probe has no such path\n");
  }

 private:
  void live(const Scope& scope, Receive& receive, Send& send) {
    static_cast<void>(receive());
    const bool of_process = scope.extensions.atlas.worker < 0;
    {
      const std::lock_guard lock(mutex_);
      ++(of_process ? counts_.process_startups : counts_.worker_startups);
    }
    scope.state.set(of_process ? process_state : worker_state, std::string("set"));
    send(LifespanStartupComplete{});
    static_cast<void>(receive());
    send(LifespanShutdownComplete{});
  }

  [[nodiscard]] std::string about(const Scope& scope) {
    const auto* server = scope.extensions.atlas.server;
    const std::lock_guard lock(mutex_);
    return fmt::format("{} {}\nprocess_startups={}\nworker_startups={}\nworkers={}\n", probe_greeting,
                       version, counts_.process_startups, counts_.worker_startups,
                       server == nullptr ? 0 : server->totals().workers);
  }

  void run_script(const std::string& run, const Scope& scope, Receive& receive, Send& send) {
    const auto script = decode_form_text(scope.query_string);
    if (!script) return answer(send, 400, "the script cannot be decoded\n");
    struct Ending {
      Runs& runs;
      const std::string& run;
      ~Ending() { runs.end(run); }
    };
    const Ending ending{runs_, run};
    run_probe_script(*script, scope, receive, send, [&](const std::string& text) { runs_.note(run, text); });
  }

  void give_notes(const std::string& run, Send& send) const {
    for (int poll = 0; poll < note_polls_max; ++poll) {
      if (const auto notes = runs_.notes(run)) return answer(send, 200, *notes);
      if (!this_fiber::sleep_for(note_poll).has_value()) break;
    }
    answer(send, 504, "that run has not ended\n");
  }

  Runs runs_;
  std::mutex mutex_;
  LifespanCounts counts_;
};

}  // namespace

Application conformance_probe() {
  const auto probe = std::make_shared<Probe>();
  return [probe](const Scope& scope, Receive& receive, Send& send) { probe->serve(scope, receive, send); };
}

}  // namespace atlas::asgi
