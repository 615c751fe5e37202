// What is read out of a plugin's file before it is loaded, of files that nobody would build.
#include "registration_reader.h"

#include <elf.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <ctime>

#include "handshake.h"

using namespace pushforward;  // NOLINT: a test

namespace {

constexpr std::size_t kSize = 1 << 20;

/// A library of a megabyte with `count` tables of symbols, each of which is the whole file. Its first half is symbols
/// whose name is the last quarter.
std::string overlapping_tables(std::size_t count) {
  Elf64_Sym symbol{};
  symbol.st_name = kSize * 3 / 4;
  symbol.st_shndx = 1;
  std::string file;
  while (file.size() < kSize / 2) file.append(reinterpret_cast<const char*>(&symbol), sizeof(symbol));
  file.resize(kSize, 'x');
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
#if defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#else
  header.e_machine = EM_X86_64;
#endif
  header.e_shoff = sizeof(header);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<Elf64_Half>(count);
  std::memcpy(file.data(), &header, sizeof(header));
  Elf64_Shdr section{};
  section.sh_type = SHT_DYNSYM;
  section.sh_size = file.size();
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(file.data() + sizeof(header) + i * sizeof(section), &section, sizeof(section));
  return file;
}

double seconds_of_reading(const std::string& file) {
  const std::clock_t start = std::clock();
  CHECK_FALSE(read_registration(file));
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("tables that lie on each other, and names that do not end, take no longer than the file") {
  CHECK(seconds_of_reading(overlapping_tables(1)) < 1);
  CHECK(seconds_of_reading(overlapping_tables(1000)) < 1);
}

TEST_CASE("the ABI of a plugin is shown in one line") {
  PluginInfo info{};
  info.magic = kPluginMagic;
  info.struct_size = sizeof(PluginInfo);
  info.api = kPluginApi;
  info.abi_kind = 1;
  info.component_size = sizeof(ComponentInfo);
  info.field_size = sizeof(Field);
  info.example_size = sizeof(Example);
  const std::string abi = "\x1b[31mgcc\n" + std::string(5000, 'x');
  info.abi = abi.c_str();
  std::string message;
  try {
    check_handshake(info, "FILE");
  } catch (const PluginError& e) {
    message = e.what();
  }
  CHECK(message.starts_with("FILE: C++ ABI: the plugin has \\x1b[31mgcc\\nxxx"));
  CHECK(message.find("bytes ...] xxx") != std::string::npos);
  CHECK(message.size() < 3000);
}
