// The kit tests itself: densities with singular ends and densities on a simplex, correct ones and ones with a fault.
#include "pushforward/support.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

enum class Fault { none, constant, score, outside, off_simplex };

/// y = u^5 with uniform u: half of the samples lie below 0.03, one in a hundred below 1e-10.
template <class T>
class FifthPower final : public Distribution<T> {
 public:
  FifthPower(Built<T>&, const Surroundings& around, Fault fault) : shape_(around.event_shape), fault_(fault) {}

  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("fifth_power", y.columns(), shape_.size());
    static constexpr T kLower = 0, kUpper = 1;
    const Intervals<T> support{{&kLower, 1}, {&kUpper, 1}, true, true};
    const auto formula = [&](Var<T> inside) {
      if (fault_ == Fault::score) inside = with_gradient(inside, [](T& g, T adjoint) { g += adjoint * T(1.01); });
      const T constant = static_cast<T>(std::log(5.0) + (fault_ == Fault::constant ? 0.05 : 0));
      return row_sum(log(inside) * T(-0.8) - constant);
    };
    if (fault_ == Fault::outside) return formula(y);
    return on_support(y, support, pass.tape.constant(T(0.5)), formula);
  }
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    return {exp(log(pass.uniform(ComponentId{5}, n, shape_.size())) * T(5)), {}};
  }
  Shape event_shape() const override { return shape_; }
  Support support() const override { return {0, 1}; }

 private:
  Shape shape_;
  Fault fault_;
};

/// Softmax of normal numbers and a zero: positive, with sum 1. The density is that of all elements but the last.
template <class T>
class Shares final : public Distribution<T> {
 public:
  Shares(Built<T>&, const Surroundings& around, Fault fault) : shape_(around.event_shape), fault_(fault) {}

  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("shares", y.columns(), shape_.size());
    const Var<T> inside = y.tape().make(y.rows(), 1);
    for (Index i = 0; i < y.rows(); ++i) {
      T sum = 0, least = 1;
      for (Index j = 0; j < y.columns(); ++j) {
        sum += y.value()(i, j);
        least = std::min(least, y.value()(i, j));
      }
      const bool on = least > 0 && (std::abs(sum - 1) < T(1e-3) || fault_ == Fault::off_simplex);
      inside.data()(i, 0) = std::isnan(sum) ? sum : on ? T(1) : T(0);
    }
    return where_inside(inside, formula(select(inside, y, pass.tape.constant(T(0.5)))));
  }
  Var<T> formula(Var<T> y) const {
    const Index others = shape_.size() - 1;
    const Var<T> log_y = log(y), z = columns(log_y, 0, others) - columns(log_y, others, 1);
    const double half_log_two_pi = fault_ == Fault::constant ? 0.9 : 0.91893853320467274178;
    const Var<T> bell = square(z) * T(-0.5) - static_cast<T>(half_log_two_pi);
    return row_sum(bell) - row_sum(log_y);
  }
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Var<T> z = pass.normal(ComponentId{5}, n, shape_.size() - 1);
    return {softmax(concatenate({z, pass.tape.full(n, 1, T(0))})), {}};
  }
  Shape event_shape() const override { return shape_; }
  Support support() const override { return {0, 1}; }
  DistributionTraits traits() const override {
    DistributionTraits t;
    t.on_simplex = true;
    return t;
  }

 private:
  Shape shape_;
  Fault fault_;
};

Subject fifth_power(Fault fault) { return subject_of<FifthPower>("distribution", "kit_fifth_power", fault, 2); }
Subject shares(Fault fault) { return subject_of<Shares>("distribution", "kit_shares", fault, 2); }

}  // namespace

TEST_CASE("a density with a singular end passes, and its faults are found") {
  expect_failures(fifth_power(Fault::none), {});
  expect_failures(fifth_power(Fault::score), {"input_gradient", "taylor", "edges"});
  expect_failures(fifth_power(Fault::constant), {"density", "chi_square", "moments"});
  expect_failures(fifth_power(Fault::outside), {"density", "edges"});
}

TEST_CASE("a density on a simplex is integrated over all elements but the last") {
  expect_failures(shares(Fault::none), {});
  expect_failures(shares(Fault::constant), {"density", "chi_square", "moments"});
  expect_failures(shares(Fault::off_simplex), {"edges"});
  for (const CheckResult& r : testing::check(shares(Fault::none)))
    if (r.check == "density" || r.check == "chi_square") CHECK(r.status == testing::Status::passed);
}
