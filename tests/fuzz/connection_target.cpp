// A whole connection over a stream in memory: the text is what the client sends; the choices say in which
// pieces, what else the client does meanwhile, and what the application does with each request. In virtual
// time.
#include "fuzz/connection_story.hpp"
#include "fuzz/fuzz_target.hpp"

namespace atlas::testing {

void fuzz_one(std::string_view bytes) { ConnectionStory(FuzzInput(bytes)).run(); }

}  // namespace atlas::testing
