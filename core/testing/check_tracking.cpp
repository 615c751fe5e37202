// Check 43: trackers record a run in its folder.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "kit.h"

namespace pushforward::testing {

namespace {

namespace fs = std::filesystem;

/// A new folder, removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "pushforward-check-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder can be made in " + name);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;  // what cannot be removed stays, and no check depends on it
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  /// A folder in it.
  std::string make(const char* name) const {
    fs::create_directory(path_ / name);
    return (path_ / name).string();
  }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const fs::directory_entry& e : fs::directory_iterator(path_)) all.insert(e.path().filename().string());
    return all;
  }

 private:
  fs::path path_;
};

/// A tracker with its owner.
struct Made {
  Built<double> built;
  Tracker<double>* tracker;

  explicit Made(const Subject& subject) : built(subject.make<double>(subject.surroundings)) {
    tracker = dynamic_cast<Tracker<double>*>(built.component.get());
    if (!tracker) throw std::logic_error("the component of a tracker's subject is no tracker");
  }
};

/// A run's rows: validation now and then, a loss that overflows, one that is no number, a step of no time.
std::vector<MetricRow> rows(std::int64_t first, std::int64_t last) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::vector<MetricRow> all;
  for (std::int64_t step = first; step < last; ++step) {
    const double s = static_cast<double>(step);
    all.push_back({step, 3 / (1 + s), step % 5 == 0 ? 3.5 / (1 + s) : kNone, 1e-3, 0.25 * s});
    if (step % 7 == 3) all.back().loss = std::numeric_limits<double>::infinity();
    if (step % 7 == 5) all.back().loss = kNone;
    if (step % 7 == 6) all.back().learning_rate = 0;
  }
  return all;
}

std::uintmax_t bytes_in(const std::string& folder) {
  std::uintmax_t sum = 0;
  for (const fs::directory_entry& e : fs::recursive_directory_iterator(folder))
    if (e.is_regular_file()) sum += e.file_size();
  return sum;
}

/// Does something that must not throw.
template <class Action>
bool works(const char* what, Tally& t, Action&& action) {
  std::string message;
  try {
    action();
  } catch (const std::exception& e) {
    message = e.what();
  }
  t.require(message.empty(), [&] { return std::string(what) + ": it threw: " + message; });
  return message.empty();
}

void record(Tracker<double>& tracker, std::int64_t first, std::int64_t last) {
  for (const MetricRow& row : rows(first, last)) tracker.record(row);
}

}  // namespace

void check_tracking(const Subject& subject, Tally& t) {
  const Scratch scratch;
  const std::string folder = scratch.make("run"), other = scratch.make("other"), empty = scratch.make("empty"),
                    whole = scratch.make("whole");
  works("a run of 20 steps", t, [&] {
    Made first(subject), beside(subject);
    first.tracker->start(folder);
    beside.tracker->start(other);  // two runs at once
    record(*first.tracker, 0, 20);
    record(*beside.tracker, 0, 10);
    first.tracker->finish();
    beside.tracker->finish();
  });
  const std::uintmax_t written = bytes_in(folder);
  if (written == 0) t.note("it leaves nothing in the run's folder");
  works("a run that was stopped, and goes on in its folder at step 12", t, [&] {
    Made second(subject);
    second.tracker->start(folder);
    record(*second.tracker, 12, 30);
    second.tracker->finish();
  });
  works("a run of 30 steps", t, [&] {
    Made third(subject);
    third.tracker->start(whole);
    record(*third.tracker, 0, 30);
    third.tracker->finish();
  });
  t.require(written == 0 || bytes_in(whole) > written,
            [] { return std::string("30 steps leave no more in the folder than 20"); });
  // Rows may stand there twice, and a note of where it went on.
  const std::uintmax_t gone_on = bytes_in(folder), at_once = bytes_in(whole);
  t.require(written == 0 || (gone_on > 0 && 10 * gone_on >= 9 * at_once),
            [] { return std::string("a run that goes on loses what it had"); });
  works("a run without a step", t, [&] {
    Made none(subject);
    none.tracker->start(empty);
    none.tracker->finish();
  });
  works("a run that ends in an error", t, [&] {
    Made broken(subject);
    broken.tracker->start(other);
    record(*broken.tracker, 10, 12);  // destroyed without finish
  });
  const std::set<std::string> expected = {"run", "other", "empty", "whole"};
  for (const std::string& name : scratch.names())
    t.require(expected.count(name) > 0, [&] { return "it writes '" + name + "' beside the run's folder"; });
}

}  // namespace pushforward::testing
