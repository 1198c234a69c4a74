#include <atlas/asgi/toolkit/problem.hpp>

#include <atlas/http/status.hpp>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string_view>

namespace atlas::asgi {
namespace {

class Writer {
 public:
  Writer() { json_.StartObject(); }

  void member(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    key(name);
    string(value);
  }

  void errors(const std::vector<FieldError>& errors) {
    if (errors.empty()) return;
    key("errors");
    json_.StartArray();
    for (const auto& error : errors) {
      json_.StartObject();
      member("field", error.field);
      member("message", error.message);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void status(int status) {
    key("status");
    json_.Int(status);
  }

  [[nodiscard]] std::string finish() {
    json_.EndObject();
    return {text_.GetString(), text_.GetSize()};
  }

 private:
  void key(std::string_view name) { json_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  void string(std::string_view text) {
    json_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }

  rapidjson::StringBuffer text_;
  rapidjson::Writer<rapidjson::StringBuffer> json_{text_};
};

}  // namespace

Response problem(const Problem& problem) {
  Writer json;
  json.member("type", problem.type);
  json.member("title", problem.title.empty() ? http::reason_phrase(problem.status) : problem.title);
  json.status(problem.status);
  json.member("detail", problem.detail);
  json.member("instance", problem.instance);
  json.errors(problem.errors);
  return content("application/problem+json", json.finish(), problem.status).with("cache-control", "no-store");
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
