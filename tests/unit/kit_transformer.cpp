// The kit tests itself: a correct transformer passes in every form of theta; with one fault it fails its checks.
#include "pushforward/testing/count_allocations.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

enum class Fault { none, prepared_differs, shared_gradient_mean, decreasing, kink, inverse_gradient, idle_theta };

/// f(x) = exp(a) x + b; prepared is (exp(a), b). With a kink at 0.3 if wanted.
template <class T>
class Line final : public Transformer<T> {
 public:
  Line(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}

  Index parameters() const override { return 2; }
  Index prepared() const override { return 2; }
  void identity(std::span<T> theta) const override { theta[0] = theta[1] = T(0); }

  Var<T> prepare_shared(Var<T> theta) const override {
    const std::span<Var<T>> parts = room(theta.tape(), theta.columns());
    for (Index j = 0; j < theta.columns(); j += 2) {
      const auto k = static_cast<std::size_t>(j);
      parts[k] = exp(columns(theta, j, 1));
      if (fault_ == Fault::prepared_differs) parts[k] = parts[k] * T(1.001);
      parts[k + 1] = columns(theta, j + 1, 1);
    }
    return concatenate(std::span<const Var<T>>(parts));
  }

  Mapped<T> evaluate(Var<T> x, const Theta<T>& theta, const Pass<T>&) const override {
    const auto [slope, shift] = parts(x, theta);
    return {bend(x) * slope + shift, log_det(x, slope)};
  }
  Mapped<T> invert(Var<T> y, const Theta<T>& theta, const Pass<T>&) const override {
    const auto [slope, shift] = parts(y, theta);
    Var<T> x = (y - shift) / slope;
    if (fault_ == Fault::inverse_gradient) x = (y - shift) / stop_gradient(slope);
    x = unbend(x);
    return {x, negate(log_det(x, slope))};
  }

 private:
  static constexpr double kKnot = 0.3, kSteeper = 0.5;
  bool kinked() const { return fault_ == Fault::kink; }

  /// Of the tape, so that a step allocates nothing.
  static std::span<Var<T>> room(Tape<T>& tape, Index count) {
    return {tape.template scratch<Var<T>>(count), static_cast<std::size_t>(count)};
  }

  struct Parts {
    Var<T> slope, shift;  // N x d
  };
  Parts parts(Var<T> x, const Theta<T>& theta) const {
    const Index width = theta.values.columns();
    if (width != 2 * x.columns())
      throw ShapeError("line: theta has " + std::to_string(width) + " columns for " + std::to_string(x.columns()) +
                       " of x");
    Var<T> values = theta.values;
    if (fault_ == Fault::shared_gradient_mean && values.rows() == 1 && x.rows() > 1) {
      const T rows = static_cast<T>(x.rows());
      values = with_gradient(values, [rows](T& g, T adjoint) { g += adjoint / rows; });
    }
    const std::span<Var<T>> slopes = room(x.tape(), x.columns()), shifts = room(x.tape(), x.columns());
    for (Index j = 0; j < x.columns(); ++j) {
      const auto k = static_cast<std::size_t>(j);
      const Var<T> raw = columns(values, 2 * j, 1);
      slopes[k] = theta.prepared ? raw : exp(raw);
      shifts[k] = columns(values, 2 * j + 1, 1);
    }
    Var<T> slope = concatenate(std::span<const Var<T>>(slopes)), shift = concatenate(std::span<const Var<T>>(shifts));
    if (fault_ == Fault::decreasing) slope = negate(slope);
    if (fault_ == Fault::idle_theta) shift = shift * T(0);
    return {slope, shift};
  }

  /// x with a steeper slope above the knot; continuous.
  Var<T> bend(Var<T> x) const { return kinked() ? x + relu(x - T(kKnot)) * T(kSteeper) : x; }
  Var<T> unbend(Var<T> y) const { return kinked() ? y - relu(y - T(kKnot)) * T(kSteeper / (1 + kSteeper)) : y; }

  Var<T> log_det(Var<T> x, Var<T> slope) const {
    const Var<T> all = slope.rows() == x.rows() ? slope : repeat_rows(slope, x.rows());
    Var<T> logs = log(abs(all));
    if (kinked()) {
      const Var<T> above = x.tape().make(x.rows(), x.columns());
      for (Index j = 0; j < x.columns(); ++j)
        for (Index i = 0; i < x.rows(); ++i)
          above.data()(i, j) = static_cast<T>(x.value()(i, j) > T(kKnot) ? std::log(1 + kSteeper) : 0);
      logs = logs + above;
    }
    return row_sum(logs);
  }

  Fault fault_;
};

Subject line(Fault fault) { return subject_of<Line>("transformer", "kit_line", fault, 3); }

}  // namespace

TEST_CASE("a correct transformer passes every check in every form") {
  const std::vector<CheckResult> results = testing::check(line(Fault::none));
  INFO(testing::to_text(results));
  CHECK(testing::passed(results));
  for (const CheckResult& r : results) {
    CAPTURE(r.check, r.precision);
    CHECK(r.status == testing::Status::passed);
  }
}

TEST_CASE("faults of transformers fail their checks") {
  SECTION("prepared theta is another map") { expect_failures(line(Fault::prepared_differs), {"fast_path"}); }
  SECTION("shared theta receives the mean of the rows' gradients") {
    expect_failures(line(Fault::shared_gradient_mean), {"parameter_gradient", "taylor", "rows", "fast_path"});
  }
  SECTION("decreasing, but declared increasing") { expect_failures(line(Fault::decreasing), {"structure"}); }
  SECTION("a number of theta that the map does not read") {
    expect_failures(line(Fault::idle_theta), {"reached"});
    const std::vector<CheckResult> results = testing::check(line(Fault::idle_theta), {{"reached"}});
    CHECK_THAT(testing::to_text(results), Catch::Contains("number 1 of the 2 in theta receives no gradient"));
  }
  SECTION("gradient of the inverse") {
    expect_failures(line(Fault::inverse_gradient), {"parameter_gradient", "context_gradient", "taylor", "edges"});
  }
}

TEST_CASE("a kink is found, redrawn around, and checked from both sides") {
  const std::vector<CheckResult> results = testing::check(line(Fault::kink));
  INFO(testing::to_text(results));
  CHECK(testing::passed(results));
  const auto edges =
      std::find_if(results.begin(), results.end(), [](const CheckResult& r) { return r.check == "edges"; });
  REQUIRE(edges != results.end());
  CHECK(edges->note.find("1 knots") != std::string::npos);
}
