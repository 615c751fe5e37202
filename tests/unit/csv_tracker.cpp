#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "../../plugins/trackers/csv.cpp"
#include "support/fake_build.h"
#include "support/temporary_folder.h"

using namespace pushforward::test;  // NOLINT

namespace {

const std::string kNames = "step,loss,validation_loss,learning_rate,seconds\n";

std::unique_ptr<Tracker<float>> tracker() { return make_component<Tracker<float>>(kComponents[0]); }

/// While it lives, no file of this process may grow beyond some bytes: what a full disk looks like.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_;
};

MetricRow at(std::int64_t step, double loss, double validation_loss = NAN) {
  return {step, loss, validation_loss, 0.01, 0.5};
}

}  // namespace

TEST_CASE("the csv tracker writes a row at once for each record") {
  const TemporaryFolder folder;
  const auto metrics = tracker();
  metrics->start(folder.path());
  CHECK(folder.read("metrics.csv") == kNames);
  metrics->record({1, 2.5, NAN, 0.001, 0.25});
  CHECK(folder.read("metrics.csv") == kNames + "1,2.5,,0.001,0.25\n");
  metrics->record({200, 0.1 + 0.2, -1e-20, 1e-5, 12});
  CHECK(folder.read("metrics.csv") == kNames + "1,2.5,,0.001,0.25\n200,0.30000000000000004,-1e-20,1e-05,12\n");
  metrics->finish();
  CHECK(folder.read("metrics.csv") == kNames + "1,2.5,,0.001,0.25\n200,0.30000000000000004,-1e-20,1e-05,12\n");
}

TEST_CASE("the csv tracker goes on with the table of a run that was stopped") {
  const TemporaryFolder folder;
  const std::string first = "1,3,,0.01,0.5\n200,2,,0.01,0.5\n";
  for (const std::string rest : {"", "400,1,,0.01,0.5\n", "400,1,,0.01,0.5\n600,0.5,,0.01,0.5\n", "400,1,,0.0"}) {
    CAPTURE(rest);
    folder.write("metrics.csv", kNames + first + rest);
    const auto metrics = tracker();
    metrics->start(folder.path());
    CHECK(folder.read("metrics.csv") == kNames + first + rest);  // until there is something better
    metrics->record(at(400, 1.5));
    metrics->record(at(600, 1.25));
    metrics->finish();
    CHECK(folder.read("metrics.csv") == kNames + first + "400,1.5,,0.01,0.5\n600,1.25,,0.01,0.5\n");
  }
}

TEST_CASE("the csv tracker starts its table again when the run does") {
  const TemporaryFolder folder;
  folder.write("metrics.csv", kNames + "1,3,,0.01,0.5\n200,2,,0.01,0.5\n");
  const auto metrics = tracker();
  metrics->start(folder.path());
  metrics->record(at(1, 7));
  metrics->finish();
  CHECK(folder.read("metrics.csv") == kNames + "1,7,,0.01,0.5\n");
}

TEST_CASE("the csv tracker does not touch another's table") {
  const TemporaryFolder folder;
  const std::string name = folder.write("metrics.csv", "epoch,accuracy\n1,0.5\n");
  CHECK_THROWS_WITH(tracker()->start(folder.path()),
                    name +
                        ":1:1: error: the first line is not 'step,loss,validation_loss,learning_rate,seconds', so "
                        "this is not a table of metrics; move it elsewhere, or write the run elsewhere");
  CHECK(folder.read("metrics.csv") == "epoch,accuracy\n1,0.5\n");
}

TEST_CASE("the csv tracker says which file it cannot write, and why") {
  const TemporaryFolder folder;
  const std::string none = folder.file("none");
  CHECK_THROWS_WITH(tracker()->start(none), none +
                                                "/metrics.csv: error: the metrics cannot be opened: No such file or "
                                                "directory; make the folder writable and free some space, then fit "
                                                "again");
  const auto metrics = tracker();
  metrics->start(folder.path());
  metrics->record(at(1, 7));
  {
    const FileSizeLimit limit(80);
    CHECK_THROWS_WITH(metrics->record(at(200, 0.123456789)),
                      folder.file("metrics.csv") +
                          ": error: the metrics cannot be written: File too large; make the "
                          "folder writable and free some space, then fit again");
  }
  // What was cut short is made again when the run goes on.
  const auto next = tracker();
  next->start(folder.path());
  next->record(at(200, 6));
  next->finish();
  CHECK(folder.read("metrics.csv") == kNames + "1,7,,0.01,0.5\n200,6,,0.01,0.5\n");
}

TEST_CASE("the csv tracker writes its names again where the program ended within them") {
  const TemporaryFolder folder;
  for (const std::string begun : {"", "step,lo"}) {
    folder.write("metrics.csv", begun);
    const auto metrics = tracker();
    metrics->start(folder.path());
    metrics->record(at(1, 7));
    metrics->finish();
    CHECK(folder.read("metrics.csv") == kNames + "1,7,,0.01,0.5\n");
  }
}

TEST_CASE("the csv tracker without a record leaves the names, and finishes more than once") {
  const TemporaryFolder folder;
  const auto metrics = tracker();
  metrics->start(folder.path());
  metrics->finish();
  metrics->finish();
  CHECK(folder.read("metrics.csv") == kNames);
}
