// invert: a bijector with its two directions exchanged.
//
// | direction | is |
// | --- | --- |
// | forward | the child's inverse |
// | inverse | the child's forward |
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Invert final : public Bijector<T> {
 public:
  explicit Invert(Build<T>& build) : child_(build.bijector("bijector", build.event_shape())) {
    // The shape given to the child is that of its base side here, but a child is built from its data side's.
    const Shape& shape = build.event_shape();
    if (!(child_->inverse_event_shape(shape) == shape))
      build.fail("bijector", "changes the shape of events, from " + shape.to_string() + " to " +
                                 child_->inverse_event_shape(shape).to_string() +
                                 "; only maps that keep it can be inverted here");
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return child_->inverse(x, pass); }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return child_->forward(y, pass); }

  Shape forward_event_shape(const Shape& base) const override { return child_->inverse_event_shape(base); }
  Shape inverse_event_shape(const Shape& data) const override { return child_->forward_event_shape(data); }
  Support domain() const override { return child_->codomain(); }
  Support codomain() const override { return child_->domain(); }
  Traits traits() const override { return reversed(child_->traits()); }

 private:
  std::unique_ptr<Bijector<T>> child_;
};

constexpr Field kFields[] = {component("bijector", "bijector", kRequired, "what is inverted")};

constexpr Example kExamples[] = {
    {"spline", "invert: {bijector: rational_quadratic_spline}", 3},
    {"coupling",
     "invert: {bijector: {coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: tanh}}}}}", 3, 1},
    {"twice", "invert: {bijector: {invert: {bijector: sinh_arcsinh}}}", 2},
    {"permutation", "invert: {bijector: {permutation: {kind: roll}}}", 3},
};

constexpr const char kDocumentation[] = R"(
`forward` is the child's `inverse` and the other way round, with their log_dets; so are costs, domains and codomains.
Several bijectors at once are inverted as `invert: {bijector: {chain: {bijectors: [...]}}}`, their order included.

For a child with the field `maps`, such as `coupling`, `invert` does what the other value of `maps` does.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Invert>("bijector", "invert", "Another bijector, from data to base", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("invert", "0.1.0", "MIT", kComponents);
