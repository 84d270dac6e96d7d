"""What the machine can do: the ceiling that the benchmarks are held against."""

import os
import platform
import resource
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_info

from jointalign.processors import usable_processors


def sgemm_rate(rows=2048, columns=4096, dimensions=300, repeats=8):
    """GFLOP/s of float32 matrix products with all threads, of the shape that retrieval makes."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, dimensions), dtype=np.float32)
    z = rng.standard_normal((columns, dimensions), dtype=np.float32)
    out = np.empty((rows, columns), np.float32)
    best = min(_seconds(lambda: np.matmul(x, z.T, out=out)) for _ in range(repeats))
    return 2 * rows * columns * dimensions / best / 1e9


def copy_bandwidth(megabytes=256, repeats=4):
    """GB/s of copying from memory to memory: bytes read and bytes written."""
    source = np.ones(megabytes << 17)
    target = np.empty_like(source)
    best = min(_seconds(lambda: np.copyto(target, source)) for _ in range(repeats))
    return 2 * source.nbytes / best / 1e9


def facts():
    """Processor, threads and libraries, as plain types."""
    libraries = [
        {key: info.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for info in threadpool_info()
        if info["user_api"] == "blas"
    ]
    return {
        "processors": usable_processors(),
        "load": os.getloadavg()[0],
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": libraries,
    }


def peak_memory_mb():
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds(work):
    start = perf_counter()
    work()
    return perf_counter() - start
