"""What the machine can do, which the benchmarks are held against; how they report.

Each script prints `ours`, `reference` (both in seconds), `ratio`, `ceiling`, `peak_memory_mb` and
`equal`, and how all of it grows; `--out` keeps that, with what is needed to do it again.
"""

import json
import os
import platform
import resource
import shlex
import sys
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from threadpoolctl import threadpool_info

from jointalign.numerics.processors import usable_processors
from jointalign.storage.files import atomic
from jointalign.version import __version__


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


def add_options(parser, quick):
    """The options that all scripts have."""
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--quick", action="store_true", help=f"{quick}: under two minutes")
    parser.add_argument("--json", action="store_true", help="one JSON object, nothing else")
    parser.add_argument("--out", type=Path, help="keep the result in this file, too")


def report(result, arguments):
    """Print a result, and keep it if asked."""
    # Where somebody keeps files is nobody else's business.
    given = [Path(word).name if "/" in word else word for word in sys.argv]
    result = result | {
        "command": shlex.join(["python", *given]),
        "seed": arguments.seed,
        "version": __version__,
        "machine": facts(),
    }
    if arguments.out:
        with atomic(arguments.out, "w") as file:
            file.write(json.dumps(result, indent=2) + "\n")
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value}")


def timed(work):
    """What it returns, seconds on the clock, and seconds of all processors."""
    wall, processor = perf_counter(), process_time()
    found = work()
    return found, perf_counter() - wall, process_time() - processor


def rounded(result):
    """Three decimals are more than a clock can tell."""
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in result.items()}


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
