// The kit tests itself: a correct objective of each sort passes; with one fault it fails exactly the checks of the
// fault.
#include <atomic>

#include "pushforward/testing/count_allocations.h"
#include "support/kit_subjects.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

enum class Fault {
  none,
  gradient_scaled,
  weights_twice,
  weights_ignored,
  shard_mean,
  draws_by_shard,
  not_keyed,
  undeclared_samples,
  undeclared_target,
  undeclared_data,
  not_finite,
  wrong_rows,
  wrong_reduce,
  allocates,
  throws_in_rows,
  path_gradient,
  path_gradient_declared,
  biased_gradient_declared,
};

/// -log p with faults; separable.
template <class T>
class Likelihood final : public Objective<T> {
 public:
  Likelihood(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}

  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    if (is(Fault::throws_in_rows)) throw Error("no such batch");
    Var<T> rows = negate(model.log_prob(batch.data, pass));
    if (is(Fault::gradient_scaled)) rows = with_gradient(rows, [](T& g, T adjoint) { g += T(1.01) * adjoint; });
    if (is(Fault::weights_twice) && batch.weights) rows = rows * batch.weights;
    if (is(Fault::shard_mean) && batch.rows > 0) rows = rows + column_sum(rows) * (T(0.1) / static_cast<T>(batch.rows));
    if (is(Fault::draws_by_shard)) rows = rows + of_the_shard(pass, batch.rows);
    if (is(Fault::not_keyed)) rows = rows + static_cast<T>(calls_++ % 5);
    if (is(Fault::undeclared_samples)) rows = rows + row_sum(model.sample(batch.rows, pass).value) * T(0);
    if (is(Fault::undeclared_target)) rows = rows + batch.target->log_density(batch.data, pass) * T(0);
    if (is(Fault::not_finite)) rows = rows + log(rows * T(0));
    if (is(Fault::wrong_rows)) rows = column_sum(rows);
    if (is(Fault::allocates)) {
      const std::vector<T> zeros(4, T(0));
      rows = rows + zeros.back();
    }
    return rows;
  }
  ObjectiveNeeds needs() const override {
    ObjectiveNeeds needs;
    needs.data = !is(Fault::undeclared_data);
    return needs;
  }

 private:
  bool is(Fault fault) const { return fault_ == fault; }
  /// The same draw for all rows of a shard: it depends on where the shard begins.
  static Var<T> of_the_shard(const Pass<T>& pass, Index rows) {
    return repeat_rows(pass.normal(ComponentId{4}, 1, 1), rows);
  }
  Fault fault_;
  mutable std::atomic<int> calls_ = 0;
};

/// Squared distance of the weighted means of data and model in log p, which no shard knows alone.
template <class T>
class Distance final : public Objective<T> {
 public:
  Distance(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    return concatenate({model.log_prob(batch.data, pass), batch.data});
  }
  Var<T> reduce(int, Var<T> rows, Var<T> weights, const Pass<T>& pass) const override {
    if (!weights || fault_ == Fault::weights_ignored) weights = pass.tape.full(rows.rows(), 1, T(1));
    const Var<T> mean = column_sum(rows * weights) / sum(weights);
    return fault_ == Fault::wrong_reduce ? square(mean) : row_sum(square(mean));
  }
  bool separable() const override { return false; }

 private:
  Fault fault_;
};

/// E[log q - log target], with the score of the samples or without it, which changes the gradient by what is zero on
/// average.
template <class T>
class Divergence final : public Objective<T> {
 public:
  Divergence(Built<T>&, const Surroundings&, Fault fault) : fault_(fault) {}
  Var<T> rows(int, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    const Sampled<T> s = model.sample_with_log_prob(batch.rows, pass);
    const Var<T> target = batch.target->log_density(s.value, pass.without_gradient());
    if (fault_ == Fault::none) return s.log_prob - target;
    Var<T> log_prob = model.log_prob(s.value, pass.without_gradient());
    if (fault_ == Fault::biased_gradient_declared) log_prob = stop_gradient(log_prob);
    return log_prob - target;
  }
  ObjectiveNeeds needs() const override {
    ObjectiveNeeds needs{.data = false, .model_log_prob = fault_ != Fault::none, .model_sample = true, .target = true};
    needs.exact_gradient = fault_ == Fault::none || fault_ == Fault::path_gradient;
    return needs;
  }

 private:
  Fault fault_;
};

/// A critic with a parameter of its own, and the model that it judges.
template <class T>
class Critic final : public Objective<T> {
 public:
  Critic(Built<T>& built, const Surroundings& around, Fault fault)
      : w_(declare(built, "critic.weight", around.event_shape.size(), 1)), fault_(fault) {}
  Var<T> rows(int phase, const Distribution<T>& model, const Batch<T>& batch, const Pass<T>& pass) const override {
    Var<T> w = pass(w_);
    if (fault_ == Fault::gradient_scaled) w = with_gradient(w, [](T& g, T adjoint) { g += T(2) * adjoint; });
    const Var<T> drawn = matmul(model.sample(batch.rows, pass).value, w);
    if (phase == 1) return softplus(negate(drawn));
    return softplus(drawn) + softplus(negate(matmul(batch.data, w)));
  }
  std::span<const PhaseInfo<T>> phases() const override { return phases_; }
  ObjectiveNeeds needs() const override { return {.data = true, .model_log_prob = false, .model_sample = true}; }

 private:
  Parameter w_;
  Fault fault_;
  PhaseInfo<T> phases_[2] = {{"critic", PhaseInfo<T>::Trains::objective, 1, nullptr},
                             {"model", PhaseInfo<T>::Trains::model, 1, nullptr}};
};

Subject likelihood(Fault fault) { return subject_of<Likelihood>("objective", "kit_likelihood", fault, 3); }
Subject distance(Fault fault) { return subject_of<Distance>("objective", "kit_distance", fault, 2); }
Subject divergence(Fault fault) { return subject_of<Divergence>("objective", "kit_divergence", fault, 2); }
Subject critic(Fault fault) { return subject_of<Critic>("objective", "kit_critic", fault, 2); }

}  // namespace

TEST_CASE("correct objectives pass: of data, of a whole batch, of samples, in phases") {
  for (const Subject& s :
       {likelihood(Fault::none), distance(Fault::none), divergence(Fault::none), critic(Fault::none)}) {
    const std::vector<CheckResult> results = testing::check(s);
    INFO(testing::to_text(results));
    CHECK(testing::passed(results));
    for (const CheckResult& r : results) CHECK(r.status == testing::Status::passed);
  }
}

TEST_CASE("faults of losses fail their checks") {
  SECTION("another loss at each call") {
    const std::set<std::string> failed = failed_checks(testing::check(likelihood(Fault::not_keyed)));
    CHECK(failed.count("loss") == 1);
  }
  SECTION("samples that are not declared") { expect_failures(likelihood(Fault::undeclared_samples), {"loss"}); }
  SECTION("a target that is not declared") { expect_failures(likelihood(Fault::undeclared_target), {"loss"}); }
  SECTION("data that are not declared") {
    const std::set<std::string> failed = failed_checks(testing::check(likelihood(Fault::undeclared_data)));
    CHECK(failed.count("loss") == 1);
  }
  SECTION("infinite") {
    const std::set<std::string> failed = failed_checks(testing::check(likelihood(Fault::not_finite)));
    CHECK(failed.count("loss") == 1);
  }
  SECTION("memory of the heap") { expect_failures(likelihood(Fault::allocates), {"allocations"}); }
}

TEST_CASE("faults of gradients of losses fail their checks") {
  SECTION("scaled") { expect_failures(likelihood(Fault::gradient_scaled), {"loss_gradient"}); }
  SECTION("scaled, of the critic's own") { expect_failures(critic(Fault::gradient_scaled), {"loss_gradient"}); }
  SECTION("exact on average, which is not declared") {
    expect_failures(divergence(Fault::path_gradient), {"loss_gradient"});
  }
  SECTION("exact on average, and declared") { expect_failures(divergence(Fault::path_gradient_declared), {}); }
  SECTION("declared exact on average, but not") {
    expect_failures(divergence(Fault::biased_gradient_declared), {"loss_gradient"});
  }
}

TEST_CASE("faults of weights and shards fail their checks") {
  SECTION("weights used twice") { expect_failures(likelihood(Fault::weights_twice), {"weights"}); }
  SECTION("weights ignored") { expect_failures(distance(Fault::weights_ignored), {"weights"}); }
  SECTION("the mean of a shard") {
    const std::set<std::string> failed = failed_checks(testing::check(likelihood(Fault::shard_mean)));
    CHECK(failed.count("shards") == 1);
    CHECK(failed.count("loss_gradient") == 0);
  }
  SECTION("draws that depend on the shard") { expect_failures(likelihood(Fault::draws_by_shard), {"shards"}); }
}

TEST_CASE("what is no loss is reported by every check of it") {
  const auto expect = [](const Subject& s, const std::string& message) {
    const std::vector<CheckResult> results = testing::check(s);
    INFO(testing::to_text(results));
    for (const CheckResult& r : results) {
      if (r.check == "fields") continue;
      CHECK(r.status == testing::Status::failed);
      REQUIRE(!r.findings.empty());
      CHECK(r.findings[0].find(message) != std::string::npos);
    }
  };
  SECTION("rows of another number") { expect(likelihood(Fault::wrong_rows), "rows: 1 x 1 for a shard of 48 rows"); }
  SECTION("no scalar") { expect(distance(Fault::wrong_reduce), "reduce: the result is not 1 x 1"); }
  SECTION("an exception") { expect(likelihood(Fault::throws_in_rows), "it threw: no such batch"); }
}
