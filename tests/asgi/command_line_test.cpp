#include <atlas/asgi/command_line.hpp>
#include <atlas/version.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>

namespace atlas::asgi {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// A configuration file, removed with the object.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    static int count = 0;
    path_ = fmt::format("{}atlas-{}-{}.toml", ::testing::TempDir(), ::getpid(), ++count);
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Given {
  std::vector<std::string> arguments = {};
  std::vector<std::string> environment = {};
  bool takes_application = false;
};

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  for (const auto& text : texts) result.push_back(text.c_str());
  return result;
}

CommandLine read(const Given& given) {
  const CommandSyntax syntax{.program = "program", .takes_application = given.takes_application};
  return read_command_line(syntax, pointers(given.arguments), pointers(given.environment));
}

/// What the refusal says; empty when there is none.
std::string refusal(const Given& given) {
  try {
    static_cast<void>(read(given));
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

// ---- every option, from every source ----

struct Case {
  std::string_view option;
  std::string_view text;
  bool (*holds)(const ServerOptions&, const log::SinkOptions&);
};

constexpr Case cases[] = {
    {"host", "::1", [](auto& s, auto&) { return s.host == "::1"; }},
    {"port", "8123", [](auto& s, auto&) { return s.port == 8123; }},
    {"unix", "/run/atlas", [](auto& s, auto&) { return s.unix_path == "/run/atlas"; }},
    {"backlog", "17", [](auto& s, auto&) { return s.backlog == 17; }},
    {"accept", "reuseport", [](auto& s, auto&) { return s.accept == AcceptMode::reuseport; }},
    {"placement", "least-connections",
     [](auto& s, auto&) { return s.placement == Placement::least_connections; }},
    {"workers", "3", [](auto& s, auto&) { return s.workers == 3; }},
    {"stack-size", "128k", [](auto& s, auto&) { return s.scheduler.stack_bytes == 131'072; }},
    {"write-buffer", "1M", [](auto& s, auto&) { return s.write_buffer_bytes_max == 1'048'576; }},
    {"server-name", "shop", [](auto& s, auto&) { return s.server_name == "shop"; }},
    {"trace", "application", [](auto& s, auto&) { return s.trace == AnsweredBy::application; }},
    {"options-asterisk", "application",
     [](auto& s, auto&) { return s.options_asterisk == AnsweredBy::application; }},
    {"proxy-protocol", "10.0.0.0/8,unix",
     [](auto& s, auto&) { return s.proxy_protocol_from.to_string() == "unix,10.0.0.0/8"; }},
    {"root-path", "/shop", [](auto& s, auto&) { return s.root_path == "/shop"; }},
    {"stall-threshold", "1s", [](auto& s, auto&) { return s.stall_threshold == 1s; }},
    {"debug-endpoints", "on", [](auto& s, auto&) { return s.debug_endpoints; }},
    {"server-timing", "on", [](auto& s, auto&) { return s.server_timing; }},
    {"limit-request-line", "1k", [](auto& s, auto&) { return s.limits.request_line_bytes_max == 1024; }},
    {"limit-header-size", "2k", [](auto& s, auto&) { return s.limits.header_bytes_max == 2048; }},
    {"limit-header-count", "7", [](auto& s, auto&) { return s.limits.header_count_max == 7; }},
    {"limit-body", "3G", [](auto& s, auto&) { return s.limits.body_bytes_max == 3'221'225'472; }},
    {"limit-chunk-extension", "99", [](auto& s, auto&) { return s.limits.chunk_extension_bytes_max == 99; }},
    {"limit-leading-crlf", "8", [](auto& s, auto&) { return s.limits.leading_crlf_bytes_max == 8; }},
    {"limit-discarded-body", "5k", [](auto& s, auto&) { return s.discarded_body_bytes_max == 5120; }},
    {"limit-connections", "90", [](auto& s, auto&) { return s.connection_limits.connections_max == 90; }},
    {"limit-per-address", "9",
     [](auto& s, auto&) { return s.connection_limits.connections_per_address_max == 9; }},
    {"limit-requests", "8",
     [](auto& s, auto&) { return s.connection_limits.requests_per_connection_max == 8; }},
    {"limit-buffered", "1G",
     [](auto& s, auto&) { return s.connection_limits.buffered_bytes_max == 1'073'741'824; }},
    {"limit-linger", "1k", [](auto& s, auto&) { return s.connection_limits.linger_bytes_max == 1024; }},
    {"body-rate-min", "1k",
     [](auto& s, auto&) { return s.connection_limits.body_bytes_per_second_min == 1024; }},
    {"write-rate-min", "2k",
     [](auto& s, auto&) { return s.connection_limits.write_bytes_per_second_min == 2048; }},
    {"body-rate-grace", "7s", [](auto& s, auto&) { return s.timeouts.rate_grace == 7s; }},
    {"header-timeout", "500ms", [](auto& s, auto&) { return s.timeouts.header == 500ms; }},
    {"body-timeout", "11s", [](auto& s, auto&) { return s.timeouts.body == 11s; }},
    {"request-timeout", "90s", [](auto& s, auto&) { return s.timeouts.request == 90s; }},
    {"keep-alive-timeout", "2m", [](auto& s, auto&) { return s.timeouts.keep_alive == 2min; }},
    {"write-timeout", "13", [](auto& s, auto&) { return s.timeouts.write == 13s; }},
    {"linger-timeout", "0", [](auto& s, auto&) { return s.timeouts.linger == 0s; }},
    {"drain-timeout", "1.5s", [](auto& s, auto&) { return s.timeouts.drain == 1500ms; }},
    {"log-level", "debug", [](auto&, auto& l) { return l.level == log::Level::debug; }},
    {"log-format", "json", [](auto&, auto& l) { return l.format == log::Format::json; }},
    {"log-file", "/tmp/log", [](auto&, auto& l) { return l.target == "/tmp/log"; }},
    {"access-log", "common", [](auto& s, auto&) { return s.access_log == AccessLogFormat::common; }},
    {"access-log-cost", "on", [](auto& s, auto&) { return s.access_log_cost; }},
};

bool holds(const Case& one, const CommandLine& line) {
  return one.holds(line.configuration.server, line.configuration.log);
}

std::string variable(std::string_view option) {
  auto name = fmt::format("ATLAS_{}", option);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

TEST(CommandLine, TheseTestsKnowEveryOption) {
  std::set<std::string_view> tested;
  std::set<std::string_view> there_are;
  for (const auto& one : cases) tested.insert(one.option);
  for (const auto& option : option_table()) there_are.insert(option.name);
  EXPECT_EQ(tested, there_are);
}

TEST(CommandLine, NoOptionHasItsTestedValueByDefault) {
  for (const auto& one : cases) EXPECT_FALSE(holds(one, read({}))) << one.option;
}

TEST(CommandLine, EveryOptionIsTakenFromTheCommandLine) {
  for (const auto& one : cases) {
    const auto name = fmt::format("--{}", one.option);
    EXPECT_TRUE(holds(one, read({.arguments = {name, std::string(one.text)}}))) << name;
    EXPECT_TRUE(holds(one, read({.arguments = {fmt::format("{}={}", name, one.text)}}))) << name;
  }
}

TEST(CommandLine, EveryOptionIsTakenFromTheEnvironment) {
  for (const auto& one : cases) {
    const auto setting = fmt::format("{}={}", variable(one.option), one.text);
    EXPECT_TRUE(holds(one, read({.environment = {"HOME=/", setting}}))) << setting;
  }
}

TEST(CommandLine, EveryOptionIsTakenFromTheFile) {
  for (const auto& one : cases) {
    const ConfigFile file(fmt::format("{} = \"{}\"\n", one.option, one.text));
    EXPECT_TRUE(holds(one, read({.arguments = {"--config", file.path()}}))) << one.option;
  }
}

TEST(CommandLine, NumbersNeedNoQuotesInTheFile) {
  for (const auto& one : cases) {
    if (!all_digits(one.text)) continue;
    const ConfigFile file(fmt::format("{} = {}\n", one.option, one.text));
    EXPECT_TRUE(holds(one, read({.arguments = {"--config", file.path()}}))) << one.option;
  }
  const ConfigFile file("drain-timeout = 0.5\n");
  EXPECT_EQ(read({.arguments = {"--config", file.path()}}).configuration.server.timeouts.drain, 500ms);
}

TEST(CommandLine, EveryDefaultIsAValueThatMayBeGiven) {
  for (const auto& option : option_table()) {
    const auto text = option.get(Configuration{});
    if (option.name == "unix") continue;  // the default is none
    EXPECT_EQ(refusal({.arguments = {fmt::format("--{}={}", option.name, text)}}), "") << option.name;
  }
}

// ---- which source goes first ----

std::uint16_t port(const Given& given) { return read(given).configuration.server.port; }

TEST(CommandLine, TheEnvironmentGoesBeforeTheFileAndTheCommandLineBeforeBoth) {
  const ConfigFile file("port = 1\n");
  const std::vector<std::string> config = {"--config", file.path()};
  EXPECT_EQ(port({}), 8000);
  EXPECT_EQ(port({.arguments = config}), 1);
  EXPECT_EQ(port({.arguments = config, .environment = {"ATLAS_PORT=2"}}), 2);
  EXPECT_EQ(port({.arguments = {config[0], config[1], "--port=3"}, .environment = {"ATLAS_PORT=2"}}), 3);
  EXPECT_EQ(port({.arguments = {"--port=3"}, .environment = {"ATLAS_PORT=2"}}), 3);
}

TEST(CommandLine, TheFileMayBeNamedByTheEnvironment) {
  const ConfigFile one("port = 1\n");
  const ConfigFile other("port = 2\n");
  EXPECT_EQ(port({.environment = {"ATLAS_CONFIG=" + one.path()}}), 1);
  EXPECT_EQ(port({.arguments = {"--config=" + other.path()}, .environment = {"ATLAS_CONFIG=" + one.path()}}),
            2);
}

TEST(CommandLine, OfAnOptionGivenTwiceTheLastCounts) {
  EXPECT_EQ(port({.arguments = {"--port=1", "--port", "2"}}), 2);
}

TEST(CommandLine, AnEmptyValueIsAValue) {
  EXPECT_EQ(read({.arguments = {"--server-name="}}).configuration.server.server_name, "");
  EXPECT_EQ(read({.arguments = {"--server-name", ""}}).configuration.server.server_name, "");
  EXPECT_EQ(read({.environment = {"ATLAS_SERVER_NAME="}}).configuration.server.server_name, "");
}

TEST(CommandLine, AVariableThatIsNotAnOptionIsLeftAlone) {
  EXPECT_EQ(
      refusal({.environment = {"ATLAS_SERVICE_HOST=10.0.0.1", "ATLAS_PORTS=x", "ATLAS_", "ATLAS_VERSION=9"}}),
      "");
}

// ---- values with a meaning of their own ----

TEST(CommandLine, AnIpv6AddressMayStandInBrackets) {
  EXPECT_EQ(read({.arguments = {"--host=[::1]"}}).configuration.server.host, "::1");
  EXPECT_EQ(read({.arguments = {"--host=localhost"}}).configuration.server.host, "localhost");
}

TEST(CommandLine, ADashAsLogFileIsStdout) {
  EXPECT_EQ(read({.arguments = {"--log-file", "-"}}).configuration.log.target, "stdout");
  EXPECT_EQ(read({.arguments = {"--log-file=stderr"}}).configuration.log.target, "stderr");
}

TEST(CommandLine, NamesAnApplicationWhereThatIsAllowed) {
  EXPECT_EQ(read({.arguments = {"lib.so:shop", "--port=1"}, .takes_application = true}).application,
            "lib.so:shop");
  EXPECT_EQ(read({.arguments = {"--port", "1", "lib.so"}, .takes_application = true}).application, "lib.so");
  EXPECT_EQ(read({.takes_application = true}).application, "");
}

// ---- help ----

TEST(CommandLine, HelpNamesEveryOptionWithItsDefault) {
  const auto help = read({.arguments = {"--help"}}).printout;
  EXPECT_THAT(help, HasSubstr("Usage: program [OPTIONS]\n"));
  for (const auto& option : option_table()) {
    EXPECT_THAT(help, HasSubstr(fmt::format("  --{} {} ", option.name, option.value)));
    EXPECT_THAT(help, HasSubstr(fmt::format("\n{}:\n", option.group)));
  }
  EXPECT_THAT(help, HasSubstr("[8000]"));
  EXPECT_THAT(help, HasSubstr("--config FILE"));
}

TEST(CommandLine, HelpFitsATerminalOf120Columns) {
  const auto help = read({.arguments = {"-h"}}).printout;
  for (std::size_t begin = 0; begin < help.size();) {
    const auto end = help.find('\n', begin);
    EXPECT_LE(end - begin, 120U) << help.substr(begin, end - begin);
    begin = end + 1;
  }
}

TEST(CommandLine, VersionIsOneLine) {
  EXPECT_EQ(read({.arguments = {"--version"}}).printout, fmt::format("atlas {}\n", version));
}

TEST(CommandLine, HelpIsThereWhateverElseIsWrong) {
  EXPECT_NE(
      read({.arguments = {"--help"}, .environment = {"ATLAS_PORT=x", "ATLAS_CONFIG=/nowhere"}}).printout, "");
}

// ---- refusals ----

TEST(CommandLine, ABadValueIsRefusedFromEverySourceWithItsPlace) {
  const ConfigFile file("\n# three\nworkers = \"x\"\n");
  EXPECT_EQ(refusal({.arguments = {"--workers", "abc"}}), "--workers=abc: not a whole number");
  EXPECT_EQ(refusal({.environment = {"ATLAS_PORT=70000"}}), "ATLAS_PORT=70000: not a port (0 to 65535)");
  EXPECT_EQ(refusal({.arguments = {"--config", file.path()}}),
            fmt::format("{}:3: workers = \"x\": not a whole number", file.path()));
  const ConfigFile numbers("workers = 2000");
  EXPECT_EQ(refusal({.arguments = {"--config", numbers.path()}}),
            fmt::format("{}:1: workers = 2000: not in 0 to 1024", numbers.path()));
}

TEST(CommandLine, ABadValueIsRefusedEvenWhereAnotherSourceGoesFirst) {
  EXPECT_EQ(refusal({.arguments = {"--port=1"}, .environment = {"ATLAS_PORT="}}),
            "ATLAS_PORT=: not a port (0 to 65535)");
}

struct Refusal {
  std::string argument;
  std::string message;
};

TEST(CommandLine, EveryOptionRefusesWhatItCannotTake) {
  const std::string day = "not in 1ms to 24h";
  const std::string day_or_none = "not in 0s to 24h";
  const std::vector<Refusal> refusals = {
      {"--host=example.org", "not an IP address, nor localhost"},
      {"--host=", "not an IP address, nor localhost"},
      {"--host=127.0.0.1:80", "not an IP address, nor localhost"},
      {"--port=65536", "not a port (0 to 65535)"},
      {"--port=-1", "not a port (0 to 65535)"},
      {"--port=http", "not a port (0 to 65535)"},
      {"--unix=", "no path"},
      {"--unix=/" + std::string(107, 'x'), "longer than a unix socket's path can be"},
      {"--stall-threshold=25h", day_or_none},
      {"--debug-endpoints=yes", "not one of off, on"},
      {"--backlog=0", "not in 1 to 65535"},
      {"--backlog=65536", "not in 1 to 65535"},
      {"--accept=fork", "not one of acceptor, reuseport"},
      {"--placement=random", "not one of round-robin, least-connections"},
      {"--workers=1025", "not in 0 to 1024"},
      {"--workers=-1", "not a whole number"},
      {"--stack-size=32767", "not in 32k to 64M"},
      {"--stack-size=65M", "not in 32k to 64M"},
      {"--write-buffer=1023", "not in 1k to 1G"},
      {"--write-buffer=1025M", "not in 1k to 1G"},
      {"--server-name= x", "not what a header can hold"},
      {"--trace=on", "not one of server, application"},
      {"--options-asterisk=off", "not one of server, application"},
      {"--proxy-protocol=10.0.0.1/8", "not a list of networks like 10.0.0.0/8,::1"},
      {"--proxy-protocol=yes", "not a list of networks like 10.0.0.0/8,::1"},
      {"--root-path=shop", "not a path like /shop"},
      {"--root-path=/", "not a path like /shop"},
      {"--root-path=//shop", "not a path like /shop"},
      {"--limit-request-line=63", "not in 64 to 16M"},
      {"--limit-request-line=17M", "not in 64 to 16M"},
      {"--limit-header-size=255", "not in 256 to 16M"},
      {"--limit-header-size=17M", "not in 256 to 16M"},
      {"--limit-header-count=0", "not in 1 to 10000"},
      {"--limit-header-count=10001", "not in 1 to 10000"},
      {"--limit-body=1048577G", "not in 0 to 1048576G"},
      {"--limit-body=big", "not a size (like 500, 64k, 16M or 1G)"},
      {"--limit-chunk-extension=17M", "not in 0 to 16M"},
      {"--limit-leading-crlf=65k", "not in 0 to 64k"},
      {"--limit-discarded-body=2G", "not in 0 to 1G"},
      {"--limit-connections=many", "not a whole number"},
      {"--limit-per-address=100000001", "not in 0 to 100000000"},
      {"--limit-requests=-1", "not a whole number"},
      {"--limit-buffered=1048577G", "not in 0 to 1048576G"},
      {"--limit-linger=1048577G", "not in 0 to 1048576G"},
      {"--body-rate-min=2G", "not in 0 to 1G"},
      {"--write-rate-min=2G", "not in 0 to 1G"},
      {"--body-rate-grace=25h", day_or_none},
      {"--header-timeout=0", day},
      {"--header-timeout=soon", "not a duration (like 500ms, 10s, 2m or 1h)"},
      {"--body-timeout=25h", day},
      {"--request-timeout=25h", day_or_none},
      {"--keep-alive-timeout=0ms", day},
      {"--write-timeout=100000", day},
      {"--linger-timeout=25h", day_or_none},
      {"--drain-timeout=25h", day_or_none},
      {"--log-level=loud", "not one of trace, debug, info, warn, error, off"},
      {"--log-level=", "not one of trace, debug, info, warn, error, off"},
      {"--log-format=xml", "not one of text, json"},
      {"--log-file=", "no path"},
      {"--access-log=on", "not one of off, common, json"},
      {"--access-log-cost=yes", "not one of off, on"},
      {"--server-timing=true", "not one of off, on"},
  };
  std::set<std::string> refusing;
  for (const auto& one : refusals) {
    EXPECT_EQ(refusal({.arguments = {one.argument}}), fmt::format("{}: {}", one.argument, one.message));
    refusing.insert(one.argument.substr(2, one.argument.find('=') - 2));
  }
  for (const auto& option : option_table())
    EXPECT_TRUE(refusing.contains(std::string(option.name))) << option.name;
}

TEST(CommandLine, EveryBoundIsItselfAllowed) {
  const std::vector<std::string> arguments = {
      "--port=0",
      "--port=65535",
      "--unix=" + std::string(107, 'x'),
      "--backlog=1",
      "--backlog=65535",
      "--workers=0",
      "--workers=1024",
      "--stack-size=32k",
      "--stack-size=64M",
      "--write-buffer=1k",
      "--write-buffer=1G",
      "--limit-request-line=64",
      "--limit-body=0",
      "--limit-body=1048576G",
      "--limit-request-line=16M",
      "--header-timeout=1ms",
      "--header-timeout=24h",
      "--drain-timeout=0",
      "--request-timeout=0",
      "--root-path=",
      "--proxy-protocol=",
      "--proxy-protocol=all",
      "--server-name=",
      "--limit-header-size=256",
      "--limit-header-size=16M",
      "--limit-header-count=1",
      "--limit-header-count=10000",
  };
  for (const auto& argument : arguments) EXPECT_EQ(refusal({.arguments = {argument}}), "") << argument;
}

TEST(CommandLine, UnknownArgumentsAreRefused) {
  EXPECT_EQ(refusal({.arguments = {"--workres=3"}}), "--workres: no such option; did you mean --workers?");
  EXPECT_EQ(refusal({.arguments = {"--daemonize"}}), "--daemonize: no such option");
  EXPECT_EQ(refusal({.arguments = {"-p", "80"}}), "-p: no such option");
  EXPECT_EQ(refusal({.arguments = {"lib.so"}}), "lib.so: not expected here");
  EXPECT_EQ(refusal({.arguments = {"a.so", "b.so"}, .takes_application = true}), "b.so: not expected here");
}

TEST(CommandLine, AnOptionWithoutItsValueIsRefused) {
  EXPECT_EQ(refusal({.arguments = {"--port"}}), "--port: no value given");
  EXPECT_EQ(refusal({.arguments = {"--config"}}), "--config: no value given");
}

TEST(CommandLine, ARefusalIsOneLine) {
  EXPECT_EQ(refusal({.arguments = {"--workers=1\n2"}}), "--workers=1\\x0a2: not a whole number");
}

TEST(CommandLine, UnknownKeysOfTheFileAreRefused) {
  const ConfigFile file("port = 1\n\nwrokers = 3\n");
  EXPECT_EQ(refusal({.arguments = {"--config", file.path()}}),
            fmt::format("{}:3: wrokers: no such option; did you mean workers?", file.path()));
  const ConfigFile underscores("log_level = 'debug'\n");
  EXPECT_EQ(refusal({.arguments = {"--config", underscores.path()}}),
            fmt::format("{}:1: log_level: no such option; did you mean log-level?", underscores.path()));
  const ConfigFile config("config = 'other.toml'\n");
  EXPECT_EQ(refusal({.arguments = {"--config", config.path()}}),
            fmt::format("{}:1: config: no such option", config.path()));
}

TEST(CommandLine, ValuesOfTheFileThatAreNeitherTextNorNumberAreRefused) {
  for (const auto* text : {"port = true", "port = [1]", "[port]", "port = {}", "port = 1979-05-27"}) {
    const ConfigFile file(text);
    EXPECT_EQ(refusal({.arguments = {"--config", file.path()}}),
              fmt::format("{}:1: port: neither a text nor a number", file.path()))
        << text;
  }
}

TEST(CommandLine, AMalformedFileIsRefusedWithItsLine) {
  const ConfigFile file("port = 1\nhost = \n");
  const auto message = refusal({.arguments = {"--config", file.path()}});
  EXPECT_THAT(message, HasSubstr(fmt::format("{}:2: ", file.path())));
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(CommandLine, AFileThatCannotBeReadIsRefusedWithWhereItWasNamed) {
  EXPECT_EQ(refusal({.arguments = {"--config=/nowhere.toml"}}),
            "--config=/nowhere.toml: cannot read it: no such file or directory");
  EXPECT_EQ(refusal({.environment = {"ATLAS_CONFIG=/"}}), "ATLAS_CONFIG=/: cannot read it: is a directory");
}

TEST(CommandLine, AFileOfMoreThanAMebibyteIsRefused) {
  const ConfigFile fits("#" + std::string(1024 * 1024 - 1, 'x'));
  EXPECT_EQ(refusal({.arguments = {"--config=" + fits.path()}}), "");
  const ConfigFile file("#" + std::string(1024 * 1024, 'x'));
  EXPECT_EQ(refusal({.arguments = {"--config=" + file.path()}}),
            fmt::format("--config={}: cannot read it: file too large", file.path()));
}

}  // namespace
}  // namespace atlas::asgi
