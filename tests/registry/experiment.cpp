#include <catch2/catch.hpp>

#include "registry/tiny_components.h"

using namespace pushforward;
using namespace pushforward::test;

namespace {

ResolvedSpec resolve(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return resolve_spec(tiny_registry(), parse_spec_text(text, "spec"), overrides);
}

/// A spec with a model and whatever else is given; rows of `counting` unless `data` says something else.
std::string spec_text(const std::string& model, const std::string& training = "{steps: 5}",
                      const std::string& data = "{source: counting, weights: w}") {
  return (data.empty() ? "" : "data: " + data + "\n") + "model: " + model + "\ntraining: " + training +
         "\nprecision: float64\n";
}
Experiment<double> build(const std::string& text, bool for_training = true) {
  return build_experiment<double>(tiny_registry(), resolve(text), for_training);
}
std::string error_of(const std::string& text) {
  return message_of([&] { build(text); });
}
std::string flow(const std::string& bijectors) { return "{base: tiny, bijectors: [" + bijectors + "]}"; }

}  // namespace

TEST_CASE("an experiment has everything that a run needs") {
  const Experiment<double> e =
      build(spec_text(flow("affine"),
                      "{steps: 50, batch_size: 8, lanes: 4, shard_rows: 32, clip: 1.5, averaging: {ema: {decay: 0.9}}, "
                      "report_every: 3, checkpoint_every: 7, schedule: cosine, trackers: [csv]}"));
  CHECK(e.data->event_size() == 3);
  CHECK(e.model.distribution->event_shape() == Shape{3});
  CHECK(e.model.objective);
  CHECK(e.optimizer);
  CHECK(e.schedule);
  CHECK(e.procedure);
  CHECK(e.trackers.size() == 1);
  CHECK(e.settings.steps == 50);
  CHECK(e.settings.batch_size == 8);
  CHECK(e.settings.lanes == 4);
  CHECK(e.settings.shard_rows == 32);
  CHECK(e.settings.clip_norm == 1.5);
  CHECK(e.settings.ema_decay == 0.9);
  CHECK(e.settings.report_every == 3);
  CHECK(e.settings.checkpoint_every == 7);
  CHECK(e.frozen.empty());
  REQUIRE(e.ranges.size() == 1);
  CHECK(e.ranges[0].begin == 0);
  CHECK(e.ranges[0].end == e.model.layout.parameter_size);
  CHECK(e.model.objective_parameters == e.model.layout.parameter_size);
  CHECK(e.model.components.size() == 5);  // transformer, elementwise, tiny, flow, objective
}

TEST_CASE("epochs count the training rows, batch_size: all is zero") {
  const std::string half = "{source: counting, weights: w, split: {train: 0.5, test: 0.5}}";
  CHECK(build(spec_text("{tiny: {location: learnable}}", "{epochs: 3, batch_size: 4}", half)).settings.steps == 9);
  const Experiment<double> all = build(spec_text("{tiny: {location: learnable}}", "{epochs: 3}", half));
  CHECK(all.settings.steps == 3);
  CHECK(all.settings.batch_size == 0);
  CHECK(all.settings.shard_rows == 0);
}

TEST_CASE("the event shape comes from the data, else from the model, else from the target") {
  CHECK(build(spec_text("{tiny: {location: learnable}}")).model.distribution->event_shape() == Shape{3});
  const std::string to_target = "{steps: 1, objective: to_target}";
  const std::string target = "target: {tiny: {shape: [4]}}\n";
  const std::string open_model = "{tiny: {location: learnable}}";
  const std::string nested = "{base: {base: {tiny: {shape: [4]}}, bijectors: [affine]}, bijectors: [affine]}";
  CHECK(build(target + spec_text(nested, to_target, "")).model.distribution->event_shape() == Shape{4});
  CHECK(build(target + spec_text(open_model, to_target, "")).model.distribution->event_shape() == Shape{4});
  CHECK(error_of(target + spec_text("{tiny: {shape: [2], location: learnable}}", to_target, "")) ==
        "spec:1:24: error: target.shape [4] is not the shape of the events here, [2]; it may be left out");
  CHECK(error_of("target: tiny\n" + spec_text(open_model, to_target, "")) ==
        "spec:1:9: error: target.shape is needed here: nothing around says what shape an event has");
}

TEST_CASE("a target's parameters are never trained") {
  const Experiment<double> e =
      build("target: {tiny: {location: learnable}}\n" +
            spec_text("{tiny: {shape: [2], location: learnable}}", "{steps: 1, objective: to_target}", ""));
  REQUIRE(e.model.layout.parameters.size() == 2);
  CHECK(e.model.layout.parameters[1].path == "target.location");
  REQUIRE(e.ranges.size() == 1);
  CHECK(e.ranges[0].end == 16);
  CHECK(e.frozen == std::vector<std::uint8_t>{0, 1});
}

TEST_CASE("what the objective needs is there, and nothing else") {
  const std::string target = "target: {tiny: {shape: [3]}}\n";
  CHECK(error_of(spec_text("{tiny: {location: learnable}}", "{steps: 1, objective: to_target}")) ==
        "spec:1:7: error: data is not used: the objective 'to_target' needs none; remove it, or choose another "
        "objective\n"
        "spec:3:33: error: the objective 'to_target' needs 'target:', but the spec has none");
  CHECK(error_of(target + spec_text("{tiny: {location: learnable}}")) ==
        "spec:1:9: error: target is not used: the objective 'maximum_likelihood' needs none; remove it, or choose "
        "another objective");
  CHECK(error_of(spec_text("{tiny: {shape: [2], location: learnable}}", "{steps: 1}", "")) ==
        "spec:2:11: error: the objective 'maximum_likelihood' needs 'data:', but the spec has none");
}

TEST_CASE("a model that cannot do what the objective needs is refused with the component's place") {
  CHECK(error_of(spec_text(flow("affine, no_inverse"))) ==
        "spec:2:41: error: model.bijectors[1].no_inverse has no inverse with a log_det, which the objective "
        "'maximum_likelihood' needs "
        "for the log_prob of data; take another component, or `invert` it");
  CHECK(error_of(spec_text(flow("no_log_det"))).find("model.bijectors[0].no_log_det has no inverse with a log_det") !=
        std::string::npos);
  CHECK(error_of(spec_text(flow("affine, no_forward"))).empty());
  CHECK(error_of(spec_text(flow("affine, {invert: {bijector: no_inverse}}"))).empty());
  const std::string to_target = "{steps: 1, objective: to_target}";
  const std::string sampled = "target: {tiny: {shape: [2]}}\n";
  CHECK(
      error_of(sampled + spec_text("{base: {tiny: {shape: [2]}}, bijectors: [affine, no_forward]}", to_target, "")) ==
      "spec:2:57: error: model.bijectors[1].no_forward has no forward direction, which the objective 'to_target' needs "
      "for samples; take another component, or `invert` it");
}

TEST_CASE("neighbours must take what they are given") {
  CHECK(error_of(spec_text(flow("affine, positive"))) ==
        "spec:2:41: error: model.bijectors[1].positive takes values in [0, inf), but model.bijectors[0].elementwise "
        "gives "
        "values in (-inf, inf); put a map between them, or change the order");
  CHECK(error_of(spec_text(flow("positive"))) ==
        "spec:2:33: error: model.bijectors[0].positive takes values in [0, inf), but model.base gives values in (-inf, "
        "inf); put a map between them, or change the order");
}

TEST_CASE("context: used and there, or neither") {
  const std::string with_context = "{source: counting, weights: w, context: {columns: [label]}}";
  const std::string conditional = "{base: tiny, bijectors: [{coupling: {transformer: affine}}]}";
  CHECK(build(spec_text(conditional, "{steps: 1}", with_context)).model.context == 1);
  CHECK(error_of(spec_text("{tiny: {location: {network: mlp}}}", "{steps: 1}", with_context)).empty());
  CHECK(
      error_of(spec_text(flow("affine"), "{steps: 1}", with_context)) ==
      "spec:1:47: error: data.context is not used: no network or distribution of the model takes it in; remove it, or "
      "give the model a conditional part");
  CHECK(
      error_of(spec_text("{tiny: {location: {network: mlp}}}")) ==
      "spec:2:26: error: model.location is a network of the context, but there is no context; give data.context, or a "
      "number");
}

TEST_CASE("a network may embed the context first") {
  const std::string with_context = "{source: counting, weights: w, context: {labels: label, classes: 3}}";
  const std::string model =
      "{tiny: {location: {network: {mlp: {hidden: []}}}}, context: {network: {mlp: {hidden: [5]}}, features: 2}}";
  const Experiment<double> e = build(spec_text(model, "{steps: 1}", with_context));
  CHECK(e.model.context == 3);
  std::vector<std::string> paths;
  for (const ParameterInfo& p : e.model.layout.parameters) paths.push_back(p.path);
  CHECK(paths ==
        std::vector<std::string>{"model.location.network.layers[0].weight", "model.location.network.layers[0].bias",
                                 "model.context.network.layers[0].weight", "model.context.network.layers[0].bias",
                                 "model.context.network.layers[1].weight", "model.context.network.layers[1].bias"});
  CHECK(e.model.layout.parameters[0].handle.size() == 2 * 2);  // from two features to two columns

  CHECK(error_of(spec_text(model)) ==
        "spec:2:68: error: model.context: there is no context to embed; give data.context, or remove this");
  CHECK(
      error_of(spec_text("{tiny: {location: learnable}, context: {features: 2}}", "{steps: 1}", with_context)) ==
      "spec:1:47: error: data.context is not used: no network or distribution of the model takes it in; remove it, or "
      "give the model a conditional part");
}

TEST_CASE("a model that couples rows sees a batch as one shard, and the resolved spec says so") {
  const Experiment<double> e = build(spec_text(flow("affine, couples_rows")));
  CHECK(e.settings.shard_rows == 32);  // 20 rows
  CHECK(e.spec.root.find("training")->find("shard_rows")->text == "32");
  CHECK(error_of(spec_text(flow("affine, couples_rows"), "{steps: 1, shard_rows: 16}")) ==
        "spec:3:34: error: training.shard_rows is 16, but model.bijectors[1].couples_rows couples the rows of a batch, "
        "so "
        "all 20 are one shard; remove it, or give at least as many");
}

TEST_CASE("groups") {
  const std::string model =
      "{base: {tiny: {location: learnable, scale: learnable}}, bijectors: [affine, {coupling: {transformer: affine, "
      "network: {mlp: {hidden: [4]}}}}]}";
  const auto grouped = [&](const std::string& groups) {
    return build(spec_text(model, "{steps: 1, optimizer: {adam: {learning_rate: 0.1}}, groups: [" + groups + "]}"));
  };
  const auto range_of = [](const Experiment<double>& e, const std::string& path) -> const ParameterRange* {
    for (const ParameterInfo& p : e.model.layout.parameters)
      if (p.path == path)
        for (const ParameterRange& range : e.ranges)
          if (range.begin <= p.handle.offset && p.handle.offset + p.handle.size() <= range.end) return &range;
    return nullptr;
  };
  const std::string weight = "model.bijectors[1].coupling.network.layers[0].weight",
                    bias = "model.bijectors[1].coupling.network.layers[0].bias";

  SECTION("a learning rate becomes a factor on the optimizer's") {
    const Experiment<double> e = grouped("{match: \"model.base.*\", learning_rate: 0.05}");
    CHECK(range_of(e, "model.base.location")->learning_rate_factor == Approx(0.5));
    CHECK(range_of(e, weight)->learning_rate_factor == 1);
    CHECK(e.ranges.size() == 2);
    CHECK(e.frozen.empty());
  }
  SECTION("roles select, and later groups prevail") {
    const Experiment<double> e = grouped(
        "{match: \"*\", roles: [weight], weight_decay: 0.5}, {match: \"*network*\", weight_decay: 0.25, learning_rate: "
        "0.2}");
    CHECK(range_of(e, weight)->weight_decay == 0.25);
    CHECK(range_of(e, weight)->learning_rate_factor == 2);
    CHECK(range_of(e, bias)->weight_decay == 0.25);
    CHECK(range_of(e, "model.base.location")->weight_decay == 0);
    const Experiment<double> weights = grouped("{match: \"*\", roles: [weight], weight_decay: 0.5}");
    CHECK(range_of(weights, weight)->weight_decay == 0.5);
    CHECK(range_of(weights, bias)->weight_decay == 0);
  }
  SECTION("an optimizer's own weight decay is that of all, and a group's stands in place of it") {
    const Experiment<double> e =
        build(spec_text(model,
                        "{steps: 1, optimizer: {adamw: {weight_decay: 0.125}}, groups: [{match: \"model.base.*\", "
                        "weight_decay: 0}, {match: \"*\", roles: [weight], learning_rate: 2e-3}]}"));
    CHECK(range_of(e, "model.base.location")->weight_decay == 0);
    CHECK(range_of(e, bias)->weight_decay == 0.125);
    CHECK(range_of(e, weight)->weight_decay == 0.125);
    CHECK(range_of(e, weight)->learning_rate_factor == 2);
  }
  SECTION("frozen parameters are in no range") {
    const Experiment<double> e = grouped("{match: \"model.base.*\", frozen: true}");
    CHECK(range_of(e, "model.base.location") == nullptr);
    CHECK(range_of(e, "model.base.scale") == nullptr);
    CHECK(range_of(e, weight) != nullptr);
    REQUIRE(e.frozen.size() == static_cast<std::size_t>(e.model.layout.parameter_size / kPadding));
    for (const ParameterInfo& p : e.model.layout.parameters)
      CHECK(e.frozen[static_cast<std::size_t>(p.handle.offset / kPadding)] ==
            (p.path.starts_with("model.base") ? 1 : 0));
  }
  SECTION("what matches nothing is an error") {
    const std::string names =
        "model.bijectors[1].coupling.network.layers[0].weight, model.bijectors[1].coupling.network.layers[0].bias, "
        "model.bijectors[1].coupling.network.layers[1].weight, model.bijectors[1].coupling.network.layers[1].bias, "
        "model.bijectors[0].elementwise.theta and 2 more";
    const auto message = [&](const std::string& groups) { return message_of([&] { grouped(groups); }); };
    CHECK(message("{match: \"model.bas.*\", frozen: true}") ==
          "spec:3:80: error: training.groups[0].match: no parameter is called 'model.bas.*'; they are " + names);
    CHECK(message("{match: \"model.base.location\", roles: [bias, weight], frozen: true}") ==
          "spec:3:110: error: training.groups[0].roles: none of the 1 parameters that match 'model.base.location' has "
          "the "
          "role bias, weight");
    CHECK(message("{match: \"*\", frozen: true}") ==
          "spec:3:71: error: training.groups: every parameter is frozen, so there is nothing to train");
  }
}

TEST_CASE("settings that do not fit the data are refused") {
  const std::string model = "{tiny: {location: learnable}}";
  CHECK(error_of(spec_text(model, "{steps: 1, batch_size: 21}")) ==
        "spec:3:34: error: training.batch_size is 21, but there are only 20 training rows; give a smaller number, or "
        "`all`");
  CHECK(error_of(spec_text(model, "{steps: 1, validate_every: 5}")) ==
        "spec:3:38: error: training.validate_every is given, but there are no validation rows; give "
        "data.split.validation a share");
}

TEST_CASE("validation rows are looked at as often as reports are made, unless the spec says otherwise") {
  const std::string model = "{tiny: {location: learnable}}";
  const std::string split = "{source: counting, split: {train: 0.5, validation: 0.5}}";
  const auto every = [&](const std::string& training, const std::string& data) {
    return build(spec_text(model, training, data)).settings.validate_every;
  };
  CHECK(every("{steps: 1}", split) == 200);
  CHECK(every("{steps: 1, report_every: 7}", split) == 7);
  CHECK(every("{steps: 1, report_every: 7, validate_every: 3}", split) == 3);
  CHECK(every("{steps: 1, validate_every: 0}", split) == 0);
  // With early stopping a tenth of the run without an improvement ends it.
  CHECK(every("{steps: 1000, early_stopping: {patience: 10}}", split) == 10);
  CHECK(every("{steps: 50, early_stopping: {patience: 10}}", split) == 1);
  CHECK(every("{steps: 100000, early_stopping: {patience: 10}}", split) == 200);
  CHECK(every("{steps: 1000, early_stopping: {patience: never}}", split) == 200);
  CHECK(every("{steps: 1}", "{source: counting}") == 0);
  CHECK(every("{steps: 1, validate_every: auto}", "{source: counting}") == 0);
}

TEST_CASE("early stopping has its defaults, and never stops if told so") {
  const auto stopping = [&](const std::string& fields) {
    return build(spec_text("{tiny: {location: learnable}}", "{steps: 1, early_stopping: " + fields + "}",
                           "{source: counting, split: {train: 0.5, validation: 0.5}}"))
        .settings.early_stopping;
  };
  REQUIRE(stopping("{}"));
  CHECK(stopping("{}")->patience == 10);
  CHECK(stopping("{}")->minimum_improvement == 0);
  CHECK(stopping("{patience: never, minimum_improvement: 0.5}")->patience == 0);
  CHECK(stopping("{patience: never, minimum_improvement: 0.5}")->minimum_improvement == 0.5);
  CHECK_FALSE(build(spec_text("{tiny: {location: learnable}}", "{steps: 1}")).settings.early_stopping);
}

TEST_CASE("a run is built again from its checkpoint's data state, without data") {
  const std::string text = spec_text(flow("affine"), "{steps: 1}", "{source: counting, preprocess: [standardize]}");
  const Experiment<double> trained = build(text);
  const auto state = trained.data->state();
  const Experiment<double> again = build_experiment<double>(tiny_registry(), resolve(text), false, &state);
  CHECK(again.data->splits().empty());
  CHECK(again.model.layout.parameter_size == trained.model.layout.parameter_size);
  CHECK(again.model.store.parameters == trained.model.store.parameters);
  CHECK(again.optimizer == nullptr);
}

TEST_CASE("the resolved spec names versions and checksums, and resolves to itself") {
  const ResolvedSpec spec = resolve(spec_text(flow("affine"), "{steps: 3, batch_size: all}"), {"seed=5"});
  const std::string text = spec.to_yaml(tiny_registry());
  const ResolvedSpec again = resolve_spec(tiny_registry(), parse_spec_text(text, "resolved"));
  CHECK(again.to_yaml(tiny_registry()) == text);
  CHECK(again.seed == 5);
  CHECK(again.float64);
  const SpecNode root = parse_spec_text(text, "resolved");
  const SpecNode& provenance = *root.find("provenance");
  CHECK(provenance.find("version")->text == PUSHFORWARD_VERSION);
  bool affine = false;
  for (const LoadedLibrary& library : tiny_registry().libraries())
    if (library.name == "affine") {
      CHECK(library.checksum.size() == 16);
      for (const SpecNode& line : provenance.find("plugins")->items)
        affine |= line.text == "affine " + library.version + " " + library.checksum;
    }
  CHECK(affine);
  // The experiments are the same, too.
  const auto parameters = [](const ResolvedSpec& s) {
    return build_experiment<double>(tiny_registry(), s, true).model.store.parameters;
  };
  CHECK(parameters(again) == parameters(spec));
}

TEST_CASE("folders of plugins count from the spec's folder") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("mine"));
  const std::string spec = folder.file("a.yaml");
  const SpecNode root = parse_spec_text("plugins: [mine, /]\n", spec);
  CHECK(plugin_folders(root) == std::vector<std::string>{folder.file("mine"), "/"});
  CHECK_THROWS_WITH(plugin_folders(parse_spec_text("plugins: [yours]\n", spec)),
                    spec + ":1:11: error: plugins[0] is 'yours', but there is no folder '" + folder.file("yours") +
                        "'; check the path");
  CHECK(plugin_folders(parse_spec_text("model: x\n", "a.yaml")).empty());
  // Overrides of the field are known before the folders are searched; other overrides are not looked at yet.
  CHECK(plugin_folders(root, {"plugins=[/]", "model.x.y=1"}) == std::vector<std::string>{"/"});
  CHECK(plugin_folders(root, {"plugins[0]=/tmp"}) == std::vector<std::string>{"/tmp", "/"});
  CHECK(plugin_folders(parse_spec_text("model: x\n", "a.yaml"), {"plugins=[/]"}) == std::vector<std::string>{"/"});
  CHECK_THROWS_WITH(plugin_folders(root, {"plugins=['']"}),
                    "--set plugins=['']: error: plugins[0] is empty; give a folder, or remove it");
}
