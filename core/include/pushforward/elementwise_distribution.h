// Distributions with independent elements: what they share beside their formulas.
#pragma once

#include "pushforward/build.h"
#include "pushforward/schema.h"
#include "pushforward/support.h"

namespace pushforward {

/// Independent elements, each with a density of its own on an interval. A derived class reads its fields with `field`
/// and gives the formulas `element_log_prob` and `draw`. Its table of fields has the optional field `shape`:
/// kShapeField.
template <class T>
class PUSHFORWARD_EXPORT ElementwiseDistribution : public Distribution<T> {
 public:
  ~ElementwiseDistribution() override;

  /// The sum of `element_log_prob` over elements; minus infinity in rows with an element outside of `intervals`.
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override;
  Sampled<T> sample(Index n, const Pass<T>& pass) const override { return {draw(n, pass), {}}; }
  Shape event_shape() const override { return shape_; }
  /// The smallest interval around all elements' intervals.
  Support support() const override;
  /// needs_context, if a field is a network.
  DistributionTraits traits() const override;

 protected:
  /// `name` is the component's, for messages: a literal.
  ElementwiseDistribution(Build<T>& build, const char* name);

  /// A field with one value for each element.
  FieldValue<T> field(Build<T>& build, const char* name, bool positive);
  /// The numbers of a field that cannot learn, such as the end of an interval; another value is an error that ends with
  /// `reason`.
  std::vector<T> numbers(Build<T>& build, const char* name, const char* reason) const;
  /// Elements of an event.
  Index size() const { return shape_.size(); }
  /// Keys the draws.
  ComponentId id() const { return id_; }
  const char* name() const { return name_; }

  /// The logarithm of each element's density: N x D to N x D.
  virtual Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const = 0;
  /// n samples, n x D, reparameterised as `traits` says.
  virtual Var<T> draw(Index n, const Pass<T>& pass) const = 0;
  /// Where the density is not zero; the whole line unless overridden.
  virtual Intervals<T> intervals() const;
  /// A point inside, 1 x 1 or 1 x D, which a formula sees instead of one outside; 1 unless overridden.
  virtual Var<T> stand_in(const Pass<T>& pass) const { return pass.tape.constant(T(1)); }

 private:
  Shape shape_;
  ComponentId id_;
  const char* name_;
  bool needs_context_ = false;
};

/// y = location + scale z, elementwise, where z has a density on the whole line that a derived class gives.
///
/// Samples carry their log_prob, which costs the formula at z. Further fields of the standard density are read by
/// `field`.
template <class T>
class PUSHFORWARD_EXPORT LocationScaleDistribution : public ElementwiseDistribution<T> {
 public:
  ~LocationScaleDistribution() override;
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const final;
  Sampled<T> sample(Index n, const Pass<T>& pass) const final;
  Moments<T> moments(const Pass<T>& pass) const final;

 protected:
  /// Reads the fields `location` and `scale`; where the first is the mean, it may be called so.
  LocationScaleDistribution(Build<T>& build, const char* name, const char* location = "location");

  /// The logarithm of the density of z: N x D to N x D.
  virtual Var<T> standard_log_density(Var<T> z, const Pass<T>& pass) const = 0;
  /// n draws of z, n x D.
  virtual Var<T> standard_draw(Index n, const Pass<T>& pass) const = 0;
  /// Mean and variance of z, 1 x 1, 1 x D or N x D; none where there is no closed form.
  virtual Moments<T> standard_moments(const Pass<T>&) const { return {}; }

 private:
  Var<T> element_log_prob(Var<T> y, const Pass<T>& pass) const final;
  Var<T> draw(Index n, const Pass<T>& pass) const final;

  FieldValue<T> location_, scale_;
};

/// The field that every elementwise distribution has.
inline constexpr Field kShapeField =
    integers("shape", kOptional, "shape of an event; left out, that of the data or of the bijectors above").at_least(1);

extern template class ElementwiseDistribution<float>;
extern template class ElementwiseDistribution<double>;
extern template class LocationScaleDistribution<float>;
extern template class LocationScaleDistribution<double>;

}  // namespace pushforward
