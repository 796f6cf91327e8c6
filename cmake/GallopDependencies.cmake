# Third-party libraries, all from the distribution, none of them in Gallop's public headers.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_path(GALLOP_TOML_INCLUDE_DIR toml++/toml.h REQUIRED)

# fmt is the one that is linked; header-only it costs 3 s more for each file that includes it.
add_library(gallop_private_dependencies INTERFACE)
target_link_libraries(gallop_private_dependencies INTERFACE
  fmt::fmt nlohmann_json::nlohmann_json CLI11::CLI11 Eigen3::Eigen)
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
  if("${ARGV1}" STREQUAL REUSE_FROM)
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <cmath> <cstdint> <cstdio> <cstring> <functional> <limits> <map> <memory> <optional>
    <span> <string> <string_view> <utility> <vector> <fmt/format.h> ${ARGN})
endfunction()
