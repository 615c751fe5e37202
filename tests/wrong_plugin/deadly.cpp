// A plugin whose components take the process with them, or change what belongs to it: `pushforward check` must name
// each, and go on.
#include <unistd.h>

#include <cfenv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "pushforward/operations.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT

enum class Fault { none, aborts, exits, segmentation, recursion, endless, at_exit, rounds, prints, bytes };

/// Each call needs the memory of the one below it, so that no compiler makes a loop of them.
int descend(const volatile int* above) {
  volatile int frame[256] = {*above + 1};
  return *above < 0 ? 0 : descend(frame) + frame[255];
}

void die_at_exit() { std::raise(SIGBUS); }

void commit(Fault fault) {
  volatile int number = 1;
  switch (fault) {
    case Fault::aborts:
      std::abort();
    case Fault::exits:
      std::exit(EXIT_SUCCESS);
    case Fault::segmentation:
      std::raise(SIGSEGV);
      break;
    case Fault::recursion:
      descend(&number);
      break;
    case Fault::endless:
      while (number == 1) ::usleep(1000);
      break;
    case Fault::at_exit: {
      static const int kRegistered = std::atexit(die_at_exit);
      number = kRegistered;
      break;
    }
    case Fault::rounds:
      std::fesetround(FE_UPWARD);
      break;
    case Fault::prints: {
      static const int kPrinted = std::puts("{ this is no result");
      number = kPrinted;
      break;
    }
    case Fault::bytes:
      throw std::runtime_error("bytes that are no text: \xff\xfe, and \x1b[31m");
    case Fault::none:
      break;
  }
}

template <class T, Fault fault>
class Deadly final : public Bijector<T> {
 public:
  explicit Deadly(Build<T>& build) : size_(build.event_size()) {}
  Mapped<T> forward(Var<T> x, const Pass<T>&) const override {
    require_columns("deadly", x.columns(), size_);
    commit(fault);
    return identity(x);
  }
  Mapped<T> inverse(Var<T> y, const Pass<T>&) const override {
    require_columns("deadly", y.columns(), size_);
    return identity(y);
  }

 private:
  static Mapped<T> identity(Var<T> x) { return {x * T(1), row_sum(x * T(0))}; }
  Index size_;
};

template <Fault fault>
struct Of {
  template <class T>
  using Component = Deadly<T, fault>;
};

constexpr Example kAborts[] = {{"default", "deadly_aborts"}};
constexpr Example kExits[] = {{"default", "deadly_exits"}};
constexpr Example kSegmentation[] = {{"default", "deadly_segmentation"}};
constexpr Example kRecursion[] = {{"default", "deadly_recursion"}};
constexpr Example kEndless[] = {{"default", "deadly_endless"}};
constexpr Example kAtExit[] = {{"default", "deadly_at_exit"}};
constexpr Example kRounds[] = {{"default", "deadly_rounds"}};
constexpr Example kPrints[] = {{"default", "deadly_prints"}};
constexpr Example kBytes[] = {{"default", "deadly_bytes"}};

constexpr ComponentInfo kComponents[] = {
    describe<Of<Fault::aborts>::Component>("bijector", "deadly_aborts", "aborts", nullptr, kAborts),
    describe<Of<Fault::exits>::Component>("bijector", "deadly_exits", "exits with 0", nullptr, kExits),
    describe<Of<Fault::segmentation>::Component>("bijector", "deadly_segmentation", "crashes", nullptr, kSegmentation),
    describe<Of<Fault::recursion>::Component>("bijector", "deadly_recursion", "needs any stack", nullptr, kRecursion),
    describe<Of<Fault::endless>::Component>("bijector", "deadly_endless", "never returns", nullptr, kEndless),
    describe<Of<Fault::at_exit>::Component>("bijector", "deadly_at_exit", "dies at the end", nullptr, kAtExit),
    describe<Of<Fault::rounds>::Component>("bijector", "deadly_rounds", "rounds upwards", nullptr, kRounds),
    describe<Of<Fault::prints>::Component>("bijector", "deadly_prints", "prints", nullptr, kPrints),
    describe<Of<Fault::bytes>::Component>("bijector", "deadly_bytes", "throws odd bytes", nullptr, kBytes),
};

}  // namespace

PUSHFORWARD_PLUGIN("deadly", "0.1.0", "MIT", kComponents);
