// The one file that knows Boost.DLL.
#include "loader.h"

#include <boost/dll/shared_library.hpp>
#include <filesystem>

#include "checksum.h"
#include "file_bytes.h"
#include "handshake.h"
#include "registration_reader.h"

namespace pushforward {

namespace {

constexpr const char kSymbol[] = "pushforward_plugin";

/// Throws unless it is a file that ends: reading a pipe waits, and reading a device may never end.
void require_regular(const std::string& file) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found)
    throw PluginError(file + ": there is no such file; check the path");
  if (error) throw PluginError(file + ": cannot be looked at: " + error.message() + "; check the path");
  if (std::filesystem::is_directory(status))
    throw PluginError(file + ": this is a folder; name a library, or give the folder as a plugin path");
  if (!std::filesystem::is_regular_file(status))
    throw PluginError(file + ": is a pipe, a socket or a device; name the file of a library");
}

/// The loader of the system says of such a file that there is none.
void require_this_machine(const std::string& bytes, const std::string& file) {
  const std::uint16_t machine = other_machine(bytes);
  if (machine != 0)
    throw PluginError(file + ": was built for another kind of machine (number " + std::to_string(machine) +
                      " of the ELF format); build it on this one");
}

/// Mapping a library that ends too early kills the program when it touches what is missing.
void require_whole(const std::string& bytes, const std::string& file) {
  const std::uint64_t needed = elf_size(bytes);
  if (bytes.size() < needed)
    throw PluginError(file + ": is cut off: it has " + std::to_string(bytes.size()) +
                      " bytes, but its headers tell of " + std::to_string(needed) + "; copy it again, or rebuild it");
}

/// The handshake with what the file holds: none of the plugin's code has run.
void check_stored(const std::string& bytes, const std::string& file) {
  std::optional<StoredRegistration> stored = read_registration(bytes);
  if (!stored) return;
  stored->info.abi = stored->abi.empty() ? kAbi : stored->abi.c_str();  // if unseen, it is compared after loading
  check_handshake(stored->info, file);
}

/// What dlerror said, out of what Boost.DLL makes of it: `... (dlerror system message: TEXT): Bad file descriptor`.
std::string dlerror_part(const std::string& what, const std::string& file) {
  static constexpr std::string_view kBefore = "(dlerror system message: ";
  const std::size_t before = what.find(kBefore);
  const std::size_t after = what.rfind("): ");
  if (before == std::string::npos || after == std::string::npos) return what;
  const std::size_t begin = before + kBefore.size();
  const std::string text = what.substr(begin, after - begin);
  return text.starts_with(file + ": ") ? text.substr(file.size() + 2) : text;
}

std::string remedy(const std::string& reason) {
  if (reason.find("undefined symbol") != std::string::npos)
    return "it was linked without a library that it needs, or against another version of the toolkit; rebuild it with "
           "pushforward_add_plugin";
  if (reason.find("version `") != std::string::npos)
    return "it was built with a newer compiler or C library than this machine has; build it on this machine";
  if (reason.find("cannot open shared object file") != std::string::npos) return "install the library that it needs";
  return "it is no shared library for this machine, or a damaged one; rebuild it, or remove it";
}

}  // namespace

OpenLibrary open_library(const std::string& file) {
  require_regular(file);
  OpenLibrary open;
  const std::optional<std::string> bytes = file_bytes(file);
  if (!bytes) throw PluginError(file + ": the file cannot be read; check its permissions");
  open.checksum = checksum(*bytes);
  require_this_machine(*bytes, file);
  require_whole(*bytes, file);
  check_stored(*bytes, file);
  auto library = std::make_shared<boost::dll::shared_library>();
  try {
    library->load(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  } catch (const std::exception& e) {
    const std::string reason = dlerror_part(e.what(), file);
    throw PluginError(file + ": cannot be loaded: " + reason + "; " + remedy(reason));
  }
  if (!library->has(kSymbol))
    throw PluginError(file + ": has no symbol '" + kSymbol +
                      "', so it is no plugin; register its components with PUSHFORWARD_PLUGIN and build it with "
                      "pushforward_add_plugin");
  open.info = &library->get<const PluginInfo>(kSymbol);
  check_handshake(*open.info, file);
  open.handle = std::move(library);
  return open;
}

}  // namespace pushforward
