// Commands: what each declares about itself, from which the parser, the help and the suggestions are made.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "console.h"
#include "pushforward/error.h"

namespace pushforward {

/// A command line that is not valid; the program adds which help to ask for. Exit code 2.
class UsageError : public SpecError {
 public:
  using SpecError::SpecError;
};

struct Option {
  const char* name;   // without the dashes
  const char* value;  // what stands for its value in the help; none: a switch
  const char* doc;
  char letter = 0;          // `-n`
  bool repeatable = false;  // may be given several times
};

struct Positional {
  const char* name;
  const char* doc;
  bool required = true;
  bool repeatable = false;  // the last one alone: takes all that is left
};

/// The options and arguments that a command was given.
class Arguments {
 public:
  bool given(const std::string& option) const { return values_.contains(option); }
  /// The value, or `fallback`.
  std::string text(const std::string& option, const std::string& fallback = {}) const;
  const std::vector<std::string>& texts(const std::string& option) const;
  /// A whole number in a range. Throws UsageError naming option, value and range.
  std::int64_t integer(const std::string& option, std::int64_t fallback, std::int64_t minimum,
                       std::int64_t maximum) const;
  /// The i-th positional argument, or nothing.
  std::string positional(std::size_t i) const { return i < positionals_.size() ? positionals_[i] : std::string(); }
  std::size_t positionals() const { return positionals_.size(); }
  /// Workers of `--threads`; as many as the machine has if it was not given.
  int threads() const;

 private:
  friend struct Command;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positionals_;
};

/// One subcommand.
struct Command {
  const char* name;
  const char* summary;      // a line in the list of commands
  const char* description;  // paragraphs of its help
  std::vector<Positional> positionals;
  std::vector<Option> options;  // besides those that every command has
  std::vector<const char*> examples;
  int (*run)(const Arguments& arguments, Console& console);
  bool writes_output_itself = false;  // its own options say what --output is; otherwise the result goes there

  /// Parses what follows the command's name. Throws UsageError, with the nearest name for an unknown option.
  Arguments parse(const std::vector<std::string>& words) const;
  std::vector<Option> all_options() const;
  std::string usage() const;
  std::string help(std::size_t width) const;
};

/// `--set`, for the commands that read a spec, and for those that read a finished run.
extern const Option kSetOption, kRunSetOption;

/// In the order of the help.
const std::vector<const Command*>& all_commands();

const Command& check_command();
const Command& compare_command();
const Command& completion_command();
const Command& describe_command();
const Command& document_command();
const Command& evaluate_command();
const Command& fit_command();
const Command& list_command();
const Command& log_prob_command();
const Command& new_command();
const Command& plot_command();
const Command& resume_command();
const Command& sample_command();
const Command& transform_command();
const Command& validate_command();
const Command& verify_command();
const Command& version_command();

}  // namespace pushforward
