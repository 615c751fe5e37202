// Gnuplot: the words that its scripts are made of, and the program itself, run on a script.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace pushforward {

/// Colours of what pictures compare; each has its name in the scripts' style.
inline constexpr const char* kDataColour = "#31688e";
inline constexpr const char* kModelColour = "#e1671c";

/// A text as a string of gnuplot's: in single quotes, in which nothing is replaced and nothing is run. Control
/// characters become spaces.
std::string gnuplot_string(std::string_view text);

/// How every script begins: what it is, how it is redrawn, a PNG terminal of so many pixels, fonts, grid, and commas
/// between numbers. The picture goes to `<name>.png`, or to what the variable `picture` says.
std::string gnuplot_beginning(const std::string& name, const std::string& title, int width, int height);
/// How every script ends, so that several can be run in one go.
std::string gnuplot_end();
/// A palette of even steps to the eye, in print and to the colour-blind: viridis.
std::string gnuplot_palette();

struct GnuplotOutcome {
  enum class Status : std::uint8_t { drawn, missing, failed };
  Status status = Status::drawn;
  std::string message;  // why it failed: gnuplot's own words
};

/// Runs `gnuplot <name>.gp` in a folder and puts the picture, whole, in the place of `<name>.png`. The script may say
/// anything: only a picture that is there and a program that ended well count as drawn. Throws FileError if the
/// picture cannot be written.
GnuplotOutcome run_gnuplot(const std::filesystem::path& folder, const std::string& name);

}  // namespace pushforward
