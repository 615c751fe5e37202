// Small components of the tests' own: one with a field of every type, and some that cannot do one thing each.
#pragma once

#include <new>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"
#include "pushforward/registry/experiment.h"
#include "support/temporary_folder.h"

namespace pushforward::test {

/// What the last factory of `every_type` read.
struct EveryTypeRead {
  bool boolean = false;
  Index integer = 0;
  double real = 0;
  std::string text, choice, path;
  std::vector<Index> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  bool optional_given = false;
};
inline EveryTypeRead& every_type_read() {
  static EveryTypeRead read;
  return read;
}

template <class T>
class Identity : public Bijector<T> {
 public:
  explicit Identity(Build<T>&) {}
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return {x, pass.tape.full(x.rows(), 1, T(0))}; }
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override { return forward(y, pass); }
};

template <class T>
class EveryType final : public Identity<T> {
 public:
  explicit EveryType(Build<T>& build) : Identity<T>(build) {
    every_type_read() = {build.boolean("boolean"),   build.integer("integer"), build.real("real"),
                         build.text("text"),         build.text("choice"),     build.file("path"),
                         build.integers("integers"), build.reals("reals"),     build.texts("texts"),
                         build.given("optional")};
  }
};
constexpr Field kEveryType[] = {
    boolean("boolean", "false", "a truth value"),
    integer("integer", "3", "a whole number").at_least(1).at_most(10),
    real("real", "0.5", "a number").above(0).below(1),
    text("text", "words", "anything"),
    choice("choice", "first", "first|second", "one of two"),
    path("path", "a/b.csv", "a file"),
    integers("integers", "[1, 2]", "whole numbers").at_least(0),
    reals("reals", "[0.5]", "numbers"),
    texts("texts", "[a, b]", "words"),
    real("optional", kOptional, "may be left out"),
    real("bound", ".inf", "may be infinite; nobody reads it"),
};

/// A distribution with parameters of every source, a state and a derived value.
template <class T>
class Tiny final : public Distribution<T> {
 public:
  explicit Tiny(Build<T>& build)
      : shape_(build.own_event_shape("shape")),
        location(build.value("location", shape_.size(), false)),
        scale(build.value("scale", shape_.size(), true)),
        id(build.id()) {}
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    const Var<T> z = (y - location(pass)) * exp(-scale.logarithm(pass));
    return row_sum(square(z)) * T(-0.5) - row_sum(scale.logarithm(pass));
  }
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    return {pass.normal(id, n, shape_.size()) * scale(pass) + location(pass), {}};
  }
  Shape event_shape() const override { return shape_; }
  DistributionTraits traits() const override {
    DistributionTraits t;
    t.needs_context = location.needs_context() || scale.needs_context();
    return t;
  }

 private:
  Shape shape_;

 public:
  FieldValue<T> location, scale;
  ComponentId id;
};
constexpr Field kTiny[] = {
    integers("shape", kOptional, "of an event"),
    value("location", "0.0", "where it is"),
    value("scale", "2.0", "how wide it is").above(0),
};

/// Random and given starts, states, derived values.
template <class T>
class Numbers final : public Identity<T> {
 public:
  explicit Numbers(Build<T>& build) : Identity<T>(build) {
    const Index d = build.event_size();
    build.parameter("weight", d, 3, Initial::normal(0.1), Role::weight);
    build.parameter("layers[1].bias", 1, 3, Initial::uniform(-1, 1), Role::bias);
    build.parameter("scale", 1, 2, Initial::values({1, 2}), Role::scale);
    build.derived("product", d, d);
    build.state("mean", {0.5, 0.25});
    build.integer_state("order", {2, 0, 1});
    build.statistic("sum", d);
  }
};

template <class T>
class NoInverse final : public Identity<T> {
 public:
  using Identity<T>::Identity;
  Traits traits() const override {
    Traits t;
    t.inverse = Cost::none;
    return t;
  }
};
template <class T>
class NoForward final : public Identity<T> {
 public:
  using Identity<T>::Identity;
  Traits traits() const override {
    Traits t;
    t.forward = Cost::none;
    return t;
  }
};
template <class T>
class NoLogDet final : public Identity<T> {
 public:
  using Identity<T>::Identity;
  Traits traits() const override {
    Traits t;
    t.log_det = LogDet::none;
    return t;
  }
};
template <class T>
class CouplesRows final : public Identity<T> {
 public:
  using Identity<T>::Identity;
  Traits traits() const override {
    Traits t;
    t.couples_rows = true;
    return t;
  }
};
template <class T>
class Positive final : public Identity<T> {
 public:
  using Identity<T>::Identity;
  Support domain() const override { return {0, INFINITY}; }
};

/// Columns a, b, label, w of `rows` rows; a = row, b = -2 row, label = row mod 3, w = 1 + row mod 2.
template <class T>
class Counting final : public Dataset<T> {
 public:
  explicit Counting(Build<T>& build) : rows_(build.integer("rows")), columns_(build.integer("columns")) {}
  Table load(std::uint64_t) const override {
    Table table;
    table.rows = rows_;
    table.names = {"a", "label", "b", "w"};
    table.names.resize(static_cast<std::size_t>(columns_));
    for (Index j = 0; j < columns_; ++j)
      for (Index i = 0; i < rows_; ++i) {
        const double row = static_cast<double>(i);
        const double values[] = {row, static_cast<double>(i % 3), -2 * row, 1.0 + static_cast<double>(i % 2)};
        table.values.push_back(values[j]);
      }
    return table;
  }

 private:
  Index rows_, columns_;
};
constexpr Field kCounting[] = {integer("rows", "20", "how many"), integer("columns", "4", "the first of them")};

/// An objective that draws from the model and compares with a target.
template <class T>
class ToTarget final : public Objective<T> {
 public:
  explicit ToTarget(Build<T>&) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    const Sampled<T> drawn = model.sample(batch.rows, pass);
    return model.log_prob(drawn.value, pass) - batch.target->log_density(drawn.value, pass.without_gradient());
  }
  ObjectiveNeeds needs() const override { return {false, false, true, true}; }
};

/// A factory that goes wrong in the way that its field says.
template <class T>
ComponentBase* go_wrong(Build<T>& build) {
  const std::string how = build.text("how");
  if (how == "fail") build.fail("how", "is fatal on purpose");
  if (how == "spec") throw SpecError("this cannot be");
  if (how == "shape") throw ShapeError("the shapes differ");
  if (how == "data") throw DataError("the file is empty");
  if (how == "logic") throw std::logic_error("a slip");
  if (how == "memory") throw std::bad_alloc();
  if (how == "number") throw 42;
  if (how == "nothing") return nullptr;
  if (how == "class") return new ToTarget<T>(build);
  if (how == "undeclared") build.integer("secret");
  if (how == "type") build.integer("how");
  if (how == "twice")
    for (int i = 0; i < 2; ++i) build.parameter("weight", 1, 1, Initial::constant(0), Role::weight);
  return new Identity<T>(build);
}
constexpr Field kGoWrong[] = {
    choice("how", "not", "not|fail|spec|shape|data|logic|memory|number|nothing|class|undeclared|type|twice", "how"),
};

constexpr Example kNoExamples[] = {{"default", "none"}};

constexpr ComponentInfo kTinyComponents[] = {
    describe<EveryType>("bijector", "every_type", "", kEveryType, kNoExamples),
    describe<Identity>("bijector", "nothing", "", nullptr, kNoExamples),
    describe<Numbers>("bijector", "numbers", "", nullptr, kNoExamples),
    describe<NoInverse>("bijector", "no_inverse", "", nullptr, kNoExamples),
    describe<NoForward>("bijector", "no_forward", "", nullptr, kNoExamples),
    describe<NoLogDet>("bijector", "no_log_det", "", nullptr, kNoExamples),
    describe<CouplesRows>("bijector", "couples_rows", "", nullptr, kNoExamples),
    describe<Positive>("bijector", "positive", "", nullptr, kNoExamples),
    describe<Tiny>("distribution", "tiny", "", kTiny, kNoExamples),
    describe<Counting>("dataset", "counting", "", kCounting, kNoExamples),
    describe<ToTarget>("objective", "to_target", "", nullptr, kNoExamples),
    {"bijector", "go_wrong", "", kGoWrong, 1, kNoExamples, 1, &go_wrong<float>, &go_wrong<double>, ""},
    {"bijector", "only_double", "", nullptr, 0, kNoExamples, 1, nullptr, &construct<double, Identity>, ""},
};

/// The plugins of this build and the components above.
inline const Registry& tiny_registry() {
  static const std::unique_ptr<Registry> registry = [] {
    auto made = std::make_unique<Registry>();
    made->add_folder(PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins");
    made->add_components(kTinyComponents, std::size(kTinyComponents));
    return made;
  }();
  return *registry;
}

/// The message of the SpecError (or other Error) that a call throws; empty if it throws none.
template <class F>
std::string message_of(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

}  // namespace pushforward::test
