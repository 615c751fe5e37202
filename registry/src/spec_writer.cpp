#include "pushforward/registry/spec_tree.h"

namespace pushforward {

namespace {

/// True if the text, written without quotes, is read back as the same plain scalar, inside of `[...]` too.
bool plain(const std::string& text) {
  static const std::string_view nulls[] = {"", "~", "null", "Null", "NULL"};
  for (const std::string_view null : nulls)
    if (text == null) return false;
  if (text.starts_with("---") || text.starts_with("...") || text == "<<" || text == "-" || text == "=") return false;
  static constexpr std::string_view kFirst = "!&*?|>%@`\"'#,[]{}: ";
  if (kFirst.find(text.front()) != std::string_view::npos || text.starts_with("- ") || text.back() == ' ') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) return false;
    if (std::string_view(",[]{}").find(c) != std::string_view::npos) return false;
    if (c == ':' && (i + 1 == text.size() || text[i + 1] == ' ')) return false;
    if (c == '#' && text[i - 1] == ' ') return false;
  }
  return true;
}

std::string quoted(const std::string& text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string scalar(const SpecNode& node) { return !node.quoted && plain(node.text) ? node.text : quoted(node.text); }
std::string key_text(const std::string& key) { return plain(key) ? key : quoted(key); }

/// Short things stand on one line: scalars, and short lists of scalars.
bool inline_form(const SpecNode& node) {
  if (node.is_map()) return node.entries.empty();
  if (!node.is_list()) return true;
  std::size_t length = 0;
  for (const SpecNode& item : node.items) {
    if (item.is_map() || item.is_list()) return false;
    length += item.text.size() + 2;
  }
  return length < 80;
}

std::string on_one_line(const SpecNode& node) {
  if (node.is_null()) return "~";
  if (node.is_scalar()) return scalar(node);
  if (node.is_map()) return "{}";
  std::string text = "[";
  for (std::size_t i = 0; i < node.items.size(); ++i) text += (i ? ", " : "") + on_one_line(node.items[i]);
  return text + "]";
}

/// `margin`: what every line starts with. The first line is begun by the caller, after `margin`.
void write(const SpecNode& node, const std::string& margin, std::string& out) {
  bool first = true;
  const auto begin_line = [&] {
    if (!first) out += margin;
    first = false;
  };
  for (const SpecNode::Entry& entry : node.entries) {
    begin_line();
    out += key_text(entry.key) + ":";
    if (inline_form(entry.value)) {
      out += " " + on_one_line(entry.value) + "\n";
      continue;
    }
    out += "\n" + margin + "  ";
    write(entry.value, margin + "  ", out);
  }
  for (const SpecNode& item : node.items) {
    begin_line();
    out += "- ";
    if (inline_form(item))
      out += on_one_line(item) + "\n";
    else
      write(item, margin + "  ", out);
  }
}

}  // namespace

std::string write_spec(const SpecNode& node) {
  if (inline_form(node)) return on_one_line(node) + "\n";
  std::string out;
  write(node, "", out);
  return out;
}

}  // namespace pushforward
