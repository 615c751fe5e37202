// Checks 35 to 37: datasets and preprocessing.
#include <cmath>
#include <cstring>
#include <eigen3/Eigen/LU>
#include <set>

#include "kit.h"
#include "numeric.h"

namespace pushforward::testing {

namespace {

Table load(const Subject& subject, std::uint64_t seed) {
  const Built<double> built = subject.make<double>(subject.surroundings);
  const auto* dataset = dynamic_cast<const Dataset<double>*>(built.component.get());
  if (!dataset) throw std::logic_error("the component of a dataset's subject is no dataset");
  return dataset->load(seed);
}

bool same_bytes(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}
bool same_bytes(const Table& a, const Table& b) { return a.names == b.names && same_bytes(a.values, b.values); }

}  // namespace

namespace {

/// All bits of a seed count. A few rows may be the same by chance, where a seed says their order alone.
void check_seeds(const Subject& subject, const Table& table, Tally& t) {
  constexpr Index kFew = 8;
  t.note("another seed gives other rows");
  if (table.rows < kFew) return;
  for (const std::uint64_t seed : {std::uint64_t{1} + 256, std::uint64_t{1} + 65536, (std::uint64_t{1} << 32) + 1})
    t.require(!same_bytes(table, load(subject, seed)),
              [&] { return "the seeds 1 and " + std::to_string(seed) + " give the same rows"; });
}

}  // namespace

void check_table(const Subject& subject, Tally& t) {
  const Table table = load(subject, 1);
  t.require(table.rows > 0 && table.columns() > 0, [&] {
    return "the table has " + std::to_string(table.rows) + " rows and " + std::to_string(table.columns()) + " columns";
  });
  t.require(static_cast<Index>(table.values.size()) == table.rows * table.columns(), [&] {
    return std::to_string(table.values.size()) + " values for " + std::to_string(table.rows) + " rows of " +
           std::to_string(table.columns()) + " columns";
  });
  const std::set<std::string> names(table.names.begin(), table.names.end());
  t.require(names.size() == table.names.size() && !names.count(""),
            [] { return std::string("columns have no names, or two have the same"); });
  for (std::size_t i = 0; i < table.values.size(); ++i)
    t.require(std::isfinite(table.values[i]), [&] {
      return "row " + std::to_string(i % static_cast<std::size_t>(table.rows)) + " of column " +
             table.names[i / static_cast<std::size_t>(table.rows)] + " is " + std::to_string(table.values[i]);
    });
  t.require(same_bytes(table, load(subject, 1)), [] { return std::string("the same seed gives other bytes"); });
  if (!same_bytes(table, load(subject, 2)))
    check_seeds(subject, table, t);
  else if (subject.given_rows)
    t.note("the same for every seed: its rows are given to it");
  else if (subject.seeded_elsewhere && subject.seeded_elsewhere())
    t.note("the same for every seed, unlike another example: nothing is drawn with these fields");
  else
    t.finding("another seed gives the same rows");
  if (!subject.make_float) return;
  const Built<float> single = subject.make<float>(subject.surroundings);
  const auto* dataset = dynamic_cast<const Dataset<float>*>(single.component.get());
  t.require(dataset && same_bytes(table, dataset->load(1)),
            [] { return std::string("float32 loads another table than float64"); });
}

namespace {

Table table_of(const Array& a) {
  Table table;
  table.rows = a.rows;
  for (Index j = 0; j < a.columns; ++j) table.names.push_back("column " + std::to_string(j));
  table.values = a.values;
  return table;
}

/// A map with the state that it was fitted to rows with, and those rows.
struct Fitted {
  const Preprocess<double>& map;
  Array rows;
  std::vector<double> state;

  /// To normal numbers, or to numbers of (0, 1) where those are refused.
  Fitted(const Preprocess<double>& m, Index columns) : map(m) {
    constexpr Index kRows = 200;
    try {
      fit(normal_array(kRows, columns, 301, 2));
    } catch (const DataError&) {
      fit(draw_support({0, 1}, kRows, columns, 302));
    }
  }
  /// To these.
  Fitted(const Preprocess<double>& m, const Array& given) : map(m) { fit(given); }

  Array apply(const Array& a, std::span<double> log_det = {}) const {
    Table table = table_of(a);
    map.apply(table, state, log_det);
    return array_of(table);
  }
  Array undo(const Array& a) const {
    Table table = table_of(a);
    map.undo(table, state);
    return array_of(table);
  }

 private:
  static Array array_of(const Table& table) {
    Array out(table.rows, table.columns());
    out.values = table.values;
    return out;
  }
  /// Also applied, because some maps refuse rows only then.
  void fit(const Array& given) {
    rows = given;
    const Index size = map.state_size(rows.columns);
    if (size < 0) throw WrongResult("state_size is " + std::to_string(size));
    state.assign(static_cast<std::size_t>(size), 0.5);
    map.fit(table_of(rows), state);
    apply(rows);
  }
};

/// log |det| of one row's numeric Jacobian.
std::vector<double> numeric_log_dets(const Fitted& f) {
  const Index columns = f.rows.columns;
  std::vector<Eigen::MatrixXd> jacobians(static_cast<std::size_t>(f.rows.rows), Eigen::MatrixXd(columns, columns));
  for (Index j = 0; j < columns; ++j) {
    Array up = f.rows, down = f.rows;
    for (Index i = 0; i < f.rows.rows; ++i) {
      up(i, j) += step_of(f.rows(i, j));
      down(i, j) -= step_of(f.rows(i, j));
    }
    const Array above = f.apply(up), below = f.apply(down);
    for (Index i = 0; i < f.rows.rows; ++i)
      for (Index k = 0; k < columns; ++k)
        jacobians[static_cast<std::size_t>(i)](k, j) = (above(i, k) - below(i, k)) / (2 * step_of(f.rows(i, j)));
  }
  std::vector<double> all;
  for (const Eigen::MatrixXd& j : jacobians)
    all.push_back(Eigen::PartialPivLU<Eigen::MatrixXd>(j).matrixLU().diagonal().array().abs().log().sum());
  return all;
}

}  // namespace

namespace {

/// A preprocess with its owner.
struct Map {
  Built<double> built;
  const Preprocess<double>* map;
  Index columns;

  explicit Map(const Subject& subject)
      : built(subject.make<double>(subject.surroundings)),
        columns(std::max<Index>(subject.surroundings.event_shape.size(), 2)) {
    map = dynamic_cast<const Preprocess<double>*>(built.component.get());
    if (!map) throw std::logic_error("the component of a preprocess's subject is no preprocess");
  }
};

/// All rows of a column the same: refused with its name, or taken back like any other.
void check_constant_column(const Preprocess<double>& map, Array rows, Tally& t) {
  const Index constant = rows.columns - 1;
  for (Index i = 0; i < rows.rows; ++i) rows(i, constant) = 0.75;
  t.at("a constant column");
  try {
    const Fitted f(map, rows);
    const Array there = f.apply(rows);
    t.finite("value", there);
    t.compare("x", f.undo(there), rows, t.tolerance());
  } catch (const DataError& e) {
    const std::string message = e.what(), name = table_of(rows).names[static_cast<std::size_t>(constant)];
    t.require(message.find(name) != std::string::npos,
              [&] { return "the error about a constant column does not name '" + name + "': " + message; });
    t.note("a constant column is refused");
  }
}

}  // namespace

void check_preprocess(const Subject& subject, Tally& t) {
  constexpr double kNumeric = 1e-7;
  const Map made(subject);
  const Fitted f(*made.map, made.columns);
  // What is there already is added to.
  constexpr double kBefore = 0.5;
  std::vector<double> log_det(static_cast<std::size_t>(f.rows.rows), kBefore);
  const Array there = f.apply(f.rows, log_det);
  t.at("undo after apply");
  t.compare("x", f.undo(there), f.rows, t.tolerance());
  t.at("without log_det");
  t.same("value", f.apply(f.rows), there);
  t.at("apply");
  t.finite("value", there);
  const std::vector<double> numeric = numeric_log_dets(f);
  for (std::size_t i = 0; i < numeric.size(); ++i)
    t.compare(
        static_cast<Index>(i), [] { return std::string("log_det"); }, log_det[i] - kBefore, numeric[i], kNumeric);
  check_constant_column(*made.map, f.rows, t);
}

void check_fit(const Subject& subject, Tally& t) {
  const Map made(subject);
  const Fitted f(*made.map, made.columns);
  const auto compare_states = [&](const char* how, const std::vector<double>& state, double allowed) {
    t.at(how);
    for (std::size_t i = 0; i < f.state.size(); ++i)
      t.compare(
          -1, [&] { return indexed("state", static_cast<Index>(i)); }, state[i], f.state[i], allowed);
  };
  std::vector<double> before(f.state.size(), -7.25);
  made.map->fit(table_of(f.rows), before);
  t.require(same_bytes(f.state, before),
            [] { return std::string("the state depends on what stood there: `fit` must write every number of it"); });
  std::vector<Index> order;
  for (Index i = f.rows.rows; i-- > 0;) order.push_back(i);
  const Fitted reversed(*made.map, f.rows.select(order));
  compare_states("rows in another order", reversed.state, t.tolerance());
  compare_states("fitted again", Fitted(*made.map, f.rows).state, 0);
  // A row is mapped by the state alone, whoever stands beside it.
  const std::vector<Index> some = {7, 3, 3, 100};
  const Array few = f.rows.select(some), none(0, f.rows.columns), there = f.apply(f.rows);
  t.at("some rows");
  t.same("value", f.apply(few), there.select(some));
  t.same("value of no rows", f.apply(none), none);
  t.same("x", f.undo(there.select(some)), f.undo(there).select(some));
  if (!subject.make_float) return;
  const Built<float> single = subject.make<float>(subject.surroundings);
  const auto* map = dynamic_cast<const Preprocess<float>*>(single.component.get());
  t.require(map && map->state_size(f.rows.columns) == static_cast<Index>(f.state.size()),
            [] { return std::string("float32 has a state of another size"); });
  if (!map) return;
  std::vector<double> state(f.state.size());
  map->fit(table_of(f.rows), state);
  compare_states("float32", state, 0);
}

}  // namespace pushforward::testing
