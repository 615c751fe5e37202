#!/usr/bin/env bash
# Draws the generated datasets of the plane for their pages in docs/components.
#
#   scripts/draw_toys.sh [BUILD_FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pushforward=${1:-build}/bin/pushforward
pictures=docs/components/pictures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$pictures"

names=$("$pushforward" list dataset --format json | sed -n 's/^ *"name": "\(.*\)",$/\1/p')
for name in $names; do
  case $name in csv | npy) continue ;; esac
  cat > "$work/spec.yaml" << SPEC
data: {source: {$name: {samples: 2000}}}
model: {normal: {mean: learnable, scale: learnable}}
training: {steps: 1}
SPEC
  rm -rf "$work/run"
  "$pushforward" fit "$work/spec.yaml" --output "$work/run" --quiet > /dev/null
  [[ -e $work/run/plots/data.csv ]] || continue  # not of the plane
  gnuplot << PLOT
set terminal pngcairo size 420,420 font 'sans,11'
set output '$pictures/dataset_$name.png'
set datafile separator ','
set size ratio -1
set border linecolor rgb '#808080'
set tics scale 0.5 textcolor rgb '#404040'
unset key
plot '$work/run/plots/data.csv' skip 1 using 1:2 with points pointtype 7 pointsize 0.35 linecolor rgb '#a00072b2'
PLOT
done
ls "$pictures"
