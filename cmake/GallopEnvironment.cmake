# Environments: one header with a marker GALLOP_ENVIRONMENT(Type) becomes one translation unit for
# each instruction set (and one for CUDA), so that compilation is parallel and a new environment is
# one new file. Installed, so that a user's own tree does the same with gallop_add_environment().
include_guard()
# Calls from other directories than this one's, as a project's that fetched Gallop, include it once
# more: its variables are of a directory.
include(${CMAKE_CURRENT_LIST_DIR}/GallopIsa.cmake)

# gallop_write(<file> <text>): writes the file only where its text differs, to spare rebuilds.
function(gallop_write file text)
  if(EXISTS ${file})
    file(READ ${file} old)
    if(old STREQUAL text)
      return()
    endif()
  endif()
  file(WRITE ${file} "${text}")
endfunction()

# gallop_markers(<out> <file> <macro>): the types named by `macro(Type)` lines of the file.
function(gallop_markers out file macro)
  file(STRINGS ${file} lines REGEX "^[ \t]*${macro}\\([ \t]*[A-Za-z0-9_]+[ \t]*\\)")
  set(types "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[ \t]*${macro}\\([ \t]*([A-Za-z0-9_]+)[ \t]*\\).*" "\\1" type "${line}")
    list(APPEND types ${type})
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set(${out} ${types} PARENT_SCOPE)
endfunction()

# gallop_includes_bodies(<out> <file>): the lines by which the file is an articulated body's.
function(gallop_includes_bodies out file)
  file(STRINGS ${file} lines REGEX "#include <gallop/(kernels/bodies|sims/models|sims/robots)/")
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

# gallop_environment_units(<prefix> <file> <include> <folder>): writes the units of every
# environment in the file, which they include as <include>; sets <prefix>_TYPES, <prefix>_<isa>,
# <prefix>_single (single transitions) and <prefix>_cuda.
function(gallop_environment_units prefix file include folder)
  gallop_markers(types ${file} GALLOP_ENVIRONMENT)
  gallop_includes_bodies(bodies ${file})
  foreach(backend IN LISTS GALLOP_ISAS ITEMS single cuda)
    set(units_${backend} "")
  endforeach()
  foreach(type IN LISTS types)
    foreach(isa IN LISTS GALLOP_ISAS)
      set(unit ${folder}/${type}_${isa}.cpp)
      gallop_write(${unit} "#include ${include}
#include <gallop/kernels/tables/environment_table_impl.h>

GALLOP_INSTANTIATE_CPU(${type})
")
      if(bodies)
        set_source_files_properties(${unit} PROPERTIES COMPILE_OPTIONS "${GALLOP_BODIES_OPTIONS}")
      endif()
      list(APPEND units_${isa} ${unit})
    endforeach()
    set(unit ${folder}/${type}_single.cpp)
    gallop_write(${unit} "#include ${include}
#include <gallop/kernels/tables/transition_table_impl.h>

GALLOP_INSTANTIATE_TRANSITIONS(${type})
")
    list(APPEND units_single ${unit})
    set(unit ${folder}/${type}_cuda.cu)
    gallop_write(${unit} "#include ${include}
#include <gallop/kernels/tables/cuda_environment_table_impl.cuh>

GALLOP_INSTANTIATE_CUDA(${type})
")
    list(APPEND units_cuda ${unit})
  endforeach()
  set(${prefix}_TYPES ${types} PARENT_SCOPE)
  foreach(backend IN LISTS GALLOP_ISAS ITEMS single cuda)
    set(${prefix}_${backend} ${units_${backend}} PARENT_SCOPE)
  endforeach()
endfunction()

# gallop_environment_declarations(<out> <cuda> <type>...): declarations of the functions that the
# units of these environments define.
function(gallop_environment_declarations out cuda)
  set(text "extern \"C\" {\n")
  foreach(type IN LISTS ARGN)
    foreach(isa IN LISTS GALLOP_ISAS)
      string(APPEND text
        "const gallop::EnvironmentTable* gallop_environment_${type}_isa_${isa}();\n")
    endforeach()
    string(APPEND text "const gallop::TransitionTable* gallop_transitions_${type}();\n")
    if(cuda)
      string(APPEND text
        "const gallop::CudaEnvironmentTable* gallop_environment_${type}_cuda();\n")
    endif()
  endforeach()
  set(${out} "${text}}\n" PARENT_SCOPE)
endfunction()

# gallop_environment_row(<out> <cuda> <type>): the EnvironmentEntry of one environment.
function(gallop_environment_row out cuda type)
  set(pointer nullptr)
  if(cuda)
    set(pointer "&gallop_environment_${type}_cuda")
  endif()
  set(tables "")
  foreach(isa IN LISTS GALLOP_ALL_ISAS)
    if(isa IN_LIST GALLOP_ISAS)
      list(APPEND tables "&gallop_environment_${type}_isa_${isa}")
    else()
      list(APPEND tables nullptr)
    endif()
  endforeach()
  list(JOIN tables ", " tables)
  set(${out} "{\"${type}\", {${tables}}, &gallop_transitions_${type}, ${pointer}}" PARENT_SCOPE)
endfunction()

# gallop_add_environment(<header> [TARGET <name>]): compiles every GALLOP_ENVIRONMENT(Type) of a
# header of the user's own tree into a static library, by default gallop_environment_<stem of the
# header>. Link it, and include "gallop_environments/<stem>.h": it declares the constant
# gallop::k<Type>Environment, the EnvironmentEntry that the library API takes. Nothing registers
# itself, so what is not named costs nothing. Where gallop has CUDA and the calling project has
# enabled the language, the CUDA kernels are compiled too.
function(gallop_add_environment header)
  include(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/GallopIsa.cmake)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TARGET" "")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "gallop_add_environment: unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  cmake_path(ABSOLUTE_PATH header BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT EXISTS ${header})
    message(FATAL_ERROR "gallop_add_environment: there is no ${header}")
  endif()
  cmake_path(GET header STEM stem)
  set(target gallop_environment_${stem})
  if(arg_TARGET)
    set(target ${arg_TARGET})
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target})
  gallop_environment_units(units ${header} "\"${header}\"" ${folder})
  if(NOT units_TYPES)
    message(FATAL_ERROR "gallop_add_environment: ${header} has no line GALLOP_ENVIRONMENT(Type)")
  endif()
  set(cuda OFF)
  get_target_property(has_cuda gallop::gallop GALLOP_HAVE_CUDA)
  if(has_cuda AND CMAKE_CUDA_COMPILER_LOADED)
    set(cuda ON)
  endif()
  _gallop_write_entries(${folder} ${stem} ${cuda} ${units_TYPES})
  add_library(${target} STATIC ${folder}/entries.cpp)
  foreach(isa IN LISTS GALLOP_ISAS)
    gallop_add_isa_objects(${target}_${isa} ${isa} ${units_${isa}})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${isa}>)
  endforeach()
  gallop_add_isa_objects(${target}_single single ${units_single})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_single>)
  if(cuda)
    target_sources(${target} PRIVATE ${units_cuda})
    gallop_use_cuda(${target})
  endif()
  target_include_directories(${target} PUBLIC ${folder}/include)
  target_link_libraries(${target} PUBLIC gallop::gallop)
  set_target_properties(${target} PROPERTIES GALLOP_TYPES "${units_TYPES}"
                        POSITION_INDEPENDENT_CODE ON)
endfunction()

# gallop_add_plugin(<header> [TARGET <name>]): compiles the same environments into a shared library
# lib<stem>.so, in the current binary folder, that the program `gallop` loads: `gallop train spring
# --plugin libspring.so`. The target is by default gallop_plugin_<stem>. It needs nothing of gallop but
# its headers, and is for the Gallop that it was built with.
function(gallop_add_plugin header)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TARGET" "")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "gallop_add_plugin: unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  cmake_path(GET header STEM stem)
  set(target gallop_plugin_${stem})
  if(arg_TARGET)
    set(target ${arg_TARGET})
  endif()
  gallop_add_environment(${header} TARGET ${target}_environment)
  get_target_property(types ${target}_environment GALLOP_TYPES)
  set(rows "")
  foreach(type IN LISTS types)
    string(APPEND rows "    k${type}Environment,\n")
  endforeach()
  set(version ${gallop_VERSION})
  if(NOT version)
    set(version ${PROJECT_VERSION})
  endif()
  set(unit ${CMAKE_CURRENT_BINARY_DIR}/${target}_environment/plugin.cpp)
  gallop_write(${unit} "#include <gallop/host/registry/plugin.h>

#include \"gallop_environments/${stem}.h\"

namespace gallop {
namespace {
const EnvironmentEntry entries[] = {
${rows}};
}  // namespace
}  // namespace gallop

extern \"C\" __attribute__((visibility(\"default\")))
const gallop::EnvironmentPlugin gallop_environment_plugin;
const gallop::EnvironmentPlugin gallop_environment_plugin = {
    gallop::kPluginFormat, gallop::plugin_layout(), \"${version}\",
    int(sizeof(gallop::entries) / sizeof(gallop::entries[0])), gallop::entries};
")
  add_library(${target} MODULE ${unit})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${stem} PREFIX lib
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${target} PRIVATE ${target}_environment)
endfunction()

# _gallop_write_entries(<folder> <stem> <cuda> <type>...): the entries and the header that declares
# them.
function(_gallop_write_entries folder stem cuda)
  set(header "#pragma once\n\n#include <gallop/host/registry/generated.h>\n\nnamespace gallop {\n")
  gallop_environment_declarations(source ${cuda} ${ARGN})
  string(PREPEND source "#include \"gallop_environments/${stem}.h\"\n\n")
  string(APPEND source "namespace gallop {\n")
  foreach(type IN LISTS ARGN)
    gallop_environment_row(row ${cuda} ${type})
    string(APPEND header "extern const EnvironmentEntry k${type}Environment;\n")
    string(APPEND source "const EnvironmentEntry k${type}Environment = ${row};\n")
  endforeach()
  gallop_write(${folder}/include/gallop_environments/${stem}.h "${header}}  // namespace gallop\n")
  gallop_write(${folder}/entries.cpp "${source}}  // namespace gallop\n")
endfunction()
