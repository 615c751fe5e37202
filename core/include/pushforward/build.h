// Build: one node of the spec as a factory sees it. Fields are validated before any factory runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pushforward/bijector.h"
#include "pushforward/dataset.h"
#include "pushforward/distribution.h"
#include "pushforward/network.h"
#include "pushforward/objective.h"
#include "pushforward/optimizer.h"
#include "pushforward/procedure.h"
#include "pushforward/transformer.h"

namespace pushforward {

/// What a component learns from where it stands; a parent gives each child its own.
struct Surroundings {
  Shape event_shape;         // of the side that the component receives: data for bijectors in a flow
  Index context = 0;         // columns of the context, 0: unconditional
  Index repetition = 0;      // index within `repeat`
  NetworkShape network;      // for networks
};

/// Names of the kinds, by class template.
template <class C>
struct KindOf;
#define PUSHFORWARD_KIND(CLASS, NAME)         \
  template <class T>                          \
  struct KindOf<CLASS<T>> {                   \
    static constexpr const char* name = NAME; \
    using Real = T;                           \
  };
PUSHFORWARD_KIND(Bijector, "bijector")
PUSHFORWARD_KIND(Transformer, "transformer")
PUSHFORWARD_KIND(Network, "network")
PUSHFORWARD_KIND(Distribution, "distribution")
PUSHFORWARD_KIND(Target, "target")
PUSHFORWARD_KIND(Objective, "objective")
PUSHFORWARD_KIND(Optimizer, "optimizer")
PUSHFORWARD_KIND(Schedule, "schedule")
PUSHFORWARD_KIND(Dataset, "dataset")
PUSHFORWARD_KIND(Preprocess, "preprocess")
PUSHFORWARD_KIND(Tracker, "tracker")
PUSHFORWARD_KIND(Procedure, "procedure")
#undef PUSHFORWARD_KIND

/// A distribution's field: fixed numbers, a parameter, or a network of the context.
///
/// `positive` values are stored as logarithms where they are learned.
template <class T>
class PUSHFORWARD_EXPORT FieldValue {
 public:
  enum class Source : std::uint8_t { fixed, learnable, network };
  Source source = Source::fixed;
  Index columns = 0;
  bool positive = false;
  std::vector<T> fixed;  // of `columns` numbers
  Parameter parameter;   // 1 x columns
  std::unique_ptr<Network<T>> network;

  /// 1 x columns (fixed, learnable) or N x columns (network).
  Var<T> operator()(const Pass<T>& pass) const;
  /// The logarithm of a positive value, without a detour.
  Var<T> logarithm(const Pass<T>& pass) const;
  bool needs_context() const { return source == Source::network; }

 private:
  Var<T> raw(const Pass<T>& pass) const;
};

/// One node of the spec. A factory reads its fields, declares its numbers and asks for its children.
///
/// Every declared field must be read by the factory (the kit checks). Reading a field that the schema does not
/// declare, or as another type, throws std::logic_error: a programmer's error.
template <class T>
class PUSHFORWARD_EXPORT Build {
 public:
  virtual ~Build();

  // --- surroundings ------------------------------------------------------------------------------------------------
  virtual const Surroundings& surroundings() const = 0;
  const Shape& event_shape() const { return surroundings().event_shape; }
  Index event_size() const { return surroundings().event_shape.size(); }
  Index context_size() const { return surroundings().context; }
  Index repetition() const { return surroundings().repetition; }
  const NetworkShape& network_shape() const { return surroundings().network; }
  /// Place in the spec, for messages.
  virtual const std::string& path() const = 0;
  /// A number for keyed draws, unique in the model.
  virtual ComponentId id() = 0;

  // --- fields ------------------------------------------------------------------------------------------------------
  /// False if the field was left out and has no default.
  virtual bool given(const char* field) = 0;
  virtual bool boolean(const char* field) = 0;
  virtual Index integer(const char* field) = 0;
  virtual double real(const char* field) = 0;
  /// Also for `choice`.
  virtual std::string text(const char* field) = 0;
  /// An absolute path.
  virtual std::string file(const char* field) = 0;
  virtual std::vector<Index> integers(const char* field) = 0;
  virtual std::vector<double> reals(const char* field) = 0;
  virtual std::vector<std::string> texts(const char* field) = 0;
  virtual FieldValue<T> value(const char* field, Index columns, bool positive) = 0;

  // --- numbers -----------------------------------------------------------------------------------------------------
  /// Declares `rows x columns` trainable numbers under `name` (may hold dots and brackets: `layers[0].weight`).
  virtual Parameter parameter(const std::string& name, Index rows, Index columns, const Initial& initial,
                              Role role) = 0;
  virtual Parameter derived(const std::string& name, Index rows, Index columns) = 0;
  virtual State state(const std::string& name, const std::vector<double>& start) = 0;
  virtual State integer_state(const std::string& name, const std::vector<std::int64_t>& start) = 0;
  virtual Statistic statistic(const std::string& name, Index columns) = 0;

  // --- children ----------------------------------------------------------------------------------------------------
  /// Children of a list field; 1 for a single one that is given.
  virtual Index count(const char* field) = 0;
  /// Builds child `index` of a field. May be called several times: every call builds a new object with numbers of
  /// its own, under `name` if that is not empty (`layers[3]`).
  template <class C>
  std::unique_ptr<C> child(const char* field, const Surroundings& surroundings, Index index = 0,
                           const std::string& name = {}) {
    std::unique_ptr<ComponentBase> made = make_child(field, index, KindOf<C>::name, surroundings, name);
    C* typed = dynamic_cast<C*>(made.get());
    if (!typed) wrong_class(field, KindOf<C>::name);
    made.release();
    return std::unique_ptr<C>(typed);
  }
  std::unique_ptr<Network<T>> network(const char* field, const NetworkShape& shape) {
    Surroundings s = surroundings();
    s.network = shape;
    return child<Network<T>>(field, s);
  }
  std::unique_ptr<Transformer<T>> transformer(const char* field) { return child<Transformer<T>>(field, surroundings()); }
  std::unique_ptr<Bijector<T>> bijector(const char* field, const Shape& shape, Index index = 0) {
    return child<Bijector<T>>(field, with_shape(shape), index);
  }
  std::unique_ptr<Distribution<T>> distribution(const char* field, const Shape& shape, Index index = 0) {
    return child<Distribution<T>>(field, with_shape(shape), index);
  }
  /// Builds the list field as bijectors, from base to data; `data_shape` is the event shape of the data side (the
  /// chain is built from its last bijector to its first). One of one or more. With a `name` such as `layers[3]` their
  /// numbers stand under `layers[3].FIELD[i]`.
  std::unique_ptr<Bijector<T>> chain(const char* field, const Surroundings& surroundings, const std::string& name = {});

  /// Whether an optional field was given that only the choice `selector: value` reads. Given with another choice it
  /// would go unread: an error.
  bool given_for(const char* field, const char* selector, const char* value);

  /// The event shape of a distribution: that of its optional field (of type `integers`) or, left out, of its
  /// surroundings. Fails if neither is known, or both are and differ.
  Shape own_event_shape(const char* field);

  /// An error about a field that only the factory can find: thrown with the place and position in the spec.
  [[noreturn]] virtual void fail(const char* field, const std::string& message) const = 0;

 protected:
  virtual std::unique_ptr<ComponentBase> make_child(const char* field, Index index, const char* kind,
                                                    const Surroundings& surroundings, const std::string& name) = 0;
  [[noreturn]] void wrong_class(const char* field, const char* kind) const;

 private:
  Surroundings with_shape(const Shape& shape) const {
    Surroundings s = surroundings();
    s.event_shape = shape;
    return s;
  }
};

extern template class FieldValue<float>;
extern template class FieldValue<double>;
extern template class Build<float>;
extern template class Build<double>;

}  // namespace pushforward
