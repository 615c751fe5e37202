// Small specs and data for tests that run the program.
#pragma once

#include "support/program.h"

namespace pushforward::test {

/// A flow of two splines on 200 points, 20 steps.
inline const char kSmallSpec[] = R"(seed: 3
data:
  source: {circles: {samples: 200, factor: 0.5, noise: 0.05}}
  preprocess: [standardize]
  split: {train: 0.7, validation: 0.2, test: 0.1}
model:
  base: normal
  bijectors:
    - elementwise: {transformer: {linear_rational_spline: {bins: 4, bound: 3}}}
training:
  optimizer: {adam: {learning_rate: 1e-2}}
  steps: 20
  batch_size: 50
  report_every: 10
  validate_every: 10
)";

/// The density of two numbers given a third, 10 steps; `points.csv` beside it.
inline const char kConditionalSpec[] = R"(seed: 1
data:
  source: {csv: {file: points.csv}}
  context: {columns: [angle]}
model:
  base: normal
  bijectors:
    - coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: tanh}}}
training:
  steps: 10
)";

inline std::string points_csv(int rows = 60) {
  std::string text = "x,angle,y\n";
  for (int i = 0; i < rows; ++i) {
    const double t = 0.1 * i;
    text +=
        std::to_string(t - 3 * (i % 3)) + "," + std::to_string(0.5 * t) + "," + std::to_string(1 - t * (i % 2)) + "\n";
  }
  return text;
}

/// A folder with `small.yaml`, fitted into `run`.
class SmallRun {
 public:
  SmallRun() {
    folder.write("small.yaml", kSmallSpec);
    fit = pushforward({"fit", "small.yaml", "--output", "run", "--format", "json"}, folder.path());
    if (fit.code != 0) throw std::runtime_error("the fit failed: " + fit.err);
  }
  TemporaryFolder folder;
  Outcome fit;
};

/// One for all tests of a program that only read it.
inline const SmallRun& small_run() {
  static const SmallRun run;
  return run;
}

}  // namespace pushforward::test
