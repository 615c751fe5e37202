// Parts that the scripts of several pictures have in common.
#pragma once

#include "pictures/pictures.h"

namespace pushforward {

inline constexpr double kCurveMargin = 0.08;  // around the data, as a share of their width, where curves are shown
inline constexpr double kPointMargin = 0.15;  // where points and densities are
inline constexpr int kTicks = 5;              // of an axis, at most
inline constexpr double kCaption = 14;        // height of a line of small print, in points

/// A CSV file of a table whose names are on one line each.
TextFile csv_file(std::string name, Table table);

/// The range to a hundred-thousandth of its width or better, however far from zero it lies.
std::string range_text(const AxisRange& range);
/// Label, range and ticks of the axis 'x' or 'y'. Far from zero, ticks have more digits, and are fewer.
std::string axis_text(char axis, const std::string& name, const AxisRange& range, int ticks = kTicks);
/// The least of 1, 2, 2.5 and 5 times a power of ten that gives an axis at most so many ticks.
double tick_step(const AxisRange& range, int ticks);
/// How many characters a text in UTF-8 has.
std::size_t characters(const std::string& text);
/// A name of at most so many characters, the last of which says that there were more. UTF-8 stays whole.
std::string shortened(const std::string& name, std::size_t most);
/// Digits with which numbers are written so that a picture of that range shows no steps.
int digits_of(const AxisRange& range);
/// How far, in points, ticks and label of an upright axis reach from it.
double room_beside(const AxisRange& range, int ticks = kTicks);

/// How far, in points, the outermost ticks of a level axis of that length reach beyond its ends, left and right, with
/// characters so wide.
struct Overhang {
  double left, right;
};
Overhang overhang(const AxisRange& range, double length, int ticks = kTicks, double character = 6.5);

/// What panels show on two axes: the frame of the data, or of the samples where there are no data.
struct Frame {
  AxisRange x, y;
  /// Height over width of a panel in which a unit is as long upwards as across; 1 where the lengths of the axes differ
  /// so much that they hardly measure the same.
  double ratio() const;
};
Frame frame_of(const Table& rows);
/// Panels beside each other, in points.
struct PanelRow {
  PanelRow(int panels, double longer_side, double ratio);
  int width() const { return static_cast<int>(left + panels * panel_width + (panels - 1) * gap + right + 0.5); }
  int height() const { return static_cast<int>(bottom + panel_height + top + 0.5); }
  /// A line of small print below the first panel's axis, for which `bottom` holds kCaption more.
  std::string caption(const std::string& text) const;
  /// Widens margin and gap where ticks of the level axis need it.
  void make_room(const AxisRange& x);
  /// `set multiplot` with these places.
  std::string multiplot() const;
  int panels;
  double panel_width, panel_height;
  double left = 0, right = 14, bottom = 46, top = 12, gap = 22;
};

/// How many rows lie outside.
Index outside(const Table& rows, const Frame& frame);

/// The rows that fix names and ranges: the data, or the samples where there are none.
const Table& shown_rows(const PictureNumbers& numbers);
/// Rows that a scatter can show, evenly out of all, and their classes, if they have some.
struct Scattered {
  Table rows;
  std::vector<int> classes;
};
Scattered scattered_data(const PictureNumbers& numbers);
/// As many samples as there are data to compare with.
Scattered scattered_samples(const PictureNumbers& numbers);

/// What colours mean, in one centred line at that height of the picture.
std::string legend(const PictureNumbers& numbers, double height, const char* model_mark);

Picture loss_picture(const Table& losses);
Picture data_picture(const PictureNumbers& numbers);
Picture samples_picture(const PictureNumbers& numbers);
Picture data_marginals_picture(const PictureNumbers& numbers);
Picture marginals_picture(const PictureNumbers& numbers);
Picture density_picture(const PictureNumbers& numbers);
Picture warp_picture(const PictureNumbers& numbers);
Picture corner_picture(const PictureNumbers& numbers);

/// Up to `most` elements, in order: those whose marginals differ most between data and samples.
std::vector<Index> worst_elements(const PictureNumbers& numbers, Index most);

/// Adds two columns to a table: the centres of an element's bins, and the density in them. Gives the first one's
/// number, from 1 as gnuplot counts.
Index add_histogram(Table& table, const Table& rows, Index element);

/// The curves of one element: centres of `kCurvePoints` cells and the densities there of the data and of the model, the
/// model's exactly where the numbers have it. Columns that are not there are empty.
struct Curves {
  AxisRange range;
  std::vector<double> at, data, model;
};
inline constexpr Index kCurvePoints = 200;
Curves curves_of(const PictureNumbers& numbers, Index element);

}  // namespace pushforward
