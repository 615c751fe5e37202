// Check 8: F(p + h d) - F(p) - h <gradient, d> falls like h^2, for x, context and parameters moved together.
#include <cmath>
#include <cstdio>

#include "gradients.h"
#include "kit.h"
#include "numeric.h"

namespace pushforward::testing {

namespace {

constexpr double kLargestStep = 2e-5;
constexpr std::size_t kHalvings = 3;

/// A point and a direction in everything that a function reads.
class Line {
 public:
  Line(Case& c, const FunctionCase& f, const Request& request, unsigned seed)
      : runner_(c.runner(Precision::float64)),
        request_(request),
        at_(request.parameters ? *request.parameters : c.parameters()),
        moved_(request) {
    x_ = normal_array(request.x.rows, request.x.columns, seed);
    for (std::size_t i = 0; i < x_.values.size(); ++i)
      x_.values[i] *= std::min(1.0, room(f.support, request.x.values[i]) / kLargestStep);
    context_ = normal_array(request.context.rows, request.context.columns, seed + 1);
    const std::vector<double> here = c.parameters(), other = c.other_parameters(seed + 2, 1.0);
    // Of length one as a whole: a step is small for a network of many weights too.
    const double share = 1 / std::sqrt(1.0 + static_cast<double>(c.layout().trainable()));
    for (std::size_t i = 0; i < at_.size(); ++i) parameters_.push_back((other[i] - here[i]) * share);
    moved_parameters_ = at_;
    moved_.parameters = &moved_parameters_;
  }
  std::vector<Array> outputs(double h) {
    for (std::size_t i = 0; i < x_.values.size(); ++i) moved_.x.values[i] = request_.x.values[i] + h * x_.values[i];
    for (std::size_t i = 0; i < context_.values.size(); ++i)
      moved_.context.values[i] = request_.context.values[i] + h * context_.values[i];
    for (std::size_t i = 0; i < at_.size(); ++i) moved_parameters_[i] = at_[i] + h * parameters_[i];
    return runner_.run(moved_).outputs;
  }
  double along(const Response& g) const {
    double sum = 0;
    for (std::size_t i = 0; i < x_.values.size(); ++i) sum += g.x.values[i] * x_.values[i];
    for (std::size_t i = 0; i < context_.values.size(); ++i) sum += g.context.values[i] * context_.values[i];
    for (std::size_t i = 0; i < at_.size(); ++i) sum += g.parameters[i] * parameters_[i];
    return sum;
  }

 private:
  Runner& runner_;
  const Request& request_;
  Array x_, context_;
  std::vector<double> at_, parameters_, moved_parameters_;
  Request moved_;
};

/// Rows without a kink within the largest step: their second difference falls by four when the step is halved.
std::vector<Array> smooth_cotangents(Line& line, const std::vector<Array>& here, std::vector<Array> set,
                                     Index& kinked) {
  const double h = kLargestStep;
  const std::vector<Array> up = line.outputs(h), down = line.outputs(-h);
  const std::vector<Array> half_up = line.outputs(h / 2), half_down = line.outputs(-h / 2);
  for (Index i = 0; i < here[0].rows; ++i) {
    bool smooth = true;
    for (std::size_t o = 0; o < here.size() && smooth; ++o)
      for (Index k = 0; k < here[o].columns && smooth; ++k) {
        const double full = up[o](i, k) - 2 * here[o](i, k) + down[o](i, k);
        const double half = half_up[o](i, k) - 2 * here[o](i, k) + half_down[o](i, k);
        const double noise = 1e-14 * std::max(1.0, std::abs(here[o](i, k)));
        smooth = std::abs(full - 4 * half) <= 0.05 * std::abs(full) + 0.1 * h * h + 32 * noise;
      }
    if (smooth) continue;
    ++kinked;
    for (Array& a : set)
      for (Index k = 0; k < a.columns; ++k) a(i, k) = 0;
  }
  return set;
}

/// Slope of log R over log h over the two halvings that end at the smallest step whose remainder is well above
/// rounding: a wrong gradient shows where the step is small, a steep function is parabolic only there.
double slope_of(const std::vector<double>& remainders) {
  constexpr double kWellAbove = 1e-12;
  std::size_t end = 2;
  while (end + 1 < remainders.size() && remainders[end + 1] >= kWellAbove) ++end;
  return std::log2(remainders[end - 2] / remainders[end]) / 2;
}

void check_line(Case& c, const FunctionCase& f, const Request& request, unsigned seed, const std::string& where,
                Tally& t) {
  Line line(c, f, request, seed);
  const std::vector<Array> here = line.outputs(0);
  Index kinked = 0;
  Request r = request;
  r.cotangents = smooth_cotangents(line, here, Case::cotangents(here, seed), kinked);
  count_redrawn(kinked, kSamples, t, where);
  const double gradient = line.along(c.runner(Precision::float64).run(r));
  double size = 1;
  for (Index i = 0; i < kSamples; ++i) size = std::max(size, row_magnitude(r.cotangents, here, i));
  std::vector<double> remainders;
  double h = kLargestStep;
  for (std::size_t k = 0; k <= kHalvings; ++k, h /= 2) {
    const std::vector<Array> there = line.outputs(h);
    double change = 0;
    for (Index i = 0; i < kSamples; ++i) change += row_dot(r.cotangents, there, i) - row_dot(r.cotangents, here, i);
    remainders.push_back(std::abs(change - h * gradient) / static_cast<double>(kSamples) / size);
  }
  const double floor = std::max(t.tolerance(), 4 * f.tolerance);
  if (remainders[0] < floor) return t.require(true, [] { return std::string(); });
  const double slope = slope_of(remainders);
  t.require(slope >= 1.9 && slope <= 2.1, [&] {
    char text[128];
    std::snprintf(text, sizeof text, "the remainder falls like h^%.3f, from %.2e at h = %g to %.2e at h = %g", slope,
                  remainders.front(), kLargestStep, remainders.back(), h * 2);
    return where + ": " + text;
  });
}

}  // namespace

void check_taylor(Case& c, Tally& t) {
  for (const FunctionCase& f : c.functions()) {
    if (!f.differentiable) continue;
    if (f.iterative && f.tolerance > 1e-13) {
      t.skip(f.info.name + " is iterated to a tolerance that hides the remainder");
      continue;
    }
    for (const Mode mode : c.modes(f)) {
      for (const unsigned seed : {91u, 92u, 93u})
        check_line(c, f, c.request(f, kSamples, seed, mode), seed, c.where(f, mode), t);
      check_line(c, f, c.at_start(f, kSamples, 94, mode), 94, c.where(f, mode) + ", at the start", t);
    }
  }
}

}  // namespace pushforward::testing
