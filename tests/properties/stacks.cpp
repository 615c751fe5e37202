// Random stacks of registered bijectors and transformers, with random valid fields: what fits keeps the promises of a
// bijector, what does not is refused in words.
#include <catch2/catch.hpp>
#include <cmath>
#include <optional>

#include "pushforward/registry/experiment.h"
#include "pushforward/testing/checks.h"
#include "support/components.h"
#include "support/random_components.h"
#include "support/spec_refusals.h"

using namespace pushforward;        // NOLINT
using namespace pushforward::test;  // NOLINT

namespace {

const PropertySettings kSettings(600);

/// The map of a bijector's text, or why it was refused. What else can happen leaves as an exception.
struct Part {
  SpecNode node;
  std::string yaml, refusal;
  Support domain, codomain;
  bool built() const { return refusal.empty(); }
};

bool same(const Support& a, const Support& b) { return a.contains(b) && b.contains(a); }

Part make_part(SpecNode node, const Surroundings& around) {
  Part part;
  part.yaml = write_spec(node);
  part.node = std::move(node);
  try {
    const testing::Built<double> built = build<double>(plugins(), "bijector", part.yaml, around);
    const auto* map = dynamic_cast<const Bijector<double>*>(built.component.get());
    RC_ASSERT(map != nullptr);
    part.domain = map->domain();
    part.codomain = map->codomain();
  } catch (const SpecError& e) {
    part.refusal = e.what();
  }
  return part;
}

/// Points all over a support.
constexpr Index kPoints = 128;
Array points_of(const Support& s, Index columns) {
  Array points = scattered(kPoints, columns, 1);
  for (double& x : points.values) {
    const double t = 3.5 * x, soft = std::log1p(std::exp(t));
    if (std::isfinite(s.lower) && std::isfinite(s.upper))
      x = s.lower + (s.upper - s.lower) / (1 + std::exp(-t));
    else
      x = std::isfinite(s.lower) ? s.lower + soft : std::isfinite(s.upper) ? s.upper - soft : t;
  }
  return points;
}

/// Whether numeric derivatives say anything of it: maps of maps of exponentials soon leave what doubles resolve.
bool is_mild(const std::string& yaml, const Surroundings& around) {
  const std::unique_ptr<Runner> runner = make_runner("bijector", yaml, around);
  const auto* map = dynamic_cast<const Bijector<double>*>(&runner->component());
  const Array context = scattered(kPoints, around.context, 2);
  const auto mild = [&](const char* direction, const Support& support) {
    const Response out = run(*runner, direction, points_of(support, around.event_shape.size()), context);
    const auto below = [](double bound) { return [bound](double x) { return std::abs(x) < bound; }; };
    constexpr double kValue = 1e4, kLogDet = 8;
    const double log_det = kLogDet * static_cast<double>(around.event_shape.size());
    return std::all_of(out.outputs[0].values.begin(), out.outputs[0].values.end(), below(kValue)) &&
           std::all_of(out.outputs[1].values.begin(), out.outputs[1].values.end(), below(log_det));
  };
  const auto both = [&] { return mild("forward", map->domain()) && mild("inverse", map->codomain()); };
  // The kit moves parameters away from their start, where a steep map may be one that is not.
  const Runner::Numbers start = runner->numbers();
  for (const double distance : {0.0, 0.6, -0.6}) {
    Runner::Numbers moved = start;
    for (const ParameterInfo& p : runner->layout().parameters)
      for (Index i = p.handle.offset; i < p.handle.offset + p.handle.size(); ++i)
        moved.parameters[static_cast<std::size_t>(i)] += distance;
    runner->set_numbers(moved);
    if (!both()) return false;
  }
  return true;
}

/// Whether both directions are defined on the whole of what the map declares. No interval says how far the range of
/// Box and Cox's map reaches, which depends on its parameter.
bool is_onto(const Part& part, const Surroundings& around) {
  const std::unique_ptr<Runner> runner = make_runner("bijector", part.yaml, around);
  const Array context = scattered(kPoints, around.context, 2);
  const auto finite = [&](const char* direction, const Support& support) {
    const Response out = run(*runner, direction, points_of(support, around.event_shape.size()), context);
    return std::all_of(out.outputs[0].values.begin(), out.outputs[0].values.end(),
                       [](double x) { return std::isfinite(x); });
  };
  return finite("forward", part.domain) && finite("inverse", part.codomain);
}

/// Whether each list of bijectors in it maps a set to itself, all of its parts the whole of what they declare: then it
/// does so however often and in whatever direction its holder applies it.
bool is_whole(const SpecNode& node, const Surroundings& around) {
  std::optional<Support> set;
  for (const SpecNode& item : node.items) {
    if (!item.is_map()) continue;
    const Part part = make_part(item, around);
    if (!part.built() || !same(part.domain, part.codomain) || (set && !same(*set, part.domain))) return false;
    if (!is_onto(part, around) || !is_whole(item, around)) return false;
    set = part.codomain;
  }
  return std::all_of(node.entries.begin(), node.entries.end(),
                     [&](const SpecNode::Entry& entry) { return is_whole(entry.value, around); });
}

SpecNode chain_of(const std::vector<Part>& parts) {
  SpecNode list = SpecNode::list(), fields = SpecNode::map(), chain = SpecNode::map();
  for (const Part& part : parts) list.items.push_back(part.node);
  fields.set("bijectors", std::move(list));
  chain.set("chain", std::move(fields));
  return chain;
}

/// Parts of a stack, each of which takes what the one before gives, and the first one that does not.
struct Stack {
  std::vector<Part> parts;
  std::optional<Part> misfit;
  std::size_t before_misfit = 0;  // how many of the parts stand before it
};

/// `whole`: a part must take in just what the one before gives, or the stack has no inverse on all of its codomain.
Stack draw_stack(const Surroundings& around, std::optional<Support> base, bool whole) {
  RandomComponents random(plugins());
  Stack stack;
  std::optional<Support> values = base;
  for (std::size_t n = 1 + choose(4); n > 0; --n) {
    Part part = make_part(random.component("bijector", 2), around);
    if (!part.built()) continue;
    if (whole && (!is_whole(part.node, around) || !is_onto(part, around) || (values && !same(*values, part.domain))))
      continue;
    if (!values || part.domain.contains(*values)) {
      values = part.codomain;
      stack.parts.push_back(std::move(part));
    } else if (!stack.misfit) {
      stack.misfit = std::move(part);
      stack.before_misfit = stack.parts.size();
    }
  }
  return stack;
}

/// A failure, unless all that it says is that too many samples lay at kinks of a random spline to compare slopes there.
bool is_wrong(const testing::CheckResult& result) {
  return std::any_of(result.worst.begin(), result.worst.end(),
                     [](const testing::Row& row) { return !(row.difference <= row.allowed); }) ||
         std::any_of(result.findings.begin(), result.findings.end(),
                     [](const std::string& finding) { return finding.find("redrawn") == std::string::npos; });
}

testing::Subject subject_of(const std::string& yaml, const Surroundings& around) {
  testing::Subject subject;
  subject.kind = "bijector";
  subject.name = "stack";
  subject.example = "random";
  subject.surroundings = around;
  subject.tolerance_factor = 1000;
  subject.reason = "the middle of a stack may be steeper than its ends, which the condition of the whole does not show";
  subject.make_float = [yaml](const Surroundings& s) { return build<float>(plugins(), "bijector", yaml, s); };
  subject.make_double = [yaml](const Surroundings& s) { return build<double>(plugins(), "bijector", yaml, s); };
  return subject;
}

/// A stack is not if one of its beginnings or ends is not: what erf brings near 1, arctanh does not bring back.
bool is_mild(const std::vector<Part>& parts, const Surroundings& around) {
  for (auto cut = parts.begin(); cut != parts.end(); ++cut)
    if (!is_mild(write_spec(chain_of({cut, parts.end()})), around) ||
        !is_mild(write_spec(chain_of({parts.begin(), cut + 1})), around))
      return false;
  return true;
}

/// What the composer says of a flow of two elements; nothing if it builds it.
std::string refusal_of(const std::string& base, const std::vector<Part>& parts) {
  SpecNode model = SpecNode::map();
  model.set("base", parse_spec_text(base, "base"));
  model.set("bijectors", chain_of(parts).entries.front().value.entries.front().value);
  SpecNode spec = SpecNode::map();
  spec.set("model", std::move(model));
  const std::string text =
      "data: {source: {moons: {samples: 20}}}\ntraining: {steps: 1}\nprecision: float64\n" + write_spec(spec);
  RC_LOG() << text;
  try {
    build_experiment<double>(plugins(), resolve_spec(plugins(), parse_spec_text(text, "spec.yaml")), true);
  } catch (const SpecError& e) {
    RC_LOG() << e.what() << "\n";
    require_placed(e.what(), text);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("random stacks return, and their log_dets and gradients are right") {
  REQUIRE(plugins().failures().empty());
  CHECK(rc::check("a stack is a bijector", [] {
    const Surroundings around =
        pushforward::test::around(static_cast<Index>(1 + choose(4)), static_cast<Index>(2 * choose(2)));
    const Stack stack = draw_stack(around, std::nullopt, true);
    RC_PRE(!stack.parts.empty());
    const std::string yaml = write_spec(chain_of(stack.parts));
    RC_PRE(is_mild(stack.parts, around));
    RC_LOG() << "event size " << around.event_shape.size() << ", context " << around.context << "\n" << yaml;
    const testing::Options options{.only = {"round_trip", "log_det_cancel", "log_det_numeric", "input_gradient",
                                            "parameter_gradient", "context_gradient"},
                                   .float64 = true,
                                   .float32 = false};
    std::vector<testing::CheckResult> wrong = testing::failures(testing::check(subject_of(yaml, around), options));
    std::erase_if(wrong, [](const testing::CheckResult& result) { return !is_wrong(result); });
    RC_LOG() << testing::to_text(wrong);
    RC_ASSERT(wrong.empty());
  }));
}

TEST_CASE("stacks that do not fit are refused in words, and those that fit are not") {
  CHECK(rc::check("the composer knows what fits", [] {
    const Surroundings around = pushforward::test::around(2);
    RandomComponents random(plugins());
    const std::string base = write_spec(random.component("distribution", 0));
    std::optional<Support> support;
    try {
      const testing::Built<double> built = build<double>(plugins(), "distribution", base, around);
      support = dynamic_cast<const Distribution<double>&>(*built.component).support();
    } catch (const SpecError&) {
      RC_DISCARD("no base");
    }
    const Stack stack = draw_stack(around, support, false);
    RC_PRE(!stack.parts.empty() || stack.misfit);
    // Lists inside of a part may not fit, which the composer sees, too.
    const bool fits = std::all_of(stack.parts.begin(), stack.parts.end(),
                                  [&](const Part& part) { return is_whole(part.node, around); });
    if (!stack.parts.empty()) {
      const std::string refusal = refusal_of(base, stack.parts);
      RC_ASSERT(!fits || refusal.find("takes values in") == std::string::npos);
    }
    if (stack.misfit) {
      std::vector<Part> parts(stack.parts.begin(),
                              stack.parts.begin() + static_cast<std::ptrdiff_t>(stack.before_misfit));
      parts.push_back(*stack.misfit);
      RC_ASSERT(refusal_of(base, parts).find("takes values in") != std::string::npos);
    }
  }));
}
