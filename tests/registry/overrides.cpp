#include <catch2/catch.hpp>

#include "registry/tiny_components.h"

using namespace pushforward;
using namespace pushforward::test;

namespace {

constexpr char kSpec[] = R"(
data:
  source: counting
  split: {train: 0.5, validation: 0.5}
model:
  base: {tiny: {shape: [2]}}
  bijectors:
    - nothing
    - affine: {scale: softplus}
    - coupling: {transformer: affine}
training:
  steps: 10
  optimizer: adam
  groups: [{match: "model.*", weight_decay: 0.1}]
)";

SpecNode with(const std::vector<std::string>& overrides) {
  return resolve_spec(tiny_registry(), parse_spec_text(kSpec, "spec"), overrides).root;
}
std::string error_with(const std::vector<std::string>& overrides) {
  return message_of([&] { with(overrides); });
}
/// The node at a path of keys and indices.
const SpecNode& at(const SpecNode& root, const std::vector<std::string>& keys) {
  const SpecNode* node = &root;
  for (const std::string& key : keys) {
    if (node->is_list()) {
      node = &node->items.at(std::stoul(key));
    } else {
      REQUIRE(node->find(key));
      node = node->find(key);
    }
  }
  return *node;
}

}  // namespace

TEST_CASE("an override replaces what is written and adds what is not") {
  const SpecNode root = with({"training.steps=99", "training.clip=2.5", "seed=7", "training.averaging.ema.decay=0.5"});
  CHECK(at(root, {"training", "steps"}).text == "99");
  CHECK(at(root, {"training", "clip"}).text == "2.5");
  CHECK(at(root, {"training", "averaging", "ema", "decay"}).text == "0.5");
  CHECK(at(root, {"seed"}).text == "7");
}

TEST_CASE("components are reached with and without their names") {
  const std::vector<std::string> learning_rate = {"training", "optimizer", "adam", "learning_rate"};
  CHECK(at(with({"training.optimizer.learning_rate=0.5"}), learning_rate).text == "0.5");
  CHECK(at(with({"training.optimizer.adam.learning_rate=0.5"}), learning_rate).text == "0.5");
  const std::vector<std::string> kept = {"model", "flow", "bijectors", "2", "coupling", "mask"};
  CHECK(at(with({"model.bijectors[2].coupling.mask=alternating"}), kept).text == "alternating");
  CHECK(at(with({"model.bijectors[2].mask=alternating"}), kept).text == "alternating");
  CHECK(at(with({"model.flow.bijectors[2].mask=alternating"}), kept).text == "alternating");
  CHECK(at(with({"model.base.shape=[4]"}), {"model", "flow", "base", "tiny", "shape", "0"}).text == "4");
}

TEST_CASE("what is a default can be looked into") {
  const SpecNode root = with({"model.bijectors[2].coupling.network.hidden=[5]"});
  CHECK(at(root, {"model", "flow", "bijectors", "2", "coupling", "network", "mlp", "hidden", "0"}).text == "5");
}

TEST_CASE("a transformer that stands for a bijector is reached in both forms") {
  const std::vector<std::string> slope = {"model",       "flow",        "bijectors", "1",
                                          "elementwise", "transformer", "affine",    "slope"};
  CHECK(at(with({"model.bijectors[1].affine.slope=0.5"}), slope).text == "0.5");
  CHECK(at(with({"model.bijectors[1].slope=0.5"}), slope).text == "0.5");
  CHECK(at(with({"model.bijectors[1].elementwise.transformer.affine.slope=0.5"}), slope).text == "0.5");
  CHECK(at(with({"model.bijectors[1].elementwise.transformer.slope=0.5"}), slope).text == "0.5");
}

TEST_CASE("an override may replace a component, an element of a list, or part of a value") {
  CHECK(at(with({"model.bijectors[0]=affine"}), {"model", "flow", "bijectors", "0"}).find("elementwise"));
  CHECK(at(with({"model.bijectors=[nothing]"}), {"model", "flow", "bijectors"}).items.size() == 1);
  CHECK(at(with({"training.optimizer={sgd: {momentum: 0.5}}"}), {"training", "optimizer", "sgd", "momentum"}).text ==
        "0.5");
  CHECK(at(with({"model.bijectors[2].coupling={transformer: sinh_arcsinh}"}),
           {"model", "flow", "bijectors", "2", "coupling", "transformer"})
            .find("sinh_arcsinh"));
  CHECK(at(with({"model.base.shape=[1, 2]", "model.base.shape[1]=3"}), {"model", "flow", "base", "tiny", "shape", "1"})
            .text == "3");
  CHECK(at(with({"training.groups[0].weight_decay=0.5"}), {"training", "groups", "0", "weight_decay"}).text == "0.5");
  CHECK(at(with({"model.base.location={network: mlp}", "model.base.location.network.hidden=[7]"}),
           {"model", "flow", "base", "tiny", "location", "network", "mlp", "hidden", "0"})
            .text == "7");
  CHECK(at(with({"model.context.features=3"}), {"model", "context", "features"}).text == "3");
}

TEST_CASE("the last of two overrides of a place prevails") {
  CHECK(at(with({"training.steps=1", "training.steps=2"}), {"training", "steps"}).text == "2");
}

TEST_CASE("values are validated like the spec's own, with the override as their position") {
  CHECK(error_with({"training.steps=x"}) ==
        "--set training.steps=x: error: training.steps must be an integer of at least 1, but is 'x'");
  CHECK(error_with({"training.optimizer=adm"}) ==
        "--set training.optimizer=adm: error: training.optimizer: there is no optimizer 'adm'; did you mean 'adam'?");
  CHECK(
      error_with({"training.optimizer={adam: {beta1: 2}}"}) ==
      "--set training.optimizer={adam: {beta1: 2}}: error: training.optimizer.beta1 must be a number of at least 0 and "
      "below 1, but is '2'");
}

TEST_CASE("what an override leaves empty is reported at the override") {
  CHECK(error_with({"training.steps="}) ==
        "--set training.steps=: error: training needs the field 'steps' or the field 'epochs'");
  CHECK(error_with({"model="}) == "--set model=: error: model must be a distribution, but is empty");
  CHECK(error_with({"training=null"})
            .starts_with("--set training=null: error: training must be a mapping with the fields procedure, "));
  CHECK(error_with({"training="}).ends_with("checkpoint_every, but is empty"));
}

TEST_CASE("places that the schemas do not have are refused with the nearest name") {
  CHECK(error_with({"trainin.steps=1"}) ==
        "--set trainin.steps=1: error: the spec has no field 'trainin'; did you mean 'training'?");
  CHECK(error_with({"training.step=1"}) ==
        "--set training.step=1: error: training has no field 'step'; did you mean 'steps'?");
  CHECK(
      error_with({"training.optimizer.learning_rat=1"}) ==
      "--set training.optimizer.learning_rat=1: error: training.optimizer (adam) has no field 'learning_rat'; did you "
      "mean 'learning_rate'?");
  CHECK(
      error_with({"model.bijectors[2].coupling.netwrk.hidden=1"}) ==
      "--set model.bijectors[2].coupling.netwrk.hidden=1: error: model.bijectors[2] (coupling) has no field 'netwrk'; "
      "did you mean 'network'?");
  CHECK(
      error_with({"training.optimizer.sgd.momentum=0.1"}) ==
      "--set training.optimizer.sgd.momentum=0.1: error: training.optimizer is 'adam', not 'sgd'; to replace it: --set "
      "'training.optimizer={sgd: {}}'");
}

TEST_CASE("paths that lead nowhere are refused") {
  CHECK(error_with({"model.bijectors[3]=affine"}) ==
        "--set model.bijectors[3]=affine: error: model.bijectors has 3 elements, so there is no model.bijectors[3]");
  CHECK(
      error_with({"model.bijectors.mask=halves"}) ==
      "--set model.bijectors.mask=halves: error: model.bijectors is a list: one of its elements is model.bijectors[0], "
      "not model.bijectors.mask");
  CHECK(
      error_with({"training.steps.x=1"}) ==
      "--set training.steps.x=1: error: training.steps is an integer of at least 1 and has no parts; the path must end "
      "there");
  CHECK(error_with({"training[0]=1"}) ==
        "--set training[0]=1: error: training is no list: [0] must be the name of a field");
  CHECK(error_with({"training.schedule.cosine.x=1"}) ==
        "--set training.schedule.cosine.x=1: error: training.schedule is not given and has no default; give it first: "
        "--set training.schedule=...");
  CHECK(error_with({"model.base.location={learnable: 1}", "model.base.location.network.hidden=[7]"}) ==
        "--set model.base.location.network.hidden=[7]: error: model.base.location has no network; give it first: --set "
        "'model.base.location={network: ...}'");
}

TEST_CASE("overrides that are none are refused") {
  const std::string rule = ": error: must be PATH=VALUE, such as training.steps=100";
  CHECK(error_with({"training.steps"}) == "--set training.steps" + rule);
  CHECK(error_with({"=3"}) == "--set =3" + rule);
  for (const char* path : {"a..b=1", "a.=1", "model.bijectors[x]=1", "model.bijectors[0=1", "model.bijectors[0]x=1",
                           ".a=1", "model.bijectors[-1]=affine"})
    CHECK(error_with({path}).starts_with("--set " + std::string(path) + ": error: "));
  CHECK(error_with({"training.steps=[1"}).starts_with("--set training.steps=[1: error: VALUE:"));
}

TEST_CASE("a message shows an override in one line, whatever it holds") {
  const std::string message = error_with({std::string("sead\0\n\x1b=1", 9)});
  CHECK(message.starts_with("--set sead\\x00\\n\\x1b=1: error: the spec has no field 'sead\\x00\\n\\x1b'"));
  CHECK(error_with({"seed=" + std::string(100000, 'x')}).size() < 5000);
}

TEST_CASE("all overrides' problems are reported, after those of the spec") {
  const std::string message = message_of([] {
    resolve_spec(tiny_registry(), parse_spec_text("model: tiny\ntraining: {stepz: 1}\n", "spec"), {"seed=x", "sed=1"});
  });
  CHECK(message ==
        "spec:2:11: error: training needs the field 'steps' or the field 'epochs'\n"
        "spec:2:12: error: training has no field 'stepz'; did you mean 'steps'?\n"
        "--set sed=1: error: the spec has no field 'sed'; did you mean 'seed'?\n"
        "--set seed=x: error: seed must be an integer of at least 0, but is 'x'");
}
