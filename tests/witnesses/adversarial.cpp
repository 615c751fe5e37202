// Witness: an adversarial objective with two phases, each with its own parameters, optimizer and optimizer state.
//
// It is the hardest consumer of Objective: parameters of its own behind the model's, phases that repeat, batches and
// draws that differ from one evaluation to the next, and a loss that holds a derivative of the critic.
#include "witnesses/adversarial.h"

#include "support/session.h"
#include "support/witness.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// Plain gradient descent that writes down what moved.
struct Move {
  bool model = false, critic = false;
  double rate = 0;
  bool operator==(const Move&) const = default;
};
std::vector<Move> moves;
Index border = 0;  // where the critic's parameters start

template <class T>
class Watched final : public Optimizer<T> {
 public:
  explicit Watched(Build<T>& build) : rate_(build.real("learning_rate")) {}
  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override {
    std::vector<T> gradient(theta.size()), before(theta.begin(), theta.end());
    const double loss = evaluate(theta, gradient);
    for (const ParameterRange& range : settings.ranges)
      for (Index k = range.begin; k < range.end; ++k) {
        const auto i = static_cast<std::size_t>(k);
        theta[i] -= static_cast<T>(rate_ * range.learning_rate_factor) *
                    (gradient[i] + static_cast<T>(range.weight_decay) * theta[i]);
      }
    const auto moved = [&](Index from, Index to) {
      return !std::equal(before.begin() + from, before.begin() + to, theta.begin() + from);
    };
    moves.push_back({moved(0, border), moved(border, static_cast<Index>(theta.size())), rate_});
    ++state.step;
    return loss;
  }
  double learning_rate() const override { return rate_; }

 private:
  double rate_;
};

constexpr Field kWatchedFields[] = {real("learning_rate", "0.1", "size of a step").above(0)};
constexpr Example kWatchedExamples[] = {{"default", "witness_watched"}};
constexpr ComponentInfo kComponents[] = {
    kAdversarial,
    describe<Watched>("optimizer", "witness_watched", "Gradient descent that is watched", kWatchedFields,
                      kWatchedExamples),
};

std::string spec(const std::string& training) {
  return R"(
seed: 5
precision: float64
data: {source: {circles: {samples: 400, factor: 0.4}}}
model:
  base: normal
  bijectors: [{coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: tanh}}}}, affine]
training:
  batch_size: 100
)" + training;
}

}  // namespace

TEST_CASE("an adversarial objective conforms") {
  constexpr ComponentInfo kObjective[] = {kAdversarial};
  check_component(kObjective);
}

TEST_CASE("each phase has the exact gradient of its own parameters, and none of the others'") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, spec("  objective: witness_adversarial\n  steps: 1\n"));
  scatter(session.model);
  Engine<double>& engine = session.engine;
  std::vector<double> theta = session.model.store.parameters, gradient(theta.size());
  const Rows<double>& rows = session.training.train;
  REQUIRE(session.model.objective_parameters > 0);
  REQUIRE(session.model.objective_parameters < session.model.layout.parameter_size);
  for (const int phase : {0, 1}) {
    engine.loss(phase, rows, 2, theta, gradient);
    for (const ParameterInfo& p : session.model.layout.parameters)
      for (Index k = 0; k < p.handle.size(); ++k) {
        CAPTURE(phase, p.path, k);
        const auto i = static_cast<std::size_t>(p.handle.offset + k);
        const bool critic = p.handle.offset >= session.model.objective_parameters;
        CHECK(p.path.starts_with("training.objective") == critic);
        if (critic != (phase == 0)) {
          CHECK(gradient[i] == 0);
          continue;
        }
        const double at = theta[i], h = 6e-6 * std::max(1.0, std::abs(at));
        theta[i] = at + h;
        const double above = engine.loss(phase, rows, 2, theta, {});
        theta[i] = at - h;
        const double below = engine.loss(phase, rows, 2, theta, {});
        theta[i] = at;
        CHECK(distance({gradient[i]}, {(above - below) / (2 * h)}) < 1e-7);
      }
  }
}

TEST_CASE("in the critic's phase the model stands still, in the model's the critic, weight decay or not") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, spec(R"(
  objective: {witness_adversarial: {repeats: 2, optimizer: {witness_watched: {learning_rate: 0.03}}}}
  optimizer: {witness_watched: {learning_rate: 0.01}}
  groups: [{match: "*", weight_decay: 0.1}]
  steps: 2
)"));
  border = session.model.objective_parameters;
  moves.clear();
  session.run();
  const Move critic{false, true, 0.03}, model{true, false, 0.01};
  CHECK(moves == std::vector<Move>{critic, critic, model, critic, critic, model});
  REQUIRE(session.training.optimizer_states.size() == 2);
  CHECK(session.training.optimizer_states[0].step == 4);
  CHECK(session.training.optimizer_states[1].step == 2);
}

TEST_CASE("groups reach the critic's parameters: frozen ones stay, and a learning rate is the one that was asked for") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, spec(R"(
  objective: {witness_adversarial: {repeats: 1, penalty: 0.0, optimizer: {witness_watched: {learning_rate: 0.03}}}}
  optimizer: {witness_watched: {learning_rate: 0.01}}
  groups:
    - {match: "training.objective.critic.*", roles: [bias], frozen: true}
    - {match: "training.objective.critic.layers[0].weight", learning_rate: 0.06}
  steps: 1
)"));
  const std::vector<double> before = session.model.store.parameters;
  std::vector<double> gradient(before.size());
  Rows<double> batch = session.training.train;
  session.training.batch_size = 0;
  session.engine.loss(0, batch, 0, before, gradient);
  session.run();
  for (const ParameterInfo& p : session.model.layout.parameters) {
    if (!p.path.starts_with("training.objective")) continue;
    const double rate = p.handle.role == Role::bias ? 0 : p.path.ends_with("layers[0].weight") ? 0.06 : 0.03;
    for (Index k = 0; k < p.handle.size(); ++k) {
      CAPTURE(p.path, k);
      const auto i = static_cast<std::size_t>(p.handle.offset + k);
      CHECK(session.model.store.parameters[i] == Approx(before[i] - rate * gradient[i]).epsilon(1e-12));
    }
  }
}

TEST_CASE("a normal distribution learns the data's place and size from its critic") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, R"(
seed: 5
precision: float64
data: {source: {circles: {samples: 400, factor: 0.9, noise: 0.2}}}
model: {base: normal, bijectors: [affine]}
training:
  objective: witness_adversarial
  optimizer: {adam: {learning_rate: 0.01}}
  batch_size: 200
  averaging: {ema: {decay: 0.99}}
  steps: 600
)");
  std::vector<double>& theta = session.model.store.parameters;
  const Index offset = session.model.layout.parameters[0].handle.offset;
  for (const Index j : {0, 1}) {
    theta[static_cast<std::size_t>(offset + 2 * j)] = 1.5;       // shift
    theta[static_cast<std::size_t>(offset + 2 * j + 1)] = -1.0;  // log scale
  }
  session.run();
  const double deviation = std::sqrt((1 + 0.81) / 4 + 0.04);
  for (const Index j : {0, 1}) {
    CHECK(session.training.averaged[static_cast<std::size_t>(offset + 2 * j)] == Approx(0).margin(0.15));
    CHECK(std::exp(session.training.averaged[static_cast<std::size_t>(offset + 2 * j + 1)]) ==
          Approx(deviation).epsilon(0.25));
  }
}
