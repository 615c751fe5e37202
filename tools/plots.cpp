#include "plots.h"

#include <algorithm>
#include <system_error>

#include "io/atomic_file.h"
#include "io/checksum.h"
#include "io/file_error.h"
#include "pictures/gnuplot.h"

namespace pushforward {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSeal = "# crc32 ";

std::string seal_of(std::string_view script) {
  Crc32 checksum;
  checksum.add(std::as_bytes(std::span(script.data(), script.size())));
  return kSeal + checksum.hexadecimal() + ": as long as this is right, `pushforward plot` replaces the script\n";
}

/// True unless somebody changed a script of ours, or put his own in its place.
bool is_ours(const std::string& text) {
  const std::size_t end = text.find('\n') + 1;
  return text.starts_with(kSeal) && text.substr(0, end) == seal_of(std::string_view(text).substr(end));
}

void write_script(const fs::path& path, const std::string& script, Console& console) {
  if (fs::exists(path) && !is_ours(read_file(path)))
    return console.note("{} was changed: it is kept, and drawn as it is; remove it to have a fresh one", path.string());
  write_file(path, seal_of(script) + script);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError(fmt::format("cannot make the folder '{}': {}", folder.string(), error.message()));
}

/// All that were not asked for are left out; asking for one that is not there is an error.
std::vector<Picture> only(std::vector<Picture> pictures, const std::vector<std::string>& names) {
  if (names.empty()) return pictures;
  const auto is_named = [&](const Picture& picture) {
    return std::find(names.begin(), names.end(), picture.name) != names.end();
  };
  std::string all;
  for (const Picture& picture : pictures) all += (all.empty() ? "" : ", ") + picture.name;
  for (const std::string& name : names)
    if (std::none_of(pictures.begin(), pictures.end(), [&](const Picture& p) { return p.name == name; }))
      throw SpecError(fmt::format("this run has no picture '{}'; it has: {}", name, all.empty() ? "none" : all));
  std::erase_if(pictures, [&](const Picture& picture) { return !is_named(picture); });
  return pictures;
}

}  // namespace

DrawnPlots draw_plots(const fs::path& run, const PictureNumbers& numbers, Console& console,
                      const std::vector<std::string>& names) {
  DrawnPlots plots{.folder = run / "plots", .drawn = {}, .files = {}};
  const std::vector<Picture> pictures = only(make_pictures(numbers), names);
  make_folder(plots.folder);
  for (const Picture& picture : pictures) {
    for (const TextFile& file : picture.data) write_file(plots.folder / file.name, file.text);
    write_script(plots.folder / (picture.name + ".gp"), picture.script, console);
  }
  std::vector<GnuplotRun> runs;
  for (const Picture& picture : pictures) runs.emplace_back(plots.folder, picture.name);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    GnuplotOutcome outcome = runs[i].finish();
    if (outcome.status == GnuplotOutcome::Status::missing) {
      console.note(
          "gnuplot is not installed, so no pictures were drawn; apt-get install gnuplot-nox, then: cd {} && "
          "gnuplot *.gp",
          plots.folder.string());
      break;
    }
    if (outcome.status == GnuplotOutcome::Status::failed) {
      console.warn("the picture {} was not drawn: gnuplot: {}", (plots.folder / pictures[i].name).string(),
                   outcome.message);
      continue;
    }
    plots.drawn.push_back(pictures[i].name);
    plots.files.insert(plots.files.end(), outcome.files.begin(), outcome.files.end());
  }
  return plots;
}

}  // namespace pushforward
