#include "pushforward/chain.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pushforward/operations.h"
#include "pushforward/support.h"

namespace pushforward {

namespace {

template <class T>
Var<T> sum_of(Var<T> total, Var<T> log_det) {
  return total ? add(total, log_det) : log_det;
}

/// A declared range together with another one; 0 declares nothing.
double narrower(double a, double b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

/// What is known of several maps together: as good as the worst of them.
LogDet worse(LogDet a, LogDet b) { return std::max(a, b); }

/// Somewhere inside of an interval.
double inner_point(const Support& s) {
  if (std::isfinite(s.lower)) return std::isfinite(s.upper) ? s.lower + 0.5 * (s.upper - s.lower) : s.lower + 1;
  return std::isfinite(s.upper) ? s.upper - 1 : 0;
}

/// The inverse where there is one. A row that the map cannot have produced gets the log_det minus infinity: its density
/// is zero, whatever the other parts and the base say of the point that stands in for it.
template <class T>
Mapped<T> inverse_on_image(const Bijector<T>& map, Var<T> y, const Pass<T>& pass) {
  const Support image = map.codomain();
  const T lower = static_cast<T>(image.lower), upper = static_cast<T>(image.upper);
  const Var<T> inside = elements_inside(y, Intervals<T>{{&lower, 1}, {&upper, 1}});
  if (!inside) return map.inverse(y, pass);
  const Mapped<T> m = map.inverse(select(inside, y, y.tape().constant(static_cast<T>(inner_point(image)))), pass);
  return {m.value, where_inside(inside, m.log_det)};
}

}  // namespace

template <class T>
Mapped<T> Chain<T>::forward(Var<T> x, const Pass<T>& pass) const {
  Mapped<T> all{x, {}};
  for (const auto& part : parts_) {
    const Mapped<T> m = part->forward(all.value, pass);
    all = {m.value, sum_of(all.log_det, m.log_det)};
    pass.check_finite(*part, m.value);
    pass.check_finite(*part, m.log_det);
  }
  if (!all.log_det) all.log_det = x.tape().full(x.rows(), 1, T(0));
  return all;
}

template <class T>
Mapped<T> Chain<T>::inverse(Var<T> y, const Pass<T>& pass) const {
  Mapped<T> all{y, {}};
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    // What lies outside of the last part's image is the caller's to judge; of the others', nobody else sees it.
    const Mapped<T> m =
        part == parts_.rbegin() ? (*part)->inverse(all.value, pass) : inverse_on_image(**part, all.value, pass);
    all = {m.value, sum_of(all.log_det, m.log_det)};
    pass.check_finite(**part, m.value);
    pass.check_finite(**part, m.log_det);
  }
  if (!all.log_det) all.log_det = y.tape().full(y.rows(), 1, T(0));
  return all;
}

template <class T>
Shape Chain<T>::forward_event_shape(const Shape& base) const {
  Shape shape = base;
  for (const auto& part : parts_) shape = part->forward_event_shape(shape);
  return shape;
}
template <class T>
Shape Chain<T>::inverse_event_shape(const Shape& data) const {
  Shape shape = data;
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) shape = (*part)->inverse_event_shape(shape);
  return shape;
}
template <class T>
Support Chain<T>::domain() const {
  return parts_.empty() ? Support{} : parts_.front()->domain();
}
template <class T>
Support Chain<T>::codomain() const {
  return parts_.empty() ? Support{} : parts_.back()->codomain();
}

template <class T>
Traits Chain<T>::traits() const {
  Traits all;
  all.elementwise = all.triangular = all.permutation = all.constant_log_det = all.increasing = true;
  for (const auto& part : parts_) {
    const Traits t = part->traits();
    all.forward = std::max(all.forward, t.forward);
    all.inverse = std::max(all.inverse, t.inverse);
    all.log_det = worse(all.log_det, t.log_det);
    all.tolerance = std::max(all.tolerance, t.tolerance);
    all.elementwise &= t.elementwise;
    all.triangular &= t.triangular;
    all.permutation &= t.permutation;
    all.constant_log_det &= t.constant_log_det;
    all.increasing &= t.increasing;
    all.couples_rows |= t.couples_rows;
    all.uses_draws |= t.uses_draws;
    all.forward_range = narrower(all.forward_range, t.forward_range);
    all.inverse_range = narrower(all.inverse_range, t.inverse_range);
    all.draws_forward |= t.draws_forward;
    all.draws_inverse |= t.draws_inverse;
  }
  return all;
}

template <class T>
Flow<T>::Flow(std::unique_ptr<Distribution<T>> base, std::unique_ptr<Bijector<T>> bijector, Shape event_shape)
    : base_(std::move(base)), bijector_(std::move(bijector)), event_shape_(std::move(event_shape)) {
  const Shape needed = bijector_->inverse_event_shape(event_shape_);
  if (!(base_->event_shape() == needed))
    throw ShapeError("the base's events have the shape " + base_->event_shape().to_string() +
                     ", but the bijectors map data of shape " + event_shape_.to_string() + " to " + needed.to_string());
}

namespace {

/// The density of y from that of its latent. A latent without density, as at infinity, gives none, whatever slope leads
/// there: 0 is log-normal with density zero, although exp has an infinite slope towards it.
template <class T>
Var<T> changed(Var<T> log_prob, Var<T> log_det) {
  constexpr T kNone = -std::numeric_limits<T>::infinity();
  const Block<const T> latent = log_prob.value();
  if (std::none_of(latent.data, latent.data + latent.rows, [](T v) { return v == kNone; })) return log_prob + log_det;
  const Var<T> possible = log_prob.tape().make(latent.rows, 1);
  for (Index i = 0; i < latent.rows; ++i) possible.data()(i, 0) = latent(i, 0) == kNone ? T(0) : T(1);
  return where_inside(possible, log_prob + log_det);
}

}  // namespace

// What a map makes of an argument that it is not defined for is NaN, and so may be its derivative; the density there is
// zero, also as one part of a mixture whose other parts are not zero there.
template <class T>
Var<T> Flow<T>::log_prob(Var<T> y, const Pass<T>& pass) const {
  require_columns("flow", y.columns(), event_shape_.size());
  const T lower = static_cast<T>(support().lower), upper = static_cast<T>(support().upper);
  const Var<T> stand_in = y.tape().constant(static_cast<T>(inner_point(support())));
  return on_support(y, Intervals<T>{{&lower, 1}, {&upper, 1}}, stand_in, [&](Var<T> at) {
    const Mapped<T> x = to_base(at, pass);
    const Var<T> density = base_->log_prob(x.value, pass);
    pass.check_finite(*base_, density);
    return changed(density, x.log_det);
  });
}

template <class T>
Var<T> Flow<T>::log_prob_parts(Var<T> y, const Pass<T>& pass) const {
  require_columns("flow", y.columns(), event_shape_.size());
  const T lower = static_cast<T>(support().lower), upper = static_cast<T>(support().upper);
  const Var<T> stand_in = y.tape().constant(static_cast<T>(inner_point(support())));
  Var<T> parts;
  const Var<T> log_det = on_support(y, Intervals<T>{{&lower, 1}, {&upper, 1}}, stand_in, [&](Var<T> at) {
    const Mapped<T> x = to_base(at, pass);
    parts = base_->log_prob_parts(x.value, pass);
    return x.log_det;
  });
  return parts ? add(parts, log_det) : parts;
}

template <class T>
Mapped<T> Flow<T>::to_base(Var<T> y, const Pass<T>& pass) const {
  const Mapped<T> x = bijector_->inverse(y, pass);
  pass.check_finite(*bijector_, x.value);
  pass.check_finite(*bijector_, x.log_det);
  return x;
}

template <class T>
Sampled<T> Flow<T>::sample(Index n, const Pass<T>& pass) const {
  const Sampled<T> base = base_->sample_with_log_prob(n, pass);
  const Mapped<T> y = bijector_->forward(base.value, pass);
  pass.check_finite(*bijector_, y.value);
  return {y.value, subtract(base.log_prob, y.log_det)};
}

template <class T>
Support Flow<T>::support() const {
  return bijector_->codomain();
}

template <class T>
DistributionTraits Flow<T>::traits() const {
  DistributionTraits t = base_->traits();
  const Traits map = bijector_->traits();
  t.log_prob = std::max(t.log_prob, map.inverse);
  t.sample = std::max(t.sample, map.forward);
  t.can_sample &= map.forward != Cost::none;
  t.density = worse(t.density, map.log_det);
  t.couples_rows |= map.couples_rows;
  t.uses_draws_in_log_prob |= map.uses_draws || map.draws_inverse;
  return t;
}

template class Chain<float>;
template class Chain<double>;
template class Flow<float>;
template class Flow<double>;

}  // namespace pushforward
