// mixture: a weighted sum of the densities of any distributions, flows included.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | weights | 1 x K | if learnable: logarithms of the weights, up to a constant |
// | parts[i].location, or parts[i].copies[c].location | 1 x D | where the part is put; unless `placement` is none |
// | ... .scale | 1 x D | the logarithms of what the part is stretched by |
#include <cmath>

#include "pushforward/clusters.h"
#include "pushforward/operations.h"
#include "pushforward/parts.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

enum class Placement : std::uint8_t { none, kmeans, random };

/// Some rows of a block, as a batch of their own.
template <class T>
Var<T> gather(Var<T> from, const std::vector<Index>& rows) {
  const Var<T> some = from.tape().make(static_cast<Index>(rows.size()), from.columns());
  for (Index j = 0; j < some.columns(); ++j)
    for (Index i = 0; i < some.rows(); ++i) some.data()(i, j) = from.value()(rows[static_cast<std::size_t>(i)], j);
  return some;
}

template <class T>
class Mixture final : public Distribution<T> {
 public:
  explicit Mixture(Build<T>& build) : copies_(build.integer("copies")), id_(build.id()) {
    const Index listed = build.count("parts");
    if (listed == 0) build.fail("parts", "is empty: a mixture needs one distribution or more");
    placement_ = placement_of(build);
    weights_ = build.value("weights", listed * copies_, true);
    for (Index i = 0; i < listed; ++i)
      for (Index c = 0; c < copies_; ++c) add_part(build, i, c);
    if (placement_ == Placement::kmeans) initialised_ = build.integer_state("initialised", {0});
  }

  /// Of every row and part: log weight + log density.
  Var<T> log_prob_parts(Var<T> y, const Pass<T>& pass) const override {
    require_columns("mixture", y.columns(), shape_.size());
    if (pass.mode == Mode::initialise) {
      initialise(y, pass);
      return log_prob_parts(y, pass.with_mode(Mode::evaluate));
    }
    auto* densities = pass.tape.template scratch<Var<T>>(static_cast<Index>(parts_.size()));
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      densities[k] = density(k, y, pass);
      pass.check_finite(*parts_[k], densities[k]);
    }
    return concatenate<T>(std::span<const Var<T>>(densities, parts_.size())) + log_weights(pass);
  }
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override { return log_sum_exp(log_prob_parts(y, pass)); }

  /// Every part draws for every row, and a uniform number of the row says whose event it gets.
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Var<T> u = pass.uniform(id_, n, 1), below = cumulative_sum(exp(log_weights(pass)));
    Var<T> value = drawn(0, n, pass);
    for (std::size_t k = 1; k < parts_.size(); ++k)
      value = select(u - columns(below, static_cast<Index>(k) - 1, 1), drawn(k, n, pass), value);
    return {value, {}};
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    const Var<T> weights = exp(log_weights(pass));
    Var<T> first, second;
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      const Moments<T> m = placed_moments(k, pass);
      if (!m.mean || !m.variance) return {};
      const Var<T> w = columns(weights, static_cast<Index>(k), 1), squares = m.variance + square(m.mean);
      first = first ? first + w * m.mean : w * m.mean;
      second = second ? second + w * squares : w * squares;
    }
    return {first, second - square(first)};
  }

  Shape event_shape() const override { return shape_; }
  Support support() const override { return support_of(parts_); }
  DistributionTraits traits() const override {
    DistributionTraits t = traits_of(parts_);
    t.needs_context |= weights_.needs_context();
    t.reparameterised = false;  // which part is drawn has no gradient
    return t;
  }

 private:
  /// Part k is that of `parts_` at y = location + e^scale x.
  struct Place {
    Parameter location, scale;
  };

  // --- what is given ---

  Placement placement_of(Build<T>& build) const {
    if (!build.given("placement")) return copies_ > 1 ? Placement::kmeans : Placement::none;
    const std::string name = build.text("placement");
    return name == "kmeans" ? Placement::kmeans : name == "random" ? Placement::random : Placement::none;
  }

  void add_part(Build<T>& build, Index i, Index c) {
    std::string name = "parts[" + std::to_string(i) + "]";
    if (copies_ > 1) name += ".copies[" + std::to_string(c) + "]";
    parts_.push_back(build.template child<Distribution<T>>("parts", build.surroundings(), i, name));
    const Distribution<T>& part = *parts_.back();
    if (parts_.size() == 1) shape_ = part.event_shape();
    if (!(part.event_shape() == shape_))
      build.fail("parts", "are of different events: those of parts[0] have the shape " + shape_.to_string() +
                              ", those of parts[" + std::to_string(i) + "] " + part.event_shape().to_string());
    if (placement_ == Placement::none) return;
    const Support s = part.support();
    if (std::isfinite(s.lower) || std::isfinite(s.upper))
      build.fail(build.given("placement") ? "placement" : "copies",
                 "would move parts[" + std::to_string(i) + "], whose values are bounded; `placement: none` leaves " +
                     "every part where it is");
    const Index size = shape_.size();
    places_.push_back({build.parameter(name + ".location", 1, size, Initial::normal(1), Role::other),
                       build.parameter(name + ".scale", 1, size, Initial::constant(0), Role::scale)});
  }

  // --- parts where they are put ---

  /// 1 x K or N x K.
  Var<T> log_weights(const Pass<T>& pass) const {
    const Var<T> logits = weights_.logarithm(pass);
    return logits - log_sum_exp(logits);
  }
  Var<T> unplaced(std::size_t k, Var<T> y, const Pass<T>& pass) const {
    return (y - pass(places_[k].location)) * exp(-pass(places_[k].scale));
  }
  Var<T> density(std::size_t k, Var<T> y, const Pass<T>& pass) const {
    if (places_.empty()) return parts_[k]->log_prob(y, pass);
    return parts_[k]->log_prob(unplaced(k, y, pass), pass) - row_sum(pass(places_[k].scale));
  }
  Var<T> drawn(std::size_t k, Index n, const Pass<T>& pass) const {
    const Var<T> x = parts_[k]->sample(n, pass).value;
    return places_.empty() ? x : x * exp(pass(places_[k].scale)) + pass(places_[k].location);
  }
  Moments<T> placed_moments(std::size_t k, const Pass<T>& pass) const {
    const Moments<T> m = parts_[k]->moments(pass);
    if (places_.empty() || !m.mean || !m.variance) return m;
    const Var<T> scale = exp(pass(places_[k].scale));
    return {m.mean * scale + pass(places_[k].location), m.variance * square(scale)};
  }

  // --- the first batch ---

  /// Puts every part on a cluster of the batch, whose rows alone are what the part starts from; or, without a
  /// placement, from all rows.
  void initialise(Var<T> y, const Pass<T>& pass) const {
    if (placement_ != Placement::kmeans) {
      for (std::size_t k = 0; k < parts_.size(); ++k) density(k, y, pass);
      return;
    }
    const bool first = pass.integers(initialised_)[0] == 0;
    const Clusters clusters = first ? clusters_of(y.value(), pass) : nearest(y.value(), pass);
    if (first) place(y.value(), clusters, pass);
    for (std::size_t k = 0; k < parts_.size(); ++k) start_part(k, y, clusters, pass);
  }

  void place(Block<const T> y, const Clusters& clusters, const Pass<T>& pass) const {
    const std::vector<double> variances = variances_within(y, clusters);
    pass.writable_integers(initialised_)[0] = 1;
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      const auto part = static_cast<Index>(k);
      if (weights_.source == FieldValue<T>::Source::learnable)
        pass.writable(weights_.parameter)(0, part) = static_cast<T>(std::log(clusters.share(part)));
      const Block<T> location = pass.writable(places_[k].location), scale = pass.writable(places_[k].scale);
      for (Index j = 0; j < y.columns; ++j) {
        const auto at = static_cast<std::size_t>(part * y.columns + j);
        location(0, j) = static_cast<T>(clusters.centres[at]);
        scale(0, j) = static_cast<T>(0.5 * std::log(variances[at]));
      }
    }
  }

  void start_part(std::size_t k, Var<T> y, const Clusters& clusters, const Pass<T>& pass) const {
    std::vector<Index> rows;
    for (std::size_t i = 0; i < clusters.of_row.size(); ++i)
      if (clusters.of_row[i] == static_cast<Index>(k)) rows.push_back(static_cast<Index>(i));
    if (rows.empty()) return;
    const Pass<T>& own = pass.context ? pass.with_context(gather(pass.context, rows)) : pass;
    density(k, gather(y, rows), own);
  }

  Clusters clusters_of(Block<const T> y, const Pass<T>& pass) const {
    try {
      return k_means(y, static_cast<Index>(parts_.size()), pass.shared_draws(id_));
    } catch (const DataError& e) {
      throw DataError(this->path() + ": the first batch cannot say where to put " + std::to_string(parts_.size()) +
                      " parts: " + e.what() + "; take fewer copies, a larger batch, or `placement: random`");
    }
  }

  /// Where the parts stand, for procedures that make several passes.
  Clusters nearest(Block<const T> y, const Pass<T>& pass) const {
    std::vector<double> centres;
    for (const Place& place : places_)
      for (Index j = 0; j < y.columns; ++j) centres.push_back(static_cast<double>(pass(place.location).value()(0, j)));
    return nearest_centres<T>(y, centres, static_cast<Index>(parts_.size()));
  }

  Index copies_;
  ComponentId id_;
  Placement placement_ = Placement::none;
  FieldValue<T> weights_;
  Shape shape_;
  Parts<T> parts_;             // listed part by listed part, copy by copy
  std::vector<Place> places_;  // of each part; none: they are left where they are
  State initialised_;
};

constexpr Field kFields[] = {
    components("parts", "distribution", kRequired, "the distributions that are mixed"),
    integer("copies", "1", "how many of each part, with numbers of their own").at_least(1),
    value("weights", "learnable", "one for each part, in proportion: numbers, `learnable`, or a network of the context")
        .above(0),
    choice(
        "placement", kOptional, "kmeans|random|none",
        "every part is moved and stretched by numbers that are learned, and starts at a cluster of the first batch, at "
        "random, or is left where it is; left out, kmeans if there are copies, else none"),
};

constexpr Example kExamples[] = {
    {"normals",
     "mixture: {parts: [{normal: {mean: -1.5, scale: learnable}}, {normal: {mean: {learnable: [1.0, 2.0]}}}]}", 2},
    {"copies", "mixture: {parts: [normal], copies: 3}", 2},
    {"weights", "mixture: {parts: [{normal: {mean: -2}}, {normal: {mean: 1}}], weights: [1.0, 3.0], placement: none}",
     2},
    {"placed", "mixture: {parts: [normal, {normal: {scale: [2.0, 0.5]}}], placement: kmeans}", 2},
    {"flows",
     "mixture: {parts: [{base: normal, bijectors: [{elementwise: {transformer: affine}}]}, {base: normal, bijectors: "
     "[{elementwise: {transformer: sinh_arcsinh}}]}]}",
     2},
    {"copies_of_a_flow",
     "mixture: {parts: [{base: normal, bijectors: [{coupling: {transformer: affine, network: {mlp: {hidden: [4], "
     "activation: tanh}}}}]}], copies: 2, placement: random}",
     2},
    {"conditional",
     "mixture: {parts: [{normal: {mean: {network: {mlp: {hidden: [4], activation: tanh}}}}}], copies: 2, weights: "
     "{network: {mlp: {hidden: [4], activation: tanh}}}}",
     1, 2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = log sum_k w_k p_k(y)`, with weights that add up to 1: of numbers, each is divided by their sum; a network of
the context gives their logarithms, up to a constant. Every part
draws for every row of a sample, of which one event is taken: exact, the same in every shard, and as dear as all parts
together; but which part is drawn has no gradient, so objectives that differentiate through samples cannot use it. Mean
and variance are `sum_k w_k m_k` and `sum_k w_k (v_k + m_k^2)` less the square of the mean, where all parts know theirs.

Parts that start alike learn alike, and stay alike: as good as one part. So copies are placed: copy k is
`y = location_k + e^scale_k x`, x from the part, elementwise. With `placement: kmeans` the locations start at the centres of
k-means clusters of the first batch, scales at the deviations within them, weights that are learned at their shares, and
what a part itself learns from the first batch it learns from its cluster. With `random`, and where an objective has no
data, locations start at standard normal numbers. Parts that are listed one by one are left where they are: start them
apart, as in `normal: {mean: {learnable: [1.0, 2.0]}}`, or give a `placement`. Only parts whose values are unbounded can be
placed. For normal parts, `gaussian_mixture` is the same in one step, several times faster.

Other libraries: PyTorch's and TensorFlow Probability's `MixtureSameFamily` and `Mixture`.

G. McLachlan and D. Peel, Finite mixture models (2000); C. Bishop, Mixture density networks (1994), for weights that are
networks.
)";

constexpr ComponentInfo kComponents[] = {describe<Mixture>(
    "distribution", "mixture", "A weighted sum of any distributions", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("mixture", "0.1.0", "MIT", kComponents);
