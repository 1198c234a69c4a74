#include <atlas/asgi/option_table.hpp>

#include <atlas/asgi/option_values.hpp>
#include <atlas/core/address.hpp>
#include <atlas/core/ip_networks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <type_traits>
#include <utility>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kibi = 1024;
constexpr std::uint64_t mebi = 1024 * kibi;
constexpr std::uint64_t gibi = 1024 * mebi;

/// The member that a path of member pointers leads to.
template <auto first, auto... rest>
constexpr auto& follow(auto& object) {
  if constexpr (sizeof...(rest) == 0) {
    return object.*first;
  } else {
    return follow<rest...>(object.*first);
  }
}

// Where a value goes.
template <auto... path>
constexpr auto field = [](auto& configuration) -> auto& {
  return follow<path...>(configuration);
};
template <auto... path>
constexpr auto server = field<&Configuration::server, path...>;
template <auto member>
constexpr auto limit = server<&ServerOptions::limits, member>;
template <auto member>
constexpr auto connection_limit = server<&ServerOptions::connection_limits, member>;
template <auto member>
constexpr auto timeout = server<&ServerOptions::timeouts, member>;
template <auto member>
constexpr auto log_option = field<&Configuration::log, member>;

struct Value {
  std::function<void(Configuration&, std::string_view)> set;
  std::function<std::string(const Configuration&)> get;
};

template <class Field>
using FieldType = std::remove_reference_t<std::invoke_result_t<Field, Configuration&>>;

template <class Field>
Value whole_number(Field field, Range<std::uint64_t> range) {
  return {[=](Configuration& configuration, std::string_view text) {
            field(configuration) = static_cast<FieldType<Field>>(parse_whole_number(text, range));
          },
          [=](const Configuration& configuration) { return fmt::format("{}", field(configuration)); }};
}

template <class Field>
Value port_number(Field field) {
  auto value = whole_number(field, {0, 65535});
  value.set = [set = value.set](Configuration& configuration, std::string_view text) {
    try {
      set(configuration, text);
    } catch (const BadValue&) {
      throw BadValue("not a port (0 to 65535)");
    }
  };
  return value;
}

template <class Field>
Value size(Field field, Range<std::uint64_t> range) {
  return {[=](Configuration& configuration, std::string_view text) {
            field(configuration) = static_cast<FieldType<Field>>(parse_size(text, range));
          },
          [=](const Configuration& configuration) { return size_text(field(configuration)); }};
}

template <class Field>
Value duration(Field field, Duration min = 1ms) {
  const Range<Duration> range = {min, 24h};
  return {[=](Configuration& configuration, std::string_view text) {
            field(configuration) = parse_duration(text, range);
          },
          [=](const Configuration& configuration) { return duration_text(field(configuration)); }};
}

/// One of an enumeration's values.
template <class Field, class Choice = FieldType<Field>>
Value choice(Field field, std::initializer_list<std::pair<std::string_view, Choice>> choices) {
  const std::vector<std::pair<std::string_view, Choice>> kept = choices;
  return {[=](Configuration& configuration, std::string_view text) {
            std::string names;
            for (const auto& [name, value] : kept) {
              if (text == name) {
                field(configuration) = value;
                return;
              }
              names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
            }
            throw BadValue(fmt::format("not one of {}", names));
          },
          [=](const Configuration& configuration) {
            for (const auto& [name, value] : kept) {
              if (field(configuration) == value) return std::string(name);
            }
            return std::string();
          }};
}

/// A text, after `checked` has looked at it and perhaps written it in another way.
template <class Field>
Value text(Field field, std::string (*checked)(std::string_view)) {
  return {
      [=](Configuration& configuration, std::string_view given) { field(configuration) = checked(given); },
      [=](const Configuration& configuration) { return field(configuration); }};
}

template <class Field>
Value networks(Field field) {
  return {[=](Configuration& configuration, std::string_view given) {
            auto parsed = IpNetworks::parse(given);
            if (!parsed) throw BadValue("not a list of networks like 10.0.0.0/8,::1");
            field(configuration) = *std::move(parsed);
          },
          [=](const Configuration& configuration) { return field(configuration).to_string(); }};
}

bool has_control_characters(std::string_view given) {
  return std::any_of(given.begin(), given.end(),
                     [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

std::string checked_host(std::string_view given) {
  if (given.starts_with('[') && given.ends_with(']')) given = given.substr(1, given.size() - 2);
  if (given != "localhost" && !SocketAddress::ip(given, 0)) {
    throw BadValue("not an IP address, nor localhost");
  }
  return std::string(given);
}

std::string checked_unix_path(std::string_view given) {
  if (given.empty()) throw BadValue("no path");
  if (given.find('\0') != std::string_view::npos) throw BadValue("not a path");
  if (!SocketAddress::unix_socket(given)) throw BadValue("longer than a unix socket's path can be");
  return std::string(given);
}

std::string checked_server_name(std::string_view given) {
  if (has_control_characters(given) || given.starts_with(' ') || given.ends_with(' ')) {
    throw BadValue("not what a header can hold");
  }
  return std::string(given);
}

std::string checked_root_path(std::string_view given) {
  // With two slashes in front it would name a host wherever it stands in a Location.
  const bool is_path = given.starts_with('/') && !given.starts_with("//") && !given.ends_with('/');
  if (!given.empty() && !is_path) throw BadValue("not a path like /shop");
  if (has_control_characters(given)) throw BadValue("not a path like /shop");
  return std::string(given);
}

std::string checked_log_target(std::string_view given) {
  if (given.empty()) throw BadValue("no path");
  if (given.find('\0') != std::string_view::npos) throw BadValue("not a path");
  return std::string(given == "-" ? "stdout" : given);
}

/// The options of one group.
struct Group {
  std::vector<Option>& table;
  std::string_view name;

  void add(std::string_view option, std::string_view value, std::string_view help, Value places) const {
    table.push_back({option, value, name, help, std::move(places.set), std::move(places.get)});
  }
};

void add_listening(std::vector<Option>& table) {
  const Group group{table, "Listening"};
  group.add("host", "ADDRESS", "an IP address; localhost: IPv4 and IPv6",
            text(server<&ServerOptions::host>, checked_host));
  group.add("port", "PORT", "0: any free one", port_number(server<&ServerOptions::port>));
  group.add("unix", "PATH", "a unix socket, instead of host and port",
            text(server<&ServerOptions::unix_path>, checked_unix_path));
  group.add("backlog", "N", "connections that wait to be accepted",
            whole_number(server<&ServerOptions::backlog>, {1, 65535}));
  group.add("accept", "MODE", "acceptor: a thread hands clients to workers; reuseport: each worker",
            choice(server<&ServerOptions::accept>,
                   {{"acceptor", AcceptMode::acceptor}, {"reuseport", AcceptMode::reuseport}}));
  group.add("placement", "RULE", "the acceptor's: round-robin or least-connections",
            choice(server<&ServerOptions::placement>, {{"round-robin", Placement::round_robin},
                                                       {"least-connections", Placement::least_connections}}));
}

void add_proxies(std::vector<Option>& table) {
  const Group group{table, "Behind a proxy"};
  group.add("proxy-protocol", "NETWORKS", "10.0.0.0/8,::1, unix or all: from whom the PROXY protocol comes",
            networks(server<&ServerOptions::proxy_protocol_from>));
  group.add("root-path", "PATH", "where a proxy has mounted this server",
            text(server<&ServerOptions::root_path>, checked_root_path));
}

void add_running(std::vector<Option>& table) {
  const Group group{table, "Running"};
  group.add("workers", "N", "threads; 0: one for each processor",
            whole_number(server<&ServerOptions::workers>, {0, 1024}));
  group.add("stack-size", "SIZE", "each fiber's stack, reserved",
            size(server<&ServerOptions::scheduler, &SchedulerOptions::stack_bytes>, {32 * kibi, 64 * mebi}));
  group.add("write-buffer", "SIZE", "of one connection's responses, before send waits",
            size(server<&ServerOptions::write_buffer_bytes_max>, {kibi, gibi}));
  group.add("server-name", "NAME", "the server field of responses; empty: none",
            text(server<&ServerOptions::server_name>, checked_server_name));
  group.add("trace", "WHO", "answers TRACE: server (501) or application",
            choice(server<&ServerOptions::trace>,
                   {{"server", AnsweredBy::server}, {"application", AnsweredBy::application}}));
  group.add("options-asterisk", "WHO", "answers OPTIONS *: server (204) or application",
            choice(server<&ServerOptions::options_asterisk>,
                   {{"server", AnsweredBy::server}, {"application", AnsweredBy::application}}));
}

void add_seeing(std::vector<Option>& table) {
  const Group group{table, "Seeing what it does"};
  group.add("stall-threshold", "TIME", "a loop that is kept for longer is logged; 0: not watched",
            duration(server<&ServerOptions::stall_threshold>, 0s));
  group.add("debug-endpoints", "SWITCH", "on: the demo's /debug/fibers shows what every fiber does",
            choice(server<&ServerOptions::debug_endpoints>, {{"off", false}, {"on", true}}));
  group.add("server-timing", "SWITCH", "on: responses say in server-timing what they cost until then",
            choice(server<&ServerOptions::server_timing>, {{"off", false}, {"on", true}}));
}

void add_limits(std::vector<Option>& table) {
  const Group group{table, "Limits of a request (SIZE: 500, 64k, 16M, 1G)"};
  group.add("limit-request-line", "SIZE", "above: 414",
            size(limit<&http::Limits::request_line_bytes_max>, {64, 16 * mebi}));
  group.add("limit-header-size", "SIZE", "all headers together; above: 431",
            size(limit<&http::Limits::header_bytes_max>, {256, 16 * mebi}));
  group.add("limit-header-count", "N", "above: 431",
            whole_number(limit<&http::Limits::header_count_max>, {1, 10'000}));
  group.add("limit-body", "SIZE", "0: none; above: 413",
            size(limit<&http::Limits::body_bytes_max>, {0, std::uint64_t{1} << 50}));
  group.add("limit-chunk-extension", "SIZE", "all of a body's together; above: 400",
            size(limit<&http::Limits::chunk_extension_bytes_max>, {0, 16 * mebi}));
  group.add("limit-leading-crlf", "SIZE", "empty lines before a request; above: 400",
            size(limit<&http::Limits::leading_crlf_bytes_max>, {0, 64 * kibi}));
  group.add("limit-discarded-body", "SIZE", "of what the application did not read, to keep the connection",
            size(server<&ServerOptions::discarded_body_bytes_max>, {0, gibi}));
}

void add_connection_limits(std::vector<Option>& table) {
  constexpr std::uint64_t connections_max = 100'000'000;
  const Group group{table, "Limits of connections"};
  group.add("limit-connections", "N", "0: what the limit of open files leaves room for; above: 503",
            whole_number(connection_limit<&ConnectionLimits::connections_max>, {0, connections_max}));
  group.add(
      "limit-per-address", "N", "connections of one address; 0: three quarters of all; above: 503",
      whole_number(connection_limit<&ConnectionLimits::connections_per_address_max>, {0, connections_max}));
  group.add("limit-requests", "N", "on one connection, which is closed then; 0: none",
            whole_number(connection_limit<&ConnectionLimits::requests_per_connection_max>,
                         {0, std::uint64_t{1} << 50}));
  group.add("limit-buffered", "SIZE", "of all connections' buffers; 0: a quarter of the memory; above: 503",
            size(connection_limit<&ConnectionLimits::buffered_bytes_max>, {0, std::uint64_t{1} << 50}));
  group.add("limit-linger", "SIZE", "read and thrown away after a refusal",
            size(connection_limit<&ConnectionLimits::linger_bytes_max>, {0, std::uint64_t{1} << 50}));
  group.add("body-rate-min", "SIZE", "of a request's body for each second; 0: none; below: 408",
            size(connection_limit<&ConnectionLimits::body_bytes_per_second_min>, {0, gibi}));
  group.add("write-rate-min", "SIZE", "of responses for each second, over the write timeout; below: cut",
            size(connection_limit<&ConnectionLimits::write_bytes_per_second_min>, {0, gibi}));
}

void add_timeouts(std::vector<Option>& table) {
  const Group group{table, "Timeouts (TIME: 500ms, 10s or 10, 2m, 1h)"};
  group.add("header-timeout", "TIME", "a request's head, from its first byte; then 408",
            duration(timeout<&Timeouts::header>));
  group.add("body-timeout", "TIME", "between two pieces of a request's body; then 408",
            duration(timeout<&Timeouts::body>));
  group.add("body-rate-grace", "TIME", "before a body's rate is looked at",
            duration(timeout<&Timeouts::rate_grace>, 0s));
  group.add("request-timeout", "TIME", "the application's answer, as a whole, 0: no limit; then 503",
            duration(timeout<&Timeouts::request>, 0s));
  group.add("keep-alive-timeout", "TIME", "between two requests", duration(timeout<&Timeouts::keep_alive>));
  group.add("write-timeout", "TIME", "without the client taking what it must",
            duration(timeout<&Timeouts::write>));
  group.add("linger-timeout", "TIME", "reading on after a refusal, so that the client sees it",
            duration(timeout<&Timeouts::linger>, 0s));
  group.add("drain-timeout", "TIME", "for running requests when stopping",
            duration(timeout<&Timeouts::drain>, 0s));
}

void add_log(std::vector<Option>& table) {
  using log::Format;
  using log::Level;
  const Group group{table, "Log"};
  group.add("log-level", "LEVEL", "trace, debug, info, warn, error or off",
            choice(log_option<&log::SinkOptions::level>, {{"trace", Level::trace},
                                                          {"debug", Level::debug},
                                                          {"info", Level::info},
                                                          {"warn", Level::warn},
                                                          {"error", Level::error},
                                                          {"off", Level::off}}));
  group.add("log-format", "FORMAT", "text or json",
            choice(log_option<&log::SinkOptions::format>, {{"text", Format::text}, {"json", Format::json}}));
  group.add("log-file", "PATH", "stdout (or -), stderr, or a file to append to",
            text(log_option<&log::SinkOptions::target>, checked_log_target));
  group.add("access-log", "FORMAT", "off, common or json",
            choice(server<&ServerOptions::access_log>, {{"off", AccessLogFormat::off},
                                                        {"common", AccessLogFormat::common},
                                                        {"json", AccessLogFormat::json}}));
  group.add("access-log-cost", "SWITCH", "on: its lines have processor time and suspended time, by reason",
            choice(server<&ServerOptions::access_log_cost>, {{"off", false}, {"on", true}}));
}

std::vector<Option> make_option_table() {
  std::vector<Option> table;
  add_listening(table);
  add_proxies(table);
  add_running(table);
  add_seeing(table);
  add_limits(table);
  add_connection_limits(table);
  add_timeouts(table);
  add_log(table);
  return table;
}

}  // namespace

const std::vector<Option>& option_table() {
  static const std::vector<Option> table = make_option_table();
  return table;
}

}  // namespace atlas::asgi
