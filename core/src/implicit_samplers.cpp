#include "pushforward/implicit_samplers.h"

#include <string>

#include "pushforward/kernel_loops.h"
#include "quantiles.h"

namespace pushforward {

namespace {

/// Calls `use(quantile, i, j)` for every element of a rows x D block. One row of parameters is prepared once.
template <class Quantile, class T, class Use>
void for_each_element(Block<const T> parameter, Index rows, const Use& use) {
  for (Index j = 0; j < parameter.columns; ++j) {
    if (parameter.rows == 1) {
      const Quantile shared(static_cast<double>(parameter(0, j)));
      for (Index i = 0; i < rows; ++i) use(shared, i, j);
    } else {
      for (Index i = 0; i < rows; ++i) use(Quantile(static_cast<double>(parameter(i, j))), i, j);
    }
  }
}

/// The gradient of the parameter: what comes from the sample times its slope, over all rows if they share it.
template <class Quantile, class T>
void add_slopes(Vjp<T>& v) {
  if (!v.wants(0)) return;
  const Block<const T> sample = v.result(0), adjoint = v.adjoint(0);
  const Block<T> gradient = v.gradient(0);
  const bool shared = gradient.rows == 1 && sample.rows != 1;
  double sum = 0;
  for_each_element<Quantile>(v.value(0), sample.rows, [&](const Quantile& quantile, Index i, Index j) {
    const double term = static_cast<double>(adjoint(i, j)) * quantile.slope(static_cast<double>(sample(i, j)));
    if (!shared) {
      gradient(i, j) += static_cast<T>(term);
      return;
    }
    sum = i == 0 ? term : sum + term;
    if (i + 1 == sample.rows) gradient(0, j) += static_cast<T>(sum);
  });
}

template <class Quantile, class T>
Var<T> sample_of(const char* name, Var<T> parameter, Index rows, const Draws& draws) {
  if (parameter.rows() != 1 && parameter.rows() != rows)
    throw ShapeError(std::string(name) + ": a parameter of " + std::to_string(parameter.rows()) + " rows, but " +
                     std::to_string(rows) + " samples: there must be one row, or as many");
  Tape<T>& tape = parameter.tape();
  const Var<T> sample = tape.make(rows, parameter.columns());
  {
    Workspace<T> work(tape);
    const Index stride = round_up(rows, kPadding);
    const Block<double> u{work.template array<double>(stride * parameter.columns()), rows, parameter.columns(), stride};
    draws.uniform(u);
    for_each_element<Quantile>(parameter.value(), rows, [&](const Quantile& quantile, Index i, Index j) {
      sample.data()(i, j) = static_cast<T>(quantile(u(i, j)));
    });
  }
  tape.primitive(
      name, {parameter}, {sample}, [](Vjp<T>& v) { add_slopes<Quantile>(v); }, no_tangent);
  return sample;
}

}  // namespace

template <class T>
Var<T> log_gamma_sample(Var<T> concentration, Index rows, const Draws& draws) {
  return sample_of<special::GammaQuantile>("log_gamma_sample", concentration, rows, draws);
}

template <class T>
Var<T> von_mises_sample(Var<T> concentration, Index rows, const Draws& draws) {
  return sample_of<special::VonMisesQuantile>("von_mises_sample", concentration, rows, draws);
}

#define PUSHFORWARD_INSTANTIATE(T)                               \
  template Var<T> log_gamma_sample(Var<T>, Index, const Draws&); \
  template Var<T> von_mises_sample(Var<T>, Index, const Draws&);
PUSHFORWARD_INSTANTIATE(float)
PUSHFORWARD_INSTANTIATE(double)
#undef PUSHFORWARD_INSTANTIATE

}  // namespace pushforward
