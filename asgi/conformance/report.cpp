#include <atlas/asgi/conformance/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace atlas::asgi {
namespace {

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::holds: return "holds";
    case Verdict::broken: return "BROKEN";
    case Verdict::not_checked: return "not checked";
  }
  return "";
}

}  // namespace

void ConformanceReport::add(std::string_view promise, std::string_view fault) {
  findings_.push_back({.subject = subject_,
                       .promise = std::string(promise),
                       .verdict = fault.empty() ? Verdict::holds : Verdict::broken,
                       .detail = std::string(fault)});
}

void ConformanceReport::add_not_checked(std::string_view promise, std::string_view why) {
  findings_.push_back({.subject = subject_,
                       .promise = std::string(promise),
                       .verdict = Verdict::not_checked,
                       .detail = std::string(why)});
}

std::size_t ConformanceReport::count(Verdict verdict) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count(findings_, verdict, [](const Finding& finding) { return finding.verdict; }));
}

bool ConformanceReport::conforms() const noexcept {
  return count(Verdict::broken) == 0 && count(Verdict::holds) > 0;
}

std::string ConformanceReport::to_text(bool broken_only) const {
  std::string text;
  std::string_view subject;
  for (const auto& finding : findings_) {
    if (broken_only && finding.verdict == Verdict::holds) continue;
    if (finding.subject != subject) fmt::format_to(std::back_inserter(text), "{}\n", finding.subject);
    subject = finding.subject;
    fmt::format_to(std::back_inserter(text), "  {:<11}  {}\n", to_string(finding.verdict), finding.promise);
    if (!finding.detail.empty())
      fmt::format_to(std::back_inserter(text), "               {}\n", finding.detail);
  }
  fmt::format_to(std::back_inserter(text), "{} promises hold, {} broken, {} not checked\n",
                 count(Verdict::holds), count(Verdict::broken), count(Verdict::not_checked));
  return text;
}

}  // namespace atlas::asgi
