#include "summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "number_format.h"
#include "text_table.h"

namespace pushforward {
namespace {

/// Outlines of the components in a list, or of a single one; equal neighbours once, with their number.
std::vector<std::string> outlines(const Registry& registry, const std::string& kind, const SpecNode& node) {
  if (!node.is_list()) return {outline(registry, kind, node)};
  std::vector<std::string> texts;
  for (std::size_t i = 0, same = 0; i < node.items.size(); i += same) {
    const std::string text = outline(registry, kind, node.items[i]);
    for (same = 1; i + same < node.items.size() && outline(registry, kind, node.items[i + same]) == text;) ++same;
    texts.push_back(same > 1 ? fmt::format("{} x {}", same, text) : text);
  }
  return texts;
}

/// A transformer may stand where a bijector is expected.
const ComponentInfo* find_component(const Registry& registry, const std::string& kind, const std::string& name) {
  const RegisteredComponent* found = registry.find(kind, name);
  if (!found && kind == "bijector") found = registry.find("transformer", name);
  return found ? found->info : nullptr;
}

std::string list_outline(const Registry& registry, const SpecNode* node, const char* kind) {
  if (!node || (node->is_list() && node->items.empty()) || node->is_null()) return {};
  return fmt::format("{}", fmt::join(outlines(registry, kind, *node), ", "));
}

template <class T>
std::string splits_text(const DataPipeline<T>& data) {
  std::vector<std::string> parts;
  Index rows = 0;
  for (const Split<T>& split : data.splits()) {
    rows += split.rows();
    parts.push_back(fmt::format("{} {}", split.name, count_text(split.rows())));
  }
  const std::string shares = parts.size() > 1 ? fmt::format(" ({})", fmt::join(parts, ", ")) : std::string();
  return counted(rows, "row") + shares;
}

template <class T>
Index training_rows(const Experiment<T>& experiment) {
  const Split<T>* train = experiment.data ? experiment.data->split("train") : nullptr;
  return train ? train->rows() : 0;
}

template <class T>
std::string training_text(const Registry& registry, const Experiment<T>& experiment) {
  const SpecNode* training = experiment.spec.root.find("training");
  const TrainingSettings& s = experiment.settings;
  const Index rows = training_rows(experiment);
  const Index batch = s.batch_size > 0 && (rows == 0 || s.batch_size < rows) ? s.batch_size : rows;
  std::string text = list_outline(registry, training->find("objective"), "objective");
  text += " by " + list_outline(registry, training->find("optimizer"), "optimizer");
  if (const std::string schedule = list_outline(registry, training->find("schedule"), "schedule"); !schedule.empty())
    text += ", " + schedule;
  text += ", " + counted(s.steps, "step");
  return text + " of " + (batch == rows ? "all " : "") + counted(batch, "row");
}

/// How the fit is watched; nothing if it is not.
std::string validation_text(const TrainingSettings& s) {
  if (s.validate_every == 0) return {};
  std::string text = "every " + counted(s.validate_every, "step");
  if (!s.early_stopping) return text;
  text += "; the best parameters are kept";
  if (s.early_stopping->patience == 0) return text;
  const std::int64_t patience = s.early_stopping->patience;
  if (patience * s.validate_every >= s.steps)
    return text + "; cannot end early: " + count_text(patience) + " looks are " +
           counted(patience * s.validate_every, "step");
  return text + "; ends after " + count_text(patience) + " without an improvement";
}

}  // namespace

std::string outline(const Registry& registry, const std::string& kind, const SpecNode& node) {
  if (!node.is_map() || node.entries.empty()) return node.text;
  const auto& [name, position, fields] = node.entries.front();
  const ComponentInfo* info = find_component(registry, kind, name);
  if (!info || !fields.is_map()) return name;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < info->field_count; ++i) {
    const Field& field = info->fields[i];
    const SpecNode* value = fields.find(field.name);
    if ((field.type != FieldType::component && field.type != FieldType::components) || !value || value->is_null())
      continue;
    for (std::string& part : outlines(registry, field.kind, *value)) parts.push_back(std::move(part));
  }
  return parts.empty() ? name : fmt::format("{}({})", name, fmt::join(parts, ", "));
}

template <class T>
std::string summary_text(const Registry& registry, const Experiment<T>& experiment, std::size_t width) {
  const SpecNode& root = experiment.spec.root;
  TextTable table({{}, {}});
  if (experiment.data) {
    const DataPipeline<T>& data = *experiment.data;
    const SpecNode& section = *root.find("data");
    table.add({"data", fmt::format("{}: {}, columns {}", list_outline(registry, section.find("source"), "dataset"),
                                   splits_text(data), fmt::join(data.columns(), ", "))});
    if (const std::string steps = list_outline(registry, section.find("preprocess"), "preprocess"); !steps.empty())
      table.add({"preprocess", steps});
    if (data.context_size() > 0)
      table.add({"context", fmt::format("{} ({} for the model)", fmt::join(data.context_columns(), ", "),
                                        counted(data.context_size(), "column"))});
  }
  table.add({"model", list_outline(registry, root.find("model"), "distribution")});
  table.add({"parameters", count_text(experiment.model.layout.trainable())});
  table.add({"training", training_text(registry, experiment)});
  if (const std::string text = validation_text(experiment.settings); !text.empty()) table.add({"validation", text});
  table.add(
      {"numbers", fmt::format("{}, seed {}", experiment.spec.float64 ? "float64" : "float32", experiment.spec.seed)});
  return table.to_text(width, 2);
}

template <class T>
nlohmann::ordered_json summary_json(const Registry& registry, const Experiment<T>& experiment) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::object();
  nlohmann::ordered_json columns = nlohmann::ordered_json::array(), context = columns;
  if (experiment.data) {
    for (const Split<T>& split : experiment.data->splits()) rows[split.name] = split.rows();
    columns = experiment.data->columns();
    context = experiment.data->context_columns();
  }
  return {{"rows", rows},
          {"columns", columns},
          {"context_columns", context},
          {"model", list_outline(registry, experiment.spec.root.find("model"), "distribution")},
          {"parameters", experiment.model.layout.trainable()},
          {"steps", experiment.settings.steps},
          {"validate_every", experiment.settings.validate_every},
          {"precision", experiment.spec.float64 ? "float64" : "float32"},
          {"seed", experiment.spec.seed}};
}

#define PUSHFORWARD_SUMMARY(T)                                                           \
  template std::string summary_text(const Registry&, const Experiment<T>&, std::size_t); \
  template nlohmann::ordered_json summary_json(const Registry&, const Experiment<T>&);
PUSHFORWARD_SUMMARY(float)
PUSHFORWARD_SUMMARY(double)
#undef PUSHFORWARD_SUMMARY

}  // namespace pushforward
