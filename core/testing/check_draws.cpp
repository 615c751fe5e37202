// Check 21: what is random is a function of its keys, and a stochastic log_det has the right mean.
#include <cmath>

#include "kit.h"
#include "numeric.h"

namespace pushforward::testing {

namespace {

/// Draws may depend on these keys only, and must if they are drawn at all.
void check_keys(Case& c, const FunctionCase& f, Tally& t) {
  Runner& runner = c.runner(t.precision());
  constexpr int kKeys = 4;
  const char* const names[kKeys] = {"step", "component", "row", "seed"};
  bool depends[kKeys] = {}, drawn = false;
  for (const Mode mode : {Mode::evaluate, Mode::train}) {
    const Request r = c.request(f, kSamples, 211, mode);
    const std::vector<Array> first = runner.run(r).outputs;
    t.require(same_bits(first, runner.run(r).outputs),
              [&] { return c.where(f, mode) + ": the same pass twice gives other bits"; });
    Request keyed[kKeys] = {r, r, r, r};
    keyed[0].stream.step += 1;
    keyed[1].stream.salt += 1000;
    keyed[2].first_row += 5000;
    keyed[3].stream.seed += 1;
    for (int k = 0; k < kKeys; ++k) {
      const bool differs = !same_bits(first, runner.run(keyed[k]).outputs);
      depends[k] |= differs;
      drawn |= differs;
    }
  }
  t.require(!drawn || f.random, [&] {
    return c.where(f) + ": declares no draws, but another step, component, row or seed gives other results";
  });
  if (!drawn || !f.random) return;
  for (int k = 0; k < kKeys; ++k)
    t.require(depends[k], [&] { return c.where(f) + ": another " + names[k] + " draws the same numbers"; });
}

/// The value is exact, so its numeric Jacobian has the log_det that the estimates scatter around.
void check_unbiased(Case& c, const FunctionCase& f, Tally& t) {
  constexpr Index kRows = 16;
  constexpr std::uint32_t kSteps = 400;
  constexpr double kStandardErrors = 5;
  if (f.info.inputs > 5) return t.skip("the event has more than 5 elements");
  Request r = c.request(f, kRows, 221);
  const RowSlopes all = row_slopes(c, f, r, Input::x, 1e-7);
  Array sum(kRows, 1), square(kRows, 1);
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    r.stream.step = step;
    const Array log_det = c.runner(Precision::float64).run(r).outputs[1];
    for (Index i = 0; i < kRows; ++i) {
      sum(i, 0) += log_det(i, 0);
      square(i, 0) += log_det(i, 0) * log_det(i, 0);
    }
  }
  t.at(c.where(f));
  for (Index i = 0; i < kRows; ++i) {
    if (all.kinked[static_cast<std::size_t>(i)]) continue;
    const double mean = sum(i, 0) / kSteps, variance = std::max(0.0, square(i, 0) / kSteps - mean * mean);
    const double allowed = kStandardErrors * std::sqrt(variance / kSteps) + 1e-6;
    t.compare(
        i, [] { return std::string("mean of log_det"); }, mean, numeric_determinant(all, i).log_det,
        allowed / std::max(1.0, std::abs(mean)));
  }
}

}  // namespace

void check_draws(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions()) {
    check_keys(c, f, t);
    if (t.in_double() && c.map() && c.map()->log_det == LogDet::unbiased) check_unbiased(c, f, t);
  }
  if (c.map() && c.map()->log_det == LogDet::lower_bound)
    t.note("the exact log_det behind a bound is not known, so its side is not checked");
}

}  // namespace pushforward::testing
