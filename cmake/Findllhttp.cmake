# Finds llhttp: an installed library (libllhttp-dev) as the imported target llhttp::llhttp, or else the C sources that
# Debian 12 ships in node-llhttp, as the variable llhttp_SOURCES.
#
#   atlas_use_llhttp(<target>)   links the one, or compiles the other into the target

find_path(llhttp_INCLUDE_DIR llhttp.h PATH_SUFFIXES share/include/llhttp)
find_library(llhttp_LIBRARY llhttp)
if(llhttp_LIBRARY)
  set(llhttp_FROM ${llhttp_LIBRARY})
else()
  find_path(llhttp_SOURCE_DIR llhttp.c PATH_SUFFIXES share/llhttp)
  set(llhttp_FROM ${llhttp_SOURCE_DIR})
endif()
mark_as_advanced(llhttp_INCLUDE_DIR llhttp_LIBRARY llhttp_SOURCE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(llhttp
  REQUIRED_VARS llhttp_FROM llhttp_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "scripts/setup installs it (Debian: libllhttp-dev or node-llhttp)")

if(llhttp_FOUND AND llhttp_LIBRARY AND NOT TARGET llhttp::llhttp)
  add_library(llhttp::llhttp UNKNOWN IMPORTED)
  set_target_properties(llhttp::llhttp PROPERTIES
    IMPORTED_LOCATION ${llhttp_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${llhttp_INCLUDE_DIR})
endif()

function(atlas_use_llhttp target)
  if(TARGET llhttp::llhttp)
    target_link_libraries(${target} PRIVATE llhttp::llhttp)
    return()
  endif()
  if(NOT TARGET atlas_llhttp)
    add_library(atlas_llhttp OBJECT
      ${llhttp_SOURCE_DIR}/api.c ${llhttp_SOURCE_DIR}/http.c ${llhttp_SOURCE_DIR}/llhttp.c)
    set_target_properties(atlas_llhttp PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(atlas_llhttp PRIVATE ${llhttp_INCLUDE_DIR})
    target_compile_options(atlas_llhttp PRIVATE -w)
  endif()
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:atlas_llhttp>)
  target_include_directories(${target} SYSTEM PRIVATE ${llhttp_INCLUDE_DIR})
endfunction()
