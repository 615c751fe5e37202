# Writes the files of this folder into a C++ source, as text.
#
#   cmake -D OUTPUT=FILE -P embed.cmake
file(GLOB_RECURSE files RELATIVE ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_LIST_DIR}/*/*)
list(SORT files)
set(source "// Made from tools/templates by embed.cmake; changes belong there.\n#include \"templates.h\"\n\n")
string(APPEND source "namespace pushforward {\n\nnamespace {\n\nconstexpr TemplateFile kFiles[] = {\n")
foreach(file IN LISTS files)
  file(READ ${CMAKE_CURRENT_LIST_DIR}/${file} text)
  string(APPEND source "    {\"${file}\", R\"TEMPLATE(${text})TEMPLATE\"},\n")
endforeach()
string(APPEND source "};\n\n}  // namespace\n\n")
string(APPEND source "std::span<const TemplateFile> template_files() { return kFiles; }\n\n}  // namespace pushforward\n")
file(WRITE ${OUTPUT} "${source}")
