// csv: a run's numbers as the table metrics.csv in its folder.
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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
    const std::string first = read(kHeader.size());
    goes_on_ = first == kHeader;
    if (goes_on_) return;
    // Refuses another's file before the run takes its time.
    if (!kHeader.starts_with(first))
      throw Error(name_ + ":1:1: error: the first line is not '" + std::string(kHeader.substr(0, kHeader.size() - 1)) +
                  "', so this is not a table of metrics; move it elsewhere, or write the run elsewhere");
    open("wb");
    write(kHeader);
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
                "; make the folder writable and free some space, then fit again");
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

  /// The first `size` bytes of the file, or all; nothing if there is none.
  std::string read(std::size_t size) const {
    std::string text(size, '\0');
    std::ifstream in(name_, std::ios::binary);
    in.read(text.data(), static_cast<std::streamsize>(size));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
  }
  /// A run that was stopped goes on from its checkpoint: rows from there on are made again, a row that was cut short
  /// goes as well.
  void cut_off(std::int64_t step) {
    std::error_code failed;
    const std::uintmax_t size = std::filesystem::file_size(name_, failed);
    std::size_t kept = kHeader.size();
    if (!failed) {
      const std::string table = read(size);
      for (std::size_t end; (end = table.find('\n', kept)) != std::string::npos; kept = end + 1)
        if (std::strtoll(table.c_str() + kept, nullptr, 10) >= step) break;
      std::filesystem::resize_file(name_, kept, failed);
    }
    errno = failed.value();
    if (failed) fail("continued");
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
once. The loss is in preprocessed units, before the step's update; where a step sees a part of the rows (`batch_size`),
it is the mean over the steps since the row above, because that of one batch is mostly chance. Numbers read back exactly.
A cell is empty where nothing was computed. A run that goes on after it was stopped continues its own table.
)";

constexpr ComponentInfo kComponents[] = {
    describe<Csv>("tracker", "csv", "metrics.csv in the run's folder", nullptr, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("csv_tracker", "0.1.0", "MIT", kComponents);
