#include "pictures/gnuplot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <system_error>

#include "io/atomic_file.h"
#include "io/file_error.h"

extern char** environ;

namespace pushforward {
namespace {

namespace fs = std::filesystem;

/// What a child writes to its stderr.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0)
      throw FileError(fmt::format("cannot make a pipe: {}", std::generic_category().message(errno)));
  }
  ~Pipe() {
    close(ends_[0]);
    close_entrance();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int entrance() const { return ends_[1]; }
  void close_entrance() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  /// Everything until the child closes its side.
  std::string read_all() {
    close_entrance();
    std::string text;
    std::array<char, 4096> bytes;
    for (;;) {
      const ssize_t n = read(ends_[0], bytes.data(), bytes.size());
      if (n > 0)
        text.append(bytes.data(), static_cast<std::size_t>(n));
      else if (n == 0 || errno != EINTR)
        return text;
    }
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// One line of what gnuplot said: it shows the line at fault, a caret below it, and then what is wrong.
std::string in_one_line(std::string_view said) {
  std::string text;
  for (const char c : said) {
    const bool space = static_cast<unsigned char>(c) <= ' ';
    if (!space || (!text.empty() && text.back() != ' ')) text += space ? ' ' : c;
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string ending(int status) {
  return WIFSIGNALED(status) ? fmt::format("it was ended by signal {}", WTERMSIG(status))
                             : fmt::format("it ended with code {}", WEXITSTATUS(status));
}

/// Whether bytes are a whole picture of a format.
bool is_picture(std::string_view bytes, std::string_view format) {
  return format == "png" ? bytes.starts_with("\x89PNG\r\n\x1a\n")
                         : bytes.starts_with("<?xml") && bytes.ends_with("</svg>\n\n");
}

/// The file that gnuplot draws into, removed in every case.
class Draft {
 public:
  explicit Draft(fs::path path) : path_(std::move(path)) {}
  ~Draft() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  std::string bytes() const { return fs::exists(path_) ? read_file(path_) : std::string(); }

 private:
  fs::path path_;
};

}  // namespace

std::string gnuplot_string(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += byte < ' ' || byte == 127 ? ' ' : c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

std::string gnuplot_beginning(const std::string& name, const std::string& title, int width, int height) {
  constexpr const char* kStyle = R"(  set datafile separator comma
  set datafile missing 'NaN'
  set border linewidth 0.8 linecolor rgb '#707070'
  set tics nomirror out scale 0.5 textcolor rgb '#303030'
  set grid back linetype 1 linewidth 0.5 linecolor rgb '#e8e8e8'
  set key Left reverse textcolor rgb '#202020' samplen 1.6 spacing 1.15
  set title textcolor rgb '#202020' offset 0,-0.3
  set xlabel textcolor rgb '#202020' offset 0,0.5
  set xtics offset 0,0.25
  set ylabel textcolor rgb '#202020'
)";
  return fmt::format("# {0}: drawn by gnuplot 5.4. Change it and redraw it, in this folder: gnuplot {1}.gp\n", title,
                     name) +
         "# One format alone: gnuplot -e \"formats = 'svg'\" " + name + ".gp\n" +
         "if (!exists('formats')) formats = 'png svg'\nif (!exists('draft')) draft = ''\nset encoding utf8\n" +
         fmt::format("data_colour = '{}'\nmodel_colour = '{}'\n", kDataColour, kModelColour) +
         "do for [format in formats] {\n  reset\n" +
         fmt::format(
             "  if (format eq 'svg') {{ set terminal svg noenhanced dynamic size {},{} font 'sans-serif,10' \\\n"
             "    background rgb '#ffffff' }}\n"
             "  if (format eq 'png') {{ set terminal pngcairo noenhanced size {},{} font 'DejaVu Sans,10' \\\n"
             "    fontscale 2 linewidth 2 pointscale 2 background rgb '#ffffff' }}\n",
             width, height, 2 * width, 2 * height) +
         fmt::format("  set output draft.'{}.'.format\n", name) + kStyle + "\n";
}

std::string gnuplot_end() { return "  unset output\n}\nundefine formats draft\n"; }

std::string gnuplot_palette() {
  return "set palette defined (0 '#440154', 1 '#482475', 2 '#414487', 3 '#355f8d', 4 '#2a788e', 5 '#21918c', \\\n"
         "                     6 '#22a884', 7 '#44bf70', 8 '#7ad151', 9 '#bddf26', 10 '#fde725')\n";
}

/// The child process, what it says, and where it draws.
struct GnuplotRun::Impl {
  Impl(fs::path in, std::string of)
      : folder(std::move(in)), name(std::move(of)), prefix(fmt::format(".{}.", getpid())) {
    for (const std::string_view format : kPictureFormats) drafts.emplace_back(folder / (prefix + file(format)));
  }
  std::string file(std::string_view format) const { return fmt::format("{}.{}", name, format); }

  fs::path folder;
  std::string name, prefix;
  std::list<Draft> drafts;
  Pipe said;
  pid_t child = 0;
  GnuplotOutcome start;  // unless it was started
};

GnuplotRun::GnuplotRun(const fs::path& folder, const std::string& name) : impl_(std::make_unique<Impl>(folder, name)) {
  // `-d`: whatever the user's own start-up file says, the picture is the same.
  std::array<std::string, 5> words{"gnuplot", "-d", "-e", fmt::format("draft = '{}'", impl_->prefix), name + ".gp"};
  std::array<char*, 6> argv{};
  std::transform(words.begin(), words.end(), argv.begin(), [](std::string& word) { return word.data(); });

  SpawnActions actions;
  posix_spawn_file_actions_addchdir_np(actions.get(), folder.c_str());
  posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(actions.get(), impl_->said.entrance(), STDERR_FILENO);
  const int error = posix_spawnp(&impl_->child, argv[0], actions.get(), nullptr, argv.data(), environ);
  impl_->said.close_entrance();
  if (error == 0) return;
  impl_->child = 0;
  if (error == ENOENT)
    impl_->start.status = GnuplotOutcome::Status::missing;
  else
    impl_->start = {GnuplotOutcome::Status::failed, "it cannot be run: " + std::generic_category().message(error), {}};
}

GnuplotRun::GnuplotRun(GnuplotRun&&) noexcept = default;

GnuplotRun::~GnuplotRun() {
  if (impl_ && impl_->child > 0) wait();
}

int GnuplotRun::wait() {
  int status = 0;
  while (waitpid(impl_->child, &status, 0) < 0 && errno == EINTR) continue;
  impl_->child = 0;
  return status;
}

GnuplotOutcome GnuplotRun::finish() {
  using Status = GnuplotOutcome::Status;
  if (impl_->child == 0) return impl_->start;
  const std::string message = in_one_line(impl_->said.read_all());
  const int status = wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return {Status::failed, message.empty() ? ending(status) : message, {}};
  GnuplotOutcome outcome;
  auto draft = impl_->drafts.begin();
  for (const std::string_view format : kPictureFormats) {
    const std::string bytes = (draft++)->bytes(), file = impl_->file(format);
    if (!is_picture(bytes, format)) continue;
    write_file(impl_->folder / file, bytes);
    outcome.files.push_back(file);
  }
  if (outcome.files.empty())
    return {Status::failed, message.empty() ? "it drew nothing; does the script set its output?" : message, {}};
  return outcome;
}

}  // namespace pushforward
