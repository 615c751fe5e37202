#include "training_settings.h"

#include <algorithm>

#include "problem_text.h"
#include "scalars.h"

namespace pushforward {

namespace {

constexpr double kMinute = 60;

/// A number, or 0 where a word stands for it or the field is left out.
std::int64_t integer_or_zero(const SpecNode& section, const char* field) {
  const SpecNode* node = section.find(field);
  return node ? parse_integer(node->text).value_or(0) : 0;
}

/// Steps between two looks at the validation rows where the spec does not say: as many as between reports, but so few
/// that a tenth of the run without an improvement exhausts the patience of early stopping.
std::int64_t looks(const TrainingSettings& settings) {
  constexpr std::int64_t kTenth = 10;
  if (!settings.early_stopping || settings.early_stopping->patience == 0) return settings.report_every;
  const std::int64_t few = settings.steps / (kTenth * settings.early_stopping->patience);
  return std::clamp<std::int64_t>(few, 1, settings.report_every);
}

double real_or_zero(const SpecNode* node) { return node ? parse_real(node->text).value_or(0) : 0; }

}  // namespace

TrainingSettings training_settings(const SpecNode& training, Index training_rows, bool validation_rows) {
  TrainingSettings settings;
  settings.batch_size = integer_or_zero(training, "batch_size");
  if (training_rows > 0 && settings.batch_size > training_rows)
    throw SpecError(problem_text(training.find("batch_size")->position,
                                 "training.batch_size is " + std::to_string(settings.batch_size) +
                                     ", but there are only " + std::to_string(training_rows) +
                                     " training rows; give a smaller number, or `all`"));
  const std::int64_t batch = settings.batch_size > 0 ? settings.batch_size : training_rows;
  const std::int64_t epochs = integer_or_zero(training, "epochs");
  settings.steps =
      epochs > 0 && batch > 0 ? epochs * ((training_rows + batch - 1) / batch) : integer_or_zero(training, "steps");
  settings.lanes = static_cast<int>(integer_or_zero(training, "lanes"));
  settings.shard_rows = integer_or_zero(training, "shard_rows");
  settings.clip_norm = real_or_zero(training.find("clip"));
  if (const SpecNode* averaging = training.find("averaging"))
    settings.ema_decay = real_or_zero(averaging->find("ema")->find("decay"));
  if (const SpecNode* stopping = training.find("early_stopping"))
    settings.early_stopping = {.patience = integer_or_zero(*stopping, "patience"),
                               .minimum_improvement = real_or_zero(stopping->find("minimum_improvement"))};
  settings.report_every = integer_or_zero(training, "report_every");
  settings.validate_every = integer_or_zero(training, "validate_every");
  if (validation_rows && training.find("validate_every")->text == "auto") settings.validate_every = looks(settings);
  settings.checkpoint_every = integer_or_zero(training, "checkpoint_every");
  if (training.find("checkpoint_every")->text == "auto") settings.checkpoint_seconds = kMinute;
  return settings;
}

void use_one_shard(TrainingSettings& settings, SpecNode& training, Index training_rows, const std::string& component) {
  const Index batch = settings.batch_size > 0 ? settings.batch_size : training_rows;
  if (batch == 0) return;
  const Index one = round_up(batch, kPadding);
  SpecNode& written = *training.find("shard_rows");
  if (settings.shard_rows > 0 && settings.shard_rows < batch)
    throw SpecError(problem_text(written.position, "training.shard_rows is " + std::to_string(settings.shard_rows) +
                                                       ", but " + component + " couples the rows of a batch, so all " +
                                                       std::to_string(batch) +
                                                       " are one shard; remove it, or give at least as many"));
  settings.shard_rows = one;
  written.text = std::to_string(one);
}

}  // namespace pushforward
