#include <atlas/asgi/middleware/proxy_headers.hpp>

#include <atlas/asgi/access_notes.hpp>
#include <atlas/asgi/middleware/http_layer.hpp>
#include <atlas/core/ip_networks.hpp>
#include <atlas/http/header.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace atlas::asgi {
namespace {

using Source = ProxyHeaders::Source;

constexpr std::size_t hops_max = 32;  // looked at, the nearest first

/// What one proxy says of who has asked it.
struct Hop {
  std::string_view client;  // "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "unknown"
  std::string_view scheme = {};
  std::string_view host = {};
};

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
    return text.substr(1, text.size() - 2);
  return text;
}

Hop forwarded_hop(std::string_view element) {
  Hop hop;
  while (!element.empty()) {
    const auto pair = http::trim_ows(element.substr(0, element.find(';')));
    element.remove_prefix(std::min(element.find(';'), element.size() - 1) + 1);
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = pair.substr(0, equals);
    const auto value = unquoted(pair.substr(std::min(equals + 1, pair.size())));
    if (http::iequals(name, "for")) hop.client = value;
    if (http::iequals(name, "proto")) hop.scheme = value;
    if (http::iequals(name, "host")) hop.host = value;
  }
  return hop;
}

/// All elements of a list field, of all its lines, the last first.
std::vector<std::string_view> elements(http::HeadersView headers, std::string_view name) {
  std::vector<std::string_view> all;
  headers.for_each(name, [&](std::string_view list) {
    http::for_each_list_element(list, [&](std::string_view element) { all.push_back(element); });
  });
  std::ranges::reverse(all);
  if (all.size() > hops_max) all.resize(hops_max);
  return all;
}

std::vector<Hop> hops_of(http::HeadersView headers, Source source) {
  std::vector<Hop> hops;
  if (source == Source::forwarded) {
    for (const auto element : elements(headers, "forwarded")) hops.push_back(forwarded_hop(element));
    return hops;
  }
  const auto schemes = elements(headers, "x-forwarded-proto");
  const auto hosts = elements(headers, "x-forwarded-host");
  for (const auto client : elements(headers, "x-forwarded-for")) {
    const auto index = hops.size();
    // One value for all, or one for each.
    const auto at = [&](const auto& values) {
      return values.empty() ? std::string_view() : values[std::min(index, values.size() - 1)];
    };
    hops.push_back({client, at(schemes), at(hosts)});
  }
  return hops;
}

/// An address with or without a port; nothing for names.
std::optional<SocketAddress> address_of(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  const auto address = SocketAddress::ip(text, 0);
  return address ? std::optional(*address) : std::nullopt;
}

std::optional<SocketAddress> peer_of(const Scope& scope) {
  if (!scope.client) return SocketAddress();  // of a unix socket
  return address_of(scope.client->host);
}

/// What is believed in the end.
struct Origin {
  std::string client;
  std::string_view scheme;
  std::string_view host;
};

std::optional<Origin> origin_of(const Scope& scope, const IpNetworks& trusted, Source source) {
  std::optional<Origin> origin;
  auto speaker = peer_of(scope);
  for (const auto& hop : hops_of(scope.headers, source)) {
    if (!speaker || !trusted.contains(*speaker)) break;
    const auto address = address_of(hop.client);
    if (!address) break;
    origin = {address->host(), hop.scheme, hop.host};
    speaker = address;
  }
  return origin;
}

void serve_as(const Origin& origin, const Application& inner, const Scope& scope, Receive& receive,
              Send& send) {
  Scope seen = scope;
  seen.client = Endpoint{.host = origin.client};
  set_access_client(scope, origin.client);
  if (http::iequals(origin.scheme, "https")) seen.scheme = "https";
  if (http::iequals(origin.scheme, "http")) seen.scheme = "http";
  std::vector<http::Header> headers;
  const bool has_host = !origin.host.empty() && http::is_field_value(origin.host) &&
                        origin.host.find_first_of(" /@?#,") == std::string_view::npos;
  if (has_host) {
    headers.assign(scope.headers.begin(), scope.headers.end());
    for (auto& field : headers) {
      if (field.name == "host") field.value = origin.host;
    }
    seen.headers = http::HeadersView(headers);
  }
  inner(seen, receive, send);
}

}  // namespace

Middleware proxy_headers(const ProxyHeaders& options) {
  auto parsed = IpNetworks::parse(options.trusted);
  if (!parsed || parsed->empty())
    throw std::invalid_argument(fmt::format("proxy_headers: '{}' is no list of networks", options.trusted));
  const auto trusted = std::make_shared<const IpNetworks>(*std::move(parsed));
  return http_layer([trusted, source = options.source](const Application& inner, const Scope& scope,
                                                       Receive& receive, Send& send) {
    if (const auto origin = origin_of(scope, *trusted, source))
      return serve_as(*origin, inner, scope, receive, send);
    inner(scope, receive, send);
  });
}

}  // namespace atlas::asgi
