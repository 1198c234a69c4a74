# Finds brotli as the imported targets brotli::encoder and brotli::decoder. Debian's package has no CMake file.

find_path(brotli_INCLUDE_DIR brotli/encode.h)
find_library(brotli_encoder_LIBRARY brotlienc)
find_library(brotli_decoder_LIBRARY brotlidec)
mark_as_advanced(brotli_INCLUDE_DIR brotli_encoder_LIBRARY brotli_decoder_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(brotli
  REQUIRED_VARS brotli_encoder_LIBRARY brotli_decoder_LIBRARY brotli_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "scripts/setup installs it (Debian: libbrotli-dev)")

foreach(part encoder decoder)
  if(brotli_FOUND AND NOT TARGET brotli::${part})
    add_library(brotli::${part} UNKNOWN IMPORTED)
    set_target_properties(brotli::${part} PROPERTIES
      IMPORTED_LOCATION ${brotli_${part}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${brotli_INCLUDE_DIR})
  endif()
endforeach()
