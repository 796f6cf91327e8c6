# Optional CUDA: sets GALLOP_HAVE_CUDA and prepares nvcc.
set(GALLOP_CUDA_ARCHITECTURES "" CACHE STRING
    "Compute capabilities of the CUDA kernels: all, native or a list such as 80;90; empty: those of this machine's GPU, else 90")
set(GALLOP_HAVE_CUDA OFF)

# Chooses CMAKE_CUDA_ARCHITECTURES, unless it is given or the environment has CUDAARCHS. Of `all`, the
# last one is also kept as PTX, which drivers compile for what comes after it.
macro(_gallop_choose_architectures)
  if(DEFINED CMAKE_CUDA_ARCHITECTURES)
  elseif(GALLOP_CUDA_ARCHITECTURES STREQUAL "all")
    set(CMAKE_CUDA_ARCHITECTURES 80-real 86-real 89-real 90-real 100-real 120)
  elseif(NOT GALLOP_CUDA_ARCHITECTURES STREQUAL "")
    set(CMAKE_CUDA_ARCHITECTURES ${GALLOP_CUDA_ARCHITECTURES})
  elseif(NOT "$ENV{CUDAARCHS}" STREQUAL "")
  elseif(EXISTS /dev/nvidia0)
    set(CMAKE_CUDA_ARCHITECTURES native)
  else()
    set(CMAKE_CUDA_ARCHITECTURES 90)
  endif()
endmacro()

# Kernels take tensor cores with TF32 and bfloat16, which older devices do not have.
function(_gallop_check_architectures)
  foreach(architecture IN LISTS CMAKE_CUDA_ARCHITECTURES)
    if(architecture MATCHES "^(all|all-major)$" OR
       (architecture MATCHES "^([0-9]+)" AND CMAKE_MATCH_1 LESS 80))
      message(FATAL_ERROR "CMAKE_CUDA_ARCHITECTURES has ${architecture}; the kernels need compute "
                          "capability 8.0. For all from there on use -DGALLOP_CUDA_ARCHITECTURES=all")
    endif()
  endforeach()
endfunction()

# A compiler alone is no reason to build kernels for half an hour: AUTO asks for a device too (the
# last name is that of WSL).
set(wants_cuda ${GALLOP_CUDA})
if(GALLOP_CUDA STREQUAL "AUTO" AND NOT EXISTS /dev/nvidia0 AND NOT EXISTS /dev/dxg)
  set(wants_cuda OFF)
endif()
if(wants_cuda)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    _gallop_choose_architectures()
    enable_language(CUDA)
    if(CMAKE_CUDA_ARCHITECTURES STREQUAL "native" AND "${CMAKE_CUDA_ARCHITECTURES_NATIVE}" STREQUAL "")
      message(WARNING "The GPU of this machine does not tell its compute capability: the CUDA "
                      "kernels are compiled for 9.0; use -DGALLOP_CUDA_ARCHITECTURES=... for another")
      set(CMAKE_CUDA_ARCHITECTURES 90)
    endif()
    _gallop_check_architectures()
    find_package(CUDAToolkit REQUIRED)
    # CMake 3.25 does not know that nvcc has C++20.
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(CMAKE_CUDA_EXTENSIONS OFF)
    set(GALLOP_HAVE_CUDA ON)
  elseif(GALLOP_CUDA STREQUAL "ON")
    message(FATAL_ERROR "GALLOP_CUDA=ON, but no CUDA compiler was found: put nvcc on PATH, "
                        "set CUDACXX, or use GALLOP_CUDA=OFF")
  endif()
endif()
message(STATUS "CUDA backend: ${GALLOP_HAVE_CUDA}, compute capabilities: ${CMAKE_CUDA_ARCHITECTURES}")
