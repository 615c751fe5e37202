#include "command.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <thread>

#include "pushforward/nearest.h"
#include "text_table.h"

namespace pushforward {

namespace po = boost::program_options;

const Option kSetOption = {"set", "PATH=VALUE", "change one value of the spec: training.steps=500", 0, true};
const Option kRunSetOption = {
    "set", "PATH=VALUE", "where a file of the run is now: data.source.csv.file=moved.csv, plugins=[folder]", 0, true};

namespace {

constexpr const char* kPositional = "positional arguments";  // no option can have that name

constexpr Option kCommonOptions[] = {
    {"format", "text|json", "how results are written"},
    {"quiet", nullptr, "no progress and no notes", 'q'},
    {"threads", "N", "workers; as many as the machine has by default; never changes a result"},
    {"plugin-path", "DIR", "one more folder of plugins", 0, true},
    {"help", nullptr, "this text", 'h'},
};
constexpr Option kOutputOption = {"output", "FILE", "write the result to a file in place of stdout", 'o'};

po::options_description description_of(const std::vector<Option>& options) {
  po::options_description description;
  for (const Option& option : options) {
    const std::string names = option.name + (option.letter ? "," + std::string(1, option.letter) : std::string());
    if (!option.value)
      description.add_options()(names.c_str(), "");
    else if (option.repeatable)
      description.add_options()(names.c_str(), po::value<std::vector<std::string>>()->composing(), "");
    else
      description.add_options()(names.c_str(), po::value<std::string>(), "");
  }
  description.add_options()(kPositional, po::value<std::vector<std::string>>(), "");
  return description;
}

[[noreturn]] void refuse_unknown(const std::string& given, const std::vector<Option>& options) {
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back(std::string("--") + option.name);
  const std::string name = given.substr(0, given.find('='));
  std::string near = nearest(name, names);
  // What was cut short is not near by its letters.
  for (const std::string& candidate : names)
    if (near.empty() && name.size() > 3 && candidate.starts_with(name)) near = candidate;
  throw UsageError(
      fmt::format("there is no option '{}'{}", name, near.empty() ? std::string() : "; did you mean '" + near + "'?"));
}

/// The words in the parser's own messages are not ours; the common cases get a sentence.
po::parsed_options parsed(const std::vector<std::string>& words, const po::options_description& description,
                          const std::vector<Option>& options) {
  po::positional_options_description positional;
  positional.add(kPositional, -1);
  // No guessing: an abbreviation would change its meaning with the next version's options.
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    return po::command_line_parser(words).options(description).positional(positional).style(style).run();
  } catch (const po::unknown_option& error) {
    refuse_unknown(error.get_option_name(), options);
  } catch (const po::invalid_command_line_syntax& error) {
    const std::string name = error.get_option_name();
    if (error.kind() == po::invalid_syntax::missing_parameter) throw UsageError("option '" + name + "' needs a value");
    if (error.kind() == po::invalid_syntax::extra_parameter) throw UsageError("option '" + name + "' takes no value");
    throw UsageError(error.what());
  } catch (const po::error& error) {
    throw UsageError(error.what());
  }
}

std::string names_of(const Option& option) {
  std::string text =
      option.letter ? fmt::format("-{}, --{}", option.letter, option.name) : fmt::format("    --{}", option.name);
  return option.value ? text + " " + option.value : text;
}

}  // namespace

std::string Arguments::text(const std::string& option, const std::string& fallback) const {
  return given(option) ? values_.at(option).front() : fallback;
}

const std::vector<std::string>& Arguments::texts(const std::string& option) const {
  static const std::vector<std::string> kNone;
  return given(option) ? values_.at(option) : kNone;
}

std::int64_t Arguments::integer(const std::string& option, std::int64_t fallback, std::int64_t minimum,
                                std::int64_t maximum) const {
  if (!given(option)) return fallback;
  const std::string value = text(option);
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (error != std::errc() || end != value.data() + value.size() || n < minimum || n > maximum)
    throw UsageError(
        fmt::format("option '--{}' is '{}'; it must be a whole number from {} to {}", option, value, minimum, maximum));
  return n;
}

int Arguments::threads() const {
  constexpr std::int64_t kMost = 1024;
  const unsigned machine = std::thread::hardware_concurrency();
  return static_cast<int>(integer("threads", machine == 0 ? 1 : machine, 1, kMost));
}

std::vector<Option> Command::all_options() const {
  std::vector<Option> all = options;
  if (!writes_output_itself) all.push_back(kOutputOption);
  all.insert(all.end(), std::begin(kCommonOptions), std::end(kCommonOptions));
  return all;
}

Arguments Command::parse(const std::vector<std::string>& words) const {
  const std::vector<Option> all = all_options();
  const po::options_description declared_options = description_of(all);
  Arguments arguments;
  for (const po::option& option : parsed(words, declared_options, all).options) {
    if (option.string_key == kPositional) {
      arguments.positionals_.insert(arguments.positionals_.end(), option.value.begin(), option.value.end());
      continue;
    }
    std::vector<std::string>& values = arguments.values_[option.string_key];
    const auto declared =
        std::find_if(all.begin(), all.end(), [&](const Option& o) { return o.name == option.string_key; });
    if (!values.empty() && !declared->repeatable)
      throw UsageError(fmt::format("option '--{}' is given twice", option.string_key));
    values.insert(values.end(), option.value.begin(), option.value.end());
    if (values.empty()) values.emplace_back();  // a switch
  }
  if (arguments.given("help")) return arguments;
  if (const std::string format = arguments.text("format", "text"); format != "text" && format != "json")
    throw UsageError(fmt::format("option '--format' is '{}'; it must be text or json", format));
  arguments.threads();
  if (arguments.given("output") && arguments.text("output").empty())
    throw UsageError("option '--output' is empty; give a name, or leave the option out");
  std::size_t required = 0;
  for (const Positional& p : positionals)
    if (p.required && required++ == arguments.positionals())
      throw UsageError(fmt::format("{} is missing: {}", p.name, p.doc));
  const bool open_end = !positionals.empty() && positionals.back().repeatable;
  if (!open_end && arguments.positionals() > positionals.size())
    throw UsageError(fmt::format("'{}' is one argument too many", arguments.positional(positionals.size())));
  return arguments;
}

std::string Command::usage() const {
  std::string text = std::string("pushforward ") + name;
  for (const Positional& p : positionals)
    text += fmt::format(fmt::runtime(p.required ? " {}{}" : " [{}{}]"), p.name, p.repeatable ? "..." : "");
  return text + " [options]";
}

std::string Command::help(std::size_t width) const {
  constexpr std::size_t kIndent = 2;
  std::string text = fmt::format("usage: {}\n\n", usage());
  for (const std::string& line : wrap(description, width)) text += line + "\n";
  if (!positionals.empty()) {
    TextTable table({{}, {}});
    for (const Positional& p : positionals) table.add({p.name, p.doc});
    text += "\narguments:\n" + table.to_text(width, kIndent);
  }
  TextTable table({{}, {}});
  for (const Option& option : all_options())
    table.add({names_of(option), std::string(option.doc) + (option.repeatable ? " (repeatable)" : "")});
  text += "\noptions:\n" + table.to_text(width, kIndent);
  if (!examples.empty()) text += "\nexamples:\n";
  for (const char* example : examples) text += std::string(kIndent, ' ') + example + "\n";
  return text;
}

}  // namespace pushforward
