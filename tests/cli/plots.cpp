// The pictures of a run: scripts, data, PNG and SVG files, what happens without gnuplot, and that no user's file is
// lost.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "pictures/gnuplot.h"
#include "pictures/plot_numbers.h"
#include "support/specs.h"

namespace {

using namespace pushforward::test;  // NOLINT
using Catch::Matchers::Contains;
using pushforward::test::pushforward;

bool has_gnuplot() {
  static const bool there = [] {
    const TemporaryFolder folder;
    return Process("/usr/bin/env", {"gnuplot", "--version"}, folder.path()).finish().code == 0;
  }();
  return there;
}

const std::vector<std::string> kNoPrograms = {"PATH=/nonexistent"};

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// A table whose lines all have as many cells as its first.
void check_table(const std::filesystem::path& file, std::size_t rows, long columns) {
  INFO(file);
  const std::vector<std::string> lines = lines_of(read_text(file));
  CHECK(lines.size() == rows + 1);
  for (const std::string& line : lines) REQUIRE(std::count(line.begin(), line.end(), ',') == columns - 1);
}

/// A PNG file of so many pixels, twice the points of its SVG: its signature, and the sizes in its first chunk.
void check_png(const std::filesystem::path& file) {
  INFO(file);
  const std::string bytes = read_text(file);
  REQUIRE(bytes.size() > 5000);
  CHECK(bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n");
  CHECK(bytes.substr(12, 4) == "IHDR");
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const int width = byte(18) * 256 + byte(19), height = byte(22) * 256 + byte(23);
  CHECK(width >= 700);
  CHECK(height >= 350);
  CHECK(bytes.substr(bytes.size() - 8, 4) == "IEND");
}

void check_svg(const std::filesystem::path& file) {
  INFO(file);
  const std::string text = read_text(file);
  REQUIRE(text.size() > 5000);
  CHECK(text.size() < 1000000);
  CHECK(text.substr(0, 5) == "<?xml");
  CHECK_THAT(text, Contains("<svg") && Contains("</svg>"));
}

void check_pictures(const std::filesystem::path& plots, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string script = read_text(plots / (name + ".gp"));
    CHECK_THAT(script,
               Contains("set terminal pngcairo") && Contains("set terminal svg") && Contains("'" + name + ".'"));
    for (const char quote : {'\'', '"'}) CHECK_THAT(script, !Contains(quote + std::string("/")));
    CHECK_THAT(script, !Contains(std::filesystem::absolute(plots).parent_path().string()));
    if (!has_gnuplot()) continue;
    check_png(plots / (name + ".png"));
    check_svg(plots / (name + ".svg"));
  }
}

/// What the line of `fit` says about its pictures.
std::string drawn(const std::string& names) { return "plots: run/plots (" + names + ")\n"; }

/// What `plot` prints.
std::string printed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    for (const char* format : {"png", "svg"}) text += "run/plots/" + name + "." + format + "\n";
  return text;
}

const std::vector<std::string> kOfTwo = {"data", "data_marginals", "loss", "samples", "marginals", "density", "warp"};
constexpr const char* kNamesOfTwo = "data, data_marginals, loss, samples, marginals, density, warp";

/// Every script, drawn as the note of a fit says to; in the C locale gnuplot remarks that it has no degree sign.
void check_redrawn(const std::filesystem::path& plots, const std::vector<std::string>& names) {
  if (!has_gnuplot()) return;
  std::vector<std::string> words = {"gnuplot"};
  for (const std::string& name : names) {
    words.push_back(name + ".gp");
    for (const char* format : {".png", ".svg"}) std::filesystem::remove(plots / (name + format));
  }
  const Outcome outcome = Process("/usr/bin/env", words, plots, {"LC_ALL=C.UTF-8"}).finish();
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  check_pictures(plots, names);
}

/// A folder for tests that change a run.
struct Workplace {
  explicit Workplace(const std::string& spec = kSmallSpec) {
    folder.write("spec.yaml", spec);
    folder.write("points.csv", points_csv());
  }
  Outcome fit(std::vector<std::string> options = {}, const std::vector<std::string>& environment = {}) const {
    options.insert(options.begin(), {"fit", "spec.yaml", "--output", "run"});
    return pushforward(options, folder.path(), environment);
  }
  Outcome plot(const std::vector<std::string>& environment = {}) const {
    return pushforward({"plot", "run"}, folder.path(), environment);
  }
  std::filesystem::path plots() const { return folder / "run/plots"; }
  TemporaryFolder folder;
};

TEST_CASE("A fit of two elements draws data, loss, samples, marginals, density and warp") {
  const std::filesystem::path plots = small_run().folder / "run/plots";
  check_pictures(plots, kOfTwo);
  check_table(plots / "loss.csv", 3, 3);
  check_table(plots / "data.csv", 140, 2);
  check_table(plots / "samples.csv", 140, 2);
  check_table(plots / "density.csv", 256, 257);
  check_table(plots / "histograms.csv", 11, 4);
  check_table(plots / "marginals.csv", 200, 6);
  CHECK(lines_of(read_text(plots / "data.csv")).front() == "x0,x1");
  CHECK(lines_of(read_text(plots / "loss.csv")).front() == "step,loss,validation_loss");
  CHECK(lines_of(read_text(plots / "warp.csv")).front() == "z0,z1,x0,x1");
  std::vector<std::string> expected = {"data.csv",      "density.csv", "histograms.csv", "loss.csv",
                                       "marginals.csv", "samples.csv", "warp.csv"};
  for (const std::string& name : kOfTwo) {
    expected.push_back(name + ".gp");
    if (!has_gnuplot()) continue;
    for (const char* format : {".png", ".svg"}) expected.push_back(name + format);
  }
  if (has_gnuplot()) CHECK_THAT(small_run().fit.err, Contains(drawn(kNamesOfTwo)));
  std::sort(expected.begin(), expected.end());
  CHECK(names_in(plots) == expected);
}

TEST_CASE("Scripts redraw both formats without a word, one alone where it is asked for") {
  const Workplace place;
  REQUIRE(place.fit().code == 0);
  check_redrawn(place.plots(), kOfTwo);
  if (!has_gnuplot()) return;
  for (const char* file : {"warp.png", "warp.svg"}) std::filesystem::remove(place.plots() / file);
  Process("/usr/bin/env", {"gnuplot", "-e", "formats = 'svg'", "warp.gp"}, place.plots()).finish();
  check_svg(place.plots() / "warp.svg");
  CHECK(!std::filesystem::exists(place.plots() / "warp.png"));
}

/// Numbers of the lines of a block, which ends with two empty lines; the header is left out.
std::vector<std::vector<double>> block_of(const std::vector<std::string>& lines, int block) {
  std::vector<std::vector<double>> rows;
  int found = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) {
      found += lines[i - 1].empty() ? 1 : 0;
      continue;
    }
    if (found != block) continue;
    rows.emplace_back();
    std::istringstream stream(lines[i]);
    for (std::string cell; std::getline(stream, cell, ',');) rows.back().push_back(std::stod(cell));
  }
  return rows;
}

TEST_CASE("The warped grid is what `transform --direction forward` makes of the grid") {
  const std::vector<std::string> lines = lines_of(read_text(small_run().folder / "run/plots/warp.csv"));
  const auto upright = block_of(lines, 0), level = block_of(lines, 1), draws = block_of(lines, 2);
  CHECK(upright.size() == 21 * 241);
  CHECK(level.size() == upright.size());
  CHECK(draws.size() == 1200);
  CHECK(block_of(lines, 3).size() > 100);
  const TemporaryFolder folder;
  std::string points = "z0,z1\n";
  for (std::size_t i = 0; i < upright.size(); i += 100) points += fmt::format("{},{}\n", upright[i][0], upright[i][1]);
  folder.write("points.csv", points);
  const Outcome outcome = pushforward({"transform", (small_run().folder / "run").string(), "points.csv", "--direction",
                                       "forward", "--output", "mapped.csv"},
                                      folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::vector<std::string> mapped = lines_of(read_text(folder / "mapped.csv"));
  for (std::size_t i = 0; i < upright.size(); i += 100) {
    std::istringstream stream(mapped.at(1 + i / 100));
    std::string x0, x1;
    std::getline(stream, x0, ',');
    std::getline(stream, x1, ',');
    CHECK(std::stod(x0) == Approx(upright[i][2]).epsilon(1e-4).margin(1e-4));
    CHECK(std::stod(x1) == Approx(upright[i][3]).epsilon(1e-4).margin(1e-4));
  }
}

TEST_CASE("The density in data units sums to one over the grid, nearly") {
  const std::vector<std::string> lines = lines_of(read_text(small_run().folder / "run/plots/density.csv"));
  const auto cells = [](const std::string& line) {
    std::vector<double> numbers;
    std::istringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) numbers.push_back(std::stod(cell));
    return numbers;
  };
  const std::vector<double> x = cells(lines[0]);
  CHECK(x.front() == 256);
  double sum = 0;
  for (std::size_t j = 1; j < lines.size(); ++j) {
    const std::vector<double> row = cells(lines[j]);
    for (std::size_t i = 1; i < row.size(); ++i) {
      CHECK(row[i] >= 0);
      sum += row[i];
    }
  }
  const double dx = x[2] - x[1], dy = cells(lines[2])[0] - cells(lines[1])[0];
  // After 20 steps the model is still wider than the data, so some of it lies outside the frame.
  CHECK(sum * dx * dy > 0.6);
  CHECK(sum * dx * dy < 1.01);
}

TEST_CASE("--no-plots draws nothing") {
  const Workplace place;
  const Outcome outcome = place.fit({"--no-plots"});
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err, !Contains("plots"));
  CHECK(!std::filesystem::exists(place.plots()));
}

TEST_CASE("Without gnuplot the fit succeeds, and says how the pictures can be had") {
  const Workplace place;
  const Outcome outcome = place.fit({}, kNoPrograms);
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err, Contains("gnuplot is not installed, so no pictures were drawn; apt-get install gnuplot-nox, "
                                   "then: cd run/plots && gnuplot *.gp\n"));
  CHECK_THAT(outcome.err, !Contains("warning"));
  check_table(place.plots() / "density.csv", 256, 257);
  CHECK(!std::filesystem::exists(place.plots() / "loss.png"));
  if (!has_gnuplot()) return;
  check_redrawn(place.plots(), kOfTwo);
}

TEST_CASE("plot draws the same pictures again and keeps what is the user's") {
  const Workplace place;
  REQUIRE(place.fit().code == 0);
  const std::string density = read_text(place.plots() / "density.csv"), points = read_text(place.plots() / "data.csv");
  const std::string original = read_text(place.plots() / "density.gp");
  std::filesystem::remove(place.plots() / "density.csv");
  std::filesystem::remove(place.plots() / "loss.gp");
  place.folder.write("run/plots/mine.gp", "# mine\n");
  std::string changed = original;
  changed.replace(changed.find("set cblabel 'density"), 20, "set cblabel 'thickness");
  place.folder.write("run/plots/density.gp", changed);

  const Outcome outcome = place.plot();
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err, Contains("run/plots/density.gp was changed: it is kept, and drawn as it is"));
  CHECK(read_text(place.plots() / "density.gp") == changed);
  CHECK(read_text(place.plots() / "mine.gp") == "# mine\n");
  CHECK(read_text(place.plots() / "density.csv") == density);
  CHECK(read_text(place.plots() / "data.csv") == points);
  CHECK(std::filesystem::exists(place.plots() / "loss.gp"));
  if (has_gnuplot()) CHECK(outcome.out == printed(kOfTwo));

  std::filesystem::remove(place.plots() / "density.gp");
  CHECK_THAT(place.plot().err, !Contains("was changed"));
  CHECK(read_text(place.plots() / "density.gp") == original);
  const Outcome json = pushforward({"plot", "run", "--format", "json"}, place.folder.path());
  CHECK(nlohmann::json::parse(json.out)["plots"].size() == (has_gnuplot() ? 14 : 0));
}

TEST_CASE("plot --only draws the pictures that are named") {
  const Workplace place;
  REQUIRE(place.fit({"--no-plots"}).code == 0);
  const Outcome outcome = pushforward({"plot", "run", "--only", "warp", "--only", "data"}, place.folder.path());
  CHECK(outcome.code == 0);
  if (has_gnuplot()) CHECK(outcome.out == printed({"data", "warp"}));
  CHECK(!std::filesystem::exists(place.plots() / "loss.gp"));
  const Outcome wrong = pushforward({"plot", "run", "--only", "corner"}, place.folder.path());
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("error: this run has no picture 'corner'; it has: " + std::string(kNamesOfTwo)));
}

TEST_CASE("A picture that gnuplot refuses is a warning with gnuplot's words; the picture that was there stays") {
  if (!has_gnuplot()) return;
  const Workplace place;
  REQUIRE(place.fit().code == 0);
  const std::string before = read_text(place.plots() / "loss.png");
  place.folder.write("run/plots/loss.gp", "plott 'loss.csv'\n");
  const Outcome outcome = place.plot();
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err,
             Contains("warning: the picture run/plots/loss was not drawn: gnuplot: ") && Contains("invalid command"));
  CHECK(outcome.out == printed({"data", "data_marginals", "samples", "marginals", "density", "warp"}));
  CHECK(read_text(place.plots() / "loss.png") == before);
  place.folder.write("run/plots/loss.gp", "print 'nothing drawn'\n");
  CHECK_THAT(place.plot().err, Contains("loss was not drawn: gnuplot: nothing drawn"));
  for (const std::string& name : names_in(place.plots())) CHECK(name[0] != '.');
}

TEST_CASE("A folder of pictures that cannot be made does not fail the run, but plot") {
  const Workplace place;
  REQUIRE(place.fit({"--no-plots"}).code == 0);
  place.folder.write("run/plots", "in the way");
  const Outcome outcome = place.plot();
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, Contains("error: ") && Contains("'run/plots'"));
  CHECK(read_text(place.plots()) == "in the way");
  const Outcome checkpoint = pushforward({"plot", "run/checkpoint.safetensors"}, place.folder.path());
  CHECK(checkpoint.code == 2);
  CHECK_THAT(checkpoint.err, Contains("name the run's folder"));
}

TEST_CASE("A conditional model is sampled at the training rows' contexts, and has no density to draw") {
  const Workplace place(kConditionalSpec);
  REQUIRE(place.fit().code == 0);
  check_pictures(place.plots(), {"data", "data_marginals", "loss", "samples", "marginals"});
  check_table(place.plots() / "samples.csv", 60, 2);
  for (const char* name : {"density.gp", "warp.gp"}) CHECK(!std::filesystem::exists(place.plots() / name));
  // Without its data nothing says which contexts there were.
  std::filesystem::remove(place.folder / "points.csv");
  const Outcome outcome = place.plot();
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err,
             Contains("warning: the pictures are drawn without the training data: ") && Contains("points.csv"));
  if (has_gnuplot()) CHECK(outcome.out == printed({"loss"}));
}

TEST_CASE("A model of one class per row is drawn in the colours of the classes") {
  std::string spec = kConditionalSpec;
  spec.replace(spec.find("{columns: [angle]}"), 18, "{labels: kind, classes: 3}");
  const Workplace place(spec);
  std::string points = "x,y,kind\n";
  for (int i = 0; i < 60; ++i) points += fmt::format("{},{},{}\n", i % 3 + 0.01 * i, std::sin(0.2 * i), i % 3);
  place.folder.write("points.csv", points);
  const Outcome outcome = place.fit();
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const std::vector<std::string> names = {"data", "data_marginals", "loss", "samples", "marginals"};
  check_pictures(place.plots(), names);
  check_redrawn(place.plots(), names);
  const std::vector<std::string> data = lines_of(read_text(place.plots() / "data.csv"));
  CHECK(data.front() == "x,y,class");
  for (std::size_t i = 1; i < data.size(); ++i)
    CHECK(data[i].back() == static_cast<char>('0' + static_cast<int>(std::stod(data[i]))));
  CHECK_THAT(read_text(place.plots() / "samples.gp"), Contains("'● kind = 2'"));
}

std::string spec_of(const std::string& columns) {
  return "data:\n  source: {csv: {file: points.csv, columns: " + columns +
         "}}\nmodel: {base: normal, bijectors: [{elementwise: {transformer: affine}}]}\ntraining: {steps: 5}\n";
}

TEST_CASE("One element gives its density, three give marginals and pairs") {
  const Workplace one(spec_of("[x]"));
  REQUIRE(one.fit().code == 0);
  check_redrawn(one.plots(), {"data_marginals", "loss", "marginals"});
  check_table(one.plots() / "marginals.csv", 400, 3);
  check_table(one.plots() / "histograms.csv", 10, 2);
  const Workplace three(spec_of("[x, angle, y]"));
  REQUIRE(three.fit().code == 0);
  check_redrawn(three.plots(), {"loss", "marginals", "corner"});
  check_table(three.plots() / "histograms.csv", 10, 6);
  check_table(three.plots() / "marginals.csv", 200, 9);
  check_table(three.plots() / "bars.csv", 10, 6);
  check_table(three.plots() / "curves.csv", 200, 6);
  CHECK(lines_of(read_text(three.plots() / "contours.csv")).front() == "x,y");
}

TEST_CASE("Of many elements those that fit worst are shown, and the pictures say so") {
  std::string header, row;
  for (int j = 0; j < 18; ++j) header += fmt::format("{}a_rather_long_name_{}", j ? "," : "", j);
  std::string points = header + "\n";
  for (int i = 0; i < 40; ++i)
    for (int j = 0; j < 18; ++j) points += fmt::format("{}{}", std::sin(i * (j + 1) * 0.7), j < 17 ? ',' : '\n');
  std::string spec = spec_of("[x]");
  spec.erase(spec.find(", columns: [x]"), 14);
  const Workplace place(spec);
  place.folder.write("points.csv", points);
  const Outcome outcome = place.fit();
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  check_redrawn(place.plots(), {"loss", "marginals", "corner"});
  CHECK_THAT(read_text(place.plots() / "corner.gp"), Contains("6 of 18 columns, those that fit worst"));
  CHECK_THAT(read_text(place.plots() / "marginals.gp"), Contains("16 of 18 columns, those that fit worst"));
}

TEST_CASE("Data far from zero are drawn like others") {
  if (!has_gnuplot()) return;
  std::string spec = spec_of("[time, place]");
  spec.insert(spec.find("model:"), "  preprocess: [standardize]\n");
  const Workplace place("precision: float64\n" + spec);
  place.folder.write("points.csv", "time,place\n1700000001,5e-9\n1700000003,5e-9\n1700000002,7e-9\n");
  const Outcome outcome = place.fit();
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.err, Contains(drawn(kNamesOfTwo)));
  check_redrawn(place.plots(), kOfTwo);
}

TEST_CASE("A column's name is text, whatever it says") {
  if (!has_gnuplot()) return;
  const Workplace place(spec_of(R"(["a'; set output 'x", "`touch hacked`"])"));
  place.folder.write("points.csv", "a'; set output 'x,`touch hacked`\n1,2\n3,4\n5,5\n");
  const Outcome outcome = place.fit();
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.err, Contains(drawn(kNamesOfTwo)));
  check_redrawn(place.plots(), kOfTwo);
  CHECK(!std::filesystem::exists(place.plots() / "hacked"));
  CHECK(!std::filesystem::exists(place.plots() / "x"));
}

TEST_CASE("Texts become gnuplot strings") {
  CHECK(::pushforward::gnuplot_string("it's `a` \"b\" \\n") == "'it''s `a` \"b\" \\n'");
  CHECK(::pushforward::gnuplot_string("a\nb\tc\x7f") == "'a b c '");
}

TEST_CASE("Ranges, histograms and picked rows") {
  using ::pushforward::AxisRange, ::pushforward::Index;
  const std::vector<double> values = {0, 1, 2, 10, INFINITY, NAN};
  const AxisRange range = ::pushforward::axis_range(values, 0.1);
  CHECK(range.low == -1);
  CHECK(range.high == 11);
  CHECK(::pushforward::axis_range(std::vector<double>{4, 4}, 0.1).width() == 4);
  CHECK(::pushforward::axis_range({}, 0.1).width() == 1);
  CHECK(::pushforward::histogram(std::vector<double>{0, 0.5, 1.9, 2, 5}, {0, 2}, 2) == std::vector<double>{0.4, 0.4});

  CHECK(::pushforward::picked_rows(3, 5, {}) == std::vector<Index>{0, 1, 2});
  const std::vector<Index> some = ::pushforward::picked_rows(1000, 10, {});
  CHECK(some.size() == 10);
  CHECK(std::is_sorted(some.begin(), some.end()));
  CHECK(std::adjacent_find(some.begin(), some.end()) == some.end());
  CHECK(some.back() > 500);
  CHECK(::pushforward::picked_rows(4, 8, std::vector<double>{0, 3, 0, 1}) == std::vector<Index>{1, 1, 1, 3});
}

TEST_CASE("Losses are read from a run's metrics") {
  const ::pushforward::Table losses = ::pushforward::losses_of(
      "step,loss,validation_loss,learning_rate,seconds\n1,2.5,,0.1,0\n10,1.5,1.75,0.1,1\n20,1.2", "metrics.csv");
  CHECK(losses.rows == 2);
  CHECK(losses.column(0)[1] == 10);
  CHECK(losses.column(1)[0] == 2.5);
  CHECK(std::isnan(losses.column(2)[0]));
  CHECK(losses.column(2)[1] == 1.75);
  CHECK_THROWS_WITH(::pushforward::losses_of("a,b\n", "run/metrics.csv"), Contains("run/metrics.csv:1:1: error: "));
}

}  // namespace
