"""Reads the files of bench_csv with pandas: MB/s of processor time and the largest memory, less that at the start.

  bench_csv && python3 bench/peers/csv_pandas.py
"""

import os
import resource
import sys
import tempfile
import time

import pandas


def peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(digits):
    name = os.path.join(tempfile.gettempdir(), f"pushforward_bench_{digits}.csv")
    before, start = peak_memory(), time.process_time()
    frame = pandas.read_csv(name)
    seconds = time.process_time() - start
    rate = os.path.getsize(name) / seconds / 2**20
    print(f"{digits} digits: {rate:.0f} MiB/s, peak {peak_memory() - before:.0f} MiB, pandas {pandas.__version__}", frame.shape)


# One file in one process, because the peak is the process's.
measure(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
