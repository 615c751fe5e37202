// The one file that knows yaml-cpp: its events become the registry's own tree.
//
// The tree is built from the parser's events, not from YAML::Node: those drop duplicate keys, quotes and the
// positions of keys.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "file_bytes.h"
#include "problem_text.h"

namespace pushforward {

namespace {

/// Aliases copy what they name, so a short text can stand for an enormous tree; no real spec comes near this.
constexpr std::size_t kMaximumNodes = 200000;
/// The parser itself gives up somewhat deeper, with words that do not say so.
constexpr std::size_t kMaximumDepth = 200;

std::size_t nodes_in(const SpecNode& node) {
  std::size_t n = 1;
  for (const SpecNode& item : node.items) n += nodes_in(item);
  for (const SpecNode::Entry& entry : node.entries) n += nodes_in(entry.value);
  return n;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string name) : name_(std::move(name)) {}

  SpecNode take() { return std::move(root_); }

  /// The innermost list or mapping whose end has not come.
  std::optional<Position> open(SpecNode::Kind kind) const {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame)
      if (frame->node.kind == kind) return frame->node.position;
    return std::nullopt;
  }

  /// The parser lets the end of the text close a quote. Only the last quoted value can be such a one.
  void require_closed_quote(const std::string& text) const {
    if (!last_quoted_) return;
    const std::size_t begin = static_cast<std::size_t>(last_quoted_->pos);
    const char quote = begin < text.size() ? text[begin] : '\0';
    if (quote != '"' && quote != '\'') return;  // the mark is that of an anchor
    for (std::size_t i = begin + 1; i < text.size(); ++i) {
      if (quote == '"' && text[i] == '\\')
        ++i;
      else if (text[i] == quote)
        return;
    }
    fail(*last_quoted_, std::string("this quote is not closed; it needs a ") + quote + " behind its text");
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      fail(mark, "a spec is one YAML document, but a second one starts here; remove the '---' before it");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    SpecNode node;
    node.position = at(mark);
    finish(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // The parser's own marks: `?` for a plain scalar, `!` for a quoted one. All else was written as a tag.
    if (tag != "?" && tag != "!") refuse_tag(mark, tag);
    SpecNode node = SpecNode::scalar(value, at(mark));
    node.quoted = tag == "!";
    if (node.quoted) last_quoted_ = mark;
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    for (const Frame& frame : frames_)
      if (frame.anchor == anchor) fail(mark, "this alias stands inside of the value that it names");
    const SpecNode& named = anchors_.at(anchor);
    nodes_ += nodes_in(named);
    if (nodes_ > kMaximumNodes)
      fail(mark, "with its aliases written out, this spec has more than " + std::to_string(kMaximumNodes) + " values");
    SpecNode copy = named;
    copy.position = at(mark);
    finish(std::move(copy), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(SpecNode::list(at(mark)), mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(SpecNode::map(at(mark)), mark, tag, anchor);
  }
  void OnMapEnd() override {
    merge(frames_.back().node);
    end();
  }

 private:
  struct Frame {
    SpecNode node;
    YAML::anchor_t anchor = 0;
    std::optional<SpecNode> key;                 // of a map, when its value is still to come
    std::unordered_map<std::string, int> lines;  // of a map's keys
  };

  Position at(const YAML::Mark& mark) const { return {name_, mark.line + 1, mark.column + 1}; }
  [[noreturn]] static void fail(const Position& position, const std::string& message) {
    throw SpecError(problem_text(position, message));
  }
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) const { fail(at(mark), message); }
  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    fail(mark, "specs have no tags, but '" + tag + "' is one; quote a value that must be text");
  }

  void start(SpecNode node, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    if (frames_.size() >= kMaximumDepth)
      fail(mark, "lists and mappings stand more than " + std::to_string(kMaximumDepth) +
                     " deep in each other here; no spec is so deep");
    frames_.push_back({std::move(node), anchor, std::nullopt, {}});
  }

  void end() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    finish(std::move(frame.node), frame.anchor);
  }

  /// Puts a complete value where it belongs: the root, a list, a map's key or value.
  void finish(SpecNode node, YAML::anchor_t anchor) {
    if (++nodes_ > kMaximumNodes)
      fail(node.position, "a spec has at most " + std::to_string(kMaximumNodes) + " values");
    if (anchor != 0) remember(node, anchor);
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_list()) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      take_key(frame, std::move(node));
    } else {
      frame.node.entries.push_back({frame.key->text, frame.key->position, std::move(node)});
      frame.key.reset();
    }
  }

  /// Anchors keep copies, and one may stand inside of the value of another.
  void remember(const SpecNode& node, YAML::anchor_t anchor) {
    anchored_ += nodes_in(node);
    if (anchored_ > kMaximumNodes)
      fail(node.position, "the anchors of this spec name more than " + std::to_string(kMaximumNodes) + " values");
    anchors_[anchor] = node;
  }

  static void take_key(Frame& frame, SpecNode key) {
    if (key.is_null()) fail(key.position, "a key must be a word, but this one is empty, a list or a mapping");
    if (!key.is_scalar()) fail(key.position, "a key must be a word, but this one is a list or a mapping");
    const auto [first, is_new] = frame.lines.emplace(key.text, key.position.line);
    if (!is_new)
      fail(key.position, "the key '" + key.text + "' was already given in line " + std::to_string(first->second));
    frame.key = std::move(key);
  }

  /// `<<: *defaults` or `<<: [*a, *b]`: entries of other maps, for keys that this one does not have; earlier maps win.
  static void merge(SpecNode& map) {
    const auto place = std::find_if(map.entries.begin(), map.entries.end(),
                                    [](const SpecNode::Entry& entry) { return entry.key == "<<"; });
    if (place == map.entries.end()) return;
    const SpecNode::Entry merged = std::move(*place);
    map.entries.erase(place);
    std::unordered_set<std::string> keys;
    for (const SpecNode::Entry& entry : map.entries) keys.insert(entry.key);
    const auto take = [&](const SpecNode& from) {
      if (!from.is_map()) fail(merged.position, "'<<' merges mappings, but its value is not one or a list of them");
      for (const SpecNode::Entry& entry : from.entries)
        if (keys.insert(entry.key).second) map.entries.push_back(entry);
    };
    if (!merged.value.is_list()) return take(merged.value);
    for (const SpecNode& from : merged.value.items) take(from);
  }

  std::string name_;
  SpecNode root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, SpecNode> anchors_;
  std::size_t nodes_ = 0, anchored_ = 0;
  std::optional<YAML::Mark> last_quoted_;
  int documents_ = 0;
};

/// The parser's own words for a line that is indented with a tab lead astray. `line`: from 0.
std::string tab_remedy(const std::string& text, int line) {
  std::istringstream in(text);
  std::string content;
  for (int i = 0; i <= line; ++i)
    if (!std::getline(in, content)) return "";
  const std::size_t first = content.find_first_not_of(" \t");
  const bool tab = content.substr(0, first).find('\t') != std::string::npos;
  return tab ? "; the line begins with a tab: indent with spaces" : "";
}

/// The parser's words, in those of a user where they are not.
std::string in_plain_words(const std::string& message) {
  if (message == "illegal EOF in scalar") return "a quote is still open where the text ends; close it";
  if (message == "illegal flow end") return "this closing bracket does not belong to the last one that was opened";
  return message;
}

/// What no text contains is refused before the parser takes it for something else.
void require_text(const std::string& text, const std::string& name) {
  const std::size_t nul = text.find('\0');
  if (nul == std::string::npos) return;
  const auto place = text.begin() + static_cast<std::ptrdiff_t>(nul);
  const auto line = std::find(std::make_reverse_iterator(place), text.rend(), '\n').base();
  throw SpecError(problem_text(
      {name, static_cast<int>(std::count(text.begin(), place, '\n')) + 1, static_cast<int>(place - line) + 1},
      "there is a NUL byte here, so this is not text in UTF-8; remove it, or save the file as "
      "UTF-8"));
}

/// The parser reports a bracket that is not closed where the text ends, or where it was first surprised.
void require_closed_brackets(const TreeBuilder& builder, const std::string& message) {
  const bool list = message == "end of sequence flow not found";
  if (!list && message != "end of map flow not found") return;
  const std::optional<Position> open = builder.open(list ? SpecNode::Kind::list : SpecNode::Kind::map);
  if (!open) return;
  throw SpecError(
      problem_text(*open, list ? "the list that begins here is not closed; it needs a ']' behind its last element"
                               : "the mapping that begins here is not closed; it needs a '}' behind its last field"));
}

}  // namespace

SpecNode parse_spec_text(const std::string& text, const std::string& name) {
  require_text(text, name);
  TreeBuilder builder(name);
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    require_closed_brackets(builder, e.msg);
    if (e.mark.is_null()) throw SpecError(problem_text({name, 1, 1}, "not valid YAML: " + in_plain_words(e.msg)));
    throw SpecError(problem_text({name, e.mark.line + 1, e.mark.column + 1},
                                 "not valid YAML: " + in_plain_words(e.msg) + tab_remedy(text, e.mark.line)));
  }
  builder.require_closed_quote(text);
  SpecNode root = builder.take();
  if (root.position.file.empty()) root.position = {name, 1, 1};  // an empty text has no node
  return root;
}

SpecNode parse_spec_file(const std::string& path) {
  const std::optional<std::string> text = file_bytes(path);
  if (!text) throw DataError(path + ": the spec cannot be read; check the path and its permissions");
  return parse_spec_text(*text, path);
}

}  // namespace pushforward
