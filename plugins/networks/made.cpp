// made: dense layers with masks, so that each output depends on those inputs alone that come before it.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | layers[i].weight | inputs x outputs | used as x * (weight * mask) |
// | layers[i].bias | 1 x outputs | added to every row |
//
// The first layer's inputs are the context, then the network's inputs. Who comes before whom is said by degrees, which
// the network's parent gives to its inputs and outputs.
//
// Germain, Gregor, Murray and Larochelle, "MADE: masked autoencoder for distribution estimation", ICML 2015.
#include <algorithm>
#include <cmath>

#include "pushforward/activation_name.h"
#include "pushforward/linear_algebra.h"
#include "pushforward/masked_dense.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Outputs of a block of a masked product: narrower ones skip more zeros, and multiply more slowly.
constexpr Index kBlockWidth = 64;

/// Neighbouring columns.
struct Run {
  Index first = 0, count = 0;
};

/// Neighbouring units of one degree, and the run of units in the layer before outside of which they see nothing.
struct Stage {
  Index degree = 0;
  Run own, seen;
};

template <class T>
struct Layer {
  Parameter weight, bias, masked;  // masked: weight * mask, once a step
  std::vector<T> mask;
  std::vector<MaskBlock> blocks;
  std::vector<Stage> stages;

  Index inputs() const { return weight.rows; }
};

/// A unit sees those of the layer before whose degree is at most its own.
std::vector<Stage> stages(const std::vector<Index>& from, const std::vector<Index>& to) {
  std::vector<Stage> all;
  for (std::size_t o = 0; o < to.size(); ++o) {
    if (all.empty() || all.back().degree != to[o]) {
      const MaskBlock seen = degree_blocks(from, std::span(to).subspan(o, 1), 1).front();
      all.push_back({to[o], {static_cast<Index>(o), 0}, {seen.first_input, seen.inputs}});
    }
    ++all.back().own.count;
  }
  return all;
}

/// Degrees at which something is seen that was not before, and that some output may know of. Hidden units of another
/// degree would repeat what others do, or help nobody.
std::vector<Index> useful_degrees(const std::vector<Index>& inputs, const std::vector<Index>& outputs) {
  std::vector<Index> all;
  if (outputs.empty()) return all;
  const Index highest = *std::max_element(outputs.begin(), outputs.end());
  std::copy_if(inputs.begin(), inputs.end(), std::back_inserter(all), [highest](Index d) { return d <= highest; });
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// A layer's units over these degrees, in their order. Where they are fewer than the degrees, from the lowest to the
/// highest, so that the last output sees all inputs that it may.
std::vector<Index> spread(const std::vector<Index>& degrees, Index units) {
  const auto count = static_cast<Index>(degrees.size());
  std::vector<Index> all;
  for (Index k = 0; k < units; ++k) {
    const Index place = units >= count ? k * count / units : units > 1 ? k * (count - 1) / (units - 1) : count / 2;
    all.push_back(degrees[static_cast<std::size_t>(place)]);
  }
  return all;
}

template <class T>
class Made final : public Network<T>, public MaskedNetwork<T> {
 public:
  explicit Made(Build<T>& build)
      : activation_(activation_of(build.text("activation"))),
        inputs_(build.network_shape().inputs),
        context_(build.network_shape().context),
        masked_(!build.network_shape().output_degrees.empty()),
        input_degrees_(build.network_shape().input_degrees) {
    // A dense network is one whose inputs all come before its outputs.
    std::vector<Index> outputs = build.network_shape().output_degrees;
    if (!masked_) {
      input_degrees_.assign(static_cast<std::size_t>(inputs_), 0);
      outputs.assign(static_cast<std::size_t>(build.network_shape().outputs), 1);
    }
    // Outputs count as units that see what is at most one below them; the context comes before everything.
    for (Index& d : outputs) --d;
    std::vector<Index> inputs = input_degrees_;
    inputs.insert(inputs.begin(), static_cast<std::size_t>(context_),
                  outputs.empty() ? 0 : *std::min_element(outputs.begin(), outputs.end()));
    add_layers(build, std::move(inputs), outputs);
  }

  void prepare(StepPass<T>& step) const override {
    for (const Layer<T>& l : layers_)
      if (l.inputs() > 0)
        step.set(l.masked,
                 step.pass(l.weight) * step.tape.constant(compact(l.mask.data(), l.weight.rows, l.weight.columns)));
  }

  Var<T> operator()(Var<T> x, const Pass<T>& pass) const override {
    require_columns("made", x ? x.columns() : 0, inputs_);
    const Layer<T>& last = layers_.back();
    if (sees_nothing()) return x ? repeat_rows(pass(last.bias), x.rows()) : pass(last.bias);
    Var<T> h = beside(x, pass);
    for (const Layer<T>& l : layers_)
      h = masked_dense<T>(h, pass(l.masked), pass(l.bias), &l == &last ? Activation::none : activation_, l.blocks);
    return h;
  }

  const MaskedNetwork<T>* masked() const override { return masked_ ? this : nullptr; }
  StepperPointer<T> start(Index rows, const Pass<T>& pass) const override {
    return make_in_arena<Steps>(pass.tape, *this, rows, pass);
  }

 private:
  void add_layers(Build<T>& build, std::vector<Index> from, const std::vector<Index>& outputs) {
    const std::vector<Index> degrees = useful_degrees(from, outputs);
    if (degrees.empty()) from.clear();
    for (const Index width : build.integers("hidden")) {
      if (degrees.empty()) break;
      std::vector<Index> units = spread(degrees, width);
      add_layer(build, from, units, {});
      from = std::move(units);
    }
    add_layer(build, from, outputs, build.network_shape().output_start);
  }

  void add_layer(Build<T>& build, const std::vector<Index>& from, const std::vector<Index>& to,
                 const std::vector<double>& start) {
    const auto rows = static_cast<Index>(from.size()), columns = static_cast<Index>(to.size());
    const std::string name = "layers[" + std::to_string(layers_.size()) + "].";
    const double bound = rows > 0 ? 1 / std::sqrt(static_cast<double>(rows)) : 0;
    const Initial random = Initial::uniform(-bound, bound);
    Layer<T> l;
    if (rows > 0) {
      l.weight =
          build.parameter(name + "weight", rows, columns, start.empty() ? random : Initial::constant(0), Role::weight);
      l.masked = build.derived(name + "masked", rows, columns);
    }
    l.bias = build.parameter(name + "bias", 1, columns, start.empty() ? random : Initial::values(start), Role::bias);
    l.mask = degree_mask<T>(from, to);
    l.blocks = degree_blocks(from, to, kBlockWidth);
    l.stages = stages(from, to);
    layers_.push_back(std::move(l));
  }

  /// A network of nothing is a constant: its last bias, and no hidden layers.
  bool sees_nothing() const { return layers_.back().inputs() == 0; }

  /// The context and x, in this order: what every unit may see comes first.
  Var<T> beside(Var<T> x, const Pass<T>& pass) const {
    if (context_ == 0) return x;
    const Var<T> context = beside_context("made", Var<T>(), context_, pass);
    return inputs_ > 0 ? concatenate({context, x}) : context;
  }

  /// Keeps the column of every unit: of the first layer's inputs, and of each hidden layer. What is not known yet is
  /// zero, and so are the weights with which known units see it.
  class Steps final : public Stepper<T> {
   public:
    Steps(const Made& made, Index rows, const Pass<T>& pass)
        : made_(made),
          pass_(pass),
          rows_(rows),
          layers_(static_cast<Index>(made.layers_.size())),
          weights_(pass.tape.template scratch<Block<const T>>(layers_)),
          biases_(pass.tape.template scratch<Block<const T>>(layers_)),
          units_(zeros()) {
      for (Index l = 0; l < layers_; ++l) {
        weights_[l] = layer(l).inputs() > 0 ? pass(layer(l).masked).value() : Block<const T>{};
        biases_[l] = pass(layer(l).bias).value();
      }
      if (made.context_ == 0) return;
      const Var<T> context = beside_context("made", Var<T>(), made.context_, pass);
      for (Index j = 0; j < made.context_; ++j) copy(context.value().column(j), units_[0].column(j));
    }

    Block<const T> advance(Index degree, Block<const T> x) override {
      for_inputs(degree - 1, [&](Index given, Index column) { copy(x.column(given), units_[0].column(column)); });
      Block<T> result{};
      for (Index l = 0; l < layers_; ++l) {
        const bool last = l + 1 == layers_;
        if (last) result = pass_.tape.block(rows_, width(l, degree - 1));
        Index done = 0;
        for_stages(l, degree - 1, [&](const Stage& s) {
          const Block<T> y = last ? result.middle_columns(done, s.own.count) : part(units_[l + 1], s.own);
          dense_values<T>(part(units_[l], s.seen), weights(l, s), part(biases_[l], s.own),
                          last ? Activation::none : made_.activation_, y);
          done += s.own.count;
        });
      }
      return result;
    }

    Block<const T> retreat(Index degree, Block<const T> outputs_bar) override {
      if (!bars_) bars_ = zeros();
      for (Index l = layers_; l-- > 0;) {
        Index done = 0;
        for_stages(l, degree - 1, [&](const Stage& s) {
          Block<const T> bar = outputs_bar.middle_columns(done, s.own.count);
          if (l + 1 < layers_) {
            // Whoever sees these units has been here.
            activation_gradient<T>(made_.activation_, part(units_[l + 1], s.own), part(bars_[l + 1], s.own));
            bar = part(bars_[l + 1], s.own);
          }
          if (s.seen.count > 0) gemm<T>(false, true, bar, weights(l, s), T(1), part(bars_[l], s.seen));
          done += s.own.count;
        });
      }
      const Block<T> result =
          pass_.tape.block(rows_, std::count(made_.input_degrees_.begin(), made_.input_degrees_.end(), degree - 1));
      if (made_.sees_nothing())
        for (Index j = 0; j < result.columns; ++j) std::fill_n(result.column(j), rows_, T(0));
      for_inputs(degree - 1, [&](Index given, Index column) { copy(bars_[0].column(column), result.column(given)); });
      return result;
    }

   private:
    const Layer<T>& layer(Index l) const { return made_.layers_[static_cast<std::size_t>(l)]; }
    template <class U>
    static Block<U> part(Block<U> block, Run run) {
      return block.middle_columns(run.first, run.count);
    }
    Block<const T> weights(Index l, const Stage& s) const {
      return part(weights_[l], s.own).middle_rows(s.seen.first, s.seen.count);
    }
    void copy(const T* from, T* to) const { std::copy_n(from, rows_, to); }

    /// For what each layer sees.
    Block<T>* zeros() const {
      Block<T>* all = pass_.tape.template scratch<Block<T>>(layers_);
      for (Index l = 0; l < layers_; ++l) all[l] = pass_.tape.full(rows_, layer(l).inputs(), T(0)).data();
      return all;
    }
    template <class Use>
    void for_stages(Index l, Index degree, const Use& use) const {
      for (const Stage& s : layer(l).stages)
        if (s.degree == degree) use(s);
    }
    Index width(Index l, Index degree) const {
      Index count = 0;
      for_stages(l, degree, [&count](const Stage& s) { count += s.own.count; });
      return count;
    }
    /// Inputs of x of this degree: the how manieth of them, and its column beside the context.
    template <class Use>
    void for_inputs(Index degree, const Use& use) const {
      if (made_.sees_nothing()) return;
      Index given = 0;
      for (std::size_t i = 0; i < made_.input_degrees_.size(); ++i)
        if (made_.input_degrees_[i] == degree) use(given++, made_.context_ + static_cast<Index>(i));
    }

    const Made& made_;
    const Pass<T>& pass_;
    Index rows_, layers_;
    Block<const T>* weights_;
    Block<const T>* biases_;
    Block<T>* units_;
    Block<T>* bars_ = nullptr;  // cotangents of the units
  };

  Activation activation_;
  Index inputs_, context_;
  bool masked_;
  std::vector<Index> input_degrees_;
  std::vector<Layer<T>> layers_;
};

constexpr Field kFields[] = {
    integers("hidden", "[64, 64]",
             "units of each hidden layer: several for each feature, because in a layer of fewer some dependences are "
             "lost; an empty list makes the network one linear layer")
        .at_least(1),
    choice("activation", "relu", "relu|tanh|sigmoid|softplus|elu|leaky_relu",
           "after every layer but the last; all but relu, elu and leaky_relu are smooth"),
};

constexpr Example kExamples[] = {
    {"default", "made", 3},
    {"wide", "made: {hidden: [150, 130], activation: tanh}", 5},
    {"conditional", "made: {hidden: [12], activation: tanh}", 3, 2},
    {"sigmoid", "made: {hidden: [16, 12, 16], activation: sigmoid}", 3},
    {"softplus", "made: {hidden: [16], activation: softplus}", 3},
    {"elu", "made: {hidden: [16], activation: elu}", 3},
    {"leaky_relu", "made: {hidden: [16], activation: leaky_relu}", 3},
    {"linear", "made: {hidden: []}", 3, 1},
    {"context_alone", "made: {hidden: [8], activation: tanh}", 1, 2},
    {"one_input", "made: {hidden: [8], activation: tanh}", 1},
    {"fewer_units_than_features", "made: {hidden: [3], activation: tanh}", 6},
};

constexpr const char kDocumentation[] = R"(
`h_0 = [context, x]`, `h_i = a(h_{i-1} (W_i * M_i) + b_i)`, output `h_{L-1} (W_L * M_L) + b_L`, where the mask M is 1
where the unit's degree is at least that of the one it sees. Inputs and outputs get their degrees from the network's
parent (an `autoregressive` bijector); an output sees what is below its own. Hidden units are spread evenly over the
degrees that make a difference; every unit sees the context. Without degrees the network is dense.

W is inputs x outputs, the transpose of what PyTorch stores. Units are stored by degree, so that the masks' zeros lie in
blocks, which are not multiplied: about half of the work. Weights that a mask hides count as zero, whatever they hold.

A hidden layer of fewer units than features cannot have one of each degree: then some outputs see less than they may
(the last one always sees all). Without a hidden layer nothing is lost.

The network can be evaluated degree by degree, each unit once: an autoregressive bijector inverts itself in one pass
through it, not in one for each feature.

Weights and biases start as those of `mlp`. `MADE` in other libraries: `nflows.transforms.made.MADE`,
`zuko.nn.MaskedMLP`, `flowtorch.parameters.DenseAutoregressive`, `pyro.nn.AutoRegressiveNN`,
`tfb.AutoregressiveNetwork`.

M. Germain, K. Gregor, I. Murray, H. Larochelle, MADE: masked autoencoder for distribution estimation, ICML 2015.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Made>("network", "made", "Masked dense layers: each output sees the inputs that come before it", kFields,
                   kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("made", "0.1.0", "MIT", kComponents);
