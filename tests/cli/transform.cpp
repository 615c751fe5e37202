// `transform`: there and back, its log_det, and what it refuses.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <sstream>

#include "io/npy.h"
#include "support/program.h"

namespace {

using namespace pushforward::test;  // NOLINT
using pushforward::NpyArray;
using pushforward::read_npy;
using pushforward::test::pushforward;

const std::string kConfigs = PUSHFORWARD_SOURCE_DIR "/configs/";

/// Runs of a model without and of one with a context.
const TemporaryFolder& runs() {
  static const TemporaryFolder folder;
  static const bool fitted = [] {
    for (const char* name : {"circles", "conditional"}) {
      const Outcome fit = pushforward({"fit", kConfigs + name + ".yaml", "--output", name, "--quiet", "--no-plots",
                                       "--set", "training.steps=30", "--set", "precision=float64"},
                                      folder.path());
      if (fit.code != 0) throw std::runtime_error(fit.err);
    }
    return true;
  }();
  REQUIRE(fitted);
  return folder;
}

TEST_CASE("Data go to the base and come back, and the two log_dets cancel") {
  const auto& folder = runs();
  const Outcome there =
      pushforward({"transform", "circles", "circles/samples.npy", "-o", "base.npy", "--log-det"}, folder.path());
  CAPTURE(there.err);
  REQUIRE(there.code == 0);
  const NpyArray base = read_npy(folder / "base.npy");
  REQUIRE(base.shape == std::vector<std::int64_t>{1000, 3});
  // With log_det in it the table has a column too many to be taken by its places.
  REQUIRE(pushforward({"transform", "circles", "circles/samples.npy", "-o", "points.npy"}, folder.path()).code == 0);
  REQUIRE(pushforward({"transform", "circles", "points.npy", "--direction", "forward", "--log-det", "-o", "back.npy"},
                      folder.path())
              .code == 0);
  const NpyArray back = read_npy(folder / "back.npy"), data = read_npy(folder / "circles/samples.npy");
  for (std::size_t i = 0; i < 1000; ++i) {
    CHECK(back.values[3 * i] == Approx(data.values[2 * i]).margin(1e-9));
    CHECK(back.values[3 * i + 1] == Approx(data.values[2 * i + 1]).margin(1e-9));
    CHECK(back.values[3 * i + 2] == Approx(-base.values[3 * i + 2]).margin(1e-9));
  }
}

TEST_CASE("The density is that of the base plus the log_det") {
  const auto& folder = runs();
  REQUIRE(
      pushforward({"transform", "circles", "circles/samples.npy", "-o", "base.npy", "--log-det"}, folder.path()).code ==
      0);
  REQUIRE(pushforward({"log-prob", "circles", "circles/samples.npy", "-o", "density.npy"}, folder.path()).code == 0);
  const NpyArray base = read_npy(folder / "base.npy"), density = read_npy(folder / "density.npy");
  for (std::size_t i = 0; i < 1000; ++i) {
    const double z0 = base.values[3 * i], z1 = base.values[3 * i + 1];
    CHECK(density.values[i] == Approx(base.values[3 * i + 2] - 0.5 * (z0 * z0 + z1 * z1) - std::log(2 * M_PI)));
  }
}

TEST_CASE("A conditional model takes its context from the same file, by name") {
  const auto& folder = runs();
  const std::string wine = kConfigs + "data/wine.csv";
  REQUIRE(pushforward({"transform", "conditional", wine, "-o", "base.csv"}, folder.path()).code == 0);
  // The points with the class beside them, as the forward direction wants them.
  std::istringstream points(read_text(folder / "base.csv")), rows(read_text(wine));
  std::string point, row, text;
  std::getline(rows, row);
  const auto count = std::count(row.begin(), row.end(), ',');
  REQUIRE(row.substr(row.rfind(',') + 1) == "target");
  std::getline(points, point);
  text = point + ",target\n";
  while (std::getline(points, point) && std::getline(rows, row)) text += point + row.substr(row.rfind(',')) + "\n";
  std::ofstream(folder / "points.csv") << text;
  const Outcome back = pushforward(
      {"transform", "conditional", "points.csv", "--direction", "forward", "-o", "back.npy"}, folder.path());
  CAPTURE(back.err);
  REQUIRE(back.code == 0);
  const NpyArray data = read_npy(folder / "back.npy");
  REQUIRE(data.shape == std::vector<std::int64_t>{178, count});
  std::istringstream again(read_text(wine));
  std::getline(again, row);
  for (std::size_t i = 0; std::getline(again, row); ++i)
    CHECK(data.values[i * static_cast<std::size_t>(count)] == Approx(std::stod(row)).epsilon(1e-8));
}

TEST_CASE("What cannot be mapped is refused with the reason") {
  const auto& folder = runs();
  const auto refused = [&](const std::vector<std::string>& words, int code, const std::string& part) {
    const Outcome outcome = pushforward(words, folder.path());
    CAPTURE(outcome.err);
    CHECK(outcome.code == code);
    CHECK(outcome.err.find(part) != std::string::npos);
  };
  refused({"transform", "circles", "circles/samples.npy", "--direction", "foward"}, 2, "did you mean 'forward'?");
  refused({"transform", "circles", "circles/samples.npy", "-o", "circles/samples.npy"}, 2,
          "which is the file that is read");
  std::ofstream(folder / "three.csv") << "a,b,c\n1,2,3\n";
  refused({"transform", "circles", "three.csv", "--direction", "forward"}, 1, "no column 'z0'");
  std::ofstream(folder / "plain.yaml")
      << "data: {source: circles}\nmodel: normal\ntraining: {steps: 1, optimizer: adam}\n";
  const Outcome fit = pushforward(
      {"fit", "plain.yaml", "--set", "model={normal: {mean: learnable}}", "-o", "plain", "--no-plots", "-q"},
      folder.path());
  CAPTURE(fit.err);
  REQUIRE(fit.code == 0);
  refused({"transform", "plain", "circles/samples.npy"}, 2, "is no flow");
}

}  // namespace
