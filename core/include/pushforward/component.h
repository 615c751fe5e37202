// Component: the root of everything that a plugin makes. Traits: what a component can do and at what cost.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "pushforward/pass.h"

namespace pushforward {

/// What one direction of a map costs.
enum class Cost : std::uint8_t {
  closed,     ///< a formula
  one_pass,   ///< one evaluation of a network
  d_passes,   ///< as many evaluations of a network as features
  iterative,  ///< root finding, to Traits::tolerance
  none,       ///< cannot be computed: calling it throws Error
};

/// What the log_det of a direction is.
enum class LogDet : std::uint8_t {
  exact,
  unbiased,     ///< a stochastic estimate with the right mean
  lower_bound,  ///< its expectation lies below the true value
  none,
};

/// Declared by an instance, checked by the composer, verified by the conformance kit.
struct Traits {
  Cost forward = Cost::closed;
  Cost inverse = Cost::closed;
  LogDet log_det = LogDet::exact;
  double tolerance = 0;           // of an iterative direction
  bool elementwise = false;       // output j depends on input j alone
  bool triangular = false;        // output j depends on inputs 0..j alone
  bool permutation = false;       // moves values, changes none
  bool constant_log_det = false;  // the same for every event
  bool increasing = false;        // elementwise and monotone increasing
  bool couples_rows = false;      // in Mode::train a row's result depends on the other rows of its batch
  bool uses_draws = false;        // random in some mode: dropout, a stochastic log_det
  /// Surjections: the direction draws what the other one drops (`sample` of what a multiscale chain factored out, the
  /// noise of an augmented flow). Only the way there and back that starts with a drawing direction returns.
  bool draws_forward = false;
  bool draws_inverse = false;
  /// Largest absolute input at which a direction's value, log_det and gradients are finite. 0: not declared, which
  /// the kit reads as 1e6 for elementwise maps and 30 for others.
  double forward_range = 0;
  double inverse_range = 0;
};

/// What is true of a map, told of its inverse.
inline Traits reversed(Traits t) {
  std::swap(t.forward, t.inverse);
  std::swap(t.draws_forward, t.draws_inverse);
  std::swap(t.forward_range, t.inverse_range);
  return t;
}

/// The non-template root, which factories return across the plugin boundary.
class PUSHFORWARD_EXPORT ComponentBase {
 public:
  ComponentBase() = default;
  virtual ~ComponentBase();
  ComponentBase(const ComponentBase&) = delete;
  ComponentBase& operator=(const ComponentBase&) = delete;

  /// Place in the spec, `model.bijectors[2].coupling`; set by whoever builds.
  const std::string& path() const { return path_; }
  void set_path(std::string path) { path_ = std::move(path); }

 private:
  std::string path_;
};

/// Base of every kind. All evaluating methods are const and safe to call from several threads, each with its own
/// pass.
template <class T>
class PUSHFORWARD_EXPORT Component : public ComponentBase {
 public:
  ~Component() override;

  /// Once per parameter vector, before the shards: parameters to derived values, on the step's tape.
  virtual void prepare(StepPass<T>&) const {}
  /// Once per accepted training step, serial: reported statistics to state.
  virtual void update(StepPass<T>&) const {}
};

extern template class Component<float>;
extern template class Component<double>;

}  // namespace pushforward
