// A flow with the weights of another library's, against what that library computed.
#pragma once

#include <catch2/catch.hpp>

#include "support/reference.h"

namespace pushforward::test {

/// Compares latents, log_dets, inverses, densities and the gradient of the loss with respect to the inputs; gives the
/// response with the parameters' gradient. `chain` is the bijector, `flow` the distribution, both with the weights.
inline Response compare_flow(const Json& model, Runner& chain, Runner& flow, double allowed) {
  const Array x = array(model["x"]);
  const Response latent = run(chain, "inverse", x);
  CHECK(distance(latent.outputs[0], array(model["z"])) < allowed);
  CHECK(distance(latent.outputs[1], array(model["log_det"])) < allowed);
  const Json& inverse = model["inverse"];
  CHECK(distance(run(chain, "forward", array(inverse["z"])).outputs[0], array(inverse["x"])) < allowed);

  Request r;
  r.function = function_index(flow, "log_prob");
  r.x = x;
  r.rows = x.rows;
  r.cotangents = {Array(x.rows, 1, -1 / static_cast<double>(x.rows))};
  const Response density = flow.run(r);
  CHECK(distance(density.outputs[0], array(model["log_prob"])) < allowed);
  CHECK(distance(density.x, array(model["d_loss_dx"])) < allowed);
  return density;
}

/// The gradient of the one parameter whose path ends so.
inline std::vector<double> gradient_of(const Runner& runner, const Response& response, const std::string& path) {
  const Parameter& p = parameter(runner, path).handle;
  const auto first = response.parameters.begin() + p.offset;
  return {first, first + p.size()};
}

}  // namespace pushforward::test
