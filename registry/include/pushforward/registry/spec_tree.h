// The registry's own tree of a spec: every key and value knows where it stands. Only src/spec_yaml.cpp sees yaml-cpp.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pushforward/error.h"
#include "pushforward/nearest.h"

namespace pushforward {

/// `file:line:column`, 1-based; line 0: no position (a default, an override names itself in `file`).
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
  std::string to_string() const;
};

/// One value of a spec with its position. Mappings keep the order of the text and never hold a key twice.
class SpecNode {
 public:
  enum class Kind : std::uint8_t { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  Position position;
  std::string text;             // of a scalar, without quotes
  bool quoted = false;          // a quoted scalar is text, whatever it looks like
  bool defaulted = false;       // filled in by validation, not written by the user
  std::vector<SpecNode> items;  // of a list
  std::vector<Entry> entries;   // of a map

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  /// The value under a key, or none.
  const SpecNode* find(std::string_view key) const;
  SpecNode* find(std::string_view key);
  /// The value under a key, added at the end if it is not there; the key stands where its new value does.
  SpecNode& set(std::string_view key, SpecNode value);

  static SpecNode scalar(std::string text, Position position = {});
  static SpecNode map(Position position = {});
  static SpecNode list(Position position = {});
};
struct SpecNode::Entry {
  std::string key;
  Position position;  // of the key
  SpecNode value;
};

/// Parses YAML. Refused, with positions: duplicate keys, unknown tags, several documents, keys that are not scalars,
/// aliases that contain themselves. Throws SpecError; DataError if the file cannot be read.
SpecNode parse_spec_file(const std::string& path);
SpecNode parse_spec_text(const std::string& text, const std::string& name);
/// YAML text that parses to the same tree.
std::string write_spec(const SpecNode& node);

/// Everything that is wrong with a spec, in the order of the text.
class Problems {
 public:
  /// `configs/moons.yaml:4:5: error: <message>`
  void add(const Position& position, const std::string& message);
  bool empty() const { return items_.empty(); }
  std::size_t count() const { return items_.size(); }
  std::string to_string() const;
  /// Throws SpecError with all of them, a line each, if there are any.
  void raise() const;

 private:
  struct Item {
    Position position;
    std::string message;
  };
  std::vector<Item> items_;
};

}  // namespace pushforward
