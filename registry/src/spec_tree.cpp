#include "pushforward/registry/spec_tree.h"

#include <algorithm>
#include <tuple>

#include "problem_text.h"

namespace pushforward {

std::string Position::to_string() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

const SpecNode* SpecNode::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

SpecNode* SpecNode::find(std::string_view key) {
  return const_cast<SpecNode*>(static_cast<const SpecNode*>(this)->find(key));
}

SpecNode& SpecNode::set(std::string_view key, SpecNode value) {
  const Position at = value.position;
  for (Entry& entry : this->entries) {
    if (entry.key != key) continue;
    entry.position = at;
    return entry.value = std::move(value);
  }
  entries.push_back({std::string(key), at, std::move(value)});
  return entries.back().value;
}

SpecNode SpecNode::scalar(std::string text, Position position) {
  SpecNode node;
  node.kind = Kind::scalar;
  node.text = std::move(text);
  node.position = std::move(position);
  return node;
}

SpecNode SpecNode::map(Position position) {
  SpecNode node;
  node.kind = Kind::map;
  node.position = std::move(position);
  return node;
}

SpecNode SpecNode::list(Position position) {
  SpecNode node;
  node.kind = Kind::list;
  node.position = std::move(position);
  return node;
}

void Problems::add(const Position& position, const std::string& message) { items_.push_back({position, message}); }

std::string Problems::to_string() const {
  // Overrides have no line: they come after the file's own problems, in the order in which they were given.
  const auto key = [](const Item& item) {
    return std::make_tuple(item.position.line == 0, item.position.line, item.position.column);
  };
  std::vector<const Item*> sorted;
  for (const Item& item : items_) sorted.push_back(&item);
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Item* a, const Item* b) { return key(*a) < key(*b); });
  std::string text;
  for (const Item* item : sorted) text += (text.empty() ? "" : "\n") + problem_text(item->position, item->message);
  return text;
}

void Problems::raise() const {
  if (!empty()) throw SpecError(to_string());
}

}  // namespace pushforward
