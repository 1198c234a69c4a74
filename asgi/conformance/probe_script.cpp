#include <atlas/asgi/conformance/probe_script.hpp>

#include <atlas/asgi/toolkit/text_value.hpp>
#include <atlas/core/filesystem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

namespace atlas::asgi {
namespace {

constexpr std::size_t fill_bytes = 64 * 1024;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <class Number>
Number number_of(std::string_view text) {
  return value_of_text<Number>(text, [&](std::string_view expected) {
    throw std::invalid_argument(fmt::format("the script has '{}', which is not {}", text, expected));
  });
}

/// One step: "start+ 200 a:1" without its '!'.
struct Step {
  explicit Step(std::string_view text) {
    auto parts = split(text, ' ');
    if (parts.empty()) throw std::invalid_argument("the script has an empty step");
    name = parts.front();
    more = name.ends_with('+');
    if (more) name.remove_suffix(1);
    words.assign(parts.begin() + 1, parts.end());
  }

  [[nodiscard]] std::string_view word(std::size_t index) const {
    return index < words.size() ? words[index] : std::string_view();
  }
  [[nodiscard]] Headers headers_from(std::size_t index) const {
    Headers headers;
    for (; index < words.size(); ++index) {
      const auto colon = words[index].find(':');
      headers.add(words[index].substr(0, colon),
                  words[index].substr(std::min(colon, words[index].size() - 1) + 1));
    }
    return headers;
  }

  std::string_view name;
  bool more = false;
  std::vector<std::string_view> words;
};

class Script {
 public:
  using Note = std::function<void(std::string)>;

  Script(const Scope& scope, Receive& receive, Send& send, const Note& note)
      : scope_(scope), receive_(receive), send_(send), note_(note) {}

  void run(const Step& step) {
    using Action = void (Script::*)(const Step&);
    static const std::map<std::string_view, Action> actions = {
        {"start", &Script::start},       {"body", &Script::body},       {"fill", &Script::fill},
        {"trailers", &Script::trailers}, {"hint", &Script::hint},       {"path", &Script::path},
        {"file", &Script::file},         {"push", &Script::push},       {"open", &Script::open},
        {"startup", &Script::startup},   {"receive", &Script::receive}, {"drain", &Script::drain},
        {"echo", &Script::echo},         {"set", &Script::set},         {"throw", &Script::fail},
    };
    const auto found = actions.find(step.name);
    if (found == actions.end())
      throw std::invalid_argument(fmt::format("the script has a step '{}'", step.name));
    (this->*found->second)(step);
  }

 private:
  void send(MessageRef message) {
    send_(message);
    note_("ok");
  }

  void start(const Step& step) {
    send(HttpResponseStart{
        .status = number_of<int>(step.word(0)), .headers = step.headers_from(1), .trailers = step.more});
  }
  void body(const Step& step) { send(HttpResponseBody{.body = step.word(0), .more_body = step.more}); }

  void fill(const Step& step) {
    const std::string piece(fill_bytes, 'x');
    for (auto left = number_of<std::size_t>(step.word(0)); left > 0;) {
      const auto size = std::min(left, piece.size());
      left -= size;
      send(HttpResponseBody{.body = std::string_view(piece).substr(0, size),
                            .more_body = left > 0 || step.more});
    }
  }

  void trailers(const Step& step) {
    send(HttpResponseTrailers{.headers = step.headers_from(0), .more_trailers = step.more});
  }
  void hint(const Step& step) { send(HttpResponseEarlyHint{.links = {std::string(step.word(0))}}); }

  void path(const Step& step) {
    if (step.word(0) == "file") return send(HttpResponsePathsend{.path = own_file().path()});
    send(HttpResponsePathsend{.path = step.word(0) == "none" ? "/no/such/file" : "no/absolute/path"});
  }
  void file(const Step& step) {
    send(HttpResponseZerocopysend{.file = &own_file().file(),
                                  .offset = number_of<std::uint64_t>(step.word(0)),
                                  .count = number_of<std::uint64_t>(step.word(1)),
                                  .more_body = step.more});
  }
  void push(const Step& step) { send(HttpResponsePush{.path = std::string(step.word(0))}); }
  void open(const Step& step) { send(OpenMessage{.type = std::string(step.word(0))}); }
  void startup(const Step&) { send(LifespanStartupComplete{}); }

  void receive(const Step&) { static_cast<void>(receive_piece()); }
  void drain(const Step&) {
    for (auto piece = receive_piece(); piece && piece->more_body;) piece = receive_piece();
  }
  void echo(const Step&) {
    for (auto piece = receive_piece(); piece;) {
      send(HttpResponseBody{.body = piece->body, .more_body = piece->more_body});
      if (!piece->more_body) return;
      piece = receive_piece();
    }
  }

  /// Nothing for other messages than http.request.
  std::optional<HttpRequest> receive_piece() {
    const auto message = receive_();
    if (const auto* piece = std::get_if<HttpRequest>(&message)) {
      note_(
          fmt::format("received http.request {} {}", piece->body.size(), piece->more_body ? "more" : "last"));
      return *piece;
    }
    note_(std::holds_alternative<HttpDisconnect>(message) ? "received http.disconnect"
                                                          : "received a message of another scope");
    return std::nullopt;
  }

  void set(const Step& step) { scope_.state.set(step.word(0), std::string("changed")); }
  void fail(const Step&) { throw std::runtime_error("as the script says"); }

  TemporaryFile& own_file() {
    if (!file_) {
      file_ = TemporaryFile::create(std::filesystem::temp_directory_path().string()).value();
      file_->file().write(probe_file_text).value();
    }
    return *file_;
  }

  const Scope& scope_;
  Receive& receive_;
  Send& send_;
  const Note& note_;
  std::optional<TemporaryFile> file_;
};

}  // namespace

void run_probe_script(std::string_view script, const Scope& scope, Receive& receive, Send& send,
                      const std::function<void(std::string)>& note) {
  Script performer(scope, receive, send, note);
  for (auto part : split(script, '|')) {
    const bool goes_on = part.starts_with('!');
    if (goes_on) part.remove_prefix(1);
    try {
      performer.run(Step(part));
    } catch (const Disconnected& error) {
      note(fmt::format("Disconnected: {}", error.what()));
      if (!goes_on) throw;
    } catch (const ContractError& error) {
      note(fmt::format("ContractError: {}", error.what()));
      if (!goes_on) throw;
    } catch (const std::exception& error) {
      note(fmt::format("exception: {}", error.what()));
      if (!goes_on) throw;
    }
  }
}

}  // namespace atlas::asgi
