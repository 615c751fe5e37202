#include "pushforward/elementwise_distribution.h"

#include <algorithm>
#include <limits>

namespace pushforward {

template <class T>
ElementwiseDistribution<T>::ElementwiseDistribution(Build<T>& build, const char* name)
    : shape_(build.own_event_shape("shape")), id_(build.id()), name_(name) {}

template <class T>
ElementwiseDistribution<T>::~ElementwiseDistribution() = default;

template <class T>
FieldValue<T> ElementwiseDistribution<T>::field(Build<T>& build, const char* name, bool positive) {
  FieldValue<T> value = build.value(name, size(), positive);
  needs_context_ |= value.needs_context();
  return value;
}

template <class T>
std::vector<T> ElementwiseDistribution<T>::numbers(Build<T>& build, const char* name, const char* reason) const {
  FieldValue<T> value = build.value(name, size(), false);
  if (value.source != FieldValue<T>::Source::fixed)
    build.fail(name, std::string("must be a number or a list of numbers: ") + reason);
  return std::move(value.fixed);
}

template <class T>
Var<T> ElementwiseDistribution<T>::log_prob(Var<T> y, const Pass<T>& pass) const {
  require_columns(name_, y.columns(), size());
  return on_support(y, intervals(), stand_in(pass),
                    [&](Var<T> inside) { return row_sum(element_log_prob(inside, pass)); });
}

template <class T>
Intervals<T> ElementwiseDistribution<T>::intervals() const {
  static constexpr T kLower = -std::numeric_limits<T>::infinity(), kUpper = std::numeric_limits<T>::infinity();
  return {{&kLower, 1}, {&kUpper, 1}};
}

template <class T>
Support ElementwiseDistribution<T>::support() const {
  const Intervals<T> all = intervals();
  return {static_cast<double>(*std::min_element(all.lower.begin(), all.lower.end())),
          static_cast<double>(*std::max_element(all.upper.begin(), all.upper.end()))};
}

template <class T>
DistributionTraits ElementwiseDistribution<T>::traits() const {
  DistributionTraits t;
  t.needs_context = needs_context_;
  return t;
}

template <class T>
LocationScaleDistribution<T>::LocationScaleDistribution(Build<T>& build, const char* name, const char* location)
    : ElementwiseDistribution<T>(build, name),
      location_(this->field(build, location, false)),
      scale_(this->field(build, "scale", true)) {}

template <class T>
LocationScaleDistribution<T>::~LocationScaleDistribution() = default;

template <class T>
Var<T> LocationScaleDistribution<T>::log_prob(Var<T> y, const Pass<T>& pass) const {
  require_columns(this->name(), y.columns(), this->size());
  const Var<T> log_scale = scale_.logarithm(pass);
  const Var<T> z = (y - location_(pass)) * exp(-log_scale);
  return row_sum(standard_log_density(z, pass)) - row_sum(log_scale);
}

template <class T>
Sampled<T> LocationScaleDistribution<T>::sample(Index n, const Pass<T>& pass) const {
  const Var<T> z = standard_draw(n, pass);
  const Var<T> log_scale = scale_.logarithm(pass);
  return {z * exp(log_scale) + location_(pass), row_sum(standard_log_density(z, pass)) - row_sum(log_scale)};
}

template <class T>
Moments<T> LocationScaleDistribution<T>::moments(const Pass<T>& pass) const {
  const Moments<T> standard = standard_moments(pass);
  if (!standard.mean) return {};
  const Var<T> scale = scale_(pass);
  return {location_(pass) + scale * standard.mean, square(scale) * standard.variance};
}

template <class T>
Var<T> LocationScaleDistribution<T>::element_log_prob(Var<T> y, const Pass<T>& pass) const {
  const Var<T> log_scale = scale_.logarithm(pass);
  return standard_log_density((y - location_(pass)) * exp(-log_scale), pass) - log_scale;
}

template <class T>
Var<T> LocationScaleDistribution<T>::draw(Index n, const Pass<T>& pass) const {
  return sample(n, pass).value;
}

template class ElementwiseDistribution<float>;
template class ElementwiseDistribution<double>;
template class LocationScaleDistribution<float>;
template class LocationScaleDistribution<double>;

}  // namespace pushforward
