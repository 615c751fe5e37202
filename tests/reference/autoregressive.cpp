// Autoregressive flows with the weights of zuko (MAF, and a neural spline flow): latents, log_dets, densities,
// inverses, and the gradient of the loss with respect to the inputs and to every weight.
#include "support/reference_flow.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

constexpr double kAllowed = 1e-9;
constexpr int kLayers = 2;
constexpr Index kHidden = 16;

/// From base to data; the reference lists its layers from data to base, the second one with its order reversed.
std::string bijectors(const std::string& transformer) {
  const std::string layer =
      "transformer: " + transformer + ", network: {made: {hidden: [16, 16], activation: relu}}, order: ";
  return "[{autoregressive: {" + layer + "reversed}}, {autoregressive: {" + layer + "natural}}]";
}

/// Theirs, for each of our hidden units: they deal degrees out in turn, we keep units of one degree together.
std::vector<Index> hidden_units(Index degrees) {
  std::vector<Index> all;
  for (Index degree = 0; degree < degrees; ++degree)
    for (Index k = degree; k < kHidden; k += degrees) all.push_back(k);
  return all;
}
std::vector<Index> same_units(Index count) {
  std::vector<Index> all;
  for (Index k = 0; k < count; ++k) all.push_back(k);
  return all;
}

struct Tensors {
  std::string ours, theirs;     // the layer's path and prefix
  std::vector<Index> from, to;  // their unit for each of ours

  /// Their weights, outputs x inputs and row by row, in our order: inputs x outputs, column by column.
  std::vector<double> weight(const std::map<std::string, std::vector<double>>& all) const {
    std::vector<double> values;
    for (const Index o : to)
      for (const Index i : from)
        values.push_back(
            all.at(theirs + "weight").at(static_cast<std::size_t>(o) * from.size() + static_cast<std::size_t>(i)));
    return values;
  }
  std::vector<double> bias(const std::map<std::string, std::vector<double>>& all) const {
    std::vector<double> values;
    for (const Index o : to) values.push_back(all.at(theirs + "bias").at(static_cast<std::size_t>(o)));
    return values;
  }
};

std::vector<Tensors> layers(Index size, Index parameters) {
  const std::vector<Index> units = hidden_units(size - 1), inputs = same_units(size),
                           outputs = same_units(size * parameters);
  std::vector<Tensors> all;
  for (int i = 0; i < kLayers; ++i)
    for (int l = 0; l < 3; ++l)
      all.push_back({"bijectors[" + std::to_string(kLayers - 1 - i) + "].autoregressive.network.layers[" +
                         std::to_string(l) + "].",
                     "transform.transforms." + std::to_string(i) + ".hyper." + std::to_string(2 * l) + ".",
                     l == 0 ? inputs : units, l == 2 ? outputs : units});
  return all;
}

void compare(const std::string& name, Index parameters, const std::string& transformer) {
  const Json model = Json::parse(reference_text(name + ".json"));
  const Index size = model["event_size"];
  const std::vector<Tensors> all = layers(size, parameters);
  const auto weights = reference_tensors(name + ".safetensors");
  const auto with_weights = [&](const std::string& kind, const std::string& yaml) {
    auto runner = make_runner(kind, yaml, around(size));
    for (const Tensors& t : all) {
      set_parameter(*runner, t.ours + "weight", t.weight(weights));
      set_parameter(*runner, t.ours + "bias", t.bias(weights));
    }
    CHECK(runner->layout().parameters.size() == 2 * all.size());
    return runner;
  };
  const std::string list = bijectors(transformer);

  const auto chain = with_weights("bijector", "chain: {bijectors: " + list + "}");
  const auto flow = with_weights("distribution", "flow: {base: normal, bijectors: " + list + "}");
  const Response density = compare_flow(model, *chain, *flow, kAllowed);
  const auto gradient = reference_tensors(name + ".grad.safetensors");
  for (const Tensors& t : all) {
    CAPTURE(t.ours);
    CHECK(distance(gradient_of(*flow, density, t.ours + "weight"), t.weight(gradient)) < kAllowed);
    CHECK(distance(gradient_of(*flow, density, t.ours + "bias"), t.bias(gradient)) < kAllowed);
  }
}

}  // namespace

TEST_CASE("the masked autoregressive flow agrees with zuko") { compare("maf", 2, "{affine: {scale: soft_clip}}"); }

TEST_CASE("the autoregressive spline flow agrees with zuko") {
  compare("nsf_autoregressive", 23, "{rational_quadratic_spline: {bins: 8, bound: 5.0, constraint: soft_clip}}");
}
