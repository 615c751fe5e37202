// Both splines, hand-written kernels against the derived route and against themselves: forms of theta, directions,
// extreme parameters, knots and tails, float32, padding.
#include <catch2/catch.hpp>
#include <random>

#include "pushforward/spline_transformer.h"
#include "support/transformers.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

template <class T, bool kSplit>
SplineTransformer<T, kSplit> spline(SplineForm<T> form, bool derived = false) {
  form.split_bins = kSplit;
  return SplineTransformer<T, kSplit>(form, derived);
}

std::vector<double> random_numbers(Index count, double scale, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> v;
  for (Index i = 0; i < count; ++i) v.push_back(scale * normal(engine));
  return v;
}

/// Points inside, on the bounds, just around them and far outside.
std::vector<double> points(double lower, double upper, Index count) {
  std::vector<double> x = {lower, upper, lower - 1e-6, upper + 1e-6, lower + 1e-6, upper - 1e-6, -30, 30, -1e6, 1e6};
  for (Index i = 0; i < count; ++i)
    x.push_back(lower + (upper - lower) * (static_cast<double>(i) + 0.5) / static_cast<double>(count));
  return x;
}

template <class T>
std::vector<SplineForm<T>> forms() {
  std::vector<SplineForm<T>> all(7);
  all[1].bins = 5;
  all[2].constraint = Constraint::soft_clip;
  all[3].tails = Tails::none;
  all[4].tails = Tails::circular;
  all[5].bins = 1;
  all[6].bins = 40;
  return all;
}

/// How log_det moves with the argument: what its rounding is multiplied with.
template <class T>
std::vector<double> log_det_slopes(const Transformer<T>& map, const std::vector<double>& x,
                                   const std::vector<double>& theta, Form form, bool inverse) {
  const std::vector<double> none(x.size(), 0.0), ones(x.size(), 1.0);
  return evaluate(map, x, 1, theta, form, inverse, none, ones).g_x;
}

template <bool kSplit>
void compare_with_derived() {
  for (const SplineForm<double>& form : forms<double>()) {
    // Circular and free ends are written for one piece per bin; the division has its own tests.
    const auto fast = spline<double, kSplit>(form), plain = spline<double, kSplit>(form, true);
    for (const double scale : {0.0, 1.0, 4.0})
      for (const bool inverse : {false, true})
        for (const Form theta_form : kForms) {
          CAPTURE(form.bins, static_cast<int>(form.tails), scale, inverse, static_cast<int>(theta_form));
          const std::vector<double> theta = random_numbers(fast.parameters(), scale, 7);
          std::vector<double> x = points(form.lower, form.upper, 33);
          if (form.tails != Tails::identity) x.erase(x.begin() + 2, x.begin() + 10);  // outside of the domain
          const auto gy = random_numbers(static_cast<Index>(x.size()), 1, 8);
          const auto gl = random_numbers(static_cast<Index>(x.size()), 1, 9);
          const Result a = evaluate(fast, x, 1, theta, theta_form, inverse, gy, gl);
          const Result b = evaluate(plain, x, 1, theta, theta_form, inverse, gy, gl);
          CHECK(largest_difference(a.value, b.value) < 1e-12);
          const std::vector<double> bend = log_det_slopes(plain, x, theta, theta_form, inverse);
          for (std::size_t i = 0; i < x.size(); ++i) {
            CAPTURE(x[i], bend[i]);
            // Of the inverse, x is rounded too, which moves log_det by its slope there.
            const double bends = std::max(1.0, std::abs(bend[i]) * std::max(1.0, std::exp(-a.log_det[i])));
            CHECK(difference(a.log_det[i], b.log_det[i]) < 1e-12 * bends);
            // At its ends a spline has two slopes, and rounding chooses the side.
            if (std::abs(x[i]) != form.upper) CHECK(difference(a.g_x[i], b.g_x[i]) < 1e-8);
          }
          CHECK(largest_difference(a.g_theta, b.g_theta) < 1e-8);
        }
  }
}

/// Round trips and finite gradients for raw numbers of any size.
template <class T, bool kSplit>
void extremes(double allowed) {
  for (const SplineForm<T>& form : forms<T>()) {
    if (form.tails != Tails::identity) continue;
    // No spline divides bins that soft_clip made: a part of them may be less than float32 resolves.
    if (kSplit && form.constraint == Constraint::soft_clip) continue;
    const auto map = spline<T, kSplit>(form);
    for (const double scale : {1.0, 50.0, 1000.0})
      for (unsigned seed = 0; seed < 5; ++seed)
        for (const Form theta_form : kForms) {
          CAPTURE(form.bins, scale, seed, static_cast<int>(theta_form));
          std::vector<double> theta = random_numbers(map.parameters(), 1, seed);
          for (double& v : theta) v = std::clamp(v, -1.0, 1.0) * scale;
          const std::vector<double> x = points(form.lower, form.upper, 200);
          const Result there = evaluate(map, x, 1, theta, theta_form, false);
          const Result back = evaluate(map, there.value, 1, theta, theta_form, true);
          const std::vector<double> bend = log_det_slopes(map, x, theta, theta_form, false);
          double worst = 0, worst_log = 0;
          for (std::size_t i = 0; i < x.size(); ++i) {
            REQUIRE(std::isfinite(there.value[i]));
            REQUIRE(std::isfinite(there.log_det[i]));
            REQUIRE(std::isfinite(back.log_det[i]));
            REQUIRE(std::isfinite(there.g_x[i]));
            REQUIRE(std::isfinite(back.g_x[i]));
            if (std::abs(x[i]) <= form.upper) CHECK(std::abs(there.value[i]) <= form.upper);
            // The round trip is as good as the slope allows: y carries an ulp of |y| at best.
            const double condition = std::max(1.0, std::exp(-there.log_det[i]));
            worst = std::max(worst, difference(x[i], back.value[i]) / condition);
            // Near a bend, log_dets differ by what moving x by its error does.
            const double curvature = std::max(1.0, std::abs(bend[i]) * condition);
            if (std::abs(x[i]) != form.upper)
              worst_log = std::max(worst_log, difference(there.log_det[i], -back.log_det[i]) / curvature);
          }
          for (std::size_t k = 0; k < theta.size(); ++k) {
            REQUIRE(std::isfinite(there.g_theta[k]));
            REQUIRE(std::isfinite(back.g_theta[k]));
          }
          CHECK(worst < allowed);
          CHECK(worst_log < allowed);
        }
  }
}

}  // namespace

TEST_CASE("hand-written spline kernels equal the derived ones") {
  SECTION("rational-quadratic") { compare_with_derived<false>(); }
  SECTION("linear-rational") { compare_with_derived<true>(); }
}

TEST_CASE("splines are stable for extreme parameters") {
  SECTION("rational-quadratic, float64") { extremes<double, false>(1e-13); }
  SECTION("rational-quadratic, float32") { extremes<float, false>(1e-5); }
  SECTION("linear-rational, float64") { extremes<double, true>(1e-13); }
  SECTION("linear-rational, float32") { extremes<float, true>(1e-5); }
}

TEST_CASE("a spline's raw identity is the identity") {
  SplineForm<double> form;
  const std::vector<double> x = points(-3, 3, 50);
  std::vector<double> theta(static_cast<std::size_t>(form.parameters()));
  spline<double, false>(form).identity(theta);
  CHECK(largest_difference(evaluate(spline<double, false>(form), x, 1, theta, Form::rows, false).value, x) < 1e-14);
  form.split_bins = true;
  theta.resize(static_cast<std::size_t>(form.parameters()));
  spline<double, true>(form).identity(theta);
  CHECK(largest_difference(evaluate(spline<double, true>(form), x, 1, theta, Form::rows, false).value, x) < 1e-14);
}

TEST_CASE("points outside of a domain without tails are not numbers, and stay in their rows") {
  SplineForm<double> form;
  form.lower = 0;
  form.upper = 1;
  form.tails = Tails::none;
  const auto map = spline<double, false>(form);
  const auto theta = random_numbers(map.parameters(), 1, 3);
  for (const Form theta_form : kForms) {
    const Result r = evaluate(map, {0.0, -1e-9, 0.5, 1 + 1e-9, 1.0, NAN}, 1, theta, theta_form, false);
    CHECK(r.value[0] == 0);
    CHECK(r.value[4] == 1);
    CHECK(std::isfinite(r.value[2]));
    for (const std::size_t i : {1u, 3u, 5u}) {
      CHECK(std::isnan(r.value[i]));
      CHECK(std::isnan(r.log_det[i]));
    }
  }
}

TEMPLATE_TEST_CASE("a NaN stays in its row and infinities are tails", "[splines]", float, double) {
  const auto map = spline<TestType, true>({});
  const auto theta = random_numbers(map.parameters(), 1, 4);
  for (const Form theta_form : kForms)
    for (const bool inverse : {false, true}) {
      const Result r = evaluate(map, {NAN, 0.5, INFINITY, -INFINITY}, 1, theta, theta_form, inverse);
      CHECK(std::isnan(r.value[0]));
      CHECK(std::isnan(r.log_det[0]));
      CHECK(std::isfinite(r.value[1]));
      CHECK(r.value[2] == INFINITY);
      CHECK(r.value[3] == -INFINITY);
      CHECK(r.log_det[2] == 0);
    }
}

TEST_CASE("float32 splines follow float64") {
  for (const bool inverse : {false, true})
    for (const Form theta_form : kForms) {
      CAPTURE(inverse, static_cast<int>(theta_form));
      const auto narrow = spline<float, false>({});
      const auto wide = spline<double, false>({});
      std::vector<double> theta = random_numbers(wide.parameters(), 1, 5), x = random_numbers(300, 1.5, 6);
      for (double& v : theta) v = static_cast<float>(v);
      for (double& v : x) v = static_cast<float>(v);
      std::vector<double> thetas;  // the same for three elements
      for (int j = 0; j < 3; ++j) thetas.insert(thetas.end(), theta.begin(), theta.end());
      const Result a = evaluate(narrow, x, 3, thetas, theta_form, inverse);
      const Result b = evaluate(wide, x, 3, thetas, theta_form, inverse);
      // Knots are rounded too; where the map is steep, that moves the value by more than its own rounding.
      const std::vector<double> ones(x.size(), 1.0), none(x.size() / 3, 0.0);
      const std::vector<double> slope = evaluate(wide, x, 3, thetas, theta_form, inverse, ones, none).g_x;
      for (std::size_t i = 0; i < x.size(); ++i)
        CHECK(difference(a.value[i], b.value[i]) < 3e-6 * std::max(1.0, slope[i]));
      CHECK(largest_difference(a.log_det, b.log_det) < 1e-4);
      CHECK(largest_difference(a.g_x, b.g_x) < 1e-3);
      CHECK(largest_difference(a.g_theta, b.g_theta) < 1e-3);
    }
}

TEST_CASE("rows do not depend on each other, and any number of rows will do") {
  const auto map = spline<double, false>({});
  const auto theta = random_numbers(2 * map.parameters(), 1, 10);
  const auto x = random_numbers(2 * 300, 1.5, 11);
  for (const Form theta_form : kForms) {
    const Result all = evaluate(map, x, 2, theta, theta_form, false);
    for (const Index rows : {1, 2, 15, 16, 17, 257}) {
      const Result some = evaluate(map, {x.begin(), x.begin() + 2 * rows}, 2, theta, theta_form, false);
      for (Index i = 0; i < rows; ++i) {
        const auto n = static_cast<std::size_t>(i);
        CHECK(difference(some.value[2 * n], all.value[2 * n]) < 1e-14);
        CHECK(difference(some.log_det[n], all.log_det[n]) < 1e-14);
        CHECK(difference(some.g_x[2 * n + 1], all.g_x[2 * n + 1]) < 1e-12);
      }
    }
    const Result none = evaluate(map, {}, 2, theta, theta_form, true);
    CHECK(none.value.empty());
    CHECK(none.g_theta == std::vector<double>(theta.size(), 0.0));
  }
}

TEST_CASE("a wrong theta is refused with both shapes") {
  const auto map = spline<double, false>({});
  CHECK_THROWS_WITH(evaluate(map, {1, 2, 3}, 1, std::vector<double>(24), Form::rows, false),
                    "transformer: x is 3 x 1, so theta must be 1 or 3 x 23, but it is 3 x 24");
  CHECK_THROWS_WITH(evaluate(map, {1, 2, 3}, 1, std::vector<double>(24), Form::prepared, false),
                    "transformer: theta has 24 columns, which is no multiple of its 23 numbers per element");
}
