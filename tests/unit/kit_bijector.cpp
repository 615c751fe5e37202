// The kit tests itself: a correct coupling passes every check; with one fault at a time it fails exactly those checks
// that the fault concerns.
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "pushforward/testing/count_allocations.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

enum class Fault {
  none,
  log_det_sign,
  chain_factor,
  gradient_overwritten,
  wrong_half,
  scaled_by_batch,
  context_ignored,
  nan_on_empty,
  rows_mixed,
  not_deterministic,
  state_not_saved,
  padding_read,
  wrong_trait,
  hidden_draws,
  wrong_shape_accepted,
  shape_not_named,
  nan_swallowed,
  frozen_ignored,
  unreached_parameter,
  wrong_in_float,
  outputs_added,
  shared_scratch,
  overflow,
  parameters_cached,
  prepare_not_reversed,
  same_path,
  train_gradient,
  many_rows,
  nan_at_zero,
  nan_at_start,
  start_not_seeded,
  far_log_det,
  far_gradient,
  idle_draws,
};

/// y_a = x_a, y_b = x_b exp(s) + b, s = tanh(a + x_a W + context U); b is derived from a raw one, divided by a scale
/// that the first batch gave.
template <class T>
class Coupling final : public Bijector<T> {
 public:
  Coupling(Built<T>& built, const Surroundings& around, Fault fault)
      : size_(around.event_shape.size()), context_(around.context), fault_(fault) {
    const Index moved = size_ - kept();
    a_ = declare(built, "a", 1, moved, is(Fault::nan_at_start) ? 0 : 0.5);
    w_ = declare(built, "w", kept(), moved);
    u_ = declare(built, "u", context_, moved);
    raw_ = declare(built, fault == Fault::same_path ? "a" : "raw", 1, moved);
    if (fault == Fault::unreached_parameter) declare(built, "idle", 1, 2);
    b_ = declare_derived(built, "b", 1, moved);
    scale_ = declare_state<T>(built, "scale", {T(1)});
    static std::atomic<int> made = 0;
    if (is(Fault::start_not_seeded)) built.store.parameters[static_cast<std::size_t>(a_.offset)] = T(0.01) * ++made;
  }

  void prepare(StepPass<T>& step) const override {
    Var<T> raw = step.pass(raw_);
    if (is(Fault::prepare_not_reversed)) raw = stop_gradient(raw);
    step.set(b_, raw * T(2));
  }

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override {
    x = checked(x, pass);
    const Var<T> s = log_scale(x, pass);
    Var<T> grown = exp(s);
    if (is(Fault::chain_factor)) grown = exp(stop_gradient(s)) + (s - stop_gradient(s));
    const Var<T> y = moved_of(x) * grown + shift(x, pass);
    return finish({joined(kept_of(x), y), row_sum(s)}, x, T(1));
  }

  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    y = checked(y, pass);
    const Var<T> s = log_scale(y, pass);
    const Var<T> x = (moved_of(y) - shift(y, pass)) * exp(negate(s));
    Var<T> kept = kept_of(y), log_det = negate(row_sum(s));
    if (is(Fault::wrong_half)) {
      kept = kept * T(1.25);
      log_det = log_det + static_cast<T>(static_cast<double>(this->kept()) * std::log(1.25));
    }
    if (is(Fault::log_det_sign)) log_det = negate(log_det);
    return finish({joined(kept, x), log_det}, y, T(-1));
  }

  Traits traits() const override {
    Traits t;
    t.constant_log_det = is(Fault::wrong_trait);
    t.uses_draws = is(Fault::idle_draws);
    return t;
  }

 private:
  bool is(Fault fault) const { return fault_ == fault; }
  Index kept() const { return size_ / 2; }
  Var<T> kept_of(Var<T> x) const { return columns(x, 0, kept()); }
  Var<T> moved_of(Var<T> x) const { return columns(x, kept(), size_ - kept()); }
  static Var<T> joined(Var<T> kept, Var<T> moved) { return kept.columns() ? concatenate({kept, moved}) : moved; }

  /// x as the map reads it, after the first batch's scale was taken.
  Var<T> checked(Var<T> x, const Pass<T>& pass) const {
    if (is(Fault::shape_not_named) && x.columns() != size_) throw ShapeError("wrong number of columns");
    if (!is(Fault::wrong_shape_accepted)) require_columns("coupling", x.columns(), size_);
    if (context_ > 0) require_columns("coupling: the context", pass.context ? pass.context.columns() : 0, context_);
    if (is(Fault::wrong_shape_accepted) && x.columns() > size_) x = columns(x, 0, size_);
    if (is(Fault::gradient_overwritten)) x = with_gradient(x, [](T& g, T adjoint) { g = adjoint; });
    if (is(Fault::nan_swallowed)) x = without_nan(x);
    if (is(Fault::nan_at_zero)) x = x + sqrt(square(x)) * T(0);
    if (is(Fault::far_gradient)) x = flat_far_out(x);
    if (pass.mode == Mode::initialise) {
      double sum = 0;
      for (Index i = 0; i < x.rows(); ++i) sum += std::abs(static_cast<double>(x.value()(i, size_ - 1)));
      const T mean = static_cast<T>(sum / static_cast<double>(x.rows()));
      if (is(Fault::state_not_saved))
        hidden_scale_ = mean;
      else
        pass.writable(scale_)[0] = mean;
    }
    return x;
  }

  /// The gradient ends where x does: at 12.
  static Var<T> flat_far_out(Var<T> x) {
    const Var<T> near = x.tape().make(x.rows(), x.columns());
    for (Index j = 0; j < x.columns(); ++j)
      for (Index i = 0; i < x.rows(); ++i) near.data()(i, j) = std::abs(x.value()(i, j)) > 12 ? T(0) : T(1);
    return select(near, x, stop_gradient(x));
  }

  static Var<T> without_nan(Var<T> x) {
    const Var<T> zero = x.tape().full(x.rows(), x.columns(), T(0)), is_number = x.tape().make(x.rows(), x.columns());
    for (Index j = 0; j < x.columns(); ++j)
      for (Index i = 0; i < x.rows(); ++i) is_number.data()(i, j) = std::isnan(x.value()(i, j)) ? T(0) : T(1);
    return select(is_number, x, zero);
  }

  Var<T> bias(const Pass<T>& pass, Index rows) const {
    if (is(Fault::frozen_ignored) && pass.sinks.gradient)
      return pass.tape.leaf(compact(pass.values.parameters + a_.offset, a_.rows, a_.columns),
                            compact(pass.sinks.gradient + a_.offset, a_.rows, a_.columns));
    if (is(Fault::parameters_cached)) {
      if (cache_.empty())
        cache_.assign(pass.values.parameters + a_.offset, pass.values.parameters + a_.offset + a_.size());
      return pass.tape.constant(compact<const T>(cache_.data(), a_.rows, a_.columns)) +
             (pass(a_) - stop_gradient(pass(a_)));
    }
    if (is(Fault::train_gradient) && pass.training()) return stop_gradient(pass(a_));
    if (is(Fault::many_rows) && rows > 200) return stop_gradient(pass(a_));
    if (is(Fault::nan_at_start)) return pass(a_) + sqrt(square(pass(a_))) * T(0);
    const T count = static_cast<T>(rows), some = std::max(count, T(1));
    if (is(Fault::scaled_by_batch)) return with_gradient(pass(a_), [some](T& g, T adjoint) { g += adjoint / some; });
    if (is(Fault::nan_on_empty))
      return with_gradient(pass(a_), [count](T& g, T adjoint) { g += adjoint * count / count; });
    return pass(a_);
  }

  Var<T> log_scale(Var<T> x, const Pass<T>& pass) const {
    Var<T> s = bias(pass, x.rows());
    if (kept() > 0) s = s + matmul(kept_of(x), pass(w_));
    if (context_ > 0) {
      const Var<T> context = is(Fault::context_ignored) ? stop_gradient(pass.context) : pass.context;
      s = s + matmul(context, pass(u_));
    }
    s = tanh(s.rows() == x.rows() ? s : repeat_rows(s, x.rows()));
    if (is(Fault::hidden_draws) && pass.training()) s = s + pass.normal(ComponentId{3}, x.rows(), 1) * T(0.1);
    if (is(Fault::not_deterministic)) s = s + static_cast<T>(calls_++ % 7) * T(1e-3);
    if (is(Fault::overflow)) s = s + exp(moved_of(x) * T(4)) * T(0);
    if (is(Fault::shared_scratch)) s = through_scratch(s);
    return s;
  }

  /// The values take a way through memory that all threads share.
  Var<T> through_scratch(Var<T> s) const {
    for (Index i = 0; i < std::min<Index>(s.rows(), kScratch); ++i) scratch_[i].store(s.value()(i, 0));
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    const Var<T> change = s.tape().full(s.rows(), 1, T(0));
    for (Index i = 0; i < std::min<Index>(s.rows(), kScratch); ++i)
      change.data()(i, 0) = scratch_[i].load() - s.value()(i, 0);
    return s + change;
  }

  Var<T> shift(Var<T> x, const Pass<T>& pass) const {
    Var<T> b = pass(b_) / pass(scale_);
    if (is(Fault::state_not_saved)) b = pass(b_) / hidden_scale_;
    if (is(Fault::padding_read) && x.value().stride > x.rows()) b = b + x.value().data[x.value().stride - 1] * T(0);
    return b;
  }

  Mapped<T> finish(Mapped<T> m, Var<T> x, T direction) const {
    if (is(Fault::rows_mixed) && kept() > 0 && x.rows() > 0)
      m.log_det = m.log_det + sum(kept_of(x)) * (direction * T(1e-2) / static_cast<T>(x.rows()));
    if (is(Fault::wrong_in_float) && sizeof(T) == 4) m.log_det = m.log_det * T(1.01);
    if (is(Fault::far_log_det) && direction > 0) {
      const Var<T> more = x.tape().make(x.rows(), 1);
      for (Index i = 0; i < x.rows(); ++i) more.data()(i, 0) = std::abs(x.value()(i, size_ - 1)) > 12 ? T(1) : T(0);
      m.log_det = m.log_det + more;
    }
    if (is(Fault::outputs_added)) {
      const Var<T> sum = x.tape().make(x.rows(), 1);
      for (Index i = 0; i < x.rows(); ++i) sum.data()(i, 0) *= T(0);
      m.log_det = m.log_det + sum;
    }
    return m;
  }

  static constexpr Index kScratch = 64;
  Index size_, context_;
  Fault fault_;
  Parameter a_, w_, u_, raw_, b_;
  State scale_;
  mutable T hidden_scale_ = 1;
  mutable std::atomic<int> calls_ = 0;
  mutable std::atomic<T> scratch_[kScratch] = {};
  mutable std::vector<T> cache_;
};

void expect(Fault fault, const std::set<std::string>& expected) {
  expect_failures(subject_of<Coupling>("bijector", "kit_coupling", fault, 3, 2), expected);
}

}  // namespace

TEST_CASE("a correct coupling passes every check") {
  const std::vector<CheckResult> results =
      testing::check(subject_of<Coupling>("bijector", "kit_coupling", Fault::none, 3, 2));
  INFO(testing::to_text(results));
  CHECK(testing::passed(results));
  for (const CheckResult& r : results) {
    CAPTURE(r.check, r.precision);
    const bool no_second_path = r.check == "fast_path";
    CHECK((r.status == testing::Status::passed || no_second_path));
  }
}

TEST_CASE("a coupling without context and one of one element pass") {
  for (const Index size : {Index{1}, Index{2}, Index{4}}) {
    const std::vector<CheckResult> results =
        testing::check(subject_of<Coupling>("bijector", "kit_coupling", Fault::none, size, 0));
    INFO(testing::to_text(testing::failures(results)));
    CHECK(testing::passed(results));
  }
}

TEST_CASE("faults of values fail their checks") {
  SECTION("sign of log_det") { expect(Fault::log_det_sign, {"log_det_cancel", "log_det_numeric", "edges", "density"}); }
  SECTION("wrong half touched") { expect(Fault::wrong_half, {"round_trip", "log_det_cancel", "structure", "edges"}); }
  SECTION("a trait that is not true") { expect(Fault::wrong_trait, {"structure"}); }
  SECTION("log_det far out") { expect(Fault::far_log_det, {"edges"}); }
  SECTION("overflow") { expect(Fault::overflow, {"sizes", "edges"}); }
  SECTION("rows mixed") {
    expect(Fault::rows_mixed,
           {"log_det_numeric", "input_gradient", "rows", "edges", "bad_input", "density", "tangent"});
  }
}

TEST_CASE("faults of gradients fail their checks") {
  SECTION("missing factor of the chain rule") {
    expect(Fault::chain_factor,
           {"input_gradient", "parameter_gradient", "context_gradient", "taylor", "edges", "tangent"});
  }
  SECTION("overwritten") { expect(Fault::gradient_overwritten, {"accumulation"}); }
  SECTION("scaled by the batch") { expect(Fault::scaled_by_batch, {"parameter_gradient", "taylor", "rows"}); }
  SECTION("context ignored") { expect(Fault::context_ignored, {"context_gradient", "taylor"}); }
  SECTION("of derived values not carried back") {
    expect(Fault::prepare_not_reversed, {"parameter_gradient", "taylor", "reached"});
  }
  SECTION("in training alone, of the same values") { expect(Fault::train_gradient, {"parameter_gradient", "taylor"}); }
  SECTION("of more rows than a block has") { expect(Fault::many_rows, {"rows"}); }
  SECTION("NaN where x is 0") { expect(Fault::nan_at_zero, {"edges"}); }
  SECTION("NaN at the numbers of the start") { expect(Fault::nan_at_start, {"edges", "taylor"}); }
  SECTION("none far out") { expect(Fault::far_gradient, {"edges"}); }
  SECTION("a parameter that nothing reads") { expect(Fault::unreached_parameter, {"reached"}); }
  SECTION("in float32 alone") {
    expect(Fault::wrong_in_float, {"values", "input_gradient", "parameter_gradient", "context_gradient"});
  }
}

TEST_CASE("faults against the contract fail their checks") {
  SECTION("NaN on an empty batch") { expect(Fault::nan_on_empty, {"sizes"}); }
  SECTION("state that is not saved") { expect(Fault::state_not_saved, {"checkpoint"}); }
  SECTION("a start that no seed gives") { expect(Fault::start_not_seeded, {"checkpoint"}); }
  SECTION("declared draws that nobody draws") { expect(Fault::idle_draws, {"draws"}); }
  SECTION("padding read") { expect(Fault::padding_read, {"accumulation"}); }
  SECTION("wrong shape accepted") { expect(Fault::wrong_shape_accepted, {"bad_input"}); }
  SECTION("wrong shape not named") { expect(Fault::shape_not_named, {"bad_input"}); }
  SECTION("NaN swallowed") { expect(Fault::nan_swallowed, {"bad_input"}); }
  SECTION("frozen ranges ignored") { expect(Fault::frozen_ignored, {"parameter_vector"}); }
  SECTION("parameters cached") {
    // From the first evaluation on, so that a loaded object differs from one that was moved.
    expect(Fault::parameters_cached, {"parameter_gradient", "taylor", "checkpoint"});
  }
  SECTION("two blocks of one name") { expect(Fault::same_path, {"checkpoint"}); }
  SECTION("scratch memory that threads share") { expect(Fault::shared_scratch, {"threads"}); }
}

TEST_CASE("faults whose results change from call to call fail the checks that compare bits") {
  const auto failed = [](Fault fault) {
    return failed_checks(testing::check(subject_of<Coupling>("bijector", "kit_coupling", fault, 3, 2)));
  };
  const std::set<std::string> not_deterministic = failed(Fault::not_deterministic);
  for (const char* check : {"recording", "draws", "threads", "checkpoint"}) {
    CAPTURE(check);
    CHECK(not_deterministic.count(check));
  }
  const std::set<std::string> hidden_draws = failed(Fault::hidden_draws);
  CHECK(hidden_draws.count("draws"));
  CHECK(hidden_draws.count("rows"));
  CHECK(failed(Fault::outputs_added).count("accumulation"));
}
