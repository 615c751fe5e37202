// Reads a plugin's registration out of its file, before the library is loaded.
//
// Loading runs the initialisers of a library, which may hold instructions that this machine does not have. The
// registration is a constant object, so what the handshake compares stands in the file.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "pushforward/plugin.h"

namespace pushforward {

struct StoredRegistration {
  /// Numbers as they are in the file; all pointers are null, and members behind the object's stored size are zero.
  PluginInfo info;
  std::string abi;  // what info.abi will point to; empty if the file does not show it
};

/// How many bytes an ELF file must have to hold what its headers tell of; 0 if it is no ELF file for this machine.
std::uint64_t elf_size(std::span<const char> file);

/// Number of the machine that an ELF file is for (`e_machine`), if it is another than this one; 0 otherwise.
std::uint16_t other_machine(std::span<const char> file);

/// None if the file is not an ELF library for this kind of machine, holds no such object, or is damaged: loading then
/// says what is wrong.
std::optional<StoredRegistration> read_registration(std::span<const char> file);

}  // namespace pushforward
