// Case: one subject built in one form, in both precisions, with the same numbers; and inputs for its functions.
#pragma once

#include <optional>

#include "pushforward/testing/runner.h"
#include "pushforward/testing/tolerances.h"

namespace pushforward::testing {

enum class Precision : std::uint8_t { float64, float32 };
const char* to_string(Precision p);
const char* to_string(Mode mode);

/// A form in which a subject is built: theta's form, an event size, dense or masked.
struct Variant {
  std::string label;  // empty: the only one
  Surroundings surroundings;
  ThetaForm form = ThetaForm::none;
  bool resized = false;  // to another event size than the example's
};

/// One function with what its component declares of it.
struct FunctionCase {
  int index = 0;
  FunctionInfo info;
  Support support;  // of x
  bool iterative = false;
  double tolerance = 0;  // of an iteration
  bool random = false;   // depends on draws, by declaration
  bool differentiable = true;
  double range = kRangeOfOthers;
};

class Case {
 public:
  /// Builds both instances, initialises them from data, moves the parameters a little away from their start (an
  /// identity hides bugs) and gives both the same numbers.
  Case(const Subject& subject, const Variant& variant);

  const Subject& subject() const { return subject_; }
  const Variant& variant() const { return variant_; }
  bool has(Precision p) const { return p == Precision::float64 || f32_; }
  Runner& runner(Precision p) { return p == Precision::float64 ? *f64_ : *f32_; }
  /// Another instance with the same numbers.
  std::unique_ptr<Runner> fresh(Precision p) const;
  const Runner::Numbers& numbers() const { return numbers_; }
  const std::vector<double>& parameters() const { return numbers_.parameters; }
  const Layout& layout() const { return f64_->layout(); }
  /// A random vector of parameters near the instance's, 0 in the gaps.
  std::vector<double> other_parameters(unsigned seed, double distance) const;

  const std::vector<FunctionCase>& functions() const { return functions_; }
  const FunctionCase* find(const char* name) const;
  /// Of a bijector or transformer; none for other kinds.
  const Traits* map() const { return map_ ? &*map_ : nullptr; }
  /// A map whose log_det is that of a Jacobian.
  bool exact() const { return map_ && map_->log_det == LogDet::exact && !map_->draws_forward && !map_->draws_inverse; }
  /// Of a distribution.
  const DistributionTraits* density() const { return density_ ? &*density_ : nullptr; }
  /// Whether rows depend on each other in this mode: declared, and true of the values.
  bool coupled(const FunctionCase& f, Mode mode);
  /// By declaration.
  bool couples_rows() const { return couples_rows_; }
  Index base_columns() const { return base_columns_; }
  Index data_columns() const { return data_columns_; }
  Index context_columns() const { return context_columns_; }
  /// Numbers of theta for one element, of a transformer; 0 for other kinds.
  Index theta_numbers() const { return static_cast<Index>(identity_theta().size()); }

  /// Inputs from the middle of the function's domain, context included. Exact in float32.
  Request request(const FunctionCase& f, Index rows, unsigned seed, Mode mode = Mode::evaluate);
  /// The same with x far out, as far as domain and declared range allow. A transformer's theta is half as far from
  /// zero: the ends of both together overflow in any family with an exponential.
  Request tails(const FunctionCase& f, Index rows, double reach);
  /// The same at the numbers that a model starts with: parameters before they were moved, theta at its identity. It
  /// refers to the case.
  Request at_start(const FunctionCase& f, Index rows, unsigned seed, Mode mode = Mode::evaluate);
  /// Evaluate, and train if its results or gradients differ.
  const std::vector<Mode>& modes(const FunctionCase& f);
  /// Standard normal cotangents for every output of a response, exact in float32.
  static std::vector<Array> cotangents(const std::vector<Array>& outputs, unsigned seed);
  /// `forward, train, theta per row`.
  std::string where(const FunctionCase& f, Mode mode = Mode::evaluate) const;

 private:
  void describe();
  void start();
  void perturb();
  bool differs_in_training(const FunctionCase& f);
  /// Of one element of a transformer.
  std::vector<double> identity_theta() const;
  Array draw(const FunctionCase& f, Index rows, unsigned seed);
  Array draw_base(const FunctionCase& f, Index rows, unsigned seed);
  Array far_data(const FunctionCase& f, const Array& x, double reach) const;
  Array context(Index rows, unsigned seed) const;

  const Subject& subject_;
  Variant variant_;
  std::unique_ptr<Runner> f64_, f32_;
  Runner::Numbers numbers_;
  std::vector<double> start_, calm_theta_;
  std::vector<FunctionCase> functions_;
  std::vector<std::vector<Mode>> modes_;
  std::optional<Traits> map_;
  std::optional<DistributionTraits> density_;
  bool couples_rows_ = false;
  Index base_columns_ = 0, data_columns_ = 0, context_columns_ = 0;
};

/// The forms of a subject. `sizes`: other event sizes too, where it can be built at them.
std::vector<Variant> variants(const Subject& subject, bool sizes);

/// Standard normal and uniform numbers for the kit's own use.
Array normal_array(Index rows, Index columns, unsigned seed, double deviation = 1);
/// Events whose elements lie well inside a support.
Array draw_support(const Support& support, Index rows, Index columns, unsigned seed);
double round_to_float(double x);
bool same_bits(double a, double b);
bool same_bits(const std::vector<Array>& a, const std::vector<Array>& b);
/// Outputs and gradients.
bool same_bits(const Response& a, const Response& b);

}  // namespace pushforward::testing
