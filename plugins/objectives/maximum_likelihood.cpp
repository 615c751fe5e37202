// maximum_likelihood: the mean of -log p(y) over the rows of the data, in nats.
#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MaximumLikelihood final : public Objective<T> {
 public:
  explicit MaximumLikelihood(Build<T>&) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    return -model.log_prob(batch.data, pass);
  }
};

constexpr Example kExamples[] = {{"default", "maximum_likelihood"}};

constexpr const char kDocumentation[] = R"(
`loss = -sum_i w_i log p(y_i | c_i) / sum_i w_i`, in nats, with the weights `w` (1 without `data.weights`) and the
context `c`, if there is one. Up to the entropy of the data, this is the forward Kullback-Leibler divergence from the
data to the model.
)";

constexpr ComponentInfo kComponents[] = {describe<MaximumLikelihood>(
    "objective", "maximum_likelihood", "Mean negative log-likelihood of the data", nullptr, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("maximum_likelihood", "0.1.0", "MIT", kComponents);
