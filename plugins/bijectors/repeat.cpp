// repeat: a list of bijectors, several times in a row.
//
// | share | what is built | parameters |
// | --- | --- | --- |
// | false | the list anew for every layer i | layers[i].bijectors[j]... |
// | true | the list once, applied `times` times | bijectors[j]... |
#include "pushforward/chain.h"
#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Far beyond every flow that is of use: a slip of the keyboard is an error, not minutes of building.
constexpr Index kMostLayers = 10000;

/// Every layer built anew, from the data to the base, as shapes are handed on. Children are told how many layers
/// come before theirs, those of repeats around this one included.
template <class T>
std::unique_ptr<Bijector<T>> build_layers(Build<T>& build, Index times) {
  std::vector<std::unique_ptr<Bijector<T>>> layers(static_cast<std::size_t>(times));
  Surroundings around = build.surroundings();
  for (Index i = times; i-- > 0;) {
    around.repetition = build.repetition() * times + i;
    auto& layer = layers[static_cast<std::size_t>(i)];
    layer = build.chain("bijectors", around, std::string("layers[") + std::to_string(i) + "]");
    around.event_shape = layer->inverse_event_shape(around.event_shape);
  }
  return std::make_unique<Chain<T>>(std::move(layers));
}

/// One list, applied several times.
template <class T>
class Shared final : public Bijector<T> {
 public:
  Shared(Build<T>& build, Index times) : applied_(times) {
    // Children add their own id to the salt: an odd multiplier of this repeat's own keeps all sums apart, also those
    // of a shared repeat within another.
    salt_ = 0x9E3779B9u * (2 * build.id().value + 1);
    body_ = build.chain("bijectors", build.surroundings());
    const Shape base = body_->inverse_event_shape(build.event_shape());
    if (!(base == build.event_shape()))
      build.fail("share", "is for bijectors that keep the shape of events; these change " + base.to_string() + " to " +
                              build.event_shape().to_string());
    const Support from = body_->domain(), to = body_->codomain();
    if (!from.contains(to) || !to.contains(from))
      build.fail("share",
                 "is for bijectors that map a set to itself; these map " + text_of(from) + " to " + text_of(to));
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    Mapped<T> m = body_->forward(x, pass);
    for (Index i = 1; i < applied_; ++i) m = after(m, body_->forward(m.value, layer_pass(pass, i)));
    return m;
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    Mapped<T> m = body_->inverse(y, layer_pass(pass, applied_ - 1));
    for (Index i = applied_ - 1; i-- > 0;) m = after(m, body_->inverse(m.value, layer_pass(pass, i)));
    return m;
  }

  Shape forward_event_shape(const Shape& base) const override { return body_->forward_event_shape(base); }
  Shape inverse_event_shape(const Shape& data) const override { return body_->inverse_event_shape(data); }
  Support domain() const override { return body_->domain(); }
  Support codomain() const override { return body_->codomain(); }
  // Whatever holds for one map holds for several of it in a row.
  Traits traits() const override { return body_->traits(); }

 private:
  static std::string text_of(const Support& s) {
    return std::string("[") + std::to_string(s.lower) + ", " + std::to_string(s.upper) + "]";
  }
  static Mapped<T> after(const Mapped<T>& before, const Mapped<T>& m) { return {m.value, before.log_det + m.log_det}; }
  /// Tied layers draw numbers of their own; layer i the same ones in both directions.
  const Pass<T>& layer_pass(const Pass<T>& pass, Index i) const {
    return i == 0 ? pass : pass.with_salt(static_cast<std::uint32_t>(i) * salt_);
  }

  std::unique_ptr<Bijector<T>> body_;
  Index applied_;
  std::uint32_t salt_ = 0;
};

/// Layers that are built anew are core's own chain, as if each stood in the list of the flow.
template <class T>
ComponentBase* make(Build<T>& build) {
  const Index times = build.integer("times");
  if ((build.repetition() + 1) * times > kMostLayers)
    build.fail("times", "and those of the repeats around it make more than " + std::to_string(kMostLayers) +
                            " layers; give smaller numbers");
  if (build.boolean("share")) return new Shared<T>(build, times);
  return build_layers(build, times).release();
}

constexpr Field kFields[] = {
    integer("times", kRequired, "how many layers").at_least(1).at_most(static_cast<double>(kMostLayers)),
    components("bijectors", "bijector", kRequired, "one layer, from base to data"),
    boolean("share", "false", "all layers have the same parameters; the bijectors are built once"),
};

constexpr Example kExamples[] = {
    {"couplings",
     "repeat: {times: 3, bijectors: [{coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: "
     "tanh}}}}]}",
     3},
    {"share",
     "repeat: {times: 3, share: true, bijectors: [affine, {coupling: {transformer: affine, network: {mlp: {hidden: "
     "[8], "
     "activation: tanh}}}}, {permutation: {kind: flip}}]}",
     2, 1},
    {"nested",
     "repeat: {times: 2, bijectors: [{repeat: {times: 2, bijectors: [affine]}}, {permutation: {kind: roll}}]}", 3},
};

constexpr const char kDocumentation[] = R"(
`repeat: {times: 8, bijectors: [A, B]}` is the list `A, B, A, B, ...`, eight times, from base to data. Every layer has
numbers of its own, under `layers[i].bijectors[j]`, and knows its index: the masks of couplings alternate. In nested
repeats, layers are counted through.

With `share: true` the list is built once, under `bijectors[j]`, and applied `times` times, as a recurrent network is:
gradients of all layers add up, random layers draw anew in each, and masks do not alternate. It must then keep the
shape of events and map its domain to itself.
)";

constexpr ComponentInfo kComponents[] = {
    {"bijector", "repeat", "A list of bijectors several times, built anew or shared", kFields, std::size(kFields),
     kExamples, std::size(kExamples), &make<float>, &make<double>, kDocumentation}};

}  // namespace

PUSHFORWARD_PLUGIN("repeat", "0.1.0", "MIT", kComponents);
