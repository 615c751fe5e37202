#include "../../plugins/datasets/circles.cpp"

#include <catch2/catch.hpp>

#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

namespace {

Table circles(const Fields& fields, std::uint64_t seed = 0) {
  return make_component<Dataset<float>>(kComponents[0], fields)->load(seed);
}
double radius(const Table& t, std::size_t i) { return std::hypot(t.column(0)[i], t.column(1)[i]); }

}  // namespace

TEST_CASE("circles without noise are scikit-learn's points, the outer circle first") {
  const Table t =
      circles({{"samples", "7"}, {"factor", "0.25"}, {"noise", "0"}, {"shuffle", "false"}, {"labels", "true"}});
  REQUIRE(t.rows == 7);
  CHECK(t.names == std::vector<std::string>{"x0", "x1", "label"});
  const double root = std::sqrt(0.75);
  const double x[] = {1, -0.5, -0.5, 0.25, 0, -0.25, 0}, y[] = {0, root, -root, 0, 0.25, 0, -0.25};
  for (std::size_t i = 0; i < 7; ++i) {
    CAPTURE(i);
    CHECK(t.column(0)[i] == Approx(x[i]).margin(1e-15));
    CHECK(t.column(1)[i] == Approx(y[i]).margin(1e-15));
    CHECK(t.column(2)[i] == (i < 3 ? 0 : 1));
  }
}

TEST_CASE("circles shuffles points and labels together") {
  const Fields fields = {{"samples", "1000"}, {"noise", "0"}, {"labels", "true"}};
  const Table t = circles(fields);
  int inner = 0, early = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const bool inside = t.column(2)[i] == 1;
    CHECK(radius(t, i) == Approx(inside ? 0.5 : 1));
    inner += inside;
    early += inside && i < 500;
  }
  CHECK(inner == 500);
  CHECK(std::abs(early - 250) < 40);  // 5 standard deviations of the hypergeometric distribution
}

TEST_CASE("circles' noise is normal, of the given size, in both coordinates") {
  Fields fields = {{"samples", "20000"}, {"noise", "0"}};
  const Table exact = circles(fields, 3);
  fields["noise"] = "0.05";
  const Table noisy = circles(fields, 3);
  for (Index j = 0; j < 2; ++j) {
    double sum = 0, squares = 0, fourth = 0;
    for (std::size_t i = 0; i < 20000; ++i) {
      const double z = (noisy.column(j)[i] - exact.column(j)[i]) / 0.05;
      sum += z;
      squares += z * z;
      fourth += z * z * z * z;
    }
    // Five standard errors: of a mean of z, z^2 and z^4, whose variances are 1, 2 and 96.
    const double error = 5 / std::sqrt(20000.0);
    CHECK(std::abs(sum / 20000) < error);
    CHECK(std::abs(squares / 20000 - 1) < error * std::sqrt(2.0));
    CHECK(std::abs(fourth / 20000 - 3) < error * std::sqrt(96.0));
  }
}

TEST_CASE("circles are a function of the fields and the seed") {
  CHECK(circles({}, 1).values == circles({}, 1).values);
  CHECK(circles({}, 1).values != circles({}, 2).values);
  const Table standard = circles({});
  CHECK(standard.rows == 1000);
  CHECK(standard.columns() == 2);
  CHECK(make_component<Dataset<double>>(kComponents[0])->load(5).values == circles({}, 5).values);
}
