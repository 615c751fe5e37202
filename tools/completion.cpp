// completion: what a shell needs to complete command lines of this program.
#include <fmt/ranges.h>

#include "command.h"
#include "program.h"
#include "templates.h"

namespace pushforward {
namespace {

/// Of a run that has none drawn yet.
constexpr const char* kPictures = "data data_marginals loss samples marginals density warp corner";

std::string words_of(const Command& command) {
  std::string words;
  for (const Option& option : command.all_options())
    words += fmt::format("{}--{}", words.empty() ? "" : " ", option.name);
  return words;
}

/// Kinds and names are asked of the program when they are wanted, so that plugins of one's own are among them.
std::string bash_script() {
  std::string commands, cases;
  for (const Command* command : all_commands()) {
    commands += fmt::format("{}{}", commands.empty() ? "" : " ", command->name);
    cases += fmt::format("    {}) options='{}' ;;\n", command->name, words_of(*command));
  }
  return fmt::format(
      R"BASH(# Completion of pushforward for bash: source it, or put it into /usr/share/bash-completion/completions/pushforward.
_pushforward() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}} options=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{}' -- "$word"))
    return
  fi
  case $before in
    --format)
      if [ "$command" = plot ]; then options='png svg all'; else options='text json'; fi
      COMPREPLY=($(compgen -W "$options" -- "$word"))
      return ;;
    --only)
      options=$(compgen -G "${{COMP_WORDS[2]}}/plots/*.gp")
      if [ -n "$options" ]; then options=$(basename -s .gp $options)
      else options='{}'; fi
      COMPREPLY=($(compgen -W "$options" -- "$word"))
      return ;;
    --direction) COMPREPLY=($(compgen -W 'forward inverse' -- "$word")); return ;;
    --plugin-path|--directory) COMPREPLY=($(compgen -d -- "$word")); return ;;
  esac
  case $command in
{}  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [ "$command" = describe ] || [ "$command" = list ]; then
    if [ "$command" = list ]; then options=kind; else options='kind\|name'; fi
    COMPREPLY=($(compgen -W "$("${{COMP_WORDS[0]}}" list --format json 2>/dev/null |
      sed -n 's/^ *"\('"$options"'\)": "\(.*\)",*$/\2/p' | sort -u)" -- "$word"))
  elif [ "$command" = new ] && [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W '{}' -- "$word"))
  elif [ "$command" = completion ]; then
    COMPREPLY=($(compgen -W 'bash' -- "$word"))
  fi
}}
complete -o default -F _pushforward pushforward
)BASH",
      commands, kPictures, cases, fmt::join(template_kinds(), " "));
}

int completion(const Arguments& arguments, Console& console) {
  if (const std::string shell = arguments.positional(0); shell != "bash")
    throw UsageError(fmt::format("SHELL is '{}'; there is a completion for bash", shell));
  console.result(bash_script());
  return kSuccess;
}

}  // namespace

const Command& completion_command() {
  static const Command kCommand = {
      .name = "completion",
      .summary = "print a script that completes command lines in a shell",
      .description =
          "Prints a script for bash that completes commands, options, files, and the kinds and names of components, "
          "those of plugins of your own included.",
      .positionals = {{"SHELL", "bash"}},
      .options = {},
      .examples = {"pushforward completion bash --output pushforward.bash", "source <(pushforward completion bash)"},
      .run = &completion,
  };
  return kCommand;
}

}  // namespace pushforward
