// mixture, gaussian_mixture and independent: parts, starts, samples and errors; the conformance kit checks densities.
#include <catch2/catch.hpp>

#include "support/allocations.h"
#include "support/models.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

namespace {

std::unique_ptr<Runner> made(const std::string& yaml, Index size, Index context = 0) {
  return make_runner("distribution", yaml, around(size, context));
}
const Distribution<double>& distribution(const Runner& runner) {
  return dynamic_cast<const Distribution<double>&>(runner.component());
}
std::vector<double> log_prob(Runner& runner, const Array& y, const Array& context = {}) {
  return run(runner, "log_prob", y, context).outputs[0].values;
}
double normal_density(double y, double mean, double scale) {
  return std::exp(-0.5 * std::pow((y - mean) / scale, 2)) / (scale * std::sqrt(2 * M_PI));
}

/// Rows in turn around -3 and 3 (times the sign that alternates over the elements), three of ten around the first.
template <class T>
Matrix<T> two_clusters(Index rows, Index columns, double deviation = 0.5) {
  Matrix<T> m = normal_rows<T>(rows, columns, 5, deviation);
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; ++i) m(i, j) += T((i % 10 < 3 ? -3 : 3) * (j % 2 ? -1 : 1));
  return m;
}

template <class T>
std::vector<double> numbers(const Model<T>& model, const std::string& ending) {
  for (const ParameterInfo& p : model.layout.parameters)
    if (p.path.ends_with(ending)) {
      const auto first = model.store.parameters.begin() + p.handle.offset;
      return {first, first + p.handle.size()};
    }
  throw std::logic_error("there is no parameter " + ending);
}

double mean_log_prob(Engine<double>& engine, const Matrix<double>& data) {
  std::vector<double> all(static_cast<std::size_t>(data.rows()));
  engine.log_prob(rows_of(data), all);
  double sum = 0;
  for (const double l : all) sum += l;
  return sum / static_cast<double>(data.rows());
}

double entropy_of_normal(double scale) { return -0.5 * std::log(2 * M_PI) - std::log(scale) - 0.5; }

/// The joint log-densities of all parts; empty if it has none.
Array parts_of(const std::string& yaml, const Array& y) {
  Model<double> model = make_model<double>(plugins(), yaml, around(y.columns));
  Matrix<double> data(y.rows, y.columns);
  for (Index j = 0; j < y.columns; ++j)
    for (Index i = 0; i < y.rows; ++i) data(i, j) = y(i, j);
  Array all;
  auto evaluate = [&](const Pass<double>& pass, Index first, Index count) {
    const Var<double> parts =
        model.distribution->log_prob_parts(pass.tape.constant(data.block().middle_rows(first, count)), pass);
    if (!parts) return;
    if (all.columns == 0) all = Array(y.rows, parts.columns());
    for (Index k = 0; k < all.columns; ++k)
      for (Index i = 0; i < count; ++i) all(first + i, k) = parts.value()(i, k);
  };
  Engine<double>(model, {.seed = 1}).for_each_shard(y.rows, 0, Mode::evaluate, evaluate);
  return all;
}

}  // namespace

// --- gaussian_mixture ------------------------------------------------------------------------------------------------

TEST_CASE("gaussian_mixture's parts are the joint densities of component and event") {
  const std::string yaml =
      "gaussian_mixture: {components: 2, learnable: false, weights: [1, 3], means: [-1, 2], scales: [0.5, 2]}";
  const Array y = rows({{-1}, {0.3}, {5}});
  const Array parts = parts_of(yaml, y);
  const std::vector<double> whole = log_prob(*made(yaml, 1), y);
  for (Index i = 0; i < 3; ++i) {
    const double a = 0.25 * normal_density(y(i, 0), -1, 0.5), b = 0.75 * normal_density(y(i, 0), 2, 2);
    CHECK(std::exp(parts(i, 0)) == Approx(a));
    CHECK(std::exp(parts(i, 1)) == Approx(b));
    CHECK(std::exp(whole[static_cast<std::size_t>(i)]) == Approx(a + b));
  }
  CHECK(made(yaml, 1)->layout().parameters.empty());
}

TEST_CASE("every covariance has its parameters") {
  const auto count = [](const std::string& covariance) {
    const auto runner = made("gaussian_mixture: {components: 3, covariance: " + covariance + "}", 4);
    return runner->layout().trainable() - 3 - 3 * 4;
  };
  CHECK(count("diagonal") == 3 * 4);
  CHECK(count("spherical") == 3);
  CHECK(count("full") == 3 * 10);
  CHECK(count("tied") == 10);
}

TEST_CASE("one full component has the moments of its covariance matrix") {
  // L = [[2, 0], [-1, 0.5]]: variances 4 and 1.25, covariance -2.
  const auto runner =
      made("gaussian_mixture: {components: 1, covariance: full, means: [1, -2], scales: [2, -1, 0.5]}", 2);
  Request r;
  r.function = function_index(*runner, "sample");
  r.rows = 200000;
  const Array samples = runner->run(r).outputs[0];
  double covariance = 0;
  for (Index i = 0; i < r.rows; ++i) covariance += (samples(i, 0) - 1) * (samples(i, 1) + 2) / 200000.0;
  CHECK(covariance == Approx(-2).margin(0.05));
  const std::vector<Array> moments = runner->moments(r);
  CHECK(distance(moments[0].values, {1, -2}) < 1e-14);
  CHECK(distance(moments[1].values, {4, 1.25}) < 1e-14);
}

TEST_CASE("gaussian_mixture starts at the clusters of the first batch") {
  const Matrix<double> data = two_clusters<double>(20000, 2);
  for (const char* covariance : {"diagonal", "spherical", "full", "tied"}) {
    CAPTURE(covariance);
    Model<double> model = make_model<double>(
        plugins(), std::string("gaussian_mixture: {components: 2, covariance: ") + covariance + "}", around(2));
    Engine<double> engine(model, {.seed = 1});
    engine.initialise(rows_of(data));
    // The best mixture's mean log-density: the entropies of weights and of two normals.
    const double best = 0.3 * std::log(0.3) + 0.7 * std::log(0.7) + 2 * entropy_of_normal(0.5);
    CHECK(mean_log_prob(engine, data) == Approx(best).margin(0.02));
    const std::vector<double> start = model.store.parameters;
    engine.initialise(rows_of(normal_rows<double>(100, 2, 9)), 1);
    CHECK(model.store.parameters == start);  // once
  }
}

TEST_CASE("what is given as numbers stays where the start finds it") {
  Model<double> model = make_model<double>(
      plugins(), "gaussian_mixture: {components: 2, means: [3, -3, -2, 2], weights: [1, 1]}", around(2));
  Engine<double> engine(model, {.seed = 1});
  engine.initialise(rows_of(two_clusters<double>(1000, 2)));
  CHECK(numbers(model, "means") == std::vector<double>{3, -2, -3, 2});  // column after column
  CHECK(numbers(model, "logits") == std::vector<double>{0, 0});
  for (const double l : numbers(model, "log_scales")) CHECK(l == Approx(std::log(0.5)).margin(0.06));

  Model<double> scales = make_model<double>(
      plugins(), "gaussian_mixture: {components: 2, scales: [0.25], initialisation: random}", around(2));
  const std::vector<double> before = numbers(scales, "means");
  Engine<double> other(scales, {.seed = 1});
  other.initialise(rows_of(two_clusters<double>(1000, 2)));
  CHECK(numbers(scales, "means") != before);
  for (const double l : numbers(scales, "log_scales")) CHECK(l == Approx(std::log(0.25)));

  Model<double> none =
      make_model<double>(plugins(), "gaussian_mixture: {components: 2, initialisation: none}", around(2));
  const std::vector<double> start = none.store.parameters;
  Engine<double>(none, {.seed = 1}).initialise(rows_of(two_clusters<double>(100, 2)));
  CHECK(none.store.parameters == start);
}

TEST_CASE("gaussian_mixture as a base starts behind the bijectors") {
  // y = 10 x + 100: the base sees clusters around -3 and 3.
  const std::string flow =
      "flow: {base: {gaussian_mixture: {components: 2}}, bijectors: [{elementwise: {transformer: affine}}]}";
  Model<double> model = make_model<double>(plugins(), flow, around(1));
  for (const ParameterInfo& p : model.layout.parameters)
    if (p.path.find("elementwise") != std::string::npos)
      model.store.parameters[static_cast<std::size_t>(p.handle.offset)] += 100;
  Matrix<double> data = two_clusters<double>(500, 1);
  for (Index i = 0; i < 500; ++i) data(i, 0) += 100;
  Engine<double>(model, {.seed = 2}).initialise(rows_of(data));
  std::vector<double> means = numbers(model, "means");
  std::sort(means.begin(), means.end());
  CHECK(means[0] == Approx(-3).margin(0.1));
  CHECK(means[1] == Approx(3).margin(0.1));
}

TEST_CASE("gaussian_mixture's density has a forward derivative") {
  for (const char* covariance : {"diagonal", "full", "tied", "spherical"}) {
    CAPTURE(covariance);
    const auto runner = made(std::string("gaussian_mixture: {components: 3, covariance: ") + covariance + "}", 3);
    scatter_parameters(*runner, 0.7);
    Request r;
    r.function = function_index(*runner, "log_prob");
    r.x = scattered(7, 3);
    r.rows = 7;
    r.direction = scattered(7, 3, 1);
    r.cotangents = {Array(7, 1, 1)};
    const Response response = runner->run(r);
    REQUIRE(response.tangents.size() == 1);
    for (Index i = 0; i < 7; ++i) {
      double expected = 0;
      for (Index j = 0; j < 3; ++j) expected += response.x(i, j) * r.direction(i, j);
      CHECK(response.tangents[0](i, 0) == Approx(expected));
    }
  }
}

TEST_CASE("gaussian_mixture says what it needs") {
  const auto refused = [](const std::string& fields, const std::string& message) {
    CHECK_THROWS_WITH(made("gaussian_mixture: {components: 2, " + fields + "}", 2), Contains(message));
  };
  refused("weights: [1.0]", "has 1 numbers, but 2 components of events of 2 elements need 2: one for each component");
  refused("weights: [1.0, -1.0]", "weights");
  refused("means: [1.0, 2.0]", "has 2 numbers, but 2 components of events of 2 elements need 4");
  refused("scales: [1.0, 0.0, 1.0, 1.0]", "must be above 0");
  refused("covariance: full, scales: [1.0]", "lower triangle");
  refused("learnable: false, means: [1.0, 2.0, 3.0, 4.0]", "must be given where the numbers are not learned");
  Model<double> model = make_model<double>(plugins(), "gaussian_mixture: {components: 5}", around(2));
  CHECK_THROWS_WITH(Engine<double>(model, {}).initialise(rows_of(normal_rows<double>(3, 2, 1))),
                    Contains("the first batch cannot start 5 components") && Contains("3 finite rows") &&
                        Contains("initialisation: none"));
}

// --- mixture
// -----------------------------------------------------------------------------------------------------------

TEST_CASE("mixture adds up its parts' densities") {
  const std::string yaml =
      "mixture: {parts: [{normal: {mean: -1, scale: 0.5}}, {uniform: {low: 0, high: 4}}], weights: [1, 3]}";
  const Array y = rows({{-1}, {0.3}, {5}, {40}});
  const Array parts = parts_of(yaml, y);
  const auto runner = made(yaml, 1);
  const std::vector<double> whole = log_prob(*runner, y);
  for (Index i = 0; i < 4; ++i) {
    const double a = 0.25 * normal_density(y(i, 0), -1, 0.5), b = i == 1 ? 0.75 / 4 : 0;
    CHECK(std::exp(parts(i, 0)) == Approx(a));
    CHECK(std::exp(parts(i, 1)) == Approx(b));
    CHECK(std::exp(whole[static_cast<std::size_t>(i)]) == Approx(a + b));
  }
  CHECK(distribution(*runner).support().upper == INFINITY);
  CHECK_FALSE(distribution(*runner).traits().reparameterised);
}

TEST_CASE("rows outside of one part's support leave finite gradients") {
  const auto runner = made("mixture: {parts: [{normal: {scale: learnable}}, {uniform: {low: 0, high: 1}}]}", 1);
  Request r;
  r.function = function_index(*runner, "log_prob");
  r.x = rows({{-2}, {0.5}, {3}});
  r.rows = 3;
  r.cotangents = {Array(3, 1, 1)};
  const Response response = runner->run(r);
  CHECK(response.x(0, 0) == Approx(2));
  CHECK(response.x(2, 0) == Approx(-3));
  for (const double g : response.parameters) CHECK(std::isfinite(g));
}

TEST_CASE("rows outside of a flow that is one part leave finite gradients") {
  const auto runner = made(
      "mixture: {parts: [normal, {base: uniform, bijectors: [{elementwise: {transformer: {rational_quadratic_spline: "
      "{bins: 3, interval: [0, 1], tails: none}}}}]}]}",
      1);
  scatter_parameters(*runner, 0.3);
  Request r;
  r.function = function_index(*runner, "log_prob");
  r.x = rows({{-2}, {0.5}, {300}});
  r.rows = 3;
  r.cotangents = {Array(3, 1, 1)};
  const Response response = runner->run(r);
  CHECK(response.x(0, 0) == Approx(2));
  CHECK(response.x(2, 0) == Approx(-300));
  for (const double g : response.parameters) CHECK(std::isfinite(g));
}

TEST_CASE("a flow has the parts of its base, moved by its map") {
  const std::string base = "gaussian_mixture: {components: 2, learnable: false, means: [-1, 2], scales: [0.5]}";
  const Array y = rows({{-1}, {0.3}, {5}});
  const Array plain = parts_of(base, y);
  const Array parts = parts_of("flow: {base: {" + base + "}, bijectors: [affine]}", y);
  CHECK(distance(parts, plain) < 1e-14);  // the identity at first
  const Array bounded = parts_of(
      "flow: {base: {mixture: {parts: [uniform, uniform], weights: [1, 3]}}, bijectors: [{elementwise: {transformer: "
      "{rational_quadratic_spline: {interval: [0, 1], tails: none}}}}]}",
      rows({{0.5}, {1.5}}));
  CHECK(distance(bounded, rows({{std::log(0.25), std::log(0.75)}, {-INFINITY, -INFINITY}})) < 1e-12);
  const Array none = parts_of("flow: {base: normal, bijectors: [affine]}", y);
  CHECK(none.columns == 0);
}

TEST_CASE("placed copies start at the clusters of the first batch and learn them") {
  const Matrix<double> data = two_clusters<double>(20000, 2);
  Model<double> model = make_model<double>(plugins(), "mixture: {parts: [normal], copies: 2}", around(2));
  Engine<double> engine(model, {.seed = 1});
  engine.initialise(rows_of(data));
  const double best = 0.3 * std::log(0.3) + 0.7 * std::log(0.7) + 2 * entropy_of_normal(0.5);
  CHECK(mean_log_prob(engine, data) == Approx(best).margin(0.02));
  const auto adam = make_plain<Optimizer<double>>(plugins(), "adam: {learning_rate: 0.02}");
  train(engine, *adam, rows_of(data), 100);
  const std::vector<double> weights = numbers(model, "weights");
  CHECK(std::abs(weights[0] - weights[1]) == Approx(std::log(7.0 / 3)).margin(1e-3));
}

TEST_CASE("copies that could stay alike learn to differ") {
  const Matrix<double> data = two_clusters<double>(1000, 1);
  for (const char* placement : {"kmeans", "random"}) {
    CAPTURE(placement);
    Model<double> model = make_model<double>(
        plugins(),
        std::string("mixture: {parts: [{normal: {mean: learnable, scale: learnable}}], copies: 2, placement: ") +
            placement + "}",
        around(1));
    Engine<double> engine(model, {.seed = 1});
    const auto adam = make_plain<Optimizer<double>>(plugins(), "adam: {learning_rate: 0.05}");
    train(engine, *adam, rows_of(data), 300);
    const double best = 0.3 * std::log(0.3) + 0.7 * std::log(0.7) + entropy_of_normal(0.5);
    CHECK(mean_log_prob(engine, data) == Approx(best).margin(0.03));
  }
}

TEST_CASE("what a part learns from the first batch, a copy learns from its cluster") {
  // Each copy is a mixture of two: four clusters, of which every copy has two.
  Matrix<double> data = normal_rows<double>(2000, 1, 5, 0.1);
  const double centres[] = {-11, -9, 9, 11};
  for (Index i = 0; i < 2000; ++i) data(i, 0) += centres[i % 4];
  Model<double> model =
      make_model<double>(plugins(), "mixture: {parts: [{gaussian_mixture: {components: 2}}], copies: 2}", around(1));
  Engine<double> engine(model, {.seed = 1});
  engine.initialise(rows_of(data));
  CHECK(mean_log_prob(engine, data) == Approx(-std::log(4) + entropy_of_normal(0.1)).margin(0.02));
  const std::vector<double> start = model.store.parameters;
  engine.initialise(rows_of(data), 1);
  CHECK(model.store.parameters == start);
}

TEST_CASE("rows of a context go with the rows of a cluster") {
  Model<double> model = make_model<double>(
      plugins(), "mixture: {parts: [{normal: {mean: {network: {mlp: {hidden: [3]}}}}}], copies: 2}", around(1, 2));
  const Matrix<double> data = two_clusters<double>(100, 1), context = normal_rows<double>(100, 2, 3);
  Engine<double> engine(model, {.seed = 1});
  Rows<double> all = rows_of(data);
  all.context = context;
  engine.initialise(all);
  std::vector<double> places = numbers(model, "copies[0].location");
  CHECK(std::abs(places[0]) == Approx(3).margin(0.2));
}

TEST_CASE("a mixture's row is the same in every shard and on every thread") {
  for (const char* yaml : {"mixture: {parts: [{normal: {mean: -3}}, {normal: {mean: 3}}], weights: [0.2, 0.8]}",
                           "gaussian_mixture: {components: 2, means: [-3, 3], scales: [1], weights: [0.2, 0.8]}"}) {
    CAPTURE(yaml);
    Model<float> model = make_model<float>(plugins(), yaml, around(1));
    const Index n = 5000;
    Matrix<float> once(n, 1), again(n, 1);
    Engine<float>(model, {.seed = 7, .lanes = 8, .shard_rows = 0, .threads = 1}).sample(n, {}, 1, once.block());
    Engine<float>(model, {.seed = 7, .lanes = 2, .shard_rows = 48, .threads = 2}).sample(n, {}, 1, again.block());
    Index second = 0, different = 0;
    for (Index i = 0; i < n; ++i) {
      second += once(i, 0) > 0;
      different += once(i, 0) != again(i, 0);
    }
    CHECK(different == 0);
    CHECK(static_cast<double>(second) / n == Approx(0.8).margin(5 * std::sqrt(0.16 / n) + 0.002));
  }
}

TEST_CASE("a step of a mixture in steady state allocates nothing") {
  for (const char* yaml :
       {"gaussian_mixture: {components: 8, covariance: full}", "mixture: {parts: [normal], copies: 3}",
        "independent: {parts: [normal, {normal: {mean: learnable}}], sizes: [1, 1]}"}) {
    CAPTURE(yaml);
    Model<float> model = make_model<float>(plugins(), yaml, around(2));
    Engine<float> engine(model, {.seed = 0});
    const Matrix<float> data = two_clusters<float>(1000, 2);
    std::vector<float> gradient(model.store.parameters.size());
    const auto step = [&] { engine.loss(0, rows_of(data), 0, model.store.parameters, gradient); };
    for (int i = 0; i < 5; ++i) step();
    const std::int64_t before = allocations();
    for (int i = 0; i < 5; ++i) step();
    CHECK(allocations() == before);
  }
}

TEST_CASE("mixture says what it needs") {
  CHECK_THROWS_WITH(made("mixture: {parts: []}", 2), Contains("parts"));
  CHECK_THROWS_WITH(made("mixture: {parts: [normal, normal], weights: [1, 2, 3]}", 2), Contains("weights"));
  CHECK_THROWS_WITH(made("mixture: {parts: [normal], weights: -1}", 2), Contains("weights"));
  CHECK_THROWS_WITH(made("mixture: {parts: [uniform], copies: 2}", 2),
                    Contains("copies would move parts[0], whose values are bounded") && Contains("placement: none"));
  CHECK_THROWS_WITH(made("mixture: {parts: [normal, uniform], placement: kmeans}", 2),
                    Contains("placement would move parts[1]"));
  Surroundings unknown;
  CHECK_THROWS_WITH(
      make_runner("distribution", "mixture: {parts: [{normal: {shape: [2]}}, {normal: {shape: [3]}}]}", unknown),
      Contains("those of parts[0] have the shape [2], those of parts[1] [3]"));
  Model<double> model = make_model<double>(plugins(), "mixture: {parts: [normal], copies: 5}", around(2));
  CHECK_THROWS_WITH(Engine<double>(model, {}).initialise(rows_of(normal_rows<double>(3, 2, 1))),
                    Contains("where to put 5 parts") && Contains("placement: random"));
}

// --- independent
// -------------------------------------------------------------------------------------------------------

TEST_CASE("independent takes each part at its stretch, whatever their supports") {
  const auto runner =
      made("independent: {parts: [{normal: {mean: [1, 2]}}, {uniform: {low: 0, high: 4}}], sizes: [2, 1]}", 3);
  const Array y = rows({{1, 2, 3}, {0, 2, 0}, {1, 2, 4.5}, {9, 2, -1}});
  const double centre = -std::log(2 * M_PI) - std::log(4.0);
  CHECK(distance(log_prob(*runner, y), {centre, centre - 0.5, -INFINITY, -INFINITY}) < 1e-14);
  CHECK(distribution(*runner).support().lower == -INFINITY);
  Request r;
  r.function = function_index(*runner, "sample");
  r.rows = 1000;
  const Array samples = runner->run(r).outputs[0];
  for (Index i = 0; i < 1000; ++i) {
    CHECK(samples(i, 2) >= 0);
    CHECK(samples(i, 2) <= 4);
  }
}

TEST_CASE("independent takes sizes from its parts, and says what does not fit") {
  Surroundings unknown;
  const auto runner =
      make_runner("distribution", "independent: {parts: [{normal: {shape: [2]}}, {uniform: {shape: [3]}}]}", unknown);
  CHECK(distribution(*runner).event_shape() == Shape{5});
  CHECK_THROWS_WITH(made("independent: {parts: [normal, uniform]}", 2),
                    Contains("shape") && Contains("is needed here"));
  CHECK_THROWS_WITH(made("independent: {parts: [normal, uniform], sizes: [1]}", 2),
                    Contains("sizes has 1 numbers, but there are 2 parts"));
  CHECK_THROWS_WITH(made("independent: {parts: [normal, uniform], sizes: [1, 2]}", 2),
                    Contains("have events of 3 elements together, but the events here, [2], have 2"));
}
