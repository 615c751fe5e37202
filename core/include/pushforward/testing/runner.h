// Runner: evaluates one function of a component (forward, inverse, log_prob, sample, ...) on plain arrays of doubles,
// in either precision, with its gradients. `prepare` runs first and derived values' gradients flow back through it.
#pragma once

#include <functional>
#include <stdexcept>

#include "pushforward/step.h"
#include "pushforward/testing/subject.h"

namespace pushforward::testing {

/// A compact column-major array.
struct Array {
  Index rows = 0, columns = 0;
  std::vector<double> values;

  Array() = default;
  Array(Index r, Index c, double fill = 0) : rows(r), columns(c), values(static_cast<std::size_t>(r * c), fill) {}
  double& operator()(Index i, Index j) { return values[static_cast<std::size_t>(i + j * rows)]; }
  double operator()(Index i, Index j) const { return values[static_cast<std::size_t>(i + j * rows)]; }
  bool empty() const { return values.empty(); }
  /// The rows named, in that order.
  Array select(std::span<const Index> rows_to_take) const;
};

struct FunctionInfo {
  std::string name;                  // forward, inverse, evaluate, log_prob, sample
  Index inputs = 0;                  // columns of x; 0: takes none
  std::vector<std::string> outputs;  // value, log_det
};

/// One evaluation. Everything has a meaning when left out.
struct Request {
  int function = 0;
  Array x;        // no columns: none
  Array context;  // no columns: none
  Index rows = 0;
  Mode mode = Mode::evaluate;
  Stream stream{1};
  Index first_row = 0;
  const std::vector<double>* parameters = nullptr;  // none: the instance's own
  std::vector<Array> cotangents;                    // none: no backward pass; an empty one: no seed for that output
  bool record = false;                              // recorded even without cotangents
  const std::vector<std::uint8_t>* frozen = nullptr;
  double padding = 0;         // what the padding rows of inputs hold
  Index extra_stride = 0;     // rows of padding above what is needed
  double prefill = 0;         // what gradients hold before
  bool dirty_memory = false;  // the tape's memory holds NaN before
  Array direction;            // of x: forward mode is wanted, along it
};

/// Values, and gradients if there were cotangents.
struct Response {
  std::vector<Array> outputs;
  Array x, context;
  std::vector<double> parameters;
  std::vector<Array> tangents;   // of the outputs, along `direction`
  std::int64_t allocations = 0;  // by the component, its operations and the tape; 0 where the program does not count
};

/// What a component returned is not what its interface promises. No Error: nothing that a component may throw.
class WrongResult : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Of one instance in one precision. One thread; `clone` for another, which shares the component and its numbers.
class Runner {
 public:
  virtual ~Runner();
  virtual Response run(const Request& request) = 0;
  /// A masked network evaluated degree by degree, columns in their own order, and with a cotangent the gradient of x,
  /// in the same way; no outputs if it has no stepper.
  virtual Response run_by_degrees(const Request& request, const NetworkShape& shape) = 0;
  /// A distribution's mean and variance; nothing if it has no closed form.
  virtual std::vector<Array> moments(const Request& request) = 0;
  /// Data-dependent initialisation, and one training step's statistics into the state, with these rows.
  virtual void initialise(Request request) = 0;
  virtual std::unique_ptr<Runner> clone() const = 0;

  virtual const std::vector<FunctionInfo>& functions() const = 0;
  virtual const Layout& layout() const = 0;
  virtual const ComponentBase& component() const = 0;
  /// The instance's numbers, derived values left out: what a checkpoint holds.
  struct Numbers {
    std::vector<double> parameters, real_state;
    std::vector<std::int64_t> integer_state;
  };
  virtual Numbers numbers() const = 0;
  /// Rounded to the runner's precision; seen by its clones too.
  virtual void set_numbers(const Numbers& numbers) = 0;
  /// What was reported in the last run, also in one that threw.
  virtual std::span<const double> statistics() const = 0;
  virtual const std::vector<std::string>& unread_fields() const = 0;
};

/// How a transformer's parameters reach it.
enum class ThetaForm : std::uint8_t { none, per_row, shared, prepared };

/// Numbers per element of the transformer behind a component made by make_runner; zeros for other components.
struct ThetaColumns {
  Index raw = 0, prepared = 0;
};
ThetaColumns theta_columns(const ComponentBase& component);

/// A new instance of the subject in precision T. A transformer becomes a bijector whose theta is the context (per_row),
/// a parameter (shared) or a derived value (prepared).
template <class T>
std::unique_ptr<Runner> make_runner(const Subject& subject, const Surroundings& surroundings,
                                    ThetaForm form = ThetaForm::none);

}  // namespace pushforward::testing
