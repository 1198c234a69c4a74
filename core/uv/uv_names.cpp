#include <atlas/core/uv/uv_names.hpp>

#include <atlas/core/uv/uv_driver.hpp>

#include <uv.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace atlas::uv {
namespace {

std::vector<SocketAddress> addresses_of(const addrinfo* list) {
  std::vector<SocketAddress> addresses;
  for (const auto* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    SocketAddress address(entry->ai_addr, entry->ai_addrlen);
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(std::move(address));
  }
  return addresses;
}

}  // namespace

/// Frees itself when libuv is done with it, which may be after the resolver and even the scheduler have gone.
struct SystemNames::Request {
  static void on_done(uv_getaddrinfo_t* request, int status, addrinfo* list);

  uv_getaddrinfo_t request{};
  std::shared_ptr<NameLookup> lookup;
  detail::ListLink<Request> link{this};
};

void SystemNames::Request::on_done(uv_getaddrinfo_t* request, int status, addrinfo* list) {
  const std::unique_ptr<Request> self(static_cast<Request*>(request->data));
  const std::unique_ptr<addrinfo, decltype(&uv_freeaddrinfo)> owned(list, uv_freeaddrinfo);
  if (status != 0) return self->lookup->complete(Unexpected(to_resolve_error(status)));
  self->lookup->complete(addresses_of(list));
}

SystemNames::~SystemNames() {
  for (auto* link = requests_.next; link != &requests_; link = link->next) {
    uv_cancel(reinterpret_cast<uv_req_t*>(&link->owner->request));
  }
}

void SystemNames::start(std::shared_ptr<NameLookup> lookup) {
  const NameQuery& query = lookup->query();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto request = std::make_unique<Request>();
  request->request.data = request.get();
  request->lookup = lookup;
  const int status = uv_getaddrinfo(current_loop(), &request->request, Request::on_done, query.host.c_str(),
                                    query.service.empty() ? nullptr : query.service.c_str(), &hints);
  if (status != 0) return lookup->complete(Unexpected(to_resolve_error(status)));
  request.release()->link.insert_before(requests_);
}

std::error_code to_resolve_error(int status) noexcept {
  switch (status) {
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EAI_ADDRFAMILY:
    case UV_EAI_SERVICE: return ResolveErrc::unknown_name;
    case UV_EAI_AGAIN: return ResolveErrc::no_answer;
    case UV_EAI_MEMORY: return std::make_error_code(std::errc::not_enough_memory);
    case UV_EAI_CANCELED: return std::make_error_code(std::errc::operation_canceled);
    case UV_EAI_BADFLAGS:
    case UV_EAI_BADHINTS:
    case UV_EAI_FAIL:
    case UV_EAI_FAMILY:
    case UV_EAI_OVERFLOW:
    case UV_EAI_PROTOCOL:
    case UV_EAI_SOCKTYPE: return ResolveErrc::failed;
    default: return to_error(status);
  }
}

}  // namespace atlas::uv
