#include <atlas/asgi/toolkit/dependencies.hpp>

#include <atlas/asgi/toolkit/request.hpp>

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <stdexcept>

namespace atlas::asgi {
namespace {

constexpr std::string_view provided_state = "atlas.provided";

using ProvidedPtr = std::shared_ptr<Provided>;

std::string name_of(std::type_index type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return name != nullptr ? name.get() : type.name();
}

const ProvidedPtr* provided_in(const Scope& scope) { return scope.state.find<ProvidedPtr>(provided_state); }

[[noreturn]] void refuse_unknown(std::type_index type) {
  throw std::logic_error(fmt::format(
      "nothing provides {}: see per_process, per_worker and per_request of the router", name_of(type)));
}

}  // namespace

detail::DependencyList::~DependencyList() { shrink(0); }

void* detail::DependencyList::find(std::type_index type) const noexcept {
  const auto found = std::ranges::find(made_, type, &Dependency::type);
  return found == made_.end() ? nullptr : found->object->address();
}

void detail::DependencyList::shrink(std::size_t size) noexcept {
  while (made_.size() > size) made_.pop_back();
}

void* Provided::find(std::type_index type) const noexcept {
  if (void* made = made_.find(type)) return made;
  return process_ != nullptr ? process_->find(type) : nullptr;
}

void* Provided::get(std::type_index type) const {
  if (void* made = find(type)) return made;
  refuse_unknown(type);
}

const Provided::OfRequest* Provided::find_factory(std::type_index type) const noexcept {
  const auto found = std::ranges::find(of_request_, type, &OfRequest::type);
  return found == of_request_.end() ? nullptr : &*found;
}

void Dependencies::make(const Factory& factory, Provided& given) const {
  if (given.find(factory.type) != nullptr)
    throw std::runtime_error(fmt::format("{} is provided twice", name_of(factory.type)));
  try {
    given.made_.push(factory.type, factory.call(factory.make.get(), given));
  } catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("{} could not be made: {}", name_of(factory.type), error.what()));
  }
}

void Dependencies::start(const Scope& scope) const {
  const int worker = scope.extensions.atlas.worker;
  const auto* inherited = provided_in(scope);
  if (inherited == nullptr || (*inherited)->worker_ != worker) {
    const auto provided = std::make_shared<Provided>();
    provided->worker_ = worker;
    if (inherited != nullptr) provided->process_ = *inherited;
    scope.state.set(provided_state, provided);
  }
  auto& given = **provided_in(scope);
  const auto before = given.made_.size();
  try {
    for (const auto& factory : factories_) {
      if (factory.lifetime == lifetime_of(worker)) make(factory, given);
    }
    if (worker >= 0) add_factories_of_request(given);
  } catch (...) {
    given.made_.shrink(before);
    throw;
  }
}

void Dependencies::add_factories_of_request(Provided& given) const {
  for (const auto& factory : of_request_) {
    if (given.find(factory.type) != nullptr || given.find_factory(factory.type) != nullptr)
      throw std::runtime_error(fmt::format("{} is provided twice", name_of(factory.type)));
    given.of_request_.push_back(factory);
  }
}

void Dependencies::stop(const Scope& scope) const noexcept {
  const auto* provided = provided_in(scope);
  if (provided == nullptr) return;
  auto& made = (*provided)->made_;
  const auto lifetime = lifetime_of(scope.extensions.atlas.worker);
  const auto own = std::ranges::count(factories_, lifetime, &Factory::lifetime);
  made.shrink(made.size() - std::min(made.size(), static_cast<std::size_t>(own)));
}

void* DependenciesOfRequest::get(std::type_index type, Request& request) {
  if (void* made = made_.find(type)) return made;
  const auto* provided = provided_in(request.scope());
  if (provided == nullptr) refuse_unknown(type);
  if (void* made = (*provided)->find(type)) return made;
  const auto* factory = (*provided)->find_factory(type);
  if (factory == nullptr) refuse_unknown(type);
  return make(*factory, request);
}

void* DependenciesOfRequest::make(const Provided::OfRequest& factory, Request& request) {
  if (std::ranges::find(in_making_, factory.type) != in_making_.end())
    throw std::logic_error(fmt::format("{} needs itself", name_of(factory.type)));
  in_making_.push_back(factory.type);
  auto object = factory.call(factory.make.get(), request);
  in_making_.pop_back();
  void* const address = object->address();
  made_.push(factory.type, std::move(object));
  return address;
}

}  // namespace atlas::asgi
