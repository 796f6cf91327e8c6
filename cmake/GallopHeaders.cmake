# gallop_public_headers(<out>): the public headers, by their paths in the source tree: what a program may
# name, as docs/embedding.md lists it, and what the units of its environments include. They are
# installed with all that they include in turn, which may change.
function(gallop_public_headers out)
  set(public_headers
      host/error.h
      host/runtime/backend.h host/runtime/environments.h
      host/registry/registry.h host/registry/plugin.h host/options/option.h
      host/files/safetensors.h host/files/tensor_file.h
      host/learning/algorithm.h host/learning/evaluate.h
      host/learning/black_box.h host/learning/optimize.h host/learning/test_function.h
      host/graphs/graph.h host/graphs/graph_estimator.h host/graphs/dot.h
      host/training/run_folder.h host/training/run_options.h host/training/train.h
      host/rendering/episode.h host/rendering/film.h host/rendering/film_file.h
      kernels/environment/contract.h
      kernels/tables/environment_table_impl.h kernels/tables/transition_table_impl.h
      kernels/tables/cuda_environment_table_impl.cuh)
  file(GLOB_RECURSE sims CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/sims/*.h)
  set(found ${public_headers} ${sims})
  set(headers "")
  while(found)
    list(POP_FRONT found header)
    if(NOT header IN_LIST headers)
      list(APPEND headers ${header})
      file(STRINGS ${PROJECT_SOURCE_DIR}/${header} includes REGEX "^#include <gallop/[^>]*>")
      list(TRANSFORM includes REPLACE "^#include <gallop/([^>]*)>.*$" "\\1")
      list(APPEND found ${includes})
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                   ${PROJECT_SOURCE_DIR}/${header})
    endif()
  endwhile()
  set(${out} ${headers} PARENT_SCOPE)
endfunction()
