# Installation: library, headers under include/gallop, program, and a CMake package
# with gallop_add_environment() for a user's own tree.
include(CMakePackageConfigHelpers)
include(GallopHeaders)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gallop)
install(TARGETS gallop gallop_headers EXPORT gallopTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS gallop_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS gallop_bench_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)

gallop_public_headers(headers)
foreach(header IN LISTS headers)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gallop/${folder})
endforeach()
install(EXPORT gallopTargets NAMESPACE gallop:: DESTINATION ${package_dir})
configure_package_config_file(cmake/gallopConfig.cmake.in ${PROJECT_BINARY_DIR}/gallopConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gallopConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gallopConfig.cmake ${PROJECT_BINARY_DIR}/gallopConfigVersion.cmake
              cmake/GallopIsa.cmake cmake/GallopEnvironment.cmake
        DESTINATION ${package_dir})
