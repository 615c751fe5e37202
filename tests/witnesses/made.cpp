// Witness: a masked network (MADE) under an autoregressive bijector.
//
// It is the hardest consumer of NetworkShape's degrees, of `masked()` and of Stepper: sampling costs one evaluation of
// the network in all, each hidden unit once; its gradient is one dense pass and a triangular solve inside a vjp.
//
// Germain, Gregor, Murray and Larochelle, "MADE", 2015; Papamakarios, Pavlakou and Murray, "Masked autoregressive
// flow", 2017.
#include <algorithm>
#include <atomic>

#include "pushforward/operations.h"
#include "support/allocations.h"
#include "support/models.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// Hidden units that were computed, rows not counted.
std::atomic<long> hidden_units{0};

/// Unit o of a layer sees unit i of the one before iff degree[i] <= degree[o]; outputs count one less than their own.
template <class T>
class Made final : public Network<T>, public MaskedNetwork<T> {
 public:
  explicit Made(Build<T>& build)
      : inputs_(build.network_shape().inputs),
        context_(build.network_shape().context),
        masked_(!build.network_shape().output_degrees.empty()) {
    const NetworkShape& shape = build.network_shape();
    const std::vector<Index> dense_inputs(static_cast<std::size_t>(inputs_), 0);
    const std::vector<Index> dense_outputs(static_cast<std::size_t>(shape.outputs), 1);
    const std::vector<Index>& outputs = masked_ ? shape.output_degrees : dense_outputs;
    const auto [least, most] = std::minmax_element(outputs.begin(), outputs.end());
    degrees_.push_back(masked_ ? shape.input_degrees : dense_inputs);
    degrees_[0].insert(degrees_[0].end(), static_cast<std::size_t>(context_), *least - 1);
    for (const Index width : build.integers("hidden")) {
      degrees_.emplace_back();
      for (Index k = 0; k < width; ++k) degrees_.back().push_back(*least - 1 + k * (*most - *least + 1) / width);
    }
    degrees_.push_back(outputs);
    for (Index& d : degrees_.back()) --d;
    for (std::size_t l = 0; l + 1 < degrees_.size(); ++l) add_layer(build, l, l + 2 == degrees_.size());
  }

  void prepare(StepPass<T>& step) const override {
    for (const Layer& l : layers_)
      step.set(l.masked,
               step.pass(l.weight) * step.tape.constant(compact(l.mask.data(), l.weight.rows, l.weight.columns)));
  }
  Var<T> operator()(Var<T> x, const Pass<T>& pass) const override {
    require_columns("made", x ? x.columns() : 0, inputs_);
    Var<T> h = beside_context("made", x, context_, pass);
    for (std::size_t l = 0; l < layers_.size(); ++l) h = layer(l, h, 0, layers_[l].weight.columns, pass);
    return h;
  }
  const MaskedNetwork<T>* masked() const override { return masked_ ? this : nullptr; }
  StepperPointer<T> start(Index rows, const Pass<T>& pass) const override {
    return make_in_arena<Steps>(pass.tape, *this, rows, pass);
  }

 private:
  struct Layer {
    Parameter weight, bias, masked;
    std::vector<T> mask;
  };

  void add_layer(Build<T>& build, std::size_t l, bool last) {
    const std::vector<Index>&from = degrees_[l], &to = degrees_[l + 1];
    const Index rows = static_cast<Index>(from.size()), columns = static_cast<Index>(to.size());
    const std::string name = "layers[" + std::to_string(l) + "].";
    const std::vector<double>& start = build.network_shape().output_start;
    const bool given = last && !start.empty();
    layers_.push_back(
        {build.parameter(name + "weight", rows, columns,
                         given ? Initial::constant(0) : Initial::normal(1.0 / static_cast<double>(rows)), Role::weight),
         build.parameter(name + "bias", 1, columns, given ? Initial::values(start) : Initial::normal(0.1), Role::bias),
         build.derived(name + "masked", rows, columns),
         {}});
    for (const Index o : to)
      for (const Index i : from) layers_.back().mask.push_back(i <= o ? T(1) : T(0));
  }
  /// Some neighbouring units of layer l.
  Var<T> layer(std::size_t l, Var<T> h, Index first, Index count, const Pass<T>& pass) const {
    const bool last = l + 1 == layers_.size();
    if (!last) hidden_units += count;
    return dense(h, columns(pass(layers_[l].masked), first, count), columns(pass(layers_[l].bias), first, count),
                 last ? Activation::none : Activation::tanh);
  }

  /// Keeps every unit's column; units not yet known are zero, and their weights too.
  class Steps final : public Stepper<T> {
   public:
    Steps(const Made& made, Index rows, const Pass<T>& pass)
        : made_(made),
          pass_(pass),
          units_(pass.tape.template scratch<Block<T>>(static_cast<Index>(made.degrees_.size()))) {
      for (std::size_t l = 0; l < made.degrees_.size(); ++l)
        units_[l] = pass.tape.full(rows, static_cast<Index>(made.degrees_[l].size()), T(0)).data();
      const Var<T> context = beside_context("made", Var<T>(), made.context_, pass);
      for (Index j = 0; j < made.context_; ++j) copy(context.value().column(j), units_[0].column(made.inputs_ + j));
    }
    Block<const T> advance(Index degree, Block<const T> x) override {
      for (Index i = 0, given = 0; i < made_.inputs_; ++i)
        if (made_.degrees_[0][static_cast<std::size_t>(i)] == degree - 1) copy(x.column(given++), units_[0].column(i));
      for (std::size_t l = 0; l < made_.layers_.size(); ++l) {
        const std::vector<Index>& own = made_.degrees_[l + 1];
        for (Index o = 0; o < static_cast<Index>(own.size()); ++o)
          if (own[static_cast<std::size_t>(o)] == degree - 1)
            copy(made_.layer(l, pass_.tape.constant(units_[l]), o, 1, pass_).value().data, units_[l + 1].column(o));
      }
      const std::vector<Index>& outputs = made_.degrees_.back();
      const Block<T> result = pass_.tape.block(units_[0].rows, std::count(outputs.begin(), outputs.end(), degree - 1));
      for (std::size_t o = 0, taken = 0; o < outputs.size(); ++o)
        if (outputs[o] == degree - 1)
          copy(units_[made_.layers_.size()].column(static_cast<Index>(o)), result.column(static_cast<Index>(taken++)));
      return result;
    }

   private:
    void copy(const T* from, T* to) const { std::copy_n(from, units_[0].rows, to); }
    const Made& made_;
    const Pass<T>& pass_;
    Block<T>* units_;  // of the inputs and of each layer
  };

  Index inputs_, context_;
  bool masked_;
  std::vector<std::vector<Index>> degrees_;  // of the inputs and of each layer's units
  std::vector<Layer> layers_;
};

/// From data to base z_j = f(x_j; theta_j(x_0, ..., x_{j-1}, context)).
template <class T>
class Autoregressive final : public Bijector<T> {
 public:
  explicit Autoregressive(Build<T>& build) : size_(build.event_size()), transformer_(build.transformer("transformer")) {
    const Index each = transformer_->parameters();
    NetworkShape shape{size_, size_ * each, build.context_size(), identity_start(*transformer_, size_), {}, {}};
    for (Index j = 0; j < size_; ++j) shape.input_degrees.push_back(j + 1);
    for (Index o = 0; o < size_ * each; ++o) shape.output_degrees.push_back(o / each + 1);
    network_ = build.network("network", shape);
    if (!network_->masked()) build.fail("network", "must honour degrees, as made does");
  }

  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    require_columns("autoregressive", y.columns(), size_);
    return transformer_->evaluate(y, (*network_)(y, pass), pass);
  }

  Mapped<T> forward(Var<T> z, const Pass<T>& pass) const override {
    require_columns("autoregressive", z.columns(), size_);
    const Index n = z.rows();
    const Var<T> x = pass.tape.make(n, size_), log_det = pass.tape.full(n, 1, T(0));
    sample(z, x, log_det, pass);
    const Pass<T>* again = &pass;
    pass.tape.primitive(
        "autoregressive.forward", {z, pass.anchor(), pass.context}, {x, log_det},
        [this, again](Vjp<T>& v) { adjoint(v, *again); }, no_tangent);
    return {x, log_det};
  }

  Traits traits() const override {
    Traits t;
    t.forward = t.inverse = Cost::one_pass;
    t.triangular = true;
    return t;
  }

 private:
  /// Feature after feature, each from those before it.
  void sample(Var<T> z, Var<T> x, Var<T> log_det, const Pass<T>& pass) const {
    const typename Tape<T>::Unrecorded unrecorded(pass.tape);
    const Index n = z.rows();
    const StepperPointer<T> stepper = network_->masked()->start(n, pass);
    for (Index j = 0; j < size_; ++j) {
      const Var<T> theta = pass.tape.constant(
          stepper->advance(j + 1, j ? x.value().middle_columns(j - 1, 1) : Block<const T>{nullptr, n, 0, n}));
      const Mapped<T> m = transformer_->invert(pass.tape.constant(z.value().middle_columns(j, 1)), theta, pass);
      std::copy_n(m.value.value().data, n, x.data().column(j));
      for (Index i = 0; i < n; ++i) log_det.data().data[i] += m.log_det.value().data[i];
    }
  }
  /// x solves inverse(x) = z, so with J = d inverse / dx: J' z_bar = x_bar - log_det_bar d log_det_inverse / dx, from
  /// the last feature to the first. Every seed is the negative, so the network's parameters receive what is theirs.
  void adjoint(Vjp<T>& v, const Pass<T>& pass) const {
    const Block<const T> x_bar = v.adjoint(0), log_det_bar = v.adjoint(1);
    typename Tape<T>::Inner inner = v.tape().inner();
    const Block<T> moved = zeros(v.tape(), x_bar.rows), slopes = zeros(v.tape(), x_bar.rows);
    const Var<T> x = v.tape().leaf(v.result(0), moved), alone = v.tape().leaf(v.result(0), slopes);
    const Var<T> theta = (*network_)(x, pass);
    const Mapped<T> z = transformer_->evaluate(x, theta, pass);
    inner.backward(transformer_->evaluate(alone, stop_gradient(theta), pass).value);
    const Block<T> seed = v.tape().block(x_bar.rows, 1);
    for (Index i = 0; i < seed.rows; ++i) seed.data[i] = -log_det_bar.data[i];
    inner.backward(z.log_det, seed);
    for (Index j = size_; j-- > 0;) {
      for (Index i = 0; i < seed.rows; ++i) seed.data[i] = -(x_bar(i, j) + moved(i, j)) / slopes(i, j);
      inner.backward(columns(z.value, j, 1), seed);
      for (Index i = 0; v.wants(0) && i < seed.rows; ++i) v.gradient(0)(i, j) -= seed.data[i];
    }
  }
  Block<T> zeros(Tape<T>& tape, Index rows) const { return tape.full(rows, size_, T(0)).data(); }

  Index size_;
  std::unique_ptr<Transformer<T>> transformer_;
  std::unique_ptr<Network<T>> network_;
};

constexpr Field kMadeFields[] = {integers("hidden", "[32, 32]", "units of each hidden layer").at_least(1)};
constexpr Field kAutoregressiveFields[] = {component("transformer", "transformer", kRequired, "the scalar map"),
                                           component("network", "network", "witness_made", "a masked network")};
constexpr Example kAutoregressiveExamples[] = {
    {"affine", "witness_autoregressive: {transformer: affine, network: {witness_made: {hidden: [12, 10]}}}", 4},
    {"conditional", "witness_autoregressive: {transformer: affine, network: {witness_made: {hidden: [12]}}}", 3, 2},
    {"spline", "witness_autoregressive: {transformer: rational_quadratic_spline}", 2},
};
constexpr Example kMadeExamples[] = {{"default", "witness_made: {hidden: [12, 10]}", 3},
                                     {"conditional", "witness_made: {hidden: [8]}", 3, 2}};
constexpr ComponentInfo kComponents[] = {
    describe<Autoregressive>("bijector", "witness_autoregressive", "Each feature by those before it",
                             kAutoregressiveFields, kAutoregressiveExamples),
    describe<Made>("network", "witness_made", "Masked dense layers", kMadeFields, kMadeExamples),
};

std::unique_ptr<Runner> runner(const Registry& registry, Index size, Index context = 0, Index hidden = 20) {
  const std::string h = std::to_string(hidden);
  auto made = make_runner(
      "bijector",
      "witness_autoregressive: {transformer: affine, network: {witness_made: {hidden: [" + h + ", " + h + "]}}}",
      around(size, context), registry);
  scatter_parameters(*made, 0.4);
  return made;
}

}  // namespace

TEST_CASE("a masked network under an autoregressive bijector conforms") { check_component(kComponents); }

TEST_CASE(
    "sampling costs one evaluation of the network, each hidden unit once, and equals one feature after the other") {
  const auto registry = load_plugins(kComponents);
  const Index size = 6, hidden = 40, n = 50;
  const auto map = runner(*registry, size, 2, hidden);
  const Array z = scattered(n, size), context = scattered(n, 2, 5);

  hidden_units = 0;
  const Response fast = run(*map, "forward", z, context);
  CHECK(hidden_units == 2 * hidden);

  // The plain way: all of the network for each feature; what comes after it does not matter. For an affine map the
  // parameters follow from two points, so `inverse` itself serves as the network.
  hidden_units = 0;
  Array x(n, size);
  for (Index j = 0; j < size; ++j) {
    Array at_zero = x, at_one = x;
    for (Index i = 0; i < n; ++i) {
      at_zero(i, j) = 0;
      at_one(i, j) = 1;
    }
    const Array shift = run(*map, "inverse", at_zero, context).outputs[0];
    const Array sum = run(*map, "inverse", at_one, context).outputs[0];
    for (Index i = 0; i < n; ++i) x(i, j) = (z(i, j) - shift(i, j)) / (sum(i, j) - shift(i, j));
  }
  CHECK(hidden_units == 2 * size * 2 * hidden);
  CHECK(distance(fast.outputs[0], x) < 1e-12);
}

TEST_CASE("masks are exact: no later feature and no other row shows, in one bit") {
  const auto registry = load_plugins(kComponents);
  const Index size = 5, n = 17;
  const auto map = runner(*registry, size);
  const Array y = scattered(n, size);
  for (const char* direction : {"forward", "inverse"}) {
    const Array before = run(*map, direction, y).outputs[0];
    for (Index j = 0; j < size; ++j) {
      Array moved = y;
      moved(3, j) += 1;
      const Array after = run(*map, direction, moved).outputs[0];
      for (Index k = 0; k < size; ++k)
        for (Index i = 0; i < n; ++i) {
          CAPTURE(direction, i, j, k);
          if (i == 3 && k >= j)
            CHECK(after(i, k) != before(i, k));
          else
            CHECK(after(i, k) == before(i, k));
        }
    }
  }
}

TEST_CASE("masked weights receive no gradient, the others do") {
  const auto registry = load_plugins(kComponents);
  const auto map = runner(*registry, 3, 0, 8);
  Request r;
  r.function = function_index(*map, "inverse");
  r.x = scattered(20, 3);
  r.rows = 20;
  r.cotangents = {scattered(20, 3, 1), scattered(20, 1, 2)};
  const Response response = map->run(r);
  // The first layer: inputs of degree 1, 2, 3; eight units of degree 0, 0, 0, 1, 1, 1, 2, 2.
  const Parameter weight = parameter(*map, "layers[0].weight").handle;
  const Index degrees[] = {0, 0, 0, 1, 1, 1, 2, 2};
  for (Index o = 0; o < 8; ++o)
    for (Index i = 0; i < 3; ++i) {
      CAPTURE(i, o);
      const double g = response.parameters[static_cast<std::size_t>(weight.offset + i + 3 * o)];
      CHECK((g != 0) == (i + 1 <= degrees[o]));
    }
}

TEST_CASE("a flow of it is trained through its samples, which are made of constants, and a step allocates nothing") {
  const auto registry = load_plugins(kComponents);
  Model<double> model = make_model<double>(*registry,
                                           "{base: normal, bijectors: [{witness_autoregressive: {transformer: affine, "
                                           "network: {witness_made: {hidden: [6]}}}}]}",
                                           around(3));
  scatter(model);
  set_objective<double>(model, std::make_unique<OfSamples<double>>());
  Engine<double> engine(model, {.seed = 3});
  CHECK(gradient_error(engine, no_data<double>(40)) < 1e-7);

  std::vector<double> gradient(model.store.parameters.size());
  const auto step = [&] { engine.loss(0, no_data<double>(40), 0, model.store.parameters, gradient); };
  for (int i = 0; i < 3; ++i) step();
  const std::int64_t before = allocations();
  for (int i = 0; i < 3; ++i) step();
  CHECK(allocations() == before);
}
