// Witness: a model that is evaluated at averaged weights, in the middle of training and after it.
//
// It is the hardest consumer of parameters as offsets: the same objects, evaluated at another vector, with their
// derived values made anew, and back again without a trace.
//
// Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
#include "support/session.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// The spline's knots are derived values: they must follow the vector.
constexpr const char* kSpec = R"(
seed: 2
precision: float32
data: {source: {circles: {samples: 256}}, preprocess: [standardize]}
model:
  base: {normal: {mean: learnable, scale: learnable}}
  bijectors: [{elementwise: {transformer: linear_rational_spline}}]
training:
  optimizer: {adam: {learning_rate: 0.05}}
  batch_size: 64
  averaging: {ema: {decay: 0.9}}
  steps: 40
)";

}  // namespace

TEST_CASE("the average is the decayed sum of the parameters after each step") {
  Session<float> session(plugins(), kSpec);
  std::vector<float> expected;
  for (std::int64_t step = 1; step <= 40; ++step) {
    if (step == 1) expected = session.model.store.parameters;
    session.run_to(step);
    const std::vector<float>& theta = session.model.store.parameters;
    for (std::size_t i = 0; i < theta.size(); ++i)
      expected[i] = 0.9f * expected[i] + static_cast<float>(1 - 0.9) * theta[i];
  }
  REQUIRE(session.training.averaged.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(expected[i] - session.training.averaged[i])));
  CHECK(worst < 1e-6);
}

TEST_CASE("evaluation at the average is that of a model whose parameters they are, and leaves no trace") {
  Session<float> session(plugins(), kSpec);
  session.run();
  const std::vector<float> last = session.model.store.parameters, averaged = session.training.averaged;
  const std::vector<double> before = session.log_prob(), at_average = session.log_prob(averaged);
  CHECK(at_average != before);
  CHECK(session.log_prob() == before);
  CHECK(session.model.store.parameters == last);

  Matrix<float> samples(50, 2), samples_at_average(50, 2);
  session.engine.sample(50, {}, 1, samples.block());
  session.engine.sample(50, {}, 1, samples_at_average.block(), {}, averaged);
  const double held_out = session.engine.held_out_loss(0, session.training.train, 1, averaged);

  Session<float> other(plugins(), kSpec);
  other.model.store.parameters = averaged;
  CHECK(other.log_prob() == at_average);
  CHECK(other.engine.held_out_loss(0, other.training.train, 1, averaged) == held_out);
  Matrix<float> expected(50, 2);
  other.engine.sample(50, {}, 1, expected.block());
  for (Index j = 0; j < 2; ++j)
    for (Index i = 0; i < 50; ++i) {
      CHECK(samples_at_average(i, j) == expected(i, j));
      CHECK(samples_at_average(i, j) != samples(i, j));
    }
}

TEST_CASE("looking at the average in the middle of training changes nothing of it") {
  Session<float> plain(plugins(), kSpec), watched(plugins(), kSpec);
  plain.run();
  watched.training.on_step = [&](const MetricRow&, bool) {
    watched.log_prob(watched.training.averaged);
    return true;
  };
  watched.run();
  CHECK(watched.model.store.parameters == plain.model.store.parameters);
  CHECK(watched.training.averaged == plain.training.averaged);
}

TEST_CASE("averaging steadies a fit with a high learning rate") {
  Session<float> session(plugins(), kSpec);
  double at_last = 0, at_average = 0;
  session.training.on_step = [&](const MetricRow& row, bool) {
    if (row.step <= 20) return true;
    at_last += mean(session.log_prob()) / 20;
    at_average += mean(session.log_prob(session.training.averaged)) / 20;
    return true;
  };
  session.run();
  CHECK(at_average > at_last);
}
