# Boost.Context, static where that is installed: each switch of stacks then goes without a jump through the dynamic
# linker's table, a tenth of its time. Other users of Boost in the same project keep their own choice.

set(atlas_boost_was_static "${Boost_USE_STATIC_LIBS}")
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.74 CONFIG QUIET COMPONENTS context)
set(Boost_USE_STATIC_LIBS "${atlas_boost_was_static}")
unset(atlas_boost_was_static)

if(NOT TARGET Boost::context)
  find_package(Boost 1.74 CONFIG REQUIRED COMPONENTS context)
endif()
