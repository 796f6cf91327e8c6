# gallop_embed(<header> <file>...): writes a header that holds the text of each file as a
# std::string_view: page.css as kPageCss. The build follows when a file changes.
function(gallop_embed header)
  set(text "// Written by the build; see cmake/GallopAssets.cmake.
#pragma once

#include <string_view>

namespace gallop {
")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    cmake_path(GET file FILENAME name)
    string(REGEX MATCHALL "[A-Za-z0-9]+" words "${name}")
    set(constant k)
    foreach(word IN LISTS words)
      string(SUBSTRING "${word}" 0 1 first)
      string(SUBSTRING "${word}" 1 -1 rest)
      string(TOUPPER "${first}" first)
      string(APPEND constant "${first}${rest}")
    endforeach()
    file(READ ${file} content)
    string(APPEND text "inline constexpr std::string_view ${constant} = R\"gallop(${content})gallop\";\n")
  endforeach()
  string(APPEND text "}  // namespace gallop\n")
  gallop_write(${header} "${text}")
endfunction()
