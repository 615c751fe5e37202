// The normal distribution's tails against values to 50 digits, and the derivatives of its operations.
#include "pushforward/normal_tails.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "pushforward/operations.h"

using namespace pushforward;  // NOLINT

namespace {

double relative(double a, double b) { return a == b ? 0 : std::abs(a - b) / std::max(std::abs(a), std::abs(b)); }

Var<double> numbers(Tape<double>& tape, const std::vector<double>& values, bool leaf = true) {
  const Block<const double> block = compact(values.data(), static_cast<Index>(values.size()), 1);
  return leaf ? tape.leaf(block) : tape.constant(block);
}

/// Reverse and forward mode of y = f(a, b), elementwise, against central differences of `value`.
void check_derivatives(const std::vector<double>& a, const std::vector<double>& b,
                       const std::function<Var<double>(Tape<double>&, Var<double>, Var<double>)>& operation,
                       const std::function<double(std::size_t, double, double)>& value) {
  Tape<double> tape;
  const Var<double> at = numbers(tape, a), bt = numbers(tape, b);
  const Var<double> y = operation(tape, at, bt);
  const std::vector<double> ones(a.size(), 1.0);
  const Var<double> along_a = tape.tangent(y, at, numbers(tape, ones, false));
  const Var<double> along_b = tape.tangent(y, bt, numbers(tape, ones, false));
  tape.backward(y);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(a[i], b[i]);
    const auto row = static_cast<Index>(i);
    const double h = 1e-5;
    const double da = (value(i, a[i] + h, b[i]) - value(i, a[i] - h, b[i])) / (2 * h);
    const double db = (value(i, a[i], b[i] + h) - value(i, a[i], b[i] - h)) / (2 * h);
    CHECK(tape.adjoint(at)(row, 0) == Approx(da).margin(1e-8).epsilon(1e-6));
    CHECK(tape.adjoint(bt)(row, 0) == Approx(db).margin(1e-8).epsilon(1e-6));
    CHECK(along_a.value()(row, 0) == Approx(tape.adjoint(at)(row, 0)).margin(1e-12));
    CHECK(along_b.value()(row, 0) == Approx(tape.adjoint(bt)(row, 0)).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("log_ndtr is exact in both tails") {
  const double cases[][2] = {
      {-1000, -500007.826694812184}, {-40, -804.608442013753788},   {-38, -726.55721601882013},
      {-20.5, -214.0667289632638},   {-19.5, -194.016965777497499}, {-8, -35.0134371599145499},
      {-1, -1.84102164500926351},    {0, -0.693147180559945309},    {0.5, -0.368946415288656393},
      {3, -0.0013508099647481938},   {9, -1.12858840595384065e-19}, {30, -4.906713927148187e-198},
  };
  for (const auto& c : cases) {
    CAPTURE(c[0]);
    CHECK(relative(log_ndtr(c[0]), c[1]) < 1e-13);
  }
  CHECK(log_ndtr(-INFINITY) == -INFINITY);
  CHECK(log_ndtr(INFINITY) == 0);
  CHECK(std::isnan(log_ndtr(NAN)));
}

TEST_CASE("ndtri_exp inverts log_ndtr") {
  for (double x = -1e4; x < -1; x *= 0.93) {
    CAPTURE(x);
    CHECK(relative(ndtri_exp(log_ndtr(x)), x) < 1e-14);
  }
  for (double x = -1; x < 5; x += 0.37) {
    CAPTURE(x);
    // Where Phi is near 1, its logarithm holds fewer digits of x.
    CHECK(std::abs(ndtri_exp(log_ndtr(x)) - x) < 1e-15 * std::exp(0.5 * x * x) + 1e-15);
  }
  CHECK(ndtri_exp(-INFINITY) == -INFINITY);
  CHECK(ndtri_exp(0) == INFINITY);
}

TEST_CASE("a truncated normal's density at its mode is exact far away and on narrow intervals") {
  const double cases[][3] = {
      {-1, 2, -0.718772238880210162},          {8, 9, 2.09468006023247538},
      {-9, -8, 2.09468006023247538},           {40, 41, 3.68950348054911543},
      {-1000, -999.5, 6.90725615493870026},    {-2, kFarAway, -0.895925623875709253},
      {-kFarAway, -30, 3.40230542313852437},   {5, 5.0001, 9.21059036322830442},
      {-1e-4, 2e-4, 8.11172808830807298},      {100, 100.001, 6.95733880954221099},
      {-0.5, kFarAway, -0.549992117916016349}, {30, 30.0006, 7.42756746251704924},
      {30, 30.0007, 7.27491192922892056},
  };
  for (const auto& c : cases) {
    CAPTURE(c[0], c[1]);
    // The ends of a narrow interval are rounded numbers: they are a share of 1e-15 / width of it.
    CHECK(std::abs(truncated_normal_log_peak(c[0], c[1]) - c[2]) < 2e-13);
  }
}

TEST_CASE("a truncated normal's quantiles are exact in both tails") {
  const double cases[][4] = {
      {0.25, -1, 2, -0.349641429292465473},
      {0.9, -1, 2, 1.25571536415021532},
      {0.5, 8, 9, 8.08488889901816643},
      {0.999, 8, 9, 8.79196358661889113},
      {5.960464477539063e-08, 8, 9, 8.00000000733790568},
      {0.5, -9, -8, -8.08488889901816643},
      {0.3, 40, kFarAway, 40.0089103197835129},
      {0.3, -kFarAway, -40, -40.0300692552746113},
      {0.75, 3, 3.5, 3.28387792205362838},
      {0.5, -1000, -999, -999.000693840085405},
      {1.1102230246251565e-16, -kFarAway, 1, -8.23025452741600142},
      {0.6, -kFarAway, kFarAway, 0.253347103135799741},
  };
  for (const auto& c : cases) {
    CAPTURE(c[0], c[1], c[2]);
    CHECK(relative(truncated_normal_quantile(c[0], c[1], c[2]), c[3]) < 1e-14);
  }
  for (const double u : {1e-16, 0.5, 1 - 1e-16}) {
    const double z = truncated_normal_quantile(u, 8, 8 + 1e-9);
    CHECK((z >= 8 && z <= 8 + 1e-9));
  }
}

TEST_CASE("a truncated normal's moments agree with closed forms, and with limits where those are of no use") {
  for (const auto& [a, b] : {std::pair{-1.0, 2.0}, {-kFarAway, 0.5}, {1.0, kFarAway}, {-3.0, 3.0}, {2.0, 2.75}}) {
    CAPTURE(a, b);
    const double mode = std::max(a, std::min(b, 0.0)), peak = std::exp(truncated_normal_log_peak(a, b));
    const auto density = [&](double x) { return peak * std::exp(-0.5 * (x - mode) * (x + mode)); };
    const double mean = density(a) - density(b);
    const TruncatedNormalMoments m = truncated_normal_moments(a, b);
    CHECK(m.mean_from_mode == Approx(mean - mode).epsilon(1e-9).margin(1e-15));
    CHECK(m.variance == Approx(1 + a * density(a) - b * density(b) - mean * mean).epsilon(1e-9));
  }
  const TruncatedNormalMoments uniform = truncated_normal_moments(1, 1 + 1e-6);
  CHECK(uniform.mean_from_mode == Approx(0.5e-6).epsilon(1e-5));
  CHECK(uniform.variance == Approx(1e-12 / 12).epsilon(1e-5));
  // Far away it is an exponential distribution with the rate of the distance.
  const TruncatedNormalMoments exponential = truncated_normal_moments(-kFarAway, -1e4);
  CHECK(exponential.mean_from_mode == Approx(-1e-4).epsilon(1e-7));
  CHECK(exponential.variance == Approx(1e-8).epsilon(1e-6));
}

TEST_CASE("the operations' derivatives") {
  const std::vector<double> a = {-1, 3, -4, 8, -0.5}, b = {2, 5, -3, 9, 0.25};
  const std::vector<double> u = {0.25, 0.5, 0.75, 0.9, 0.1};
  check_derivatives(
      a, b, [](Tape<double>&, Var<double> x, Var<double> y) { return truncated_normal_log_peak(x, y); },
      [](std::size_t, double x, double y) { return truncated_normal_log_peak(x, y); });
  check_derivatives(
      a, b,
      [&](Tape<double>& tape, Var<double> x, Var<double> y) {
        return truncated_normal_quantile(numbers(tape, u, false), x, y);
      },
      [&](std::size_t i, double x, double y) { return truncated_normal_quantile(u[i], x, y); });
  check_derivatives(
      a, b, [](Tape<double>&, Var<double> x, Var<double> y) { return log_ndtr(x) + log_ndtr(y); },
      [](std::size_t, double x, double y) { return log_ndtr(x) + log_ndtr(y); });
}

TEST_CASE("an end that is far away has no derivative, and the other end all the same") {
  Tape<double> tape;
  const std::vector<double> a = {-kFarAway, 2}, b = {-3, kFarAway};
  const Var<double> low = numbers(tape, a), high = numbers(tape, b);
  const Var<double> h = truncated_normal_log_peak(low, high);
  tape.backward(h);
  CHECK(tape.adjoint(low)(0, 0) == 0);
  CHECK(tape.adjoint(high)(1, 0) == 0);
  // The hazard phi / Phi less the distance: 3.28309865493043650693 - 3 at -3.
  CHECK(tape.adjoint(high)(0, 0) == Approx(3 - 3.28309865493043650693).epsilon(1e-13));
  CHECK(std::isfinite(tape.adjoint(low)(1, 0)));
}

TEST_CASE("blocks of other shapes are refused") {
  Tape<double> tape;
  const std::vector<double> two = {1, 2}, three = {1, 2, 3};
  CHECK_THROWS_WITH(truncated_normal_log_peak(numbers(tape, two), numbers(tape, three)),
                    "truncated_normal_log_peak: the operands have the shapes 2 x 1 and 3 x 1, but must have the same");
}
