// What every fiber is doing, as a page for people and as JSON for programs.
#pragma once

#include <atlas/asgi/fiber_census.hpp>
#include <atlas/asgi/toolkit/json.hpp>
#include <atlas/core/offload.hpp>

#include <string>
#include <vector>

namespace atlas::app {

/// A whole HTML page that loads nothing. What clients sent is escaped.
[[nodiscard]] std::string fiber_page(const std::vector<asgi::ThreadFibers>& threads,
                                     const OffloadStatus& offload);

/// {"threads":[{"worker":0,"answered":true,"alive":1,"fibers":[…],"stacks":[…]}],"offload":{"threads":…}};
/// times in milliseconds, null where there is none. Bytes of a text that are not printable ASCII are written
/// as \xhh.
[[nodiscard]] asgi::Json fiber_json(const std::vector<asgi::ThreadFibers>& threads,
                                    const OffloadStatus& offload);

}  // namespace atlas::app
