// Components from a spec's text, through the registry and the built plugins, and what they compute as plain numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "pushforward/registry/assembly.h"
#include "pushforward/testing/runner.h"

namespace pushforward::test {

using testing::Array;
using testing::Request;
using testing::Response;
using testing::Runner;

/// The plugins of this build, and components of the test's own.
inline std::unique_ptr<Registry> load_plugins(std::span<const ComponentInfo> extra = {}) {
  auto registry = std::make_unique<Registry>();
  registry->add_folder(PUSHFORWARD_BINARY_DIR "/lib/pushforward/plugins");
  if (!extra.empty()) registry->add_components(extra.data(), extra.size());
  return registry;
}
inline const Registry& plugins() {
  static const std::unique_ptr<Registry> registry = load_plugins();
  return *registry;
}

/// A component's surroundings: events of `size` elements, a context of so many columns.
inline Surroundings around(Index size, Index context = 0, Index repetition = 0) {
  Surroundings s;
  s.event_shape = Shape{size};
  s.context = context;
  s.repetition = repetition;
  return s;
}
inline Surroundings around(const NetworkShape& network) {
  Surroundings s;
  s.context = network.context;
  s.network = network;
  return s;
}

template <class T>
testing::Built<T> build(const Registry& registry, const std::string& kind, const std::string& yaml,
                        const Surroundings& surroundings) {
  const SpecNode node = resolve_component(registry, kind, parse_spec_text(yaml, "spec"));
  Assembly<T> a = assemble<T>(registry, kind, node, surroundings, 1, "model");
  return {std::move(a.root), std::move(a.components), std::move(a.layout), std::move(a.store), {}};
}

/// Evaluates a component that is given as YAML; see testing/runner.h.
template <class T = double>
std::unique_ptr<Runner> make_runner(const std::string& kind, const std::string& yaml, const Surroundings& surroundings,
                                    const Registry& registry = plugins()) {
  testing::Subject subject;
  subject.kind = kind;
  subject.name = yaml;
  subject.example = "test";
  subject.surroundings = surroundings;
  subject.make_float = [&](const Surroundings& s) { return build<float>(registry, kind, yaml, s); };
  subject.make_double = [&](const Surroundings& s) { return build<double>(registry, kind, yaml, s); };
  return testing::make_runner<T>(subject, surroundings);
}

inline int function_index(const Runner& runner, const std::string& name) {
  const auto& all = runner.functions();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].name == name) return static_cast<int>(i);
  throw std::logic_error("there is no function " + name);
}

/// Rows of an array, written as one sees them.
inline Array rows(const std::vector<std::vector<double>>& lines) {
  Array a(static_cast<Index>(lines.size()), lines.empty() ? 0 : static_cast<Index>(lines[0].size()));
  for (Index i = 0; i < a.rows; ++i)
    for (Index j = 0; j < a.columns; ++j) a(i, j) = lines[static_cast<std::size_t>(i)].at(static_cast<std::size_t>(j));
  return a;
}

/// Numbers that are neither round nor equal, between -1.5 and 1.5.
inline Array scattered(Index row_count, Index columns, double seed = 0) {
  Array a(row_count, columns);
  for (std::size_t i = 0; i < a.values.size(); ++i)
    a.values[i] = 1.5 * std::sin(12.9898 * static_cast<double>(i + 1) + 78.233 * seed);
  return a;
}

inline Response run(Runner& runner, const std::string& function, const Array& x, const Array& context = {}) {
  Request r;
  r.function = function_index(runner, function);
  r.x = x;
  r.context = context;
  r.rows = x.rows;
  return runner.run(r);
}

/// The numbers of the one parameter whose path ends so.
inline const ParameterInfo& parameter(const Runner& runner, const std::string& ending) {
  const ParameterInfo* found = nullptr;
  for (const ParameterInfo& p : runner.layout().parameters) {
    if (!p.path.ends_with(ending)) continue;
    if (found) throw std::logic_error(ending + " stands for " + found->path + " and for " + p.path);
    found = &p;
  }
  if (!found) throw std::logic_error("there is no parameter " + ending);
  return *found;
}
inline std::vector<double> numbers_of(const Runner& runner, const std::string& ending) {
  const Parameter& p = parameter(runner, ending).handle;
  const std::vector<double> all = runner.numbers().parameters;
  return {all.begin() + p.offset, all.begin() + p.offset + p.size()};
}
inline void set_parameter(Runner& runner, const std::string& ending, const std::vector<double>& values) {
  const Parameter& p = parameter(runner, ending).handle;
  if (static_cast<Index>(values.size()) != p.size())
    throw std::logic_error(ending + " has " + std::to_string(p.size()) + " numbers");
  Runner::Numbers n = runner.numbers();
  std::copy(values.begin(), values.end(), n.parameters.begin() + p.offset);
  runner.set_numbers(n);
}
/// Every parameter somewhere else than at its start.
inline void scatter_parameters(Runner& runner, double scale = 1) {
  Runner::Numbers n = runner.numbers();
  for (const ParameterInfo& p : runner.layout().parameters)
    for (Index i = 0; i < p.handle.size(); ++i)
      n.parameters[static_cast<std::size_t>(p.handle.offset + i)] =
          scale * std::sin(3.7 * static_cast<double>(p.handle.offset + i) + 1);
  runner.set_numbers(n);
}
inline std::vector<std::string> parameter_paths(const Runner& runner) {
  std::vector<std::string> paths;
  for (const ParameterInfo& p : runner.layout().parameters) paths.push_back(p.path);
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Largest |a - b| / max(1, |a|, |b|); equal numbers, NaNs and infinities agree.
inline double distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double d = std::abs(a[i] - b[i]) / std::max({1.0, std::abs(a[i]), std::abs(b[i])});
    if (!(d <= worst)) worst = std::isnan(d) ? INFINITY : d;
  }
  return worst;
}
inline double distance(const Array& a, const Array& b) {
  return a.rows == b.rows && a.columns == b.columns ? distance(a.values, b.values) : INFINITY;
}

}  // namespace pushforward::test
