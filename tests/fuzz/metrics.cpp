// metrics.csv, as the pictures of a run read it.
#include "fuzz/target.h"
#include "pictures/pictures.h"
#include "pictures/plot_numbers.h"
#include "pushforward/error.h"

using namespace pushforward;        // NOLINT: a program
using namespace pushforward::test;  // NOLINT

Seeds pushforward::test::seeds() {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTokens[] = {
      ","sv,      "\n"sv,   "\r\n"sv, "nan"sv, "inf"sv, "-inf"sv,  "1e400"sv,  "-1"sv,   "0"sv,    "1e18"sv,
      "1e-320"sv, ",,,,"sv, "\0"sv,   "\""sv,  "abc"sv, "1e308"sv, "-1e308"sv, "step"sv, "loss"sv, " "sv};
  const std::string header = "step,loss,validation_loss,learning_rate,seconds\n";
  std::string run = header;
  for (int i = 0; i < 20; ++i)
    run += std::to_string(10 * i) + "," + std::to_string(3.0 / (1 + i)) + "," +
           (i % 3 ? "" : std::to_string(4.0 / (1 + i))) + ",0.001," + std::to_string(i) + "\n";
  return {.files = {run, header + "0,2.5,,0.001,0\n", header + "0,1e5,3,1e-3,0\n10,-2,-1,1e-3,1\n20,-3,-1,1e-3,2\n"},
          .tokens = kTokens};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  PictureNumbers numbers;
  try {
    numbers.losses = losses_of(text_of(data, size), "metrics.csv");
  } catch (const DataError& e) {
    require(std::string(e.what()).starts_with("metrics.csv:"), std::string("a message without a place: ") + e.what());
    return 0;
  }
  input_was_accepted = true;
  const Table& table = numbers.losses;
  require(table.columns() == 3 && static_cast<Index>(table.values.size()) == 3 * table.rows, "a table of another size");
  for (const Picture& picture : make_pictures(numbers)) require(!picture.script.empty(), "a picture without a script");
  return 0;
}
