#!/usr/bin/env bash
# What `pushforward new` makes, used as it is: for every kind a project that builds without a warning against the
# installed toolkit, passes every check of the conformance kit and trains, before anything in it was changed.
#
#   tests/install/new.sh BUILD_FOLDER
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PUSHFORWARD_PLUGIN_PATH

cmake --install "$build" --prefix "$work/first" > /dev/null
mv "$work/first" "$work/moved"  # the templates must have come along
export PATH=$work/moved/bin:$PATH
mkdir "$work/projects"
cd "$work/projects"

kinds=$(pushforward new --help | tr -s ' \n' ' ' | sed -n 's/.*The kinds are \([^.]*\)\..*/\1/p' | sed 's/,//g; s/ and / /')
[[ $(wc -w <<< "$kinds") -eq 12 ]] || { echo "kinds in the help: '$kinds'" >&2; exit 1; }
cat > CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.22)
project(everything LANGUAGES CXX)
END
for kind in $kinds; do
  pushforward new "$kind" "new_$kind" --quiet > /dev/null
  for file in "new_$kind.cpp" "new_$kind.yaml" CMakeLists.txt README.md .gitignore; do
    [[ -s new_$kind/$file ]] || { echo "not made: new_$kind/$file" >&2; exit 1; }
  done
  if grep -rnEi 'my_?name|my_kind|my_toolkit_version|my_next_steps' "new_$kind"; then
    echo "placeholders are left" >&2
    exit 1
  fi
  echo "add_subdirectory(new_$kind)" >> CMakeLists.txt
done

# One build for all; that of a single project is what tutorial.sh makes.
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -Werror" > /dev/null
cmake --build build --parallel 2 > build.log || { cat build.log; exit 1; }
plugins=$work/projects/build/lib/pushforward/plugins
for kind in $kinds; do
  pushforward check "$plugins/new_$kind.so" --quiet > check.txt || { cat check.txt; exit 1; }
  # The spec names the folder that the project's own build writes to.
  mkdir -p "new_$kind/build/lib/pushforward"
  ln -s "$plugins" "new_$kind/build/lib/pushforward/plugins"
  (cd "new_$kind" && pushforward fit "new_$kind.yaml" --output runs/first --no-plots --quiet > fit.txt 2>&1) || { cat "new_$kind/fit.txt"; exit 1; }
  [[ -s new_$kind/runs/first/checkpoint.safetensors ]] || { echo "new_$kind has no run" >&2; exit 1; }
done
[[ $(wc -l < new_tracker/runs/first/new_tracker.jsonl) -gt 5 ]] || { echo "the tracker wrote nothing" >&2; exit 1; }

# A plugin need not be compiled for the CPU that the toolkit was compiled for.
if grep -qw avx2 /proc/cpuinfo; then
  cmake -S new_transformer -B other -G Ninja -DPUSHFORWARD_ARCH=x86-64-v3 > /dev/null
  cmake --build other > build.log || { cat build.log; exit 1; }
  ctest --test-dir other > check.txt || { cat check.txt; exit 1; }
fi

# An `if` in a map would choose for all lanes together; on no CPU does it compile.
pushforward new transformer branches --quiet > /dev/null
sed -i 's|^\( *\)return x + a|\1if (x > 0) return x;\n&|' branches/branches.cpp
grep -q 'if (x > 0)' branches/branches.cpp
cmake -S branches -B branches/build -G Ninja > /dev/null
if cmake --build branches/build > build.log; then echo "a branch compiles" >&2; exit 1; fi
grep 'deleted' build.log | grep -q 'Condition' || { cat build.log; exit 1; }

# A kind that is misspelt is a kind of somebody's own, but `check` knows what it is near to.
pushforward new schedule misspelt --quiet > /dev/null
sed -i 's/"schedule"/"scedule"/' misspelt/misspelt.cpp
cmake -S misspelt -B misspelt/build -G Ninja > /dev/null
cmake --build misspelt/build > build.log || { cat build.log; exit 1; }
if pushforward check misspelt/build/lib/pushforward/plugins/misspelt.so 2> check.txt; then exit 1; fi
grep -q "no checks for the kind 'scedule' of 'misspelt'; did you mean 'schedule'?" check.txt || { cat check.txt; exit 1; }
echo "made, built, checked and trained: $kinds"
