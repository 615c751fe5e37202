// The header of a .npy file: a Python dictionary literal with three keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pushforward/shape.h"

namespace pushforward {

struct NpyHeader {
  std::string type;  // `descr`
  bool fortran_order = false;
  std::vector<Index> shape;
};

/// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`. Throws Error saying what it met; a structured
/// type (a list as `descr`) is refused like any other that is no string.
NpyHeader parse_npy_header(std::string_view text);

}  // namespace pushforward
