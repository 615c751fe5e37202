#include "node_build.h"

#include <algorithm>
#include <cmath>

#include "placed_error.h"
#include "problem_text.h"
#include "scalars.h"
#include "schema_text.h"

namespace pushforward {

template <class T>
NodeBuild<T>::NodeBuild(Assembler<T>& assembler, const ComponentInfo& info, const SpecNode& fields,
                        const Surroundings& surroundings, std::string path, std::string label)
    : assembler_(assembler),
      info_(info),
      fields_(fields),
      surroundings_(surroundings),
      path_(std::move(path)),
      label_(std::move(label)),
      id_(assembler.next_id()) {}

// --- fields
// --------------------------------------------------------------------------------------------------------------

template <class T>
void NodeBuild<T>::misuse(const std::string& message) const {
  throw std::logic_error(std::string("the factory of ") + info_.name + " " + message);
}

template <class T>
const Field& NodeBuild<T>::declared(const char* field, std::initializer_list<FieldType> types) {
  read_.insert(field);
  for (std::size_t i = 0; i < info_.field_count; ++i) {
    const Field& candidate = info_.fields[i];
    if (std::string_view(candidate.name) != field) continue;
    if (types.size() > 0 && std::find(types.begin(), types.end(), candidate.type) == types.end())
      misuse(std::string("reads its field '") + field + "' as another type than it declares");
    return candidate;
  }
  misuse(std::string("reads the field '") + field + "', which it does not declare");
}

template <class T>
const SpecNode& NodeBuild<T>::node(const char* field, std::initializer_list<FieldType> types) {
  declared(field, types);
  const SpecNode* found = fields_.find(field);
  if (!found) misuse(std::string("reads the field '") + field + "', which is not given; it must ask `given` first");
  return *found;
}

template <class T>
bool NodeBuild<T>::given(const char* field) {
  declared(field, {});
  return fields_.find(field) != nullptr;
}
template <class T>
bool NodeBuild<T>::boolean(const char* field) {
  return *parse_boolean(node(field, {FieldType::boolean}).text);
}
template <class T>
Index NodeBuild<T>::integer(const char* field) {
  return *parse_integer(node(field, {FieldType::integer}).text);
}
template <class T>
double NodeBuild<T>::real(const char* field) {
  return *parse_real(node(field, {FieldType::real}).text);
}
template <class T>
std::string NodeBuild<T>::text(const char* field) {
  return node(field, {FieldType::text, FieldType::choice}).text;
}
template <class T>
std::string NodeBuild<T>::file(const char* field) {
  return node(field, {FieldType::path}).text;
}
template <class T>
std::vector<Index> NodeBuild<T>::integers(const char* field) {
  std::vector<Index> values;
  for (const SpecNode& item : node(field, {FieldType::integers}).items) values.push_back(*parse_integer(item.text));
  return values;
}
template <class T>
std::vector<double> NodeBuild<T>::reals(const char* field) {
  std::vector<double> values;
  for (const SpecNode& item : node(field, {FieldType::reals}).items) values.push_back(*parse_real(item.text));
  return values;
}
template <class T>
std::vector<std::string> NodeBuild<T>::texts(const char* field) {
  std::vector<std::string> values;
  for (const SpecNode& item : node(field, {FieldType::texts}).items) values.push_back(item.text);
  return values;
}

template <class T>
void NodeBuild<T>::fail(const char* field, const std::string& message) const {
  const SpecNode* found = fields_.find(field);
  throw PlacedError<SpecError>(problem_text(found ? found->position : fields_.position, place(field) + " " + message));
}

template <class T>
void NodeBuild<T>::report_unread() const {
  for (std::size_t i = 0; i < info_.field_count; ++i)
    if (!read_.contains(info_.fields[i].name)) assembler_.note_unread(label_ + ": " + info_.fields[i].name);
}

// --- values of distributions
// ---------------------------------------------------------------------------------------------

/// One number for all columns, or one for each.
template <class T>
std::vector<T> NodeBuild<T>::expand(const char* field, const SpecNode& numbers, Index columns) const {
  const std::size_t size = static_cast<std::size_t>(columns);
  if (numbers.is_scalar()) return std::vector<T>(size, static_cast<T>(*parse_real(numbers.text)));
  if (numbers.items.size() != size)
    fail(field, "has " + std::to_string(numbers.items.size()) + " numbers, but " +
                    (columns == surroundings_.event_shape.size()
                         ? "an event has " + std::to_string(columns) + (columns == 1 ? " element" : " elements")
                         : "here it has " + std::to_string(columns) + ", or one for all of them"));
  std::vector<T> values;
  for (const SpecNode& item : numbers.items) values.push_back(static_cast<T>(*parse_real(item.text)));
  return values;
}

template <class T>
FieldValue<T> NodeBuild<T>::value(const char* field, Index columns, bool positive) {
  const SpecNode& given = node(field, {FieldType::value});
  FieldValue<T> value;
  value.columns = columns;
  value.positive = positive;
  if (given.is_map() && given.find("network")) {
    network(value, field, *given.find("network"));
  } else if (given.is_map() || given.text == "learnable") {
    learnable(value, field, given.find("learnable"));
  } else {
    value.fixed = expand(field, given, columns);
  }
  return value;
}

template <class T>
void NodeBuild<T>::learnable(FieldValue<T>& value, const char* field, const SpecNode* start) {
  value.source = FieldValue<T>::Source::learnable;
  std::vector<T> numbers(static_cast<std::size_t>(value.columns), value.positive ? T(1) : T(0));
  if (start) numbers = expand(field, *start, value.columns);
  std::vector<double> raw;
  for (const T number : numbers) {
    if (value.positive && !(number > 0)) fail(field, "is learned as its logarithm, so it must start above 0");
    raw.push_back(value.positive ? std::log(static_cast<double>(number)) : static_cast<double>(number));
  }
  value.parameter =
      parameter(field, 1, value.columns, Initial::values(raw), value.positive ? Role::scale : Role::other);
}

template <class T>
void NodeBuild<T>::network(FieldValue<T>& value, const char* field, const SpecNode& child) {
  if (surroundings_.context == 0)
    fail(field, "is a network of the context, but there is no context; give data.context, or a number");
  value.source = FieldValue<T>::Source::network;
  Surroundings around = surroundings_;
  around.network = NetworkShape{};
  around.network.outputs = value.columns;
  around.network.context = surroundings_.context;
  assembler_.note_context_use();
  value.network = assembler_.template build_as<Network<T>>("network", child, around, place(field) + ".network");
}

// --- numbers
// -------------------------------------------------------------------------------------------------------------

template <class T>
Parameter NodeBuild<T>::parameter(const std::string& name, Index rows, Index columns, const Initial& initial,
                                  Role role) {
  return assembler_.add_parameter(place(name), rows, columns, initial, role, id_, parameters_++);
}
template <class T>
Parameter NodeBuild<T>::derived(const std::string& name, Index rows, Index columns) {
  return assembler_.add_derived(place(name), rows, columns);
}
template <class T>
State NodeBuild<T>::state(const std::string& name, const std::vector<double>& start) {
  return assembler_.add_state(place(name), start);
}
template <class T>
State NodeBuild<T>::integer_state(const std::string& name, const std::vector<std::int64_t>& start) {
  return assembler_.add_integer_state(place(name), start);
}
template <class T>
Statistic NodeBuild<T>::statistic(const std::string&, Index columns) {
  return assembler_.add_statistic(columns);
}

// --- children
// ------------------------------------------------------------------------------------------------------------

template <class T>
Index NodeBuild<T>::count(const char* field) {
  const Field& f = declared(field, {FieldType::component, FieldType::components});
  const SpecNode* found = fields_.find(field);
  if (f.type == FieldType::component) return found ? 1 : 0;
  return found ? static_cast<Index>(found->items.size()) : 0;
}

template <class T>
std::unique_ptr<ComponentBase> NodeBuild<T>::make_child(const char* field, Index index, const char* kind,
                                                        const Surroundings& surroundings, const std::string& name) {
  const Field& f = declared(field, {FieldType::component, FieldType::components});
  const std::string expected = f.kind;
  if (expected != kind)
    misuse(std::string("builds its field '") + field + "' as " + one_of_kind(kind) + ", but declares it as " +
           one_of_kind(expected));
  if (index < 0 || index >= count(field))
    misuse(std::string("builds child ") + std::to_string(index) + " of its field '" + field + "', which has " +
           std::to_string(count(field)));
  if (expected == "network" && surroundings.network.context > 0) assembler_.note_context_use();
  const SpecNode& found = *fields_.find(field);
  const bool in_list = f.type == FieldType::components;
  const std::string own = in_list ? std::string(field) + "[" + std::to_string(index) + "]" : field;
  return assembler_.build(expected, in_list ? found.items[static_cast<std::size_t>(index)] : found, surroundings,
                          place(name.empty() ? own : name), in_list);
}

template class NodeBuild<float>;
template class NodeBuild<double>;

}  // namespace pushforward
