// What a component must leave as it found it, because the whole program computes and writes with it.
#pragma once

#include <cfenv>
#include <locale>
#include <string>

namespace pushforward::testing {

/// The floating-point environment of this thread and the locales of the program, as they were when this was made.
class Environment {
 public:
  Environment();
  /// Puts back what is different now, and says what it was; empty if nothing was.
  std::string restore() const;

 private:
  std::fenv_t floating_;
  int rounding_, traps_;
  bool flushes_;
  std::string c_locale_;
  std::locale locale_;
};

}  // namespace pushforward::testing
