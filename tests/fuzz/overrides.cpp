// `--set PATH=VALUE`, one a line: whatever they hold, the spec under them is valid or a problem names what is wrong.
#include <sstream>

#include "fuzz/target.h"
#include "support/components.h"
#include "support/spec_refusals.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

namespace {

/// Something at every kind of place: sections, groups, lists, components in components, a transformer for a bijector.
constexpr const char* kSpec = R"(data:
  source: {csv: {text: "x,y\n1,2\n3,5\n4,1\n2,2\n"}}
  preprocess: [standardize]
  split: {train: 0.5, validation: 0.5}
model:
  base: {mixture: {parts: [{normal: {mean: 1}}, {normal: {}}]}}
  bijectors:
    - repeat: {times: 2, bijectors: [{coupling: {transformer: affine, network: {mlp: {hidden: [4]}}}}, affine]}
    - invert: {bijector: sinh_arcsinh}
    - elementwise: {transformer: {affine: {scale: soft_clip}}}
training:
  steps: 10
  optimizer: {adam: {beta1: 0.8}}
  schedule: {warmup: {steps: 3, then: cosine}}
  groups: [{match: "model.base.*", learning_rate: 0.1}]
)";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

Seeds pushforward::test::seeds() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTokens[] = {"["sv,
                                                 "]"sv,
                                                 "."sv,
                                                 "="sv,
                                                 "\n"sv,
                                                 "[0]"sv,
                                                 "[9223372036854775808]"sv,
                                                 "[-1]"sv,
                                                 "model"sv,
                                                 "training"sv,
                                                 ".base"sv,
                                                 ".bijectors"sv,
                                                 ".network"sv,
                                                 ".transformer"sv,
                                                 ".elementwise"sv,
                                                 ".flow"sv,
                                                 ".bijector"sv,
                                                 ".component"sv,
                                                 ".optimizer"sv,
                                                 ".groups"sv,
                                                 "={affine: {}}"sv,
                                                 "=[1, 2]"sv,
                                                 "=null"sv,
                                                 "={}"sv,
                                                 "=&a [*a]"sv,
                                                 "='"sv};
  return {
      .files = {"training.steps=20\nseed=7\nprecision=float64\n", "model.bijectors[0].times=3\n",
                "model.bijectors[0].repeat.bijectors[0].coupling.network.mlp.hidden[0]=8\n",
                "model.bijectors[1].invert.bijector={affine: {slope: 0.5}}\n",
                "model.bijectors[2].elementwise.transformer.affine.slope=0.5\n",
                "model.base={base: normal, bijectors: "
                "[affine]}\nmodel.base.bijectors[0].elementwise.transformer.affine.slope=0.5\n",
                "training.groups[0].match=model.bijectors.*\ntraining.optimizer.adam.beta1=0.5\n",
                "data.source.csv.columns=[x]\ndata.preprocess=[]\nplugins=[]\n",
                "model.base.mixture.parts[0].normal.mean={learnable: 0.5}\n", "data.split.test=0\n",
                "model.base.mixture.parts[0].normal.mean={network: mlp}\ndata.context={columns: [x]}\n"
                "model.base.mixture.parts[0].normal.mean.network={mlp: {hidden: [2]}}\n",
                "data.context={columns: [x]}\nmodel.context.network={mlp: {hidden: [2]}}\nmodel.context.features=3\n",
                "model.base.mixture.parts[1].normal.mean={network: mlp}\ndata.context={columns: [x]}\n"
                "model.base.mixture.parts[1].normal.mean.network.mlp.hidden=[3, 3]\n"},
      .tokens = kTokens};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string> overrides = lines_of(text_of(data, size));
  SpecNode root = parse_spec_text(kSpec, "spec.yaml");
  try {
    plugin_folders(root, overrides);
    const std::string written = resolve_spec(plugins(), std::move(root), overrides).to_yaml(plugins());
    const std::string again = resolve_spec(plugins(), parse_spec_text(written, "spec")).to_yaml(plugins());
    require(again == written, "a valid spec is another one when it is read again:\n" + written);
    input_was_accepted = true;
  } catch (const SpecError& e) {
    const std::string message = e.what();
    require(message.starts_with("--set ") || message.starts_with("spec.yaml:"),
            "a message without a place: " + message);
    require(message.find("error: ") != message.npos, "a message that is no error: " + message);
  }
  return 0;
}
