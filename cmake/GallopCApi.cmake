# The C interface: libgallop.so with host/c_api/gallop.h, a target of its own (gallop_c) that is made
# where it is asked for: by its name, by tests, and by installation. It holds the library whole and
# shows gallop_* alone.
file(GLOB c_api_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/c_api/*.cpp)
set(c_api_header ${PROJECT_SOURCE_DIR}/host/c_api/gallop.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${c_api_header})

# The version of its interface, as the header has it.
file(STRINGS ${c_api_header} abi_lines REGEX "^#define GALLOP_ABI_(MAJOR|MINOR) [0-9]+$")
list(TRANSFORM abi_lines REPLACE "^.* ([0-9]+)$" "\\1")
list(LENGTH abi_lines n_abi_lines)
if(NOT n_abi_lines EQUAL 2)
  message(FATAL_ERROR "host/c_api/gallop.h does not say GALLOP_ABI_MAJOR and GALLOP_ABI_MINOR")
endif()
list(GET abi_lines 0 abi_major)
list(JOIN abi_lines "." abi_version)

# Exported is what the header declares: the units of environments have C names too.
file(STRINGS ${c_api_header} c_api_names REGEX "^GALLOP_API [^(]*gallop_[a-z_]+\\(")
list(TRANSFORM c_api_names REPLACE "^[^(]*(gallop_[a-z_]+)\\(.*$" "\\1")
list(JOIN c_api_names "; " c_api_names)
set(c_api_map ${PROJECT_BINARY_DIR}/generated/libgallop.map)
gallop_write(${c_api_map} "GALLOP_${abi_major} {
  global: ${c_api_names};
  local: *;
};
")

add_library(gallop_c SHARED EXCLUDE_FROM_ALL ${c_api_sources})
gallop_own_code(gallop_c)
# Calls take microseconds; what they call is compiled as ever.
target_compile_options(gallop_c PRIVATE $<$<CONFIG:Release>:-O2>)
target_link_libraries(gallop_c PRIVATE gallop gallop_private_dependencies)
target_link_options(gallop_c PRIVATE LINKER:--version-script=${c_api_map})
set_target_properties(gallop_c PROPERTIES
  OUTPUT_NAME gallop SOVERSION ${abi_major} VERSION ${abi_version}
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib LINK_DEPENDS ${c_api_map}
  CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
# C programs name it <gallop/gallop.h>, here as in an installation.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/c/include/gallop)
file(CREATE_LINK ${c_api_header} ${PROJECT_BINARY_DIR}/c/include/gallop/gallop.h SYMBOLIC)

if(GALLOP_INSTALL)
  # A target that is not in ALL is not built before its installation. One installation at a time.
  install(CODE "file(LOCK \"${PROJECT_BINARY_DIR}/libgallop.lock\" GUARD PROCESS TIMEOUT 3600)
  execute_process(
    COMMAND \"${CMAKE_COMMAND}\" --build \"${PROJECT_BINARY_DIR}\" --target gallop_c
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)")
  install(TARGETS gallop_c LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES host/c_api/gallop.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gallop)
  # Relative, so that an installation can be moved.
  string(REGEX REPLACE "[^/]+" ".." prefix_from_lib ${CMAKE_INSTALL_LIBDIR})
  configure_file(cmake/gallop.pc.in ${PROJECT_BINARY_DIR}/gallop.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/gallop.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
