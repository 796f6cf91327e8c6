# The campaign against the program's promises, which scripts/campaign.sh runs: its parts in one
# program, the program itself with faults on request, and with GALLOP_LIBFUZZER the same fuzz targets
# for libFuzzer, which clang brings along.
option(GALLOP_LIBFUZZER "Build tests/campaign for libFuzzer (clang, -fsanitize=fuzzer-no-link)" OFF)

set(folder ${PROJECT_SOURCE_DIR}/tests/campaign)
set(memory_source ${folder}/failing_memory.cpp)  # replaces operator new where it is linked
file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp ${folder}/targets/*.cpp)
list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/(main|libfuzzer_main|failing_memory)\\.cpp$")
set(main_source ${PROJECT_SOURCE_DIR}/host/program/main.cpp)

add_library(gallop_campaign_parts STATIC EXCLUDE_FROM_ALL ${sources})
target_link_libraries(gallop_campaign_parts PUBLIC gallop_commands)

add_library(gallop_faulty_main OBJECT EXCLUDE_FROM_ALL ${main_source})
target_compile_definitions(gallop_faulty_main PRIVATE main=gallop_main)
target_link_libraries(gallop_faulty_main PRIVATE gallop_commands)
add_executable(gallop_faulty EXCLUDE_FROM_ALL
               ${folder}/faulty/main.cpp ${memory_source} $<TARGET_OBJECTS:gallop_faulty_main>)
target_link_libraries(gallop_faulty PRIVATE gallop_commands)

add_executable(gallop_campaign EXCLUDE_FROM_ALL ${folder}/main.cpp ${memory_source})
add_dependencies(gallop_campaign gallop_faulty)
target_link_libraries(gallop_campaign PRIVATE gallop_campaign_parts)
target_compile_definitions(gallop_campaign_parts PRIVATE
  GALLOP_FAULTY_PROGRAM="$<TARGET_FILE:gallop_faulty>")

set(targets gallop_campaign_parts gallop_faulty_main gallop_faulty gallop_campaign)
if(GALLOP_LIBFUZZER)
  add_executable(gallop_libfuzzer EXCLUDE_FROM_ALL ${folder}/libfuzzer_main.cpp)
  target_link_libraries(gallop_libfuzzer PRIVATE gallop_campaign_parts)
  target_link_options(gallop_libfuzzer PRIVATE -fsanitize=fuzzer)
  list(APPEND targets gallop_libfuzzer)
endif()
foreach(target IN LISTS targets)
  gallop_own_code(${target})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
endforeach()
