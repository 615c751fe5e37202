// Check 21: what is random is a function of its keys, and a stochastic log_det has the right mean.
#include <cmath>

#include "grid.h"
#include "kit.h"
#include "numeric.h"

namespace pushforward::testing {

namespace {

/// Draws may depend on these keys only, and must if they are drawn at all. True if they are.
bool check_keys(Case& c, const FunctionCase& f, Tally& t) {
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
  if (!drawn || !f.random) return drawn;
  for (int k = 0; k < kKeys; ++k)
    t.require(depends[k], [&] { return c.where(f) + ": another " + names[k] + " draws the same numbers"; });
  return drawn;
}

/// Signs of what lies above its column's median.
Array signs(const Array& values) {
  Array all(values.rows, values.columns);
  for (Index j = 0; j < values.columns; ++j) {
    const auto from = values.values.begin() + j * values.rows;
    std::vector<double> sorted(from, from + values.rows);
    std::nth_element(sorted.begin(), sorted.begin() + values.rows / 2, sorted.end());
    const double middle = sorted[static_cast<std::size_t>(values.rows / 2)];
    for (Index i = 0; i < values.rows; ++i) all(i, j) = values(i, j) > middle ? 1 : values(i, j) < middle ? -1 : 0;
  }
  return all;
}

/// Rows of a sample do not know each other, nor those of another step or component: a key that adds up row, element and
/// step gives one number to several of them.
void check_independence(Case& c, const FunctionCase& f, Tally& t) {
  constexpr Index kRows = 4096;
  constexpr double kDeviations = 6;  // of some hundred correlations of signs
  Runner& runner = c.runner(t.precision());
  Request r = c.request(f, kRows, 212);
  r.context = one_context_row(c, f, kRows);
  const Array first = signs(runner.run(r).outputs[0]);
  const auto compare = [&](const Array& other, Index lag, const std::string& what) {
    for (Index j = 0; j < first.columns; ++j)
      for (Index k = 0; k < first.columns; ++k) {
        double sum = 0;
        for (Index i = 0; i + lag < kRows; ++i) sum += first(i + lag, j) * other(i, k);
        t.require(std::abs(sum) <= kDeviations * std::sqrt(static_cast<double>(kRows - lag)), [&] {
          return c.where(f) + ": " + indexed("value", j) + " of row i and " + indexed("value", k) + " of row i - " +
                 std::to_string(lag) + what +
                 " have correlated signs: " + std::to_string(sum / static_cast<double>(kRows - lag)) + " in place of 0";
        });
      }
  };
  for (const Index lag : {Index{1}, Index{2}, Index{3}, Index{64}, Index{256}}) compare(first, lag, "");
  Request keyed[3] = {r, r, r};
  keyed[0].stream.step += 1;
  keyed[1].stream.salt += 1000;  // the next ones belong to children
  keyed[2].stream.seed += 1;
  const char* const names[] = {" of the next step", " of another component", " of the next seed"};
  for (int k = 0; k < 3; ++k) {
    const Array other = signs(runner.run(keyed[k]).outputs[0]);
    for (const Index lag : {Index{0}, Index{1}, Index{2}}) compare(other, lag, names[k]);
  }
}

struct Estimate {
  double mean, allowed;  // 5 standard errors
};

/// Of every row's log_det, over many steps.
std::vector<Estimate> mean_log_dets(Case& c, Request r) {
  constexpr std::uint32_t kSteps = 400;
  constexpr double kStandardErrors = 5;
  const auto rows = static_cast<std::size_t>(r.x.rows);
  std::vector<double> sum(rows), square(rows);
  for (r.stream.step = 0; r.stream.step < kSteps; ++r.stream.step) {
    const Array log_det = c.runner(Precision::float64).run(r).outputs[1];
    for (std::size_t i = 0; i < rows; ++i) {
      const double v = log_det(static_cast<Index>(i), 0);
      sum[i] += v;
      square[i] += v * v;
    }
  }
  std::vector<Estimate> all;
  for (std::size_t i = 0; i < rows; ++i) {
    const double mean = sum[i] / kSteps, variance = std::max(0.0, square[i] / kSteps - mean * mean);
    all.push_back({mean, kStandardErrors * std::sqrt(variance / kSteps)});
  }
  return all;
}

/// The value is exact, so its numeric Jacobian has the log_det that the estimates scatter around.
void check_unbiased(Case& c, const FunctionCase& f, Tally& t) {
  constexpr Index kRows = 16;
  if (f.info.inputs > 5) return t.skip("the event has more than 5 elements");
  const RowSlopes all = row_slopes(c, f, c.request(f, kRows, 221), Input::x, 1e-7);
  const std::vector<Estimate> means = mean_log_dets(c, all.request);
  t.at(c.where(f));
  for (Index i = 0; i < kRows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    if (all.kinked[row]) continue;
    t.compare(
        i, [] { return std::string("mean of log_det"); }, means[row].mean, numeric_determinant(all, i).log_det,
        (means[row].allowed + 1e-6) / std::max(1.0, std::abs(means[row].mean)));
  }
}

/// The value is exact, so no mean of log_det lies above that of its numeric Jacobian.
void check_below(Case& c, const FunctionCase& f, Tally& t) {
  constexpr Index kRows = 16;
  const RowSlopes all = row_slopes(c, f, c.request(f, kRows, 221), Input::x, 1e-7);
  const std::vector<Estimate> means = mean_log_dets(c, all.request);
  t.at(c.where(f));
  for (Index i = 0; i < kRows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    if (all.kinked[row]) continue;
    const double exact = numeric_determinant(all, i).log_det;
    t.compare(
        i, [] { return std::string("mean of log_det, as far as it lies above"); }, std::max(means[row].mean, exact),
        exact, (means[row].allowed + 1e-6) / std::max(1.0, std::abs(exact)));
  }
}

/// What lies below a density integrates to less than it does.
void check_integral_below(Case& c, Tally& t) {
  constexpr Index kDraws = 64;
  constexpr double kNoise = 5e-3;  // of the sum of 64 draws at each of a thousand points, and of those points
  std::string reason;
  const SmallCase small = small_case(c, reason);
  const std::unique_ptr<Grid> grid = small.c ? grid_of(*small.c, Precision::float64, reason, kDraws) : nullptr;
  if (!grid) return t.skip("the bound: " + reason);
  const double integral = grid->integral(1);
  t.require(integral <= 1 + kNoise, [&] {
    return "declared a lower bound, but the density with it integrates to " + std::to_string(integral) +
           ", more than 1";
  });
  t.require(integral > 0, [] { return std::string("the density with the bound is 0 everywhere"); });
  t.note("the bound's density integrates to " + std::to_string(integral));
}

void check_bound(Case& c, Tally& t) {
  bool compared = false;
  for (const FunctionCase& f : c.functions()) {
    const bool square = c.map() && c.base_columns() == c.data_columns() && f.info.inputs <= 5;
    const bool value_drawn = c.map() && (f.info.name == "forward" ? c.map()->draws_forward : c.map()->draws_inverse);
    if (!square || value_drawn) continue;
    check_below(c, f, t);
    compared = true;
  }
  if (!compared) check_integral_below(c, t);
}

}  // namespace

void check_draws(Case& c, Tally& t) {
  const bool bound = (c.map() && c.map()->log_det == LogDet::lower_bound) ||
                     (c.density() && c.density()->density == LogDet::lower_bound);
  bool declared = false, drawn = false;
  for (const FunctionCase& f : c.functions()) {
    declared |= f.random;
    drawn |= check_keys(c, f, t);
    if (c.density() && f.info.name == "sample" && !c.couples_rows()) check_independence(c, f, t);
    if (t.in_double() && c.map() && c.map()->log_det == LogDet::unbiased) check_unbiased(c, f, t);
  }
  t.require(drawn || !declared, [] {
    return std::string("draws are declared, but nothing is drawn, and checks that compare other draws are left out");
  });
  if (bound && t.in_double()) check_bound(c, t);
}

}  // namespace pushforward::testing
