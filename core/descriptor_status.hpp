// What the system knows of an open descriptor. Internal.
#pragma once

#include <atlas/core/file.hpp>

namespace atlas::detail {

/// Does not suspend, and asks no file server. Also of descriptors that only name a file (O_PATH).
[[nodiscard]] Result<FileStatus> try_status(int descriptor);

}  // namespace atlas::detail
