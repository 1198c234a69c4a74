# How Atlas' own code is compiled: output folders, warnings, sanitizers. Nothing here reaches code that uses an
# installed Atlas.

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
  set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
  endif()
  find_program(CCACHE_PROGRAM ccache)
  if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  endif()
endif()
set(CMAKE_CXX_EXTENSIONS OFF)

if(ATLAS_IPO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# Sanitizers hold for everything that is linked, llhttp included, so they are not a property of one target.
if(ATLAS_SANITIZE)
  add_compile_options(-fsanitize=${ATLAS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ATLAS_SANITIZE})
  # The check of virtual tables opens a pipe to see whether memory is there: out of descriptors, as one test wants to
  # be, it takes any object for a broken one.
  if(ATLAS_SANITIZE MATCHES undefined)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=vptr>)
  endif()
endif()

# What is fuzzed counts its branches, so that the fuzzer sees which inputs lead somewhere new.
if(ATLAS_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_library(atlas_build_settings INTERFACE)
target_compile_options(atlas_build_settings INTERFACE
  -Wall -Wextra -Wpedantic
  -Wno-missing-field-initializers  # designated initialisers name what differs from the default
  -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-qual -Wcast-align
  -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi -Wundef -Wunused -Wvla -Wformat=2
  -Wimplicit-fallthrough -Wdouble-promotion
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wsuggest-override>
  $<$<CXX_COMPILER_ID:Clang>:-Winconsistent-missing-override -Wloop-analysis -Wthread-safety>
  $<$<BOOL:${ATLAS_WERROR}>:-Werror>)
target_compile_definitions(atlas_build_settings INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
