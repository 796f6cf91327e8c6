# Instruction sets and CUDA: the same source is compiled once for each, in its own inline namespace, and
# chosen at start by processor features. Installed, because a user's environments need it too.
include_guard()
cmake_policy(VERSION 3.25)  # of this file, which is also run as a script

set(GALLOP_ALL_ISAS v3 v4)
set(GALLOP_ISAS "${GALLOP_ALL_ISAS}" CACHE STRING "Instruction sets to build kernels for, a list")
set(GALLOP_ISA_FLAGS_v3 -mavx2 -mfma -mbmi -mbmi2 -mf16c -mlzcnt)
set(GALLOP_ISA_FLAGS_v4 ${GALLOP_ISA_FLAGS_v3} -mavx512f -mavx512bw -mavx512cd -mavx512dq
    -mavx512vl -mprefer-vector-width=512)
if(NOT GALLOP_ISAS)
  message(FATAL_ERROR "GALLOP_ISAS is empty; expected some of: ${GALLOP_ALL_ISAS}")
endif()
foreach(isa IN LISTS GALLOP_ISAS)
  if(NOT isa IN_LIST GALLOP_ALL_ISAS)
    message(FATAL_ERROR "GALLOP_ISAS is '${GALLOP_ISAS}'; expected some of: ${GALLOP_ALL_ISAS}")
  endif()
endforeach()

# Single transitions, in float and in double, are compiled once, for the least that every processor
# has. They are looked at, not waited for.
set(GALLOP_ISA_FLAGS_single ${GALLOP_ISA_FLAGS_v3} $<$<CONFIG:Release>:-O1>)

# A fused multiply-add is written as fmadd() and nowhere invented by the compiler: with contraction
# on, compilers give different bits.
set(GALLOP_NUMERIC_FLAGS -ffp-contract=off)
set(GALLOP_CUDA_NUMERIC_FLAGS --fmad=false -Xcompiler=-ffp-contract=off)

if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  message(FATAL_ERROR "Gallop's vector code is for x86-64; this is ${CMAKE_SYSTEM_PROCESSOR}")
endif()

# Warnings that vector code cannot heed: vectors are passed by value between functions of the same
# unit only (psabi), and GCC 12 takes the deliberate self-initialisation inside its own AVX-512
# intrinsics for a fault (GCC bug 105593). At -O0 the inlined copies of an articulated body, which no
# pass simplifies, take 15 GB of the compiler's memory. Masks are joined by & and |, which for one
# instance are those of bools; clang suspects a mistake.
set(GALLOP_ISA_OPTIONS -Wno-psabi $<$<CONFIG:Debug>:-Og>
    $<$<AND:$<CXX_COMPILER_ID:Clang>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,14>>:-Wno-bitwise-instead-of-logical>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>)

# Articulated bodies are stepped by long loops, out of which GCC 12 moves constants and addresses
# until the registers no longer hold them. Kept inside and scheduled by need, a humanoid's step takes
# 9 % less time with AVX-512, a hopper's 6 %, and none takes longer; the copies of short rows become
# calls otherwise.
set(GALLOP_BODIES_OPTIONS "$<$<CXX_COMPILER_ID:GNU>:-fno-ivopts;-fno-gcse;-fno-tree-loop-im;\
-fno-tree-loop-distribute-patterns;-fschedule-insns;-fsched-pressure>")

# gallop_add_isa_objects(<target> <isa> <source>...): an object library for one instruction set.
function(gallop_add_isa_objects target isa)
  add_library(${target} OBJECT ${ARGN})
  target_compile_options(${target} PRIVATE ${GALLOP_ISA_FLAGS_${isa}} ${GALLOP_ISA_OPTIONS}
                                           $<$<STREQUAL:$<CONFIG>,>:-O3>)  # no build type at all
  target_compile_definitions(${target} PRIVATE GALLOP_ISA=isa_${isa})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  target_link_libraries(${target} PRIVATE gallop::headers)
endfunction()

# gallop_use_cuda(<target>): .cu files of this target are kernels, linked with the static runtime
# (found by find_package(CUDAToolkit)).
function(gallop_use_cuda target)
  foreach(flags CMAKE_CUDA_FLAGS CMAKE_CUDA_FLAGS_RELEASE CMAKE_CUDA_FLAGS_${CMAKE_BUILD_TYPE})
    string(TOUPPER ${flags} flags)
    if("${${flags}}" MATCHES "fast_math|ftz=true|prec-(div|sqrt)=false|fmad=true")
      message(FATAL_ERROR "${target}: Gallop promises bits, which ${CMAKE_MATCH_0} in ${flags} "
                          "(\"${${flags}}\") changes; remove it")
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES CUDA_RUNTIME_LIBRARY Static)
  target_compile_definitions(${target} PUBLIC GALLOP_HAVE_CUDA=1)
  target_compile_definitions(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:GALLOP_ISA=isa_cuda>)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -lineinfo>)
  target_link_libraries(${target} PUBLIC CUDA::cudart_static)
endfunction()
