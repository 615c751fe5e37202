// my_name: a run's numbers as lines of JSON in my_name.jsonl, in the run's folder.
#include <cmath>
#include <fstream>

#include "pushforward/number_text.h"
#include "pushforward/plugin.h"

namespace {

using namespace pushforward;  // NOLINT: one component, one file

template <class T>
class MyName final : public Tracker<T> {
 public:
  explicit MyName(Build<T>& build) : seconds_(build.boolean("seconds")) {}

  /// A run that goes on after it was stopped adds to its own lines.
  void start(const std::string& run_folder) override {
    name_ = run_folder + "/my_name.jsonl";
    file_.open(name_, std::ios::app);
    require("opened");
  }

  /// Written at once: what is in the file survives the end of the program.
  void record(const MetricRow& row) override {
    std::string line = "{\"step\": " + std::to_string(row.step);
    add(line, "loss", row.loss);
    add(line, "validation_loss", row.validation_loss);
    add(line, "learning_rate", row.learning_rate);
    if (seconds_) add(line, "seconds", row.seconds);
    file_ << line << "}\n" << std::flush;
    require("written");
  }

  void finish() override {
    file_.close();
    require("written");
  }

 private:
  /// JSON has no word for numbers that are not finite, such as a loss that was not computed.
  static void add(std::string& line, const char* key, double number) {
    if (std::isfinite(number)) line += std::string(", \"") + key + "\": " + number_text(number);
  }
  void require(const char* what) const {
    if (!file_)
      throw Error(name_ + ": error: the numbers of the run cannot be " + what +
                  "; look at the folder's rights "
                  "and at the space that is left");
  }

  bool seconds_;
  std::string name_;
  std::ofstream file_;
};

constexpr Field kFields[] = {
    boolean("seconds", "true", "writes the seconds since the start, too, the one number that differs from run to run"),
};

constexpr Example kExamples[] = {
    {"default", "my_name"},
    {"repeatable", "my_name: {seconds: false}"},
};

constexpr const char kDocumentation[] = R"(
An object for each step that reports, on a line of its own: `step`, `loss` (before the step's update, in preprocessed
units), `validation_loss`, `learning_rate`, `seconds`. What was not computed, or is not finite, is left out.
)";

constexpr ComponentInfo kComponents[] = {
    describe<MyName>("tracker", "my_name", "The run's numbers as lines of JSON", kFields, kExamples, kDocumentation)};

}  // namespace

PUSHFORWARD_PLUGIN("my_name", "0.1.0", "MIT", kComponents);
