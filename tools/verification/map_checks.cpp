#include "verification/map_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "flow_maps.h"
#include "number_format.h"
#include "pushforward/chain.h"
#include "pushforward/testing/checks.h"
#include "verification/errors.h"
#include "verification/numerical_checks.h"

namespace pushforward::verification {
namespace {

constexpr const char* kPreprocessing = "preprocessing, there and back";
constexpr const char* kPreprocessingLogDet = "preprocessing, log_det";
constexpr const char* kDisagree =
    "what is sampled and what is evaluated differ there; fit with precision: float64, or bound the model's slopes";
constexpr const char* kWrongLogDet =
    "densities are wrong: a log_det is not that of its map; run 'pushforward check' on the plugins of this model";

constexpr Index kJacobians = 64;             // rows
constexpr Index kJacobianColumns = 64 * 64;  // of all rows together
constexpr Index kLargestJacobian = 512;
constexpr double kPassedOver = 0.1;  // share of rows with kinks that goes without a word

/// A map of the model's flow, in float64.
template <class T>
RowFunction exact_map(const Subject<T>& subject, Direction direction, const Matrix<double>& context) {
  return [&subject, &context, direction](Block<const double> points) {
    Images images;
    images.number.resize(static_cast<std::size_t>(points.rows));
    images.values = map_through_flow<double>(subject.exact, direction, points, context, images.number);
    return images;
  };
}

Direction opposite(Direction direction) {
  return direction == Direction::forward ? Direction::inverse : Direction::forward;
}

/// Points on one side of the map, with what they are called.
template <class T>
struct Points {
  const char* title;  // `rows`, `draws`
  Direction direction;
  Block<const T> points, context;
  std::function<std::string(Index)> name_of;
};

template <class T>
void add_round_trip(const Subject<T>& subject, const Points<T>& start, std::vector<Finding>& findings) {
  const auto n = static_cast<std::size_t>(start.points.rows);
  std::vector<double> there(n), back(n);
  const Matrix<T> middle = map_through_flow<T>(subject.engine, start.direction, start.points, start.context, there);
  const Matrix<T> end = map_through_flow<T>(subject.engine, opposite(start.direction), middle, start.context, back);
  const Matrix<double> points = converted<double>(start.points), context = converted<double>(start.context);
  const Matrix<double> exact_middle = exact_map(subject, start.direction, context)(points).values;
  const Conditions moved = conditions(exact_map(subject, opposite(start.direction), context), exact_middle);
  Errors values{.error = {}, .condition = moved.values}, log_dets{.error = {}, .condition = moved.number};
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = static_cast<Index>(i);
    double worst = 0;
    for (Index j = 0; j < end.columns(); ++j)
      worst =
          std::max(worst, relative_error(static_cast<double>(start.points(row, j)), static_cast<double>(end(row, j))));
    values.error.push_back(worst);
    log_dets.error.push_back(relative_error(there[i], -back[i]));
  }
  const double tolerance = tolerance_of(subject);
  findings.push_back(
      judge({fmt::format("{}, there and back", start.title), tolerance, kDisagree}, values, start.name_of));
  findings.push_back(
      judge({fmt::format("{}, log_dets cancel", start.title), tolerance, kDisagree}, log_dets, start.name_of));
}

std::vector<Index> rows_for_jacobians(Index rows, Index size) {
  std::vector<Index> all(static_cast<std::size_t>(rows));
  for (Index i = 0; i < rows; ++i) all[static_cast<std::size_t>(i)] = i;
  return some_of(std::move(all), std::clamp<Index>(kJacobianColumns / std::max<Index>(size, 1), 4, kJacobians), 0);
}

Finding judge_log_det(const std::string& check, const RowFunction& f, Block<const double> points,
                      const Support& support, const std::vector<Index>& places,
                      const std::function<std::string(Index)>& name_of) {
  const NumericLogDet numeric = numeric_log_det(f, points, support);
  const std::vector<double> analytic = f(points).number;
  const double tolerance = testing::find_check("log_det_numeric")->float64;
  Errors errors;
  std::vector<Index> compared;
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    if (std::isnan(numeric.log_det[i])) continue;
    errors.error.push_back(relative_error(analytic[i], numeric.log_det[i]));
    errors.condition.push_back(1 + 4 * numeric.doubt[i] / tolerance);
    compared.push_back(places[i]);
  }
  if (compared.empty())
    return not_done(check, Kind::numerical, "the map has kinks, or ends, close to every row that was tried");
  Finding finding = judge({check, tolerance, kWrongLogDet}, errors,
                          [&](Index i) { return name_of(compared[static_cast<std::size_t>(i)]); });
  const std::size_t passed_over = analytic.size() - compared.size();
  finding.numbers.emplace_back("passed_over", static_cast<double>(passed_over));
  if (static_cast<double>(passed_over) > kPassedOver * static_cast<double>(analytic.size()))
    finding.measured +=
        fmt::format("; {} with kinks passed over", counted(static_cast<std::int64_t>(passed_over), "row"));
  return finding;
}

/// Against a numeric Jacobian, in float64, in the direction that these points start in unless it iterates.
template <class T>
Finding check_log_det(const Subject<T>& subject, const Points<T>& start) {
  const std::string check = fmt::format("{}, log_det", start.title);
  const Traits traits = map_traits(subject.model());
  const Index base = base_size(subject.model()), data = subject.model().event_shape().size();
  if (base != data)
    return not_done(check, Kind::numerical,
                    fmt::format("the flow maps {} elements to {}, so its Jacobian has no determinant", base, data));
  if (data > kLargestJacobian)
    return not_done(check, Kind::numerical, fmt::format("a numeric Jacobian of {} elements takes too long", data));
  const std::vector<Index> places = rows_for_jacobians(start.points.rows, data);
  Matrix<double> points = converted<double, T>(picked(start.points, places));
  const Matrix<double> context = converted<double, T>(picked(start.context, places));
  Direction direction = start.direction;
  const Cost cost = direction == Direction::forward ? traits.forward : traits.inverse;
  const Cost other = direction == Direction::forward ? traits.inverse : traits.forward;
  if (cost == Cost::none) return not_done(check, Kind::numerical, "the flow has no such direction");
  if (cost == Cost::iterative && other < Cost::iterative) {
    points = map_through_flow<double>(subject.exact, direction, points, context, {});
    direction = opposite(direction);
  }
  const Support support =
      direction == Direction::inverse ? subject.model().support() : innermost_base(subject.model()).support();
  return judge_log_det(check, exact_map(subject, direction, context), points, support, places, start.name_of);
}

/// The table that such events come from; the context's columns hold anything.
template <class T>
Table with_context(const DataPipeline<T>& data, Table table) {
  for (const std::string& name : data.context_columns()) {
    table.names.push_back(name);
    table.values.insert(table.values.end(), static_cast<std::size_t>(table.rows), 0.0);
  }
  return table;
}

template <class T>
Finding check_preprocessing(const Subject<T>& subject, const Usable<T>& usable) {
  const Split<T> back = subject.data->transform(with_context(*subject.data, subject.data->inverse(usable.events)));
  Errors errors;
  for (Index i = 0; i < usable.events.rows(); ++i) {
    double worst = 0;
    for (Index j = 0; j < usable.events.columns(); ++j)
      worst = std::max(worst,
                       relative_error(static_cast<double>(usable.events(i, j)), static_cast<double>(back.data(i, j))));
    errors.error.push_back(worst);
    errors.condition.push_back(1);
  }
  const testing::CheckInfo& info = *testing::find_check("round_trip");
  return judge({kPreprocessing, sizeof(T) == sizeof(float) ? info.float32 : info.float64,
                "the preprocessing cannot be undone; whiten and standardize need columns that vary"},
               errors, usable.name_of);
}

template <class T>
Finding check_preprocessing_log_det(const Subject<T>& subject, const Usable<T>& usable) {
  const DataPipeline<double>& data = *subject.exact_data;
  const std::vector<Index> places = rows_for_jacobians(usable.events.rows(), usable.events.columns());
  const Matrix<double> seen = converted<double, T>(picked<T>(usable.events, places));
  const Table raw = data.inverse(seen);
  const RowFunction transform = [&](Block<const double> points) {
    Table table{.rows = points.rows, .names = raw.names, .values = {}};
    for (Index j = 0; j < points.columns; ++j)
      table.values.insert(table.values.end(), points.column(j), points.column(j) + points.rows);
    Split<double> split = data.transform(with_context(data, std::move(table)));
    return Images{std::move(split.data), std::move(split.log_det)};
  };
  Matrix<double> points(raw.rows, raw.columns());
  for (Index j = 0; j < raw.columns(); ++j)
    std::copy(raw.column(j).begin(), raw.column(j).end(), points.block().column(j));
  return judge_log_det(kPreprocessingLogDet, transform, points, {}, places, usable.name_of);
}

/// The checks of one side's points.
template <class T>
void add_side(const Subject<T>& subject, const Points<T>& side, std::vector<Finding>& findings) {
  const std::string round = fmt::format("{}, there and back", side.title),
                    log_det = fmt::format("{}, log_det", side.title);
  const auto skip = [&](const std::string& check, const char* reason) {
    findings.push_back(not_done(check, Kind::numerical, reason));
  };
  if (!side.points.data) return skip(round, "there are none");
  const Traits traits = map_traits(subject.model());
  const bool back_draws = side.direction == Direction::inverse ? traits.draws_forward : traits.draws_inverse;
  if (back_draws)
    skip(round, "the way back draws at random what the way there drops");
  else if (traits.forward == Cost::none || traits.inverse == Cost::none)
    skip(round, "the flow has one direction alone");
  else
    attempt(findings, round, [&] { add_round_trip(subject, side, findings); });
  if (traits.log_det != LogDet::exact || traits.uses_draws || traits.draws_forward || traits.draws_inverse)
    skip(log_det, "the log_det is an estimate or a bound, or the flow draws at random");
  else
    attempt(findings, log_det, [&] { findings.push_back(check_log_det(subject, side)); });
}

}  // namespace

template <class T>
Usable<T> usable_rows(const Subject<T>& subject) {
  const Split<T>& rows = subject.gathered.rows;
  std::vector<double> log_prob(static_cast<std::size_t>(rows.rows()));
  if (rows.rows() > 0) subject.engine.log_prob(rows.view(), log_prob);
  std::vector<Index> places;
  for (Index i = 0; i < rows.rows(); ++i)
    if (std::isfinite(log_prob[static_cast<std::size_t>(i)])) places.push_back(i);
  if (places.empty()) return {};
  Usable<T> usable{picked<T>(rows.data, places), picked<T>(subject.context(), places), {}};
  usable.name_of = [&subject, places](Index i) {
    return subject.gathered.name_of(places[static_cast<std::size_t>(i)]);
  };
  return usable;
}

template <class T>
double tolerance_of(const Subject<T>& subject) {
  const Traits traits = map_traits(subject.model());
  const testing::CheckInfo& info = *testing::find_check("round_trip");
  const bool iterative = std::max(traits.forward, traits.inverse) == Cost::iterative,
             single = sizeof(T) == sizeof(float);
  const double one =
      iterative ? (single ? info.iterative32 : info.iterative64) : (single ? info.float32 : info.float64);
  Index maps = 0;
  for (const Component<T>* component : subject.engine.model().components)
    maps += dynamic_cast<const Bijector<T>*>(component) && !dynamic_cast<const Chain<T>*>(component) ? 1 : 0;
  return one * static_cast<double>(std::max<Index>(maps, 1));
}

template <class T>
std::vector<Finding> map_checks(const Subject<T>& subject, const Usable<T>& usable) {
  std::vector<Finding> findings;
  const bool any = usable.events.rows() > 0;
  if (subject.data && any && !subject.data->state().preprocess.empty()) {
    attempt(findings, kPreprocessing, [&] { findings.push_back(check_preprocessing(subject, usable)); });
    attempt(findings, kPreprocessingLogDet, [&] { findings.push_back(check_preprocessing_log_det(subject, usable)); });
  }
  if (!subject.flow()) {
    findings.push_back(
        not_done("map to the base", Kind::numerical, "the model is no flow, so there is no map to check"));
    return findings;
  }
  const Traits traits = map_traits(subject.model());
  const bool costly = std::max(traits.forward, traits.inverse) > Cost::one_pass;
  std::vector<Index> places(static_cast<std::size_t>(usable.events.rows()));
  std::iota(places.begin(), places.end(), Index{0});
  if (costly) places = some_of(std::move(places), kCostlyDraws, 0);
  const Matrix<T> events = picked<T>(usable.events, places), context = picked<T>(usable.context, places);
  add_side<T>(subject,
              {"rows", Direction::inverse, events, context,
               [&](Index i) { return usable.name_of(places[static_cast<std::size_t>(i)]); }},
              findings);

  const bool drawable = innermost_base(subject.model()).traits().can_sample && (!subject.conditional() || any);
  const Index n = costly ? kCostlyDraws : kDraws;
  Matrix<T> draws, draw_context;
  if (drawable) {
    draw_context = contexts_for(subject, n);
    draws = draw_from_base<T>(subject.engine, n, draw_context, DrawStep::round_trip);
  }
  add_side<T>(subject,
              {"draws", Direction::forward, draws, draw_context, [](Index i) { return fmt::format("draw {}", i); }},
              findings);
  return findings;
}

#define PUSHFORWARD_MAP_CHECKS(T)                    \
  template Usable<T> usable_rows(const Subject<T>&); \
  template double tolerance_of(const Subject<T>&);   \
  template std::vector<Finding> map_checks(const Subject<T>&, const Usable<T>&);
PUSHFORWARD_MAP_CHECKS(float)
PUSHFORWARD_MAP_CHECKS(double)
#undef PUSHFORWARD_MAP_CHECKS

}  // namespace pushforward::verification
