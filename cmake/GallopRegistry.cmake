# The registry: one generated source that lists all environments of sims/, all algorithms of
# algorithms/, all optimizers of algorithms/black_box/ and all shipped configurations and studies of configs/, as host/registry/generated.h
# declares, and all drawings of host/rendering/drawings/, as host/rendering/drawing.h declares.

# gallop_simulations(<out> [<rest>]): the headers of sims/ that are built, and those that are not:
# all are, or those that GALLOP_SIMS names, among which `quick` stands for those that are no articulated
# bodies, which take minutes to compile.
function(gallop_simulations out)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sims/*.h)
  set(chosen ${headers})
  if(GALLOP_SIMS)
    set(chosen "")
  endif()
  foreach(header IN LISTS headers)
    cmake_path(GET header STEM name)
    gallop_includes_bodies(bodies ${header})
    if(name IN_LIST GALLOP_SIMS OR (quick IN_LIST GALLOP_SIMS AND NOT bodies))
      list(APPEND chosen ${header})
    endif()
  endforeach()
  foreach(name IN LISTS GALLOP_SIMS)
    set(header ${PROJECT_SOURCE_DIR}/sims/${name}.h)
    if(NOT name STREQUAL quick AND NOT header IN_LIST headers)
      message(FATAL_ERROR "GALLOP_SIMS is '${GALLOP_SIMS}', but there is no ${header}")
    endif()
  endforeach()
  set(${out} ${chosen} PARENT_SCOPE)
  if(ARGC GREATER 1)
    list(REMOVE_ITEM headers ${chosen})
    set(${ARGV1} ${headers} PARENT_SCOPE)
  endif()
endfunction()

# gallop_simulation_types(<types> <headers>): of every environment of those headers its C++ type, and
# the name of its header.
function(gallop_simulation_types types headers)
  set(all_types "")
  set(all_headers "")
  gallop_simulations(files)
  foreach(file IN LISTS files)
    cmake_path(GET file FILENAME header)
    gallop_markers(marked ${file} GALLOP_ENVIRONMENT)
    foreach(type IN LISTS marked)
      list(APPEND all_types ${type})
      list(APPEND all_headers ${header})
    endforeach()
  endforeach()
  set(${types} ${all_types} PARENT_SCOPE)
  set(${headers} ${all_headers} PARENT_SCOPE)
endfunction()

# _gallop_claim_names(<kind> <file> <name>...): stops where another file has one of these names, as
# they are compared on a command line: without regard to capitals, and to - and _.
function(_gallop_claim_names kind file)
  foreach(name IN LISTS ARGN)
    string(TOLOWER "${name}" folded)
    string(REPLACE "-" "_" folded "${folded}")
    get_property(owner GLOBAL PROPERTY _gallop_${kind}_${folded})
    if(owner)
      message(FATAL_ERROR "${kind} '${name}' of ${file} is the name or an alias of one in ${owner} "
                          "already; names and aliases are of one ${kind} alone")
    endif()
    set_property(GLOBAL PROPERTY _gallop_${kind}_${folded} "${file}")
  endforeach()
endfunction()

# _gallop_environment_names(<names> <aliases> <file>): lists, an element for each environment of the
# file, of the texts behind kName and kAliases.
function(_gallop_environment_names names aliases file)
  gallop_markers(types ${file} GALLOP_ENVIRONMENT)
  foreach(member kName kAliases)
    file(STRINGS ${file} texts REGEX "[ *]${member}(\\[\\])? = \"")
    list(TRANSFORM texts REPLACE "^[^\"]*\"([^\"]*)\".*$" "<\\1>")
    list(LENGTH types n_types)
    list(LENGTH texts n_texts)
    if(NOT n_types EQUAL n_texts)
      message(FATAL_ERROR "${file} has ${n_types} lines GALLOP_ENVIRONMENT(Type), but ${n_texts} "
                          "lines 'static constexpr const char* ${member} = \"...\"': each "
                          "environment of sims/ has one of each")
    endif()
    set(${member} ${texts})
  endforeach()
  foreach(name alias IN ZIP_LISTS kName kAliases)
    string(REGEX REPLACE "[<> ]" "" all "${name},${alias}")
    string(REGEX MATCHALL "[^,]+" all "${all}")
    list(REMOVE_DUPLICATES all)
    _gallop_claim_names(environment ${file} ${all})
  endforeach()
  set(${names} ${kName} PARENT_SCOPE)
  set(${aliases} ${kAliases} PARENT_SCOPE)
endfunction()

# _gallop_commit(<variable>): the commit of the sources; "unknown" where they are no checkout, or git
# is not there. A new commit configures the build again.
function(_gallop_commit variable)
  set(commit unknown)
  find_program(GALLOP_GIT git)
  mark_as_advanced(GALLOP_GIT)
  if(GALLOP_GIT)
    execute_process(
      COMMAND ${GALLOP_GIT} rev-parse --show-toplevel HEAD --git-path logs/HEAD
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      OUTPUT_VARIABLE answer RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REPLACE "\n" ";" answer "${answer}")
    list(LENGTH answer n)
    if(status EQUAL 0 AND n EQUAL 3)
      list(GET answer 0 top)
      list(GET answer 1 head)
      list(GET answer 2 log)
      file(REAL_PATH "${PROJECT_SOURCE_DIR}" here)
      if(top STREQUAL here)  # not those of a project around it
        string(SUBSTRING ${head} 0 12 commit)
        get_filename_component(log "${log}" ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
        if(EXISTS ${log})
          set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${log})
        endif()
      endif()
    endif()
  endif()
  set(${variable} ${commit} PARENT_SCOPE)
endfunction()

# gallop_generate_registry(<target>): adds the generated source to the target and sets
# GALLOP_REGISTRY_UNITS_<isa>, _single and _cuda to the environments' translation units.
function(gallop_generate_registry target)
  set(folder ${PROJECT_BINARY_DIR}/generated)
  _gallop_environment_array(environments ${folder}/environments)
  _gallop_algorithm_array(algorithms)
  _gallop_optimizer_array(optimizers)
  _gallop_config_array(configs)
  _gallop_study_array(studies)
  _gallop_drawing_array(drawings)
  set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
  set(cuda false)
  if(GALLOP_HAVE_CUDA)
    set(cuda true)
  endif()
  _gallop_commit(commit)
  _gallop_write_isas(${folder}/include/gallop_isas.h)
  target_include_directories(${target} PRIVATE ${folder}/include)
  gallop_write(${folder}/registry.cpp "// Written by the build; see cmake/GallopRegistry.cmake.
#include <gallop/host/learning/black_box_algorithm.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/rendering/drawing.h>

${environments}
${optimizers}
${algorithms}
${configs}
${studies}
${drawings}
namespace gallop {
const BuildInfo kBuildInfo = {\"${PROJECT_VERSION}\", \"${commit}\", \"${compiler}\", \"${CMAKE_BUILD_TYPE}\", ${cuda}};
}  // namespace gallop
")
  target_sources(${target} PRIVATE ${folder}/registry.cpp)
  foreach(backend IN LISTS GALLOP_ISAS ITEMS single cuda)
    set(GALLOP_REGISTRY_UNITS_${backend} ${GALLOP_REGISTRY_UNITS_${backend}} PARENT_SCOPE)
  endforeach()
endfunction()

# _gallop_write_isas(<file>): the instruction sets of this build for the sources that choose among
# functions compiled for each.
function(_gallop_write_isas file)
  set(uses "")
  set(pointers "")
  foreach(isa IN LISTS GALLOP_ALL_ISAS)
    if(isa IN_LIST GALLOP_ISAS)
      string(APPEND uses " use(${isa})")
      list(APPEND pointers "&name##_isa_${isa}")
    else()
      list(APPEND pointers nullptr)
    endif()
  endforeach()
  list(JOIN pointers ", " pointers)
  gallop_write(${file} "// Written by the build; see cmake/GallopRegistry.cmake.
#pragma once

// use(isa) for each instruction set that this build has.
#define GALLOP_FOR_EACH_ISA(use)${uses}
// Initialises an array [kNumIsas] of functions name_isa_<isa>, null where the build lacks one.
#define GALLOP_ISA_FUNCTIONS(name) {${pointers}}
")
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
  gallop_simulations(headers unbuilt)
  set(all_types "")
  set(rows "")
  foreach(header IN LISTS headers)
    cmake_path(GET header FILENAME name)
    gallop_environment_units(units ${header} "<gallop/sims/${name}>" ${folder})
    if(NOT units_TYPES)
      message(FATAL_ERROR "${header} has no line GALLOP_ENVIRONMENT(Type), by which the build finds "
                          "the environments of sims/; what several share stands in a folder below")
    endif()
    _gallop_environment_names(kName kAliases ${header})
    foreach(backend IN LISTS GALLOP_ISAS ITEMS single cuda)
      list(APPEND GALLOP_REGISTRY_UNITS_${backend} ${units_${backend}})
    endforeach()
    foreach(type IN LISTS units_TYPES)
      if(type IN_LIST all_types)
        message(FATAL_ERROR "GALLOP_ENVIRONMENT(${type}) stands in ${header} and in "
                            "${header_of_${type}}; a C++ type is one environment")
      endif()
      set(header_of_${type} ${header})
      list(APPEND all_types ${type})
      gallop_environment_row(row ${GALLOP_HAVE_CUDA} ${type})
      list(APPEND rows "${row}")
    endforeach()
  endforeach()
  gallop_environment_declarations(declarations ${GALLOP_HAVE_CUDA} ${all_types})
  _gallop_array(text "${declarations}" EnvironmentEntry kEnvironmentEntries
                kNumEnvironmentEntries ${rows})
  set(rows "")
  foreach(header IN LISTS unbuilt)
    _gallop_environment_names(kName kAliases ${header})
    foreach(name aliases IN ZIP_LISTS kName kAliases)
      string(REGEX REPLACE "[<>]" "\"" row "${name}, ${aliases}")
      list(APPEND rows "{${row}}")
    endforeach()
  endforeach()
  _gallop_array(unbuilt_text "" UnbuiltEnvironment kUnbuiltEnvironments kNumUnbuiltEnvironments ${rows})
  set(${out} "${text}${unbuilt_text}" PARENT_SCOPE)
  foreach(backend IN LISTS GALLOP_ISAS ITEMS single cuda)
    set(GALLOP_REGISTRY_UNITS_${backend} ${GALLOP_REGISTRY_UNITS_${backend}} PARENT_SCOPE)
  endforeach()
endfunction()

# _gallop_claim_algorithms(<marker> <descriptor> <file> <type>...): name and aliases are the first two
# texts of a descriptor, whose C++ type is named.
function(_gallop_claim_algorithms marker descriptor_type file)
  file(READ ${file} text)
  string(REGEX REPLACE "[;\\[]" " " text "${text}")  # which lists of CMake would take for their own
  set(text_of "[ \n]*\"([^\"]*)\"[ \n]*,")
  string(REGEX MATCHALL "${descriptor_type} [A-Za-z_]+ = {${text_of}${text_of}" descriptors "${text}")
  list(LENGTH descriptors n_descriptors)
  list(LENGTH ARGN n_types)
  if(NOT n_types EQUAL n_descriptors)
    message(FATAL_ERROR "${file} has ${n_types} lines ${marker}(Type), but ${n_descriptors} "
                        "descriptors '${descriptor_type} kDescriptor = {\"name\", \"aliases\", ...': "
                        "each algorithm has one of each")
  endif()
  foreach(descriptor IN LISTS descriptors)
    string(REGEX REPLACE "^[^{]*{${text_of}${text_of}$" "\\1,\\2" names "${descriptor}")
    string(REGEX MATCHALL "[^, ]+" names "${names}")
    list(REMOVE_DUPLICATES names)
    _gallop_claim_names(algorithm ${file} ${names})
  endforeach()
endfunction()

# _gallop_marked_array(<out> <pattern> <marker> <descriptor> <function> <element> <name> <count>
# <row>...): the array of what sources of that pattern mark, with more rows behind it; <function>_<Type>()
# gives the descriptor of one.
function(_gallop_marked_array out pattern marker descriptor function element name count)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${pattern})
  set(declarations "")
  set(rows "")
  foreach(source IN LISTS sources)
    gallop_markers(types ${source} ${marker})
    foreach(other IN ITEMS GALLOP_ALGORITHM GALLOP_OPTIMIZER)
      gallop_markers(misplaced ${source} ${other})
      if(misplaced AND NOT other STREQUAL marker)
        message(FATAL_ERROR "${source} has a line ${other}(Type), which is not looked for in "
                            "${pattern}: algorithms stand in algorithms/, optimizers in "
                            "algorithms/black_box/")
      endif()
    endforeach()
    _gallop_claim_algorithms(${marker} ${descriptor} ${source} ${types})
    foreach(type IN LISTS types)
      string(APPEND declarations "const gallop::${descriptor}& ${function}_${type}();\n")
      list(APPEND rows "{\"${type}\", &${function}_${type}}")
    endforeach()
  endforeach()
  list(APPEND rows ${ARGN})
  _gallop_array(text "${declarations}" ${element} ${name} ${count} ${rows})
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Those of algorithms/, and each optimizer as an algorithm.
function(_gallop_algorithm_array out)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/algorithms/black_box/*.cpp)
  set(rows "")
  foreach(source IN LISTS sources)
    gallop_markers(types ${source} GALLOP_OPTIMIZER)
    foreach(type IN LISTS types)
      list(APPEND rows "{\"${type}\", &gallop::black_box_descriptor<&gallop_optimizer_${type}>}")
    endforeach()
  endforeach()
  _gallop_marked_array(text algorithms/*.cpp GALLOP_ALGORITHM AlgorithmDescriptor gallop_algorithm
                       AlgorithmEntry kAlgorithmEntries kNumAlgorithmEntries ${rows})
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(_gallop_optimizer_array out)
  _gallop_marked_array(text algorithms/black_box/*.cpp GALLOP_OPTIMIZER OptimizerDescriptor
                       gallop_optimizer OptimizerEntry kOptimizerEntries kNumOptimizerEntries)
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
