#include "pushforward/registry/assembly.h"

#include "assembler.h"

namespace pushforward {

namespace {

template <class C, class T>
std::unique_ptr<ComponentBase> build_checked(Assembler<T>& assembler, const std::string& kind, const SpecNode& resolved,
                                             const Surroundings& surroundings, const std::string& place) {
  return assembler.template build_as<C>(kind, resolved, surroundings, place);
}

/// Builds a component and checks that it is of the class that its kind stands for. Kinds are open: of one that this
/// toolkit has no class for, anything goes.
template <class T>
std::unique_ptr<ComponentBase> build_root(Assembler<T>& assembler, const std::string& kind, const SpecNode& resolved,
                                          const Surroundings& surroundings, const std::string& place) {
  const struct {
    const char* kind;
    std::unique_ptr<ComponentBase> (*build)(Assembler<T>&, const std::string&, const SpecNode&, const Surroundings&,
                                            const std::string&);
  } classes[] = {
      {"bijector", &build_checked<Bijector<T>, T>},   {"transformer", &build_checked<Transformer<T>, T>},
      {"network", &build_checked<Network<T>, T>},     {"distribution", &build_checked<Distribution<T>, T>},
      {"target", &build_checked<Target<T>, T>},       {"objective", &build_checked<Objective<T>, T>},
      {"optimizer", &build_checked<Optimizer<T>, T>}, {"schedule", &build_checked<Schedule<T>, T>},
      {"dataset", &build_checked<Dataset<T>, T>},     {"preprocess", &build_checked<Preprocess<T>, T>},
      {"tracker", &build_checked<Tracker<T>, T>},     {"procedure", &build_checked<Procedure<T>, T>},
  };
  for (const auto& known : classes)
    if (kind == known.kind) return known.build(assembler, kind, resolved, surroundings, place);
  return assembler.build(kind, resolved, surroundings, place);
}

}  // namespace

template <class T>
Assembly<T> assemble(const Registry& registry, const std::string& kind, const SpecNode& resolved,
                     const Surroundings& surroundings, std::uint64_t seed, const std::string& place) {
  Assembler<T> assembler(registry, seed);
  Assembly<T> assembly;
  assembly.root = build_root<T>(assembler, kind, resolved, surroundings, place);
  assembly.components = std::move(assembler.components());
  assembly.layout = std::move(assembler.layout());
  assembly.store = std::move(assembler.store());
  assembly.unread_fields = std::move(assembler.unread_fields());
  return assembly;
}

Surroundings example_surroundings(const ComponentInfo& component, const Example& example) {
  Surroundings surroundings;
  surroundings.event_shape = Shape{example.event_size};
  surroundings.context = example.context_size;
  if (std::string_view(component.kind) == "network") {
    surroundings.network.inputs = example.event_size;
    surroundings.network.outputs = example.event_size;
    surroundings.network.context = example.context_size;
  }
  return surroundings;
}

template <class T>
Assembly<T> assemble_example(const Registry& registry, const ComponentInfo& component, const Example& example,
                             std::uint64_t seed) {
  const std::string name = std::string("example ") + example.name + " of " + component.name;
  const SpecNode resolved = resolve_component(registry, component.kind, parse_spec_text(example.yaml, name));
  return assemble<T>(registry, component.kind, resolved, example_surroundings(component, example), seed,
                     component.name);
}

template Assembly<float> assemble<float>(const Registry&, const std::string&, const SpecNode&, const Surroundings&,
                                         std::uint64_t, const std::string&);
template Assembly<double> assemble<double>(const Registry&, const std::string&, const SpecNode&, const Surroundings&,
                                           std::uint64_t, const std::string&);
template Assembly<float> assemble_example<float>(const Registry&, const ComponentInfo&, const Example&, std::uint64_t);
template Assembly<double> assemble_example<double>(const Registry&, const ComponentInfo&, const Example&,
                                                   std::uint64_t);

}  // namespace pushforward
