#include "case.h"

namespace pushforward::testing {

namespace {

Surroundings resized(Surroundings s, Index size) {
  if (s.event_shape.rank() == 1) s.event_shape = Shape{size};
  return s;
}

void add_sizes(std::vector<Variant>& all, bool sizes) {
  if (!sizes) return;
  const Variant first = all.front();
  const Shape& shape = first.surroundings.event_shape;
  if (shape.rank() != 1) return;
  for (const Index size : {Index{1}, Index{2}, Index{5}}) {
    if (size == shape.size()) continue;
    Variant v = first;
    v.resized = true;
    v.surroundings = resized(first.surroundings, size);
    if (v.form == ThetaForm::per_row) v.surroundings.context = first.surroundings.context / shape.size() * size;
    v.label += (v.label.empty() ? "event size " : ", event size ") + std::to_string(size);
    all.push_back(std::move(v));
  }
}

std::vector<Variant> of_transformer(const Subject& subject) {
  const Surroundings& around = subject.surroundings;
  const std::unique_ptr<Runner> probe = make_runner<double>(subject, around, ThetaForm::shared);
  const ThetaColumns columns = theta_columns(probe->component());
  if (columns.raw == 0) return {{"", around, ThetaForm::shared}};
  Surroundings per_row = around;
  per_row.context = around.event_shape.size() * columns.raw;
  std::vector<Variant> all = {{"theta per row", per_row, ThetaForm::per_row},
                              {"shared theta", around, ThetaForm::shared}};
  if (columns.prepared > 0) all.push_back({"prepared theta", around, ThetaForm::prepared});
  return all;
}

/// As the subject says, and masked as an autoregressive map would ask for it: two numbers for each feature.
std::vector<Variant> of_network(const Subject& subject) {
  constexpr Index kPerFeature = 2;
  Surroundings dense = subject.surroundings;
  const Index inputs = dense.network.outputs > 0 ? dense.network.inputs : dense.event_shape.size();
  if (dense.network.outputs == 0) dense.network = {inputs, kPerFeature * inputs, dense.context, {}, {}, {}};
  if (!dense.network.output_degrees.empty()) return {{"", dense, ThetaForm::none}};
  Surroundings masked = dense;
  masked.network.outputs = kPerFeature * inputs;
  masked.network.output_start.clear();
  for (Index j = 0; j < inputs; ++j) {
    masked.network.input_degrees.push_back(j);
    for (Index k = 0; k < kPerFeature; ++k) masked.network.output_degrees.push_back(j);
  }
  std::vector<Variant> all;
  for (const auto& [label, around] : {std::pair{"", dense}, std::pair{"masked", masked}}) {
    const bool is_masked = !around.network.output_degrees.empty();
    try {
      const Built<double> probe = subject.make<double>(around);
      const auto* network = dynamic_cast<const Network<double>*>(probe.component.get());
      if (!is_masked || (network && network->masked())) all.push_back({label, around, ThetaForm::none});
    } catch (const Error&) {
      if (is_masked && all.empty()) throw;  // neither form can be built: that is a finding
    }
  }
  return all;
}

}  // namespace

std::vector<Variant> variants(const Subject& subject, bool sizes) {
  std::vector<Variant> all;
  if (subject.kind == "transformer")
    all = of_transformer(subject);
  else if (subject.kind == "network")
    all = of_network(subject);
  else
    all = {{"", subject.surroundings, ThetaForm::none}};
  add_sizes(all, sizes && (subject.kind == "transformer" || subject.kind == "bijector"));
  return all;
}

}  // namespace pushforward::testing
