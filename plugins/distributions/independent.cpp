// independent: a product of distributions, each over its own stretch of the event.
#include "pushforward/operations.h"
#include "pushforward/parts.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

/// Blocks of one row or of all rows, side by side.
template <class T>
Var<T> beside(std::vector<Var<T>> parts) {
  Index rows = 1;
  for (const Var<T>& part : parts) rows = std::max(rows, part.rows());
  for (Var<T>& part : parts)
    if (part.rows() != rows) part = repeat_rows(part, rows);
  return concatenate<T>(parts);
}

template <class T>
class Independent final : public Distribution<T> {
 public:
  explicit Independent(Build<T>& build) {
    const Index count = build.count("parts");
    if (count == 0) build.fail("parts", "is empty: a product needs one distribution or more");
    const std::vector<Shape> shapes = shapes_of(build, count);
    Index total = 0;
    for (Index k = 0; k < count; ++k) {
      parts_.push_back(build.distribution("parts", shapes[static_cast<std::size_t>(k)], k));
      sizes_.push_back(parts_.back()->event_shape().size());
      total += sizes_.back();
    }
    shape_ = build.event_shape().rank() > 0 ? build.event_shape() : Shape{total};
    if (total != shape_.size())
      build.fail("parts", "have events of " + std::to_string(total) + " elements together, but the events here, " +
                              shape_.to_string() + ", have " + std::to_string(shape_.size()));
  }

  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override {
    require_columns("independent", y.columns(), shape_.size());
    Var<T> sum;
    Index first = 0;
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      const Var<T> density = parts_[k]->log_prob(columns(y, first, sizes_[k]), pass);
      pass.check_finite(*parts_[k], density);
      sum = sum ? sum + density : density;
      first += sizes_[k];
    }
    return sum;
  }

  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    auto* values = pass.tape.template scratch<Var<T>>(static_cast<Index>(parts_.size()));
    Var<T> sum;
    bool free = true;
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      const Sampled<T> s = parts_[k]->sample(n, pass);
      values[k] = s.value;
      free &= static_cast<bool>(s.log_prob);
      if (free) sum = sum ? sum + s.log_prob : s.log_prob;
    }
    return {concatenate<T>(std::span<const Var<T>>(values, parts_.size())), free ? sum : Var<T>()};
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    std::vector<Var<T>> means, variances;
    for (const auto& part : parts_) {
      const Moments<T> m = part->moments(pass);
      if (!m.mean || !m.variance) return {};
      means.push_back(m.mean);
      variances.push_back(m.variance);
    }
    return {beside<T>(means), beside<T>(variances)};
  }

  Shape event_shape() const override { return shape_; }
  Support support() const override { return support_of(parts_); }
  DistributionTraits traits() const override { return traits_of(parts_); }

 private:
  /// Of each part's event; empty where the part says it itself.
  static std::vector<Shape> shapes_of(Build<T>& build, Index count) {
    if (!build.given("sizes")) return std::vector<Shape>(static_cast<std::size_t>(count));
    const std::vector<Index> sizes = build.integers("sizes");
    if (static_cast<Index>(sizes.size()) != count)
      build.fail("sizes", "has " + std::to_string(sizes.size()) + " numbers, but there are " + std::to_string(count) +
                              " parts: give one for each");
    std::vector<Shape> shapes;
    for (const Index size : sizes) shapes.push_back(Shape{size});
    return shapes;
  }

  Parts<T> parts_;
  std::vector<Index> sizes_;  // elements of each part
  Shape shape_;
};

constexpr Field kFields[] = {
    components("parts", "distribution", kRequired, "the distributions, in the order of the elements that they are of"),
    integers("sizes", kOptional, "elements of each part; left out, each part's own `shape` says it").at_least(1),
};

constexpr Example kExamples[] = {
    {"shapes", "independent: {parts: [{normal: {shape: [1]}}, {normal: {shape: [1], scale: learnable}}]}", 2},
    {"sizes", "independent: {parts: [{normal: {mean: learnable}}, {normal: {scale: learnable}}], sizes: [2, 1]}", 3},
    // Equal intervals: see `uniform`.
    {"bounded", "independent: {parts: [{uniform: {low: -1}}, {uniform: {low: -1}}], sizes: [1, 1]}", 2},
    {"flow", "independent: {parts: [normal, {base: normal, bijectors: [affine]}], sizes: [1, 1]}", 2},
    {"conditional",
     "independent: {parts: [{normal: {mean: {network: {mlp: {hidden: [4], activation: tanh}}}}}, normal], sizes: [1, "
     "1]}",
     2, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = sum_k log p_k(y_k)`, where y_k is the stretch of the event that part k is a distribution of: the first part
has the first elements, and so on. Parts may have unlike supports: the density is zero where a part's is. What is said of
the support as one interval is the smallest that holds all of them.

Elements that are alike need no product: `normal`, `uniform` and the others are independent elements by themselves, with
numbers for each. With a flow among the parts, give `sizes`.

Other libraries: TensorFlow Probability's `Blockwise`.
)";

constexpr ComponentInfo kComponents[] = {describe<Independent>("distribution", "independent",
                                                               "A product of distributions over stretches of the event",
                                                               kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("independent", "0.1.0", "MIT", kComponents);
