# Test programs: tests/<folder>/**/*_test.cpp become one program gallop_<folder>_test, run by CTest
# test by test. A file *_isa_test.cpp becomes programs of its own, one for each instruction set
# (scalar and those of GALLOP_ISAS that this processor has), so that no shared inline function is compiled for a wrong processor. Scripts
# tests/**/*_test.sh are tests too; they get the build folder as their argument. Other sources in a
# tests folder are support code, in one library that all test programs link; those of tests/bodies
# make one for the programs that use it, those of tests/campaign programs of their own
# (GallopCampaign.cmake). tests/bits is a program that scripts/check_bits.sh builds in
# many ways.
find_package(GTest REQUIRED)
find_package(Boost REQUIRED COMPONENTS context)
include(GoogleTest)
include(CheckCXXSourceRuns)

set(GALLOP_ISA_FLAGS_scalar "")
check_cxx_source_runs("int main() {
  __builtin_cpu_init();
  return __builtin_cpu_supports(\"avx512f\") && __builtin_cpu_supports(\"avx512dq\") ? 0 : 1;
}" GALLOP_HOST_RUNS_v4)
set(test_isas scalar ${GALLOP_ISAS})
if(NOT GALLOP_HOST_RUNS_v4)
  list(REMOVE_ITEM test_isas v4)
  message(STATUS "This processor has no AVX-512: the v4 test programs are not built")
endif()

file(GLOB support CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*/*.cpp)
list(FILTER support EXCLUDE REGEX "_test\\.cpp$|/tests/(bits|bodies|campaign)/")

# Every environment once more, one instance at a time and without vector instructions: what the
# compiled registers of instances are compared with (tests/sims/environment_tables.h).
set(folder ${PROJECT_BINARY_DIR}/generated/scalar)
set(declarations "")
set(rows "")
gallop_simulation_types(types headers)
foreach(type name IN ZIP_LISTS types headers)
  gallop_write(${folder}/${type}.cpp "#include <gallop/sims/${name}>
#include <gallop/kernels/tables/environment_table_impl.h>

GALLOP_INSTANTIATE_CPU(${type})
")
  list(APPEND support ${folder}/${type}.cpp)
  set_source_files_properties(${folder}/${type}.cpp PROPERTIES
                              COMPILE_OPTIONS "${GALLOP_ISA_OPTIONS};$<$<CONFIG:Release>:-O1>")
  string(APPEND declarations "extern \"C\" const gallop::EnvironmentTable* "
                             "gallop_environment_${type}_isa_scalar();\n")
  string(APPEND rows "    gallop_environment_${type}_isa_scalar,\n")
endforeach()
gallop_write(${folder}/environments.cpp "#include \"tests/sims/environment_tables.h\"

${declarations}
namespace gallop::testing {
const EnvironmentTable* (*const kScalarEnvironments[])() = {
${rows}};
const int kNumScalarEnvironments = sizeof(kScalarEnvironments) / sizeof(kScalarEnvironments[0]);
}  // namespace gallop::testing
")
list(APPEND support ${folder}/environments.cpp)

# The reference of articulated bodies. Without it, its recorded numbers and the conditions that any
# right answer meets are tested all the same.
find_library(GALLOP_MUJOCO_LIBRARY mujoco)
find_path(GALLOP_MUJOCO_INCLUDE mujoco/mujoco.h)
set(have_mujoco OFF)
if(GALLOP_MUJOCO_LIBRARY AND GALLOP_MUJOCO_INCLUDE)
  set(have_mujoco ON)
else()
  message(WARNING "libmujoco-dev was not found: tests/bodies/mujoco_test.cpp is not built")
endif()

include(GallopCudaTests)
if(support)
  # GCC 12 suspects that a generator's second normal is read before it is made.
  set_source_files_properties(
    ${PROJECT_SOURCE_DIR}/tests/learning/scalar_kernels.cpp
    ${PROJECT_SOURCE_DIR}/tests/learning/heads_test.cpp
    ${PROJECT_SOURCE_DIR}/tests/learning/squashed_test.cpp
    ${PROJECT_SOURCE_DIR}/tests/learning/q_policy_gradient_test.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>")
  add_library(gallop_test_support STATIC ${support})
  gallop_own_code(gallop_test_support)
  gallop_precompile(gallop_test_support <gtest/gtest.h>)
  target_compile_definitions(gallop_test_support PRIVATE
    GALLOP_TEST_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_include_directories(gallop_test_support PUBLIC ${PROJECT_SOURCE_DIR}
    PRIVATE ${PROJECT_BINARY_DIR}/generated/include)
  target_link_libraries(gallop_test_support
    PUBLIC gallop_cuda_executor gallop Boost::context GTest::gtest
    PRIVATE gallop_private_dependencies)
endif()

# _gallop_test_program(<name> <isa> <source>...)
function(_gallop_test_program name isa)
  add_executable(${name} ${ARGN} ${PROJECT_SOURCE_DIR}/tests/test_main.cpp)
  gallop_own_code(${name})
  if(NOT isa STREQUAL "")
    target_compile_options(${name} PRIVATE ${GALLOP_ISA_FLAGS_${isa}} ${GALLOP_ISA_OPTIONS})
    target_compile_definitions(${name} PRIVATE GALLOP_ISA=isa_${isa})
  else()  # they call what is measured, and are not: at -O1 they compile in two thirds of the time
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
    gallop_precompile(${name} <gtest/gtest.h>)
  endif()
  target_compile_definitions(${name} PRIVATE
    GALLOP_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}" GALLOP_TEST_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}
                                             ${PROJECT_BINARY_DIR}/generated/include)
  target_link_libraries(${name} PRIVATE gallop gallop_private_dependencies Eigen3::Eigen
    Boost::context GTest::gtest $<TARGET_NAME_IF_EXISTS:gallop_test_support>)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
    TEST_PREFIX "${name}." PROPERTIES TIMEOUT 300)
  set_property(GLOBAL APPEND PROPERTY GALLOP_TEST_PROGRAMS ${name})
endfunction()

file(GLOB folders LIST_DIRECTORIES true CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*)
foreach(folder IN LISTS folders)
  if(NOT IS_DIRECTORY ${folder})
    continue()
  endif()
  cmake_path(GET folder FILENAME name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*_test.cpp)
  file(GLOB_RECURSE scripts CONFIGURE_DEPENDS ${folder}/*_test.sh)
  if(NOT have_mujoco)
    list(FILTER sources EXCLUDE REGEX "/mujoco_[a-z_]*test\\.cpp$")
  endif()
  set(isa_sources ${sources})
  list(FILTER isa_sources INCLUDE REGEX "_isa_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_isa_test\\.cpp$")
  if(sources)
    _gallop_test_program(gallop_${name}_test "" ${sources})
  endif()
  if(isa_sources)
    foreach(isa IN LISTS test_isas)
      _gallop_test_program(gallop_${name}_${isa}_test ${isa} ${isa_sources})
    endforeach()
  endif()
  foreach(script IN LISTS scripts)
    cmake_path(GET script STEM stem)
    add_test(NAME ${name}.${stem} COMMAND bash ${script} ${PROJECT_BINARY_DIR})
    set_tests_properties(${name}.${stem} PROPERTIES TIMEOUT 900)
  endforeach()
endforeach()
if(GALLOP_HAVE_CUDA)
  gallop_add_gpu_test()
endif()
# A stand-in of the CUDA runtime for the sources that call it.
set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/runtime/cuda_device_test.cpp PROPERTIES
                            INCLUDE_DIRECTORIES ${PROJECT_SOURCE_DIR}/tests/runtime/stand_in)
# The CUDA kernels once more with memory that holds a poison until it is written.
set(measurements "TrustRegionBench.*:BitsTable.*:FastRollout.ReturnsHave*")
if(TARGET gallop_cuda_test)
  gtest_discover_tests(gallop_cuda_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
    TEST_PREFIX "gallop_cuda_test.poison." TEST_LIST gallop_cuda_poison_tests
    TEST_FILTER "-${measurements}"
    PROPERTIES TIMEOUT 300 ENVIRONMENT GALLOP_DEVICE_MEMORY=poison)
  # And as on devices with less shared memory (163 and 99 KB a block) than sm_90; whole trainings call
  # kernels that have tests of their own. All of it: GALLOP_EXECUTOR_DEVICE=sm_86 gallop_cuda_test.
  set(also_of_sm_80 ":Registry/EveryEnvironment*")  # no kernel of theirs takes more than 99 KB
  foreach(device sm_80 sm_86)
    gtest_discover_tests(gallop_cuda_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
      TEST_PREFIX "gallop_cuda_test.${device}." TEST_LIST gallop_cuda_${device}_tests
      TEST_FILTER "-${measurements}:Registry/Training*:TrainingVariants.*${also_of_${device}}"
      PROPERTIES TIMEOUT 300 ENVIRONMENT GALLOP_EXECUTOR_DEVICE=${device})
  endforeach()
endif()

# The engine in double, which takes long to compile, is a library of the programs that use it.
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/bodies/*_engine.cpp)
add_library(gallop_test_bodies STATIC ${sources})
gallop_own_code(gallop_test_bodies)
target_compile_options(gallop_test_bodies PRIVATE ${GALLOP_ISA_OPTIONS} $<$<CONFIG:Release>:-O1>)
target_include_directories(gallop_test_bodies PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(gallop_test_bodies PRIVATE gallop_headers)
foreach(program gallop_bodies_test gallop_rendering_test)
  if(TARGET ${program})
    target_link_libraries(${program} PRIVATE gallop_test_bodies)
  endif()
endforeach()
if(TARGET gallop_bodies_test)  # see GALLOP_ISA_OPTIONS
  target_compile_options(gallop_bodies_test PRIVATE $<$<CONFIG:Debug>:-Og>)
endif()
foreach(isa IN LISTS test_isas)  # three models in lanes and one at a time: at -O3 a minute
  if(TARGET gallop_bodies_${isa}_test)
    target_compile_options(gallop_bodies_${isa}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
endforeach()
if(TARGET gallop_campaign_test)
  target_sources(gallop_campaign_test PRIVATE ${PROJECT_SOURCE_DIR}/tests/campaign/memory_files.cpp)
endif()
if(TARGET gallop_c_api_test)  # beside the library itself, whose bits it has to have
  target_link_libraries(gallop_c_api_test PRIVATE gallop_c)
endif()
if(TARGET gallop_bench_test)
  target_link_libraries(gallop_bench_test PRIVATE gallop_bench)
endif()
if(have_mujoco AND TARGET gallop_bodies_test)
  target_link_libraries(gallop_bodies_test PRIVATE ${GALLOP_MUJOCO_LIBRARY})
  target_include_directories(gallop_bodies_test PRIVATE ${GALLOP_MUJOCO_INCLUDE})
endif()

include(GallopCampaign)

get_property(programs GLOBAL PROPERTY GALLOP_TEST_PROGRAMS)
add_custom_target(gallop_tests DEPENDS ${programs} gallop_program gallop_bench_program gallop_c)
