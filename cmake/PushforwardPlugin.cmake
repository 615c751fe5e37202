# pushforward_add_plugin(NAME SOURCE... [FOLDER dir] [LIBRARIES lib...]): builds a plugin the way the toolkit loads it.
#
# A MODULE `NAME.so` with hidden visibility and a linker script that exports the one entry symbol, no undefined symbols,
# never unloaded, linked to core and, if they must be, to LIBRARIES. It is written to FOLDER, by default
# lib/pushforward/plugins of the build folder. Used for the toolkit's own plugins and for third parties', for which it
# compiles for the CPU that the toolkit was built for (PUSHFORWARD_ARCH).
set(PUSHFORWARD_PLUGIN_EXPORTS ${CMAKE_CURRENT_LIST_DIR}/plugin_exports.map CACHE INTERNAL "")

function(pushforward_add_plugin name)
  cmake_parse_arguments(ARG "" "FOLDER" "LIBRARIES" ${ARGN})
  if(NOT ARG_FOLDER)
    set(ARG_FOLDER ${CMAKE_BINARY_DIR}/lib/pushforward/plugins)
  endif()
  set(target pushforward_plugin_${name})
  add_library(${target} MODULE ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE pushforward::core ${ARG_LIBRARIES})
  if(TARGET pushforward_options)
    target_link_libraries(${target} PRIVATE pushforward_options)
  else()
    # As the toolkit's own: SIMD for the same CPU, and no state of floating point that a kernel would have to keep.
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-psabi -fno-math-errno -fno-trapping-math
      $<$<BOOL:${PUSHFORWARD_ARCH}>:-march=${PUSHFORWARD_ARCH}>)
  endif()
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name}
    PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY ${ARG_FOLDER}
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  if(NOT PUSHFORWARD_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,--no-undefined)
  endif()
  target_link_options(${target} PRIVATE
    -Wl,-z,nodelete -Wl,--version-script=${PUSHFORWARD_PLUGIN_EXPORTS})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${PUSHFORWARD_PLUGIN_EXPORTS})
endfunction()
