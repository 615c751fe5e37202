// Subjects for the kit's own tests: components that declare their numbers by hand, and what a kit says of them.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "pushforward/operations.h"
#include "pushforward/testing/checks.h"

namespace pushforward::test {

using testing::Built;
using testing::CheckResult;
using testing::Options;
using testing::Subject;

/// A parameter whose numbers start at `scale` times a sine, so that they are all different.
template <class T>
Parameter declare(Built<T>& built, const std::string& name, Index rows, Index columns, double scale = 0.5) {
  const Parameter handle{built.layout.parameter_size, rows, columns, Role::other, false};
  built.layout.parameters.push_back({name, handle});
  built.layout.parameter_size += round_up(handle.size(), kPadding);
  built.store.parameters.resize(static_cast<std::size_t>(built.layout.parameter_size), T(0));
  for (Index i = 0; i < handle.size(); ++i)
    built.store.parameters[static_cast<std::size_t>(handle.offset + i)] =
        static_cast<T>(scale * std::sin(1.0 + static_cast<double>(handle.offset + i)));
  return handle;
}
template <class T>
Parameter declare_derived(Built<T>& built, const std::string& name, Index rows, Index columns) {
  const Parameter handle{built.layout.derived_size, rows, columns, Role::other, true};
  built.layout.derived.push_back({name, handle});
  built.layout.derived_size += round_up(handle.size(), kPadding);
  return handle;
}
template <class T>
State declare_state(Built<T>& built, const std::string& name, std::vector<T> start) {
  const State handle{built.layout.real_state_size, static_cast<Index>(start.size()), false};
  built.layout.states.push_back({name, handle});
  built.layout.real_state_size += handle.size;
  built.store.real_state.insert(built.store.real_state.end(), start.begin(), start.end());
  return handle;
}

/// A component whose constructor is C<T>(Built<T>&, const Surroundings&, fault).
template <template <class> class C, class Fault>
Subject subject_of(const std::string& kind, const std::string& name, Fault fault, Index event_size, Index context = 0) {
  Subject s;
  s.kind = kind;
  s.name = name;
  s.example = "own";
  s.surroundings.event_shape = Shape{event_size};
  s.surroundings.context = context;
  const auto make = [fault]<class T>(const Surroundings& around) {
    Built<T> built;
    auto component = std::make_unique<C<T>>(built, around, fault);
    built.components = {component.get()};
    built.component = std::move(component);
    return built;
  };
  s.make_float = [make](const Surroundings& around) { return make.template operator()<float>(around); };
  s.make_double = [make](const Surroundings& around) { return make.template operator()<double>(around); };
  return s;
}

/// Checks that failed, in any precision.
inline std::set<std::string> failed_checks(const std::vector<CheckResult>& results) {
  std::set<std::string> names;
  for (const CheckResult& r : testing::failures(results)) names.insert(r.check);
  return names;
}

/// Asserts that exactly these checks fail.
inline void expect_failures(const Subject& subject, const std::set<std::string>& expected) {
  const std::vector<CheckResult> results = testing::check(subject);
  INFO(testing::to_text(results));
  CHECK(failed_checks(results) == expected);
}

/// An identity whose way back is the test's: change(gradient to add to, adjoint).
template <class T, class Change>
Var<T> with_gradient(Var<T> x, Change change) {
  const Var<T> out = x.tape().make(x.rows(), x.columns());
  for (Index j = 0; j < x.columns(); ++j) std::copy_n(x.value().column(j), x.rows(), out.data().column(j));
  x.tape().primitive(
      "with_gradient", {x}, {out},
      [change](Vjp<T>& v) {
        if (!v.wants(0)) return;
        const Block<const T> adjoint = v.adjoint(0);
        const Block<T> gradient = v.gradient(0);
        for (Index j = 0; j < adjoint.columns; ++j)
          for (Index i = 0; i < adjoint.rows; ++i) change(gradient(i, j), adjoint(i, j));
      },
      no_tangent);
  return out;
}

}  // namespace pushforward::test
