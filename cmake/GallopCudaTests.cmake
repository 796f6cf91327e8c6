# The CUDA kernels without a GPU: the units that nvcc compiles, compiled once more as C++ for the
# executor of CUDA blocks (tests/executor). The namespace is their own, so that AVX2 and FMA, without
# which every fused multiply-add is a call of libm, stay out of everything else.
set(folder ${PROJECT_BINARY_DIR}/generated/executor)
set(units ${folder}/kernels.cpp)
gallop_write(${folder}/kernels.cpp "#include \"tests/executor/cuda_executor.h\"

#include <gallop/kernels/tables/cuda_kernel_table.cu>
")
set(declarations "")
set(rows "")
gallop_simulation_types(types headers)
foreach(type name IN ZIP_LISTS types headers)
  gallop_write(${folder}/${type}.cpp "#include \"tests/executor/cuda_executor.h\"

#include <gallop/sims/${name}>

#include <gallop/kernels/tables/cuda_environment_table_impl.cuh>

GALLOP_INSTANTIATE_CUDA(${type})
")
  list(APPEND units ${folder}/${type}.cpp)
  string(APPEND declarations
    "extern \"C\" const gallop::CudaEnvironmentTable* gallop_environment_${type}_executor();\n")
  string(APPEND rows "    {\"${type}\", &gallop_environment_${type}_executor},\n")
endforeach()
gallop_write(${folder}/environments.cpp "#include \"tests/cuda/executor_tables.h\"

${declarations}
namespace gallop::testing {
const ExecutorEnvironment kExecutorEnvironments[] = {
${rows}};
const int kNumExecutorEnvironments =
    sizeof(kExecutorEnvironments) / sizeof(kExecutorEnvironments[0]);
}  // namespace gallop::testing
")
add_library(gallop_cuda_executor STATIC ${units} ${folder}/environments.cpp)
target_compile_definitions(gallop_cuda_executor PRIVATE GALLOP_ISA=isa_executor GALLOP_FORCE_LANES=1)
# At -O1 it compiles in two fifths of the time.
target_compile_options(gallop_cuda_executor PRIVATE -mavx2 -mfma ${GALLOP_ISA_OPTIONS}
                                                    $<$<CONFIG:Release>:-O1>)
target_include_directories(gallop_cuda_executor PUBLIC ${PROJECT_SOURCE_DIR})
# The executor itself stands among the test programs' support.
target_link_libraries(gallop_cuda_executor PRIVATE gallop_headers Boost::context
                                           INTERFACE $<LINK_ONLY:gallop_test_support>)


# gallop_add_gpu_test(): the programs of scripts/gpu_check.sh, which need a device and so are no tests
# of CTest: the tests of tests/cuda on it, comparisons of bits of runs and of functions, times of a trust
# region, planted errors.
function(gallop_add_gpu_test)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cuda/*_test.cpp)
  add_executable(gallop_gpu_test ${sources} ${PROJECT_SOURCE_DIR}/tests/test_main.cpp)
  gallop_own_code(gallop_gpu_test)
  target_include_directories(gallop_gpu_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(gallop_gpu_test PRIVATE GALLOP_GPU_TEST=1
    GALLOP_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}" GALLOP_TEST_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_link_libraries(gallop_gpu_test PRIVATE gallop gallop_private_dependencies GTest::gtest
                                                gallop_test_support)
  foreach(program bits trust_region)
    add_executable(gallop_gpu_${program}
                   ${PROJECT_SOURCE_DIR}/tests/gpu/programs/gpu_${program}.cpp)
    gallop_own_code(gallop_gpu_${program})
    target_link_libraries(gallop_gpu_${program} PRIVATE gallop gallop_private_dependencies
                                                        gallop_test_support)
  endforeach()
  # They are carried to a machine without the executor's library.
  foreach(program gallop_gpu_test gallop_gpu_bits gallop_gpu_trust_region)
    target_link_options(${program} PRIVATE -Wl,--as-needed)
  endforeach()
  add_executable(gallop_gpu_planted ${PROJECT_SOURCE_DIR}/tests/gpu/programs/planted_errors.cu)
  gallop_own_code(gallop_gpu_planted)
  set_target_properties(gallop_gpu_planted PROPERTIES CUDA_RUNTIME_LIBRARY Static)
  add_executable(gallop_gpu_math ${PROJECT_SOURCE_DIR}/tests/gpu/programs/gpu_math.cu)
  gallop_own_code(gallop_gpu_math)
  target_include_directories(gallop_gpu_math PRIVATE ${PROJECT_SOURCE_DIR})
  gallop_use_cuda(gallop_gpu_math)
  # The host's side of it: a call for each fused multiply-add otherwise.
  target_compile_options(gallop_gpu_math PRIVATE -Xcompiler=-mavx2,-mfma)
  target_link_libraries(gallop_gpu_math PRIVATE gallop_headers Threads::Threads)
  set_property(GLOBAL APPEND PROPERTY GALLOP_TEST_PROGRAMS
    gallop_gpu_test gallop_gpu_bits gallop_gpu_trust_region gallop_gpu_planted gallop_gpu_math)
endfunction()
