// Checkpoints: everything of a run comes back bit for bit, and nothing that does not fit is let in.
#include <catch2/catch.hpp>
#include <cmath>

#include "io/checkpoint.h"
#include "support/temporary_folder.h"

namespace {

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;

/// Two parameters with a gap between them, a real and an integer state.
template <class T>
Model<T> make_model() {
  Model<T> model;
  model.layout.parameters = {{"model.network.weight", {.offset = 0, .rows = 2, .columns = 3, .role = Role::weight}},
                             {"model.scale", {.offset = 16, .rows = 1, .columns = 2, .role = Role::scale}}};
  model.layout.parameter_size = 32;
  model.layout.states = {{"model.running_mean", {.offset = 0, .size = 2, .integer = false}},
                         {"model.order", {.offset = 0, .size = 3, .integer = true}}};
  model.layout.real_state_size = 16;
  model.layout.integer_state_size = 16;
  model.store.parameters.assign(32, T(0));
  model.store.real_state.assign(16, T(0));
  model.store.integer_state.assign(16, 0);
  return model;
}

template <class T>
void fill(Model<T>& model) {
  for (const ParameterInfo& info : model.layout.parameters)
    for (Index i = 0; i < info.handle.size(); ++i)
      model.store.parameters[static_cast<std::size_t>(info.handle.offset + i)] = T(1) / T(3 + i + info.handle.offset);
  model.store.real_state[0] = T(0.1);
  model.store.real_state[1] = T(-0.0);
  model.store.integer_state = {2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
}

template <class T>
Training<T> make_training() {
  Training<T> training;
  training.averaged.assign(32, T(0));
  for (const std::size_t i : {0, 1, 2, 3, 4, 5, 16, 17}) training.averaged[i] = T(7) / T(1 + i);
  training.optimizer_states.resize(2);
  training.optimizer_states[0].step = 12;
  training.optimizer_states[0].arrays["moment"] = {T(0.5), T(0.25)};
  training.optimizer_states[0].numbers["best"] = {0.1, 1e-300};
  training.optimizer_states[1].step = 60;
  return training;
}

template <class T>
Checkpoint saved(const TemporaryFolder& folder, const Model<T>& model, const Training<T>* training = nullptr) {
  const typename DataPipeline<T>::State data{
      .columns = {"alcohol", "col,\"our\""}, .context_columns = {"target"}, .preprocess = {{0.1, 2.5}, {}}};
  Checkpoint::capture<T>(model, training, &data, "seed: 0\n", 12).write(folder / "c.safetensors");
  return Checkpoint::read(folder / "c.safetensors");
}

template <class T>
std::string refusal(const Checkpoint& checkpoint, Model<T>& model) {
  const std::vector<T> before = model.store.parameters;
  try {
    checkpoint.restore(model);
  } catch (const CheckpointError& error) {
    CHECK(model.store.parameters == before);
    return error.what();
  }
  FAIL("the checkpoint was accepted");
  return {};
}

TEMPLATE_TEST_CASE("Everything comes back bit for bit", "", float, double) {
  const TemporaryFolder folder;
  Model<TestType> model = make_model<TestType>(), other = make_model<TestType>();
  fill(model);
  const Training<TestType> training = make_training<TestType>();
  const Checkpoint checkpoint = saved(folder, model, &training);

  CHECK(checkpoint.spec() == "seed: 0\n");
  CHECK(checkpoint.step() == 12);
  CHECK(checkpoint.float64() == (sizeof(TestType) == 8));
  CHECK(checkpoint.averaged());

  checkpoint.restore(other);
  CHECK(other.store.parameters == model.store.parameters);
  CHECK(other.store.real_state == model.store.real_state);
  CHECK(std::signbit(other.store.real_state[1]));
  CHECK(other.store.integer_state == model.store.integer_state);
  checkpoint.restore_result(other);
  CHECK(other.store.parameters == training.averaged);

  Training<TestType> restored;
  checkpoint.restore(restored, model.layout);
  CHECK(restored.first_step == 12);
  CHECK(restored.averaged == training.averaged);
  REQUIRE(restored.optimizer_states.size() == 2);
  CHECK(restored.optimizer_states[0].step == 12);
  CHECK(restored.optimizer_states[0].arrays == training.optimizer_states[0].arrays);
  CHECK(restored.optimizer_states[0].numbers == training.optimizer_states[0].numbers);
  CHECK(restored.optimizer_states[1].step == 60);
  CHECK(restored.optimizer_states[1].arrays.empty());

  const auto data = checkpoint.data<TestType>();
  REQUIRE(data);
  CHECK(data->columns == std::vector<std::string>{"alcohol", "col,\"our\""});
  CHECK(data->context_columns == std::vector<std::string>{"target"});
  CHECK(data->preprocess == std::vector<std::vector<double>>{{0.1, 2.5}, {}});
}

TEST_CASE("Other programs find parameters under their paths, row by row") {
  const TemporaryFolder folder;
  Model<double> model = make_model<double>();
  fill(model);
  saved<double>(folder, model);
  const TensorFile file = read_safetensors(folder / "c.safetensors");
  const Tensor& weight = file.tensors.at("model.network.weight");
  CHECK(weight.shape == std::vector<Index>{2, 3});
  // In memory column by column: (i, j) is at i + 2 j.
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      CHECK(weight.elements<double>()[3 * i + j] == model.store.parameters[i + 2 * j]);
  CHECK(file.tensors.at("state/model.order").type == TensorType::int64);
  CHECK(file.metadata.at("precision") == "float64");
}

TEST_CASE("A run without data, averages and optimizer has none") {
  const TemporaryFolder folder;
  const Model<float> model = make_model<float>();
  Checkpoint::capture<float>(model, nullptr, nullptr, "a: 1", 0).write(folder / "c.safetensors");
  const Checkpoint checkpoint = Checkpoint::read(folder / "c.safetensors");
  CHECK_FALSE(checkpoint.averaged());
  CHECK_FALSE(checkpoint.data<float>());
  Model<float> other = make_model<float>();
  other.store.parameters[0] = 5;
  checkpoint.restore_result(other);
  CHECK(other.store.parameters[0] == 5);
}

TEST_CASE("A model that differs is refused with every difference, and stays as it was") {
  const TemporaryFolder folder;
  Model<float> model = make_model<float>();
  fill(model);
  const Checkpoint checkpoint = saved<float>(folder, model);

  Model<float> other = make_model<float>();
  other.layout.parameters[0].handle.rows = 1;
  other.layout.parameters[1].path = "model.shift";
  other.layout.states[1].handle.size = 4;
  const std::string message = refusal(checkpoint, other);
  CHECK_THAT(message, Contains("c.safetensors' does not fit the model that its spec builds (4 differences)") &&
                          Contains("'model.network.weight' is F32 [2, 3]; the model needs F32 [1, 3]") &&
                          Contains("'model.shift' is missing; the model needs F32 [1, 2]") &&
                          Contains("'state/model.order' is I64 [3]; the model needs I64 [4]") &&
                          Contains("'model.scale' (F32 [1, 2]) is not in the model"));

  Model<double> precise = make_model<double>();
  CHECK_THAT(refusal(checkpoint, precise), Contains("is F32 [2, 3]; the model needs F64 [2, 3]"));
}

TEST_CASE("A safetensors file of somebody else, or of another version, is refused") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::map<std::string, std::string>& changes, const std::string& without = {}) {
    TensorFile file;
    file.metadata = {{"kind", "pushforward checkpoint"},
                     {"format_version", "1"},
                     {"toolkit_version", "9.9"},
                     {"precision", "float32"},
                     {"spec", ""},
                     {"step", "0"}};
    for (const auto& [key, value] : changes) file.metadata[key] = value;
    file.metadata.erase(without);
    write_safetensors(folder / "c.safetensors", file);
    try {
      Checkpoint::read(folder / "c.safetensors");
    } catch (const CheckpointError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused({}).empty());
  CHECK_THAT(refused({}, "kind"), Contains("has no metadata 'kind'; it is no checkpoint of pushforward"));
  CHECK_THAT(refused({{"kind", "pt"}}), Contains("is a pt, not a checkpoint"));
  CHECK_THAT(refused({{"format_version", "2"}}), Contains("has checkpoint format 2, written by pushforward 9.9"));
  CHECK_THAT(refused({{"precision", "bfloat16"}}), Contains("precision 'bfloat16'"));
  CHECK_THAT(refused({{"step", "-3"}}), Contains("step '-3', which is no count"));
  CHECK_THAT(refused({}, "spec"), Contains("has no metadata 'spec'"));
}

}  // namespace
