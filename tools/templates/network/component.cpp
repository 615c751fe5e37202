// my_name: x A + tanh(x W + b) V + c, a linear map beside a layer of hidden units.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | hidden_weight, hidden_bias | inputs x hidden, 1 x hidden | W, b |
// | output_weight, output_bias | hidden x outputs, 1 x outputs | V, c |
// | skip_weight | inputs x outputs | A |
//
// Inputs are the network's inputs, then the context. (Here: where the network was published.)
#include <cmath>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public Network<T> {
 public:
  explicit MyName(Build<T>& build) : inputs_(build.network_shape().inputs), context_(build.network_shape().context) {
    const NetworkShape& shape = build.network_shape();
    const Index seen = inputs_ + context_, hidden = build.integer("hidden");
    // Where the parent gives an output to start at (a flow starts as the identity), everything else starts at 0.
    const bool given = !shape.output_start.empty();
    output_bias_ = build.parameter("output_bias", 1, shape.outputs,
                                   given ? Initial::values(shape.output_start) : Initial::constant(0), Role::bias);
    if (seen == 0) return;
    const auto weight = [&](const char* name, Index from, Index to, bool zero) {
      const double bound = 1 / std::sqrt(static_cast<double>(from));
      return build.parameter(name, from, to, zero ? Initial::constant(0) : Initial::uniform(-bound, bound),
                             Role::weight);
    };
    hidden_weight_ = weight("hidden_weight", seen, hidden, false);
    hidden_bias_ = build.parameter("hidden_bias", 1, hidden, Initial::constant(0), Role::bias);
    output_weight_ = weight("output_weight", hidden, shape.outputs, given);
    skip_weight_ = weight("skip_weight", seen, shape.outputs, given);
  }

  Var<T> operator()(Var<T> x, const Pass<T>& pass) const override {
    require_columns("my_name", x ? x.columns() : 0, inputs_);
    const Var<T> bias = pass(output_bias_);
    if (inputs_ + context_ == 0) return x ? repeat_rows(bias, x.rows()) : bias;  // a constant
    const Var<T> seen = beside_context("my_name", x, context_, pass);
    const Var<T> units = dense(seen, pass(hidden_weight_), pass(hidden_bias_), Activation::tanh);
    return dense(units, pass(output_weight_), bias, Activation::none) + matmul(seen, pass(skip_weight_));
  }

 private:
  Index inputs_, context_;
  Parameter hidden_weight_, hidden_bias_, output_weight_, output_bias_, skip_weight_;
};

constexpr Field kFields[] = {
    integer("hidden", "32", "hidden units").at_least(1),
};

// Every example gets every check of the conformance kit: name, spec, inputs, columns of the context.
constexpr Example kExamples[] = {
    {"default", "my_name", 3},
    {"conditional", "my_name: {hidden: 8}", 2, 2},
};

constexpr const char kDocumentation[] = R"(
`x A + tanh(x W + b) V + c`. `W`, `V` and `A` start uniform on `[-1/sqrt(n), 1/sqrt(n)]` with n the rows of each, the
biases at 0. Where the network's parent gives an output to start at, `V` and `A` start at 0 and `c` at that output.
)";

constexpr ComponentInfo kComponents[] = {describe<MyName>(
    "network", "my_name", "A linear map beside a layer of tanh units", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
