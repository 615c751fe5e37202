// mlp: dense layers with an activation between them.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | layers[i].weight | inputs x outputs | used as x * weight |
// | layers[i].bias | 1 x outputs | added to every row |
//
// The first layer's inputs are the network's inputs, then the context.
//
// Start: LeCun, Bottou, Orr and Mueller, "Efficient BackProp", 1998, in the uniform form that PyTorch made common.
#include <cmath>

#include "pushforward/activation_name.h"
#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class Mlp final : public Network<T> {
 public:
  explicit Mlp(Build<T>& build)
      : activation_(activation_of(build.text("activation"))),
        inputs_(build.network_shape().inputs),
        context_(build.network_shape().context) {
    const NetworkShape& shape = build.network_shape();
    std::vector<Index> widths = build.integers("hidden");
    if (sees_nothing()) widths.clear();
    widths.push_back(shape.outputs);
    Index fan_in = inputs_ + context_;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool given = i + 1 == widths.size() && !shape.output_start.empty();
      layers_.push_back(layer(build, i, fan_in, widths[i], given ? &shape.output_start : nullptr));
      fan_in = widths[i];
    }
  }

  Var<T> operator()(Var<T> x, const Pass<T>& pass) const override {
    require_columns("mlp", x ? x.columns() : 0, inputs_);
    if (sees_nothing()) {
      const Var<T> constant = pass(layers_.back().bias);
      return x ? repeat_rows(constant, x.rows()) : constant;
    }
    Var<T> h = beside_context("mlp", x, context_, pass);
    for (const Layer& l : layers_)
      h = dense(h, pass(l.weight), pass(l.bias), &l == &layers_.back() ? Activation::none : activation_);
    return h;
  }

 private:
  struct Layer {
    Parameter weight, bias;
  };

  static Layer layer(Build<T>& build, std::size_t i, Index inputs, Index outputs, const std::vector<double>* start) {
    const double bound = inputs > 0 ? 1 / std::sqrt(static_cast<double>(inputs)) : 0;
    const std::string name = "layers[" + std::to_string(i) + "].";
    Layer l;
    if (inputs > 0)
      l.weight = build.parameter(name + "weight", inputs, outputs,
                                 start ? Initial::constant(0) : Initial::uniform(-bound, bound), Role::weight);
    l.bias = build.parameter(name + "bias", 1, outputs,
                             start ? Initial::values(*start) : Initial::uniform(-bound, bound), Role::bias);
    return l;
  }

  /// A network of nothing is a constant: its last bias, and no hidden layers.
  bool sees_nothing() const { return inputs_ + context_ == 0; }

  Activation activation_;
  Index inputs_, context_;
  std::vector<Layer> layers_;
};

constexpr Field kFields[] = {
    integers("hidden", "[64, 64]", "units of each hidden layer; an empty list makes the network one linear layer")
        .at_least(1),
    choice("activation", "relu", "relu|tanh|sigmoid|silu|softplus|elu|leaky_relu",
           "after every layer but the last; all but relu, elu and leaky_relu are smooth"),
};

constexpr Example kExamples[] = {
    {"default", "mlp", 3},
    {"conditional", "mlp: {hidden: [8], activation: tanh}", 2, 2},
    {"sigmoid", "mlp: {hidden: [8, 8, 8], activation: sigmoid}", 3},
    {"silu", "mlp: {hidden: [16], activation: silu}", 3},
    {"softplus", "mlp: {hidden: [16], activation: softplus}", 3},
    {"elu", "mlp: {hidden: [16], activation: elu}", 3},
    {"leaky_relu", "mlp: {hidden: [16], activation: leaky_relu}", 3},
    {"linear", "mlp: {hidden: []}", 3, 1},
};

constexpr const char kDocumentation[] = R"(
`h_0 = [x, context]`, `h_i = a(h_{i-1} W_i + b_i)`, output `h_{L-1} W_L + b_L`: W is inputs x outputs, the transpose
of what PyTorch stores. The context's columns come after those of x.

Weights and biases start uniform on `[-1/sqrt(n), 1/sqrt(n)]` with n the layer's inputs, as those of `torch.nn.Linear`
do. Where the network's parent gives an output to start at (a coupling starts as the identity), the last weights start
at zero and the last bias at that output. `elu` is `x` or `exp(x) - 1`; `leaky_relu` has the slope 0.01 below zero.

Y. LeCun, L. Bottou, G. B. Orr, K.-R. Mueller, Efficient BackProp, in Neural Networks: Tricks of the Trade, 1998.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Mlp>("network", "mlp", "Multi-layer perceptron: dense layers with an activation between them", kFields,
                  kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("mlp", "0.1.0", "MIT", kComponents);
