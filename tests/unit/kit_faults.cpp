// The kit tests itself on what a plugin must not do to it: throw anywhere, give other shapes, write NaN, allocate in
// the hot path, claim a bound that is none. Each is reported by name, and nothing ends the program.
#include "pushforward/testing/count_allocations.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

enum class Fault {
  none,
  throws_in_factory,
  throws_in_forward,
  throws_in_inverse,
  throws_in_vjp,
  throws_a_number,
  too_few_columns,
  too_few_rows,
  flat_log_det,
  no_value,
  nan_in_value,
  nan_in_gradient,
  allocates,
  allocates_in_vjp,
  writes_padding,
  above_the_bound,
  below_the_bound,
  biased_estimate,
  fair_estimate,
};

/// y = exp(a) x + b, element by element.
template <class T>
class Line final : public Bijector<T> {
 public:
  Line(Built<T>& built, const Surroundings& around, Fault fault) : size_(around.event_shape.size()), fault_(fault) {
    if (is(Fault::throws_in_factory)) throw std::runtime_error("no such table");
    a_ = declare(built, "a", 1, size_);
    b_ = declare(built, "b", 1, size_);
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    require_columns("line", x.columns(), size_);
    if (is(Fault::throws_in_forward)) throw std::runtime_error("the table is empty");
    if (is(Fault::throws_a_number)) throw 42;
    return finish({faulty(x) * exp(pass(a_)) + pass(b_), log_det(x, pass, 1)}, 1);
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    require_columns("line", y.columns(), size_);
    if (is(Fault::throws_in_inverse)) throw Error("the table cannot be read backwards");
    return finish({(faulty(y) - pass(b_)) * exp(-pass(a_)), log_det(y, pass, -1)}, -1);
  }

  Traits traits() const override {
    Traits t;
    t.elementwise = t.increasing = true;
    const bool bound = is(Fault::above_the_bound) || is(Fault::below_the_bound);
    const bool estimate = is(Fault::biased_estimate) || is(Fault::fair_estimate);
    if (bound) t.log_det = LogDet::lower_bound;
    if (estimate) t.log_det = LogDet::unbiased;
    t.uses_draws = bound || estimate;
    return t;
  }

 private:
  bool is(Fault fault) const { return fault_ == fault; }

  Var<T> faulty(Var<T> x) const {
    if (is(Fault::throws_in_vjp))
      return with_gradient(x, [](T&, T) { throw std::runtime_error("not differentiable"); });
    if (is(Fault::nan_in_gradient)) return with_gradient(x, [](T& g, T) { g = std::numeric_limits<T>::quiet_NaN(); });
    if (is(Fault::nan_in_value)) return x + log(x * T(0) - T(1));
    if (is(Fault::allocates)) {
      const std::vector<T> copy(static_cast<std::size_t>(x.columns()), T(1));
      return x * copy.front();
    }
    if (is(Fault::allocates_in_vjp))
      return with_gradient(x, [](T& g, T adjoint) {
        const std::vector<T> copy(3, adjoint);
        g += copy.back();
      });
    return x;
  }

  Var<T> log_det(Var<T> x, const Pass<T>& pass, double sign) const {
    Var<T> sum = repeat_rows(row_sum(pass(a_)), x.rows()) * static_cast<T>(sign) + row_sum(x * T(0));
    const auto noise = [&] { return pass.normal(ComponentId{9}, x.rows(), 1) * T(0.1); };
    if (traits().uses_draws) sum = sum + noise();
    if (is(Fault::above_the_bound) || is(Fault::biased_estimate)) sum = sum + T(0.25);
    if (is(Fault::below_the_bound)) sum = sum - T(0.25);
    return sum;
  }

  Mapped<T> finish(Mapped<T> m, int direction) const {
    if (direction < 0) return m;
    if (is(Fault::too_few_columns)) m.value = columns(m.value, 0, size_ - 1);
    if (is(Fault::too_few_rows) && m.value.rows() > 1) m.value = repeat_rows(column_sum(m.value), m.value.rows() - 1);
    if (is(Fault::flat_log_det)) m.log_det = sum(m.log_det);
    if (is(Fault::no_value)) m.value = {};
    if (is(Fault::writes_padding))
      for (Index j = 0; j < m.value.columns(); ++j)
        for (Index i = m.value.rows(); i < m.value.value().stride; ++i)
          m.value.data().column(j)[i] = std::numeric_limits<T>::quiet_NaN();
    return m;
  }

  Index size_;
  Fault fault_;
  Parameter a_, b_;
};

Subject line(Fault fault) { return subject_of<Line>("bijector", "kit_line", fault, 3); }

/// Every check that evaluates fails with this message in its findings, and with the name of the component.
void expect_message(Fault fault, const std::string& message) {
  const std::vector<CheckResult> results = testing::check(line(fault));
  std::size_t told = 0;
  for (const CheckResult& r : testing::failures(results)) {
    CAPTURE(r.check);
    CHECK(r.subject == "bijector/kit_line, example own");
    CHECK_THAT(testing::to_text(r), Contains("bijector/kit_line") && Contains(r.check));
    for (const std::string& finding : r.findings) told += finding.find(message) != std::string::npos;
  }
  INFO(testing::to_text(results));
  CHECK(told >= testing::failures(results).size());
  CHECK(told > 10);
}

}  // namespace

TEST_CASE("a correct line passes, and so does one that fills its own padding") {
  expect_failures(line(Fault::none), {});
  expect_failures(line(Fault::writes_padding), {});
}

TEST_CASE("what throws is reported with its message by every check that it spoils") {
  SECTION("in the factory") { expect_message(Fault::throws_in_factory, "it threw: no such table"); }
  SECTION("in forward") { expect_message(Fault::throws_in_forward, "it threw: the table is empty"); }
  SECTION("in inverse") { expect_message(Fault::throws_in_inverse, "it threw: the table cannot be read backwards"); }
  SECTION("what is no exception") {
    expect_message(Fault::throws_a_number, "it threw: something that is no std::exception");
  }
  SECTION("in a vjp, so that checks of values alone go on") {
    expect_message(Fault::throws_in_vjp, "it threw: not differentiable");
    const std::set<std::string> failed = failed_checks(testing::check(line(Fault::throws_in_vjp)));
    CHECK(failed.count("input_gradient") == 1);
    for (const char* check : {"structure", "recording", "checkpoint", "fields", "draws"}) {
      CAPTURE(check);
      CHECK(failed.count(check) == 0);
    }
  }
}

TEST_CASE("a result of another shape is reported with both shapes") {
  SECTION("columns") { expect_message(Fault::too_few_columns, "forward: value is 64 x 2, but must be 64 x 3"); }
  SECTION("rows") { expect_message(Fault::too_few_rows, "forward: value is 63 x 3, but must be 64 x 3"); }
  SECTION("log_det") { expect_message(Fault::flat_log_det, "forward: log_det is 1 x 1, but must be 64 x 1"); }
  SECTION("none") { expect_message(Fault::no_value, "forward: value is none"); }
}

TEST_CASE("NaN is reported, never compared away") {
  SECTION("in values") {
    const std::set<std::string> failed = failed_checks(testing::check(line(Fault::nan_in_value)));
    for (const char* check : {"round_trip", "log_det_numeric", "input_gradient", "sizes", "edges", "structure"}) {
      CAPTURE(check);
      CHECK(failed.count(check) == 1);
    }
  }
  SECTION("in gradients") {
    const std::set<std::string> failed = failed_checks(testing::check(line(Fault::nan_in_gradient)));
    for (const char* check : {"input_gradient", "sizes", "edges"}) {
      CAPTURE(check);
      CHECK(failed.count(check) == 1);
    }
    for (const char* check : {"log_det_numeric", "recording", "checkpoint"}) {
      CAPTURE(check);
      CHECK(failed.count(check) == 0);
    }
  }
}

TEST_CASE("allocations in a step in steady state are found, forwards and backwards") {
  SECTION("in an evaluation") { expect_failures(line(Fault::allocates), {"allocations"}); }
  SECTION("in a vjp") { expect_failures(line(Fault::allocates_in_vjp), {"allocations"}); }
  const std::vector<CheckResult> results = testing::check(line(Fault::allocates), {{"allocations"}, true, false});
  REQUIRE(results.size() == 1);
  REQUIRE(!results[0].findings.empty());
  CHECK_THAT(results[0].findings[0], Contains("forward") && Contains("1 heap allocations"));
}

TEST_CASE("stochastic log_dets lie on the side that they are declared to lie") {
  SECTION("an unbiased estimate") { expect_failures(line(Fault::fair_estimate), {}); }
  SECTION("a biased one") { expect_failures(line(Fault::biased_estimate), {"draws"}); }
  SECTION("a lower bound") { expect_failures(line(Fault::below_the_bound), {}); }
  SECTION("a lower bound that lies above") {
    expect_failures(line(Fault::above_the_bound), {"draws"});
    const std::vector<CheckResult> results = testing::check(line(Fault::above_the_bound), {{"draws"}, true, false});
    REQUIRE(results.size() == 1);
    REQUIRE(!results[0].worst.empty());
    CHECK_THAT(results[0].worst[0].entry, Contains("mean of log_det"));
    CHECK(results[0].worst[0].analytic > results[0].worst[0].numeric);
  }
}

TEST_CASE("parameters without a gradient need an excuse with a reason, and no other does") {
  Subject s = line(Fault::none);
  const auto only = [&] { return testing::check(s, {{"reached", "fields"}, true, false}); };
  s.without_gradient = {{"b", "a test"}};
  const std::vector<CheckResult> stale = only();
  CHECK(failed_checks(stale) == std::set<std::string>{"reached"});
  s.without_gradient = {{"b", ""}};
  CHECK(failed_checks(only()) == std::set<std::string>{"fields", "reached"});
  s = line(Fault::none);
  s.tolerance_factor = 10;
  const std::vector<CheckResult> results = only();
  CHECK(failed_checks(results) == std::set<std::string>{"fields"});
  CHECK_THAT(testing::to_text(results), Contains("without a reason"));
}

TEST_CASE("an excused parameter is told with its reason") {
  Subject s = line(Fault::none);
  const auto make = s.make_double;
  s.make_double = [make](const Surroundings& around) {
    Built<double> built = make(around);
    declare(built, "layers[0].idle", 1, 2);
    return built;
  };
  s.make_float = nullptr;
  CHECK(failed_checks(testing::check(s, {{"reached"}})) == std::set<std::string>{"reached"});
  s.without_gradient = {{"[0].idle", "kept for old checkpoints"}};
  const std::vector<CheckResult> results = testing::check(s, {{"reached"}});
  CHECK(testing::passed(results));
  CHECK_THAT(results[0].note, Contains("layers[0].idle: kept for old checkpoints"));
}

TEST_CASE("reports are coloured on request alone, and count their checks") {
  const std::vector<CheckResult> results = testing::check(line(Fault::allocates), {{"allocations", "fields"}});
  const std::string plain = testing::to_text(results), coloured = testing::to_text(results, true);
  CHECK(plain.find('\033') == std::string::npos);
  CHECK_THAT(plain, Contains("4 checks: 2 passed, 2 failed, 0 not applicable"));
  CHECK_THAT(coloured, Contains("\033[1;31mFAILED") && Contains("\033[32mpassed"));
  const CheckResult none = testing::unchecked("bijector", "mine", "(none)", "the component has no example");
  CHECK(none.status == testing::Status::failed);
  CHECK_THAT(testing::to_text(none), Contains("bijector/mine") && Contains("the component has no example"));
}
