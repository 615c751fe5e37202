#include "builtin.h"

#include "pushforward/chain.h"

namespace pushforward {

namespace {

template <class T>
ComponentBase* make_flow(Build<T>& build) {
  std::unique_ptr<Bijector<T>> bijector = build.chain("bijectors", build.surroundings());
  const Shape base_shape = bijector->inverse_event_shape(build.event_shape());
  return new Flow<T>(build.distribution("base", base_shape), std::move(bijector), build.event_shape());
}

constexpr Field kFlowFields[] = {
    component("base", "distribution", kRequired, "where the samples start"),
    components("bijectors", "bijector", kRequired, "the maps that they go through, from base to data"),
};

constexpr Example kFlowExamples[] = {
    {"default", "flow: {base: normal, bijectors: [{elementwise: {transformer: affine}}]}", 2},
    {"nested", "flow: {base: {flow: {base: normal, bijectors: [affine]}}, bijectors: [affine]}", 2},
};

constexpr const char kFlowDocumentation[] = R"(
`log p(y) = log p_base(inverse(y)) + log_det_inverse(y)`. A flow is a distribution, so it can be a base, a part of a
mixture or the model itself. Wherever a distribution is expected, `{base: ..., bijectors: [...]}` is short for it.
)";

constexpr ComponentInfo kComponents[] = {
    {"distribution", "flow", "A base distribution pushed forward through bijectors", kFlowFields,
     std::size(kFlowFields), kFlowExamples, std::size(kFlowExamples), &make_flow<float>, &make_flow<double>,
     kFlowDocumentation},
};

}  // namespace

std::span<const ComponentInfo> builtin_components() { return kComponents; }

}  // namespace pushforward
