# Installation: library, headers under include/gallop, program, and a CMake package
# with gallop_add_environment() for a user's own tree.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gallop)
install(TARGETS gallop gallop_headers EXPORT gallopTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS gallop_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS gallop_bench_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)

# The public headers: what a program may name, as docs/embedding.md lists it, and what the units of its
# environments include. They are installed with all that they include in turn, which may change.
set(public_headers
    host/error.h
    host/runtime/backend.h host/runtime/environments.h
    host/registry/registry.h host/registry/plugin.h host/options/option.h
    host/files/safetensors.h host/files/tensor_file.h
    host/learning/algorithm.h host/learning/evaluate.h
    host/learning/black_box.h host/learning/optimize.h host/learning/test_function.h
    host/training/run_folder.h host/training/run_options.h host/training/train.h
    host/rendering/episode.h host/rendering/film.h host/rendering/film_file.h
    kernels/environment/contract.h
    kernels/tables/environment_table_impl.h kernels/tables/transition_table_impl.h
    kernels/tables/cuda_environment_table_impl.cuh)
file(GLOB_RECURSE sims CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} sims/*.h)
set(found ${public_headers} ${sims})
set(headers "")
while(found)
  list(POP_FRONT found header)
  if(NOT header IN_LIST headers)
    list(APPEND headers ${header})
    file(STRINGS ${header} includes REGEX "^#include <gallop/[^>]*>")
    list(TRANSFORM includes REPLACE "^#include <gallop/([^>]*)>.*$" "\\1")
    list(APPEND found ${includes})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
  endif()
endwhile()
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
