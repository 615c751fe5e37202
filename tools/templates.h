// The files of tools/templates, which are part of the program: `new` works wherever the program was put.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pushforward {

struct TemplateFile {
  std::string_view path;  // `transformer/component.cpp`
  std::string_view text;
};

/// Sorted by path. The folder `common` belongs to every kind, each other one to the kind of its name.
std::span<const TemplateFile> template_files();
/// Kinds that have templates.
std::vector<std::string> template_kinds();

}  // namespace pushforward
