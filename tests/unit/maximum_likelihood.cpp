#include "../../plugins/objectives/maximum_likelihood.cpp"

#include <catch2/catch.hpp>

#include "pushforward/engine.h"
#include "support/fake_build.h"

using namespace pushforward::test;  // NOLINT

namespace {

/// log p(y) = m y, up to what normalises it, with one parameter m: its gradient is the data's own mean.
template <class T>
class Tilt final : public Distribution<T> {
 public:
  explicit Tilt(Model<T>& model) : m_{0, 1, 1, Role::other, false} {
    model.layout.parameters.push_back({"model.m", m_});
    model.layout.parameter_size = kPadding;
    model.store.parameters.assign(static_cast<std::size_t>(kPadding), T(0));
    model.store.parameters[0] = T(2);
  }
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override { return y * pass(m_); }
  Sampled<T> sample(Index, const Pass<T>&) const override { throw std::logic_error("likelihood draws no samples"); }
  Shape event_shape() const override { return {1}; }

 private:
  Parameter m_;
};

struct Fixture {
  Fixture() : data(4, 1), weights(4, 1) {
    model.distribution = std::make_unique<Tilt<double>>(model);
    model.objective = make_component<Objective<double>>(kComponents[0]);
    model.components = {model.distribution.get(), model.objective.get()};
    model.objective_parameters = model.layout.parameter_size;
    const double y[] = {1, -3, 0.5, 4}, w[] = {1, 0, 2, 1};
    for (Index i = 0; i < 4; ++i) {
      data(i, 0) = y[i];
      weights(i, 0) = w[i];
    }
  }
  Model<double> model;
  Matrix<double> data, weights;
};

}  // namespace

TEST_CASE("maximum_likelihood is the mean of -log p, and its gradient") {
  Fixture f;
  Engine<double> engine(f.model, {});
  std::vector<double> gradient(static_cast<std::size_t>(kPadding));
  const Rows<double> rows{.data = f.data, .context = {}, .weights = {}, .count = 4};
  CHECK(engine.loss(0, rows, 0, f.model.store.parameters, gradient) == Approx(-2 * 2.5 / 4));
  CHECK(gradient[0] == Approx(-2.5 / 4));
}

TEST_CASE("maximum_likelihood weighs the rows") {
  Fixture f;
  Engine<double> engine(f.model, {});
  std::vector<double> gradient(static_cast<std::size_t>(kPadding));
  const Rows<double> rows{.data = f.data, .context = {}, .weights = f.weights, .count = 4};
  CHECK(engine.loss(0, rows, 0, f.model.store.parameters, gradient) == Approx(-2 * 6.0 / 4));
  CHECK(gradient[0] == Approx(-6.0 / 4));
}

TEST_CASE("maximum_likelihood needs data and densities, and no samples") {
  const auto objective = make_component<Objective<double>>(kComponents[0]);
  CHECK(objective->separable());
  CHECK(objective->needs().data);
  CHECK(objective->needs().model_log_prob);
  CHECK_FALSE(objective->needs().model_sample);
  CHECK_FALSE(objective->needs().target);
}
