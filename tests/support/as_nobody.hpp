// For tests of what may not be read: root may read everything.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace atlas::testing {

/// While it lives, root's process acts as a user who owns nothing but `folder` itself; anybody else's is that
/// already. All threads of the process change together.
class AsNobody {
 public:
  explicit AsNobody(const std::string& folder) : root_(::geteuid() == 0) {
    if (!root_) return;
    constexpr uid_t nobody = 65'534;
    const bool changed =
        ::chown(folder.c_str(), nobody, static_cast<gid_t>(-1)) == 0 && ::seteuid(nobody) == 0;
    if (!changed) throw std::system_error(errno, std::system_category(), "seteuid");
  }
  ~AsNobody() {
    if (root_) static_cast<void>(::seteuid(0));
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  bool root_;
};

}  // namespace atlas::testing
