#include "verification/fit_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "number_format.h"
#include "verification/base_points.h"
#include "verification/statistics.h"

namespace pushforward::verification {
namespace {

constexpr const char* kMarginals = "each element";
constexpr const char* kDensity = "all elements together";
constexpr const char* kCovariance = "covariance";
constexpr const char* kTails = "rows in the tails";
constexpr const char* kOutside = "rows outside the support";
constexpr const char* kTraining = "fitted rows against others";
constexpr Index kFewestForProducts = 20;
constexpr double kMostBeyond = 0.01;  // share of an element's values beyond a spline's interval, without a word

Finding finding_of(std::string check, bool look, std::string advice) {
  return {.check = std::move(check),
          .kind = Kind::fit,
          .verdict = look ? Verdict::look : Verdict::ok,
          .measured = {},
          .expected = {},
          .advice = std::move(advice)};
}

std::string probability(double p) { return p < 1e-6 ? std::string("p < 1e-6") : fmt::format("p = {:.2g}", p); }

/// The least likely element, Bonferroni-corrected.
Finding check_marginals(const BasePoints& points) {
  Distance worst{0, 2};
  Index element = 0;
  for (Index j = 0; j < points.size; ++j) {
    const auto column = static_cast<std::size_t>(j);
    const Distance d = points.normal ? distance_to(points.column(j), normal_cdf)
                                     : distance_to(points.column(j), points.reference[column]);
    if (d.p_value < worst.p_value || (d.p_value == worst.p_value && d.statistic > worst.statistic)) {
      worst = d;
      element = j;
    }
  }
  const double p = std::min(1.0, worst.p_value * static_cast<double>(points.size));
  Finding finding = finding_of(
      kMarginals, p < kLevel,
      points.of_base
          ? "an element of the base points is not distributed as the base's; try more steps, more layers or bins, or a "
            "base that is closer to the data"
          : "an element of the rows is not distributed as the samples' is; try more steps or a richer model");
  finding.measured =
      fmt::format("KS distance {:.3f} ({}{}, {})", worst.statistic, points.name, element, probability(p));
  finding.expected = fmt::format(
      "below {:.3f}", critical_distance(kLevel / static_cast<double>(points.size), points.column(0).effective_size()));
  finding.numbers = {{"distance", worst.statistic}, {"element", static_cast<double>(element)}, {"p_value", p}};
  return finding;
}

/// The distances from the middle, or where there is none the densities: what all elements make together.
Finding check_density(const BasePoints& points) {
  const std::vector<double> radii = points.normal ? points.radii() : std::vector<double>();
  const auto degrees = static_cast<double>(points.size);
  const Distance d = points.normal
                         ? distance_to({radii, points.weights}, [&](double x) { return chi_square_cdf(x, degrees); })
                         : distance_to({points.log_prob, points.weights}, points.reference_log_prob);
  Finding finding =
      finding_of(kDensity, d.p_value < kLevel,
                 "the elements depend on each other in a way that the model does not know; try couplings or "
                 "autoregressive layers, more of them, or more steps");
  finding.measured = fmt::format("KS distance {:.3f} (of {}, {})", d.statistic,
                                 points.normal ? "the radius" : "log_prob", probability(d.p_value));
  finding.expected = fmt::format("below {:.3f}", critical_distance(kLevel, points.column(0).effective_size()));
  finding.numbers = {{"distance", d.statistic}, {"p_value", d.p_value}};
  return finding;
}

/// One entry of the covariance, and how likely chance makes it so.
struct Entry {
  Index i = 0, j = 0;
  double value = 0, expected = 0, standard_error = 0, p_value = 2;
};

double product(const Sample& a, const Sample& b) {
  double sum = 0, total = 0;
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    const double w = a.weights.empty() ? 1 : a.weights[k];
    sum += w * a.values[k] * b.values[k];
    total += w;
  }
  return sum / total;
}

/// Of standard normal numbers, with their exact distributions: chi-square, and Student's for a correlation about a
/// known mean.
Entry normal_entry(const Sample& a, const Sample& b, Index i, Index j) {
  const double n = a.effective_size();
  Entry entry{i, j, product(a, b), i == j ? 1.0 : 0.0, std::sqrt((i == j ? 2 : 1) / n), 2};
  if (i == j) {
    entry.p_value = chi_square_two_sided(n * entry.value, n);
  } else {
    const double r = entry.value / std::sqrt(product(a, a) * product(b, b));
    entry.p_value = student_two_sided(r * std::sqrt((n - 1) / std::max(1 - r * r, 0.0)), n - 1);
  }
  return entry;
}

/// Normal scores: each value as the quantile of the standard normal distribution that it is of the reference. They have
/// moments whatever the base's tails.
std::vector<double> normal_scores(const std::vector<double>& values, const std::vector<double>& sorted_reference) {
  std::vector<double> scores;
  const auto m = static_cast<double>(sorted_reference.size());
  for (const double x : values) {
    const auto range = std::equal_range(sorted_reference.begin(), sorted_reference.end(), x);
    const double rank =
        0.5 * static_cast<double>((range.first - sorted_reference.begin()) + (range.second - sorted_reference.begin()));
    scores.push_back(normal_quantile((rank + 0.5) / (m + 1)));
  }
  return scores;
}

/// Two samples' products, compared by the spread that they have in the reference.
Entry scored_entry(const Sample& a, const Sample& b, const Sample& reference_a, const Sample& reference_b, Index i,
                   Index j) {
  std::vector<double> products;
  for (std::size_t k = 0; k < reference_a.values.size(); ++k)
    products.push_back(reference_a.values[k] * reference_b.values[k]);
  const Mean expected = mean_of({products, {}});
  const double n = a.effective_size(), m = static_cast<double>(products.size());
  Entry entry{i, j, product(a, b), expected.value, expected.standard_error * std::sqrt(m / n + 1), 2};
  entry.p_value = student_two_sided((entry.value - entry.expected) / entry.standard_error, n - 1);
  return entry;
}

constexpr Index kMostElements = 64;  // whose covariance is looked at

std::vector<Entry> covariance_entries(const BasePoints& points) {
  std::vector<std::vector<double>> scores, reference;
  const Index size = std::min(points.size, kMostElements);
  for (Index j = 0; j < size && !points.normal; ++j) {
    const auto column = static_cast<std::size_t>(j);
    std::vector<double> sorted = points.reference[column];
    std::sort(sorted.begin(), sorted.end());
    scores.push_back(normal_scores(points.columns[column], sorted));
    reference.push_back(normal_scores(points.reference[column], sorted));
  }
  std::vector<Entry> entries;
  for (Index i = 0; i < size; ++i)
    for (Index j = i; j < size; ++j) {
      const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
      entries.push_back(points.normal ? normal_entry(points.column(i), points.column(j), i, j)
                                      : scored_entry({scores[a], points.weights}, {scores[b], points.weights},
                                                     {reference[a], {}}, {reference[b], {}}, i, j));
    }
  return entries;
}

Finding check_covariance(const BasePoints& points) {
  if (!points.normal && points.rows() < kFewestForProducts)
    return not_done(kCovariance, Kind::fit, fmt::format("there are fewer than {} rows", kFewestForProducts));
  const std::vector<Entry> entries = covariance_entries(points);
  const Entry worst = *std::min_element(entries.begin(), entries.end(),
                                        [](const Entry& a, const Entry& b) { return a.p_value < b.p_value; });
  const double p = std::min(1.0, worst.p_value * static_cast<double>(entries.size()));
  Finding finding = finding_of(kCovariance, p < kLevel,
                               "two elements move together, or one spreads, as the base does not; try more layers with "
                               "permutations between them, whitened data, or more steps");
  finding.measured =
      fmt::format("{:.3f} ({}{}, {}{}, {})", worst.value, points.name, worst.i, points.name, worst.j, probability(p));
  finding.expected = fmt::format("{:.3f} +- {:.3f}{}", worst.expected, worst.standard_error,
                                 points.normal ? "" : ", of normal scores");
  finding.numbers = {{"value", worst.value},
                     {"expected", worst.expected},
                     {"standard_error", worst.standard_error},
                     {"i", static_cast<double>(worst.i)},
                     {"j", static_cast<double>(worst.j)},
                     {"p_value", p}};
  return finding;
}

/// Rows whose base point is less likely than all but one in ten thousand draws of the base.
template <class T>
Finding check_tails(const Subject<T>& subject, const BasePoints& points) {
  // How far out each row is, and the limit.
  std::vector<double> distance = points.normal ? points.radii() : points.log_prob;
  double limit = chi_square_upper_quantile(kTail, static_cast<double>(points.size));
  std::vector<double> reference = points.reference_log_prob;
  const auto draws = static_cast<std::int64_t>(reference.size());
  const std::int64_t rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(kTail * static_cast<double>(draws)));
  if (!points.normal) {
    std::sort(reference.begin(), reference.end());
    limit = -reference[static_cast<std::size_t>(rank - 1)];
    for (double& d : distance) d = -d;
  }
  const std::int64_t count = std::count_if(distance.begin(), distance.end(), [&](double d) { return d > limit; });
  const double p = points.normal ? binomial_at_least(count, points.rows(), kTail)
                                 : at_least_beyond(count, points.rows(), rank, draws);
  const auto farthest = static_cast<std::size_t>(std::max_element(distance.begin(), distance.end()) - distance.begin());
  Finding finding = finding_of(kTails, p < kLevel, {});
  finding.where = subject.gathered.name_of(points.places[farthest]);
  finding.advice = fmt::format(
      "more rows lie in the tails than chance brings, {} farthest of all: outliers, or a base with tails too light "
      "(student_t), or a fit that needs more steps; 'pushforward log-prob' finds them",
      finding.where);
  finding.measured = fmt::format("{} of {} ({})", count_text(count), count_text(points.rows()), probability(p));
  finding.expected = fmt::format("about {:.2g}", kTail * static_cast<double>(points.rows()));
  finding.numbers = {{"rows", static_cast<double>(count)}, {"of", static_cast<double>(points.rows())}, {"p_value", p}};
  return finding;
}

/// Share of the values of a column that lie beyond.
double share_beyond(const double* column, Index rows, const SplineInterval& interval) {
  const auto within = [&](double x) { return interval.low <= x && x <= interval.high; };
  return 1 - static_cast<double>(std::count_if(column, column + rows, within)) / static_cast<double>(rows);
}

/// Of the element that has most of its values there.
Finding beyond_splines(const std::string& side, const char* name, Block<const double> points,
                       const SplineInterval& interval) {
  double share = -1;
  Index element = 0;
  for (Index j = 0; j < points.columns; ++j)
    if (const double here = share_beyond(points.column(j), points.rows, interval); here > share) {
      share = here;
      element = j;
    }
  Finding finding =
      finding_of(fmt::format("beyond the splines, {}", side), share > kMostBeyond,
                 "these values pass the spline unbent; standardize the data, or give the spline a wider 'bound'");
  finding.where = fmt::format("{}{}", name, element);
  finding.measured =
      fmt::format("{:.2g} % of {} beyond [{:.3g}, {:.3g}]", 100 * share, finding.where, interval.low, interval.high);
  finding.expected = "at most 1 %";
  finding.numbers = {{"share", share}, {"element", static_cast<double>(element)}};
  return finding;
}

template <class T>
Finding check_outside(const Subject<T>& subject, const std::vector<double>& log_prob) {
  const Split<T>& rows = subject.gathered.rows;
  std::int64_t count = 0;
  Index first = 0;
  for (Index i = 0; i < rows.rows(); ++i)
    if (judge_row(log_prob[static_cast<std::size_t>(i)], rows, i, true) == RowDensity::outside && count++ == 0)
      first = i;
  Finding finding =
      finding_of(kOutside, count > 0, "their density is zero; take them out, or take a model with a wider support");
  finding.measured = count ? fmt::format("{} of {}, first {}", count_text(count), count_text(rows.rows()),
                                         subject.gathered.name_of(first))
                           : "none";
  finding.expected = "none";
  finding.numbers = {{"rows", static_cast<double>(count)}, {"of", static_cast<double>(rows.rows())}};
  return finding;
}

template <class T>
Finding check_training(const Subject<T>& subject, const Part& judged, const std::vector<double>& log_prob) {
  const std::vector<Part>& parts = subject.gathered.parts;
  const auto train = std::find_if(parts.begin(), parts.end(), [](const Part& p) { return p.name == "train"; });
  if (train == parts.end() || judged.name == "train")
    return not_done(kTraining, Kind::fit,
                    "there are no rows besides those that the run was fitted to; give a share of them to "
                    "'data.split.test', or name a file");
  const auto mean = [&](const Part& part) {
    std::vector<double> values, weights;
    for (Index i = part.first; i < part.first + part.count; ++i)
      if (const double l = log_prob[static_cast<std::size_t>(i)]; std::isfinite(l)) {
        values.push_back(l);
        if (subject.gathered.rows.weights.columns() > 0)
          weights.push_back(static_cast<double>(subject.gathered.rows.weights(i, 0)));
      }
    return mean_of({values, weights});
  };
  const Mean fitted = mean(*train), others = mean(judged);
  const double error = std::hypot(fitted.standard_error, others.standard_error),
               difference = fitted.value - others.value;
  if (!(error > 0)) return not_done(kTraining, Kind::fit, "too few rows");
  const double sigmas = difference / error, degrees = static_cast<double>(std::min(train->count, judged.count) - 1);
  const bool look = sigmas > 0 && student_two_sided(sigmas, degrees) / 2 < kLevel;
  Finding finding = finding_of(kTraining, look,
                               "the model knows the rows it was fitted to better: it learns them by heart; try "
                               "early_stopping, weight_decay, fewer parameters, or more data");
  finding.measured = fmt::format("{:+.3f} nats ({:+.1f} standard errors)", difference, sigmas);
  finding.expected = "below +3";
  finding.numbers = {{"difference", difference}, {"standard_error", error}};
  return finding;
}

double number_of(const SpecNode& node) {
  double value = std::nan("");
  std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  return value;
}

/// The interval of a spline whose tails are straight, somewhere in a map; a permutation is passed over by the caller.
std::optional<SplineInterval> interval_in(const SpecNode& map) {
  const SpecNode* tails = map.find("tails");
  if (tails && tails->text != "identity") return {};
  if (const SpecNode* interval = map.find("interval"); interval && interval->is_list() && interval->items.size() == 2)
    return SplineInterval{number_of(interval->items[0]), number_of(interval->items[1])};
  if (const SpecNode* bound = map.find("bound"); bound && bound->is_scalar()) {
    const double b = number_of(*bound);
    return SplineInterval{-b, b};
  }
  for (const SpecNode::Entry& entry : map.entries)
    if (entry.value.is_map())
      if (const auto found = interval_in(entry.value)) return found;
  return {};
}

/// That of the first or last map that is no permutation, in a list of maps that may hold lists.
std::optional<SplineInterval> outermost(const SpecNode& maps, bool last) {
  for (std::size_t k = 0; k < maps.items.size(); ++k) {
    const SpecNode& map = maps.items[last ? maps.items.size() - 1 - k : k];
    if (map.entries.empty() || map.entries.front().key == "permutation") continue;
    const SpecNode* inner = map.entries.front().value.find("bijectors");
    return inner ? outermost(*inner, last) : interval_in(map);
  }
  return {};
}

}  // namespace

SplineIntervals spline_intervals(const SpecNode& model) {
  const SpecNode* flow = model.find("flow");
  const SpecNode* maps = flow ? flow->find("bijectors") : nullptr;
  if (!maps) return {};
  return {outermost(*maps, true), outermost(*maps, false)};
}

const Part& held_out(const std::vector<Part>& parts) {
  for (const char* name : {"test", "validation"})
    for (const Part& part : parts)
      if (part.name == name) return part;
  // Rows of a file, where there are, stand behind those of training.
  return parts.back();
}

template <class T>
std::vector<Finding> fit_checks(const Subject<T>& subject, const SplineIntervals& splines) {
  if (subject.gathered.rows.rows() == 0)
    return {not_done("fit", Kind::fit, "there are no rows; name a file with data")};
  const Part& judged = held_out(subject.gathered.parts);
  std::vector<double> log_prob(static_cast<std::size_t>(subject.gathered.rows.rows()));
  subject.engine.log_prob(subject.gathered.rows.view(), log_prob);
  std::vector<Finding> findings;
  const BasePoints points = base_points(subject, judged);
  const bool comparable = points.normal || !points.reference.empty();
  const std::string reason = points.rows() < kFewestRows
                                 ? fmt::format("there are fewer than {} rows of finite density", kFewestRows)
                             : comparable ? std::string()
                                          : std::string("the base cannot be sampled");
  const auto add = [&](const char* check, Finding (*f)(const BasePoints&)) {
    findings.push_back(reason.empty() ? f(points) : not_done(check, Kind::fit, reason));
  };
  add(kMarginals, check_marginals);
  if (points.size != 1) add(kDensity, check_density);
  add(kCovariance, check_covariance);
  if (comparable && points.rows() > 0)
    findings.push_back(check_tails(subject, points));
  else
    findings.push_back(not_done(kTails, Kind::fit, reason));
  if (splines.data) {
    std::vector<Index> places(static_cast<std::size_t>(judged.count));
    std::iota(places.begin(), places.end(), judged.first);
    findings.push_back(
        beyond_splines("data", "x", converted<double, T>(picked<T>(subject.events(), places)), *splines.data));
  }
  if (splines.base && points.of_base && points.rows() > 0)
    findings.push_back(beyond_splines("base", "z", points.points, *splines.base));
  if (has_bounds(subject.engine.model())) findings.push_back(check_outside(subject, log_prob));
  findings.push_back(check_training(subject, judged, log_prob));
  return findings;
}

template std::vector<Finding> fit_checks(const Subject<float>&, const SplineIntervals&);
template std::vector<Finding> fit_checks(const Subject<double>&, const SplineIntervals&);

}  // namespace pushforward::verification
