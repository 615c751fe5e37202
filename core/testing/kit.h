// The checks, one function each. A check of an evaluated component runs once for each variant and precision; one of
// other kinds once for each precision.
#pragma once

#include "case.h"
#include "tally.h"

namespace pushforward::testing {

using CaseCheck = void (*)(Case&, Tally&);

void check_round_trip(Case&, Tally&);
void check_log_det_cancel(Case&, Tally&);
void check_log_det_numeric(Case&, Tally&);
void check_structure(Case&, Tally&);
void check_input_gradient(Case&, Tally&);
void check_parameter_gradient(Case&, Tally&);
void check_context_gradient(Case&, Tally&);
void check_taylor(Case&, Tally&);
void check_recording(Case&, Tally&);
void check_accumulation(Case&, Tally&);
void check_rows(Case&, Tally&);
void check_sizes(Case&, Tally&);
void check_edges(Case&, Tally&);
void check_bad_input(Case&, Tally&);
void check_threads(Case&, Tally&);
void check_checkpoint(Case&, Tally&);
void check_fields(Case&, Tally&);
void check_reached(Case&, Tally&);
void check_density(Case&, Tally&);
void check_fast_path(Case&, Tally&);
void check_draws(Case&, Tally&);
void check_parameter_vector(Case&, Tally&);
void check_chi_square(Case&, Tally&);
void check_sampled_log_prob(Case&, Tally&);
void check_moments(Case&, Tally&);
void check_tangent(Case&, Tally&);
void check_values(Case&, Tally&);
void check_allocations(Case&, Tally&);

using SubjectCheck = void (*)(const Subject&, Tally&);

void check_subject_fields(const Subject&, Tally&);
void check_fixed_point(const Subject&, Tally&);
void check_descent(const Subject&, Tally&);
void check_optimizer_resume(const Subject&, Tally&);
void check_optimizer_allocations(const Subject&, Tally&);
void check_ranges(const Subject&, Tally&);
void check_factor(const Subject&, Tally&);
void check_table(const Subject&, Tally&);
void check_preprocess(const Subject&, Tally&);
void check_fit(const Subject&, Tally&);
void check_schedule_resume(const Subject&, Tally&);
void check_loss(const Subject&, Tally&);
void check_loss_gradient(const Subject&, Tally&);
void check_weights(const Subject&, Tally&);
void check_shards(const Subject&, Tally&);
void check_loss_allocations(const Subject&, Tally&);
void check_training(const Subject&, Tally&);
void check_training_resume(const Subject&, Tally&);
void check_tracking(const Subject&, Tally&);

}  // namespace pushforward::testing
