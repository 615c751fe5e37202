#include "registration_reader.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace pushforward {

namespace {

constexpr std::string_view kSymbol = "pushforward_plugin";
/// In bytes: several times as long as any is.
constexpr std::uint64_t kLongestAbi = 400;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr std::uint32_t kRelative = R_X86_64_RELATIVE;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr std::uint32_t kRelative = R_AARCH64_RELATIVE;
#else
constexpr Elf64_Half kMachine = EM_NONE;
constexpr std::uint32_t kRelative = 0;
#endif

/// A 64-bit little-endian ELF file in memory. Every access is checked: the file may be anything.
class ElfFile {
 public:
  explicit ElfFile(std::span<const char> bytes) : bytes_(bytes) {
    const std::optional<Elf64_Ehdr> header = read<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB) return;
    if (header->e_machine != kMachine) return;
    header_ = header;
    if (header->e_shentsize == sizeof(Elf64_Shdr)) read_sections();
  }

  template <class R>
  std::optional<R> read(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(R)) return std::nullopt;
    R record;
    std::memcpy(&record, bytes_.data() + offset, sizeof(R));
    return record;
  }

  /// The text that ends with a zero byte; none if the file ends before, or if it is longer than `longest`.
  std::optional<std::string> text(std::uint64_t offset, std::uint64_t longest) const {
    const std::span<const char> rest = bytes(offset, longest + 1);
    const auto end = std::find(rest.begin(), rest.end(), '\0');
    if (end == rest.end()) return std::nullopt;
    return std::string(rest.begin(), end);
  }

  std::optional<Elf64_Sym> exported(std::string_view name) const {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_DYNSYM || section.sh_link >= sections_.size()) continue;
      for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
        const std::optional<Elf64_Sym> symbol = read<Elf64_Sym>(section.sh_offset + at);
        if (!symbol) return std::nullopt;
        const std::uint64_t place = sections_[section.sh_link].sh_offset + symbol->st_name;
        if (symbol->st_shndx != SHN_UNDEF && text(place, name.size()) == name) return symbol;
      }
    }
    return std::nullopt;
  }

  /// Where the file holds what will be at an address of the loaded library.
  std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
    for (const Elf64_Shdr& section : sections_)
      if (section.sh_type == SHT_PROGBITS && (section.sh_flags & SHF_ALLOC) && address >= section.sh_addr &&
          address - section.sh_addr < section.sh_size)
        return section.sh_offset + (address - section.sh_addr);
    return std::nullopt;
  }

  /// What a pointer at this address will point to.
  std::optional<std::uint64_t> pointer_at(std::uint64_t address) const {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_RELA) continue;
      for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= section.sh_size; at += sizeof(Elf64_Rela)) {
        const std::optional<Elf64_Rela> entry = read<Elf64_Rela>(section.sh_offset + at);
        if (!entry) return std::nullopt;
        if (entry->r_offset == address && ELF64_R_TYPE(entry->r_info) == kRelative)
          return static_cast<std::uint64_t>(entry->r_addend);
      }
    }
    return std::nullopt;
  }

  /// Bytes up to the end of the last segment that is loaded, and of the tables.
  std::uint64_t size() const {
    if (!header_) return 0;
    std::uint64_t end = sizeof(Elf64_Ehdr);
    const auto need = [&](std::uint64_t offset, std::uint64_t length) {
      // A sum that overflows is more than any file has.
      const std::uint64_t sum = offset + length;
      end = std::max(end, sum < offset ? ~std::uint64_t{0} : sum);
    };
    need(header_->e_phoff, std::uint64_t{header_->e_phnum} * sizeof(Elf64_Phdr));
    need(header_->e_shoff, std::uint64_t{header_->e_shnum} * header_->e_shentsize);
    for (std::uint64_t i = 0; i < header_->e_phnum; ++i) {
      const std::optional<Elf64_Phdr> segment = read<Elf64_Phdr>(header_->e_phoff + i * sizeof(Elf64_Phdr));
      if (segment && segment->p_type == PT_LOAD) need(segment->p_offset, segment->p_filesz);
    }
    return end;
  }

  std::span<const char> bytes(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size()) return {};
    return bytes_.subspan(offset, std::min<std::uint64_t>(size, bytes_.size() - offset));
  }

 private:
  /// All of them or none. Tables lie beside each other, so that together they are no longer than the file: looking
  /// through tables of a damaged file that overlap could take hours.
  void read_sections() {
    std::uint64_t left = bytes_.size();
    for (std::size_t i = 0; i < header_->e_shnum; ++i) {
      const std::optional<Elf64_Shdr> section = read<Elf64_Shdr>(header_->e_shoff + i * sizeof(Elf64_Shdr));
      const bool is_table = section && (section->sh_type == SHT_DYNSYM || section->sh_type == SHT_RELA);
      if (!section || (is_table && section->sh_size > left)) {
        sections_.clear();
        return;
      }
      if (is_table) left -= section->sh_size;
      sections_.push_back(*section);
    }
  }

  std::span<const char> bytes_;
  std::optional<Elf64_Ehdr> header_;  // none: not for this machine
  std::vector<Elf64_Shdr> sections_;
};

}  // namespace

std::uint64_t elf_size(std::span<const char> file) { return ElfFile(file).size(); }

std::uint16_t other_machine(std::span<const char> file) {
  const std::optional<Elf64_Ehdr> header = ElfFile(file).read<Elf64_Ehdr>(0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return 0;
  const bool readable = header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB;
  return readable && header->e_machine != kMachine ? header->e_machine : Elf64_Half{0};
}

std::optional<StoredRegistration> read_registration(std::span<const char> file) {
  const ElfFile elf(file);
  const std::optional<Elf64_Sym> symbol = elf.exported(kSymbol);
  const std::optional<std::uint64_t> offset = symbol ? elf.offset_of(symbol->st_value) : std::nullopt;
  if (!offset) return std::nullopt;
  StoredRegistration stored{};
  const std::span<const char> object = elf.bytes(*offset, std::min<std::uint64_t>(symbol->st_size, sizeof(PluginInfo)));
  std::copy(object.begin(), object.end(), reinterpret_cast<char*>(&stored.info));
  stored.info.abi = stored.info.name = stored.info.version = stored.info.licence = nullptr;
  stored.info.components = nullptr;
  const std::optional<std::uint64_t> abi = elf.pointer_at(symbol->st_value + offsetof(PluginInfo, abi));
  const std::optional<std::uint64_t> abi_offset = abi ? elf.offset_of(*abi) : std::nullopt;
  if (abi_offset) stored.abi = elf.text(*abi_offset, kLongestAbi).value_or("");
  return stored;
}

}  // namespace pushforward
