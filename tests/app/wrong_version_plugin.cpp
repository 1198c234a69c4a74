// A library that wants a function which this Atlas does not have: once honestly built against another
// version, and once with this version's name on it.
#include <atlas/version.hpp>

struct Plugin {
  const char* magic;
  const char* version;
  void (*make)();
};

namespace atlas::asgi {
void make_application_as_in_old_times(int version);
}

static void make() { atlas::asgi::make_application_as_in_old_times(9); }

extern "C" __attribute__((visibility("default"))) const Plugin atlas_application_wrong_version;
const Plugin atlas_application_wrong_version{"atlas-application", "0.0.9", make};

extern "C" __attribute__((visibility("default"))) const Plugin atlas_application_incomplete;
const Plugin atlas_application_incomplete{"atlas-application", atlas::version, make};
