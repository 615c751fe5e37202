// Errors of factories, with the place and position of the component that they came from.
#pragma once

#include "pushforward/error.h"

namespace pushforward {

/// Marks an error whose message already names the place; it passes outwards unchanged.
class Placed {
 public:
  virtual ~Placed() = default;
};

template <class E>
class PlacedError final : public E, public Placed {
 public:
  using E::E;
};

}  // namespace pushforward
