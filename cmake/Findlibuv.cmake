# Finds libuv as the imported target libuv::uv. Debian's package has a pkg-config file and no CMake one.

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PC_LIBUV QUIET libuv)
endif()
find_path(libuv_INCLUDE_DIR uv.h HINTS ${PC_LIBUV_INCLUDE_DIRS})
find_library(libuv_LIBRARY uv HINTS ${PC_LIBUV_LIBRARY_DIRS})
set(libuv_VERSION ${PC_LIBUV_VERSION})
mark_as_advanced(libuv_INCLUDE_DIR libuv_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libuv
  REQUIRED_VARS libuv_LIBRARY libuv_INCLUDE_DIR
  VERSION_VAR libuv_VERSION
  REASON_FAILURE_MESSAGE "scripts/setup installs it (Debian: libuv1-dev)")

if(libuv_FOUND AND NOT TARGET libuv::uv)
  add_library(libuv::uv UNKNOWN IMPORTED)
  set_target_properties(libuv::uv PROPERTIES
    IMPORTED_LOCATION ${libuv_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${libuv_INCLUDE_DIR})
endif()
