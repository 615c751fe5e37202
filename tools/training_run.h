// What `fit` and `resume` do alike, once there is something to train.
#pragma once

#include "console.h"
#include "fitting.h"

namespace pushforward {

/// Trains, prints what came of it, draws the pictures if they are wanted; returns the program's exit code.
template <class T>
int train_and_report(Fitting<T>& fitting, Experiment<T>& experiment, const RunFolder& folder, bool plots,
                     Console& console);

}  // namespace pushforward
