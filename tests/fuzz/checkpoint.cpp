// Checkpoints: the safetensors form, the metadata, the spec inside, and the model and training that are filled from it.
#include "io/checkpoint.h"

#include "fuzz/target.h"
#include "io/checksum.h"
#include "support/memory_file.h"
#include "support/session.h"
#include "support/temporary_folder.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

namespace {

constexpr const char* kSpec = R"(seed: 3
data:
  source: {circles: {samples: 40}}
  preprocess: [standardize]
  split: {train: 0.5, validation: 0.5}
model:
  base: normal
  bijectors:
    - coupling: {transformer: affine, network: {mlp: {hidden: [2]}}}
    - permutation: {kind: random}
training: {steps: 4, batch_size: 8, schedule: reduce_on_plateau, averaging: {ema: {decay: 0.9}}, validate_every: 2, early_stopping: {patience: 1}}
)";

/// A run of a few steps, and what is restored into it.
struct Trained {
  Trained() : session(plugins(), kSpec) {
    session.run();
    const auto state = session.experiment.data->state();
    const std::string spec = session.experiment.spec.to_yaml(plugins());
    const TemporaryFolder folder;
    const auto bytes = [&](const Training<float>* training, const DataPipeline<float>::State* data) {
      Checkpoint::capture<float>(session.model, training, data, spec, 4).write(folder / "c");
      return folder.read("c");
    };
    files = {bytes(&session.training, &state), bytes(nullptr, &state), bytes(nullptr, nullptr)};
  }
  Session<float> session;
  std::vector<std::string> files;
};
Trained& trained() {
  static Trained one;
  return one;
}

/// The file with the checksum of what it holds now: damage is to get behind that door.
std::string with_checksum(std::string bytes) {
  constexpr std::string_view kKey = "\"checksum\":\"crc32:";
  constexpr std::size_t kDigits = 8, kLength = 8;
  const std::size_t key = bytes.find(kKey), place = key + kKey.size();
  if (key == bytes.npos || key < kLength || place + kDigits > bytes.size()) return bytes;
  bytes.replace(place, kDigits, kDigits, '0');
  Crc32 checksum;
  checksum.add(std::as_bytes(std::span(bytes).subspan(kLength)));
  return bytes.replace(place, kDigits, checksum.hexadecimal());
}

/// What a later command does with a checkpoint.
bool accepted(const std::string& bytes) {
  const MemoryFile file(bytes);
  Session<float>& session = trained().session;
  try {
    const Checkpoint checkpoint = Checkpoint::read(file.path());
    const auto data = checkpoint.data<float>();
    resolve_spec(plugins(), parse_spec_text(checkpoint.spec(), file.path()));
    checkpoint.restore(session.model);
    checkpoint.restore_result(session.model);
    Training<float> training;
    checkpoint.restore(training, session.model.layout);
    if (data) session.experiment.data->restore(*data);
    return true;
  } catch (const DataError&) {
    // Of the preprocessing's numbers, which belong to other data.
  } catch (const Error& e) {
    // Of the file, of the spec inside, or of the run's own spec, whose preprocessing is not what the numbers are for.
    const std::string message = e.what();
    require(message.find(file.path()) != message.npos || message.starts_with("spec:"), "no file in: " + message);
  }
  return false;
}

}  // namespace

Seeds pushforward::test::seeds() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTokens[] = {"\"F32\""sv,
                                                 "\"F64\""sv,
                                                 "\"I64\""sv,
                                                 "\"BF16\""sv,
                                                 "\"shape\""sv,
                                                 "\"dtype\""sv,
                                                 "\"data_offsets\""sv,
                                                 "[0,8]"sv,
                                                 "[8,0]"sv,
                                                 "[0,18446744073709551615]"sv,
                                                 "[]"sv,
                                                 "{}"sv,
                                                 "null"sv,
                                                 "-1"sv,
                                                 "1e99"sv,
                                                 "9223372036854775807"sv,
                                                 ","sv,
                                                 ":"sv,
                                                 "\""sv,
                                                 "{"sv,
                                                 "}"sv,
                                                 "["sv,
                                                 "]"sv,
                                                 "\"__metadata__\""sv,
                                                 "\"checksum\""sv,
                                                 "state/"sv,
                                                 "averaged/"sv,
                                                 "best/"sv,
                                                 "optimizer/0/"sv,
                                                 "optimizer_step/0"sv,
                                                 "preprocess/1"sv,
                                                 "\\n"sv,
                                                 "\\u0000"sv,
                                                 "\\ud800"sv,
                                                 "\xff"sv,
                                                 "[[[[[[[["sv,
                                                 "{\"a\":{\"a\":{\"a\":"sv,
                                                 "\"step\":\"-1\""sv,
                                                 "\"step\":\"99999999999999999999\""sv,
                                                 "\"precision\":\"float64\""sv,
                                                 "\"format_version\":\"2\""sv,
                                                 "0.5"sv,
                                                 "\0"sv};
  return {.files = trained().files, .tokens = kTokens, .lines = false};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = text_of(data, size);
  input_was_accepted = accepted(bytes);
  if (!input_was_accepted) input_was_accepted = accepted(with_checksum(bytes));
  return 0;
}
