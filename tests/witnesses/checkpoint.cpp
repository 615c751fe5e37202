// Witness: a checkpoint of a model that has every kind of number that a run can have.
//
// Parameters of the model and of its objective, real and integer state, flags of what was initialised, running
// statistics, the optimizer states of two phases, averaged weights and the preprocessing's numbers go through a file
// into a fresh model: it must give the same densities and take the same next steps, bit for bit.
#include "io/checkpoint.h"

#include "support/session.h"
#include "support/temporary_folder.h"
#include "support/witness.h"
#include "witnesses/adversarial.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

/// Shifts by a mean that the first batch sets and every step moves, and scales by a deviation that it keeps.
template <class T>
class RunningShift final : public Bijector<T> {
 public:
  explicit RunningShift(Build<T>& build)
      : size_(build.event_size()),
        mean_(build.state("mean", zeros())),
        scale_(build.state("scale", std::vector<double>(static_cast<std::size_t>(size_), 1))),
        steps_(build.integer_state("steps", {0})),
        ready_(build.integer_state("ready", {0})),
        sums_(build.statistic("sums", size_)) {}

  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    require_columns("running_shift", y.columns(), size_);
    if (pass.mode == Mode::initialise && pass.integers(ready_)[0] == 0) fit(y, pass);
    if (pass.training()) pass.report(sums_, y);
    return {(y - pass(mean_)) / pass(scale_), log_det(y, pass, -1)};
  }
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    require_columns("running_shift", x.columns(), size_);
    // Statistics of what is made, where the objective only draws.
    const Var<T> y = x * pass(scale_) + pass(mean_);
    if (pass.training()) pass.report(sums_, y);
    return {y, log_det(x, pass, 1)};
  }
  void update(StepPass<T>& step) const override {
    for (std::size_t j = 0; j < static_cast<std::size_t>(size_); ++j) {
      T& mean = step.state(mean_)[j];
      mean += T(0.1) * (static_cast<T>(step.statistic(sums_)[j] / static_cast<double>(step.rows)) - mean);
    }
    ++step.integers(steps_)[0];
  }

 private:
  std::vector<double> zeros() const { return std::vector<double>(static_cast<std::size_t>(size_), 0); }
  void fit(Var<T> y, const Pass<T>& pass) const {
    for (Index j = 0; j < size_; ++j) {
      double sum = 0, squares = 0;
      for (Index i = 0; i < y.rows(); ++i) {
        const double v = static_cast<double>(y.value()(i, j));
        sum += v;
        squares += v * v;
      }
      const double n = static_cast<double>(y.rows()), mean = sum / n;
      pass.writable(mean_)[static_cast<std::size_t>(j)] = static_cast<T>(mean);
      pass.writable(scale_)[static_cast<std::size_t>(j)] = static_cast<T>(std::sqrt(squares / n - mean * mean));
    }
    pass.writable_integers(ready_)[0] = 1;
  }
  Var<T> log_det(Var<T> x, const Pass<T>& pass, T sign) const {
    return repeat_rows(sign * row_sum(log(pass(scale_))), x.rows());
  }
  Index size_;
  State mean_, scale_, steps_, ready_;
  Statistic sums_;
};

constexpr Example kExamples[] = {{"default", "witness_running_shift", 2}};
constexpr ComponentInfo kComponents[] = {
    kAdversarial,
    describe<RunningShift>("bijector", "witness_running_shift", "Running statistics", nullptr, kExamples),
};

std::string spec(const char* precision) {
  return std::string("seed: 6\nprecision: ") + precision + R"(
data: {source: {circles: {samples: 300}}, preprocess: [standardize]}
model:
  base: {normal: {mean: learnable, scale: learnable}}
  bijectors:
    - elementwise: {transformer: rational_quadratic_spline}
    - witness_running_shift
    - {coupling: {transformer: affine, network: {mlp: {hidden: [8], activation: tanh}}, mask: random, seed: 3}}
training:
  objective: {witness_adversarial: {optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}, repeats: 2}}
  optimizer: {adam: {learning_rate: 0.01}}
  batch_size: 64
  averaging: {ema: {decay: 0.95}}
  steps: 12
)";
}

template <class T>
std::int64_t integer_state(const Model<T>& model, const std::string& name) {
  for (const StateInfo& info : model.layout.states)
    if (info.path.ends_with(name)) return model.store.integer_state[static_cast<std::size_t>(info.handle.offset)];
  throw std::logic_error("there is no state " + name);
}

template <class T>
void go_on_from_a_file(const char* precision) {
  const auto registry = load_plugins(kComponents);
  const TemporaryFolder folder;
  Session<T> original(*registry, spec(precision));
  original.run_to(7);
  const auto data = original.experiment.data->state();
  Checkpoint::capture(original.model, &original.training, &data, original.experiment.spec.to_yaml(*registry), 7)
      .write(folder.file("checkpoint.safetensors"));

  const Checkpoint checkpoint = Checkpoint::read(folder.file("checkpoint.safetensors"));
  CHECK(checkpoint.step() == 7);
  CHECK(checkpoint.float64() == (sizeof(T) == 8));
  // Nothing but the file: its own spec, and the components that it names.
  Session<T> loaded(*registry, checkpoint.spec());
  CHECK(loaded.log_prob() != original.log_prob());
  checkpoint.restore(loaded.model);
  checkpoint.restore(loaded.training, loaded.model.layout);

  const auto same = [&] {
    CHECK(loaded.model.store.parameters == original.model.store.parameters);
    CHECK(loaded.model.store.real_state == original.model.store.real_state);
    CHECK(loaded.model.store.integer_state == original.model.store.integer_state);
    CHECK(loaded.training.averaged == original.training.averaged);
    CHECK(loaded.log_prob() == original.log_prob());
    CHECK(loaded.log_prob(loaded.training.averaged) == original.log_prob(original.training.averaged));
    REQUIRE(loaded.training.optimizer_states.size() == 2);
    for (const std::size_t phase : {0u, 1u}) {
      CHECK(loaded.training.optimizer_states[phase].step == original.training.optimizer_states[phase].step);
      CHECK(loaded.training.optimizer_states[phase].arrays == original.training.optimizer_states[phase].arrays);
      CHECK(loaded.training.optimizer_states[phase].numbers == original.training.optimizer_states[phase].numbers);
    }
  };
  same();
  CHECK(integer_state(loaded.model, "steps") == 7);
  CHECK(integer_state(loaded.model, "ready") == 1);
  const auto restored = checkpoint.data<T>();
  REQUIRE(restored);
  CHECK(restored->columns == data.columns);
  CHECK(restored->preprocess == data.preprocess);

  for (const std::int64_t step : {8, 12}) {
    original.run_to(step);
    loaded.run_to(step);
    same();
  }
}

}  // namespace

TEST_CASE("a map with running statistics conforms") { check_component(kComponents); }

TEST_CASE("a run that was saved to a file goes on bit for bit, in float64") { go_on_from_a_file<double>("float64"); }
TEST_CASE("a run that was saved to a file goes on bit for bit, in float32") { go_on_from_a_file<float>("float32"); }

TEST_CASE("a checkpoint of another model is refused with every difference, and writes nothing") {
  const auto registry = load_plugins(kComponents);
  Session<double> session(*registry, spec("float64"));
  const Checkpoint checkpoint = Checkpoint::capture<double>(session.model, nullptr, nullptr, "none", 0);
  Model<double> other = make_model<double>(*registry, "{base: normal, bijectors: [witness_running_shift]}", around(2));
  const std::vector<double> before = other.store.real_state;
  CHECK_THROWS_AS(checkpoint.restore(other), CheckpointError);
  CHECK(other.store.real_state == before);
}
