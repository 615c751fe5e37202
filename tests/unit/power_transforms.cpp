// box_cox and yeo_johnson where their formulas divide by zero: at exponents 0 and 2 and near them, with the gradient.
#include "../../plugins/transformers/power_transforms.cpp"

#include <catch2/catch.hpp>

#include "support/transformers.h"

using namespace pushforward::test;  // NOLINT

namespace {

/// Integrals of exp(m t), which have no singular case: y = integral to log(1 + |x|), to 40 digits.
struct Row {
  const char* map;
  double lambda, x, value, log_det, value_by_lambda, log_det_by_lambda;
};
const Row kRows[] = {
    {"box_cox", 0, 2.0, 0.69314718055994531, -0.69314718055994531, 0.24022650695910071, 0.69314718055994531},
    {"box_cox", 0, 0.0009765625, -6.9314718055994531, 6.9314718055994531, 24.022650695910071, -6.9314718055994531},
    {"box_cox", 0, 50.0, 3.9120230054281461, -3.9120230054281461, 7.6519619974995322, 3.9120230054281461},
    {"box_cox", 1e-12, 2.0, 0.69314718056018554, -0.69314718055925216, 0.24022650695921172, 0.69314718055994531},
    {"box_cox", 1e-12, 0.0009765625, -6.9314718055754304, 6.9314718055925216, 24.022650695799063, -6.9314718055994531},
    {"box_cox", 1e-12, 50.0, 3.912023005435798, -3.912023005424234, 7.6519619975194887, 3.9120230054281461},
    {"box_cox", -1e-6, 2.0, 0.69314694033349385, -0.69314787370712587, 0.24022639595091224, 0.69314718055994531},
    {"box_cox", -1e-6, 0.0009765625, -6.9314958283056532, 6.9314787370712587, 24.022761704415945, -6.9314718055994531},
    {"box_cox", -1e-6, 50.0, 3.9120153534761268, -3.9120269174511515, 7.6519420410945612, 3.9120230054281461},
    {"box_cox", 1e-3, 2.0, 0.69338746258063254, -0.69245403337938536, 0.24033754403615187, 0.69314718055994531},
    {"box_cox", 1e-3, 0.0009765625, -6.9075045629640985, 6.9245403337938536, 23.911930489880593, -6.9314718055994531},
    {"box_cox", 1e-3, 50.0, 3.9196849554091632, -3.9081109824227179, 7.6719477385740744, 3.9120230054281461},
    {"box_cox", 0.25, 2.0, 0.75682846001088427, -0.51986038541995898, 0.26986839542031392, 0.69314718055994531},
    {"box_cox", 0.25, 0.0009765625, -3.2928932188134525, 5.1986038541995898, 8.2702821579110739, -6.9314718055994531},
    {"box_cox", 0.25, 50.0, 6.6365917938899772, -2.9340172540711095, 15.064224621485915, 3.9120230054281461},
    {"box_cox", -0.5, 2.0, 0.58578643762690495, -1.039720770839918, 0.19131473178526271, 0.69314718055994531},
    {"box_cox", -0.5, 0.0009765625, -62, 10.39720770839918, 319.614195558365, -6.9314718055994531},
    {"box_cox", -0.5, 50.0, 1.717157287525381, -5.8680345081422191, 2.3278273769323539, 3.9120230054281461},
    {"box_cox", 1.5, 2.0, 1.2189514164974601, 0.34657359027997265, 0.49437658029308955, 0.69314718055994531},
    {"box_cox", 1.5, 0.0009765625, -0.66664632161458333, -3.4657359027997265, 0.44428985992148981, -6.9314718055994531},
    {"box_cox", 1.5, 50.0, 235.03559372884917, 1.956011502714073, 765.38226927944058, 3.9120230054281461},
    {"yeo_johnson", 0, 2.0, 1.0986122886681097, -1.0986122886681097, 0.60347448040629099, 1.0986122886681097},
    {"yeo_johnson", 0, -2.0, -4, 1.0986122886681097, 2.9437552990064936, -1.0986122886681097},
    {"yeo_johnson", 0, 30.0, 3.4339872044851462, -3.4339872044851462, 5.8961340602838548, 3.4339872044851462},
    {"yeo_johnson", 0, -30.0, -480, 3.4339872044851462, 1410.0308517551128, -3.4339872044851462},
    {"yeo_johnson", 1e-9, 2.0, 1.0986122892715842, -1.0986122875694974, 0.60347448084828064, 1.0986122886681097},
    {"yeo_johnson", 1e-9, -2.0, -3.9999999970562447, 1.0986122875694974, 2.9437552965189786, -1.0986122886681097},
    {"yeo_johnson", 1e-9, 30.0, 3.4339872103812803, -3.433987201051159, 5.8961340737820208, 3.4339872044851462},
    {"yeo_johnson", 1e-9, -30.0, -479.99999858996915, 3.433987201051159, 1410.0308474989588, -3.4339872044851462},
    {"yeo_johnson", 1e-3, 2.0, 1.0992159842040529, -1.0975136763794416, 0.60391665220375465, 1.0986122886681097},
    {"yeo_johnson", 1e-3, -2.0, -3.9970574880859947, 1.0975136763794416, 2.9412689014284699, -1.0986122886681097},
    {"yeo_johnson", 1e-3, 30.0, 3.4398900934264509, -3.4305532172806611, 5.9096496243570392, 3.4339872044851462},
    {"yeo_johnson", 1e-3, -30.0, -478.59209504803264, 3.4305532172806611, 1405.7812276894727, -3.4339872044851462},
    {"yeo_johnson", 0.5, 2.0, 1.4641016151377546, -0.54930614433405485, 0.87750137330987469, 1.0986122886681097},
    {"yeo_johnson", 0.5, -2.0, -2.7974349484710879, 0.54930614433405485, 1.9407479712713252, -1.0986122886681097},
    {"yeo_johnson", 0.5, 30.0, 9.1355287256600438, -1.7169936022425731, 19.968205707773289, 3.4339872044851462},
    {"yeo_johnson", 0.5, -30.0, -114.40046349848712, 1.7169936022425731, 318.87207697830682, -3.4339872044851462},
    {"yeo_johnson", 1.999, 2.0, 3.997057488085995, 1.0975136763794417, 2.9412689014284701, 1.0986122886681097},
    {"yeo_johnson", 1.999, -2.0, -1.0992159842040529, -1.0975136763794417, 0.6039166522037546, -1.0986122886681097},
    {"yeo_johnson", 1.999, 30.0, 478.59209504803279, 3.4305532172806615, 1405.7812276894731, 3.4339872044851462},
    {"yeo_johnson", 1.999, -30.0, -3.4398900934264502, -3.4305532172806615, 5.9096496243570377, -3.4339872044851462},
    {"yeo_johnson", 2, 2.0, 4, 1.0986122886681097, 2.9437552990064936, 1.0986122886681097},
    {"yeo_johnson", 2, -2.0, -1.0986122886681097, -1.0986122886681097, 0.60347448040629099, -1.0986122886681097},
    {"yeo_johnson", 2, 30.0, 480, 3.4339872044851462, 1410.0308517551128, 3.4339872044851462},
    {"yeo_johnson", 2, -30.0, -3.4339872044851462, -3.4339872044851462, 5.8961340602838548, -3.4339872044851462},
    {"yeo_johnson", 2.000001, 2.0, 4.0000029437565432, 1.0986133872803985, 2.9437577865226364, 1.0986122886681097},
    {"yeo_johnson", 2.000001, -2.0, -1.0986116851938502, -1.0986133872803985, 0.60347403841681964, -1.0986122886681097},
    {"yeo_johnson", 2.000001, 30.0, 480.00141003298003, 3.4339906384723512, 1410.0351079156302, 3.4339872044851462},
    {"yeo_johnson", 2.000001, -30.0, -3.4339813083578342, -3.4339906384723512, 5.8961205621352891, -3.4339872044851462},
    {"yeo_johnson", -1, 2.0, 0.66666666666666667, -2.1972245773362194, 0.30046257044396344, 1.0986122886681097},
    {"yeo_johnson", -1, -2.0, -8.6666666666666667, 2.1972245773362194, 6.9986217091240983, -1.0986122886681097},
    {"yeo_johnson", -1, 30.0, 0.96774193548387097, -6.8679744089702925, 0.85696815469402754, 3.4339872044851462},
    {"yeo_johnson", -1, -30.0, -9930, 6.8679744089702925, 30790.637602938997, -3.4339872044851462},
};

template <class T>
void check_row(const Row& row, Form form) {
  constexpr double kAllowed = 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const auto map = make_transformer<T>(std::string(row.map) == "box_cox" ? kComponents[0] : kComponents[1]);
  // float32 holds the given exponent approximately, and its image magnifies that.
  const double lambda = static_cast<double>(static_cast<T>(row.lambda)), moved = lambda - row.lambda;
  const double value = row.value + moved * row.value_by_lambda;
  CAPTURE(row.map, row.lambda, row.x, sizeof(T));
  const Result there = evaluate(*map, {row.x}, 1, {lambda}, form, false, {1.0}, {0.0});
  CHECK(difference(there.value[0], value) < kAllowed);
  CHECK(difference(there.log_det[0], row.log_det + moved * row.log_det_by_lambda) < kAllowed);
  CHECK(difference(there.g_theta[0], row.value_by_lambda) < 1e3 * kAllowed * (sizeof(T) == 4 ? 0.1 : 1));
  const Result logs = evaluate(*map, {row.x}, 1, {lambda}, form, false, {0.0}, {1.0});
  CHECK(difference(logs.g_theta[0], row.log_det_by_lambda) < kAllowed);
  // Back: an error of y is divided by the slope.
  const Result back = evaluate(*map, {there.value[0]}, 1, {lambda}, form, true);
  const double condition = std::max(1.0, std::abs(value) * std::exp(-row.log_det) / std::abs(row.x));
  CHECK(difference(back.value[0], row.x) < kAllowed * condition);
  CHECK(difference(back.log_det[0], -there.log_det[0]) < kAllowed * condition);
}

}  // namespace

TEST_CASE("power transforms and their gradients are exact at and near the exponents of logarithms") {
  for (const Row& row : kRows)
    for (const Form form : {Form::rows, Form::shared}) {
      check_row<double>(row, form);
      check_row<float>(row, form);
    }
}

TEST_CASE("power transforms start at, or nearest to, the identity") {
  for (const ComponentInfo& info : kComponents) {
    const auto map = make_transformer<double>(info);
    const std::vector<double> theta = identity_start(*map, 1);
    const Result r = evaluate(*map, {0.25, 3}, 1, theta, Form::shared, false);
    const double shift = std::string(info.name) == "box_cox" ? -1 : 0;
    CHECK(r.value[0] == Approx(0.25 + shift));
    CHECK(r.value[1] == Approx(3 + shift));
    CHECK(r.log_det == std::vector<double>{0, 0});
  }
}

TEST_CASE("what no number is mapped to has no inverse") {
  const auto box_cox = make_transformer<double>(kComponents[0]), yeo_johnson = make_transformer<double>(kComponents[1]);
  CHECK(std::isnan(evaluate(*box_cox, {-0.75}, 1, {2.0}, Form::shared, true).value[0]));
  CHECK(std::isnan(evaluate(*box_cox, {1.25}, 1, {-1.0}, Form::shared, true).value[0]));
  CHECK(std::isnan(evaluate(*yeo_johnson, {1.25}, 1, {-1.0}, Form::shared, true).value[0]));
  CHECK(std::isnan(evaluate(*yeo_johnson, {-1.25}, 1, {3.0}, Form::shared, true).value[0]));
  CHECK(std::isnan(evaluate(*box_cox, {-1.0}, 1, {0.5}, Form::shared, false).value[0]));
}
