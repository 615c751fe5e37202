// new: a project for a component of one's own, complete before its author has changed a line.
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "command.h"
#include "components.h"
#include "io/atomic_file.h"
#include "io/file_error.h"
#include "json_number.h"
#include "program.h"
#include "pushforward/nearest.h"
#include "pushforward/version.h"
#include "shell_word.h"
#include "templates.h"

namespace pushforward {
namespace {

namespace fs = std::filesystem;

// What stands for the component in the templates.
constexpr const char* kName = "my_name";
constexpr const char* kClass = "MyName";
constexpr const char* kKind = "my_kind";
constexpr const char* kVersion = "my_toolkit_version";
constexpr const char* kNext = "my_next_steps\n";

constexpr std::size_t kLongestName = 48;

/// Words that C++ keeps for itself, and those that YAML reads as a value.
constexpr const char* kKeywords =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class "
    "compl "
    "concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default "
    "delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long "
    "mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register "
    "reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template this "
    "thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor "
    "xor_eq ";
constexpr const char* kYamlWords = " null yes no on off y n nan inf ";

bool has_word(const std::string& words, const std::string& word) {
  return words.find(" " + word + " ") != std::string::npos;
}

bool is_name_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

/// `an optimizer`.
std::string with_article(const std::string& kind) {
  return (std::string_view("aeiou").find(kind[0]) == std::string_view::npos ? "a " : "an ") + kind;
}

std::string template_text(const std::string& path) {
  for (const TemplateFile& file : template_files())
    if (file.path == path) return std::string(file.text);
  throw std::logic_error("there is no template " + path);
}

void check_kind(const std::string& kind) {
  const std::vector<std::string> all = template_kinds();
  if (std::find(all.begin(), all.end(), kind) != all.end()) return;
  const std::string near = nearest(kind, all);
  throw UsageError(
      fmt::format("there is no kind '{}'; {}", kind,
                  near.empty() ? fmt::format("there are {}", fmt::join(all, ", ")) : "did you mean '" + near + "'?"));
}

/// `tanh_residual` to `TanhResidual`.
std::string class_of(const std::string& name) {
  std::string text;
  bool first = true;
  for (const char c : name) {
    if (c != '_') text += first ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    first = c == '_';
  }
  return text;
}

/// A name in snake_case that is near to what was given; empty if there is none.
std::string repaired(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool capital = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (!std::isalnum(static_cast<unsigned char>(c)) || (capital && !text.empty() && text.back() != '_')) {
      if (!text.empty() && text.back() != '_') text += '_';
    }
    if (std::isalnum(static_cast<unsigned char>(c)))
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  while (!text.empty() && (text.back() == '_')) text.pop_back();
  return text.empty() || !std::isalpha(static_cast<unsigned char>(text[0])) ? std::string() : text;
}

/// A line of C++ without what stands between quotation marks, or after two slashes.
std::string code_of(const std::string& line) {
  std::string code;
  bool text = false;
  for (std::size_t i = 0; i < line.size() && (text || !line.substr(i).starts_with("//")); ++i) {
    if (line[i] == '"' && (i == 0 || line[i - 1] != '\\')) text = !text;
    if (!text) code += line[i];
  }
  return code;
}

/// Whether a piece of C++ uses a word: comments, texts and documentation do not count.
bool code_uses(const std::string& code, const std::string& word) {
  bool documentation = false;
  for (std::size_t begin = 0; begin < code.size();) {
    const std::size_t end = std::min(code.find('\n', begin), code.size());
    std::string line = code.substr(begin, end - begin);
    begin = end + 1;
    if (documentation) {
      documentation = !line.starts_with(")\"");
      continue;
    }
    documentation = line.ends_with("R\"(");
    line = code_of(line);
    for (std::size_t at = 0; (at = line.find(word, at)) != std::string::npos; at += word.size()) {
      const std::size_t after = at + word.size();
      if ((at == 0 || !is_name_character(line[at - 1])) && (after == line.size() || !is_name_character(line[after])))
        return true;
    }
  }
  return false;
}

void check_name(const std::string& kind, const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(),
                                 [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '_'; });
  if (!plain || name.empty() || !std::islower(static_cast<unsigned char>(name[0])) || name.ends_with("_") ||
      name.find("__") != std::string::npos) {
    const std::string near = repaired(name);
    throw UsageError(fmt::format(
        "NAME is '{}'; it must be in snake_case: small letters, digits and single underscores, a letter first{}", name,
        near.empty() ? std::string() : ", as in '" + near + "'"));
  }
  if (name.size() > kLongestName)
    throw UsageError(fmt::format("NAME has {} characters; it must have {} at most", name.size(), kLongestName));
  if (has_word(kKeywords, name)) throw UsageError(fmt::format("NAME is '{}', a word of C++; choose another", name));
  if (has_word(kYamlWords, name))
    throw UsageError(fmt::format("NAME is '{}', which YAML reads as a value; choose another", name));
  if (code_uses(template_text(kind + "/component.cpp"), class_of(name)))
    throw UsageError(fmt::format(
        "NAME is '{}', but its class '{}' would hide one that every {} uses; choose another, such as '{}_{}'", name,
        class_of(name), kind, name, kind));
}

/// Kinds that stand in one place of a spec, by name alone: in a list of bijectors, a transformer means `elementwise`
/// with it.
std::vector<std::string> kinds_beside(const std::string& kind) {
  if (kind == "bijector") return {"transformer"};
  if (kind == "transformer") return {"bijector"};
  return {};
}

/// Two components of one name cannot be loaded together, and of two kinds that stand in one list a spec would name
/// another than before: what was made could not be used.
void refuse_namesake(const std::string& kind, const std::string& name, const Arguments& arguments, Console& console) {
  Registry registry;
  load_components(registry, arguments, console);
  const auto refuse = [&](const RegisteredComponent& found, const std::string& why) {
    throw UsageError(
        fmt::format("NAME is '{}', but there is {} of that name already, in {}, and {}; choose another, "
                    "such as 'my_{}'",
                    name, with_article(found.info->kind), found.library, why, name));
  };
  if (const RegisteredComponent* found = registry.find(kind, name)) refuse(*found, "the two cannot be loaded together");
  for (const std::string& other : kinds_beside(kind))
    if (const RegisteredComponent* found = registry.find(other, name))
      refuse(*found, "a list of bijectors could mean either");
}

/// Makes the folder. Throws if something is in it already.
void make_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error))) {
    if (!fs::is_directory(folder, error))
      throw FileError(fmt::format("'{}' is a file; give another folder with --directory", folder.string()));
    if (!fs::is_empty(folder, error) || error)
      throw FileError(
          fmt::format("the folder '{}' is not empty, and nothing is ever overwritten; give another with --directory",
                      folder.string()));
    return;
  }
  fs::create_directories(folder, error);
  if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", folder.string(), error.message()));
}

struct ProjectFile {
  std::string name, text;
};

std::vector<ProjectFile> project_files(const std::string& kind, const std::string& name) {
  const auto filled = [&](const std::string& path) {
    std::string text = replaced(template_text(path), kNext, template_text(kind + "/next.md"));
    text = replaced(replaced(text, kName, name), kClass, class_of(name));
    return replaced(replaced(text, kKind, kind), kVersion, PUSHFORWARD_VERSION_MAJOR_MINOR);
  };
  return {{name + ".cpp", filled(kind + "/component.cpp")},
          {name + ".yaml", filled(kind + "/spec.yaml")},
          {"CMakeLists.txt", filled("common/CMakeLists.txt")},
          {"README.md", filled("common/README.md")},
          {".gitignore", filled("common/gitignore")}};
}

/// What `cmake` must be told to find the package that this program belongs to: nothing if the program is in the PATH.
std::string prefix_option(Console& console) {
  std::error_code error;
  const fs::path bin = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (!fs::exists(bin.parent_path() / "lib/cmake/pushforward", error)) {
    console.note(
        "this program runs from its build folder; plugins are built against an installation, such as "
        "'cmake --install BUILD --prefix DIR' makes");
    return " -DCMAKE_PREFIX_PATH=DIR";
  }
  const char* path = std::getenv("PATH");
  const std::string searched = fmt::format(":{}:/usr/bin:/usr/local/bin:", path ? path : "");
  const bool found = searched.find(":" + bin.string() + ":") != std::string::npos;
  return found ? std::string() : " -DCMAKE_PREFIX_PATH=" + shell_word(bin.parent_path().string());
}

int make_project(const Arguments& arguments, Console& console) {
  const std::string kind = arguments.positional(0), name = arguments.positional(1);
  check_kind(kind);
  check_name(kind, name);
  const fs::path folder = arguments.text("directory", name);
  if (folder.empty()) throw UsageError("option '--directory' is empty; give a folder, or leave it out");
  refuse_namesake(kind, name, arguments, console);
  make_folder(folder);
  const std::vector<ProjectFile> files = project_files(kind, name);
  for (const ProjectFile& file : files) write_file(folder / file.name, file.text);
  const std::vector<std::string> commands = {
      "cd " + shell_word(folder.string()), "cmake -S . -B build" + prefix_option(console), "cmake --build build",
      "pushforward check build/lib/pushforward/plugins/" + name + ".so", "pushforward fit " + name + ".yaml"};
  if (console.json) {
    nlohmann::ordered_json object = {{"kind", kind}, {"name", name}, {"directory", folder.string()}};
    for (const ProjectFile& file : files) object["files"].push_back(file.name);
    object["commands"] = commands;
    console.result(json_text(object));
    return kSuccess;
  }
  std::string text = fmt::format(
      "{}: {} that builds, passes every check and trains as it is; {}.cpp is the file to "
      "change\n\n",
      folder.string(), with_article(kind), name);
  for (const std::string& command : commands) text += "  " + command + "\n";
  console.result(text);
  return kSuccess;
}

}  // namespace

std::vector<std::string> template_kinds() {
  std::vector<std::string> names;
  for (const TemplateFile& file : template_files()) {
    const std::string folder(file.path.substr(0, file.path.find('/')));
    if (folder != "common" && (names.empty() || names.back() != folder)) names.push_back(folder);
  }
  return names;
}

const Command& new_command() {
  static const Command kCommand = {
      .name = "new",
      .summary = "make a project for a component of your own",
      .description =
          "Makes a folder with everything that a plugin needs: the component's source, a CMake project that builds it "
          "against the installed toolkit, a spec that trains with it, and a README with the commands in order. The "
          "component is a small one that works: the project builds, passes `pushforward check` and trains before "
          "anything in it was changed. Nothing is ever overwritten.\n\n"
          "The kinds are bijector, dataset, distribution, network, objective, optimizer, preprocess, procedure, "
          "schedule, target, tracker and transformer. A new map of single numbers is a transformer, which needs its "
          "formula alone; any other map is a bijector; a base or another density is a distribution, a loss an "
          "objective. The guide is share/doc/pushforward/writing-a-plugin.md of the installation.",
      .positionals = {{"KIND", "of component, such as transformer"}, {"NAME", "in snake_case, as specs will name it"}},
      .options = {{"directory", "DIR", "where to make it: a folder that is empty or not there; NAME by default"}},
      .examples = {"pushforward new transformer gompertz",
                   "pushforward new optimizer heavy_ball --directory plugins/heavy_ball"},
      .run = &make_project,
      .writes_output_itself = true,
  };
  return kCommand;
}

}  // namespace pushforward
