#include <atlas/core/resolver.hpp>

#include <atlas/core/assert.hpp>
#include <atlas/core/scheduler.hpp>
#include <atlas/core/uv/uv_names.hpp>
#include <atlas/core/wait.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace atlas {
namespace {

Scheduler& scheduler_here() {
  auto* scheduler = Scheduler::current();
  ATLAS_ASSERT(scheduler != nullptr, "names are looked up on a thread that runs a scheduler");
  return *scheduler;
}

std::optional<std::uint16_t> number(std::string_view service) {
  std::uint16_t port = 0;
  const char* end = service.data() + service.size();
  const auto parsed = std::from_chars(service.data(), end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return port;
}

/// Whether the system can be asked: a NUL would hide what follows it.
bool can_be_name(std::string_view text) {
  return !text.empty() && text.size() <= Resolver::host_bytes_max &&
         text.find('\0') == std::string_view::npos;
}

/// A name has a letter at least (RFC 6335 §5.1). What has none would be a number to the system, wherever it
/// wraps around.
bool can_be_service(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return can_be_name(text) && std::ranges::any_of(text, is_letter);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

Resolver::Resolver(const ResolverOptions& options, std::unique_ptr<NameService> service)
    : options_(options),
      service_(service != nullptr ? std::move(service) : std::make_unique<uv::SystemNames>()) {}

Resolver::~Resolver() {
  for (auto& [query, lookup] : lookups_) {
    ATLAS_ASSERT(lookup->waiters_.empty(), "a resolver was destroyed while a fiber waited for it");
    lookup->resolver_ = nullptr;
  }
}

Result<std::vector<SocketAddress>> Resolver::resolve(std::string_view host, std::uint16_t port,
                                                     Deadline deadline) {
  if (!can_be_name(host)) return Unexpected(std::errc::invalid_argument);
  if (const auto literal = SocketAddress::ip(host, port)) return std::vector{*literal};
  auto answer = ask({.host = lower_case(host), .service = {}}, deadline);
  if (!answer) return answer;
  for (auto& address : *answer) address = address.with_port(port);
  return answer;
}

Result<std::vector<SocketAddress>> Resolver::resolve(std::string_view host, std::string_view service,
                                                     Deadline deadline) {
  if (const auto port = number(service)) return resolve(host, *port, deadline);
  if (!can_be_name(host) || !can_be_service(service)) return Unexpected(std::errc::invalid_argument);
  return ask({.host = lower_case(host), .service = std::string(service)}, deadline);
}

// The fiber keeps the lookup, whoever else forgets it.
Resolver::Answer Resolver::ask(const NameQuery& query, Deadline deadline) {
  if (const auto* answer = known(query)) return *answer;
  const auto lookup = lookup_of(query);
  if (!lookup) return Unexpected(lookup.error());
  NameLookup& asked = **lookup;
  WaitOutcome outcome;
  if (!asked.answer_) {
    Wait wait({"resolve", this});
    asked.waiters_.push_back(wait.waker());
    outcome = wait.park(deadline);
  }
  if (outcome.woken()) return *asked.answer_;
  std::erase_if(asked.waiters_, [](const Waker& waiter) { return !waiter.pending(); });
  return Unexpected(outcome.error());
}

const Resolver::Answer* Resolver::known(const NameQuery& query) {
  const auto found = entries_.find(query);
  if (found == entries_.end()) return nullptr;
  if (scheduler_here().turn_time() < found->second.until) return &found->second.answer;
  entries_.erase(found);
  return nullptr;
}

Result<std::shared_ptr<NameLookup>> Resolver::lookup_of(const NameQuery& query) {
  const auto found = lookups_.find(query);
  if (found != lookups_.end()) return found->second;
  if (lookups_.size() >= options_.lookups_max) {
    return Unexpected(std::errc::resource_unavailable_try_again);
  }
  auto lookup = std::make_shared<NameLookup>(query, *this);
  lookups_.emplace(query, lookup);
  service_->start(lookup);
  return lookup;
}

void Resolver::answered(NameLookup& lookup) {
  auto& answer = *lookup.answer_;
  if (answer && answer->empty()) answer = Unexpected(ResolveErrc::unknown_name);
  if (answer && answer->size() > options_.addresses_max) {
    answer->erase(answer->begin() + static_cast<std::ptrdiff_t>(options_.addresses_max), answer->end());
  }
  if (answer) keep(lookup.query(), answer, options_.entry_age_max);
  if (answer.error() == ResolveErrc::unknown_name) keep(lookup.query(), answer, options_.error_age_max);
  lookups_.erase(lookup.query());
}

void Resolver::keep(const NameQuery& query, const Answer& answer, Duration age_max) {
  if (options_.entries_max == 0 || age_max <= Duration::zero()) return;
  if (entries_.size() >= options_.entries_max && !entries_.contains(query)) {
    const auto ends_first = [](const auto& a, const auto& b) { return a.second.until < b.second.until; };
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), ends_first));
  }
  const auto until = Deadline::after(age_max).when();
  entries_.insert_or_assign(query, Entry{.answer = answer, .until = until});
}

Result<std::vector<SocketAddress>> resolve(std::string_view host, std::uint16_t port, Deadline deadline) {
  return scheduler_here().resolver().resolve(host, port, deadline);
}

Result<std::vector<SocketAddress>> resolve(std::string_view host, std::string_view service,
                                           Deadline deadline) {
  return scheduler_here().resolver().resolve(host, service, deadline);
}

}  // namespace atlas
