// Plugins' files: what the handshake reads out of a library that may be damaged, before it is loaded.
#include <elf.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/target.h"
#include "handshake.h"
#include "registration_reader.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

namespace {

template <class R>
R record(const std::string& bytes, std::size_t offset) {
  require(offset <= bytes.size() && bytes.size() - offset >= sizeof(R), "the plugin is cut off");
  R r;
  std::memcpy(&r, bytes.data() + offset, sizeof(R));
  return r;
}
template <class R>
void append(std::string& bytes, const R& r) {
  bytes.append(reinterpret_cast<const char*>(&r), sizeof(R));
}

/// A plugin without all that the reader does not read, so that damage hits what it reads: of the sections those of
/// data, symbols and relocations, and of them the pieces that the registration is made of.
class Excerpt {
 public:
  explicit Excerpt(const std::string& plugin) : plugin_(plugin), header_(record<Elf64_Ehdr>(plugin, 0)) {
    for (std::size_t i = 0; i < header_.e_shnum; ++i)
      sections_.push_back(record<Elf64_Shdr>(plugin, header_.e_shoff + i * sizeof(Elf64_Shdr)));
    append(bytes_, header_);
    append(bytes_, Elf64_Phdr{});
    const Elf64_Sym symbol = registration();
    add(Elf64_Shdr{}, "");
    add_symbols(symbol);
    const Elf64_Rela abi = add_relocations(symbol);
    add_data(symbol.st_value, symbol.st_size);
    add_data(static_cast<std::uint64_t>(abi.r_addend), sizeof(kAbi));
  }

  std::string take() {
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_filesz = bytes_.size();
    header_.e_phoff = sizeof(Elf64_Ehdr);
    header_.e_phnum = 1;
    header_.e_shoff = bytes_.size();
    header_.e_shnum = static_cast<Elf64_Half>(kept_.size());
    for (const Elf64_Shdr& section : kept_) append(bytes_, section);
    std::memcpy(bytes_.data(), &header_, sizeof(header_));
    std::memcpy(bytes_.data() + header_.e_phoff, &segment, sizeof(segment));
    return std::move(bytes_);
  }

 private:
  static constexpr const char kSymbol[] = "pushforward_plugin";

  const Elf64_Shdr& section_of(Elf64_Word type) const {
    const auto is = [&](const Elf64_Shdr& s) { return s.sh_type == type; };
    const auto found = std::find_if(sections_.begin(), sections_.end(), is);
    require(found != sections_.end(), "the plugin lacks a section");
    return *found;
  }

  Elf64_Sym registration() const {
    const Elf64_Shdr& symbols = section_of(SHT_DYNSYM);
    const std::size_t names = sections_.at(symbols.sh_link).sh_offset;
    for (std::size_t at = 0; at < symbols.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = record<Elf64_Sym>(plugin_, symbols.sh_offset + at);
      if (symbol.st_shndx != SHN_UNDEF &&
          plugin_.compare(names + symbol.st_name, sizeof(kSymbol), kSymbol, sizeof(kSymbol)) == 0)
        return symbol;
    }
    throw std::logic_error("the plugin has no registration");
  }

  void add(Elf64_Shdr section, const std::string& content) {
    section.sh_offset = bytes_.size();
    section.sh_size = content.size();
    bytes_ += content;
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    kept_.push_back(section);
  }

  void add_symbols(Elf64_Sym symbol) {
    Elf64_Shdr section = section_of(SHT_DYNSYM);
    section.sh_link = static_cast<Elf64_Word>(kept_.size() + 1);
    symbol.st_name = 1;
    std::string content;
    append(content, Elf64_Sym{});
    append(content, symbol);
    add(section, content);
    add(section_of(SHT_STRTAB), std::string(1, '\0') + std::string(kSymbol, sizeof(kSymbol)));
  }

  /// Those of the registration's pointers; the one of its ABI is returned.
  Elf64_Rela add_relocations(const Elf64_Sym& symbol) {
    const Elf64_Shdr& section = section_of(SHT_RELA);
    std::optional<Elf64_Rela> abi;
    std::string content;
    for (std::size_t at = 0; at < section.sh_size; at += sizeof(Elf64_Rela)) {
      const auto entry = record<Elf64_Rela>(plugin_, section.sh_offset + at);
      if (entry.r_offset - symbol.st_value >= symbol.st_size) continue;
      append(content, entry);
      if (entry.r_offset == symbol.st_value + offsetof(PluginInfo, abi)) abi = entry;
    }
    require(abi.has_value(), "the plugin's registration has no ABI");
    add(section, content);
    return *abi;
  }

  /// The bytes that will be at an address, as a section of their own.
  void add_data(std::uint64_t address, std::uint64_t size) {
    for (Elf64_Shdr section : sections_) {
      if (section.sh_type != SHT_PROGBITS || address < section.sh_addr || address - section.sh_addr >= section.sh_size)
        continue;
      const std::string content = plugin_.substr(section.sh_offset + (address - section.sh_addr), size);
      section.sh_addr = address;
      return add(section, content);
    }
    throw std::logic_error("the plugin's registration is in no section");
  }

  const std::string& plugin_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Shdr> sections_, kept_;
  std::string bytes_;
};

std::string any_plugin() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins"))
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  const auto file = std::min_element(files.begin(), files.end());
  require(file != files.end(), "no plugin was built");
  std::ifstream in(*file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Seeds pushforward::test::seeds() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTokens[] = {
      "\x7f"
      "ELF"sv,
      "pushforward_plugin"sv,
      "\0"sv,
      "\2\0\0\0"sv,
      "\3\0\0\0"sv,
      "\4\0\0\0"sv,
      "\13\0\0\0"sv,
      "\xff\xff\xff\xff\xff\xff\xff\xff"sv,
      "\x1b[31m"sv,
      "gcc-12"sv,
      "clang-14"sv};
  const std::string plugin = any_plugin(), excerpt = Excerpt(plugin).take();
  const auto whole = read_registration(plugin), part = read_registration(excerpt);
  require(whole && part && whole->abi == kAbi && part->abi == kAbi &&
              std::memcmp(&whole->info, &part->info, sizeof(PluginInfo)) == 0,
          "another registration in the excerpt than in the plugin");
  return {.files = {excerpt}, .tokens = kTokens, .lines = false};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Of its own size to the byte, so that a sanitizer sees the first one behind it.
  const std::vector<char> file(data, data + size);
  elf_size(file);
  std::optional<StoredRegistration> stored = read_registration(file);
  if (!stored) return 0;
  const PluginInfo& info = stored->info;
  require(!info.abi && !info.name && !info.version && !info.licence && !info.components, "a pointer out of a file");
  stored->info.abi = stored->abi.empty() ? kAbi : stored->abi.c_str();
  try {
    check_handshake(stored->info, "plugin.so");
    input_was_accepted = true;
  } catch (const PluginError& e) {
    const std::string message = e.what();
    constexpr std::size_t kLongest = 3000;
    require(message.starts_with("plugin.so: "), "a message without the file: " + message);
    require(message.size() <= kLongest, "a message of " + std::to_string(message.size()) + " bytes");
    for (const char c : message)
      require(static_cast<unsigned char>(c) >= ' ' && c != '\x7f', "a message with a control character: " + message);
  }
  return 0;
}
