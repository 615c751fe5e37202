// gaussian_mixture: a weighted sum of normal distributions, started by k-means.
//
// | parameter | shape | meaning |
// | --- | --- | --- |
// | logits | 1 x K | logarithms of the weights, up to a constant |
// | means | K x D | |
// | log_scales | K x D | logarithms of the standard deviations, for diagonal; K x 1 for spherical |
// | | | of those of an element given the ones before it, for full; 1 x D for tied |
// | coefficients | K x D (D - 1) / 2 | how an element depends on the ones before it, row by row; for full; 1 x ... for
// tied |
//
// The covariance matrices of full and tied are those of a chain of regressions, y_i - m_i = sum_{j<i} c_ij (y_j - m_j)
// + e^{l_i} z_i with standard normal z: every number of l and c is free, and neither a density nor a sample needs a
// solve.
//
// Pourahmadi, "Joint mean-covariance models with applications to longitudinal data", Biometrika 1999 (the regressions);
// Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007 (the start).
#include <algorithm>
#include <cmath>

#include "pushforward/clusters.h"
#include "pushforward/gaussian_parts.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;                  // NOLINT: one component, one file
using namespace pushforward::gaussian_parts;  // NOLINT

template <class T>
class GaussianMixture final : public Distribution<T> {
 public:
  explicit GaussianMixture(Build<T>& build)
      : shape_(build.own_event_shape("shape")),
        form_{build.integer("components"), shape_.size(), covariance_of(build.text("covariance"))},
        initialisation_(build.text("initialisation")),
        learnable_(build.boolean("learnable")),
        id_(build.id()) {
    read_given(build);
    if (!learnable_ && !(means_given_ && scales_given_))
      build.fail(means_given_ ? "scales" : "means", "must be given where the numbers are not learned");
    declare(build);
  }

  Var<T> log_prob_parts(Var<T> y, const Pass<T>& pass) const override {
    require_columns("gaussian_mixture", y.columns(), form_.size);
    if (pass.mode == Mode::initialise && learnable_) initialise(y.value(), pass);
    const Vars v = numbers(pass);
    const Var<T> out = pass.tape.make(y.rows(), form_.parts);
    const Part<T>* parts = tabulate(form_, v.values(), pass.tape);
    evaluate(form_, parts, y.value(), out.data(), pass.tape);
    pass.tape.primitive(
        "gaussian_mixture.parts", {y, v.logits, v.means, v.log_scales, v.coefficients}, {out},
        [form = form_, parts](Vjp<T>& r) { pull_back(form, parts, r); },
        [form = form_](Jvp<T>& j) { push_forward(form, j); });
    return out;
  }
  Var<T> log_prob(Var<T> y, const Pass<T>& pass) const override { return log_sum_exp(log_prob_parts(y, pass)); }

  /// Each row's part is drawn by a uniform number of its own, and its event from that part alone.
  Sampled<T> sample(Index n, const Pass<T>& pass) const override {
    const Vars v = numbers(pass);
    const Part<T>* parts = tabulate(form_, v.values(), pass.tape);
    const Block<const T> share = softmax(v.logits).value(), u = pass.uniform(id_, n, 1, 0).value();
    const Block<const T> z = pass.normal(id_, n, form_.size, 1).value();
    const Var<T> out = pass.tape.make(n, form_.size);
    for (Index i = 0; i < n; ++i) {
      Index k = 0;
      for (double left = static_cast<double>(u(i, 0)) - static_cast<double>(share(0, 0));
           left > 0 && k + 1 < form_.parts;)
        left -= static_cast<double>(share(0, ++k));
      const Part<T>& part = parts[k];
      const T* c = part.coefficients;
      for (Index j = 0; j < form_.size; ++j) {
        T y = part.mean[j] + z(i, j) / part.reciprocal_scale[j];
        if (c)
          for (Index m = 0; m < j; ++m) y += *c++ * (out.data()(i, m) - part.mean[m]);
        out.data()(i, j) = y;
      }
    }
    return {out, {}};
  }

  Moments<T> moments(const Pass<T>& pass) const override {
    const Vars v = numbers(pass);
    const Part<T>* parts = tabulate(form_, v.values(), pass.tape);
    const Block<const T> share = softmax(v.logits).value();
    const Var<T> mean = pass.tape.full(1, form_.size, T(0)), variance = pass.tape.full(1, form_.size, T(0));
    for (Index j = 0; j < form_.size; ++j) {
      double first = 0, second = 0;
      for (Index k = 0; k < form_.parts; ++k) {
        const double w = static_cast<double>(share(0, k)), m = static_cast<double>(parts[k].mean[j]);
        first += w * m;
        second += w * (m * m + variance_of(parts[k], j));
      }
      mean.data()(0, j) = static_cast<T>(first);
      variance.data()(0, j) = static_cast<T>(second - first * first);
    }
    return {mean, variance};
  }

  Shape event_shape() const override { return shape_; }
  DistributionTraits traits() const override {
    DistributionTraits t;
    t.reparameterised = false;  // which part is drawn has no gradient
    return t;
  }

 private:
  struct Vars {
    Var<T> logits, means, log_scales, coefficients;
    Numbers<T> values() const {
      return {logits.value(), means.value(), log_scales.value(),
              coefficients ? coefficients.value() : Block<const T>{}};
    }
  };
  /// A block of numbers: a parameter, or fixed.
  struct Held {
    Parameter parameter;
    std::vector<T> fixed;
  };

  // --- what is given ---

  void read_given(Build<T>& build) {
    const auto parts = static_cast<std::size_t>(form_.parts), size = static_cast<std::size_t>(form_.size);
    weights_given_ = build.given("weights");
    means_given_ = build.given("means");
    scales_given_ = build.given("scales");
    start_.logits.assign(parts, 0.0);
    if (weights_given_) {
      start_.logits = listed(build, "weights", {parts}, "one for each component");
      for (double& w : start_.logits) w = std::log(positive(build, "weights", w));
    }
    if (means_given_)
      start_.means = listed(build, "means", {parts * size}, "the elements of each component's mean, one after another");
    start_.coefficients.assign(static_cast<std::size_t>(form_.scale_rows() * form_.coefficients()), 0.0);
    start_.log_scales.assign(static_cast<std::size_t>(form_.scale_rows() * form_.scale_columns()), 0.0);
    if (!scales_given_) return;
    if (form_.regressions()) return read_factors(build);
    const std::size_t all = start_.log_scales.size();
    const std::vector<double> given =
        listed(build, "scales", {1, all}, "one for all, or one for each component and element (spherical: component)");
    for (std::size_t n = 0; n < all; ++n)
      start_.log_scales[n] = std::log(positive(build, "scales", given[given.size() == 1 ? 0 : n]));
  }

  /// Lower triangles, row by row.
  void read_factors(Build<T>& build) {
    const Index size = form_.size, triangle = size * (size + 1) / 2;
    const std::vector<double> given =
        listed(build, "scales", {static_cast<std::size_t>(form_.scale_rows() * triangle)},
               "the lower triangle of a factor of the covariance matrix, row by row (full: of each component)");
    start_.log_scales.clear();
    start_.coefficients.clear();
    for (Index m = 0; m < form_.scale_rows(); ++m) {
      std::vector<double> factor(static_cast<std::size_t>(size * size), 0.0);
      for (Index i = 0, at = m * triangle; i < size; ++i)
        for (Index j = 0; j <= i; ++j, ++at) {
          const double number = given[static_cast<std::size_t>(at)];
          factor[static_cast<std::size_t>(i * size + j)] = i == j ? positive(build, "scales", number) : number;
        }
      append_regressions(factor, size, start_);
    }
  }

  std::vector<double> listed(Build<T>& build, const char* field, std::initializer_list<std::size_t> counts,
                             const char* meaning) const {
    const std::vector<double> given = build.reals(field);
    if (std::find(counts.begin(), counts.end(), given.size()) == counts.end())
      build.fail(field, "has " + std::to_string(given.size()) + " numbers, but " + std::to_string(form_.parts) +
                            " components of events of " + std::to_string(form_.size) + " elements need " +
                            std::to_string(*(counts.end() - 1)) + ": " + meaning);
    return given;
  }
  static double positive(Build<T>& build, const char* field, double number) {
    if (!(number > 0))
      build.fail(field, "holds " + std::to_string(number) +
                            ", but weights, deviations and the diagonals of factors must be above 0");
    return number;
  }

  // --- numbers ---

  void declare(Build<T>& build) {
    logits_ = held(build, "logits", 1, form_.parts, Initial::values(start_.logits), Role::other);
    // Nothing else tells components apart where no batch is seen.
    means_ =
        held(build, "means", form_.parts, form_.size,
             means_given_ ? Initial::values(by_columns(start_.means, form_.parts)) : Initial::normal(1), Role::other);
    log_scales_ = held(build, "log_scales", form_.scale_rows(), form_.scale_columns(),
                       Initial::values(by_columns(start_.log_scales, form_.scale_rows())), Role::scale);
    if (form_.coefficients() > 0)
      coefficients_ = held(build, "coefficients", form_.scale_rows(), form_.coefficients(),
                           Initial::values(by_columns(start_.coefficients, form_.scale_rows())), Role::other);
    if (learnable_) initialised_ = build.integer_state("initialised", {0});
  }
  Held held(Build<T>& build, const char* name, Index rows, Index columns, const Initial& start, Role role) const {
    if (learnable_) return {build.parameter(name, rows, columns, start, role), {}};
    Held h{{}, std::vector<T>(start.given.begin(), start.given.end())};
    h.parameter.rows = rows;
    h.parameter.columns = columns;
    return h;
  }
  /// From row after row to column after column.
  static std::vector<double> by_columns(const std::vector<double>& numbers, Index rows) {
    std::vector<double> sorted;
    const std::size_t columns = numbers.size() / static_cast<std::size_t>(rows);
    for (std::size_t j = 0; j < columns; ++j)
      for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) sorted.push_back(numbers[i * columns + j]);
    return sorted;
  }

  Var<T> number(const Held& held, const Pass<T>& pass) const {
    if (learnable_) return pass(held.parameter);
    return pass.tape.constant(compact(held.fixed.data(), held.parameter.rows, held.parameter.columns));
  }
  Vars numbers(const Pass<T>& pass) const {
    return {number(logits_, pass), number(means_, pass), number(log_scales_, pass),
            form_.coefficients() > 0 ? number(coefficients_, pass) : Var<T>()};
  }

  // --- the first batch ---

  void initialise(Block<const T> y, const Pass<T>& pass) const {
    if (initialisation_ == "none" || pass.integers(initialised_)[0] != 0) return;
    const Clusters clusters = clusters_of(y, pass);
    pass.writable_integers(initialised_)[0] = 1;
    if (!weights_given_)
      for (Index k = 0; k < form_.parts; ++k)
        pass.writable(logits_.parameter)(0, k) = static_cast<T>(std::log(clusters.share(k)));
    if (!means_given_) write(clusters.centres, pass.writable(means_.parameter));
    if (scales_given_) return;
    Start start;
    spread(y, clusters, start);
    write(start.log_scales, pass.writable(log_scales_.parameter));
    if (form_.coefficients() > 0) write(start.coefficients, pass.writable(coefficients_.parameter));
  }

  Clusters clusters_of(Block<const T> y, const Pass<T>& pass) const {
    if (means_given_) return nearest_centres<T>(y, start_.means, form_.parts);
    const Draws draws = pass.shared_draws(id_);
    try {
      return initialisation_ == "kmeans" ? k_means(y, form_.parts, draws) : random_centres(y, form_.parts, draws);
    } catch (const DataError& e) {
      throw DataError(this->path() + ": the first batch cannot start " + std::to_string(form_.parts) + " components: " +
                      e.what() + "; take fewer components, a larger batch, or `initialisation: none`");
    }
  }

  /// Scales and coefficients of the clusters' variances or covariances.
  void spread(Block<const T> y, const Clusters& clusters, Start& start) const {
    const auto size = static_cast<std::size_t>(form_.size);
    if (form_.regressions()) {
      const std::vector<double> all = covariances_within(y, clusters, form_.covariance == Covariance::tied);
      for (std::size_t at = 0; at < all.size(); at += size * size) {
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(at);
        std::vector<double> matrix(first, first + static_cast<std::ptrdiff_t>(size * size));
        factorise(matrix, form_.size);
        append_regressions(matrix, form_.size, start);
      }
      return;
    }
    const std::vector<double> all = variances_within(y, clusters);
    const std::size_t alike = size / static_cast<std::size_t>(form_.scale_columns());
    for (std::size_t at = 0; at < all.size(); at += alike) {
      double mean = 0;
      for (std::size_t j = 0; j < alike; ++j) mean += all[at + j] / static_cast<double>(alike);
      start.log_scales.push_back(0.5 * std::log(mean));
    }
  }

  /// Numbers row after row.
  static void write(const std::vector<double>& numbers, Block<T> out) {
    for (Index i = 0; i < out.rows; ++i)
      for (Index j = 0; j < out.columns; ++j)
        out(i, j) = static_cast<T>(numbers[static_cast<std::size_t>(i * out.columns + j)]);
  }

  /// Of element i: what z_j has in it, M_ij e^{l_j}, with row i of M = (I - C)^-1 from right to left.
  double variance_of(const Part<T>& part, Index i) const {
    std::vector<double> row(static_cast<std::size_t>(i + 1), 0.0);
    row.back() = 1;
    double variance = 0;
    for (Index j = i; j >= 0; --j) {
      const double own = row[static_cast<std::size_t>(j)];
      const double deviation = own / static_cast<double>(part.reciprocal_scale[j]);
      variance += deviation * deviation;
      for (Index k = 0; k < j && part.coefficients; ++k)
        row[static_cast<std::size_t>(k)] += own * static_cast<double>(part.coefficients[Form::row_start(j) + k]);
    }
    return variance;
  }

  Shape shape_;
  Form form_;
  std::string initialisation_;
  bool learnable_, weights_given_ = false, means_given_ = false, scales_given_ = false;
  ComponentId id_;
  Start start_;
  Held logits_, means_, log_scales_, coefficients_;
  State initialised_;
};

constexpr Field kFields[] = {
    integers("shape", kOptional, "shape of an event; left out, that of the data or of the bijectors above").at_least(1),
    integer("components", kRequired, "how many normal distributions").at_least(1),
    choice("covariance", "diagonal", "diagonal|spherical|full|tied",
           "of each component: independent elements, all of them alike, any matrix, or one matrix for all components"),
    choice("initialisation", "kmeans", "kmeans|random|none",
           "start at the clusters of the first batch, at random rows of it, or without looking at it"),
    boolean("learnable", "true", "false: the numbers stay as given"),
    reals("weights", kOptional, "one for each component, in proportion; left out, equal or from the first batch")
        .above(0),
    reals("means", kOptional, "of each component, one after another; left out, from the first batch"),
    reals("scales", kOptional,
          "standard deviations, one for all or for each component one after another; for full and tied the lower "
          "triangles, row by row, of matrices L with covariance L L^T; left out, from the first batch"),
};

constexpr Example kExamples[] = {
    {"default", "gaussian_mixture: {components: 3}", 2},
    {"spherical", "gaussian_mixture: {components: 2, covariance: spherical, initialisation: random}", 3},
    {"full", "gaussian_mixture: {components: 3, covariance: full}", 2},
    {"full_of_four", "gaussian_mixture: {components: 2, covariance: full, initialisation: none}", 4},
    {"tied", "gaussian_mixture: {components: 3, covariance: tied}", 2},
    {"one_element", "gaussian_mixture: {shape: [1], components: 2, covariance: full}", 1},
    {"numbers",
     "gaussian_mixture: {components: 2, learnable: false, weights: [1.0, 3.0], means: [-1.0, 0.0, 2.0, 1.0], scales: "
     "[0.5, 1.0, 1.0, 0.7]}",
     2},
    {"factors",
     "gaussian_mixture: {components: 2, covariance: full, means: [-1.0, 0.0, 2.0, 1.0], scales: [0.5, 0.3, 1.0, 1.0, "
     "-0.5, 0.7]}",
     2},
};

constexpr const char kDocumentation[] = R"(
`log p(y) = log sum_k w_k N(y; m_k, S_k)`. Samples draw their component, then an event of it: exact, but which component
is drawn has no gradient, so objectives that differentiate through samples cannot use it. Mean and variance are
`sum_k w_k m_k` and `sum_k w_k (S_k,jj + m_kj^2)` less the square of the mean.

With the first batch of training, as it arrives here (for the base of a flow: behind the bijectors), means start at the
centres of k-means clusters, weights at the clusters' shares, and scales at what is within the clusters. What is given as
numbers starts there and is not overwritten; with `means` alone, the clusters are the rows nearest to them. Without a
batch (`initialisation: none`, or an objective without data) means start at random and scales at 1.

`full` and `tied` learn covariances as regressions of each element on those before it: `log_scales` are the logarithms of
the deviations that are left, `coefficients` what the elements before contribute.

Other libraries: scikit-learn's `GaussianMixture` with the same names of covariances (`diag` for diagonal), fitted by
expectation and maximisation; `MixtureSameFamily` of PyTorch and TensorFlow Probability.

M. Pourahmadi, Joint mean-covariance models with applications to longitudinal data, Biometrika 86 (1999); D. Arthur and
S. Vassilvitskii, k-means++: the advantages of careful seeding (2007).
)";

constexpr ComponentInfo kComponents[] = {describe<GaussianMixture>("distribution", "gaussian_mixture",
                                                                   "Weighted normal distributions, started by k-means",
                                                                   kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("gaussian_mixture", "0.1.0", "MIT", kComponents);
