// The main program of fuzz targets where there is no libFuzzer: seeded random damage of the target's seeds.
//
//   fuzz_NAME [--corpus FOLDER] [--runs N] [--seed S] [--limit SECONDS] [--keep FOLDER]
//   fuzz_NAME FILE...                   repeats inputs that failed
//   fuzz_NAME --write-seeds FOLDER      a first corpus for libFuzzer
//   fuzz_NAME --write-dictionary FILE   the reader's words for libFuzzer
//
// A corpus is what coverage-guided fuzzing found worth keeping: each of its files is an input as it is, and a seed.
// An input fails if anything leaves the target as an exception, if the target crashes, or if it takes longer than the
// limit (processor time, so that a busy machine does not matter). Failing inputs are written to FOLDER, by default the
// current one. Exit status 0: none failed, and some inputs were accepted and some refused.
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "fuzz/target.h"

// A sanitizer that ends the program without a signal calls this first.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*)());

namespace {

using namespace pushforward::test;  // NOLINT: a program

struct Settings {
  std::uint64_t runs = 2000, seed = 1;
  double limit = 1;
  std::string keep = ".";
  std::string corpus, write_seeds, write_dictionary;
  std::vector<std::string> files;
};

/// What a signal handler may need: the input, and where it is to be written.
const std::string* current_input = nullptr;
char crash_file[4096];

extern "C" void save_current_input() {
  if (!current_input) return;
  const int file = ::open(crash_file, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (file < 0) return;
  const char* at = current_input->data();
  for (std::size_t left = current_input->size(); left > 0;) {
    const ssize_t written = ::write(file, at, left);
    if (written <= 0) break;
    at += written;
    left -= static_cast<std::size_t>(written);
  }
  ::close(file);
  static const char kMessage[] = "the input that ended this program is in ";
  if (::write(2, kMessage, sizeof(kMessage) - 1) > 0 && ::write(2, crash_file, std::strlen(crash_file)) > 0 &&
      ::write(2, "\n", 1) > 0)
    current_input = nullptr;
}
extern "C" void on_signal(int number) {
  static const char kHang[] = "the target does not come back\n";
  if (number == SIGALRM && ::write(2, kHang, sizeof(kHang) - 1) < 0) std::_Exit(3);
  save_current_input();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

/// Stops an input that hangs, whether it computes or waits.
void set_alarm(double seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_all(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

/// The files of a folder, in the order of their names.
std::vector<std::string> contents(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> files;
  for (const auto& path : paths) files.push_back(read_all(path.string()));
  return files;
}

/// One word a line, in quotes, every byte as a number: what libFuzzer's -dict takes, which is words of 64 bytes.
std::string dictionary(std::span<const std::string_view> words) {
  constexpr std::size_t kLongest = 64;
  std::string text;
  for (const std::string_view word : words) {
    if (word.empty() || word.size() > kLongest) continue;
    text += '"';
    for (const char c : word) {
      char byte[5];
      std::snprintf(byte, sizeof(byte), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += byte;
    }
    text += "\"\n";
  }
  return text;
}

class Fuzzing {
 public:
  Fuzzing(const Settings& settings, const char* program)
      : settings_(settings), name_(std::filesystem::path(program).filename().string()) {
    std::snprintf(crash_file, sizeof(crash_file), "%s/%s-crash-%llu", settings.keep.c_str(), name_.c_str(),
                  static_cast<unsigned long long>(settings.seed));
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) std::signal(signal, &on_signal);
    if (&__sanitizer_set_death_callback) __sanitizer_set_death_callback(&save_current_input);
  }

  void one(const std::string& input) {
    current_input = &input;
    input_was_accepted = false;
    std::string failure;
    constexpr double kPatience = 60;
    set_alarm(kPatience * settings_.limit);
    const double start = processor_seconds();
    try {
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    } catch (const std::exception& e) {
      failure = e.what();
    } catch (...) {
      failure = "an exception that is no std::exception";
    }
    const double seconds = processor_seconds() - start;
    set_alarm(0);
    current_input = nullptr;
    slowest_ = std::max(slowest_, seconds);
    if (failure.empty() && seconds > settings_.limit)
      failure = "slow: " + std::to_string(seconds) + " s for " + std::to_string(input.size()) + " bytes";
    ++(input_was_accepted ? accepted_ : refused_);
    if (!failure.empty()) report(input, failure);
  }

  void damage(const Seeds& from) {
    const Material material{.seeds = from.files, .tokens = from.tokens, .lines = from.lines};
    std::mt19937_64 random(settings_.seed);
    // Valid inputs take the places behind the seeds, so that damage goes on from damage.
    std::vector<std::string> pool = from.files;
    constexpr std::size_t kPool = 256, kLongest = 1 << 14;
    for (std::uint64_t i = 0; i < settings_.runs && reported_.size() < kMostFailures; ++i) {
      const std::string& start = pool[random() % (random() % 2 ? pool.size() : from.files.size())];
      const std::string input = edited(start, random_edits(random), material);
      one(input);
      if (!input_was_accepted || input.size() > kLongest) continue;
      if (pool.size() < from.files.size() + kPool)
        pool.push_back(input);
      else
        pool[from.files.size() + random() % kPool] = input;
    }
  }

  int summary(bool both) const {
    std::printf("%s: %llu inputs, seed %llu: %llu accepted, %llu refused, %zu kinds of failure, slowest %.3f s\n",
                name_.c_str(), static_cast<unsigned long long>(accepted_ + refused_),
                static_cast<unsigned long long>(settings_.seed), static_cast<unsigned long long>(accepted_),
                static_cast<unsigned long long>(refused_), reported_.size(), slowest_);
    if (!reported_.empty()) return 1;
    if (!both || (accepted_ > 0 && refused_ > 0)) return 0;
    std::fprintf(stderr, "%s: error: the inputs must be of both kinds, or nothing was tested\n", name_.c_str());
    return 1;
  }

 private:
  static constexpr std::size_t kMostFailures = 20;

  /// Every kind of failure once; digits are no difference between kinds.
  void report(const std::string& input, const std::string& failure) {
    std::string kind = failure.substr(0, 60);
    std::erase_if(kind, [](char c) { return c >= '0' && c <= '9'; });
    if (!reported_.insert(kind).second) return;
    const std::string file =
        settings_.keep + "/" + name_ + "-" + std::to_string(settings_.seed) + "-" + std::to_string(reported_.size());
    write_all(file, input);
    std::fprintf(stderr, "%s: error: %s\n  the input is in %s\n", name_.c_str(), failure.substr(0, 2000).c_str(),
                 file.c_str());
  }

  const Settings& settings_;
  std::string name_;
  std::uint64_t accepted_ = 0, refused_ = 0;
  double slowest_ = 0;
  std::set<std::string> reported_;
};

Settings settings_of(int count, char** arguments) {
  Settings settings;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == count) throw std::runtime_error(word + " needs a value");
      return arguments[++i];
    };
    if (word == "--runs")
      settings.runs = std::stoull(value());
    else if (word == "--seed")
      settings.seed = std::stoull(value());
    else if (word == "--limit")
      settings.limit = std::stod(value());
    else if (word == "--keep")
      settings.keep = value();
    else if (word == "--corpus")
      settings.corpus = value();
    else if (word == "--write-seeds")
      settings.write_seeds = value();
    else if (word == "--write-dictionary")
      settings.write_dictionary = value();
    else if (word.starts_with("--"))
      throw std::runtime_error("unknown option " + word);
    else
      settings.files.push_back(word);
  }
  return settings;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const Settings settings = settings_of(count, arguments);
    Fuzzing fuzzing(settings, arguments[0]);
    if (!settings.files.empty()) {
      for (const std::string& file : settings.files) fuzzing.one(read_all(file));
      return fuzzing.summary(false);
    }
    Seeds from = seeds();
    if (!settings.write_dictionary.empty()) write_all(settings.write_dictionary, dictionary(from.tokens));
    if (!settings.write_seeds.empty()) {
      for (std::size_t i = 0; i < from.files.size(); ++i)
        write_all(settings.write_seeds + "/seed" + std::to_string(i), from.files[i]);
    }
    if (!settings.write_seeds.empty() || !settings.write_dictionary.empty()) return 0;
    if (!settings.corpus.empty())
      for (std::string& file : contents(settings.corpus)) from.files.push_back(std::move(file));
    for (const std::string& file : from.files) {
      fuzzing.one(file);
    }
    fuzzing.damage(from);
    return fuzzing.summary(true);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: error: %s\n", arguments[0], e.what());
    return 2;
  }
}
