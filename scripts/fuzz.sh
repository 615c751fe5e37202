#!/usr/bin/env bash
# Feeds the readers of files with whatever reaches more of their code: builds the fuzz targets with clang's libFuzzer and
# sanitizers, and runs each for so many seconds.
#
#   scripts/fuzz.sh 300                all targets, five minutes each
#   scripts/fuzz.sh 3600 spec npy      these two, an hour each
#   scripts/fuzz.sh --reduce spec      writes into tests/fuzz/corpus/spec the few inputs that reach what all of them reach
#
# build-fuzz/fuzz/TARGET/corpus begins with the target's seeds and tests/fuzz/corpus/TARGET, grows, and is gone on with
# in the next run. The exit status is nonzero if a target crashed, leaked, took more than a second for an input or 2 GB of
# memory, did something undefined, or let an exception out that is none of the toolkit's: then the input and libFuzzer's
# report are in build-fuzz/fuzz/TARGET. PUSHFORWARD_FUZZ_BUILD names another folder than build-fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  sed -n '5,7s/^# *//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
[[ $# -ge 1 ]] || usage
seconds=$1
shift
[[ "$seconds" == --reduce || "$seconds" =~ ^[1-9][0-9]*$ ]] || usage

all=()
for source in tests/fuzz/*.cpp; do
  name=$(basename "$source" .cpp)
  [[ "$name" == driver || "$name" == mutator ]] || all+=("$name")
done
targets=("$@")
[[ $# -gt 0 ]] || targets=("${all[@]}")
for target in "${targets[@]}"; do
  [[ -f "tests/fuzz/$target.cpp" && " ${all[*]} " == *" $target "* ]] || {
    echo "fuzz.sh: there is no target '$target'; they are: ${all[*]}" >&2
    exit 2
  }
done
command -v clang++ > /dev/null || {
  echo "fuzz.sh: clang++ is missing, which libFuzzer is a part of; install it: scripts/setup.sh fuzz" >&2
  exit 1
}

build=${PUSHFORWARD_FUZZ_BUILD:-build-fuzz}
programs=()
for target in "${targets[@]}"; do programs+=("fuzz_$target" "fuzz_${target}_coverage"); done
cmake --preset fuzz -B "$build" > /dev/null
cmake --build "$build" --parallel "$(scripts/build_jobs.sh)" --target "${programs[@]}"
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=strict_string_checks=1

# Everything there is so far, in the folder that grows.
prepare() {
  mkdir -p "$folder/corpus" "tests/fuzz/corpus/$target"
  "$build/bin/fuzz_$target" --write-seeds "$folder/corpus" --write-dictionary "$folder/words"
  find "tests/fuzz/corpus/$target" -type f -exec cp -t "$folder/corpus" {} +
}

# Edges alone, not how often they are taken, and of what then is left a few dozen inputs of all sizes, which tests replay in
# a second.
reduce() {
  local kept="tests/fuzz/corpus/$target" left=14000 step size name
  rm -rf "$folder/small" "$folder/reduced"
  mkdir "$folder/small" "$folder/reduced"
  find "$folder/corpus" -type f -size -4k -exec cp -t "$folder/small" {} +
  "$build/bin/fuzz_${target}_coverage" -merge=1 -set_cover_merge=1 -use_counters=0 -use_value_profile=0 \
    "$folder/reduced" "$folder/small" > "$folder/log" 2>&1
  find "$kept" -type f -delete
  step=$((1 + $(ls "$folder/reduced" | wc -l) / 50))  # of all sizes
  while read -r size name; do
    left=$((left - size))
    [[ $left -ge 0 ]] || break
    cp -t "$kept" "$folder/reduced/$name"
  done < <(find "$folder/reduced" -type f -printf '%s %f\n' | sort -n | awk -v step="$step" 'NR % step == 0')
  echo "fuzz.sh: $target: kept $(ls "$kept" | wc -l) of $(ls "$folder/corpus" | wc -l) inputs"
}

# libFuzzer's clock runs on while others have the processor, so an input that seems slow is timed again by the driver,
# which asks for the processor's time; only what takes ten seconds counts as a hang at once.
run() {
  rm -f "$folder"/slow-unit-*
  "$build/bin/fuzz_${target}_coverage" "$folder/corpus" -dict="$folder/words" -artifact_prefix="$folder/" \
    -max_total_time="$seconds" -timeout=10 -report_slow_units=1 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    > "$folder/log" 2>&1 || return 1
  find "$folder" -maxdepth 1 -name 'slow-unit-*' \
    -exec "$build/bin/fuzz_$target" --limit 1 --keep "$folder" {} + >> "$folder/log" 2>&1
}

failed=()
for target in "${targets[@]}"; do
  folder="$build/fuzz/$target"
  prepare
  if [[ "$seconds" == --reduce ]]; then
    reduce
  elif run; then
    echo "fuzz.sh: $target: $(awk '/stat::number_of_executed_units/ { print $2 }' "$folder/log") inputs," \
      "$(ls "$folder/corpus" | wc -l) kept, nothing found"
  else
    failed+=("$target")
    grep --text -E 'ERROR|SUMMARY|runtime error|what\(\)|Test unit written' "$folder/log" | head -n 8 >&2 || true
    echo "fuzz.sh: $target: something was found; the report is in $folder/log" >&2
  fi
done
[[ ${#failed[@]} -eq 0 ]] || {
  echo "fuzz.sh: error: something was found in: ${failed[*]}" >&2
  exit 1
}
