#!/usr/bin/env bash
# Prints how many compilers may run at once: one a processor, and 1.5 GB of memory for each.
set -euo pipefail
processors=$(nproc)
by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
jobs=$((by_memory < processors ? by_memory : processors))
echo $((jobs < 1 ? 1 : jobs))
