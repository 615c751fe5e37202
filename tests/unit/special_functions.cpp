// Special functions against values to 20 digits, their recurrences and their derivatives.
#include "pushforward/special_functions.h"

#include <array>

#include "support/operations.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

struct Known {
  double x, value;
};

/// The result of an operation for one number.
template <class T, class F>
double at(T x, const F& f) {
  Tape<T> tape(false);
  return static_cast<double>(*f(tape.constant(x)).value().data);
}

/// Both precisions, with an absolute error below one and a relative error above. `sharp`: relative everywhere.
template <class F>
void check_values(std::span<const Known> known, const F& f, bool sharp = false) {
  for (const Known& k : known) {
    CAPTURE(k.x, k.value);
    const double size = sharp ? std::abs(k.value) : std::max(1.0, std::abs(k.value));
    CHECK(std::abs(at(k.x, f) - k.value) <= 2e-14 * size);
    // Rounded once: only the rounding of x itself comes on top.
    const double rounded_x = static_cast<double>(static_cast<float>(k.x));
    CHECK(at(static_cast<float>(k.x), f) == static_cast<double>(static_cast<float>(at(rounded_x, f))));
  }
}

constexpr Known kLogGamma[] = {
    {1e-05, 11.512919692895825626},       {0.01, 4.5994798780420217016},
    {0.5, 0.57236494292470008707},        {1.0, 0.0},
    {3.25, 0.93580193110872535826},       {15.5, 26.536914491115613624},
    {24.5, 53.190494526169265444},        {10000.0, 82099.717496442377273},
    {100000000.0, 1742068066.1038347093},
};
constexpr Known kDigamma[] = {
    {1e-05, -100000.57719921567289}, {0.01, -100.56088545786867242},   {0.5, -1.9635100260214234794},
    {1.0, -0.57721566490153286061},  {3.25, 1.0169909110681790364},    {15.5, 2.7082352425903654326},
    {24.5, 3.1781261463533075216},   {10000.0, 9.2102903711428494036}, {100000000.0, 18.420680738952365464},
};
constexpr Known kTrigamma[] = {
    {1e-05, 10000000001.64490839},   {0.01, 10001.621213528312804},        {0.5, 4.9348022005446793094},
    {1.0, 1.6449340668482264365},    {3.25, 0.35979829030957987507},       {15.5, 0.066642013583275970629},
    {24.5, 0.041660642161016485053}, {10000.0, 0.00010000500016666666633}, {100000000.0, 1.0000000050000000167e-8},
};
constexpr Known kCorrection[] = {
    {1e-05, 4.837643556460688417},       {0.01, 1.4340079537031842008},
    {0.5, 0.15342640972002734529},       {1.0, 0.08106146679532725822},
    {3.25, 0.025562157964525794126},     {15.5, 0.0053755990329268344936},
    {16.5, 0.0050498873315830020452},    {24.5, 0.0034011717482414828353},
    {10000.0, 8.3333333305555555635e-6}, {100000000.0, 8.3333333333333333056e-10},
};
constexpr Known kBessel[] = {
    {1e-05, -9.9999750000000009743e-6},    {0.01, -0.0099750001562482641184}, {0.5, -0.43845028081451869606},
    {1.0, -0.76408564149282135131},        {3.25, -1.4600194457801714166},    {15.5, -2.2810143579250846725},
    {24.5, -2.5130641924037932782},        {25.5, -2.5332754934209658705},    {10000.0, -5.5240962185676989955},
    {100000000.0, -10.129278903930855472},
};
/// I1(x)/I0(x) - 1
constexpr Known kBesselSlope[] = {
    {1e-05, -0.9999950000000000625},         {0.01, -0.99500006249895835113},  {0.5, -0.75750038741919805465},
    {1.0, -0.55361003410346549295},          {3.25, -0.17310597241291055975},  {15.5, -0.032815856217388955717},
    {24.5, -0.020625503352569102702},        {25.5, -0.019808119420176847493}, {10000.0, -0.000050001250125019535314},
    {100000000.0, -5.000000012500000125e-9},
};

/// The derivative at one number.
template <class T, class F>
double slope(T x, const F& f) {
  Tape<T> tape;
  const Var<T> leaf = tape.leaf(compact<const T>(&x, 1, 1));
  tape.backward(f(leaf));
  return static_cast<double>(*tape.adjoint(leaf).data);
}

constexpr auto kLogGammaOf = [](auto x) { return log_gamma(x); };
constexpr auto kCorrectionOf = [](auto x) { return log_gamma_correction(x); };
constexpr auto kBesselOf = [](auto x) { return log_bessel_i0e(x); };

/// Positive numbers on both sides of every branch.
Table points(Index rows, double from, double to) {
  return Table::make(rows, 3, [&](Index i, Index j) {
    const double share = static_cast<double>((7 * i + 5 * j) % 23) / 22;
    return from * std::pow(to / from, share);
  });
}

template <class F, class Plain>
void check_derivatives(const F& f, const Plain& plain, double from, double to) {
  const auto apply = [&f](auto&, auto x) { return f(x[0]); };
  for (const Index rows : {1, 17, 32}) {
    CAPTURE(rows);
    const Table x = points(rows, from, to);
    Table expected = x;
    for (double& v : expected.numbers) v = plain(v);
    OperationCheck(std::vector<Table>{x}, apply).everything(expected);
  }
  const Table none(0, 3);
  OperationCheck(std::vector<Table>{none}, apply).values(none);
  OperationCheck(std::vector<Table>{none}, apply).gradients();
  OperationCheck(std::vector<Table>{points(33, from, to)}, apply).nan_stays_in_its_row(0);
}

}  // namespace

TEST_CASE("log Gamma and its derivatives have the known values") {
  check_values(kLogGamma, kLogGammaOf);
  check_values(kDigamma, [](auto x) { return digamma(x); });
  check_values(
      kTrigamma, [](auto x) { return polygamma(x, 1); }, true);
  for (const Known& k : kDigamma) CHECK(slope(k.x, kLogGammaOf) == Approx(k.value).epsilon(1e-13));
}

TEST_CASE("log Gamma and its derivatives obey their recurrences") {
  for (const double x : {0.02, 0.7, 4.0, 15.5, 63.0}) {
    CAPTURE(x);
    CHECK(at(x + 1, kLogGammaOf) == Approx(at(x, kLogGammaOf) + std::log(x)).margin(1e-13));
    double factorial = 1;
    for (int order = 0; order < 5; ++order) {
      CAPTURE(order);
      const auto f = [order](auto v) { return polygamma(v, order); };
      const double step = (order % 2 ? -1 : 1) * factorial / std::pow(x, order + 1);
      CHECK(at(x + 1, f) == Approx(at(x, f) + step).epsilon(1e-12).margin(1e-14 * std::abs(step)));
      factorial *= order + 1;
    }
  }
}

TEST_CASE("what Stirling's formula lacks has the known values, also where it is tiny") {
  check_values(kCorrection, kCorrectionOf);
  check_values(std::span(kCorrection).last(4), kCorrectionOf, true);
  CHECK(slope(1e4, kCorrectionOf) == Approx(-8.33333332500000004e-10).epsilon(1e-13));
  CHECK(slope(1e4F, kCorrectionOf) == Approx(-8.33333332500000004e-10).epsilon(1e-6));
}

TEST_CASE("the Bessel function has the known values, also where it would overflow") {
  check_values(kBessel, kBesselOf);
  for (const Known& k : kBesselSlope) {
    CAPTURE(k.x);
    CHECK(std::abs(slope(k.x, kBesselOf) - k.value) <= 1e-13 * std::abs(k.value));
  }
  // r' = 1 - r/x - r^2 closes the derivatives; at 0 it is 1/2.
  CHECK(slope(0.0, kBesselOf) == -1.0);
}

TEST_CASE("outside of their domains special functions are no numbers") {
  for (const double x : {-0.5, -3.0}) {
    CHECK(std::isnan(at(x, kLogGammaOf)));
    CHECK(std::isnan(at(x, kCorrectionOf)));
    CHECK(std::isnan(at(x, kBesselOf)));
  }
  CHECK(at(0.0, kLogGammaOf) == INFINITY);
  CHECK(at(0.0, kBesselOf) == 0.0);
  CHECK_THROWS_AS(at(1.0, [](auto x) { return polygamma(x, -1); }), std::logic_error);
}

TEST_CASE("special functions have derivatives of every order, in both modes") {
  SECTION("log_gamma") {
    check_derivatives(
        kLogGammaOf, [](double x) { return at(x, kLogGammaOf); }, 0.4, 30);
  }
  SECTION("digamma") {
    const auto f = [](auto x) { return digamma(x); };
    check_derivatives(
        f, [&](double x) { return at(x, f); }, 0.5, 30);
  }
  SECTION("log_gamma_correction") {
    check_derivatives(
        kCorrectionOf, [](double x) { return at(x, kCorrectionOf); }, 0.4, 30);
  }
  SECTION("log_bessel_i0e") {
    check_derivatives(
        kBesselOf, [](double x) { return at(x, kBesselOf); }, 0.3, 60);
  }
}

TEST_CASE("powers of absolute values broadcast and have all derivatives") {
  const Table x = Table::make(17, 3, [](Index i, Index j) {
    return ((i + j) % 2 ? 1 : -1) * (0.3 + 0.1 * static_cast<double>((7 * i + 5 * j) % 23));
  });
  const auto apply = [](auto&, auto in) { return abs_power(in[0], in[1]); };
  for (const Index rows : {1, 17}) {
    const Table p = Table::make(rows, 3, [](Index i, Index j) { return 0.5 + 0.2 * static_cast<double>(i + 3 * j); });
    const Table expected =
        Table::make(17, 3, [&](Index i, Index j) { return std::pow(std::abs(x(i, j)), p(rows == 1 ? 0 : i, j)); });
    OperationCheck(std::vector<Table>{x, p}, apply).everything(expected);
  }
  OperationCheck(std::vector<Table>{x, Table(1, 3, 1.7)}, apply).nan_stays_in_its_row(0);
}

TEST_CASE("the power of zero is zero, and so are its derivatives") {
  for (const double p : {0.5, 1.0, 2.0, 7.0}) {
    Tape<double> tape;
    const double zero = 0;
    const Var<double> x = tape.leaf(compact(&zero, 1, 1)), e = tape.leaf(compact(&p, 1, 1));
    const Var<double> y = abs_power(x, e);
    tape.backward(y);
    CHECK(*y.value().data == 0);
    CHECK(*tape.adjoint(x).data == 0);
    CHECK(*tape.adjoint(e).data == 0);
    const Var<double> t = tape.tangent(y, x, tape.constant(1.0));
    CHECK(*t.value().data == 0);
  }
}
