#include "groups.h"

#include <algorithm>
#include <optional>

#include "scalars.h"
#include "schema_text.h"

namespace pushforward {

namespace {

const char* role_name(Role role) {
  switch (role) {
    case Role::weight:
      return "weight";
    case Role::bias:
      return "bias";
    case Role::scale:
      return "scale";
    case Role::other:
      return "other";
  }
  return "";
}

struct Group {
  std::string pattern;
  std::vector<std::string> roles;  // empty: all
  std::optional<double> learning_rate, weight_decay;
  bool frozen;

  explicit Group(const SpecNode& node)
      : pattern(node.find("match")->text), frozen(*parse_boolean(node.find("frozen")->text)) {
    if (const SpecNode* listed = node.find("roles"))
      for (const SpecNode& role : listed->items) roles.push_back(role.text);
    if (const SpecNode* rate = node.find("learning_rate")) learning_rate = parse_real(rate->text);
    if (const SpecNode* decay = node.find("weight_decay")) weight_decay = parse_real(decay->text);
  }
  bool has_role(const ParameterInfo& parameter) const {
    return roles.empty() || std::find(roles.begin(), roles.end(), role_name(parameter.handle.role)) != roles.end();
  }
};

struct Settings {
  double learning_rate_factor = 1, weight_decay = 0;
  bool frozen = false;
  bool operator==(const Settings&) const = default;
};

/// Some of the parameters' names: enough to see how they are built.
std::string some_names(const Layout& layout) {
  std::vector<std::string> names;
  for (const ParameterInfo& parameter : layout.parameters)
    if (names.size() < 5) names.push_back(parameter.path);
  const std::size_t more = layout.parameters.size() - names.size();
  return joined(names) + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

void check_group(const SpecNode& node, const std::string& place, const Layout& layout,
                 const std::function<OptimizerDefaults(Index)>& defaults, Problems& problems) {
  const Group group(node);
  std::size_t named = 0, matched = 0;
  bool replaceable = true;
  for (const ParameterInfo& parameter : layout.parameters) {
    if (!matches(group.pattern, parameter.path)) continue;
    ++named;
    if (!group.has_role(parameter)) continue;
    ++matched;
    replaceable &= defaults(parameter.handle.offset).learning_rate > 0;
  }
  if (named == 0)
    problems.add(node.find("match")->position,
                 place + ".match: no parameter is called '" + group.pattern + "'; " +
                     (layout.parameters.empty() ? "the model has none" : "they are " + some_names(layout)));
  else if (matched == 0)
    problems.add(node.find("roles")->position, place + ".roles: none of the " + std::to_string(named) +
                                                   " parameters that match '" + group.pattern + "' has the role " +
                                                   joined(group.roles));
  if (group.learning_rate && !replaceable)
    problems.add(node.find("learning_rate")->position,
                 place + ".learning_rate: the optimizer has no learning rate that it could replace; remove it");
}

}  // namespace

bool matches(const std::string& pattern, const std::string& text) {
  // Where the last `*` was met, and how far it reaches: the usual backtracking over one star.
  std::size_t p = 0, t = 0, star = std::string::npos, reach = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      reach = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++reach;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

GroupedParameters group_parameters(const SpecNode& groups, const Layout& layout, Index never_trained,
                                   const std::function<OptimizerDefaults(Index)>& defaults) {
  Problems problems;
  std::vector<Group> parsed;
  for (std::size_t i = 0; i < groups.items.size(); ++i) {
    check_group(groups.items[i], "training.groups[" + std::to_string(i) + "]", layout, defaults, problems);
    parsed.emplace_back(groups.items[i]);
  }
  problems.raise();

  GroupedParameters grouped;
  std::vector<std::uint8_t> frozen(static_cast<std::size_t>(layout.parameter_size / kPadding), 0);
  Settings last;
  for (const ParameterInfo& parameter : layout.parameters) {
    Settings settings;
    const OptimizerDefaults own = defaults(parameter.handle.offset);
    settings.weight_decay = own.weight_decay;
    settings.frozen = parameter.handle.offset >= never_trained;
    for (const Group& group : parsed) {
      if (!matches(group.pattern, parameter.path) || !group.has_role(parameter)) continue;
      if (group.learning_rate) settings.learning_rate_factor = *group.learning_rate / own.learning_rate;
      if (group.weight_decay) settings.weight_decay = *group.weight_decay;
      settings.frozen |= group.frozen;
    }
    const Index begin = parameter.handle.offset, end = begin + round_up(parameter.handle.size(), kPadding);
    if (settings.frozen) {
      std::fill(frozen.begin() + begin / kPadding, frozen.begin() + end / kPadding, 1);
    } else if (!grouped.ranges.empty() && grouped.ranges.back().end == begin && settings == last) {
      grouped.ranges.back().end = end;
    } else {
      grouped.ranges.push_back({begin, end, settings.learning_rate_factor, settings.weight_decay});
    }
    last = settings;
  }
  if (std::find(frozen.begin(), frozen.end(), 1) != frozen.end()) grouped.frozen = std::move(frozen);
  return grouped;
}

}  // namespace pushforward
