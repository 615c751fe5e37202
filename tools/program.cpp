#include "program.h"

#include <cstdlib>
#include <filesystem>
#include <new>
#include <sstream>

#include "command.h"
#include "pushforward/nearest.h"
#include "text_table.h"

namespace pushforward {

const std::vector<const Command*>& all_commands() {
  static const std::vector<const Command*> kCommands = {
      &fit_command(),        &resume_command(),   &evaluate_command(), &sample_command(), &log_prob_command(),
      &transform_command(),  &plot_command(),     &compare_command(),  &verify_command(), &validate_command(),
      &list_command(),       &describe_command(), &new_command(),      &check_command(),  &document_command(),
      &completion_command(), &version_command()};
  return kCommands;
}

namespace {

std::string program_help(std::size_t width) {
  std::string text =
      "Pushforward fits normalizing flows: densities that can be evaluated and sampled.\n\n"
      "usage: pushforward COMMAND [arguments] [options]\n\ncommands:\n";
  TextTable table({{}, {}});
  for (const Command* command : all_commands()) table.add({command->name, command->summary});
  text += table.to_text(width, 2);
  return text +
         "\nexample:\n"
         "  pushforward fit configs/circles.yaml --output runs/circles\n"
         "  pushforward sample runs/circles -n 1000 --output samples.csv\n\n"
         "'pushforward COMMAND --help' says more about a command, 'pushforward list' what a spec can name.\n";
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command* command : all_commands()) {
    if (name == command->name) return *command;
    names.emplace_back(command->name);
  }
  const std::string near = nearest(name, names);
  throw UsageError(
      fmt::format("there is no command '{}'{}", name, near.empty() ? std::string() : "; did you mean '" + near + "'?"));
}

int run_command(const Command& command, const std::vector<std::string>& words, Console& console) {
  const Arguments arguments = command.parse(words);
  if (arguments.given("help")) {
    console.result(command.help(console.width()));
    console.finish();
    return kSuccess;
  }
  console.quiet = arguments.given("quiet");
  console.json = arguments.text("format") == "json";
  const int code = command.run(arguments, console);
  console.finish(command.writes_output_itself ? std::string() : arguments.text("output"));
  return code;
}

int dispatch(const std::vector<std::string>& words, Console& console, std::string& help_of) {
  if (words.empty()) {
    console.error_text(program_help(console.width()));
    return kUsage;
  }
  const std::string& first = words.front();
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (first == "--help" || first == "-h" || (first == "help" && rest.empty())) {
    console.result(program_help(console.width()));
    console.finish();
    return kSuccess;
  }
  if (first == "help") return run_command(find_command(rest.front()), {"--help"}, console);
  if (first == "--version") return run_command(version_command(), rest, console);
  if (first[0] == '-') throw UsageError("options come after the command: pushforward COMMAND " + first);
  const Command& command = find_command(first);
  help_of = first + " ";
  return run_command(command, rest, console);
}

}  // namespace

std::string called_as(const std::string& argv0) {
  constexpr const char* kName = "pushforward";
  if (argv0.find('/') == std::string::npos) return argv0.empty() ? kName : argv0;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  std::error_code error;
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path found = std::filesystem::path(folder) / kName;
    if (std::filesystem::exists(found, error)) return std::filesystem::equivalent(found, argv0, error) ? kName : argv0;
  }
  return argv0;
}

int run_program(const std::vector<std::string>& words, Console& console) {
  std::string help_of;  // the command whose help would have helped
  try {
    return dispatch(words, console, help_of);
  } catch (const UsageError& error) {
    console.error(error.what());
    console.error_line("try 'pushforward " + help_of + "--help'");
    return kUsage;
  } catch (const SpecError& error) {
    console.error(error.what());
    return kUsage;
  } catch (const Error& error) {
    console.error(error.what());
  } catch (const std::bad_alloc&) {
    console.error("the memory of this machine does not suffice; use a smaller batch or fewer samples");
  } catch (const std::exception& error) {
    console.error(fmt::format("a mistake in the program or in a plugin: {}", error.what()));
  } catch (...) {
    console.error("a plugin threw something that is no std::exception, so nothing more is known");
  }
  return kRunFailed;
}

}  // namespace pushforward
