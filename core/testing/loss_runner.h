// LossRunner: an objective's loss of the kit's small flow on given rows, cut into shards at will, with its gradient.
#pragma once

#include "case.h"
#include "pushforward/step.h"
#include "small_model.h"

namespace pushforward::testing {

/// The rows of one evaluation.
struct LossRequest {
  int phase = 0;
  Array data, weights;        // no columns: none
  Index rows = 0;             // of the batch
  std::vector<Index> shards;  // rows of each, in order; empty: one
  Stream stream{1};
  Mode mode = Mode::train;
  const std::vector<double>* parameters = nullptr;  // none: the start's
  bool gradient = false;
  bool record = false;  // recorded even without a gradient
};

struct LossResponse {
  double loss = 0;
  Array rows;  // what `rows` gave, N x K
  std::vector<double> gradient;
  std::int64_t allocations = 0;
};

/// In one precision, one thread.
template <class T>
class LossRunner {
 public:
  explicit LossRunner(const Subject& subject);
  LossRunner(const LossRunner&) = delete;
  LossRunner& operator=(const LossRunner&) = delete;

  /// As the engine does it: the weighted mean of column 0, or `reduce` of all shards' rows and `rows` once more.
  LossResponse run(const LossRequest& request);

  const Objective<T>& objective() const { return *objective_; }
  const Layout& layout() const { return built_.layout; }
  std::vector<double> parameters() const { return {built_.store.parameters.begin(), built_.store.parameters.end()}; }
  /// Whether a phase trains this parameter.
  bool trained(int phase, const ParameterInfo& p) const;
  int phases() const { return static_cast<int>(objective_->phases().size()); }
  Doors& doors() { return doors_; }
  Index event_size() const { return size_; }

 private:
  Pass<T> make_pass(Tape<T>& tape, const LossRequest& r, const Values<T>& values, Index first_row, bool gradient);
  /// Of every shard: calls `seen(tape, rows, first row)`.
  template <class Seen>
  void each_shard(const LossRequest& r, const Values<T>& values, bool recorded, LossResponse& response, Seen&& seen);
  /// Fills the adjoint of every row.
  double reduce(const LossRequest& r, const Values<T>& values, const Array& rows, Array& adjoint);

  Built<T> built_;
  const Objective<T>* objective_ = nullptr;
  Index size_, own_ = 0;  // end of the objective's own parameters
  Doors doors_;
  std::unique_ptr<SmallFlow<T>> flow_;
  std::unique_ptr<SmallTarget<T>> target_;
  std::unique_ptr<StepRunner<T>> step_;
  Tape<T> tape_{false}, reduce_tape_{false};
  std::vector<T> parameters_, derived_, gradient_;
  std::vector<double> statistics_;
};

extern template class LossRunner<float>;
extern template class LossRunner<double>;

}  // namespace pushforward::testing
