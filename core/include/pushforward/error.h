// One exception type for each cause of failure. Thrown anywhere, caught once: in the program.
#pragma once

#include <stdexcept>
#include <string>

#include "pushforward/shape.h"

namespace pushforward {

/// Root of all errors of the toolkit. `what()` is a complete sentence for the user.
class PUSHFORWARD_EXPORT Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

/// A spec, an override or a command line that is not valid (the user's to mend; exit code 2).
class PUSHFORWARD_EXPORT SpecError : public Error {
 public:
  using Error::Error;
  ~SpecError() override;
};
/// A shared library that cannot be used.
class PUSHFORWARD_EXPORT PluginError : public Error {
 public:
  using Error::Error;
  ~PluginError() override;
};
/// Data that cannot be read or does not fit the model.
class PUSHFORWARD_EXPORT DataError : public Error {
 public:
  using Error::Error;
  ~DataError() override;
};
/// A computation that left the finite numbers or did not converge.
class PUSHFORWARD_EXPORT NumericalError : public Error {
 public:
  using Error::Error;
  ~NumericalError() override;
};
/// A checkpoint that is damaged or belongs to another model.
class PUSHFORWARD_EXPORT CheckpointError : public Error {
 public:
  using Error::Error;
  ~CheckpointError() override;
};
/// Blocks, shapes or parameters that do not fit together: a programmer's error in a component.
class PUSHFORWARD_EXPORT ShapeError : public Error {
 public:
  using Error::Error;
  ~ShapeError() override;
};

}  // namespace pushforward
