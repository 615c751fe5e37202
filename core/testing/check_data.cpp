// Checks 35 and 36: datasets and preprocessing.
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

bool same_bytes(const Table& a, const Table& b) {
  return a.names == b.names && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(double)) == 0;
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
  t.note(same_bytes(table, load(subject, 2)) ? "the same for every seed" : "another seed gives other rows");
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

/// A fitted map and the rows it was fitted to: normal numbers, or numbers of (0, 1) where those are refused.
struct Fitted {
  const Preprocess<double>& map;
  Array rows;
  std::vector<double> state;

  Fitted(const Preprocess<double>& m, Index columns) : map(m) {
    constexpr Index kRows = 200;
    state.resize(static_cast<std::size_t>(map.state_size(columns)));
    rows = normal_array(kRows, columns, 301, 2);
    try {
      std::vector<double> log_det(static_cast<std::size_t>(kRows));
      fit(log_det);
    } catch (const DataError&) {
      rows = draw_support({0, 1}, kRows, columns, 302);
      std::vector<double> log_det(static_cast<std::size_t>(kRows));
      fit(log_det);
    }
  }
  Array apply(const Array& a, std::span<double> log_det = {}) const {
    Table table = table_of(a);
    map.apply(table, state, log_det);
    Array out(table.rows, table.columns());
    out.values = table.values;
    return out;
  }
  Array undo(const Array& a) const {
    Table table = table_of(a);
    map.undo(table, state);
    Array out(table.rows, table.columns());
    out.values = table.values;
    return out;
  }

 private:
  void fit(std::span<double> log_det) {
    map.fit(table_of(rows), state);
    apply(rows, log_det);
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

void check_preprocess(const Subject& subject, Tally& t) {
  constexpr double kNumeric = 1e-7;
  const Built<double> built = subject.make<double>(subject.surroundings);
  const auto* map = dynamic_cast<const Preprocess<double>*>(built.component.get());
  if (!map) throw std::logic_error("the component of a preprocess's subject is no preprocess");
  const Fitted f(*map, std::max<Index>(subject.surroundings.event_shape.size(), 2));
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
}

}  // namespace pushforward::testing
