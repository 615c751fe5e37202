// Registry: finds, checks and loads plugins, and knows every component. Only src/loader.cpp sees Boost.DLL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pushforward/plugin.h"

namespace pushforward {

struct RegisteredComponent {
  const ComponentInfo* info = nullptr;
  std::string plugin;   // its name and version: `affine 0.1.0`
  std::string library;  // absolute path, or `this program`
};

/// A library that could not be used; kept, and named when a component is not found. It stops nothing else.
struct LibraryFailure {
  std::string library;
  std::string reason;
};

struct LoadedLibrary {
  std::string library;
  std::string name, version, licence;
  std::string checksum;  // of the file, as it was when it was loaded: hexadecimal
};

/// Owns the libraries, which stay loaded for its life (and, by -z nodelete, for the process). Not thread-safe while it
/// loads; const afterwards.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Every `*.so` of a folder, in the order of their names. A folder that does not exist: PluginError.
  void add_folder(const std::string& folder);
  /// One library. Throws PluginError naming file, what is wrong, both sides' values, and what to do.
  void add_library(const std::string& file);
  /// Components compiled into this program: tests, embedding.
  void add_components(const ComponentInfo* components, std::size_t count, const std::string& source = "this program");
  /// What the program searches: `given` (--plugin-path), PUSHFORWARD_PLUGIN_PATH (colon-separated), `from_spec`, the
  /// folder beside the program (`../lib/pushforward/plugins`). A folder that is named twice is searched once. Throws SpecError
  /// if the option or the variable is empty or names no folder.
  void add_standard_folders(const std::vector<std::string>& given, const std::vector<std::string>& from_spec = {});

  /// None if there is no such component. Two providers of one kind and name: PluginError at loading, naming both files.
  const RegisteredComponent* find(const std::string& kind, const std::string& name) const;
  /// Sorted by kind and name; all kinds if `kind` is empty.
  std::vector<const RegisteredComponent*> components(const std::string& kind = {}) const;
  std::vector<std::string> kinds() const;
  const std::vector<LoadedLibrary>& libraries() const;
  const std::vector<LibraryFailure>& failures() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pushforward
