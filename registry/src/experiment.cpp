#include "pushforward/registry/experiment.h"

#include "assembler.h"
#include "composition.h"
#include "context_embedding.h"
#include "groups.h"
#include "problem_text.h"
#include "scalars.h"
#include "schema_text.h"
#include "training_settings.h"

namespace pushforward {

namespace {

/// The event shape that a distribution states itself, as a field `shape`, or that of its parts: without data, nothing
/// else says it. None if none of them does.
std::optional<Shape> declared_shape(const Registry& registry, const std::string& kind, const SpecNode& resolved) {
  const SpecNode::Entry& entry = resolved.entries.front();
  const RegisteredComponent* found = find_component(registry, kind, entry.key);
  if (!found) return std::nullopt;
  for (const Slot& slot : slots_of(*found->info)) {
    const SpecNode* node = entry.value.find(slot.field.name);
    if (!node) continue;
    if (std::string_view(slot.field.name) == "shape" && slot.field.type == FieldType::integers) {
      std::vector<Index> extents;
      for (const SpecNode& item : node->items) extents.push_back(*parse_integer(item.text));
      return Shape(extents);
    }
    if (!slot.field.kind || std::string_view(slot.field.kind) != "distribution") continue;
    const std::vector<SpecNode> single{*node};
    for (const SpecNode& part : node->is_list() ? node->items : single)
      if (const std::optional<Shape> shape = declared_shape(registry, "distribution", part)) return shape;
  }
  return std::nullopt;
}

template <class T>
class Builder {
 public:
  Builder(const Registry& registry, const ResolvedSpec& spec)
      : registry_(registry), assembler_(registry, spec.seed), training_(*spec.root.find("training")) {
    experiment_.spec = spec;
  }

  void load_data(bool for_training, const typename DataPipeline<T>::State* restored) {
    if (!experiment_.spec.root.find("data")) return;
    experiment_.data = std::make_unique<DataPipeline<T>>(registry_, experiment_.spec);
    if (for_training)
      experiment_.data->load(restored);
    else if (restored)
      experiment_.data->restore(*restored);
    else
      throw std::logic_error("a spec with `data:` needs the state of its pipeline, unless it is built for training");
    context_ = experiment_.data->context_size();
  }

  void build_model() {
    Model<T>& model = experiment_.model;
    const SpecNode& root = experiment_.spec.root;
    Surroundings around;
    around.event_shape = event_shape();
    around.context = context_;
    model.context = context_;
    model.distribution = embedded(*root.find("model"), around);
    model.objective_parameters = assembler_.layout().parameter_size;
    around.event_shape = model.distribution->event_shape();
    model.objective = assembler_.template build_as<Objective<T>>("objective", *training_.find("objective"), around,
                                                                 "training.objective");
    never_trained_ = assembler_.layout().parameter_size;
    if (const SpecNode* target = root.find("target")) {
      around.context = 0;
      model.target = assembler_.template build_as<Target<T>>("target", *target, around, "target");
    }
    model.components = assembler_.components();
    Problems problems;
    check_composition<T>({assembler_, model, root, context_, context_is_used_}, problems);
    problems.raise();
    model.layout = assembler_.layout();
    model.store = std::move(assembler_.store());
  }

  void build_training() {
    const Split<T>* train = experiment_.data ? experiment_.data->split("train") : nullptr;
    const Index rows = train ? train->rows() : 0;
    const bool validates = experiment_.data && experiment_.data->split("validation");
    experiment_.settings = training_settings(training_, rows, validates);
    if (experiment_.settings.validate_every > 0 && !validates)
      throw SpecError(problem_text(training_.find("validate_every")->position,
                                   "training.validate_every is given, but there are no validation rows; give "
                                   "data.split.validation a share"));
    one_shard_if_rows_are_coupled(rows);
    // Components of the training are no part of the model: they have ids of their own, and are not asked to prepare.
    Assembler<T> assembler(registry_, experiment_.spec.seed);
    const auto build = [&]<class C>(std::unique_ptr<C>& made, const char* field) {
      if (const SpecNode* node = training_.find(field))
        made = assembler.template build_as<C>(field, *node, {}, std::string("training.") + field);
    };
    build(experiment_.procedure, "procedure");
    build(experiment_.optimizer, "optimizer");
    build(experiment_.schedule, "schedule");
    if (experiment_.schedule) check_schedule(*experiment_.schedule, validates);
    const std::vector<SpecNode>& trackers = training_.find("trackers")->items;
    for (std::size_t i = 0; i < trackers.size(); ++i)
      experiment_.trackers.push_back(assembler.template build_as<Tracker<T>>(
          "tracker", trackers[i], {}, "training.trackers[" + std::to_string(i) + "]", true));
    GroupedParameters grouped =
        group_parameters(*training_.find("groups"), experiment_.model.layout, never_trained_, [&](Index element) {
          const Optimizer<T>& own = optimizer_of(element);
          return OptimizerDefaults{own.learning_rate(), own.weight_decay()};
        });
    experiment_.ranges = std::move(grouped.ranges);
    experiment_.frozen = std::move(grouped.frozen);
    if (never_trained_ > 0 && experiment_.ranges.empty())
      throw SpecError(problem_text(training_.find("groups")->position,
                                   "training.groups: every parameter is frozen, so there is nothing to train"));
  }

  Experiment<T> take() { return std::move(experiment_); }

 private:
  /// A schedule that does not fit the number of steps says so at the first of them; one that goes by the validation
  /// loss needs one.
  void check_schedule(const Schedule<T>& schedule, bool validates) const {
    if (schedule.watches_validation() && experiment_.settings.validate_every == 0)
      throw SpecError(problem_text(
          training_.find("schedule")->position,
          "training.schedule goes by the validation loss, but " +
              std::string(validates ? "training.validate_every is 0, never; remove it, or give a number of steps"
                                    : "there are no validation rows; give data.split.validation a share")));
    try {
      schedule.factor(0, experiment_.settings.steps, {});
    } catch (const SpecError& error) {
      throw SpecError(problem_text(training_.find("schedule")->position, error.what()));
    }
  }
  /// Of the data; without them of the model's own declaration, or of the target's.
  Shape event_shape() const {
    if (experiment_.data) return Shape{experiment_.data->event_size()};
    const SpecNode& root = experiment_.spec.root;
    const SpecNode& model = *root.find("model");
    if (const std::optional<Shape> shape = declared_shape(registry_, "distribution", model)) return *shape;
    if (const SpecNode* target = root.find("target")) {
      Assembler<T> trial(registry_, experiment_.spec.seed);
      return trial.template build_as<Target<T>>("target", *target, {}, "target")->event_shape();
    }
    throw SpecError(problem_text(model.position,
                                 "model: without data nothing says how many elements an event has; give the base a "
                                 "`shape`, such as {normal: {shape: [2]}}"));
  }

  /// The model, behind the network of `model.context` if there is one.
  std::unique_ptr<Distribution<T>> embedded(const SpecNode& node, Surroundings around) {
    const SpecNode* section = node.find("context");
    if (!section || node.entries.size() == 1) {
      auto model = assembler_.template build_as<Distribution<T>>("distribution", node, around, "model");
      context_is_used_ = assembler_.uses_context() || model->traits().needs_context;
      return model;
    }
    if (context_ == 0)
      throw SpecError(problem_text(section->position,
                                   "model.context: there is no context to embed; give data.context, or remove this"));
    Surroundings network_around = around;
    network_around.network.context = context_;
    network_around.network.outputs = around.context = *parse_integer(section->find("features")->text);
    auto model = assembler_.template build_as<Distribution<T>>("distribution", node, around, "model");
    context_is_used_ = assembler_.uses_context() || model->traits().needs_context;
    auto network = assembler_.template build_as<Network<T>>("network", *section->find("network"), network_around,
                                                            "model.context.network");
    return std::make_unique<ContextEmbedding<T>>(std::move(model), std::move(network));
  }

  /// Who moves an element of the parameter vector: the objective's own may have an optimizer of their own.
  const Optimizer<T>& optimizer_of(Index element) const {
    const Model<T>& model = experiment_.model;
    if (element >= model.border())
      for (const PhaseInfo<T>& phase : model.objective->phases())
        if (phase.trains == PhaseInfo<T>::Trains::objective && phase.optimizer) return *phase.optimizer;
    return *experiment_.optimizer;
  }

  void one_shard_if_rows_are_coupled(Index rows) {
    if (!experiment_.model.distribution->traits().couples_rows) return;
    std::string culprit = "the model";
    for (const Component<T>* component : experiment_.model.components) {
      const auto* map = dynamic_cast<const Bijector<T>*>(component);
      const auto* distribution = dynamic_cast<const Distribution<T>*>(component);
      if ((map && map->traits().couples_rows) || (distribution && distribution->traits().couples_rows)) {
        culprit = component->path();
        break;
      }
    }
    use_one_shard(experiment_.settings, *experiment_.spec.root.find("training"), rows, culprit);
  }

  const Registry& registry_;
  Experiment<T> experiment_;
  Assembler<T> assembler_;
  SpecNode training_;
  Index context_ = 0;
  Index never_trained_ = 0;
  bool context_is_used_ = false;
};

}  // namespace

template <class T>
Experiment<T> build_experiment(const Registry& registry, const ResolvedSpec& spec, bool for_training,
                               const typename DataPipeline<T>::State* restored) {
  if (spec.float64 != (sizeof(T) == sizeof(double)))
    throw std::logic_error("the spec's precision is not that of the experiment");
  Builder<T> builder(registry, spec);
  builder.load_data(for_training, restored);
  builder.build_model();
  if (for_training) builder.build_training();
  return builder.take();
}

template <class T>
EngineSettings engine_settings(const Experiment<T>& experiment, int threads) {
  return {.seed = experiment.spec.seed,
          .lanes = experiment.settings.lanes,
          .shard_rows = experiment.settings.shard_rows,
          .threads = threads};
}

template <class T>
Training<T> make_training(const Experiment<T>& experiment, Engine<T>& engine) {
  const auto rows_of = [&](const char* name) {
    const Split<T>* split = experiment.data ? experiment.data->split(name) : nullptr;
    return split ? split->view() : Rows<T>{};
  };
  const TrainingSettings& settings = experiment.settings;
  Training<T> training;
  training.engine = &engine;
  training.train = rows_of("train");
  training.validation = rows_of("validation");
  training.optimizer = experiment.optimizer.get();
  training.schedule = experiment.schedule.get();
  training.ranges = experiment.ranges;
  training.frozen = experiment.frozen;
  training.steps = settings.steps;
  training.batch_size = settings.batch_size;
  training.clip_norm = settings.clip_norm;
  training.report_every = settings.report_every;
  training.validate_every = settings.validate_every;
  training.checkpoint_every = settings.checkpoint_every;
  training.early_stopping = settings.early_stopping;
  training.ema_decay = settings.ema_decay;
  training.seed = experiment.spec.seed;
  return training;
}

#define PUSHFORWARD_EXPERIMENT(T)                                                        \
  template Experiment<T> build_experiment<T>(const Registry&, const ResolvedSpec&, bool, \
                                             const DataPipeline<T>::State*);             \
  template EngineSettings engine_settings<T>(const Experiment<T>&, int);                 \
  template Training<T> make_training<T>(const Experiment<T>&, Engine<T>&);
PUSHFORWARD_EXPERIMENT(float)
PUSHFORWARD_EXPERIMENT(double)
#undef PUSHFORWARD_EXPERIMENT

}  // namespace pushforward
