#include "pushforward/error.h"

namespace pushforward {

// Key functions: the typeinfo of every exception lives in core, so that a `catch` works across libraries.
Error::~Error() = default;
SpecError::~SpecError() = default;
PluginError::~PluginError() = default;
DataError::~DataError() = default;
NumericalError::~NumericalError() = default;
CheckpointError::~CheckpointError() = default;
ShapeError::~ShapeError() = default;

}  // namespace pushforward
