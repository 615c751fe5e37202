// Gnuplot: the words that its scripts are made of, and the program itself, run on a script.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pushforward {

/// Colours of what pictures compare, which the colour-blind tell apart (Okabe & Ito 2008); each has its name in
/// scripts.
inline constexpr const char* kDataColour = "#0072b2";
inline constexpr const char* kModelColour = "#d55e00";

/// A text as a string of gnuplot's: in single quotes, in which nothing is replaced and nothing is run. Control
/// characters become spaces.
std::string gnuplot_string(std::string_view text);

/// How every script begins: what it is, how it is redrawn, and for each format a terminal of so many points (a PNG has
/// two pixels to a point), fonts, grid, and commas between numbers. Pictures go to `<name>.<format>`; the variable
/// `formats` says which, and `draft` what their names begin with.
std::string gnuplot_beginning(const std::string& name, const std::string& title, int width, int height);
/// How every script ends, so that several can be run in one go.
std::string gnuplot_end();
/// A palette of even steps to the eye, in print and to the colour-blind: viridis.
std::string gnuplot_palette();

/// Formats that every script draws, as they end file names.
inline constexpr std::array<std::string_view, 2> kPictureFormats{"png", "svg"};

struct GnuplotOutcome {
  enum class Status : std::uint8_t { drawn, missing, failed };
  Status status = Status::drawn;
  std::string message;             // why it failed: gnuplot's own words
  std::vector<std::string> files;  // that were drawn
};

/// `gnuplot <name>.gp` in a folder, in a process of its own, from the constructor on: several may run at once.
class GnuplotRun {
 public:
  /// Throws FileError if no pipe can be had.
  GnuplotRun(const std::filesystem::path& folder, const std::string& name);
  GnuplotRun(GnuplotRun&&) noexcept;
  ~GnuplotRun();
  /// Waits for it and puts the pictures, whole, in the places of `<name>.png` and `<name>.svg`. The script may say
  /// anything: only pictures that are there and a program that ended well count as drawn. Throws FileError if a picture
  /// cannot be written. To be called once.
  GnuplotOutcome finish();

 private:
  int wait();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pushforward
