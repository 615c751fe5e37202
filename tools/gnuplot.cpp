#include "gnuplot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
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

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

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
  constexpr const char* kStyle = R"(
set border linewidth 1 linecolor rgb '#9a9a9a'
set tics nomirror out scale 0.6 textcolor rgb '#404040'
set grid back linetype 1 linewidth 0.7 linecolor rgb '#e4e4e4'
set key Left reverse textcolor rgb '#202020' samplen 2 spacing 1.15
set title font ',17' textcolor rgb '#202020'
set datafile separator comma
)";
  return fmt::format("# {0}: drawn by gnuplot 5.4. Change it and redraw it, in this folder: gnuplot {1}.gp\n", title,
                     name) +
         "reset\nset encoding utf8\n" +
         fmt::format("set terminal pngcairo noenhanced size {},{} font 'DejaVu Sans,14' background rgb '#ffffff'\n",
                     width, height) +
         fmt::format("if (!exists('picture')) picture = '{}.png'\nset output picture\n", name) + kStyle +
         fmt::format("data_colour = '{}'\nmodel_colour = '{}'\n\n", kDataColour, kModelColour);
}

std::string gnuplot_end() { return "unset output\nundefine picture\n"; }

std::string gnuplot_palette() {
  return "set palette defined (0 '#440154', 1 '#482475', 2 '#414487', 3 '#355f8d', 4 '#2a788e', 5 '#21918c', \\\n"
         "                     6 '#22a884', 7 '#44bf70', 8 '#7ad151', 9 '#bddf26', 10 '#fde725')\n";
}

GnuplotOutcome run_gnuplot(const fs::path& folder, const std::string& name) {
  using Status = GnuplotOutcome::Status;
  const std::string draft_name = fmt::format(".{}.{}.png", name, getpid());
  const Draft draft(folder / draft_name);
  // `-d`: whatever the user's own start-up file says, the picture is the same.
  std::array<std::string, 5> words{"gnuplot", "-d", "-e", fmt::format("picture = '{}'", draft_name), name + ".gp"};
  std::array<char*, 6> argv{};
  std::transform(words.begin(), words.end(), argv.begin(), [](std::string& word) { return word.data(); });

  Pipe said;
  SpawnActions actions;
  posix_spawn_file_actions_addchdir_np(actions.get(), folder.c_str());
  posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(actions.get(), said.entrance(), STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], actions.get(), nullptr, argv.data(), environ);
  if (error == ENOENT) return {Status::missing, {}};
  if (error != 0) return {Status::failed, "it cannot be run: " + std::generic_category().message(error)};

  const std::string message = in_one_line(said.read_all());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return {Status::failed, message.empty() ? ending(status) : message};
  const std::string bytes = draft.bytes();
  if (!is_png(bytes))
    return {Status::failed, message.empty() ? "it drew no PNG; does the script set its output to 'picture'?" : message};
  write_file(folder / (name + ".png"), bytes);
  return {};
}

}  // namespace pushforward
