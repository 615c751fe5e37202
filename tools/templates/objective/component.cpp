// my_name: the mean of -log p(y + s e) with fresh standard normal noise e in every step.
//
// Rothfuss et al., "Noise regularization for conditional density estimation", 2019.
#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public Objective<T> {
 public:
  explicit MyName(Build<T>& build) : id_(build.id()), deviation_(static_cast<T>(build.real("deviation"))) {}

  /// N x 1: the loss is the (weighted) mean over all rows of the batch.
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    if (!pass.training()) return -model.log_prob(batch.data, pass);
    // A draw is a function of seed, step, row and component, on any number of threads.
    const Var<T> noise = pass.normal(id_, batch.data.rows(), batch.data.columns());
    return -model.log_prob(batch.data + noise * deviation_, pass);
  }

 private:
  ComponentId id_;
  T deviation_;
};

constexpr Field kFields[] = {
    real("deviation", "0.05", "s, the standard deviation of the noise, in preprocessed units").at_least(0),
};

constexpr Example kExamples[] = {
    {"default", "my_name"},
    {"none", "my_name: {deviation: 0.0}"},
};

constexpr const char kDocumentation[] = R"(
`loss = -mean_i log p(y_i + s e_i)` with independent standard normal `e_i` in every step, which keeps a density from
gathering at single points; without noise, and with held-out rows, the negative log-likelihood.

J. Rothfuss, F. Ferreira, S. Boehm, S. Walther, M. Ulrich, T. Asfour, A. Krause, Noise regularization for conditional
density estimation, 2019.
)";

constexpr ComponentInfo kComponents[] = {
    describe<MyName>("objective", "my_name", "Likelihood of data with noise", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
