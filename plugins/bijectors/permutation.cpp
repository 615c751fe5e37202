// permutation: y_j = x_{order[j]}, the elements of an event in another order.
//
// | state | meaning |
// | --- | --- |
// | order | D integers, drawn or given once; a checkpoint carries them |
//
// Kingma and Dhariwal, "Glow", 2018, compare flips, random permutations and their learnable kin.
#include <algorithm>
#include <numeric>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
std::vector<Index> given_order(Build<T>& build, Index size) {
  std::vector<Index> order = build.integers("order");
  std::vector<Index> sorted = order, wanted(static_cast<std::size_t>(size));
  std::sort(sorted.begin(), sorted.end());
  std::iota(wanted.begin(), wanted.end(), Index{0});
  if (sorted != wanted)
    build.fail("order", "must hold each of 0 to " + std::to_string(size - 1) + " once, for events of " +
                            std::to_string(size) + " elements");
  return order;
}

template <class T>
std::vector<Index> order_of(Build<T>& build) {
  const std::string kind = build.text("kind");
  const bool given = build.given_for("order", "kind", "given");
  const Index shift = build.given_for("shift", "kind", "roll") ? build.integer("shift") : 1;
  const Index seed = build.given_for("seed", "kind", "random") ? build.integer("seed") : 0;
  const Index size = build.event_size();
  if (kind == "given") {
    if (!given) build.fail("order", "is needed by kind: given");
    return given_order(build, size);
  }
  std::vector<Index> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), Index{0});
  if (kind == "flip") std::reverse(order.begin(), order.end());
  if (kind == "roll") std::rotate(order.begin(), order.begin() + ((-shift % size) + size) % size, order.end());
  if (kind == "random") random_permutation(static_cast<std::uint64_t>(seed), build.id().value, 0, size, order.data());
  return order;
}

template <class T>
class Permutation final : public Bijector<T> {
 public:
  explicit Permutation(Build<T>& build) : order_(build.integer_state("order", order_of(build))) {}

  Mapped<T> forward(Var<T> x, const Pass<T>& pass) const override { return moved(x, pass.integers(order_)); }

  Mapped<T> inverse(Var<T> y, const Pass<T>& pass) const override {
    const std::span<const Index> order = pass.integers(order_);
    Index* back = pass.tape.template scratch<Index>(order_.size);
    for (Index j = 0; j < order_.size; ++j) back[order[static_cast<std::size_t>(j)]] = j;
    return moved(y, {back, order.size()});
  }

  Traits traits() const override {
    Traits t;
    t.permutation = t.constant_log_det = true;
    return t;
  }

 private:
  Mapped<T> moved(Var<T> x, std::span<const Index> order) const {
    require_columns("permutation", x.columns(), order_.size);
    return {permute(x, order), x.tape().full(x.rows(), 1, T(0))};
  }

  State order_;
};

constexpr Field kFields[] = {
    choice(
        "kind", "random", "flip|roll|random|given",
        "the order reversed; every element `shift` places further, the last ones to the front; drawn from `seed` and "
        "the component's place; `order`"),
    integer("shift", kOptional, "with kind: roll: places, to the right; 1 if left out"),
    integer("seed", kOptional, "with kind: random: 0 if left out").at_least(0),
    integers("order", kOptional, "with kind: given: element j of the data is element order[j] of the base").at_least(0),
};

constexpr Example kExamples[] = {
    {"random", "permutation", 5},
    {"seed", "permutation: {kind: random, seed: 7}", 3},
    {"flip", "permutation: {kind: flip}", 3},
    {"roll", "permutation: {kind: roll}", 3},
    {"roll_back", "permutation: {kind: roll, shift: -2}", 5},
    {"given", "permutation: {kind: given, order: [2, 0, 1]}", 3},
};

constexpr const char kDocumentation[] = R"(
From base to data `y_j = x_{order[j]}`, back `x_{order[j]} = y_j`; log_det 0.

`roll` is numpy's: with `shift: 1`, `y = (x_{D-1}, x_0, x_1, ...)`. A random order is drawn when the model is built,
from `seed` and the component's place in it, so the permutations of a `repeat` differ; it is state, which a checkpoint
saves and loads.

D. P. Kingma, P. Dhariwal, Glow: generative flow with invertible 1x1 convolutions, NeurIPS 2018.
)";

constexpr ComponentInfo kComponents[] = {describe<Permutation>(
    "bijector", "permutation", "The elements of an event in another order", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("permutation", "0.1.0", "MIT", kComponents);
