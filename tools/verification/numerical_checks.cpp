#include "verification/numerical_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "flow_maps.h"
#include "number_format.h"
#include "pushforward/testing/tolerances.h"
#include "verification/errors.h"
#include "verification/map_checks.h"
#include "verification/statistics.h"

namespace pushforward::verification {
namespace {

constexpr const char* kParameters = "parameters";
constexpr const char* kRows = "density of the rows";
constexpr const char* kSum = "density = base + log_det";
constexpr const char* kSampled = "density of samples";
constexpr const char* kPrecision = "float32 against float64";
constexpr const char* kIntegral = "density integrates to 1";

/// log_prob in float64.
template <class T>
RowFunction exact_log_prob(const Subject<T>& subject, const Matrix<double>& context) {
  return [&subject, &context](Block<const double> points) {
    Images images;
    images.number.resize(static_cast<std::size_t>(points.rows));
    subject.exact.log_prob({.data = points, .context = context, .weights = {}, .count = points.rows}, images.number);
    return images;
  };
}

template <class T>
std::string why_no_density(const Subject<T>& subject) {
  const DistributionTraits traits = subject.model().traits();
  if (traits.density != LogDet::exact) return "the model's log_prob is an estimate, or a bound";
  if (traits.uses_draws_in_log_prob) return "the model's log_prob draws at random";
  return {};
}

/// log_prob against the base's and the map's, which are computed apart.
template <class T>
Finding check_sum(const Subject<T>& subject, const Usable<T>& usable) {
  const Index n = usable.events.rows();
  std::vector<double> log_det(static_cast<std::size_t>(n)), log_prob(static_cast<std::size_t>(n));
  const Matrix<T> base =
      map_through_flow<T>(subject.engine, Direction::inverse, usable.events, usable.context, log_det);
  const std::vector<double> of_base = base_log_prob<T>(subject.engine, base, usable.context);
  subject.engine.log_prob({.data = usable.events, .context = usable.context, .weights = {}, .count = n}, log_prob);
  Errors errors;
  for (std::size_t i = 0; i < log_prob.size(); ++i) {
    const double scale = std::max({1.0, std::abs(log_prob[i]), std::abs(of_base[i]), std::abs(log_det[i])});
    const double error = std::abs(log_prob[i] - of_base[i] - log_det[i]) / scale;
    errors.error.push_back(std::isfinite(error) ? error : std::numeric_limits<double>::infinity());
    errors.condition.push_back(1);
  }
  return judge(
      {kSum, tolerance_of(subject), "the flow adds up something else than its parts; it is a mistake in a component"},
      errors, usable.name_of);
}

template <class T>
Finding check_sampled(const Subject<T>& subject, Index n) {
  const Matrix<T> context = contexts_for(subject, n), samples(n, subject.model().event_shape().size());
  std::vector<double> with_sample(static_cast<std::size_t>(n)), again(static_cast<std::size_t>(n));
  subject.engine.sample(n, context, static_cast<std::uint32_t>(DrawStep::samples), samples.block(), with_sample);
  subject.engine.log_prob({.data = samples, .context = context, .weights = {}, .count = n}, again);
  const Matrix<double> points = converted<double, T>(samples), exact_context = converted<double, T>(context);
  Errors errors{.error = {}, .condition = conditions(exact_log_prob(subject, exact_context), points).number};
  for (std::size_t i = 0; i < again.size(); ++i) errors.error.push_back(relative_error(with_sample[i], again[i]));
  return judge(
      {kSampled, tolerance_of(subject),
       "the density that comes with a sample is not that of the same point: the directions of the flow disagree"},
      errors, [](Index i) { return fmt::format("sample {}", i); });
}

template <class T>
Finding check_precision(const Subject<T>& subject, const Usable<T>& usable) {
  const Index n = usable.events.rows();
  std::vector<double> log_prob(static_cast<std::size_t>(n));
  subject.engine.log_prob({.data = usable.events, .context = usable.context, .weights = {}, .count = n}, log_prob);
  const Matrix<double> points = converted<double, T>(usable.events), context = converted<double, T>(usable.context);
  const RowFunction exact = exact_log_prob(subject, context);
  const std::vector<double> there = exact(points).number;
  Errors errors{.error = {}, .condition = conditions(exact, points).number};
  for (std::size_t i = 0; i < log_prob.size(); ++i) errors.error.push_back(relative_error(log_prob[i], there[i]));
  return judge(
      {kPrecision, tolerance_of(subject), "float32 has too few digits for this model; fit with precision: float64"},
      errors, usable.name_of);
}

/// A box of two or fewer sides, in the model's units.
struct Box {
  std::vector<double> low, high;
  bool holds(Block<const double> points, Index row) const {
    for (std::size_t j = 0; j < low.size(); ++j) {
      const double x = points(row, static_cast<Index>(j));
      if (!(low[j] <= x && x < high[j])) return false;
    }
    return true;
  }
};

constexpr double kLeftOut =
    1e-3;  // share of the samples on each side of the box, so that heavy tails leave cells small
constexpr double kGridTolerance = 1e-3, kCoarsest = 0.02;
constexpr double kSigmas = 4;

Box box_of(Block<const double> samples) {
  Box box;
  for (Index j = 0; j < samples.columns; ++j) {
    std::vector<double> sorted(samples.column(j), samples.column(j) + samples.rows);
    std::sort(sorted.begin(), sorted.end());
    box.low.push_back(quantile(sorted, kLeftOut));
    box.high.push_back(quantile(sorted, 1 - kLeftOut));
  }
  return box;
}

/// By the midpoint rule; the context's first row is that of all points.
template <class T>
double integral_over(const Subject<T>& subject, const Box& box, Index cells, Block<const double> context) {
  const auto size = static_cast<Index>(box.low.size());
  const Index n = size == 1 ? cells : cells * cells;
  Matrix<double> points(n, size), contexts;
  double volume = 1;
  for (Index j = 0; j < size; ++j) {
    const double low = box.low[static_cast<std::size_t>(j)], high = box.high[static_cast<std::size_t>(j)];
    const double width = (high - low) / static_cast<double>(cells);
    volume *= width;
    for (Index i = 0; i < n; ++i)
      points(i, j) = low + width * (static_cast<double>(j == 0 ? i % cells : i / cells) + 0.5);
  }
  if (context.data) contexts = picked(context, std::vector<Index>(static_cast<std::size_t>(n), 0));
  const std::vector<double> log_prob = exact_log_prob(subject, contexts)(points).number;
  double sum = 0;
  for (const double l : log_prob) sum += std::exp(l);
  return sum * volume;
}

/// Samples in float64, all of the context's first row.
template <class T>
Matrix<double> exact_samples(const Subject<T>& subject, Index n, Block<const double> context, DrawStep step) {
  Matrix<double> samples(n, subject.model().event_shape().size());
  const Matrix<double> contexts =
      context.data ? picked(context, std::vector<Index>(static_cast<std::size_t>(n), 0)) : Matrix<double>();
  subject.exact.sample(n, contexts, static_cast<std::uint32_t>(step), samples.block());
  return samples;
}

}  // namespace

template <class T>
Finding check_parameters(const Subject<T>& subject) {
  const Model<T>& model = subject.engine.model();
  // A number of size one that is added to a larger parameter is lost.
  const double most = 1 / static_cast<double>(std::numeric_limits<T>::epsilon());
  Finding finding{.check = kParameters, .measured = {}, .expected = fmt::format("below {:.0e}", most), .advice = {}};
  double largest = 0, worst = 0;
  std::int64_t wrong = 0;
  const auto look_at = [&](const std::string& path, double value, double limit) {
    if (!(value <= limit) && wrong++ == 0) {
      worst = value;
      finding.where = path;
    }
    if (value <= limit && value > largest) {
      largest = value;
      if (wrong == 0) finding.where = path;
    }
  };
  for (const ParameterInfo& p : model.layout.parameters)
    for (Index i = p.handle.offset; i < p.handle.offset + p.handle.size() && p.handle.offset < model.border(); ++i)
      look_at(p.path, std::abs(static_cast<double>(model.store.parameters[static_cast<std::size_t>(i)])), most);
  for (const StateInfo& s : model.layout.states)
    for (Index i = s.handle.offset; i < s.handle.offset + s.handle.size && !s.handle.integer; ++i)
      look_at(s.path, std::abs(static_cast<double>(model.store.real_state[static_cast<std::size_t>(i)])),
              std::numeric_limits<double>::max());
  finding.numbers = {{"largest", largest}, {"wrong", static_cast<double>(wrong)}};
  finding.verdict = wrong ? Verdict::failed : Verdict::ok;
  finding.measured = wrong                   ? fmt::format("{} not", counted(wrong, "number is", "numbers are"))
                     : finding.where.empty() ? "none"
                                             : fmt::format("largest {:.3g}", largest);
  finding.advice = fmt::format(
      "{} is {:.4g}: the fit went astray or the file was changed; take an earlier checkpoint, or fit again with a "
      "smaller learning rate",
      finding.where, wrong ? worst : largest);
  return finding;
}

template <class T>
Finding check_rows(const Subject<T>& subject) {
  const Index n = subject.gathered.rows.rows();
  if (n == 0) return not_done(kRows, Kind::numerical, "there are no rows");
  std::vector<double> log_prob(static_cast<std::size_t>(n));
  subject.engine.log_prob(subject.gathered.rows.view(), log_prob);
  const bool bounds = has_bounds(subject.engine.model());
  std::int64_t wrong = 0;
  Index first = 0;
  for (Index i = 0; i < n; ++i)
    if (judge_row(log_prob[static_cast<std::size_t>(i)], subject.gathered.rows, i, bounds) == RowDensity::not_finite)
      if (wrong++ == 0) first = i;
  Finding finding{.check = kRows, .measured = {}, .expected = "finite", .advice = {}};
  finding.numbers = {{"not_finite", static_cast<double>(wrong)}, {"rows", static_cast<double>(n)}};
  finding.verdict = wrong ? Verdict::failed : Verdict::ok;
  finding.measured = wrong ? fmt::format("not finite: {} of {}, first {}", count_text(wrong), counted(n, "row"),
                                         subject.gathered.name_of(first))
                           : fmt::format("finite in {}", counted(n, "row"));
  finding.advice =
      "the density overflows; look at these rows (pushforward log-prob), standardize or clip the data, or fit with "
      "precision: float64";
  return finding;
}

template <class T>
Finding check_integral(const Subject<T>& subject) {
  const Index size = subject.model().event_shape().size();
  const DistributionTraits traits = subject.model().traits();
  const auto refused = [](const char* reason) { return not_done(kIntegral, Kind::numerical, reason); };
  if (size > 2) return refused("events have more than two elements; log_det and the base's density say the same");
  if (const std::string reason = why_no_density(subject); !reason.empty()) return refused(reason.c_str());
  if (!traits.can_sample) return refused("the model cannot be sampled, so there is no telling where its mass lies");
  if (traits.on_simplex) return refused("the elements sum to 1: the density lives on a simplex");
  if (subject.conditional() && !subject.context().data) return refused("there is no row whose context to take");
  const bool costly = std::max(traits.sample, traits.log_prob) > Cost::one_pass;
  const Matrix<double> context = converted<double, T>(subject.context());
  const Index n = costly ? 20'000 : 100'000, cells = size == 1 ? 8192 : costly ? 256 : 512;
  const Box box = box_of(exact_samples<T>(subject, n, context, DrawStep::frame));
  const Matrix<double> samples = exact_samples<T>(subject, n, context, DrawStep::inside);
  Index inside = 0;
  for (Index i = 0; i < n; ++i) inside += box.holds(samples, i) ? 1 : 0;
  const double share = static_cast<double>(inside) / static_cast<double>(n);
  const double chance = std::sqrt(std::max(share * (1 - share), 1 / static_cast<double>(n)) / static_cast<double>(n));
  const double coarse = integral_over<T>(subject, box, cells / 2, context);
  const double fine = integral_over<T>(subject, box, cells, context), grid_error = std::abs(fine - coarse);
  if (grid_error > kCoarsest)
    return refused("the density is too narrow for a grid; log_det and the base's density say the same");

  const double allowed = kGridTolerance + grid_error + kSigmas * chance;
  Finding finding{.check = kIntegral, .measured = {}, .expected = {}, .advice = {}};
  finding.verdict = std::abs(fine - share) <= allowed ? Verdict::ok : Verdict::failed;  // a NaN fails
  finding.measured = fmt::format("{:.4f} where samples are", fine);
  finding.expected = fmt::format("{:.4f} +- {:.1g}", share, allowed);
  finding.numbers = {{"integral", fine}, {"share_of_samples", share}, {"allowed", allowed}};
  finding.advice = "the density and the samples are not of one distribution, or the density is none";
  return finding;
}

template <class T>
std::vector<Finding> numerical_checks(const Subject<T>& subject) {
  std::vector<Finding> findings = {check_parameters(subject)};
  if (findings.front().verdict == Verdict::failed) {
    findings.push_back(not_done("everything else", Kind::numerical, "with such parameters nothing else can be judged"));
    return findings;
  }
  const auto add = [&](const char* check, auto&& f) { attempt(findings, check, [&] { findings.push_back(f()); }); };
  const std::string no_density = why_no_density(subject);
  const auto density_check = [&](const char* check, bool possible, const char* reason, auto&& f) {
    if (no_density.empty() && possible) return add(check, f);
    findings.push_back(not_done(check, Kind::numerical, no_density.empty() ? reason : no_density));
  };
  add(kRows, [&] { return check_rows(subject); });
  const Usable<T> usable = usable_rows(subject);
  const bool any = usable.events.rows() > 0;
  const char* const no_rows = "there are no rows of finite density to do it with";
  for (Finding& finding : map_checks(subject, usable)) findings.push_back(std::move(finding));
  density_check(kSum, any && subject.flow(), subject.flow() ? no_rows : "the model is no flow",
                [&] { return check_sum(subject, usable); });
  const DistributionTraits traits = subject.model().traits();
  density_check(kSampled, traits.can_sample && (!subject.conditional() || any),
                traits.can_sample ? no_rows : "the model cannot be sampled", [&] {
                  return check_sampled(
                      subject, std::max(traits.sample, traits.log_prob) > Cost::one_pass ? kCostlyDraws : kDraws);
                });
  if (sizeof(T) == sizeof(float))
    density_check(kPrecision, any, no_rows, [&] { return check_precision(subject, usable); });
  add(kIntegral, [&] { return check_integral(subject); });
  return findings;
}

#define PUSHFORWARD_NUMERICAL_CHECKS(T)                              \
  template std::vector<Finding> numerical_checks(const Subject<T>&); \
  template Finding check_parameters(const Subject<T>&);              \
  template Finding check_rows(const Subject<T>&);                    \
  template Finding check_integral(const Subject<T>&);
PUSHFORWARD_NUMERICAL_CHECKS(float)
PUSHFORWARD_NUMERICAL_CHECKS(double)
#undef PUSHFORWARD_NUMERICAL_CHECKS

}  // namespace pushforward::verification
