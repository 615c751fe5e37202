#include "conditioning.h"

#include <fmt/format.h>

namespace pushforward {

Conditioning conditioning_of(const ResolvedSpec& spec) {
  Conditioning conditioning;
  const SpecNode* data = spec.root.find("data");
  const SpecNode* context = data ? data->find("context") : nullptr;
  if (!context) return conditioning;
  if (const SpecNode* columns = context->find("columns"))
    for (const SpecNode& column : columns->items) conditioning.columns.push_back(column.text);
  if (const SpecNode* labels = context->find("labels")) {
    conditioning.columns.push_back(labels->text);
    conditioning.classes = std::stoll(context->find("classes")->text);
  }
  return conditioning;
}

std::string condition_options(const Conditioning& conditioning, const std::string& value) {
  if (conditioning.classes > 0) return fmt::format("--label 0 (to {})", conditioning.classes - 1);
  std::string options;
  for (const std::string& column : conditioning.columns)
    options += fmt::format("{}--condition {}={}", options.empty() ? "" : " ", column, value);
  return options;
}

}  // namespace pushforward
