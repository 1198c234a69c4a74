// What handlers are built of: finding a route among a thousand, reading and writing a small JSON object.
#include <atlas/asgi/toolkit/describe.hpp>
#include <atlas/asgi/toolkit/json.hpp>
#include <atlas/asgi/toolkit/route_tree.hpp>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace atlas::asgi {
namespace {

/// Half of them literal, half with a parameter in the middle.
RouteTree tree_of(int routes) {
  RouteTree tree;
  const Converters converters;
  for (int i = 0; i < routes; i += 2) {
    static_cast<void>(tree.add(parse_pattern(fmt::format("/api/resource{}/list", i), converters)));
    static_cast<void>(
        tree.add(parse_pattern(fmt::format("/api/resource{}/{{id:int}}/details", i), converters)));
  }
  return tree;
}

void find_route(benchmark::State& state) {
  const auto tree = tree_of(static_cast<int>(state.range(0)));
  const std::vector<std::string> paths = {"/api/resource0/17/details", "/api/resource8/list",
                                          "/api/resource4/123456/details"};
  std::size_t next = 0;
  for (auto _ : state) {
    PathParameters values;
    const auto place = tree.find(paths[next++ % paths.size()], values, [](std::size_t) { return true; });
    if (place == RouteTree::none) state.SkipWithError("no route was found");
    benchmark::DoNotOptimize(values.size());
  }
}
BENCHMARK(find_route)->Arg(10)->Arg(1000)->Name("Router: find, of so many routes");

struct Note {
  std::int64_t id = 7;
  std::string title = "Milk";
  bool done = false;
  std::vector<std::string> tags = {"shop", "soon"};

  template <class Self, class Fields>
  static void describe(Self& self, Fields& field) {
    field("id", self.id);
    field("title", self.title);
    field("done", self.done);
    field("tags", self.tags);
  }
};

constexpr std::string_view note_text = R"({"id":7,"title":"Milk","done":false,"tags":["shop","soon"]})";

void write_note(benchmark::State& state) {
  const Note note;
  for (auto _ : state) benchmark::DoNotOptimize(write_json(note));
}
BENCHMARK(write_note)->Name("JSON: write a described struct");

void read_note(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(read_json<Note>(Json::parse(note_text)));
}
BENCHMARK(read_note)->Name("JSON: read a described struct");

}  // namespace
}  // namespace atlas::asgi
