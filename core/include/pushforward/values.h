// Parameters, derived values, statistics and state: handles, and the vectors that they index.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "pushforward/block.h"

namespace pushforward {

/// What a parameter is for; regularisation and groups select by it.
enum class Role : std::uint8_t { weight, bias, scale, other };

/// A handle to `rows x columns` trainable numbers (or to derived values): an offset, never a pointer, so the same
/// object can be evaluated at another vector.
struct Parameter {
  Index offset = -1;
  Index rows = 0;
  Index columns = 0;
  Role role = Role::other;
  bool derived = false;
  Index size() const { return rows * columns; }
};

/// Named numbers that are neither trained nor computed once per step: running statistics, permutations, flags.
struct State {
  Index offset = -1;
  Index size = 0;
  bool integer = false;
};

/// A sum over the rows of the batch that components report during a pass and read in `update`.
struct Statistic {
  Index offset = -1;
  Index columns = 0;
};

/// Name and place of every trainable block; the order is the order of building.
struct ParameterInfo {
  std::string path;  // `model.bijectors[2].coupling.network.layers[0].weight`
  Parameter handle;
};
struct StateInfo {
  std::string path;
  State handle;
};

/// The sizes and names of a model's numbers.
///
/// Every block starts at a multiple of kPadding elements; the gaps hold zeros and receive zero gradients.
struct Layout {
  std::vector<ParameterInfo> parameters;
  std::vector<ParameterInfo> derived;
  std::vector<StateInfo> states;
  Index parameter_size = 0;   // length of the vector, gaps included
  Index derived_size = 0;
  Index real_state_size = 0;
  Index integer_state_size = 0;
  Index statistic_size = 0;

  /// Trainable numbers, gaps not counted.
  Index trainable() const {
    Index n = 0;
    for (const ParameterInfo& p : parameters) n += p.handle.size();
    return n;
  }
};

/// The numbers of one evaluation; a set of pointers, cheap to copy. Parameters and derived values may be somebody's
/// trial point; state is shared.
template <class T>
struct Values {
  const T* parameters = nullptr;
  const T* derived = nullptr;
  const T* real_state = nullptr;
  const std::int64_t* integer_state = nullptr;
};

/// Owns the numbers of a model.
template <class T>
struct Store {
  std::vector<T> parameters;
  std::vector<T> derived;
  std::vector<T> real_state;
  std::vector<std::int64_t> integer_state;

  Values<T> values() const {
    return {parameters.data(), derived.data(), real_state.data(), integer_state.data()};
  }
};

/// How a parameter starts. Random starts are keyed by the seed and the component.
struct Initial {
  enum class Kind { constant, normal, uniform, values } kind = Kind::constant;
  double a = 0, b = 0;
  std::vector<double> given;

  static Initial constant(double value) { return {Kind::constant, value, 0, {}}; }
  static Initial normal(double deviation) { return {Kind::normal, 0, deviation, {}}; }
  static Initial uniform(double lower, double upper) { return {Kind::uniform, lower, upper, {}}; }
  static Initial values(std::vector<double> v) { return {Kind::values, 0, 0, std::move(v)}; }
};

}  // namespace pushforward
