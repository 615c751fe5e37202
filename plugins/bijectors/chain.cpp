// chain: a list of bijectors as one, for places that take one: `invert`, a field of a component.
#include "pushforward/chain.h"

#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Core's own class; around the list even if it holds one bijector, which is a component of its own.
template <class T>
ComponentBase* make(Build<T>& build) {
  std::vector<std::unique_ptr<Bijector<T>>> parts;
  parts.push_back(build.chain("bijectors", build.surroundings()));
  return new Chain<T>(std::move(parts));
}

constexpr Field kFields[] = {components("bijectors", "bijector", kRequired, "from base to data, one or more")};

constexpr Example kExamples[] = {
    {"three",
     "chain: {bijectors: [affine, {permutation: {kind: flip}}, {coupling: {transformer: affine, network: {mlp: "
     "{hidden: "
     "[8], activation: tanh}}}}]}",
     3, 1},
    {"one", "chain: {bijectors: [rational_quadratic_spline]}", 2},
};

constexpr const char kDocumentation[] = R"(
`forward` applies the bijectors in the order of the list, from base to data; `inverse` inverts them from the last to
the first. log_dets are added. The list of a flow, `bijectors: [...]`, is a chain without this name; the name is for
places that take one bijector, as in `invert: {bijector: {chain: {bijectors: [...]}}}`.
)";

constexpr ComponentInfo kComponents[] = {{"bijector", "chain", "A list of bijectors as one", kFields,
                                          std::size(kFields), kExamples, std::size(kExamples), &make<float>,
                                          &make<double>, kDocumentation}};

}  // namespace

PUSHFORWARD_PLUGIN("chain", "0.1.0", "MIT", kComponents);
