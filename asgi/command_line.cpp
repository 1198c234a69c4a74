#include <atlas/asgi/command_line.hpp>

#include <atlas/asgi/option_values.hpp>
#include <atlas/version.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <numeric>
#include <optional>
#include <system_error>
#include <utility>

namespace atlas::asgi {
namespace {

constexpr std::size_t config_file_bytes_max = std::size_t{1024} * 1024;

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... arguments) {
  throw UsageError(on_one_line(fmt::format(format, std::forward<Args>(arguments)...)));
}

/// `place` names the source and the value as it was given there.
void set(const Option& option, Configuration& configuration, std::string_view text, std::string_view place) {
  try {
    option.set(configuration, text);
  } catch (const BadValue& error) {
    refuse("{}: {}", place, error.what());
  }
}

// ---- names that are none ----

/// How many letters must be changed, added or dropped to make one word of the other (Levenshtein).
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t changed = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// "; did you mean --workers?", when `name` comes near to an option.
std::string suggestion(std::string_view name, std::string_view prefix) {
  constexpr std::size_t distance_max = 2;
  const auto distance_to = [&](const Option& option) { return edit_distance(name, option.name); };
  const auto& table = option_table();
  const auto nearest = std::min_element(table.begin(), table.end(), [&](const auto& left, const auto& right) {
    return distance_to(left) < distance_to(right);
  });
  if (distance_to(*nearest) > distance_max) return {};
  return fmt::format("; did you mean {}{}?", prefix, nearest->name);
}

[[noreturn]] void refuse_argument(std::string_view argument) {
  if (!argument.starts_with("--")) {
    refuse("{}: {}", argument, argument.starts_with('-') ? "no such option" : "not expected here");
  }
  const auto option = argument.substr(0, argument.find('='));
  refuse("{}: no such option{}", option, suggestion(option.substr(2), "--"));
}

// ---- the command line ----

constexpr const char* help_footer =
    "Each option can also be a variable (--log-level: ATLAS_LOG_LEVEL) or stand in the TOML file that "
    "--config or\n"
    "ATLAS_CONFIG names (log-level = \"debug\"). The command line goes before the environment, that before "
    "the file.";

/// What CLI11 makes of the arguments: texts, which nobody has looked at yet.
struct Arguments {
  std::vector<std::optional<std::string>> values;  // as option_table()
  std::optional<std::string> config;
  std::string application;
  std::string static_folder;
  std::string printout;
};

std::optional<std::string> given(const CLI::Option& option) {
  if (option.count() == 0) return std::nullopt;
  return option.results().back();
}

std::string given_folder(const CLI::Option& option) {
  const auto folder = given(option);
  if (folder && folder->empty()) refuse("--static=: no folder");
  return folder.value_or("");
}

std::string described(const Option& option) {
  const auto text = option.get(Configuration{});
  return text.empty() ? std::string(option.help) : fmt::format("{} [{}]", option.help, text);
}

CLI::Option& add_option(CLI::App& app, std::string_view name, std::string_view value,
                        const std::string& help) {
  auto* option =
      app.add_option(fmt::format("--{}", name), CLI::callback_t([](const auto&) { return true; }), help);
  option->type_name(std::string(value))->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return *option;
}

/// CLI11 takes the arguments from the back, and would take `--name=` for a name whose value comes next.
std::vector<std::string> as_cli11_takes_them(std::span<const char* const> arguments) {
  std::vector<std::string> reversed;
  for (const std::string_view argument : arguments) {
    const bool empty_value = argument.starts_with("--") && argument.find('=') == argument.size() - 1;
    reversed.emplace_back(empty_value ? argument.substr(0, argument.size() - 1) : argument);
    if (empty_value) reversed.emplace_back();
  }
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

std::string without_double_gaps(std::string text) {
  for (auto gap = text.find("\n\n\n"); gap != std::string::npos; gap = text.find("\n\n\n"))
    text.erase(gap, 1);
  return text;
}

std::string printout_or_refusal(CLI::App& app, std::span<const char* const> arguments) {
  try {
    app.parse(as_cli11_takes_them(arguments));
  } catch (const CLI::CallForHelp&) {
    return without_double_gaps(app.help());
  } catch (const CLI::CallForVersion&) {
    return fmt::format("atlas {}\n", version);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string_view text = error.what();
    refuse("{}: no value given", text.substr(0, text.find(':')));
  } catch (const CLI::ParseError& error) {
    refuse("{}", error.what());
  }
  if (const auto extra = app.remaining(); !extra.empty()) refuse_argument(extra.front());
  return {};
}

Arguments parse_arguments(const CommandSyntax& syntax, std::span<const char* const> arguments) {
  CLI::App app({}, syntax.program);
  app.allow_extras();
  app.footer(help_footer);
  app.get_formatter()->column_width(34);
  app.set_help_flag("-h,--help", "print this and exit")->group("General");
  app.set_version_flag("--version", version, "print the version and exit")->group("General");
  auto& config = add_option(app, "config", "FILE", "a TOML file with options");
  config.group("General");

  CLI::Option* application = nullptr;
  CLI::Option* static_folder = nullptr;
  if (syntax.takes_application) {
    application = app.add_option("application", CLI::callback_t([](const auto&) { return true; }),
                                 "a shared library with an application; none: the demo");
    application->option_text("LIBRARY[:NAME]");
    static_folder = &add_option(app, "static", "FOLDER", "serve the files of this folder");
    static_folder->group("General");
  }
  std::vector<CLI::Option*> options;
  for (const auto& option : option_table()) {
    options.push_back(&add_option(app, option.name, option.value, described(option)));
    options.back()->group(std::string(option.group));
  }

  Arguments parsed;
  parsed.printout = printout_or_refusal(app, arguments);
  parsed.config = given(config);
  for (const auto* option : options) parsed.values.push_back(given(*option));
  if (application == nullptr) return parsed;
  parsed.application = given(*application).value_or("");
  parsed.static_folder = given_folder(*static_folder);
  if (!parsed.static_folder.empty() && !parsed.application.empty()) {
    refuse("--static={}: {} is to be served already", parsed.static_folder, parsed.application);
  }
  return parsed;
}

// ---- the environment ----

std::string variable_name(std::string_view option) {
  std::string name = fmt::format("ATLAS_{}", option);
  std::transform(name.begin(), name.end(), name.begin(), [](char letter) {
    if (letter == '-') return '_';
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - ('a' - 'A')) : letter;
  });
  return name;
}

std::optional<std::string_view> variable(std::span<const char* const> environment, std::string_view name) {
  for (const std::string_view entry : environment) {
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('='))
      return entry.substr(name.size() + 1);
  }
  return std::nullopt;
}

void apply_environment(std::span<const char* const> environment, Configuration& configuration) {
  for (const auto& option : option_table()) {
    const auto name = variable_name(option.name);
    if (const auto text = variable(environment, name)) {
      set(option, configuration, *text, fmt::format("{}={}", name, *text));
    }
  }
}

// ---- the file ----

[[noreturn]] void refuse_file(std::string_view place, int error) {
  auto reason = std::generic_category().message(error);
  if (!reason.empty() && reason.front() >= 'A' && reason.front() <= 'Z') {
    reason.front() = static_cast<char>(reason.front() + ('a' - 'A'));
  }
  refuse("{}: cannot read it: {}", place, reason);
}

std::string read_file(const std::string& path, std::string_view place) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (!file) refuse_file(place, errno);
  std::string text;
  std::array<char, 4096> buffer;
  while (const auto bytes = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), bytes);
    if (text.size() > config_file_bytes_max) refuse_file(place, EFBIG);
  }
  if (std::ferror(file.get()) != 0) refuse_file(place, errno);
  return text;
}

toml::table parse_file(const std::string& text, const std::string& path) {
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    refuse("{}:{}: {}", path, error.source().begin.line, error.description());
  }
}

/// A value of the file as the text that it would be on the command line; nothing when it cannot be one.
std::optional<std::string> value_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  return std::nullopt;
}

void apply_file(const std::string& path, std::string_view place, Configuration& configuration) {
  const auto text = read_file(path, place);
  for (const auto& [key, node] : parse_file(text, path)) {
    const auto line = node.source().begin.line;
    const std::string_view name = key.str();
    const auto& table = option_table();
    const auto option =
        std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.name == name; });
    if (option == table.end()) refuse("{}:{}: {}: no such option{}", path, line, name, suggestion(name, ""));
    const auto value = value_text(node);
    if (!value) refuse("{}:{}: {}: neither a text nor a number", path, line, name);
    const std::string_view quote = node.is_string() ? "\"" : "";
    set(*option, configuration, *value,
        fmt::format("{}:{}: {} = {}{}{}", path, line, name, quote, *value, quote));
  }
}

void apply_config(const std::optional<std::string>& argument, std::span<const char* const> environment,
                  Configuration& configuration) {
  if (argument) return apply_file(*argument, fmt::format("--config={}", *argument), configuration);
  if (const auto path = variable(environment, "ATLAS_CONFIG")) {
    apply_file(std::string(*path), fmt::format("ATLAS_CONFIG={}", *path), configuration);
  }
}

}  // namespace

CommandLine read_command_line(const CommandSyntax& syntax, std::span<const char* const> arguments,
                              std::span<const char* const> environment) {
  auto parsed = parse_arguments(syntax, arguments);
  CommandLine line{.application = std::move(parsed.application),
                   .static_folder = std::move(parsed.static_folder),
                   .printout = std::move(parsed.printout)};
  if (!line.printout.empty()) return line;
  apply_config(parsed.config, environment, line.configuration);
  apply_environment(environment, line.configuration);
  const auto& table = option_table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (const auto& text = parsed.values[i]) {
      set(table[i], line.configuration, *text, fmt::format("--{}={}", table[i].name, *text));
    }
  }
  return line;
}

}  // namespace atlas::asgi
