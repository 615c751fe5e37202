#!/usr/bin/env bash
# Walks a page of the guide as its reader does, with an installed toolkit: runs every command, writes every file that is
# shown whole, and compares what else is shown with what is there.
#
#   tests/install/tutorial.sh BUILD_FOLDER PAGE.md
#
# Blocks of the page, by the words after the three backticks:
#   sh                 is run; its commands must succeed
#   sh fails           is run; it must fail
#   cpp file=NAME      becomes the file NAME; most of it must be there already
#   cpp whole=NAME     becomes the file NAME
#   diff               changes the file that its second line names
#   cpp in=NAME        stands, line by line, in the file NAME
#   text output        stands in what the last commands printed; numbers may differ, `...` stands for any lines
# Other blocks are for the reader alone.
set -euo pipefail
build=$1
page=$(realpath "$2")
most_lines=40  # that an author changes of what `new` made
work=$(mktemp -d)
context="the installation"
trap 'code=$?; [[ $code -eq 0 ]] || { echo "$page: $context" >&2; cat "$work/output" >&2; }; rm -rf "$work"; exit $code' EXIT
unset PUSHFORWARD_PLUGIN_PATH

cmake --install "$build" --prefix "$work/prefix" > "$work/output"
export PATH=$work/prefix/bin:$PATH
export CMAKE_GENERATOR=Ninja CMAKE_BUILD_PARALLEL_LEVEL=2
mkdir "$work/desk"
cd "$work/desk"

masked() {
  sed -E 's/[-+]?[0-9][0-9,]*(\.[0-9]+)?(e[-+]?[0-9]+)?/#/g; s/\b(nan|-?inf)\b/#/g; s/[[:space:]]+/ /g; s/ $//' "$1"
}
# Whether the lines of the first file stand in the second one, in their order.
require_lines() {
  awk 'NR == FNR { if ($0 !~ /^ ?\.\.\.$/) wanted[++n] = $0; next }
       found < n && $0 == wanted[found + 1] { found++ }
       END { if (found < n) { print "not found: " wanted[found + 1]; exit 1 } }' "$1" "$2" >&2
}

number=0 kind='' commands=0
: > "$work/block"
while IFS= read -r line || [[ -n $line ]]; do
  number=$((number + 1))
  if [[ -z $kind ]]; then
    if [[ $line == '```'?* ]]; then
      kind=${line#'```'}
      context="line $number ($kind)"
      : > "$work/block"
    fi
    continue
  fi
  if [[ $line != '```' ]]; then
    printf '%s\n' "$line" >> "$work/block"
    continue
  fi
  case $kind in
    sh)
      commands=$((commands + 1))
      source "$work/block" > "$work/output" 2>&1
      ;;
    'sh fails')
      commands=$((commands + 1))
      if source "$work/block" > "$work/output" 2>&1; then
        context="$context: it succeeds"
        exit 1
      fi
      ;;
    'cpp file='*)
      file=${kind#cpp file=}
      changed=$(diff "$file" "$work/block" | grep -c '^>' || true)
      [[ $changed -le $most_lines ]] || { context="$context: $changed lines to change"; exit 1; }
      cp "$work/block" "$file"
      ;;
    'cpp whole='*) cp "$work/block" "${kind#cpp whole=}" ;;
    diff) patch --quiet --no-backup-if-mismatch "$(sed -n 's/^+++ //p' "$work/block")" "$work/block" > "$work/output" ;;
    'cpp in='*) require_lines "$work/block" "${kind#cpp in=}" ;;
    'text output')
      masked "$work/block" > "$work/wanted"
      masked "$work/output" > "$work/there"
      require_lines "$work/wanted" "$work/there"
      ;;
  esac
  kind=''
done < "$page"
context="the end"
[[ $commands -gt 5 ]] || { echo "only $commands blocks of commands were found" >&2; exit 1; }
echo "$page: $commands blocks of commands, run"
