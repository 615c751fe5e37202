// document: pages in Markdown about every component and every section of a spec, made from the tables that the program
// itself reads.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "command.h"
#include "components.h"
#include "field_tables.h"
#include "io/atomic_file.h"
#include "io/file_error.h"
#include "number_format.h"
#include "program.h"

namespace pushforward {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHead =
    "<!-- Made by `pushforward document` from the components' own tables; changes belong there. -->\n";

/// A cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|')
      out += "\\|";
    else if (c == '\n')
      out += "<br>";
    else
      out += c;
  }
  return out;
}

std::string fields_table(std::span<const Slot> slots) {
  std::string text = "| field | type | default | range | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const FieldRow& row : field_rows(slots))
    text += fmt::format(
        "| `{}` | {} | {} | {} | {} |\n", row.name, cell(row.type),
        row.fallback == "required" || row.fallback == "none" ? row.fallback : fmt::format("`{}`", cell(row.fallback)),
        cell(row.range), cell(row.meaning));
  return text;
}

/// As items of a list, which is how components most often stand in a spec.
std::string examples(const ComponentInfo& info) {
  std::string text;
  for (std::size_t i = 0; i < info.example_count; ++i) {
    std::istringstream lines(info.examples[i].yaml);
    const char* before = "- ";
    for (std::string line; std::getline(lines, line); before = "  ") text += before + line + "\n";
  }
  return text.empty()
             ? text
             : fmt::format("## Examples\n\nThe conformance kit checks each of them.\n\n```yaml\n{}```\n", text);
}

std::string page_name(const ComponentInfo& info) { return fmt::format("{}/{}.md", info.kind, info.name); }

/// A picture of the component, where one was drawn, lies in `pictures/` beside the pages.
std::string picture(const ComponentInfo& info, const fs::path& folder) {
  const std::string name = fmt::format("pictures/{}_{}.png", info.kind, info.name);
  return fs::exists(folder / name) ? fmt::format("![{}](../{})\n\n", info.name, name) : std::string();
}

std::string component_page(const RegisteredComponent& component, const fs::path& folder) {
  const ComponentInfo& info = *component.info;
  std::string text = fmt::format("{}\n# {} `{}`\n\n{}.\n\n", kHead, info.kind, info.name, info.summary);
  text += picture(info, folder);
  if (const std::string documentation = documentation_of(info); !documentation.empty()) text += documentation + "\n\n";
  text += "## Fields\n\n" + (info.field_count ? fields_table(fields_of(info)) : std::string("None.\n")) + "\n";
  return text + examples(info);
}

std::string index_page(const std::vector<const RegisteredComponent*>& components) {
  std::string text = fmt::format(
      "{}\n# Components\n\nWhat a spec can name: {}. `pushforward describe NAME` says the "
      "same as these pages, of plugins of your own, too.\n",
      kHead, counted(static_cast<std::int64_t>(components.size()), "component"));
  std::string kind;
  for (const RegisteredComponent* component : components) {
    const ComponentInfo& info = *component->info;
    if (kind != info.kind) text += fmt::format("\n## {}\n\n| name | what it is |\n| --- | --- |\n", info.kind);
    kind = info.kind;
    text += fmt::format("| [{}]({}) | {} |\n", info.name, page_name(info), cell(info.summary));
  }
  return text + "\nThe sections of a spec and their fields: [sections](sections.md).\n";
}

std::string sections_page() {
  std::string text = fmt::format(
      "{}\n# The sections of a spec\n\nEverything in a spec that is not a component. `pushforward describe "
      "SECTION` says the same.\n",
      kHead);
  for (const std::string& place : section_places()) {
    const Section& section = *find_section(place);
    text += fmt::format("\n## {}\n\n{}.\n\n{}", place, section.doc, fields_table(section.slots));
  }
  return text;
}

/// Pages of components that are no more would mislead.
void remove_old_pages(const fs::path& folder, const std::vector<std::string>& pages) {
  std::vector<fs::path> old;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".md") continue;
    const std::string name = entry.path().lexically_relative(folder).string();
    if (std::find(pages.begin(), pages.end(), name) == pages.end() && read_file(entry.path()).starts_with(kHead))
      old.push_back(entry.path());
  }
  for (const fs::path& path : old) fs::remove(path);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", folder.string(), error.message()));
}

int document(const Arguments& arguments, Console& console) {
  Registry registry;
  load_components(registry, arguments, console);
  const fs::path folder = arguments.positional(0);
  make_folder(folder);
  const std::vector<const RegisteredComponent*> components = registry.components();
  std::vector<std::string> pages = {"README.md", "sections.md"};
  write_file(folder / "README.md", index_page(components));
  write_file(folder / "sections.md", sections_page());
  for (const RegisteredComponent* component : components) {
    pages.push_back(page_name(*component->info));
    make_folder((folder / pages.back()).parent_path());
    write_file(folder / pages.back(), component_page(*component, folder));
  }
  remove_old_pages(folder, pages);
  console.note("{}: {}", folder.string(), counted(static_cast<std::int64_t>(pages.size()), "page"));
  return kSuccess;
}

}  // namespace

const Command& document_command() {
  static const Command kCommand = {
      .name = "document",
      .summary = "write pages about every component",
      .description =
          "Writes a page in Markdown for every component that was found, those of plugins of your own included, one "
          "for "
          "the sections of a spec, and an index. Pages that it made before are replaced, and removed if their "
          "component is no more; other files are left alone. A picture `pictures/KIND_NAME.png` in the folder is shown "
          "on "
          "the component's page.",
      .positionals = {{"DIR", "folder of the pages"}},
      .options = {},
      .examples = {"pushforward document components"},
      .run = &document,
      .writes_output_itself = true,
  };
  return kCommand;
}

}  // namespace pushforward
