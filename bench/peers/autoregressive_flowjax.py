"""The measurements of bench_autoregressive with FlowJAX (compiled by JAX): median milliseconds.

  python3 bench/peers/autoregressive_flowjax.py        # needs: pip install jax flowjax
"""

import os
import statistics
import sys
import time

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
if THREADS == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import equinox
import flowjax
import jax
import jax.numpy as jnp
from flowjax.bijections import Affine
from flowjax.distributions import Normal
from flowjax.flows import masked_autoregressive_flow

ROWS, FEATURES = 256, 43
key = jax.random.key(0)
flow = masked_autoregressive_flow(
    key, base_dist=Normal(jnp.zeros(FEATURES)), transformer=Affine(), flow_layers=1, nn_width=512, nn_depth=2
)
data = jax.random.normal(key, (ROWS, FEATURES))
parameters, static = equinox.partition(flow, equinox.is_inexact_array)

log_prob = equinox.filter_jit(lambda flow, x: flow.log_prob(x))
sample = equinox.filter_jit(lambda flow, key: flow.sample_and_log_prob(key, (ROWS,)))
likelihood_step = jax.jit(jax.value_and_grad(lambda p, x: -equinox.combine(p, static).log_prob(x).mean()))
sampling_step = jax.jit(
    jax.value_and_grad(lambda p, key: equinox.combine(p, static).sample_and_log_prob(key, (ROWS,))[1].mean())
)


def measure(name, call, repetitions):
    jax.block_until_ready(call())
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        jax.block_until_ready(call())
        times.append(1e3 * (time.perf_counter() - start))
    print(f"{name:16s} {statistics.median(times):8.2f} ms", flush=True)


print(f"flowjax, jax {jax.__version__}, {THREADS} threads")
measure("log_prob", lambda: log_prob(flow, data), 50)
measure("sample", lambda: sample(flow, key), 10)
measure("likelihood_step", lambda: likelihood_step(parameters, data), 30)
measure("sampling_step", lambda: sampling_step(parameters, key), 5)
