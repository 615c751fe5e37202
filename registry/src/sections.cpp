#include "pushforward/registry/sections.h"

namespace pushforward {

namespace {

constexpr Slot section(const char* name, const char* fallback, const char* doc, const Section& fields) {
  return {.field = text(name, fallback, doc), .section = &fields};
}
constexpr Slot number_or(const char* word, const Field& field) { return {.field = field, .word = word}; }
constexpr Field texts_of(const char* name, const char* fallback, const char* choices, const char* doc) {
  Field f = texts(name, fallback, doc);
  f.choices = choices;
  return f;
}

// --- data
// ----------------------------------------------------------------------------------------------------------------

constexpr Slot kSplitSlots[] = {
    {real("train", kRequired, "share of the rows that the model is fitted to").above(0).at_most(1)},
    {real("validation", "0.0", "share that is held out to watch the fit").at_least(0).below(1)},
    {real("test", "0.0", "share that is held out for the final evaluation").at_least(0).below(1)},
    {boolean("shuffle", "true", "rows are dealt out at random, by the seed; otherwise in the order of the source")},
};
constexpr Section kSplit{"data.split", "How the rows are divided; the shares add up to 1", kSplitSlots};

constexpr Slot kDataContextSlots[] = {
    {texts("columns", kOptional, "columns that the model is conditioned on, as they are")},
    {text("labels", kOptional, "a column of class numbers 0, 1, ..., which become one column for each class")},
    {integer("classes", kOptional, "how many classes there are; goes with labels").at_least(2)},
};
constexpr Section kDataContext{"data.context", "What a conditional model is conditioned on: columns, or labels",
                               kDataContextSlots};

constexpr Slot kDataSlots[] = {
    {component("source", "dataset", kRequired, "where the rows come from")},
    {components("preprocess", "preprocess", "[]", "fixed maps, fitted to the training rows, in this order")},
    section("split", "{train: 1.0}", "how the rows are divided", kSplit),
    section("context", kOptional, "what a conditional model is conditioned on", kDataContext),
    {text("weights", kOptional, "a column of weights, one for each row")},
};
constexpr Section kData{"data", "Rows, and what is done to them before the model sees them", kDataSlots};

// --- model
// ---------------------------------------------------------------------------------------------------------------

constexpr Slot kModelContextSlots[] = {
    {component("network", "network", "mlp", "maps the context to what the model is conditioned on")},
    {integer("features", "8", "columns that the network makes").at_least(1)},
};
constexpr Section kModelContext{"model.context", "A network that every row's context goes through first",
                                kModelContextSlots};
constexpr Slot kModelContextSlot =
    section("context", kOptional, "a network that the context goes through first", kModelContext);

// --- training
// ------------------------------------------------------------------------------------------------------------

constexpr Slot kGroupSlots[] = {
    {text("match", kRequired, "places of parameters; * stands for any characters: model.base.*")},
    {texts_of("roles", kOptional, "weight|bias|scale|other", "only parameters with one of these roles")},
    {real("learning_rate", kOptional, "in place of the optimizer's").above(0)},
    {real("weight_decay", kOptional, "how strongly the parameters are pulled to zero").at_least(0)},
    {boolean("frozen", "false", "the parameters keep their values")},
};
constexpr Section kGroup{"training.groups", "Settings of some of the parameters; later groups prevail", kGroupSlots};

constexpr Slot kEmaSlots[] = {
    {real("decay", "0.999", "how much of the average is kept in a step").above(0).below(1)},
};
constexpr Section kEma{"training.averaging.ema", "An exponential moving average", kEmaSlots};
constexpr Slot kAveragingSlots[] = {section("ema", kRequired, "an exponential moving average", kEma)};
constexpr Section kAveraging{"training.averaging", "Averages of the parameters over the steps, kept beside them",
                             kAveragingSlots};

constexpr Slot kEarlyStoppingSlots[] = {
    number_or("never", integer("patience", "10",
                               "ends the training after so many looks at the validation rows in a row without an "
                               "improvement; `never` keeps the best parameters and makes every step")
                           .at_least(1)),
    {real("minimum_improvement", "0.0", "a look is an improvement if its loss is lower by more than this, in nats")
         .at_least(0)},
};
constexpr Section kEarlyStopping{"training.early_stopping",
                                 "Keeps the parameters with the lowest validation loss as the run's result, and ends "
                                 "the training when the loss improves no more",
                                 kEarlyStoppingSlots};

constexpr Slot kTrainingSlots[] = {
    {component("procedure", "procedure", "gradient", "who owns the training loop")},
    {component("objective", "objective", "maximum_likelihood", "what is minimised")},
    {integer("steps", kOptional, "how many steps are made; or give epochs").at_least(1)},
    {integer("epochs", kOptional, "how many times every training row is seen; or give steps").at_least(1)},
    number_or("all", integer("batch_size", "all", "rows of one step").at_least(1)),
    {integer("lanes", "8", "parts of a batch that add up on their own; a power of two").at_least(1).at_most(1024)},
    number_or("auto", integer("shard_rows", "auto", "rows that are computed at once; a multiple of 16").at_least(16)),
    {component("optimizer", "optimizer", "adam", "how the parameters move")},
    {component("schedule", "schedule", kOptional, "a factor on the learning rate that depends on the step")},
    {real("clip", kOptional, "gradients longer than this are shortened to it (Euclidean norm)").above(0)},
    {.field = text("groups", "[]", "settings of some of the parameters"), .each = &kGroup},
    section("averaging", kOptional, "averages of the parameters", kAveraging),
    section("early_stopping", kOptional, "the parameters with the lowest validation loss are the result",
            kEarlyStopping),
    {components("trackers", "tracker", "[]", "who receives the numbers of the run")},
    {integer("report_every", "200", "steps between two reports").at_least(1)},
    number_or("auto", integer("validate_every", "auto",
                              "steps between two looks at the validation rows; 0: never; auto: as often as reports, "
                              "and with early stopping so often that a tenth of the run exhausts its patience")
                          .at_least(0)),
    number_or("auto", integer("checkpoint_every", "auto",
                              "steps between two checkpoints; 0: only at the end; auto: whenever a minute has passed")
                          .at_least(0)),
};
constexpr Section kTraining{"training", "How the model is fitted", kTrainingSlots};

// --- spec
// ----------------------------------------------------------------------------------------------------------------

constexpr Slot kProvenanceSlots[] = {
    {text("version", kRequired, "the toolkit that resolved the spec")},
    {texts("plugins", "[]", "name, version and checksum of each plugin that it uses")},
};
constexpr Section kProvenance{"provenance", "Written into resolved specs; what made a run", kProvenanceSlots};

constexpr Slot kSpecSlots[] = {
    {integer("seed", "0", "all random numbers of a run follow from it").at_least(0)},
    {choice("precision", "float32", "float32|float64", "of the model's numbers")},
    {texts("plugins", "[]", "more folders of plugins; relative ones count from the spec's folder")},
    section("data", kOptional, "rows, and what is done to them", kData),
    {.field = component("model", "distribution", kRequired, "the distribution that is fitted"),
     .beside = &kModelContextSlot},
    {component("target", "target", kOptional, "an unnormalised density, for objectives that need one; neither comes with the toolkit yet")},
    section("training", kRequired, "how the model is fitted", kTraining),
    section("provenance", kOptional, "written by the toolkit", kProvenance),
};
constexpr Section kSpec{"the spec", "An experiment: data, model and training", kSpecSlots};

}  // namespace

const Section& spec_section() { return kSpec; }

}  // namespace pushforward
