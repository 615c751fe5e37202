#include "pushforward/registry/registry.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "builtin.h"
#include "loader.h"
#include "registration_tables.h"

namespace pushforward {

namespace {

namespace fs = std::filesystem;

/// Two libraries that provide one component. Unlike a library that does not load, it leaves no choice open: which of
/// them would be used depended on the order of the search.
class TwoProviders final : public PluginError {
 public:
  using PluginError::PluginError;
};

std::string real_path(const std::string& path) {
  std::error_code ignored;  // a path that does not exist stays as it is, and is reported where it is opened
  const fs::path real = fs::canonical(path, ignored);
  return ignored ? path : real.string();
}

std::vector<std::string> colon_separated(const char* text) {
  std::vector<std::string> parts;
  std::string part;
  for (const char* c = text; c && *c; ++c) {
    if (*c != ':') {
      part += *c;
      continue;
    }
    parts.push_back(std::exchange(part, {}));
  }
  parts.push_back(part);
  std::erase(parts, "");
  return parts;
}

/// The file that this code is in: a shared library, or the program that it was linked into.
fs::path own_file() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_file), &info) != 0 && info.dli_fname)
    if (const fs::path file = info.dli_fname; file.filename().string().find(".so") != std::string::npos)
      return real_path(file.string());
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path() : program;
}

/// `../lib/pushforward/plugins`, seen from the folder of the program or, embedded, of the toolkit's library.
fs::path folder_of_the_installation() {
  const fs::path file = own_file();
  return file.empty() ? file : (file.parent_path() / "../lib/pushforward/plugins").lexically_normal();
}

}  // namespace

struct Registry::Impl {
  using Key = std::pair<std::string, std::string>;  // kind, name
  std::vector<OpenLibrary> open;                    // first, so that it goes last
  std::map<Key, RegisteredComponent> components;
  std::vector<LoadedLibrary> libraries;
  std::vector<LibraryFailure> failures;
  std::set<std::string> files, folders;  // real paths that were loaded or searched

  void check(const ComponentInfo& component, const std::string& source, std::set<Key>& seen) const;
  void add(const ComponentInfo* table, std::size_t count, const std::string& plugin, const std::string& source);
};

void Registry::Impl::check(const ComponentInfo& component, const std::string& source, std::set<Key>& seen) const {
  check_tables(component, source);
  const Key key(component.kind, component.name);
  const std::string what = std::string("the ") + component.kind + " '" + component.name + "'";
  if (!seen.insert(key).second) throw PluginError(source + ": registers " + what + " twice");
  const auto other = components.find(key);
  if (other != components.end())
    throw TwoProviders(what + " comes from both " + other->second.library + " and " + source +
                       "; remove one of the two files, or search only one of their folders");
}

void Registry::Impl::add(const ComponentInfo* table, std::size_t count, const std::string& plugin,
                         const std::string& source) {
  std::set<Key> seen;
  for (std::size_t i = 0; i < count; ++i) check(table[i], source, seen);
  for (std::size_t i = 0; i < count; ++i)
    components.emplace(Key(table[i].kind, table[i].name), RegisteredComponent{&table[i], plugin, source});
}

Registry::Registry() : impl_(std::make_unique<Impl>()) {
  const std::span<const ComponentInfo> own = builtin_components();
  add_components(own.data(), own.size(), "the toolkit itself");
}
Registry::~Registry() = default;

void Registry::add_components(const ComponentInfo* components, std::size_t count, const std::string& source) {
  impl_->add(components, count, source, source);
}

void Registry::add_library(const std::string& file) {
  const std::string path = real_path(file);
  if (impl_->files.contains(path)) return;
  OpenLibrary library = open_library(path);
  const PluginInfo& info = *library.info;
  check_registration(info, path);
  impl_->add(info.components, info.component_count, std::string(info.name) + " " + info.version, path);
  impl_->libraries.push_back({path, info.name, info.version, info.licence, library.checksum});
  impl_->open.push_back(std::move(library));
  impl_->files.insert(path);
}

void Registry::add_folder(const std::string& folder) {
  const std::string path = real_path(folder);
  std::error_code error;
  if (!fs::is_directory(path, error))
    throw PluginError(folder + ": there is no such folder of plugins; check the path");
  if (!impl_->folders.insert(path).second) return;
  std::vector<std::string> files;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".so") files.push_back(entry->path().string());
  if (error) throw PluginError(folder + ": the folder of plugins cannot be read: " + error.message());
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    try {
      add_library(file);
    } catch (const TwoProviders&) {
      throw;
    } catch (const PluginError& e) {
      impl_->failures.push_back({file, e.what()});
    }
  }
}

void Registry::add_standard_folders(const std::vector<std::string>& given, const std::vector<std::string>& from_spec) {
  const auto add_named = [this](const std::string& folder, const std::string& where) {
    std::error_code error;  // a name may be too long, or a link lead to itself: then nothing is there
    if (!fs::is_directory(folder, error))
      throw SpecError(where + " names '" + folder + "', which " +
                      (fs::exists(folder, error) ? "is a file; give the folder that it is in"
                                                 : "does not exist; give a folder of plugins"));
    add_folder(folder);
  };
  for (const std::string& folder : given) {
    if (folder.empty()) throw SpecError("option '--plugin-path' is empty; give a folder of plugins, or leave it out");
    add_named(folder, "option '--plugin-path'");
  }
  const char* variable = std::getenv("PUSHFORWARD_PLUGIN_PATH");
  if (variable && *variable == '\0')
    throw SpecError("the variable PUSHFORWARD_PLUGIN_PATH is empty; give folders of plugins, or unset it");
  for (const std::string& folder : colon_separated(variable)) add_named(folder, "the variable PUSHFORWARD_PLUGIN_PATH");
  for (const std::string& folder : from_spec) add_folder(folder);
  const fs::path own = folder_of_the_installation();
  std::error_code none;  // a program may stand alone
  if (fs::is_directory(own, none)) add_folder(own.string());
}

const RegisteredComponent* Registry::find(const std::string& kind, const std::string& name) const {
  const auto found = impl_->components.find({kind, name});
  return found == impl_->components.end() ? nullptr : &found->second;
}

std::vector<const RegisteredComponent*> Registry::components(const std::string& kind) const {
  std::vector<const RegisteredComponent*> found;
  for (const auto& [key, component] : impl_->components)
    if (kind.empty() || key.first == kind) found.push_back(&component);
  return found;
}

std::vector<std::string> Registry::kinds() const {
  std::vector<std::string> kinds;
  for (const auto& [key, component] : impl_->components)
    if (kinds.empty() || kinds.back() != key.first) kinds.push_back(key.first);
  return kinds;
}

const std::vector<LoadedLibrary>& Registry::libraries() const { return impl_->libraries; }
const std::vector<LibraryFailure>& Registry::failures() const { return impl_->failures; }

}  // namespace pushforward
