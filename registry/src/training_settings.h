// The numbers of `training:`, out of a resolved spec.
#pragma once

#include "pushforward/registry/experiment.h"

namespace pushforward {

/// `training_rows`: 0 if there are no data; `validation_rows`: whether there are any. Throws SpecError if the batch is
/// larger than the data.
TrainingSettings training_settings(const SpecNode& training, Index training_rows, bool validation_rows);

/// A model that couples rows sees the whole batch as one shard: says so in the settings and in the resolved spec.
/// Throws SpecError if the spec asks for smaller shards.
void use_one_shard(TrainingSettings& settings, SpecNode& training, Index training_rows, const std::string& component);

}  // namespace pushforward
