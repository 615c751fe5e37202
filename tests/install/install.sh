#!/usr/bin/env bash
# Installs the toolkit into a folder of its own, moves it, and uses it as strangers do: builds the examples against it,
# checks and trains the plugin, scores rows with the program, and compares with what `pushforward log-prob` says.
#
#   tests/install/install.sh BUILD_FOLDER
set -euo pipefail
build=$1
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Nothing of the build tree may be found but by the installation itself.
unset PUSHFORWARD_PLUGIN_PATH

cmake --install "$build" --prefix "$work/first" > /dev/null
mv "$work/first" "$work/moved"  # an installation does not know where it was made
prefix=$work/moved
pushforward=$prefix/bin/pushforward
for file in bin/pushforward lib/libpushforward_core.so lib/libpushforward_run.so include/pushforward/run.h \
  lib/libpushforward_conformance.so include/pushforward/conformance.h \
  lib/cmake/pushforward/pushforwardConfig.cmake share/pushforward/configs/circles.yaml \
  share/bash-completion/completions/pushforward; do
  [[ -e $prefix/$file ]] || { echo "not installed: $file" >&2; exit 1; }
done
if readelf --dynamic "$prefix"/lib/*.so "$prefix"/lib/pushforward/plugins/*.so "$pushforward" |
  grep -E 'R(UN)?PATH.*\[[^$]'; then
  echo "an installed file looks for libraries in a folder of the build" >&2
  exit 1
fi
"$pushforward" list --quiet > "$work/list.txt"
grep -q linear_rational_spline "$work/list.txt"

# The plugin of somebody else.
cp -r "$source/examples/third_party_plugin" "$work/plugin"
cmake -S "$work/plugin" -B "$work/plugin/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" > /dev/null
cmake --build "$work/plugin/build" > "$work/build.log" || { cat "$work/build.log"; exit 1; }
plugins=$work/plugin/build/lib/pushforward/plugins
[[ $(nm -D --defined-only "$plugins/tanh_residual.so" | wc -l) -eq 1 ]] || { echo "exports more than one symbol"; exit 1; }
"$pushforward" check "$plugins/tanh_residual.so" --quiet > "$work/check.txt" || { cat "$work/check.txt"; exit 1; }
ctest --test-dir "$work/plugin/build" > "$work/ctest.txt" || { cat "$work/ctest.txt"; exit 1; }
grep -q "100% tests passed, 0 tests failed out of 1" "$work/ctest.txt" || { cat "$work/ctest.txt"; exit 1; }
# That test fails for a plugin with a mistake, and says where.
if "$work/plugin/build/conformance" "$build/wrong_plugin/wrong_log_det.so" > "$work/wrong.txt"; then
  echo "the conformance test passed a wrong log_det" >&2
  exit 1
fi
grep -q "FAILED  3 *log_det" "$work/wrong.txt" || { cat "$work/wrong.txt"; exit 1; }
"$pushforward" fit "$work/plugin/circles_tanh_residual.yaml" --plugin-path "$plugins" --output "$work/run" --no-plots --quiet

# The program of somebody else, on that run: it must find the toolkit's plugins by itself.
cp -r "$source/examples/score_rows" "$work/score"
cmake -S "$work/score" -B "$work/score/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" > /dev/null
cmake --build "$work/score/build" > "$work/build.log" || { cat "$work/build.log"; exit 1; }
"$pushforward" sample "$work/run" --plugin-path "$plugins" -n 100 --output "$work/rows.csv" --quiet
"$pushforward" log-prob "$work/run" "$work/rows.csv" --plugin-path "$plugins" --output "$work/expected.csv" --quiet
PUSHFORWARD_PLUGIN_PATH=$plugins "$work/score/build/score_rows" "$work/run" "$work/rows.csv" > "$work/scores.txt"
paste <(tail -n +2 "$work/expected.csv") "$work/scores.txt" | awk '
  { n++; d = $1 - $2; if (d < 0) d = -d; if (!(d <= 1e-12 * (1 + ($1 < 0 ? -$1 : $1)))) bad++ }
  END { if (n != 100 || bad) { print n " scores, " bad + 0 " differ from those of log-prob"; exit 1 } }'

# What it says when the plugin is not there.
if "$work/score/build/score_rows" "$work/run" "$work/rows.csv" 2> "$work/error.txt"; then
  echo "score_rows found a plugin that nobody named" >&2
  exit 1
fi
grep -q tanh_residual "$work/error.txt" || { cat "$work/error.txt"; exit 1; }
echo "installed, moved, extended and embedded"
