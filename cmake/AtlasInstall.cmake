# Installs the library, its headers and the command, as a package that find_package(atlas) finds.

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/atlas)

install(TARGETS atlas EXPORT atlas-targets)
if(TARGET atlas_command)
  install(TARGETS atlas_command atlas_conformance EXPORT atlas-targets)
  install(TARGETS conformance_probe DESTINATION ${CMAKE_INSTALL_LIBDIR}/atlas)
endif()
install(EXPORT atlas-targets NAMESPACE atlas:: DESTINATION ${package_dir})

install(DIRECTORY core http asgi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/atlas
  FILES_MATCHING PATTERN "*.hpp" PATTERN "core/uv" EXCLUDE)
install(FILES ${atlas_include_dir}/atlas/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/atlas)

install(FILES scripts/gdb/atlas.py DESTINATION ${CMAKE_INSTALL_DATADIR}/atlas/gdb)

if(TARGET llhttp::llhttp)
  set(atlas_find_llhttp "find_dependency(llhttp)")
endif()
configure_package_config_file(cmake/atlas-config.cmake.in atlas-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(atlas-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/atlas-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/atlas-config-version.cmake
  cmake/AtlasBoost.cmake cmake/AtlasPlugin.cmake cmake/Findbrotli.cmake cmake/Findlibuv.cmake cmake/Findllhttp.cmake
  cmake/Findzstd.cmake
  DESTINATION ${package_dir})
