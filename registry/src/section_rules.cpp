#include "section_rules.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <string_view>

#include "pushforward/block.h"
#include "pushforward/number_text.h"
#include "scalars.h"

namespace pushforward {

namespace {

std::optional<double> real_of(const SpecNode& section, const char* field) {
  const SpecNode* node = section.find(field);
  return node && node->is_scalar() ? parse_real(node->text) : std::nullopt;
}

std::optional<std::int64_t> integer_of(const SpecNode& section, const char* field) {
  const SpecNode* node = section.find(field);
  return node && node->is_scalar() ? parse_integer(node->text) : std::nullopt;
}

void check_split(const SpecNode& split, Problems& problems) {
  const std::optional<double> train = real_of(split, "train"), validation = real_of(split, "validation"),
                              test = real_of(split, "test");
  if (!train || !validation || !test) return;
  const double sum = *train + *validation + *test;
  if (std::abs(sum - 1) > 1e-9)
    problems.add(split.position, "data.split: the shares train " + number_text(*train) + ", validation " +
                                     number_text(*validation) + " and test " + number_text(*test) +
                                     " must add up to 1, but add up to " + number_text(sum));
}

void check_context(const SpecNode& context, Problems& problems) {
  const bool columns = context.find("columns"), labels = context.find("labels"), classes = context.find("classes");
  if (columns == labels)
    problems.add(context.position, "data.context must have either 'columns' or 'labels', but has " +
                                       std::string(columns ? "both" : "none of them"));
  else if (labels != classes)
    problems.add(context.position, "data.context: 'labels' and 'classes' go together, but only '" +
                                       std::string(labels ? "labels" : "classes") + "' is given");
}

void check_data(const SpecNode& data, Problems& problems) {
  if (!data.is_map()) return;
  if (const SpecNode* split = data.find("split"); split && split->is_map()) check_split(*split, problems);
  if (const SpecNode* context = data.find("context"); context && context->is_map()) check_context(*context, problems);
}

void check_group(const SpecNode& group, const std::string& place, Problems& problems) {
  if (!group.is_map()) return;
  const SpecNode *frozen = group.find("frozen"), *rate = group.find("learning_rate"),
                 *decay = group.find("weight_decay");
  const bool is_frozen = frozen && frozen->text == "true";
  if (is_frozen && (rate || decay))
    problems.add(group.position, place + " is frozen, so it has no learning_rate and no weight_decay; remove them");
  if (!is_frozen && !rate && !decay)
    problems.add(group.position, place + " changes nothing; give learning_rate, weight_decay or frozen: true");
}

/// Two trackers of one name would write to the same place.
void check_trackers(const SpecNode& training, Problems& problems) {
  const SpecNode* trackers = training.find("trackers");
  if (!trackers) return;
  std::set<std::string> names;
  for (std::size_t i = 0; i < trackers->items.size(); ++i) {
    const SpecNode& tracker = trackers->items[i];
    if (!tracker.is_map() || tracker.entries.size() != 1) continue;
    const std::string& name = tracker.entries.front().key;
    if (!names.insert(name).second)
      problems.add(tracker.position,
                   "training.trackers[" + std::to_string(i) + "] is '" + name + "' once more; remove it");
  }
}

/// Where a field is missing: at its key if that was written without a value, else at its section. Validation leaves
/// such fields out, so they are looked for in what was written.
const Position& place_of_missing(const SpecNode& section, const SpecNode* written,
                                 std::initializer_list<std::string_view> names) {
  if (written)
    for (const SpecNode::Entry& entry : written->entries)
      if (entry.value.is_null() && std::find(names.begin(), names.end(), entry.key) != names.end())
        return entry.position;
  return section.position;
}

/// It goes by the validation loss, so there must be one.
void check_early_stopping(const SpecNode& stopping, const SpecNode& training, const SpecNode* data,
                          Problems& problems) {
  const auto refuse = [&](const std::string& why) {
    problems.add(stopping.position, "training.early_stopping goes by the validation loss, but " + why);
  };
  const SpecNode* split = data && data->is_map() ? data->find("split") : nullptr;
  if (!data) return refuse("there is no 'data:'");
  if (split && split->is_map() && real_of(*split, "validation").value_or(1) == 0)
    return refuse("there are no validation rows; give data.split.validation a share");
  if (integer_of(training, "validate_every").value_or(1) == 0)
    refuse("training.validate_every is 0, never; remove it, or give a number of steps");
}

void check_training(const SpecNode& training, const SpecNode* written, const SpecNode* data, Problems& problems) {
  if (!training.is_map()) return;
  const SpecNode *steps = training.find("steps"), *epochs = training.find("epochs");
  if (steps && epochs) problems.add(epochs->position, "training has both 'steps' and 'epochs'; remove one of them");
  if (!steps && !epochs)
    problems.add(place_of_missing(training, written, {"steps", "epochs"}),
                 "training needs the field 'steps' or the field 'epochs'");
  if (epochs && !data)
    problems.add(epochs->position, "training.epochs counts rows of data, but there is no 'data:'; give steps");
  if (const SpecNode* groups = training.find("groups"))
    for (std::size_t i = 0; i < groups->items.size(); ++i)
      check_group(groups->items[i], "training.groups[" + std::to_string(i) + "]", problems);
  check_trackers(training, problems);
  const std::optional<std::int64_t> lanes = integer_of(training, "lanes"), rows = integer_of(training, "shard_rows");
  if (lanes && (*lanes & (*lanes - 1)) != 0)
    problems.add(training.find("lanes")->position,
                 "training.lanes must be a power of two, but is '" + std::to_string(*lanes) + "'");
  if (rows && *rows % kPadding != 0)
    problems.add(training.find("shard_rows")->position, "training.shard_rows must be a multiple of " +
                                                            std::to_string(kPadding) + ", but is '" +
                                                            std::to_string(*rows) + "'");
  if (integer_of(training, "validate_every").value_or(0) > 0 && !data)
    problems.add(training.find("validate_every")->position,
                 "training.validate_every needs validation rows, but there is no 'data:'");
  if (const SpecNode* stopping = training.find("early_stopping"))
    check_early_stopping(*stopping, training, data, problems);
}

}  // namespace

void check_section_rules(const SpecNode& root, const SpecNode& written, Problems& problems) {
  if (!root.is_map()) return;
  const SpecNode *data = root.find("data"), *training = root.find("training");
  if (data) check_data(*data, problems);
  if (training) check_training(*training, written.find("training"), data, problems);
}

}  // namespace pushforward
