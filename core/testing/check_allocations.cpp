// Check 27: in steady state, when the tape's memory has grown, an evaluation with its gradient allocates nothing.
#include "kit.h"
#include "pushforward/testing/allocations.h"

namespace pushforward::testing {

void check_allocations(Case& c, Tally& t) {
  if (!counts_allocations()) return t.skip("this program does not count allocations");
  constexpr int kWarm = 3;
  for (const FunctionCase& f : c.functions())
    for (const Mode mode : c.modes(f)) {
      Request r = c.request(f, kSamples, 281, mode);
      Runner& runner = c.runner(t.precision());
      if (f.differentiable) r.cotangents = Case::cotangents(runner.run(r).outputs, 282);
      std::int64_t allocations = 0;
      for (int i = 0; i <= kWarm; ++i) allocations = runner.run(r).allocations;
      t.require(allocations == 0, [&] {
        return c.where(f, mode) + ": " + std::to_string(allocations) +
               " heap allocations, after the same call was made " + std::to_string(kWarm) +
               " times; take memory of a pass from its tape (`make`, `scratch`)";
      });
    }
}

}  // namespace pushforward::testing
