#include "environment.h"

#include <clocale>
#include <limits>

namespace pushforward::testing {

namespace {

/// Whether numbers below the smallest normal one become 0: half of it, computed where no compiler sees it.
bool flushes_small_numbers() {
  const volatile double smallest = std::numeric_limits<double>::min(), half = 0.5;
  const volatile double below = smallest * half;
  return below == 0;
}

/// Division by zero, overflow or an invalid operation end the program, where they are trapped.
int traps() {
#ifdef __GLIBC__
  return fegetexcept();
#else
  return 0;
#endif
}

std::string c_locale() { return std::setlocale(LC_ALL, nullptr); }

}  // namespace

Environment::Environment()
    : rounding_(std::fegetround()), traps_(traps()), flushes_(flushes_small_numbers()), c_locale_(c_locale()) {
  std::fegetenv(&floating_);
}

std::string Environment::restore() const {
  std::string changed;
  const auto note = [&](const char* what) { changed += (changed.empty() ? "" : ", ") + std::string(what); };
  if (std::fegetround() != rounding_) note("the rounding mode");
  if (traps() != traps_) note("which floating-point exceptions are trapped");
  if (flushes_small_numbers() != flushes_) note("whether small numbers are flushed to zero");
  if (!changed.empty()) std::fesetenv(&floating_);
  if (c_locale() != c_locale_) {
    note("the locale of C");
    std::setlocale(LC_ALL, c_locale_.c_str());
  }
  if (std::locale() != locale_) {
    note("the locale of C++");
    std::locale::global(locale_);
  }
  return changed;
}

}  // namespace pushforward::testing
