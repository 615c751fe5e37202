// Grid: a density of one or two elements on a grid that covers its support, for integrals, moments and counts.
#pragma once

#include "case.h"
#include "tally.h"

namespace pushforward::testing {

/// One axis: points y(t) at equal steps of t. y is a + s sinh(t) on the line, a + exp(t) on half of it,
/// and tanh(sinh(t)) on an interval, so that tails and singular ends are covered by a few thousand points.
struct Axis {
  Support support;
  double centre = 0, scale = 1;
  double first = 0, step = 1;  // t of point 0, and between points
  Index points = 0;

  double y(double t) const;
  double slope(double t) const;  // dy/dt
  double t(double y) const;
  double at(Index i) const { return first + step * static_cast<double>(i); }
};

class Grid {
 public:
  using LogDensity = std::function<std::vector<double>(const Array& y)>;

  /// Finds the box outside of which nothing is, by a coarse look, and evaluates the density on it. `centre` and `scale`
  /// are rough ones of every element.
  Grid(const LogDensity& log_density, const Support& support, const std::vector<double>& centre,
       const std::vector<double>& scale, Index points_per_axis);

  Index dimensions() const { return static_cast<Index>(axes_.size()); }
  const Axis& axis(Index d) const { return axes_[static_cast<std::size_t>(d)]; }
  /// Share of the mass around each point, points of axis 0 together.
  const std::vector<double>& mass() const { return mass_; }
  /// Sum of the mass with every `stride`-th point of each axis.
  double integral(Index stride = 1) const;
  /// Of the sum with all points, by those with every 2nd, 4th and 8th: a jump of the density leaves an error of the
  /// first order in the step, of either sign.
  double error() const;
  /// Share of the mass around each point of an axis.
  std::vector<double> marginal(Index d) const;
  /// Of an element, `power` about `about`.
  double moment(Index d, int power, double about) const;

 private:
  void evaluate(const LogDensity& log_density);
  void narrow();
  std::vector<Axis> axes_;
  std::vector<double> mass_;
};

/// The density of a case on a grid, or nothing where it cannot be (with the reason): that of a distribution, or of a
/// standard base pushed through a map. `c` has an event of one or two elements; every row gets the same context. With
/// `draws` the density is an estimate: the exponential of its logarithm's mean over so many steps.
std::unique_ptr<Grid> grid_of(Case& c, Precision p, std::string& reason, Index draws = 1);

/// The subject again with an event of at most two elements, or the case itself if it has one; none if it cannot be
/// built.
struct SmallCase {
  std::unique_ptr<Case> owned;
  Case* c = nullptr;
};
SmallCase small_case(Case& c, std::string& reason);

/// n samples of one context, row by row as a model would be sampled.
Array draw_samples(Case& c, Precision p, Index n);
/// Part of check 19: a distribution over more than two elements integrates to 1, in the mean over its own samples.
void check_normaliser(Case& c, Tally& t);

/// Rows that share one context.
Array one_context_row(Case& c, const FunctionCase& f, Index rows);

}  // namespace pushforward::testing
