#include "assembler.h"

#include <algorithm>

#include "node_build.h"
#include "placed_error.h"
#include "problem_text.h"
#include "pushforward/engine.h"
#include "schema_text.h"

namespace pushforward {

namespace {

/// Starts of parameters must not be the draws of a training step.
constexpr std::uint32_t kStepOfStarts = 0xffffffffu;

template <class T>
ComponentBase* call_factory(const ComponentInfo& info, Build<T>& build) {
  if constexpr (sizeof(T) == sizeof(float))
    return info.make_float(build);
  else
    return info.make_double(build);
}

template <class T>
bool has_factory(const ComponentInfo& info) {
  return sizeof(T) == sizeof(float) ? info.make_float != nullptr : info.make_double != nullptr;
}

/// A component's one entry; `model` may have a context beside it.
const SpecNode::Entry& component_entry(const SpecNode& resolved) {
  if (!resolved.is_map() || resolved.entries.empty())
    throw std::logic_error("a component is built from its resolved form, {name: {fields}}");
  return resolved.entries.front();
}

/// Runs a factory; whatever it throws comes out as the toolkit's, with the component's place and position.
template <class T>
std::unique_ptr<ComponentBase> guarded(const RegisteredComponent& component, NodeBuild<T>& build,
                                       const Position& position, const std::string& label) {
  const auto plugin_failed = [&](const std::string& what) {
    return PlacedError<PluginError>(
        problem_text(position, label + ": the factory in " + component.plugin +
                                   (component.library == component.plugin ? "" : " (" + component.library + ")") +
                                   " failed: " + what));
  };
  try {
    std::unique_ptr<ComponentBase> made(call_factory<T>(*component.info, build));
    if (!made) throw plugin_failed("it returned nothing");
    return made;
  } catch (const Placed&) {
    throw;
  } catch (const PluginError& e) {
    throw PlacedError<PluginError>(problem_text(position, label + ": " + e.what()));
  } catch (const DataError& e) {
    throw PlacedError<DataError>(problem_text(position, label + ": " + e.what()));
  } catch (const Error& e) {
    throw PlacedError<SpecError>(problem_text(position, label + ": " + e.what()));
  } catch (const std::bad_alloc&) {
    throw plugin_failed("out of memory");
  } catch (const std::exception& e) {
    throw plugin_failed(e.what());
  } catch (...) {
    throw plugin_failed("it threw something that is no std::exception");
  }
}

}  // namespace

template <class T>
std::unique_ptr<ComponentBase> Assembler<T>::build(const std::string& kind, const SpecNode& resolved,
                                                   const Surroundings& surroundings, const std::string& place,
                                                   bool in_list) {
  const SpecNode::Entry& entry = component_entry(resolved);
  const std::string label = place + " (" + entry.key + ")";
  const RegisteredComponent* found = find_component(registry_, kind, entry.key);
  if (!found)
    throw PlacedError<SpecError>(
        problem_text(entry.position, place + ": there is no " + kind + " '" + entry.key + "'"));
  if (!has_factory<T>(*found->info))
    throw PlacedError<SpecError>(problem_text(
        entry.position, label + ": " + found->plugin + " has no factory for precision: " +
                            (sizeof(T) == sizeof(float) ? "float32; use float64" : "float64; use float32")));
  NodeBuild<T> node(*this, *found->info, entry.value, surroundings, in_list ? place + "." + entry.key : place, label);
  std::unique_ptr<ComponentBase> made = guarded<T>(*found, node, entry.position, label);
  const auto* component = dynamic_cast<const Component<T>*>(made.get());
  if (!component)
    throw PlacedError<PluginError>(problem_text(
        entry.position, label + ": the factory in " + found->plugin + " made no component of this precision"));
  made->set_path(node.path());
  components_.push_back(component);
  positions_.emplace(component, entry.position);
  node.report_unread();
  return made;
}

template <class T>
void Assembler<T>::wrong_class(const std::string& kind, const SpecNode& resolved, const std::string& place) const {
  const SpecNode::Entry& entry = component_entry(resolved);
  throw PlacedError<PluginError>(
      problem_text(entry.position, place + " (" + entry.key + "): its factory made no " + kind +
                                       "; it must derive from the class template that the kind stands for"));
}

// --- numbers
// -------------------------------------------------------------------------------------------------------------

template <class T>
void Assembler<T>::claim(const std::string& path) {
  if (!names_.insert(path).second) throw std::logic_error("two sets of numbers are called " + path);
}

/// Random starts are drawn in double whatever T is, so that a model starts alike in both precisions.
static std::vector<double> starting_values(Index rows, Index columns, const Initial& initial, std::uint64_t seed,
                                           ComponentId component, Index draw) {
  const std::size_t size = static_cast<std::size_t>(rows * columns);
  if (initial.kind == Initial::Kind::constant) return std::vector<double>(size, initial.a);
  if (initial.kind == Initial::Kind::values) return initial.given;
  Matrix<double> drawn(rows, columns);
  const Draws draws(Stream{seed, kStepOfStarts, 0}, component, draw, 0);
  const bool normal = initial.kind == Initial::Kind::normal;
  if (normal)
    draws.normal(drawn.block());
  else
    draws.uniform(drawn.block());
  std::vector<double> values;
  for (Index j = 0; j < columns; ++j)
    for (Index i = 0; i < rows; ++i)
      values.push_back(normal ? initial.b * drawn(i, j) : initial.a + (initial.b - initial.a) * drawn(i, j));
  return values;
}

template <class T>
Parameter Assembler<T>::add_parameter(const std::string& path, Index rows, Index columns, const Initial& initial,
                                      Role role, ComponentId component, Index draw) {
  claim(path);
  const std::vector<double> start = starting_values(rows, columns, initial, seed_, component, draw);
  if (static_cast<Index>(start.size()) != rows * columns)
    throw std::logic_error(path + " has " + std::to_string(rows * columns) + " numbers, but " +
                           std::to_string(start.size()) + " are given for its start");
  const Parameter handle{layout_.parameter_size, rows, columns, role, false};
  layout_.parameters.push_back({path, handle});
  layout_.parameter_size += round_up(handle.size(), kPadding);
  store_.parameters.resize(static_cast<std::size_t>(layout_.parameter_size), T(0));
  std::transform(start.begin(), start.end(), store_.parameters.begin() + handle.offset,
                 [](double v) { return static_cast<T>(v); });
  return handle;
}

template <class T>
Parameter Assembler<T>::add_derived(const std::string& path, Index rows, Index columns) {
  claim(path);
  const Parameter handle{layout_.derived_size, rows, columns, Role::other, true};
  layout_.derived.push_back({path, handle});
  layout_.derived_size += round_up(handle.size(), kPadding);
  store_.derived.resize(static_cast<std::size_t>(layout_.derived_size), T(0));
  return handle;
}

template <class T>
State Assembler<T>::add_state(const std::string& path, const std::vector<double>& start) {
  claim(path);
  const State handle{layout_.real_state_size, static_cast<Index>(start.size()), false};
  layout_.states.push_back({path, handle});
  layout_.real_state_size += round_up(handle.size, kPadding);
  store_.real_state.resize(static_cast<std::size_t>(layout_.real_state_size), T(0));
  std::transform(start.begin(), start.end(), store_.real_state.begin() + handle.offset,
                 [](double v) { return static_cast<T>(v); });
  return handle;
}

template <class T>
State Assembler<T>::add_integer_state(const std::string& path, const std::vector<std::int64_t>& start) {
  claim(path);
  const State handle{layout_.integer_state_size, static_cast<Index>(start.size()), true};
  layout_.states.push_back({path, handle});
  layout_.integer_state_size += round_up(handle.size, kPadding);
  store_.integer_state.resize(static_cast<std::size_t>(layout_.integer_state_size), 0);
  std::copy(start.begin(), start.end(), store_.integer_state.begin() + handle.offset);
  return handle;
}

template <class T>
Statistic Assembler<T>::add_statistic(Index columns) {
  const Statistic handle{layout_.statistic_size, columns};
  layout_.statistic_size += round_up(columns, kPadding);
  return handle;
}

template class Assembler<float>;
template class Assembler<double>;

}  // namespace pushforward
