// A neural spline flow of three couplings with the weights of nflows: latents, log_dets, densities, inverses, and the
// gradient of the loss with respect to the inputs and to every weight.
#include "support/reference_flow.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr double kAllowed = 1e-9;
constexpr int kLayers = 3;

/// From base to data; the reference lists its layers from data to base.
std::string bijectors(const Json& architecture) {
  std::string text = "[";
  for (int i = kLayers; i-- > 0;) {
    const Json& layer = architecture["layers"][static_cast<std::size_t>(i)];
    const Json& spline = layer["transformer"];
    text += "{coupling: {network: {mlp: {hidden: [16, 16], activation: relu}}, mask: explicit, features: " +
            layer["identity_features"].dump() +
            ", transformer: {rational_quadratic_spline: {bins: " + spline["bins"].dump() +
            ", bound: " + spline["tail_bound"].dump() + ", minimum_width: " + spline["min_bin_width"].dump() +
            ", minimum_height: " + spline["min_bin_height"].dump() +
            ", minimum_derivative: " + spline["min_derivative"].dump() + "}}}}";
    text += i > 0 ? ", " : "]";
  }
  return text;
}

/// For every parameter of ours the name of theirs. Their weights are outputs x inputs, row by row: ours, column by
/// column.
std::map<std::string, std::string> names() {
  std::map<std::string, std::string> all;
  for (int i = 0; i < kLayers; ++i)
    for (int l = 0; l < 3; ++l)
      for (const char* number : {"weight", "bias"})
        all["bijectors[" + std::to_string(kLayers - 1 - i) + "].coupling.network.layers[" + std::to_string(l) + "]." +
            number] =
            "_transform._transforms." + std::to_string(i) + ".transform_net." + std::to_string(2 * l) + "." + number;
  return all;
}

std::unique_ptr<Runner> with_weights(const std::string& kind, const std::string& yaml) {
  auto runner = make_runner(kind, yaml, around(4));
  const auto weights = reference_tensors("rq_coupling.safetensors");
  for (const auto& [ours, theirs] : names()) set_parameter(*runner, ours, weights.at(theirs));
  CHECK(parameter_paths(*runner).size() == names().size());
  return runner;
}

}  // namespace

TEST_CASE("the spline coupling flow agrees with nflows") {
  const Json model = Json::parse(reference_text("rq_coupling.json"));
  const std::string list = bijectors(model["architecture"]);
  const auto chain = with_weights("bijector", "chain: {bijectors: " + list + "}");
  const auto flow = with_weights("distribution", "flow: {base: normal, bijectors: " + list + "}");
  const Response density = compare_flow(model, *chain, *flow, kAllowed);
  const auto gradient = reference_tensors("rq_coupling.grad.safetensors");
  for (const auto& [ours, theirs] : names()) {
    CAPTURE(ours);
    CHECK(distance(gradient_of(*flow, density, ours), gradient.at(theirs)) < kAllowed);
  }
}
