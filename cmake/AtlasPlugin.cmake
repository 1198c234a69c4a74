# atlas_add_plugin(<name> <source>...)
#
# Builds lib<name>.so, an application that `atlas serve lib<name>.so` loads. A plugin compiles against the headers
# of Atlas and fmt, and links neither: at load time it takes their symbols from the `atlas` command, so that
# there is one scheduler, one log and one version in the process. Link whatever else it needs as usual:
#
#   find_package(atlas REQUIRED)
#   atlas_add_plugin(shop shop.cpp)
#   target_link_libraries(shop PRIVATE sqlite3)
function(atlas_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX lib SUFFIX .so)
  target_compile_features(${name} PRIVATE cxx_std_20)
  # A frame larger than a stack's guard is touched page by page, so that it cannot step over it.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU,Clang>:-fstack-clash-protection>)
  foreach(library atlas::atlas fmt::fmt)
    target_include_directories(${name} SYSTEM PRIVATE $<TARGET_PROPERTY:${library},INTERFACE_INCLUDE_DIRECTORIES>)
    target_compile_definitions(${name} PRIVATE $<TARGET_PROPERTY:${library},INTERFACE_COMPILE_DEFINITIONS>)
  endforeach()
endfunction()
