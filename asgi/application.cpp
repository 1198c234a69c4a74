#include <atlas/asgi/application.hpp>

namespace atlas::asgi {

UnsupportedScope::UnsupportedScope(const Scope& scope)
    : std::logic_error("this application does not serve scopes of type " +
                       std::string(to_string(scope.type))) {}

Disconnected::Disconnected(std::error_code reason) : std::system_error(reason, "the client is gone") {}

}  // namespace atlas::asgi
