#!/usr/bin/env bash
# Installs what is missing, builds everything in build/ with warnings as errors and runs all tests. The summary of
# ctest ends the output; the exit status is nonzero when anything failed. Arguments are passed on to ctest:
#
#   scripts/test.sh -R registry
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh test
configure=(cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DPUSHFORWARD_TESTS=ON -DPUSHFORWARD_WERROR=ON
  -DPUSHFORWARD_SANITIZE=)
if [[ ! -f build/CMakeCache.txt ]]; then
  configure+=(-G Ninja)
fi
"${configure[@]}"
cmake --build build --parallel "$(scripts/build_jobs.sh)"
ctest --test-dir build --output-on-failure --no-tests=error -j2 "$@"
