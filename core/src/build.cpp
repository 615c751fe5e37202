#include "pushforward/build.h"

#include "pushforward/chain.h"
#include "pushforward/operations.h"

namespace pushforward {

template <class T>
Var<T> FieldValue<T>::raw(const Pass<T>& pass) const {
  switch (source) {
    case Source::fixed:
      return pass.tape.constant(compact(fixed.data(), 1, columns));
    case Source::learnable:
      return pass(parameter);
    case Source::network:
      return (*network)(Var<T>(), pass);
  }
  throw std::logic_error("a field's value has no source");
}

template <class T>
Var<T> FieldValue<T>::operator()(const Pass<T>& pass) const {
  const Var<T> v = raw(pass);
  return positive && source != Source::fixed ? exp(v) : v;
}

template <class T>
Var<T> FieldValue<T>::logarithm(const Pass<T>& pass) const {
  const Var<T> v = raw(pass);
  return source == Source::fixed ? log(v) : v;
}

template <class T>
Build<T>::~Build() = default;

template <class T>
std::unique_ptr<Bijector<T>> Build<T>::chain(const char* field, const Surroundings& around, const std::string& name) {
  const Index parts = count(field);
  std::vector<std::unique_ptr<Bijector<T>>> built(static_cast<std::size_t>(parts));
  // From the data to the base: what a bijector receives is what the next one (in this order) must take.
  Surroundings here = around;
  for (Index i = parts; i-- > 0;) {
    auto& part = built[static_cast<std::size_t>(i)];
    const std::string place = name.empty() ? name : name + "." + field + "[" + std::to_string(i) + "]";
    part = child<Bijector<T>>(field, here, i, place);
    here.event_shape = part->inverse_event_shape(here.event_shape);
  }
  if (parts == 1) return std::move(built.front());
  return std::make_unique<Chain<T>>(std::move(built));
}

template <class T>
bool Build<T>::given_for(const char* field, const char* selector, const char* value) {
  if (!given(field)) return false;
  const std::string chosen = text(selector);
  if (chosen != value)
    fail(field, std::string("belongs to ") + selector + ": " + value + ", but " + selector + " is " + chosen +
                    "; leave it out");
  return true;
}

template <class T>
Shape Build<T>::own_event_shape(const char* field) {
  const Shape& around = event_shape();
  if (!given(field)) {
    if (around.rank() == 0) fail(field, "is needed here: nothing around says what shape an event has");
    return around;
  }
  const Shape own(integers(field));
  for (const Index extent : own.extents())
    if (extent < 1) fail(field, own.to_string() + " must hold numbers above 0");
  if (around.rank() > 0 && !(around == own))
    fail(field,
         own.to_string() + " is not the shape of the events here, " + around.to_string() + "; it may be left out");
  return own;
}

template <class T>
void Build<T>::wrong_class(const char* field, const char* kind) const {
  throw PluginError(path() + "." + field + ": the plugin's factory made no " + kind +
                    " of this precision; it must derive from the class that the kind stands for");
}

template class FieldValue<float>;
template class FieldValue<double>;
template class Build<float>;
template class Build<double>;

}  // namespace pushforward
