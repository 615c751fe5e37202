// What the gradient checks share: comparing the two precisions, and sums over a batch against their numeric slope.
#pragma once

#include "numeric.h"

namespace pushforward::testing {

/// One number that a whole batch depends on: a parameter, an element of x where rows are coupled, or a direction of
/// many.
struct Entry {
  std::string name;
  double step;
  /// A request with this number displaced; only valid until the next call.
  std::function<const Request&(double displacement)> moved;
  /// The component's gradient, in a response.
  std::function<double(const Response&)> gradient;
};

/// Compares sum_i cotangent_i * output_i differentiated by each entry with the component's gradient, for every set of
/// cotangents. Rows that are kinked along an entry are left out of both sides.
void compare_summed(Case& c, const FunctionCase& f, const Request& request, const std::vector<Entry>& entries,
                    Tally& t);

/// The gradient of an input against its numeric slopes, row by row, for functions whose rows are independent. Rows that
/// are kinked are left out.
void compare_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, double tolerance, Tally& t);
/// The same of drawn samples, with the check's tolerance; one in ten may be kinked.
void compare_sampled_slopes(Case& c, const FunctionCase& f, const Request& request, Input input, Tally& t);

/// Float32 against float64 for every set of cotangents: `part` picks the gradient that is compared.
void compare_precisions(Case& c, const FunctionCase& f, const Request& request,
                        const std::function<const std::vector<double>&(const Response&)>& part,
                        const std::function<std::string(Index)>& name, Tally& t);

/// How much an evaluation's results change, relative to a small change of everything that it reads: the condition of
/// every output and gradient, at least 1, in the place of that result.
Response conditions(Case& c, const Request& request);

/// Every element of an input as an entry.
std::vector<Entry> entries_of(const Request& request, Input input);
/// Parameters: each up to kAllEntries, else some of them and some directions.
std::vector<Entry> entries_of_parameters(Case& c, const Request& request);
/// `model.weight[3, 1]`, by its place in the parameter vector.
std::string parameter_name(const Layout& layout, Index place);

/// Sums over a row of |cotangent * output| and of cotangent * output.
double row_magnitude(const std::vector<Array>& cotangents, const std::vector<Array>& outputs, Index i);
double row_dot(const std::vector<Array>& cotangents, const std::vector<Array>& outputs, Index i);

}  // namespace pushforward::testing
