// Builds components from their plugins' own tables of fields, without a spec, a registry or a shared library.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "pushforward/plugin.h"

namespace pushforward::test {

/// Fields as text: `{"bins", "8"}`, `{"names", "[a, b]"}`. Those left out get the schema's defaults.
using Fields = std::map<std::string, std::string>;

/// A component to build: its table, its fields, and what stands in its fields of components.
struct Part {
  const ComponentInfo* info = nullptr;
  Fields fields = {};
  std::map<std::string, std::vector<Part>> children = {};
};

/// The numbers that all components of one build share, as a model holds them.
template <class T>
struct Numbers {
  Layout layout;
  Store<T> store;
  std::vector<const Component<T>*> components;  // children before parents
  std::uint32_t ids = 0;
  std::mt19937 random{1};
};

/// `[a, b]` or `a`, with or without quotes, as single texts.
inline std::vector<std::string> split_list(std::string text) {
  for (char& c : text)
    if (std::strchr("[],\"'", c)) c = ' ';
  std::istringstream in(text);
  std::vector<std::string> items;
  for (std::string item; in >> item;) items.push_back(item);
  return items;
}

template <class T>
class FakeBuild final : public Build<T> {
 public:
  FakeBuild(const Part& part, Numbers<T>& numbers, Surroundings surroundings = {}, std::string path = "test")
      : part_(part), numbers_(numbers), surroundings_(std::move(surroundings)), path_(std::move(path)) {}

  std::unique_ptr<ComponentBase> make() {
    std::unique_ptr<ComponentBase> made(nullptr);
    if constexpr (sizeof(T) == 4)
      made.reset(part_.info->make_float(*this));
    else
      made.reset(part_.info->make_double(*this));
    made->set_path(path_);
    numbers_.components.push_back(dynamic_cast<const Component<T>*>(made.get()));
    return made;
  }

  const Surroundings& surroundings() const override { return surroundings_; }
  const std::string& path() const override { return path_; }
  ComponentId id() override { return {numbers_.ids++}; }

  bool given(const char* field) override {
    return part_.children.count(field) || (has_fallback(field) && text_of(field) != kOptional);
  }
  bool boolean(const char* field) override { return text_of(field) == "true"; }
  Index integer(const char* field) override { return std::atol(text_of(field).c_str()); }
  double real(const char* field) override { return std::strtod(text_of(field).c_str(), nullptr); }
  std::string text(const char* field) override {
    const std::string value = text_of(field);
    const bool quoted = !part_.fields.count(field) && value.size() > 1 && value.front() == '"';  // a default is YAML
    return quoted ? value.substr(1, value.size() - 2) : value;
  }
  std::string file(const char* field) override { return text_of(field); }
  std::vector<std::string> texts(const char* field) override { return split_list(text_of(field)); }
  std::vector<double> reals(const char* field) override {
    std::vector<double> values;
    for (const std::string& item : texts(field)) values.push_back(std::strtod(item.c_str(), nullptr));
    return values;
  }
  std::vector<Index> integers(const char* field) override {
    std::vector<Index> values;
    for (const std::string& item : texts(field)) values.push_back(std::atol(item.c_str()));
    return values;
  }
  FieldValue<T> value(const char* field, Index columns, bool positive) override {
    FieldValue<T> v;
    v.columns = columns;
    v.positive = positive;
    if (part_.children.count(field)) {
      v.source = FieldValue<T>::Source::network;
      v.network = this->network(field, {0, columns, surroundings_.context, {}, {}, {}});
    } else if (text_of(field) == "learnable") {
      v.source = FieldValue<T>::Source::learnable;
      v.parameter = parameter(field, 1, columns, Initial::constant(0), Role::other);
    } else {
      const std::vector<double> given = reals(field);
      for (Index j = 0; j < columns; ++j)
        v.fixed.push_back(static_cast<T>(given.size() == 1 ? given[0] : given.at(static_cast<std::size_t>(j))));
    }
    return v;
  }

  Parameter parameter(const std::string& name, Index rows, Index columns, const Initial& initial, Role role) override {
    Layout& layout = numbers_.layout;
    const Parameter handle{layout.parameter_size, rows, columns, role, false};
    layout.parameters.push_back({path_ + "." + name, handle});
    layout.parameter_size += round_up(handle.size(), kPadding);
    numbers_.store.parameters.resize(static_cast<std::size_t>(layout.parameter_size));
    for (Index i = 0; i < handle.size(); ++i)
      numbers_.store.parameters[static_cast<std::size_t>(handle.offset + i)] = static_cast<T>(start(initial, i));
    return handle;
  }
  Parameter derived(const std::string& name, Index rows, Index columns) override {
    Layout& layout = numbers_.layout;
    const Parameter handle{layout.derived_size, rows, columns, Role::other, true};
    layout.derived.push_back({path_ + "." + name, handle});
    layout.derived_size += round_up(handle.size(), kPadding);
    numbers_.store.derived.resize(static_cast<std::size_t>(layout.derived_size));
    return handle;
  }
  State state(const std::string& name, const std::vector<double>& values) override {
    const State handle{numbers_.layout.real_state_size, static_cast<Index>(values.size()), false};
    numbers_.layout.states.push_back({path_ + "." + name, handle});
    for (const double v : values) numbers_.store.real_state.push_back(static_cast<T>(v));
    numbers_.layout.real_state_size += handle.size;
    return handle;
  }
  State integer_state(const std::string& name, const std::vector<std::int64_t>& values) override {
    const State handle{numbers_.layout.integer_state_size, static_cast<Index>(values.size()), true};
    numbers_.layout.states.push_back({path_ + "." + name, handle});
    for (const std::int64_t v : values) numbers_.store.integer_state.push_back(v);
    numbers_.layout.integer_state_size += handle.size;
    return handle;
  }
  Statistic statistic(const std::string&, Index columns) override {
    const Statistic handle{numbers_.layout.statistic_size, columns};
    numbers_.layout.statistic_size += columns;
    return handle;
  }

  Index count(const char* field) override {
    const auto found = part_.children.find(field);
    return found == part_.children.end() ? 0 : static_cast<Index>(found->second.size());
  }
  [[noreturn]] void fail(const char* field, const std::string& message) const override {
    throw SpecError(std::string(field) + ": " + message);
  }

 protected:
  std::unique_ptr<ComponentBase> make_child(const char* field, Index index, const char* kind,
                                            const Surroundings& surroundings, const std::string& name) override {
    const Part& child = part_.children.at(field).at(static_cast<std::size_t>(index));
    if (std::strcmp(child.info->kind, kind))
      throw std::logic_error(std::string(child.info->name) + " is a " + child.info->kind + ", no " + kind);
    const std::string step = name.empty() ? std::string(field) + "[" + std::to_string(index) + "]" : name;
    return FakeBuild(child, numbers_, surroundings, path_ + "." + step).make();
  }

 private:
  const Field& declared(const char* field) const {
    const Field* end = part_.info->fields + part_.info->field_count;
    const Field* found =
        std::find_if(part_.info->fields, end, [&](const Field& f) { return !std::strcmp(f.name, field); });
    if (found == end) throw std::logic_error(std::string("no field ") + field);
    return *found;
  }
  bool has_fallback(const char* field) const { return declared(field).fallback || part_.fields.count(field); }
  std::string text_of(const char* field) const {
    const Field& schema = declared(field);
    const auto found = part_.fields.find(field);
    if (found != part_.fields.end()) return found->second;
    if (!schema.fallback) throw std::logic_error(std::string("no value for the required field ") + field);
    return schema.fallback;
  }
  double start(const Initial& initial, Index i) {
    switch (initial.kind) {
      case Initial::Kind::constant:
        return initial.a;
      case Initial::Kind::normal:
        return std::normal_distribution<double>(0, initial.b)(numbers_.random);
      case Initial::Kind::uniform:
        return std::uniform_real_distribution<double>(initial.a, initial.b)(numbers_.random);
      case Initial::Kind::values:
        return initial.given.at(static_cast<std::size_t>(i));
    }
    throw std::logic_error("unknown kind of start");
  }

  const Part& part_;
  Numbers<T>& numbers_;
  Surroundings surroundings_;
  std::string path_;
};

/// Builds a component that declares no numbers: a transformer, an optimizer, a dataset, ...
template <class C>
std::unique_ptr<C> make_component(const ComponentInfo& info, const Fields& given = {}) {
  using T = typename KindOf<C>::Real;
  const Part part{&info, given};
  Numbers<T> numbers;
  std::unique_ptr<ComponentBase> made = FakeBuild<T>(part, numbers).make();
  C* typed = dynamic_cast<C*>(made.get());
  if (!typed) throw std::logic_error(std::string(info.name) + " is no " + KindOf<C>::name);
  made.release();
  return std::unique_ptr<C>(typed);
}

}  // namespace pushforward::test
