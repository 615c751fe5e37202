#!/usr/bin/env bash
# From a clean checkout to a fitted flow: installs what is missing, builds the program and its plugins in build/, and
# fits configs/circles.yaml. Arguments are passed on to `pushforward fit`:
#
#   scripts/quickstart.sh --set training.steps=500 --output runs/short
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
configure=(cmake -S . -B build)
# A build folder that is there keeps its own options (tests, build type); a new one is made for the program alone.
if [[ ! -f build/CMakeCache.txt ]]; then
  configure+=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DPUSHFORWARD_TESTS=OFF)
fi
"${configure[@]}"
cmake --build build --parallel "$(scripts/build_jobs.sh)" --target pushforward plugins

echo
echo "+ build/bin/pushforward fit configs/circles.yaml $*"
exec build/bin/pushforward fit configs/circles.yaml "$@"
