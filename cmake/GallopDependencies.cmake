# Third-party libraries, none of them in Gallop's public headers: those of the distribution, else the
# headers in third_party/.
option(GALLOP_THIRD_PARTY "Take fmt, nlohmann-json, toml++ and CLI11 from third_party/" OFF)
set(third_party ${PROJECT_SOURCE_DIR}/third_party)
find_package(Threads REQUIRED)
if(NOT GALLOP_THIRD_PARTY)
  find_package(fmt QUIET)
  find_package(nlohmann_json QUIET)
  find_package(CLI11 QUIET)
  find_path(GALLOP_TOML_INCLUDE_DIR toml++/toml.h)
endif()

# _gallop_headers(<target> <folder>): a library of headers alone, unless the system has it.
function(_gallop_headers target folder)
  if(NOT TARGET ${target})
    add_library(${target} INTERFACE IMPORTED)
    target_include_directories(${target} SYSTEM INTERFACE ${third_party}/${folder}/include)
  endif()
endfunction()
_gallop_headers(nlohmann_json::nlohmann_json nlohmann-json)
_gallop_headers(CLI11::CLI11 CLI11)
if(NOT GALLOP_TOML_INCLUDE_DIR)
  set(GALLOP_TOML_INCLUDE_DIR ${third_party}/tomlplusplus/include)
endif()

# fmt is the one that is linked; header-only it costs 3 s more for each file that includes it. What
# leaves this machine, the Python package, has it inside. FMT_SHARED is how Debian has it compiled: the
# same objects serve both.
if(NOT TARGET fmt::fmt OR GALLOP_PYTHON)
  add_library(gallop_fmt STATIC ${third_party}/fmt/format.cpp)
  target_compile_definitions(gallop_fmt PUBLIC FMT_SHARED PRIVATE FMT_EXPORT)
  target_compile_features(gallop_fmt PUBLIC cxx_std_20)
  if(TARGET fmt::fmt)
    target_include_directories(gallop_fmt SYSTEM PUBLIC
                               $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  else()
    target_include_directories(gallop_fmt SYSTEM PUBLIC ${third_party}/fmt/include)
  endif()
  set(gallop_fmt gallop_fmt)
else()
  set(gallop_fmt fmt::fmt)
endif()

# Eigen: of the system, or of the package cmeel-eigen of Python.
find_package(Eigen3 QUIET NO_MODULE)
if(NOT TARGET Eigen3::Eigen)
  find_package(Python 3.10 QUIET COMPONENTS Interpreter)
  if(Python_EXECUTABLE)
    execute_process(COMMAND ${Python_EXECUTABLE} -c "import os, sys
for path in sys.path:
    folder = os.path.join(path, 'cmeel.prefix', 'include', 'eigen3')
    if os.path.isdir(folder):
        print(folder)
        break" OUTPUT_VARIABLE eigen_folder OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(NOT eigen_folder)
    message(FATAL_ERROR "Eigen was not found: apt-get install libeigen3-dev (or pip install cmeel-eigen)")
  endif()
  add_library(Eigen3::Eigen INTERFACE IMPORTED)
  target_include_directories(Eigen3::Eigen SYSTEM INTERFACE ${eigen_folder})
endif()

add_library(gallop_private_dependencies INTERFACE)
target_link_libraries(gallop_private_dependencies INTERFACE
  ${gallop_fmt} nlohmann_json::nlohmann_json CLI11::CLI11 Eigen3::Eigen)
target_include_directories(gallop_private_dependencies SYSTEM INTERFACE ${GALLOP_TOML_INCLUDE_DIR})

# gallop_own_code(<target>): warnings for code of this project, never imposed on its users.
# GCC 12 sees an overlapping copy in every "text" + std::string (GCC bug 105651), and on the host side
# of a .cu file it does not know `#pragma unroll`.
function(gallop_own_code target)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -fno-semantic-interposition>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
    $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas>
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${GALLOP_WERROR}>>:-Werror>
    $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${GALLOP_WERROR}>>:-Werror=all-warnings>)
endfunction()

# gallop_precompile(<target> <header>...|REUSE_FROM <target>): parses once what nearly all sources include
# of the standard library and fmt, and these headers, which takes a third of a source's time. No source
# relies on it: builds whose warnings are errors go without, since GCC 12 forgets in precompiled headers
# that they are others' and warns of them. With ccache it needs
# CCACHE_SLOPPINESS=pch_defines,time_macros.
function(gallop_precompile target)
  if(GALLOP_WERROR)
    return()
  endif()
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-stringop-overflow>)
  # Builds with GALLOP_WERROR check format strings while they compile, which takes an eighth of the time.
  target_compile_definitions(${target} PRIVATE FMT_CONSTEVAL=)
  if("${ARGV1}" STREQUAL REUSE_FROM)
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <cmath> <cstdint> <cstdio> <cstring> <functional> <limits> <map> <memory> <optional>
    <span> <string> <string_view> <utility> <vector> <fmt/format.h> ${ARGN})
endfunction()
