// Damage: small edits of a text or of bytes, as numbers, so that a fuzzer draws them at random and RapidCheck shrinks a
// list of them to the few that matter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pushforward::test {

/// Any three numbers are an edit: which one, where, and with what.
struct Edit {
  std::uint32_t kind = 0, place = 0, what = 0;
};

/// What edits are made with.
struct Material {
  std::span<const std::string> seeds = {};        // pieces of them are pasted
  std::span<const std::string_view> tokens = {};  // what means something to the reader
  bool lines = true;                              // a text: lines, words and values are edited too
};

/// Texts are cut here, so that edits of edits stay affordable.
inline constexpr std::size_t kLongestText = std::size_t{3} << 20;

class Editor {
 public:
  Editor(std::string text, const Material& material) : text_(std::move(text)), material_(material) {}

  void apply(const Edit& edit) {
    using Step = void (Editor::*)();
    // An edit stands as often as it is to be drawn.
    static constexpr Step kSteps[] = {
        &Editor::remove_line, &Editor::remove_line, &Editor::repeat_line, &Editor::swap_lines,   &Editor::indent_line,
        &Editor::indent_line, &Editor::move_line,   &Editor::misspell,    &Editor::misspell,     &Editor::exchange,
        &Editor::exchange,    &Editor::retype,      &Editor::retype,      &Editor::change_digit, &Editor::flip_bit,
        &Editor::flip_bit,    &Editor::set_byte,    &Editor::remove,      &Editor::remove,       &Editor::repeat,
        &Editor::truncate,    &Editor::insert,      &Editor::insert,      &Editor::overwrite,    &Editor::paste,
        &Editor::paste,       &Editor::set_integer, &Editor::change_digit};
    constexpr std::size_t kOfLines = 14;
    constexpr std::uint32_t kRare = 150;
    edit_ = edit;
    if (edit.kind % kRare == kRare - 1) {
      static constexpr Step kLarge[] = {&Editor::nest, &Editor::nest, &Editor::multiply, &Editor::lengthen};
      (this->*kLarge[pick(edit.what, std::size(kLarge))])();
    } else {
      const std::size_t first = material_.lines ? 0 : kOfLines;
      (this->*kSteps[first + pick(edit.kind / kRare, std::size(kSteps) - first)])();
    }
    if (text_.size() > kLongestText) text_.resize(kLongestText);
  }
  std::string take() { return std::move(text_); }

 private:
  static std::size_t pick(std::size_t number, std::size_t count) { return count == 0 ? 0 : number % count; }
  std::size_t place() const { return pick(edit_.place, text_.size() + 1); }
  std::string_view token() const {
    return material_.tokens.empty() ? std::string_view("0")
                                    : material_.tokens[pick(edit_.what, material_.tokens.size())];
  }
  /// Another number, from the two that the edit has.
  std::uint32_t other() const { return edit_.what * 2654435761u + edit_.place; }

  // --- lines ---------------------------------------------------------------------------------------------------------
  struct Part {
    std::size_t begin, end;
    std::size_t size() const { return end - begin; }
  };
  /// With its line end.
  Part line_at(std::size_t at) const {
    if (text_.empty()) return {0, 0};
    at = std::min(at, text_.size() - 1);
    const std::size_t before = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1, end = text_.find('\n', begin);
    return {begin, end == std::string::npos ? text_.size() : end + 1};
  }
  Part line() const { return line_at(place()); }
  std::string content(Part p) const { return text_.substr(p.begin, p.size()); }

  void remove_line() {
    const Part p = line();
    text_.erase(p.begin, p.size());
  }
  void repeat_line() {
    const Part p = line();
    text_.insert(p.end, content(p));
  }
  void swap_lines() {
    const Part p = line(), q = line_at(p.end);
    if (q.begin != p.end) return;
    const std::string first = content(p);
    text_.erase(p.begin, p.size());
    text_.insert(p.begin + q.size(), first);
  }
  void move_line() {
    const std::string moved = content(line());
    remove_line();
    text_.insert(line_at(pick(other(), text_.size() + 1)).begin, moved);
  }
  void indent_line() {
    const Part p = line();
    const std::size_t blanks = std::min(text_.find_first_not_of(' ', p.begin), p.end) - p.begin;
    if (edit_.what % 8 == 7)
      text_.insert(p.begin, "\t");
    else if (edit_.what % 2 == 0)
      text_.insert(p.begin, 1 + edit_.what / 2 % 4, ' ');
    else
      text_.erase(p.begin, std::min<std::size_t>(blanks, 1 + edit_.what / 2 % 4));
  }

  // --- words ---------------------------------------------------------------------------------------------------------
  static bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  /// The word at a place or behind it; empty if there is none.
  Part word_at(std::size_t at) const {
    std::size_t begin = at;
    while (begin > 0 && in_word(text_[begin - 1])) --begin;
    while (begin < text_.size() && !in_word(text_[begin])) ++begin;
    std::size_t end = begin;
    while (end < text_.size() && in_word(text_[end])) ++end;
    return {begin, end};
  }
  void misspell() {
    const Part p = word_at(place());
    if (p.size() == 0) return;
    const std::size_t at = p.begin + pick(edit_.what / 4, p.size());
    switch (edit_.what % 4) {
      case 0:
        text_.erase(at, 1);
        break;
      case 1:
        text_.insert(at, 1, text_[at]);
        break;
      case 2:
        if (at + 1 < p.end) std::swap(text_[at], text_[at + 1]);
        break;
      default:
        text_[at] = static_cast<char>('a' + edit_.what / 8 % 26);
    }
  }
  /// A word for another one of the text or of a seed: a field of another component, a name of another kind.
  void exchange() {
    const Part p = word_at(place());
    Editor source(edit_.what % 2 == 0 || material_.seeds.empty()
                      ? text_
                      : material_.seeds[pick(edit_.what / 2, material_.seeds.size())],
                  material_);
    const Part q = source.word_at(pick(other(), source.text_.size() + 1));
    text_.replace(p.begin, p.size(), source.content(q));
  }
  /// The rest of a line behind its colon.
  void retype() {
    const Part p = line();
    const std::size_t colon = text_.find(": ", p.begin);
    if (colon >= p.end) return insert();
    const std::size_t end = p.end - (text_[p.end - 1] == '\n' ? 1 : 0);
    text_.replace(colon + 2, end - std::min(end, colon + 2), token());
  }
  void change_digit() {
    const std::size_t at = text_.find_first_of("0123456789", place());
    if (at != std::string::npos) text_[at] = static_cast<char>('0' + edit_.what % 10);
  }

  // --- bytes ---------------------------------------------------------------------------------------------------------
  std::size_t few() const { return 1 + edit_.what / 7 % (edit_.what % 7 == 0 ? 64 : 4); }
  void flip_bit() {
    if (text_.empty()) return;
    char& c = text_[pick(edit_.place, text_.size())];
    c = static_cast<char>(c ^ (1 << edit_.what % 8));
  }
  void set_byte() {
    if (!text_.empty()) text_[pick(edit_.place, text_.size())] = static_cast<char>(edit_.what);
  }
  void remove() { text_.erase(place(), few()); }
  void repeat() { text_.insert(place(), text_.substr(place(), few() * 4)); }
  void truncate() { text_.resize(place()); }
  void insert() { text_.insert(place(), token()); }
  void overwrite() {
    const std::size_t at = place(), size = std::min(token().size(), text_.size() - at);
    text_.replace(at, size, token());
  }
  void paste() {
    if (material_.seeds.empty()) return;
    const std::string& from = material_.seeds[pick(edit_.what, material_.seeds.size())];
    const std::size_t begin = pick(other(), from.size() + 1), size = 1 + other() / 977 % 120;
    if (material_.lines && edit_.what % 2 == 0) {  // whole lines
      const Editor source(from, material_);
      const Part first = source.line_at(begin), last = source.line_at(begin + size);
      text_.insert(line().begin, from, first.begin, last.end - first.begin);
    } else {
      text_.replace(place(), edit_.what % 3 == 0 ? size : 0, from.substr(begin, size));
    }
  }
  /// A number of one to eight bytes at the ends of its range, for lengths and offsets.
  void set_integer() {
    static constexpr std::uint64_t kNumbers[] = {0,          1,          2,          0x7f,       0x80,
                                                 0xff,       0x100,      0x7fff,     0x8000,     0xffff,
                                                 0x10000,    0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
                                                 1ull << 53, 1ull << 62, 1ull << 63, ~0ull,      ~0ull - 7};
    const std::uint64_t number = kNumbers[pick(edit_.what, std::size(kNumbers))];
    const std::size_t at = place(),
                      size = std::min<std::size_t>(std::size_t{1} << (other() / 64 % 4), text_.size() - at);
    std::memcpy(text_.data() + at, &number, size);
  }

  // --- large ---------------------------------------------------------------------------------------------------------
  std::size_t many() const { return std::size_t{1} << (4 + other() / 16 % 14); }
  /// Brackets, dashes or keys, as deep as nobody writes.
  void nest() {
    static constexpr std::string_view kOpenings[] = {"[",       "{a: ", "- ",   "? ",    "&a [",
                                                     "{base: ", "[{",   "!!a ", "*a : ", "{invert: {bijector: ",
                                                     "'",       "\"",   "|\n ", "#"};
    const std::string_view opening = kOpenings[pick(edit_.what / 8, std::size(kOpenings))];
    std::string nested;
    for (std::size_t i = 0; i < many(); ++i) nested += opening;
    text_.insert(place(), nested);
  }
  /// A line or a few bytes, thousands of times.
  void multiply() {
    const Part p = material_.lines ? line() : Part{place(), std::min(place() + few(), text_.size())};
    const std::string piece = content(p);
    std::string all;
    for (std::size_t i = 0; i < many() && all.size() < kLongestText; ++i) {
      all += piece;
      // Keys that differ, or they would be refused at the second.
      if (edit_.what % 8 < 4 && material_.lines)
        if (const std::size_t at = all.size() - piece.size() + piece.find_first_not_of(" -"); at < all.size())
          all.insert(at, "k" + std::to_string(i) + (edit_.what % 2 ? "_" : ": "));
    }
    text_.insert(p.end, all);
  }
  /// One word of up to a megabyte.
  void lengthen() {
    const Part p = word_at(place());
    text_.insert(p.end, many() * 8, p.size() > 0 ? text_[p.end - 1] : 'a');
  }

  std::string text_;
  const Material& material_;
  Edit edit_;
};

inline std::string edited(std::string text, std::span<const Edit> edits, const Material& material) {
  Editor editor(std::move(text), material);
  for (const Edit& edit : edits) editor.apply(edit);
  return editor.take();
}

inline std::vector<Edit> random_edits(std::mt19937_64& random) {
  const auto number = [&] { return static_cast<std::uint32_t>(random() >> 16); };
  std::vector<Edit> edits(1 + number() % (number() % 8 == 0 ? 12 : 3));
  for (Edit& edit : edits) edit = {number(), number(), number()};
  return edits;
}

/// What means something in a spec, or to its reader.
inline std::span<const std::string_view> spec_tokens() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTokens[] = {":"sv,
                                                 ": "sv,
                                                 "- "sv,
                                                 "{"sv,
                                                 "}"sv,
                                                 "["sv,
                                                 "]"sv,
                                                 "\n"sv,
                                                 "  "sv,
                                                 "\t"sv,
                                                 "'"sv,
                                                 "\""sv,
                                                 "&a "sv,
                                                 "*a"sv,
                                                 "!!x "sv,
                                                 "!"sv,
                                                 "<<: *a\n"sv,
                                                 "#"sv,
                                                 "|\n"sv,
                                                 ">-\n"sv,
                                                 "~"sv,
                                                 "null"sv,
                                                 "true"sv,
                                                 "false"sv,
                                                 "yes"sv,
                                                 "-1"sv,
                                                 "0"sv,
                                                 "1"sv,
                                                 "0.5"sv,
                                                 "1e400"sv,
                                                 "1e-400"sv,
                                                 "-0"sv,
                                                 "007"sv,
                                                 "0x1f"sv,
                                                 ".inf"sv,
                                                 "-.inf"sv,
                                                 ".nan"sv,
                                                 "1_000"sv,
                                                 "999999999999999999999"sv,
                                                 "9223372036854775807"sv,
                                                 "-9223372036854775808"sv,
                                                 "1:30"sv,
                                                 "2001-01-01"sv,
                                                 "\x80"sv,
                                                 "\xff\xfe"sv,
                                                 "\xef\xbb\xbf"sv,
                                                 "\0"sv,
                                                 "\r\n"sv,
                                                 "\r"sv,
                                                 "\x1b[31m"sv,
                                                 "\x7f"sv,
                                                 "\x85"sv,
                                                 "\xc3\xa9"sv,
                                                 "\xe2\x80\xa8"sv,
                                                 "\xf0\x9f\x8c\x8a"sv,
                                                 "\xed\xa0\x80"sv,
                                                 "\xe2\x80\xae"sv,
                                                 ","sv,
                                                 "? "sv,
                                                 "---\n"sv,
                                                 "...\n"sv,
                                                 "%YAML 1.2\n"sv,
                                                 "%TAG ! x\n"sv,
                                                 "\\"sv,
                                                 "\"\\x41\\u00e9\\n\""sv,
                                                 "\"\\x00\""sv,
                                                 "\"a\\tb\\\\c\""sv,
                                                 "['']"sv,
                                                 "@"sv,
                                                 "`"sv,
                                                 "[]"sv,
                                                 "{}"sv,
                                                 "[1, 2]"sv,
                                                 "{a: 1}"sv,
                                                 "{? a, b}"sv,
                                                 "'12'"sv,
                                                 "learnable"sv,
                                                 "{learnable: 1}"sv,
                                                 "{network: mlp}"sv,
                                                 "normal"sv,
                                                 "affine"sv,
                                                 "coupling"sv,
                                                 "{coupling: {transformer: affine}}"sv,
                                                 "{repeat: {times: 3, bijectors: [affine]}}"sv,
                                                 "{invert: {bijector: exp}}"sv,
                                                 "mlp"sv,
                                                 "adam"sv,
                                                 "/dev/null"sv,
                                                 "&a [&b [&c [*a]]]"sv,
                                                 "&a {<<: *a}"sv,
                                                 "[&x [1, 1], *x, *x]"sv,
                                                 "{<<: [{a: 1}, {b: 2}], c: 3}"sv,
                                                 "bijectors:"sv,
                                                 "base:"sv,
                                                 "model:"sv,
                                                 "data:"sv,
                                                 "training:"sv,
                                                 "target:"sv,
                                                 "plugins:"sv,
                                                 "provenance:"sv,
                                                 "precision: float64\n"sv,
                                                 "all"sv,
                                                 "auto"sv,
                                                 "context:"sv,
                                                 "seed:"sv};
  return kTokens;
}

}  // namespace pushforward::test
