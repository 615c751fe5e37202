#!/bin/sh
# What plugins were compiled against: sizes, bases and virtual tables of the interfaces' classes, as the compiler lays
# them out, and the virtual functions in their order. The same kPluginApi must mean the same.
#   interfaces.sh COMPILER SOURCE_FOLDER [--record]
# fails if they differ from interfaces.txt; --record writes that file, once kPluginApi was raised.
set -eu
compiler=$1
source=$(cd "$2" && pwd)
record=${3:-}
headers=$source/core/include
recorded=$source/tests/interfaces/interfaces.txt
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM

api=$(sed -n 's/^inline constexpr std::uint32_t kPluginApi = \([0-9]*\);.*/\1/p' "$headers/pushforward/plugin.h")
test -n "$api" || { echo "plugin.h defines no kPluginApi in the form that this script reads" >&2; exit 1; }

# Every interface has its explicit instantiations declared in its header, so including it lays it out. Both precisions
# look alike; one will do.
cat > "$folder/interfaces.cpp" <<'SOURCE'
#include "pushforward/chain.h"
#include "pushforward/elementwise_distribution.h"
#include "pushforward/fixed_map.h"
#include "pushforward/kernel_transformer.h"
#include "pushforward/plugin.h"
#include "pushforward/target.h"
SOURCE
(cd "$folder" && "$compiler" -std=c++20 -fsyntax-only -fdump-lang-class=classes.txt -DEIGEN_MAX_ALIGN_BYTES=64 \
  -DEIGEN_MAX_STATIC_ALIGN_BYTES=16 -I "$headers" -isystem /usr/include/eigen3 interfaces.cpp)

{
  echo "api $api"
  echo
  # A paragraph a class; addresses inside of the compiler mean nothing.
  awk 'BEGIN { RS = ""; ORS = "\n\n" } /^(Class|Vtable for) pushforward::/ && !/<float>|<const float>/' \
    "$folder/classes.txt" | sed 's/ (0x0x[0-9a-f]*)//g'
  # Functions without a body have no name in a table.
  for header in "$headers"/pushforward/*.h; do
    sed -n "s|^ *virtual |$(basename "$header"): |p" "$header"
  done
} > "$folder/interfaces.txt"
grep -q '^Vtable for pushforward::Bijector<double>' "$folder/interfaces.txt" ||
  { echo "the compiler's dump of classes does not show Bijector<double>" >&2; exit 1; }

if cmp -s "$folder/interfaces.txt" "$recorded"; then exit 0; fi
before=$(sed -n 's/^api //p' "$recorded" 2>/dev/null || true)
if [ "$record" = --record ] && [ "$before" != "$api" ]; then
  cp "$folder/interfaces.txt" "$recorded"
  echo "recorded the interfaces of kPluginApi $api"
  exit 0
fi
diff -u "$recorded" "$folder/interfaces.txt" >&2 || true
echo "interfaces that plugins are compiled against changed, as shown; raise kPluginApi ($before) in plugin.h, then run" \
  "sh tests/interfaces/interfaces.sh $compiler . --record" >&2
exit 1
