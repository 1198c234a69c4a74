#include <atlas/app/fiber_page.hpp>

#include <atlas/asgi/fiber_report.hpp>
#include <atlas/asgi/toolkit/html.hpp>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace atlas::app {
namespace {

using asgi::FiberRow;
using asgi::Json;
using asgi::ThreadFibers;

constexpr std::size_t text_size_max = 1000;

constexpr std::string_view page_begin = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Atlas: fibers</title>
<style>
  body { margin: 2rem; font: 15px/1.5 system-ui, sans-serif; }
  h2 { margin: 1.75rem 0 .5rem; font-size: 1.1rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid #8884; white-space: nowrap; }
  th { font-weight: 600; }
  td.number, th.number { text-align: right; }
  td.request { font-family: ui-monospace, monospace; white-space: normal; overflow-wrap: anywhere; }
  .stuck { color: #b3402a; font-weight: 600; }
</style>
</head>
<body>
<h1>Fibers</h1>
<p>What each was doing when this page was made; reload for the present. <a href="?format=json">As JSON</a></p>
)html";

constexpr std::string_view fiber_heading =
    "<div class=\"scroll\"><table>\n<tr><th>fiber</th><th>state</th><th>waits for</th><th "
    "class=\"number\">since</th>"
    "<th class=\"number\">age</th><th class=\"number\">due in</th><th class=\"number\">stack "
    "used</th><th>client</th>"
    "<th>request</th></tr>\n";

constexpr std::string_view stack_heading =
    "<div class=\"scroll\"><table>\n<tr><th>stacks of</th><th class=\"number\">used at most</th>"
    "<th class=\"number\">samples</th></tr>\n";

constexpr std::string_view table_end = "</table></div>\n";

/// For HTML, in an element.
std::string escaped(std::string_view text) { return asgi::escape_html(asgi::printable(text, text_size_max)); }

std::string duration_text(const std::optional<Duration>& duration) {
  return duration ? asgi::rough_duration(*duration) : std::string();
}

std::string kibibytes(std::size_t bytes) {
  return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
}

std::string table_row(const FiberRow& row) {
  const auto& fiber = row.fiber;
  return fmt::format(
      "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
      "<td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td><td "
      "class=\"request\">{}</td></tr>\n",
      escaped(fiber.name), to_string(fiber.activity), escaped(fiber.waits_for),
      duration_text(fiber.suspended_for), asgi::rough_duration(fiber.age), duration_text(fiber.deadline_left),
      kibibytes(fiber.stack_bytes_used), escaped(row.client), escaped(fiber.detail));
}

std::string table_row(const StackMark& mark) {
  return fmt::format("<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                     escaped(mark.name), kibibytes(mark.bytes_max), mark.samples);
}

template <class Row>
void add_table(std::string& page, std::string_view heading, const std::vector<Row>& rows) {
  if (rows.empty()) return;
  page += heading;
  for (const auto& row : rows) page += table_row(row);
  page += table_end;
}

void add_thread(std::string& page, const ThreadFibers& thread) {
  const auto name =
      thread.worker < 0 ? std::string("Control thread") : fmt::format("Worker {}", thread.worker);
  if (!thread.answered) {
    page += fmt::format("<h2>{}</h2>\n<p class=\"stuck\">did not answer: a fiber keeps it</p>\n", name);
    return;
  }
  page += fmt::format("<h2>{}: {} fibers</h2>\n", name, thread.alive);
  if (thread.alive > thread.fibers.size())
    page += fmt::format("<p>The first {}:</p>\n", thread.fibers.size());
  add_table(page, fiber_heading, thread.fibers);
  add_table(page, stack_heading, thread.stack_marks);
}

Json milliseconds(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return std::chrono::floor<std::chrono::milliseconds>(*duration).count();
}

Json json_of(const FiberRow& row) {
  const auto& fiber = row.fiber;
  return {{"id", fiber.id},
          {"name", asgi::printable(fiber.name, text_size_max)},
          {"state", to_string(fiber.activity)},
          {"waits_for", fiber.waits_for},
          {"suspended_ms", milliseconds(fiber.suspended_for)},
          {"age_ms", milliseconds(fiber.age)},
          {"deadline_ms", milliseconds(fiber.deadline_left)},
          {"request", asgi::printable(fiber.detail, text_size_max)},
          {"client", row.client},
          {"stack_bytes_used", fiber.stack_bytes_used},
          {"stack_bytes", fiber.stack_bytes}};
}

Json json_of(const StackMark& mark) {
  return {{"name", asgi::printable(mark.name, text_size_max)},
          {"bytes_max", mark.bytes_max},
          {"samples", mark.samples}};
}

Json json_of(const OffloadStatus& status) {
  return {{"threads", status.threads},
          {"busy", status.busy},
          {"queued", status.queued},
          {"waiting_for_room", status.waiting_for_room}};
}

template <class Item>
Json json_of(const std::vector<Item>& items);

Json json_of(const ThreadFibers& thread) {
  return {{"worker", thread.worker},
          {"answered", thread.answered},
          {"alive", thread.alive},
          {"fibers", json_of(thread.fibers)},
          {"stacks", json_of(thread.stack_marks)}};
}

template <class Item>
Json json_of(const std::vector<Item>& items) {
  auto array = Json::array();
  for (const auto& item : items) array.push_back(json_of(item));
  return array;
}

}  // namespace

std::string fiber_page(const std::vector<ThreadFibers>& threads, const OffloadStatus& offload) {
  std::string page(page_begin);
  page += fmt::format("<p>{}</p>\n", asgi::offload_text(offload));
  for (const auto& thread : threads) add_thread(page, thread);
  return page + "</body>\n</html>\n";
}

Json fiber_json(const std::vector<ThreadFibers>& threads, const OffloadStatus& offload) {
  return {{"threads", json_of(threads)}, {"offload", json_of(offload)}};
}

}  // namespace atlas::app
