#!/usr/bin/env bash
# Installs the Debian 12 packages that a build needs and that are not there yet. Asks nothing.
#
#   scripts/setup.sh          what the library, the program and the plugins need
#   scripts/setup.sh test     the same, and what the tests need
#   scripts/setup.sh bench    the same as the first, and what the benchmarks need
#   scripts/setup.sh fuzz     the same as the first, and clang with its libFuzzer (PUSHFORWARD_FUZZ)
#
# Installing needs root or sudo without a password; where neither is there, or no apt-get, the missing packages are
# named and the script fails. Nothing is changed when nothing is missing.
set -euo pipefail

build_packages=(
  g++ cmake ninja-build
  libboost-dev libboost-program-options-dev
  libeigen3-dev libopenblas-dev libxsimd-dev
  libyaml-cpp-dev nlohmann-json3-dev libfmt-dev libfast-float-dev
  gnuplot-nox
)
test_packages=(catch2 librandom123-dev librapidcheck-dev binutils)
bench_packages=(libbenchmark-dev)
# libFuzzer and the sanitizers; names of functions in their reports, and line coverage.
fuzz_packages=(clang libclang-rt-dev llvm)

packages=("${build_packages[@]}")
for purpose in "$@"; do
  case "$purpose" in
    test) packages+=("${test_packages[@]}") ;;
    bench) packages+=("${bench_packages[@]}") ;;
    fuzz) packages+=("${fuzz_packages[@]}") ;;
    *)
      echo "setup.sh: unknown purpose '$purpose'; it is one of: test, bench, fuzz" >&2
      exit 2
      ;;
  esac
done

if ! command -v dpkg-query > /dev/null; then
  echo "setup.sh: no Debian package manager here; install the equivalents of these yourself:" >&2
  echo "  ${packages[*]}" >&2
  echo "setup.sh: going on, CMake will name what it does not find" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null || true)
  [[ "$status" == installed ]] || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "setup.sh: all ${#packages[@]} packages are installed"
  exit 0
fi

if [[ $(id -u) -eq 0 ]]; then
  as_root=(env)
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
  as_root=(sudo -n env)
else
  echo "setup.sh: ${#missing[@]} packages are missing, and this user may not install them. As root, run:" >&2
  echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "setup.sh: installing ${missing[*]}"
install=(apt-get install --yes --quiet --no-install-recommends "${missing[@]}")
# The lists of a fresh machine are empty or stale; a machine whose lists are good needs no network for them.
if ! "${as_root[@]}" DEBIAN_FRONTEND=noninteractive "${install[@]}" > /dev/null 2>&1; then
  "${as_root[@]}" apt-get update --quiet
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive "${install[@]}"
fi
