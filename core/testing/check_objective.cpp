// Checks 38 to 41, and 27 of objectives: losses of a small flow.
#include <cmath>

#include "gradients.h"
#include "kit.h"
#include "loss_runner.h"
#include "pushforward/testing/allocations.h"

namespace pushforward::testing {

namespace {

constexpr Index kRows = 48;

/// What an objective that declares no need of data is given in their place: nobody may read it.
Array unread(Index rows, Index columns) { return {rows, columns, std::numeric_limits<double>::quiet_NaN()}; }

template <class T>
LossRequest request_of(const LossRunner<T>& runner, int phase, Mode mode = Mode::train) {
  LossRequest r;
  r.phase = phase;
  r.mode = mode;
  r.rows = kRows;
  const Index columns = runner.event_size();
  r.data = runner.objective().needs().data ? small_rows(kRows, columns) : unread(kRows, columns);
  return r;
}

/// Weights between 1/2 and 2, exact in float32.
Array some_weights(Index rows) {
  Array w(rows, 1);
  for (Index i = 0; i < rows; ++i) w(i, 0) = 0.5 + 0.375 * static_cast<double>(i % 5);
  return w;
}

template <class T>
std::string place(const LossRunner<T>& runner, int phase, const char* more = "") {
  return std::string("phase ") + runner.objective().phases()[static_cast<std::size_t>(phase)].name + more;
}

/// Whether another step draws other numbers.
template <class T>
bool is_random(LossRunner<T>& runner, const LossRequest& r) {
  LossRequest next = r;
  next.stream.step += 1;
  return !same_bits({runner.run(r).rows}, {runner.run(next).rows});
}

/// Allowed, relative to the loss, for sums of terms that may cancel in it.
double condition(const LossResponse& r) {
  double size = 0;
  for (const double v : r.rows.values) size += std::abs(v) / static_cast<double>(r.rows.rows);
  return std::max(1.0, size / std::max(1.0, std::abs(r.loss)));
}

template <class T>
void require_same(const LossResponse& a, const LossResponse& b, const std::string& how, Tally& t) {
  t.require(same_bits(a.loss, b.loss) && same_bits({a.rows}, {b.rows}), [&] { return how + " gives other bits"; });
}

template <class T>
void check_doors(LossRunner<T>& runner, int phase, Tally& t) {
  const ObjectiveNeeds needs = runner.objective().needs();
  const auto closed = [&](bool declared, std::int64_t used, const char* what) {
    t.require(declared || used == 0, [&] {
      return place(runner, phase) + ": asks the model for " + what + ", which its `needs` do not declare";
    });
  };
  closed(needs.model_log_prob, runner.doors().log_prob, "log_prob");
  closed(needs.model_sample, runner.doors().sample, "samples");
  closed(needs.target, runner.doors().target, "the target's log_density");
}

template <class T>
void check_loss_of(const Subject& subject, Tally& t) {
  LossRunner<T> runner(subject);
  t.require(runner.phases() > 0, [] { return std::string("it has no phases"); });
  for (int phase = 0; phase < runner.phases(); ++phase)
    for (const Mode mode : {Mode::train, Mode::evaluate}) {
      const LossRequest r = request_of(runner, phase, mode);
      const LossResponse here = runner.run(r);
      t.at(place(runner, phase, mode == Mode::train ? "" : ", evaluate"));
      t.finite("rows", here.rows);
      t.require(std::isfinite(here.loss),
                [&] { return place(runner, phase) + ": the loss is " + std::to_string(here.loss); });
      require_same<T>(here, runner.run(r), place(runner, phase) + ": the same pass twice", t);
      LossRequest recorded = r;
      recorded.record = true;
      require_same<T>(here, runner.run(recorded), place(runner, phase) + ": recording", t);
      check_doors(runner, phase, t);
      if constexpr (sizeof(T) == sizeof(float)) {
        LossRunner<double> exact(subject);
        if (runner.layout().parameter_size != exact.layout().parameter_size || is_random(runner, r)) continue;
        const std::vector<double> same = runner.parameters();  // random starts may differ between the precisions
        LossRequest plain = r;
        plain.parameters = &same;
        const LossResponse there = exact.run(plain);
        t.compare(
            -1, [] { return std::string("loss"); }, here.loss, there.loss, t.tolerance() * condition(there));
      }
    }
}

/// Entries that a phase trains, as places in the parameter vector: all, or some of many.
template <class T>
std::vector<std::size_t> trained_entries(const LossRunner<T>& runner, int phase, Index most) {
  std::vector<std::size_t> all;
  for (const ParameterInfo& p : runner.layout().parameters)
    for (Index i = 0; runner.trained(phase, p) && i < p.handle.size(); ++i)
      all.push_back(static_cast<std::size_t>(p.handle.offset + i));
  if (static_cast<Index>(all.size()) <= most) return all;
  std::vector<std::size_t> some;
  for (Index k = 0; k < kEntries; ++k) some.push_back(all[all.size() * static_cast<std::size_t>(k) / kEntries]);
  return some;
}

/// The slope of the loss along one parameter, or nothing at a kink.
std::optional<double> slope_of(LossRunner<double>& runner, LossRequest r, std::vector<double>& theta, std::size_t i,
                               double tolerance, double& noise) {
  r.gradient = false;
  r.parameters = &theta;
  const double at = theta[i], h = step_of(at);
  const auto value = [&] {
    Array a(1, 1);
    const LossResponse response = runner.run(r);
    a(0, 0) = response.loss;
    noise = 8 * std::numeric_limits<double>::epsilon() * condition(response) * std::max(1.0, std::abs(response.loss));
    return std::vector<Array>{a};
  };
  Point here{value(), {Array(1, 1)}};
  here.noise[0](0, 0) = noise;
  const Displaced moved = [&](double t) {
    theta[i] = at + t * h;
    std::vector<Array> found = value();
    theta[i] = at;
    return found;
  };
  const Slopes found = slopes(moved, here, {h}, tolerance);
  noise /= found.step[0];
  if (found.kinked[0]) return std::nullopt;
  return found.outputs[0](0, 0);
}

/// Parameters moved a little away from their start.
std::vector<double> moved_parameters(const LossRunner<double>& runner) {
  std::vector<double> theta = runner.parameters();
  for (const ParameterInfo& p : runner.layout().parameters)
    for (Index i = p.handle.offset; i < p.handle.offset + p.handle.size(); ++i)
      theta[static_cast<std::size_t>(i)] += round_to_float(0.1 * std::sin(3.7 * static_cast<double>(i) + 1));
  return theta;
}

/// Of the loss with its draws, entry by entry.
void check_exact_gradient(LossRunner<double>& runner, LossRequest r, Tally& t) {
  std::vector<double> theta = moved_parameters(runner);
  r.parameters = &theta;
  r.gradient = true;
  const std::vector<double> gradient = runner.run(r).gradient;
  Index kinked = 0;
  const std::vector<std::size_t> entries = trained_entries(runner, r.phase, kAllEntries);
  for (const std::size_t i : entries) {
    double noise = 0;
    const std::optional<double> numeric = slope_of(runner, r, theta, i, t.tolerance(), noise);
    if (!numeric) ++kinked;
    if (numeric)
      t.compare(
          -1, [&] { return parameter_name(runner.layout(), static_cast<Index>(i)); }, gradient[i], *numeric,
          t.tolerance() + rounding(noise, *numeric));
  }
  count_redrawn(kinked, std::max<Index>(static_cast<Index>(entries.size()), 10), t, place(runner, r.phase));
}

/// Of the mean over many draws: gradients less slopes scatter around zero.
void check_mean_gradient(LossRunner<double>& runner, LossRequest r, Tally& t) {
  constexpr std::uint32_t kSteps = 200;
  constexpr double kStandardErrors = 5;
  constexpr Index kMost = 40;
  std::vector<double> theta = moved_parameters(runner);
  std::vector<std::size_t> entries = trained_entries(runner, r.phase, kAllEntries);
  if (static_cast<Index>(entries.size()) > kMost) entries.resize(static_cast<std::size_t>(kMost));
  std::vector<double> sum(entries.size()), square(entries.size());
  for (r.stream.step = 0; r.stream.step < kSteps; ++r.stream.step) {
    r.parameters = &theta;
    r.gradient = true;
    const std::vector<double> gradient = runner.run(r).gradient;
    for (std::size_t k = 0; k < entries.size(); ++k) {
      double noise = 0;
      const double d = gradient[entries[k]] - slope_of(runner, r, theta, entries[k], 1, noise).value_or(0);
      sum[k] += d / kSteps;
      square[k] += d * d / kSteps;
    }
  }
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const double error = std::sqrt(std::max(0.0, square[k] - sum[k] * sum[k]) / kSteps);
    t.compare(
        -1,
        [&] {
          return "mean of gradient less slope, " + parameter_name(runner.layout(), static_cast<Index>(entries[k]));
        },
        sum[k], 0, kStandardErrors * error + t.tolerance());
  }
}

/// Float32 against float64 at the same numbers; not where draws differ between the precisions.
void check_single_gradient(const Subject& subject, Tally& t) {
  LossRunner<float> single(subject);
  LossRunner<double> exact(subject);
  for (int phase = 0; phase < single.phases(); ++phase) {
    LossRequest r = request_of(single, phase);
    const std::vector<double> theta = single.parameters();
    r.parameters = &theta;
    r.gradient = true;
    const std::vector<double> here = single.run(r).gradient;
    if (is_random(single, r)) {
      for (const std::size_t i : trained_entries(single, phase, kAllEntries))
        t.require(std::isfinite(here[i]), [&] {
          return place(single, phase) + ": the gradient of " + parameter_name(single.layout(), static_cast<Index>(i)) +
                 " is " + std::to_string(here[i]);
        });
      t.note("draws differ between the precisions, so float32 is not compared");
      continue;
    }
    const LossResponse there = exact.run(r);
    t.at(place(single, phase));
    for (const std::size_t i : trained_entries(single, phase, kAllEntries))
      t.compare(
          -1, [&] { return parameter_name(single.layout(), static_cast<Index>(i)); }, here[i], there.gradient[i],
          t.tolerance() * condition(there));
  }
}

}  // namespace

void check_loss(const Subject& s, Tally& t) {
  t.in_double() ? check_loss_of<double>(s, t) : check_loss_of<float>(s, t);
}

void check_loss_gradient(const Subject& subject, Tally& t) {
  if (!t.in_double()) return check_single_gradient(subject, t);
  LossRunner<double> runner(subject);
  const bool exact = runner.objective().needs().exact_gradient;
  for (int phase = 0; phase < runner.phases(); ++phase) {
    const LossRequest r = request_of(runner, phase);
    t.at(place(runner, phase));
    exact ? check_exact_gradient(runner, r, t) : check_mean_gradient(runner, r, t);
  }
  if (!exact) t.note("declared exact in the mean over its draws only");
}

namespace {

/// Rows in their order, each as often as `times` says.
LossRequest repeated(const LossRequest& r, const std::vector<Index>& times) {
  std::vector<Index> places;
  for (std::size_t i = 0; i < times.size(); ++i)
    for (Index k = 0; k < times[i]; ++k) places.push_back(static_cast<Index>(i));
  LossRequest some = r;
  some.rows = static_cast<Index>(places.size());
  some.data = r.data.select(places);
  return some;
}

template <class T>
void check_weights_of(const Subject& subject, Tally& t) {
  LossRunner<T> runner(subject);
  for (int phase = 0; phase < runner.phases(); ++phase) {
    LossRequest plain = request_of(runner, phase), weighted = plain, doubled = plain;
    const auto loss = [&](const char* how, const LossResponse& a, const LossResponse& b) {
      t.at(place(runner, phase));
      t.compare(
          -1, [&] { return std::string("loss, ") + how; }, a.loss, b.loss, t.tolerance() * condition(b));
    };
    weighted.weights = some_weights(kRows);
    doubled.weights = weighted.weights;
    for (double& w : doubled.weights.values) w *= 2;
    loss("all weights doubled", runner.run(doubled), runner.run(weighted));
    weighted.weights = Array(kRows, 1, 1.0);
    loss("all weights 1", runner.run(weighted), runner.run(plain));
    if (!runner.objective().needs().data || is_random(runner, plain)) {
      t.note("repeated rows have draws of their own, so weights are not compared with them");
      continue;
    }
    std::vector<Index> times;
    for (Index i = 0; i < kRows; ++i) {
      times.push_back(i % 3);
      weighted.weights(i, 0) = static_cast<double>(times.back());
    }
    loss("weights 0, 1 and 2 for rows left out, once and twice", runner.run(weighted),
         runner.run(repeated(plain, times)));
  }
}

template <class T>
void check_shards_of(const Subject& subject, Tally& t) {
  LossRunner<T> runner(subject);
  for (int phase = 0; phase < runner.phases(); ++phase)
    for (const Mode mode : {Mode::train, Mode::evaluate}) {
      LossRequest r = request_of(runner, phase, mode);
      r.weights = some_weights(kRows);
      r.gradient = true;
      const LossResponse whole = runner.run(r);
      for (const std::vector<Index>& cut : {std::vector<Index>{16, 32}, {1, 15, 30, 2}, {0, 24, 24}}) {
        r.shards = cut;
        const LossResponse parts = runner.run(r);
        t.at(place(runner, phase, mode == Mode::train ? "" : ", evaluate") + ", " + std::to_string(cut.size()) +
             " shards");
        t.compare("rows", parts.rows, whole.rows, t.tolerance());
        t.compare(
            -1, [] { return std::string("loss"); }, parts.loss, whole.loss, t.tolerance() * condition(whole));
        for (std::size_t i = 0; i < whole.gradient.size(); ++i)
          t.compare(
              -1, [&] { return "gradient of " + parameter_name(runner.layout(), static_cast<Index>(i)); },
              parts.gradient[i], whole.gradient[i], t.tolerance() * condition(whole));
      }
    }
}

template <class T>
void check_allocations_of(const Subject& subject, Tally& t) {
  if (!counts_allocations()) return t.skip("this program does not count allocations");
  LossRunner<T> runner(subject);
  constexpr int kWarm = 3;
  for (int phase = 0; phase < runner.phases(); ++phase) {
    LossRequest r = request_of(runner, phase);
    r.gradient = true;
    std::int64_t allocations = 0;
    for (int i = 0; i <= kWarm; ++i) allocations = runner.run(r).allocations;
    t.require(allocations == 0, [&] {
      return place(runner, phase) + ": " + std::to_string(allocations) + " heap allocations in a step in steady state";
    });
  }
}

}  // namespace

void check_weights(const Subject& s, Tally& t) {
  t.in_double() ? check_weights_of<double>(s, t) : check_weights_of<float>(s, t);
}
void check_shards(const Subject& s, Tally& t) {
  t.in_double() ? check_shards_of<double>(s, t) : check_shards_of<float>(s, t);
}
void check_loss_allocations(const Subject& s, Tally& t) {
  t.in_double() ? check_allocations_of<double>(s, t) : check_allocations_of<float>(s, t);
}

}  // namespace pushforward::testing
