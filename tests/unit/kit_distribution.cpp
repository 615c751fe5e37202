// The kit tests itself: distributions and networks, correct ones and ones with a fault.
#include "pushforward/testing/count_allocations.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

enum class Fault {
  none,
  constant_missing,
  samples_too_wide,
  samples_skewed,
  log_prob_of_sample,
  moments,
  tails,
  score,
  unseeded,
  samples_clipped,
  flat_tails,
  rows_shifted,
  constant_of_three,
  output_start,
  mask_leaks,
  stepper,
  steps_back,
  tangent,
};

/// Independent normal elements with mean m + context U and scale exp(s).
template <class T>
class Bell final : public Distribution<T> {
 public:
  Bell(Built<T>& built, const Surroundings& around, Fault fault)
      : shape_(around.event_shape), context_(around.context), fault_(fault) {
    mean_ = declare(built, "mean", 1, shape_.size());
    log_scale_ = declare(built, "log_scale", 1, shape_.size());
    u_ = declare(built, "u", context_, shape_.size());
  }

  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("bell", y.columns(), shape_.size());
    if (is(Fault::score)) y = with_gradient(y, [](T& g, T adjoint) { g += adjoint * T(1.001); });
    const Var<T> z = (y - mean(pass, y.rows())) * exp(negate(pass(log_scale_)));
    return density(z, pass);
  }

  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    Var<T> z = pass.normal(ComponentId{5}, n, shape_.size());
    if (is(Fault::unseeded)) z = pass.tape.full(n, shape_.size(), T(0.5));
    if (is(Fault::samples_too_wide)) z = z * T(1.03);
    if (is(Fault::samples_clipped)) z = minimum(maximum(z, pass.tape.constant(T(-3))), pass.tape.constant(T(3)));
    if (is(Fault::rows_shifted)) z = shifted(n, pass);
    if (is(Fault::samples_skewed)) z = z + (square(z) - T(1)) * T(0.05);
    Var<T> log_prob = density(z, pass);
    if (is(Fault::log_prob_of_sample)) log_prob = log_prob + T(0.01);
    // What a fault does to the samples, their own log_prob does not betray.
    const bool own = !is(Fault::samples_too_wide) && !is(Fault::samples_skewed) && !is(Fault::samples_clipped);
    return {z * exp(pass(log_scale_)) + mean(pass, n), own ? log_prob : Var<T>()};
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    if (context_ > 0) return {};
    const Var<T> variance = exp(pass(log_scale_) * T(2));
    return {pass(mean_), is(Fault::moments) ? variance * T(1.1) : variance};
  }
  Shape event_shape() const override { return shape_; }

 private:
  bool is(Fault fault) const { return fault_ == fault; }
  /// Element j of row i is drawn where element j + 1 of row i - 1 is.
  Var<T> shifted(Index n, const Pass<T>& pass) const {
    const Var<T> z = pass.tape.make(n, shape_.size());
    for (Index j = 0; j < shape_.size(); ++j) {
      Pass<T> moved = pass;
      moved.first_row += j;
      std::copy_n(moved.normal(ComponentId{5}, n, 1).value().data, n, z.data().column(j));
    }
    return z;
  }
  Var<T> mean(const Pass<T>& pass, Index rows) const {
    if (context_ == 0) return pass(mean_);
    require_columns("bell: the context", pass.context ? pass.context.columns() : 0, context_);
    if (pass.context.rows() != rows) throw ShapeError("bell: the context has other rows");
    return matmul(pass.context, pass(u_)) + pass(mean_);
  }
  Var<T> density(Var<T> z, const Pass<T>& pass) const {
    const bool wrong = is(Fault::constant_missing) || (is(Fault::constant_of_three) && shape_.size() == 3);
    const T constant = static_cast<T>(wrong ? 0.9 : 0.91893853320467274178);
    Var<T> each = square(z) * T(-0.5) - constant;
    if (is(Fault::tails)) each = log(exp(each));
    if (is(Fault::flat_tails)) each = maximum(each, each.tape().constant(T(-50)));
    return row_sum(each - pass(log_scale_));
  }

  Shape shape_;
  Index context_;
  Fault fault_;
  Parameter mean_, log_scale_, u_;
};

Subject bell(Fault fault, Index size = 2, Index context = 0) {
  return subject_of<Bell>("distribution", "kit_bell", fault, size, context);
}

/// exp(-|y - m|^2), not normalised.
template <class T>
class Bowl final : public Target<T> {
 public:
  Bowl(Built<T>&, const Surroundings& around, Fault fault) : shape_(around.event_shape), fault_(fault) {}
  Var<T> log_density(Var<T> y, const Pass<T>&) const override {
    require_columns("bowl", y.columns(), shape_.size());
    return negate(row_sum(square(y - T(0.5))));
  }
  Shape event_shape() const override { return shape_; }
  double log_normaliser() const override {
    const double one = 0.5 * std::log(std::acos(-1.0));
    return static_cast<double>(shape_.size()) * one + (fault_ == Fault::constant_missing ? 0.01 : 0);
  }

 private:
  Shape shape_;
  Fault fault_;
};

Subject bowl(Fault fault) { return subject_of<Bowl>("target", "kit_bowl", fault, 2); }

/// One masked linear layer, then tanh.
template <class T>
class Layer final : public Network<T>, public MaskedNetwork<T> {
 public:
  Layer(Built<T>& built, const Surroundings& around, Fault fault) : shape_(around.network), fault_(fault) {
    weight_ = declare(built, "weight", shape_.inputs, shape_.outputs);
    bias_ = declare(built, "bias", 1, shape_.outputs);
    if (!shape_.output_start.empty() && fault_ != Fault::output_start) begin_at(built.store.parameters);
    for (Index o = 0; o < shape_.outputs; ++o)
      for (Index i = 0; i < shape_.inputs; ++i) mask_.push_back(allowed(i, o) ? T(1) : T(0));
  }

  Var<T> operator()(Var<T> x, const Pass<T>& pass) const override {
    require_columns("layer", x.columns(), shape_.inputs);
    const Var<T> mask = pass.tape.constant(compact<const T>(mask_.data(), shape_.inputs, shape_.outputs));
    const Var<T> h = matmul(x, pass(weight_) * mask) + pass(bias_);
    return fault_ == Fault::tangent ? tanh_without_tangent(h) : tanh(h);
  }
  const MaskedNetwork<T>* masked() const override { return shape_.input_degrees.empty() ? nullptr : this; }
  StepperPointer<T> start(Index rows, const Pass<T>& pass) const override {
    return make_in_arena<Steps>(pass.tape, *this, rows, pass);
  }

 private:
  bool allowed(Index i, Index o) const {
    if (shape_.input_degrees.empty()) return true;
    const Index in = shape_.input_degrees[static_cast<std::size_t>(i)];
    const Index out = shape_.output_degrees[static_cast<std::size_t>(o)];
    return in < out || (fault_ == Fault::mask_leaks && in == out && in == 1);
  }

  /// As the parent wants it: no weights, and the output as bias.
  void begin_at(std::vector<T>& parameters) const {
    std::fill_n(parameters.begin() + weight_.offset, weight_.size(), T(0));
    for (Index o = 0; o < shape_.outputs; ++o)
      parameters[static_cast<std::size_t>(bias_.offset + o)] =
          static_cast<T>(std::atanh(shape_.output_start[static_cast<std::size_t>(o)]));
  }

  /// The rule says that the tangent is the input's own.
  static Var<T> tanh_without_tangent(Var<T> h) {
    const Var<T> out = h.tape().make(h.rows(), h.columns());
    for (Index j = 0; j < h.columns(); ++j)
      for (Index i = 0; i < h.rows(); ++i) out.data()(i, j) = std::tanh(h.value()(i, j));
    h.tape().primitive(
        "tanh_without_tangent", {h}, {out},
        [](Vjp<T>& v) {
          const Block<const T> y = v.result(0), adjoint = v.adjoint(0);
          const Block<T> g = v.gradient(0);
          for (Index j = 0; j < y.columns; ++j)
            for (Index i = 0; i < y.rows; ++i) g(i, j) += adjoint(i, j) * (1 - y(i, j) * y(i, j));
        },
        [](Jvp<T>& j) { j.set(0, j.tangent(0)); });
    return out;
  }

  /// Sums what has come in, degree by degree.
  class Steps final : public Stepper<T> {
   public:
    Steps(const Layer& layer, Index rows, const Pass<T>& pass)
        : layer_(layer),
          pass_(pass),
          x_(pass.tape.full(rows, layer.shape_.inputs, T(0))),
          bar_(pass.tape.full(rows, layer.shape_.inputs, T(0)).data()) {}
    Block<const T> advance(Index degree, Block<const T> columns_in) override {
      Index next = 0;
      for (std::size_t i = 0; i < layer_.shape_.input_degrees.size() && columns_in.columns > 0; ++i)
        if (layer_.shape_.input_degrees[i] == degree - 1)
          std::copy_n(columns_in.column(next++), x_.rows(), x_.data().column(static_cast<Index>(i)));
      all_ = layer_(x_, pass_);
      std::vector<Var<T>> parts;
      for (std::size_t o = 0; o < layer_.shape_.output_degrees.size(); ++o)
        if (layer_.shape_.output_degrees[o] == degree) parts.push_back(columns(all_, static_cast<Index>(o), 1));
      const Var<T> out = concatenate(std::span<const Var<T>>(parts));
      return layer_.fault_ == Fault::stepper ? (out * T(1.0001)).value() : out.value();
    }
    Block<const T> retreat(Index degree, Block<const T> outputs_bar) override {
      const Block<const T> weight = pass_(layer_.weight_).value(), y = all_.value();
      Index next = 0;
      for (Index o = 0; o < layer_.shape_.outputs; ++o) {
        if (layer_.shape_.output_degrees[static_cast<std::size_t>(o)] != degree) continue;
        for (Index i = 0; i < layer_.shape_.inputs; ++i)
          for (Index row = 0; layer_.allowed(i, o) && row < y.rows; ++row)
            bar_(row, i) += outputs_bar(row, next) * (1 - y(row, o) * y(row, o)) * weight(i, o);
        ++next;
      }
      std::vector<Index> columns_before;
      for (Index i = 0; i < layer_.shape_.inputs; ++i)
        if (layer_.shape_.input_degrees[static_cast<std::size_t>(i)] == degree - 1) columns_before.push_back(i);
      const Block<T> result = pass_.tape.block(y.rows, static_cast<Index>(columns_before.size()));
      for (Index k = 0; k < result.columns; ++k)
        for (Index row = 0; row < y.rows; ++row)
          result(row, k) = bar_(row, columns_before[static_cast<std::size_t>(k)]) *
                           (layer_.fault_ == Fault::steps_back ? T(1.0001) : T(1));
      return result;
    }

   private:
    const Layer& layer_;
    const Pass<T>& pass_;
    Var<T> x_, all_;
    Block<T> bar_;  // of x
  };

  NetworkShape shape_;
  Fault fault_;
  Parameter weight_, bias_;
  std::vector<T> mask_;
};

Subject layer(Fault fault) { return subject_of<Layer>("network", "kit_layer", fault, 3); }

}  // namespace

TEST_CASE("correct distributions pass every check") {
  for (const auto& [size, context] : {std::pair<Index, Index>{1, 0}, {2, 0}, {3, 0}, {2, 2}}) {
    const std::vector<CheckResult> results = testing::check(bell(Fault::none, size, context));
    INFO(testing::to_text(results));
    CHECK(testing::passed(results));
  }
}

TEST_CASE("faults of distributions fail their checks") {
  SECTION("constant") { expect_failures(bell(Fault::constant_missing), {"density", "chi_square"}); }
  SECTION("samples too wide") { expect_failures(bell(Fault::samples_too_wide), {"chi_square", "moments"}); }
  SECTION("samples skewed") { expect_failures(bell(Fault::samples_skewed), {"chi_square"}); }
  SECTION("samples cut off in the tails") { expect_failures(bell(Fault::samples_clipped), {"chi_square"}); }
  SECTION("rows that share draws") { expect_failures(bell(Fault::rows_shifted), {"draws"}); }
  SECTION("constant, for three elements alone") {
    expect_failures(bell(Fault::constant_of_three, 3), {"density"});
    expect_failures(bell(Fault::constant_of_three, 2), {});
  }
  SECTION("log_prob of samples") { expect_failures(bell(Fault::log_prob_of_sample), {"sampled_log_prob"}); }
  SECTION("moments") { expect_failures(bell(Fault::moments), {"moments"}); }
  SECTION("tails") { expect_failures(bell(Fault::tails), {"edges", "sizes"}); }
  SECTION("tails that do not fall") { expect_failures(bell(Fault::flat_tails), {"edges"}); }
  SECTION("score") { expect_failures(bell(Fault::score), {"input_gradient", "taylor", "edges"}); }
  SECTION("no draws") {
    const std::set<std::string> failed = failed_checks(testing::check(bell(Fault::unseeded)));
    CHECK(failed.count("chi_square"));
    CHECK(failed.count("moments"));
  }
}

TEST_CASE("a target is held to its normaliser") {
  expect_failures(bowl(Fault::none), {});
  expect_failures(bowl(Fault::constant_missing), {"density"});
}

TEST_CASE("a correct network passes every check, dense and masked") {
  const std::vector<CheckResult> results = testing::check(layer(Fault::none));
  INFO(testing::to_text(results));
  CHECK(testing::passed(results));
  for (const CheckResult& r : results)
    if (r.check == "fast_path" || r.check == "tangent") CHECK(r.status == testing::Status::passed);
}

TEST_CASE("faults of networks fail their checks") {
  SECTION("a mask leaks") { expect_failures(layer(Fault::mask_leaks), {"fast_path"}); }
  SECTION("the stepper is another network") { expect_failures(layer(Fault::stepper), {"fast_path"}); }
  SECTION("it does not start where it is told to") { expect_failures(layer(Fault::output_start), {"edges"}); }
  SECTION("the stepper goes another way back") { expect_failures(layer(Fault::steps_back), {"fast_path"}); }
  SECTION("the tangent is wrong") { expect_failures(layer(Fault::tangent), {"tangent"}); }
}
