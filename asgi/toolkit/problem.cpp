#include <atlas/asgi/toolkit/problem.hpp>

#include <atlas/asgi/toolkit/json_writer.hpp>
#include <atlas/http/status.hpp>
#include <atlas/http/utf8.hpp>

#include <string_view>
#include <utility>

namespace atlas::asgi {
namespace {

void write_member(JsonWriter& json, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  json.name(name);
  if (http::is_utf8(value)) return json.text(value);
  ByteBuffer repaired;  // an error's text may have what a client has sent
  http::append_repaired_utf8(value, repaired);
  json.text(repaired.view());
}

void write_errors(JsonWriter& json, const std::vector<FieldError>& errors) {
  if (errors.empty()) return;
  json.name("errors");
  json.begin_array();
  for (const auto& error : errors) {
    json.begin_object();
    write_member(json, "field", error.field);
    write_member(json, "message", error.message);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

Response problem(const Problem& problem) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_member(json, "type", problem.type);
  write_member(json, "title", problem.title.empty() ? http::reason_phrase(problem.status) : problem.title);
  json.name("status");
  json.number(std::int64_t{problem.status});
  write_member(json, "detail", problem.detail);
  write_member(json, "instance", problem.instance);
  write_errors(json, problem.errors);
  json.end_object();
  return content("application/problem+json", std::move(text), problem.status)
      .with("cache-control", "no-store");
}

Problem problem_of(const HttpError& error) {
  Problem told{.status = error.status(), .detail = error.detail()};
  if (const auto* invalid = dynamic_cast<const ValidationError*>(&error)) told.errors = invalid->errors();
  return told;
}

Response error_response(const HttpError& error) {
  auto response = problem(problem_of(error));
  response.headers.append(error.headers());
  return response;
}

}  // namespace atlas::asgi
