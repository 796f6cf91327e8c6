# The registry: one generated source that lists all environments of sims/, all algorithms of
# algorithms/ and all shipped configurations and studies of configs/, as host/registry/generated.h
# declares, and all drawings of host/rendering/drawings/, as host/rendering/drawing.h declares.

# gallop_simulations(<out>): the headers of sims/ that are built: all, or those that GALLOP_SIMS names.
function(gallop_simulations out)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sims/*.h)
  set(chosen ${headers})
  if(GALLOP_SIMS)
    list(TRANSFORM GALLOP_SIMS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/sims/\\1.h" OUTPUT_VARIABLE chosen)
    foreach(header IN LISTS chosen)
      if(NOT header IN_LIST headers)
        message(FATAL_ERROR "GALLOP_SIMS is '${GALLOP_SIMS}', but there is no ${header}")
      endif()
    endforeach()
  endif()
  set(${out} ${chosen} PARENT_SCOPE)
endfunction()

# gallop_generate_registry(<target>): adds the generated source to the target and sets
# GALLOP_REGISTRY_UNITS_v3, _v4 and _cuda to the environments' translation units.
function(gallop_generate_registry target)
  set(folder ${PROJECT_BINARY_DIR}/generated)
  _gallop_environment_array(environments ${folder}/environments)
  _gallop_algorithm_array(algorithms)
  _gallop_config_array(configs)
  _gallop_study_array(studies)
  _gallop_drawing_array(drawings)
  set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
  set(cuda false)
  if(GALLOP_HAVE_CUDA)
    set(cuda true)
  endif()
  gallop_write(${folder}/registry.cpp "// Written by the build; see cmake/GallopRegistry.cmake.
#include \"host/registry/generated.h\"
#include \"host/rendering/drawing.h\"

${environments}
${algorithms}
${configs}
${studies}
${drawings}
namespace gallop {
const BuildInfo kBuildInfo = {\"${PROJECT_VERSION}\", \"${compiler}\", \"${CMAKE_BUILD_TYPE}\", ${cuda}};
}  // namespace gallop
")
  target_sources(${target} PRIVATE ${folder}/registry.cpp)
  foreach(backend IN LISTS GALLOP_ISAS ITEMS cuda)
    set(GALLOP_REGISTRY_UNITS_${backend} ${GALLOP_REGISTRY_UNITS_${backend}} PARENT_SCOPE)
  endforeach()
endfunction()

# _gallop_array(<out> <declarations> <element> <name> <count> <row>...): one array and its count;
# a closing empty row, which the count leaves out, keeps an array without entries legal.
function(_gallop_array out declarations element name count)
  set(text "${declarations}namespace gallop {\nconst ${element} ${name}[] = {\n")
  set(n 0)
  foreach(row IN LISTS ARGN)
    string(APPEND text "    ${row},\n")
    math(EXPR n "${n} + 1")
  endforeach()
  string(APPEND text "    {}};\nconst int ${count} = ${n};\n}  // namespace gallop\n")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(_gallop_environment_array out folder)
  gallop_simulations(headers)
  set(all_types "")
  set(rows "")
  foreach(header IN LISTS headers)
    cmake_path(GET header FILENAME name)
    gallop_environment_units(units ${header} sims/${name} ${folder})
    foreach(backend IN LISTS GALLOP_ISAS ITEMS cuda)
      list(APPEND GALLOP_REGISTRY_UNITS_${backend} ${units_${backend}})
    endforeach()
    foreach(type IN LISTS units_TYPES)
      if(type IN_LIST all_types)
        message(FATAL_ERROR "${header}: GALLOP_ENVIRONMENT(${type}) is declared twice")
      endif()
      list(APPEND all_types ${type})
      gallop_environment_row(row ${GALLOP_HAVE_CUDA} ${type})
      list(APPEND rows "${row}")
    endforeach()
  endforeach()
  gallop_environment_declarations(declarations ${GALLOP_HAVE_CUDA} ${all_types})
  _gallop_array(text "${declarations}" EnvironmentEntry kEnvironmentEntries
                kNumEnvironmentEntries ${rows})
  set(${out} "${text}" PARENT_SCOPE)
  foreach(backend IN LISTS GALLOP_ISAS ITEMS cuda)
    set(GALLOP_REGISTRY_UNITS_${backend} ${GALLOP_REGISTRY_UNITS_${backend}} PARENT_SCOPE)
  endforeach()
endfunction()

function(_gallop_algorithm_array out)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/algorithms/*.cpp)
  set(declarations "")
  set(rows "")
  foreach(source IN LISTS sources)
    gallop_markers(types ${source} GALLOP_ALGORITHM)
    foreach(type IN LISTS types)
      string(APPEND declarations
             "const gallop::AlgorithmDescriptor& gallop_algorithm_${type}();\n")
      list(APPEND rows "{\"${type}\", &gallop_algorithm_${type}}")
    endforeach()
  endforeach()
  _gallop_array(text "${declarations}" AlgorithmEntry kAlgorithmEntries kNumAlgorithmEntries
                ${rows})
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(_gallop_drawing_array out)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/rendering/drawings/*.cpp)
  set(declarations "")
  set(rows "")
  foreach(source IN LISTS sources)
    gallop_markers(types ${source} GALLOP_DRAWING)
    foreach(type IN LISTS types)
      string(APPEND declarations
             "gallop::Drawing gallop_drawing_${type}(const gallop::Episode&);\n")
      list(APPEND rows "{\"${type}\", &gallop_drawing_${type}}")
    endforeach()
  endforeach()
  _gallop_array(text "${declarations}" DrawingEntry kDrawingEntries kNumDrawingEntries ${rows})
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Configurations are read at configure time; semicolons in them survive because each row is
# appended to text, never to a list.
function(_gallop_config_array out)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/configs/*/*.toml)
  list(FILTER files EXCLUDE REGEX "/configs/studies/")
  set(text "namespace gallop {\nconst ConfigEntry kConfigEntries[] = {\n")
  set(n 0)
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    cmake_path(GET file STEM environment)
    cmake_path(GET file PARENT_PATH parent)
    cmake_path(GET parent FILENAME algorithm)
    file(READ ${file} toml)
    string(APPEND text
           "    {\"${algorithm}\", \"${environment}\", R\"gallop(${toml})gallop\"},\n")
    math(EXPR n "${n} + 1")
  endforeach()
  string(APPEND text "    {}};\nconst int kNumConfigEntries = ${n};\n}  // namespace gallop\n")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(_gallop_study_array out)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/configs/studies/*.toml)
  set(text "namespace gallop {\nconst StudyEntry kStudyEntries[] = {\n")
  set(n 0)
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    cmake_path(GET file STEM study)
    file(READ ${file} toml)
    string(APPEND text "    {\"${study}\", R\"gallop(${toml})gallop\"},\n")
    math(EXPR n "${n} + 1")
  endforeach()
  string(APPEND text "    {}};\nconst int kNumStudyEntries = ${n};\n}  // namespace gallop\n")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()
