#include <atlas/asgi/messages.hpp>

namespace atlas::asgi {
namespace {

struct TypeName {
  std::string_view operator()(const HttpResponseStart&) const { return "http.response.start"; }
  std::string_view operator()(const HttpResponseBody&) const { return "http.response.body"; }
  std::string_view operator()(const HttpResponseTrailers&) const { return "http.response.trailers"; }
  std::string_view operator()(const HttpResponseEarlyHint&) const { return "http.response.early_hint"; }
  std::string_view operator()(const HttpResponsePathsend&) const { return "http.response.pathsend"; }
  std::string_view operator()(const HttpResponseZerocopysend&) const { return "http.response.zerocopysend"; }
  std::string_view operator()(const HttpResponsePush&) const { return "http.response.push"; }
  std::string_view operator()(const LifespanStartupComplete&) const { return "lifespan.startup.complete"; }
  std::string_view operator()(const LifespanStartupFailed&) const { return "lifespan.startup.failed"; }
  std::string_view operator()(const LifespanShutdownComplete&) const { return "lifespan.shutdown.complete"; }
  std::string_view operator()(const LifespanShutdownFailed&) const { return "lifespan.shutdown.failed"; }
  std::string_view operator()(const OpenMessage& message) const { return message.type; }
};

}  // namespace

OpenValues::OpenValues() noexcept = default;
OpenValues::OpenValues(std::initializer_list<value_type> values) : map(values) {}
OpenValues::OpenValues(const OpenValues& other) = default;
OpenValues::OpenValues(OpenValues&& other) noexcept = default;
OpenValues& OpenValues::operator=(const OpenValues& other) = default;
OpenValues& OpenValues::operator=(OpenValues&& other) noexcept = default;
OpenValues::~OpenValues() = default;

std::string_view MessageRef::type() const { return visit(TypeName{}); }

}  // namespace atlas::asgi
