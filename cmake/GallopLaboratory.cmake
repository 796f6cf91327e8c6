# Problems of the laboratory: one header of host/laboratory/problems/ with a marker GALLOP_PROBLEM(Type)
# becomes one translation unit for each instruction set, for the estimators on it, and a row of the
# table of problems, in whose unit are its options and exact answers.
option(GALLOP_LABORATORY "Build the laboratory, which compares estimators with exact gradients"
       ${PROJECT_IS_TOP_LEVEL})
set(GALLOP_PROBLEMS "" CACHE STRING
    "The laboratory's problems that are built, by their files' names, as in mdp;lqr (default: all)")

# gallop_filter_laboratory(<sources>): without the laboratory, a list of sources keeps what answers that
# it was left out, and loses what compares estimators; with it the other way round.
function(gallop_filter_laboratory sources)
  if(GALLOP_LABORATORY)
    list(FILTER ${sources} EXCLUDE REGEX "/estimators_left_out\\.cpp$")
  else()
    list(FILTER ${sources} EXCLUDE REGEX "/laboratory/(baselines|comparison|report|horizon|horizon_report|outline|outline_map|outline_report|outline_text)\\.cpp$|/program/((estimators|horizon|outline)_command|measurement)\\.cpp$")
  endif()
  set(${sources} ${${sources}} PARENT_SCOPE)
endfunction()

# gallop_add_laboratory(<target>): compiles the problems into the target, or their names alone.
function(gallop_add_laboratory target)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/laboratory/problems/*.h)
  set(folder ${PROJECT_BINARY_DIR}/generated/problems)
  foreach(header IN LISTS headers)
    cmake_path(GET header FILENAME name)
    file(STRINGS ${header} lines REGEX " kName = \"")
    cmake_path(GET header STEM stem)
    if(NOT GALLOP_LABORATORY OR (GALLOP_PROBLEMS AND NOT stem IN_LIST GALLOP_PROBLEMS))
      list(TRANSFORM lines REPLACE "^[^\"]*(\"[^\"]*\").*$" "\\1,")
      list(APPEND names ${lines})
      continue()
    endif()
    string(APPEND includes "#include <gallop/host/laboratory/problems/${name}>\n")
    gallop_markers(types ${header} GALLOP_PROBLEM)
    foreach(type IN LISTS types)
      set(function gallop_laboratory_${type})
      string(APPEND rows "\n      descriptor_of<${type}>(GALLOP_ISA_FUNCTIONS(${function})),")
      foreach(isa IN LISTS GALLOP_ISAS)
        string(APPEND declarations
               "extern \"C\" const gallop::LaboratoryKernels* ${function}_isa_${isa}();\n")
        gallop_write(${folder}/${type}_${isa}.cpp "#include <gallop/host/laboratory/problems/${name}>

#include <gallop/host/laboratory/estimators/rows.h>

GALLOP_INSTANTIATE_PROBLEM(${type})
")
        list(APPEND units_${isa} ${folder}/${type}_${isa}.cpp)
      endforeach()
    endforeach()
  endforeach()
  target_sources(${target} PRIVATE ${folder}/problems.cpp)
  list(REMOVE_DUPLICATES names)  # a problem's environment may have its name
  string(JOIN " " names ${names})
  if(NOT GALLOP_LABORATORY)
    gallop_write(${folder}/problems.cpp "#include <gallop/host/laboratory/problem.h>

std::span<const gallop::LaboratoryDescriptor> gallop::laboratory_problems() { return {}; }
std::vector<std::string> gallop::unbuilt_problems() { return {${names}}; }
")
    return()
  endif()
  gallop_write(${folder}/problems.cpp "#include <gallop_isas.h>

${includes}
${declarations}
std::span<const gallop::LaboratoryDescriptor> gallop::laboratory_problems() {
  static constexpr LaboratoryDescriptor kAll[] = {${rows}};
  return kAll;
}
std::vector<std::string> gallop::unbuilt_problems() { return {${names}}; }
")
  # Answers are not what a run waits for: at -O1 they compile in half the time.
  set_source_files_properties(${folder}/problems.cpp PROPERTIES COMPILE_OPTIONS
                              "${GALLOP_ISA_OPTIONS};$<$<CONFIG:Release>:-O1>")
  foreach(isa IN LISTS GALLOP_ISAS)
    gallop_add_isa_objects(gallop_laboratory_isa_${isa} ${isa} ${units_${isa}})
    gallop_own_code(gallop_laboratory_isa_${isa})
    # A step is random numbers above all. Where loops over their few components are unrolled whatever
    # they hold, and constants stay within the loop over steps, in which all do not fit registers, a path
    # takes 25 % less time for one component and 40 % less for three (GCC 12, AVX2).
    target_compile_options(gallop_laboratory_isa_${isa} PRIVATE
      "$<$<CXX_COMPILER_ID:GNU>:-fno-gcse;-fschedule-insns;-fsched-pressure>"
      "$<$<CXX_COMPILER_ID:GNU>:SHELL:--param max-completely-peeled-insns=2000>")
    target_link_libraries(gallop_laboratory_isa_${isa} PRIVATE Eigen3::Eigen ${gallop_fmt})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:gallop_laboratory_isa_${isa}>)
  endforeach()
endfunction()
