#include <catch2/catch.hpp>
#include <set>

#include "registry/tiny_components.h"

using namespace pushforward;
using namespace pushforward::test;

namespace {

ResolvedSpec spec_with(const std::string& data, std::uint64_t seed = 3) {
  return resolve_spec(tiny_registry(), parse_spec_text("seed: " + std::to_string(seed) + "\ndata: " + data +
                                                           "\nmodel: tiny\ntraining: {steps: 1}\n",
                                                       "spec"));
}
std::unique_ptr<DataPipeline<double>> pipeline(const std::string& data, std::uint64_t seed = 3) {
  return std::make_unique<DataPipeline<double>>(tiny_registry(), spec_with(data, seed));
}
std::unique_ptr<DataPipeline<double>> loaded(const std::string& data, std::uint64_t seed = 3) {
  auto p = pipeline(data, seed);
  p->load();
  return p;
}
std::string error_of(const std::string& data) {
  return message_of([&] { loaded(data); });
}

Table table(const std::vector<std::string>& names, const std::vector<std::vector<double>>& rows) {
  Table t;
  t.rows = static_cast<Index>(rows.size());
  t.names = names;
  for (std::size_t j = 0; j < names.size(); ++j)
    for (const auto& row : rows) t.values.push_back(row.at(j));
  return t;
}

/// The rows of `counting` that a split holds: its column a is the row's number.
std::multiset<double> rows_of(const Split<double>& split) {
  std::multiset<double> rows;
  for (Index i = 0; i < split.rows(); ++i) rows.insert(split.data(i, 0));
  return rows;
}

}  // namespace

TEST_CASE("without anything else, all rows train and all columns are events") {
  const auto p = loaded("{source: {counting: {rows: 7}}}");
  REQUIRE(p->splits().size() == 1);
  const Split<double>& train = p->splits()[0];
  CHECK(train.name == "train");
  CHECK(train.rows() == 7);
  CHECK(p->columns() == std::vector<std::string>{"a", "label", "b", "w"});
  CHECK(p->event_size() == 4);
  CHECK(p->context_size() == 0);
  for (Index i = 0; i < 7; ++i) {
    CHECK(train.data(i, 0) == i);
    CHECK(train.data(i, 2) == -2 * i);
  }
  CHECK(train.log_det == std::vector<double>(7, 0.0));
  const Rows<double> view = train.view();
  CHECK(view.count == 7);
  CHECK(view.data.data == train.data.block().data);
  CHECK(view.context.data == nullptr);
  CHECK(view.weights.data == nullptr);
}

TEST_CASE("splits are disjoint, complete, and a function of the seed") {
  const std::string data = "{source: {counting: {rows: 101}}, split: {train: 0.7, validation: 0.2, test: 0.1}}";
  const auto p = loaded(data);
  REQUIRE(p->splits().size() == 3);
  CHECK(p->splits()[0].rows() == 71);  // rounded so that the sizes add up
  CHECK(p->splits()[1].rows() == 20);
  CHECK(p->splits()[2].rows() == 10);
  std::multiset<double> all;
  for (const Split<double>& split : p->splits()) all.merge(rows_of(split));
  std::multiset<double> expected;
  for (int i = 0; i < 101; ++i) expected.insert(i);
  CHECK(all == expected);
  CHECK(p->split("test") == &p->splits()[2]);
  CHECK(p->split("nothing") == nullptr);

  CHECK(rows_of(loaded(data)->splits()[1]) == rows_of(p->splits()[1]));
  CHECK(rows_of(loaded(data, 4)->splits()[1]) != rows_of(p->splits()[1]));
}

TEST_CASE("without shuffling the splits are in the order of the source") {
  const auto p = loaded("{source: {counting: {rows: 10}}, split: {train: 0.8, test: 0.2, shuffle: false}}");
  REQUIRE(p->splits().size() == 2);
  CHECK(rows_of(p->splits()[0]) == std::multiset<double>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(rows_of(p->splits()[1]) == std::multiset<double>{8, 9});
  // As published splits are made: test rows last, validation rows before them. These are MINIBOONE's.
  const auto published = loaded(
      "{source: {counting: {rows: 36488}}, split: {train: 0.81002, validation: 0.09, test: 0.09998, shuffle: false}}");
  Index first = 0;
  for (const auto& [name, rows] : {std::pair("train", 29556), std::pair("validation", 3284), std::pair("test", 3648)}) {
    const Split<double>* split = published->split(name);
    REQUIRE(split);
    REQUIRE(split->rows() == rows);
    for (Index i = 0; i < split->rows(); ++i) REQUIRE(split->data(i, 0) == static_cast<double>(first + i));
    first += rows;
  }
}

TEST_CASE("context columns and weights are no events") {
  const auto p = loaded("{source: {counting: {rows: 5}}, context: {columns: [b, label]}, weights: w}");
  CHECK(p->columns() == std::vector<std::string>{"a"});
  CHECK(p->context_columns() == std::vector<std::string>{"b", "label"});
  CHECK(p->context_size() == 2);
  const Split<double>& train = p->splits()[0];
  CHECK(train.context(3, 0) == -6);
  CHECK(train.context(4, 1) == 1);
  CHECK(train.weights(1, 0) == 2);
  CHECK(train.view().context.columns == 2);
  CHECK(train.view().weights.columns == 1);
}

TEST_CASE("labels become one column for each class") {
  const auto p = loaded("{source: {counting: {rows: 6}}, context: {labels: label, classes: 4}}");
  CHECK(p->context_size() == 4);
  CHECK(p->context_columns() == std::vector<std::string>{"label"});
  const Split<double>& train = p->splits()[0];
  for (Index i = 0; i < 6; ++i)
    for (Index c = 0; c < 4; ++c) CHECK(train.context(i, c) == (c == i % 3 ? 1 : 0));
}

TEST_CASE("preprocessing is fitted to the training rows alone, and each row keeps its log_det") {
  const auto p = loaded(
      "{source: {counting: {rows: 10}}, preprocess: [standardize], split: {train: 0.5, test: 0.5, shuffle: false}, "
      "context: {columns: [label]}, weights: w}");
  const Split<double>&train = p->splits()[0], &test = p->splits()[1];
  // Training rows 0..4: a has mean 2 and deviation sqrt(2), b the mean -4 and twice the deviation.
  const double deviation = std::sqrt(2.0);
  for (Index i = 0; i < 5; ++i) {
    CHECK(train.data(i, 0) == Approx((static_cast<double>(i) - 2) / deviation).margin(1e-12));
    CHECK(test.data(i, 0) == Approx((static_cast<double>(i) + 3) / deviation));
    CHECK(test.data(i, 1) == Approx(-(static_cast<double>(i) + 3) / deviation));
    CHECK(train.log_det[static_cast<std::size_t>(i)] == Approx(-std::log(deviation) - std::log(2 * deviation)));
    CHECK(test.log_det[static_cast<std::size_t>(i)] == Approx(train.log_det[0]));
  }
  CHECK(train.context(4, 0) == 1);  // as it was

  const Table raw = p->inverse(test.data);
  CHECK(raw.names == std::vector<std::string>{"a", "b"});
  for (Index i = 0; i < 5; ++i) {
    CHECK(raw.column(0)[static_cast<std::size_t>(i)] == Approx(static_cast<double>(i) + 5));
    CHECK(raw.column(1)[static_cast<std::size_t>(i)] == Approx(-2 * (static_cast<double>(i) + 5)));
  }
}

TEST_CASE("several steps of preprocessing are undone in the opposite order") {
  const auto p = loaded("{source: {counting: {rows: 9}}, preprocess: [standardize, standardize], weights: w}");
  const Split<double>& train = p->splits()[0];
  const Table raw = p->inverse(train.data);
  for (Index i = 0; i < 9; ++i) CHECK(raw.column(0)[static_cast<std::size_t>(i)] == Approx(i).margin(1e-12));
}

TEST_CASE("new data are found by name, in any order, or by position") {
  const auto p =
      loaded("{source: {counting: {rows: 10}}, preprocess: [standardize], context: {columns: [label]}, weights: w}");
  const Split<double> by_name = p->transform(table({"other", "label", "b", "a"}, {{NAN, 2, -8, 4}, {NAN, 0, 0, 0}}));
  const Split<double> by_position = p->transform(table({"0", "1", "2"}, {{4, -8, 2}, {0, 0, 0}}));
  for (const Split<double>* split : {&by_name, &by_position}) {
    REQUIRE(split->rows() == 2);
    CHECK(split->data(0, 0) == Approx((4 - 4.5) / std::sqrt(8.25)));
    CHECK(split->data(0, 1) == Approx(-(4 - 4.5) / std::sqrt(8.25)));
    CHECK(split->context(0, 0) == 2);
    CHECK(split->weights.columns() == 0);
    CHECK(split->log_det.size() == 2);
  }
  const Split<double> weighted = p->transform(table({"a", "b", "label", "w"}, {{1, 1, 1, 5}}));
  CHECK(weighted.weights(0, 0) == 5);

  const Split<double> context = p->transform(table({"label"}, {{1}, {2}, {0}}), false);
  CHECK(context.rows() == 3);
  CHECK(context.context(1, 0) == 2);
  CHECK(context.view().data.data == nullptr);
  CHECK(context.view().count == 3);

  CHECK_THROWS_WITH(p->transform(table({"a", "x"}, {{1, 1}})),
                    "the data lack the columns b, label; they have a, x, and the model needs a, b, label");
  CHECK_THROWS_AS(p->transform(table({"a", "x"}, {{1, 1}})), DataError);
  CHECK_THROWS_WITH(p->transform(table({"a", "b", "label"}, {{1, 1, 0}, {1, NAN, 0}})),
                    "the data holds nan in row 1, column 'b'; rows are counted from 0. Remove that row");
}

TEST_CASE("the state maps new data without the training data") {
  const std::string data = "{source: {counting: {rows: 10}}, preprocess: [standardize], weights: w}";
  const auto p = loaded(data), restored = pipeline(data);
  restored->restore(p->state());
  CHECK(restored->splits().empty());
  CHECK(restored->columns() == p->columns());
  CHECK(restored->event_size() == 3);
  const Table rows = table({"a", "label", "b"}, {{1, 2, 3}, {-1, 0.5, 7}});
  const Split<double> here = p->transform(rows), there = restored->transform(rows);
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 3; ++j) CHECK(here.data(i, j) == there.data(i, j));

  auto state = p->state();
  state.preprocess[0].pop_back();
  CHECK_THROWS_AS(pipeline(data)->restore(state), CheckpointError);
  CHECK_THROWS_AS(pipeline("{source: counting}")->restore(p->state()), CheckpointError);
}

TEST_CASE("a run is evaluated on its own splits with its own numbers") {
  const auto p = loaded("{source: {counting: {rows: 10}}, preprocess: [standardize]}");
  auto longer = pipeline("{source: {counting: {rows: 20}}, preprocess: [standardize]}");
  auto state = p->state();
  CHECK(state.rows == 10);
  CHECK_THROWS_AS(longer->load(&state), DataError);  // the data are not those of the run
  state.checksum.clear();                            // nor known to be others
  longer->load(&state);
  CHECK(longer->splits()[0].rows() == 20);
  CHECK(longer->splits()[0].data(7, 0) == p->splits()[0].data(7, 0));
}

TEST_CASE("float32 pipelines hold the same numbers, rounded") {
  DataPipeline<float> p(tiny_registry(), spec_with("{source: {counting: {rows: 10}}, preprocess: [standardize]}"));
  p.load();
  const auto exact = loaded("{source: {counting: {rows: 10}}, preprocess: [standardize]}");
  for (Index i = 0; i < 10; ++i) CHECK(p.splits()[0].data(i, 0) == static_cast<float>(exact->splits()[0].data(i, 0)));
}

TEST_CASE("what does not fit the data is refused") {
  CHECK(error_of("{source: counting, context: {columns: [labl]}}") ==
        "spec:2:35: error: data.context: the data have no column 'labl'; did you mean 'label'?");
  CHECK(error_of("{source: counting, weights: weights}") ==
        "spec:2:35: error: data.weights: the data have no column 'weights'; their columns are a, label, b, w");
  CHECK(error_of("{source: counting, context: {columns: [w]}, weights: w}") ==
        "spec:2:60: error: data.weights: the column 'w' is used twice");
  CHECK(error_of("{source: counting, context: {columns: [a, b, label, w]}}") ==
        "spec:2:35: error: every column of the data is context or weights: none is left to model");
  CHECK(error_of("{source: counting, context: {labels: label, classes: 2}}") ==
        "the column 'label' holds 2 in row 2 (counted from 0), but labels are whole numbers 0 to 1 (data.context.classes)");
  CHECK(error_of("{source: counting, context: {labels: b, classes: 2}}") ==
        "the column 'b' holds -2 in row 1 (counted from 0), but labels are whole numbers 0 to 1 (data.context.classes)");
  CHECK(error_of("{source: counting, weights: b}") == "the column of weights 'b' holds -2, but weights are 0 or above");
  CHECK(error_of("{source: {counting: {rows: 4}}, split: {train: 0.9, test: 0.1}}") ==
        "spec:2:46: error: data.split.test: a share of 0.1 of 4 rows is no row; give it a larger share, or 0");
  CHECK(error_of("{source: {counting: {columns: 1}}, weights: a}") ==
        "spec:2:51: error: every column of the data is context or weights: none is left to model");
  CHECK(error_of("{source: {counting: {rows: 0}}}") == "spec:2:16: error: data.source has no rows");
  CHECK(error_of("{source: {counting: {columns: 0}}}") == "spec:2:16: error: data.source has no columns to model");
}
