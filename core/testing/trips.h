// Trip: one direction and back, with the conditions that its errors are measured by.
#pragma once

#include "case.h"

namespace pushforward::testing {

/// One direction after the other, and how far an error of rounding in between may carry.
struct Trip {
  std::string name;
  Array start, back;                  // x and what came back
  Array log_det_there, log_det_back;  // of the two directions
  Array value_condition;              // of every element that came back
  std::vector<double> log_det_condition;
  bool iterative = false;
};

/// From the request's x through `first` and back through `second`.
Trip make_trip(Case& c, Precision p, const FunctionCase& first, const FunctionCase& second, const Request& there);

}  // namespace pushforward::testing
