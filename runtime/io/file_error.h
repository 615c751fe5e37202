// What can go wrong with a file that is written.
#pragma once

#include "pushforward/error.h"

namespace pushforward {

/// A file or folder that cannot be made, written or replaced: no space, no permission, in the way.
class FileError : public Error {
 public:
  using Error::Error;
};

}  // namespace pushforward
