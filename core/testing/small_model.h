// A small flow of the kit's own, with a target and rows for it: what objectives and procedures are tried on.
#pragma once

#include <atomic>

#include "pushforward/model.h"
#include "pushforward/testing/runner.h"

namespace pushforward::testing {

/// How often each door of a model was used.
struct Doors {
  std::atomic<std::int64_t> log_prob = 0, sample = 0, target = 0;
};

/// Appends numbers of a component that the kit makes itself, at `start`.
template <class T>
Parameter append_parameter(Layout& layout, Store<T>& store, const std::string& path, const std::vector<double>& start);

/// x to b + exp(s) x + c tanh(x of the element before): triangular, its inverse in closed form.
template <class T>
class SmallMap final : public Bijector<T> {
 public:
  SmallMap(Layout& layout, Store<T>& store, Index size);
  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override;
  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override;
  Traits traits() const override;

 private:
  /// What an element is moved by, given the one before it (none for the first), and its log scale.
  Var<T> shift(Index j, Var<T> before, const Pass<T>& pass) const;
  Var<T> log_scale(Index j, const Pass<T>& pass) const { return columns_of(pass(s_), j); }
  static Var<T> columns_of(Var<T> v, Index j) { return v.tape().view(v, j, 1); }
  Var<T> log_det(Var<T> x, const Pass<T>& pass) const;
  Index size_;
  Parameter b_, s_, c_;
};

/// A standard normal base under a SmallMap; counts who evaluates and who samples it, where it is told to.
template <class T>
class SmallFlow final : public Distribution<T> {
 public:
  SmallFlow(Layout& layout, Store<T>& store, Index size, Doors* doors = nullptr);
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override;
  Sampled<T> sample(Index n, const Pass<T>& pass) const override;
  Shape event_shape() const override { return Shape{size_}; }
  FlowView<T> as_flow() const override { return {&base_, &map_}; }

 private:
  /// Standard normal.
  class Base final : public Distribution<T> {
   public:
    explicit Base(Index size) : size_(size) {}
    Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override;
    Sampled<T> sample(Index n, const Pass<T>& pass) const override;
    Shape event_shape() const override { return Shape{size_}; }

   private:
    Index size_;
  };
  Index size_;
  Base base_;
  SmallMap<T> map_;
  Doors* doors_;
};

/// An independent normal density without its constant, of mean 0.3 and precision 0.8.
template <class T>
class SmallTarget final : public Target<T> {
 public:
  SmallTarget(Index size, Doors* doors) : size_(size), doors_(doors) {}
  Var<T> log_density(Var<T> y, const Pass<T>& pass) const override;
  Shape event_shape() const override { return Shape{size_}; }

 private:
  Index size_;
  Doors* doors_;
};

/// -log p, for the procedures.
template <class T>
class SmallObjective final : public Objective<T> {
 public:
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override;
};

/// Plain gradient descent; counts its steps.
template <class T>
class SmallDescent final : public Optimizer<T> {
 public:
  double step(Evaluate<T>& evaluate, std::span<T> theta, const StepSettings& settings,
              OptimizerState<T>& state) const override;
  double learning_rate() const override { return kRate; }
  std::int64_t steps() const { return steps_.load(); }

 private:
  static constexpr double kRate = 0.05;
  mutable std::atomic<std::int64_t> steps_ = 0;
};

/// Rows that the flow can be fitted to: normal ones, scaled, moved and bent.
Array small_rows(Index rows, Index columns);

}  // namespace pushforward::testing
