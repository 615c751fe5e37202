// csv: a run's numbers as the table metrics.csv in its folder.
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "pushforward/number_text.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

constexpr std::string_view kHeader = "step,loss,validation_loss,learning_rate,seconds\n";

template <class T>
class Csv final : public Tracker<T> {
 public:
  explicit Csv(Build<T>&) {}

  void start(const std::string& run_folder) override {
    name_ = run_folder + "/metrics.csv";
    if (std::filesystem::exists(name_)) {
      goes_on_ = true;
      read_rows();  // refuses another's file before the run takes its time
    } else {
      open("wb");
      write(kHeader);
    }
  }

  void record(const MetricRow& row) override {
    if (goes_on_) cut_off(row.step);
    const auto cell = [](double number) { return std::isnan(number) ? std::string() : number_text(number); };
    write(std::to_string(row.step) + "," + cell(row.loss) + "," + cell(row.validation_loss) + "," +
          cell(row.learning_rate) + "," + cell(row.seconds) + "\n");
  }

  void finish() override {
    if (file_ && std::fclose(file_.release())) fail("written");
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  [[noreturn]] void fail(const char* what) const {
    const int cause = errno;
    throw Error(name_ + ": error: the metrics cannot be " + what + ": " + std::generic_category().message(cause) +
                "; free some space or write the run elsewhere, and resume it");
  }
  void open(const char* mode) {
    file_.reset(std::fopen(name_.c_str(), mode));
    if (!file_) fail("opened");
  }
  /// Whole rows only: what is in the file survives the end of the program.
  void write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()))
      fail("written");
  }

  /// The rows of the part of the run that is there, without the header.
  std::string read_rows() const {
    std::ostringstream text;
    text << std::ifstream(name_, std::ios::binary).rdbuf();
    if (!text.str().starts_with(kHeader))
      throw Error(name_ + ":1:1: error: the first line is not '" + std::string(kHeader.substr(0, kHeader.size() - 1)) +
                  "', so this is not a table of metrics; move it elsewhere, or write the run elsewhere");
    return text.str().substr(kHeader.size());
  }
  /// A run that was stopped goes on from its checkpoint: rows from there on are made again, a row that was cut short
  /// goes as well.
  void cut_off(std::int64_t step) {
    const std::string rows = read_rows();
    std::size_t kept = 0;
    for (std::size_t end; (end = rows.find('\n', kept)) != std::string::npos; kept = end + 1)
      if (std::strtoll(rows.c_str() + kept, nullptr, 10) >= step) break;
    std::error_code failed;
    std::filesystem::resize_file(name_, kHeader.size() + kept, failed);
    errno = failed.value();
    if (failed) fail("shortened");
    open("ab");
    goes_on_ = false;
  }

  std::string name_;
  std::unique_ptr<std::FILE, Close> file_;
  bool goes_on_ = false;  // the file is there, and not yet open
};

constexpr Example kExamples[] = {{"default", "csv"}};

constexpr const char kDocumentation[] = R"(
Columns `step`, `loss`, `validation_loss`, `learning_rate`, `seconds`, a row for each step that reports, written at
once. The loss is that before the step's update, in preprocessed units; numbers read back exactly. A cell is empty where
nothing was computed. A run that goes on after it was stopped continues its own table.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Csv>("tracker", "csv", "metrics.csv in the run's folder", nullptr, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("csv_tracker", "0.1.0", "MIT", kComponents);
