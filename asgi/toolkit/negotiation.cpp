#include <atlas/asgi/toolkit/negotiation.hpp>

#include <atlas/asgi/quality_value.hpp>
#include <atlas/asgi/static_encodings.hpp>

#include <algorithm>
#include <cstddef>

namespace atlas::asgi {
namespace {

constexpr std::size_t elements_max = 100;

/// "text/html;level=1;q=0.5" in two.
struct Element {
  explicit Element(std::string_view text)
      : range(http::trim_ows(text.substr(0, text.find(';')))),
        parameters(text.substr(std::min(text.find(';'), text.size()))) {}

  std::string_view range;
  std::string_view parameters;  // with the semicolon in front
};

/// Calls `visit(std::string_view parameter)` until it returns false; whether it never did.
template <class Visit>
bool every_parameter(std::string_view parameters, Visit visit) {
  while (!parameters.empty()) {
    parameters.remove_prefix(1);  // the semicolon
    const auto end = std::min(parameters.find(';'), parameters.size());
    const auto parameter = http::trim_ows(parameters.substr(0, end));
    if (!parameter.empty() && !visit(parameter)) return false;
    parameters.remove_prefix(end);
  }
  return true;
}

bool is_quality(std::string_view parameter) noexcept {
  return parameter.starts_with("q=") || parameter.starts_with("Q=");
}

/// Many clients name one where they take any.
bool is_charset(std::string_view parameter) noexcept {
  return http::iequals(parameter.substr(0, parameter.find('=')), "charset");
}

/// How well an element fits what is offered: the best of those that do counts.
using Fit = std::size_t (*)(const Element& element, std::string_view offered);
constexpr std::size_t no_fit = 0;

std::size_t fit_of_type(std::string_view range, std::string_view type) noexcept {
  if (http::iequals(range, type)) return 3;
  const auto main_type = type.substr(0, type.find('/'));
  if (range.ends_with("/*") && http::iequals(range.substr(0, range.size() - 2), main_type)) return 2;
  return range == "*/*" ? 1 : no_fit;
}

std::size_t fit_of_media_type(const Element& element, std::string_view offered) {
  const Element own(offered);
  auto fit = fit_of_type(element.range, own.range);
  if (fit == no_fit) return no_fit;
  const bool has_all = every_parameter(element.parameters, [&](std::string_view wanted) {
    if (is_quality(wanted) || is_charset(wanted)) return true;
    ++fit;
    return !every_parameter(own.parameters,
                            [&](std::string_view one) { return !http::iequals(one, wanted); });
  });
  return has_all ? fit : no_fit;
}

std::size_t fit_of_language(const Element& element, std::string_view offered) {
  const auto range = element.range;
  if (range == "*") return 1;
  const bool is_prefix = offered.size() >= range.size() &&
                         http::iequals(offered.substr(0, range.size()), range) &&
                         (offered.size() == range.size() || offered[range.size()] == '-');
  return is_prefix ? 1 + range.size() : no_fit;
}

/// Of an element's parameters; the highest where they name none, nothing where it is malformed.
std::optional<int> quality_in(std::string_view parameters) {
  std::optional<int> quality = quality_max;
  static_cast<void>(every_parameter(parameters, [&](std::string_view parameter) {
    if (is_quality(parameter)) quality = quality_value(parameter.substr(2));
    return !is_quality(parameter);
  }));
  return quality;
}

/// How much the field wants `offered`, in thousandths.
int quality_of(http::HeadersView headers, std::string_view field, std::string_view offered, Fit fit) {
  std::size_t best_fit = no_fit;
  int quality = 0;
  headers.for_each(field, [&](std::string_view list) {
    std::size_t elements = 0;
    http::for_each_list_element(list, [&](std::string_view text) {
      if (++elements > elements_max) return;
      const Element element(text);
      const auto own_fit = fit(element, offered);
      const auto own_quality = quality_in(element.parameters);
      if (own_fit <= best_fit || !own_quality) return;
      best_fit = own_fit;
      quality = *own_quality;
    });
  });
  return quality;
}

template <class Quality>
std::optional<std::string_view> choose(std::initializer_list<std::string_view> offered, Quality quality) {
  std::optional<std::string_view> best;
  int best_quality = 0;
  for (const auto one : offered) {
    const int own = quality(one);
    if (own <= best_quality) continue;
    best = one;
    best_quality = own;
  }
  return best;
}

std::optional<std::string_view> choose_by(http::HeadersView headers, std::string_view field, Fit fit,
                                          std::initializer_list<std::string_view> offered) {
  if (!headers.contains(field)) return offered.size() > 0 ? std::optional(*offered.begin()) : std::nullopt;
  return choose(offered, [&](std::string_view one) { return quality_of(headers, field, one, fit); });
}

}  // namespace

std::optional<std::string_view> choose_media_type(http::HeadersView headers,
                                                  std::initializer_list<std::string_view> offered) {
  return choose_by(headers, "accept", fit_of_media_type, offered);
}

std::optional<std::string_view> choose_language(http::HeadersView headers,
                                                std::initializer_list<std::string_view> offered) {
  return choose_by(headers, "accept-language", fit_of_language, offered);
}

std::optional<std::string_view> choose_coding(http::HeadersView headers,
                                              std::initializer_list<std::string_view> offered) {
  if (!headers.contains("accept-encoding")) return std::nullopt;
  const int identity = coding_quality(headers, "identity");
  return choose(offered, [&](std::string_view one) {
    const int quality = coding_quality(headers, one);
    return quality >= identity ? quality : 0;
  });
}

}  // namespace atlas::asgi
