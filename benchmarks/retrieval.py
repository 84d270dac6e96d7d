"""How long does an exact CSLS evaluation of 1,500 queries take?

    python benchmarks/retrieval.py --source-vectors en.vec --target-vectors es.vec --test test.txt

Ours (`neighbours` with pruning) against a full computation in NumPy, blocked, as MUSE does it: the
mean similarity of every word of both languages, then the scores of the queries. Vectors must be in
one space already. Without files, clustered random vectors; those prune unlike real ones.
"""

import argparse
import json
import sys
from pathlib import Path
from time import perf_counter, process_time

import _machine
import numpy as np

import jointalign as ja
from jointalign.normalize import unit
from jointalign.retrieval import both_similarities, neighbours, ranks

K, NEIGHBOURHOOD, BLOCK = 10, 10, 1024


def synthetic(size, dimensions, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(2, size // 50), dimensions), dtype=np.float32)
    x = centres[rng.integers(0, len(centres), size)]
    x += 0.7 * rng.standard_normal((size, dimensions), dtype=np.float32)
    z = x + 0.5 * rng.standard_normal((size, dimensions), dtype=np.float32)
    queries = np.sort(rng.choice(size, min(1500, size // 10), replace=False))
    return x, z, np.stack([queries, queries], axis=1)


def real(arguments):
    sides = [ja.read(path) for path in (arguments.source_vectors, arguments.target_vectors)]
    pairs = ja.Lexicon.read(arguments.test).rows(*(side.vocabulary for side in sides))
    return sides[0].vectors, sides[1].vectors, pairs


def means_of_nearest(x, z):
    """MUSE's average distance, in NumPy; one block of scores at a time."""
    k = min(NEIGHBOURHOOD, len(z))
    found = np.empty(len(x), np.float32)
    for start in range(0, len(x), BLOCK):
        scores = x[start : start + BLOCK] @ z.T
        found[start : start + BLOCK] = np.partition(scores, -k, axis=1)[:, -k:].mean(axis=1)
    return found


def reference(x, z, queries):
    x, z = unit(x), unit(z)
    source_means, target_means = means_of_nearest(x, z), means_of_nearest(z, x)
    rows = np.empty((len(queries), K), np.int64)
    best = np.empty((len(queries), K), np.float32)
    for start in range(0, len(queries), 256):
        some = queries[start : start + 256]
        scores = 2 * x[some] @ z.T - source_means[some][:, None] - target_means
        order = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        rows[start : start + 256] = order
        best[start : start + 256] = np.take_along_axis(scores, order, axis=1)
    return rows, best


def timed(work):
    wall, processor = perf_counter(), process_time()
    found = work()
    return found, perf_counter() - wall, process_time() - processor


def same(found, rows, scores):
    """Equal rows; where they differ, two scores that NumPy's rounding cannot tell apart."""
    close = np.abs(found.scores - scores) < 2e-6
    return bool(close.all()), float((found.rows == rows).mean())


def measure(x, z, pairs, everything):
    queries = np.unique(pairs[:, 0])
    neighbours(x[:20], z[:40], 3, sources=x[:40])  # compiled before the clock starts
    found, wall, processor = timed(lambda: neighbours(x[queries], z, K, sources=x))
    result = {
        "words": [len(x), len(z)],
        "queries": len(queries),
        "ours": wall,
        "ours_cpu": processor,
    }
    if everything:
        _, result["ranks"], result["ranks_cpu"] = timed(lambda: ranks(x, z, pairs))
        _, result["both"], result["both_cpu"] = timed(lambda: both_similarities(x, z))
    result["peak_memory_mb"] = _machine.peak_memory_mb()  # before the reference takes more
    (rows, scores), result["reference"], result["reference_cpu"] = timed(
        lambda: reference(x, z, queries)
    )
    result["equal"], result["same_rows"] = same(found, rows, scores)
    result["ratio"] = result["reference"] / result["ours"]
    result["ratio_cpu"] = result["reference_cpu"] / result["ours_cpu"]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source-vectors", type=Path)
    parser.add_argument("--target-vectors", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--size", type=int, default=40_000, help="words of random vectors")
    parser.add_argument("--dimensions", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="under two minutes")
    arguments = parser.parse_args()
    files = arguments.source_vectors, arguments.target_vectors, arguments.test
    if any(files) and not all(files):
        parser.error("--source-vectors, --target-vectors and --test go together")
    size = min(arguments.size, 8_000) if arguments.quick else arguments.size
    x, z, pairs = real(arguments) if all(files) else synthetic(size, arguments.dimensions)
    if arguments.quick:
        x, z = x[:8_000], z[:8_000]
        pairs = pairs[(pairs < 8_000).all(axis=1)]
    growth = []
    for share in (8, 4, 2, 1):
        part = pairs[(pairs[:, 0] < len(x) // share) & (pairs[:, 1] < len(z) // share)]
        growth.append(measure(x[: len(x) // share], z[: len(z) // share], part, share == 1))
        print(growth[-1], file=sys.stderr)
    report = growth[-1] | {
        "ceiling": _machine.sgemm_rate(),
        "copy_gb_s": _machine.copy_bandwidth(),
        "vectors": "real" if all(files) else "synthetic",
        "machine": _machine.facts(),
        "growth": growth,
    }
    print(json.dumps(report, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
