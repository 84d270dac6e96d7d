"""How long does an exact CSLS evaluation of 1,500 queries take, and a dictionary of all words?

    python benchmarks/retrieval.py --source-vectors en.vec --target-vectors es.vec --test test.txt

Vectors must be in one space already. Without files, clustered random ones, which prune unlike real
ones. At each of four sizes, each twice the one before:

- `ours`: the ten best of each query (`neighbours`), and `evaluation`, its places as `bli` asks for
  them.
- `reference`: the same by products of everything in NumPy, in blocks, as MUSE does it: the mean
  similarity of every word of both languages, then the scores of the queries. Of the largest size,
  an evenly spaced eighth of the blocks is timed and counted eight times, unless `--whole-reference`
  is given.
- `whole`: our own product of everything with its top-k, both directions at once, and
  `matrix_rate`, the share of the machine's rate of matrix products that it reaches.
- `dictionary`: the two best of every word of either side, with all that it takes.

`equal` compares every row and every score, to the last bit, with what `whole` leads to, and where
NumPy's reference is whole its scores, too (which are wrong by the rounding of float32). `ceiling`
is the seconds that one matrix product of the two vocabularies takes at the measured rate.
"""

import argparse
import sys
from pathlib import Path

import _machine
import numpy as np
from _machine import rounded, timed

import jointalign as ja
from jointalign.numerics.normalize import unit
from jointalign.retrieval.api import both_neighbours, both_similarities, neighbours, ranks

K, NEIGHBOURHOOD, BLOCK, PART = 10, 10, 1024, 8


def synthetic(size, dimensions, seed):
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


def means_of_nearest(x, z, part):
    """MUSE's average distance, in NumPy; one block of scores at a time, of each `part` only one."""
    k = min(NEIGHBOURHOOD, len(z))
    found = np.zeros(len(x), np.float32)
    for start in range(0, len(x), BLOCK * part):
        scores = x[start : start + BLOCK] @ z.T
        found[start : start + BLOCK] = np.partition(scores, -k, axis=1)[:, -k:].mean(axis=1)
    return found


def scores_of(x, z, queries, source_means, target_means):
    rows = np.empty((len(queries), K), np.int64)
    best = np.empty((len(queries), K), np.float32)
    for start in range(0, len(queries), 256):
        some = queries[start : start + 256]
        scores = 2 * x[some] @ z.T - source_means[some][:, None] - target_means
        order = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        rows[start : start + 256] = order
        best[start : start + 256] = np.take_along_axis(scores, order, axis=1)
    return rows, best


def reference(x, z, queries, part):
    """Best rows and scores if `part` is 1; seconds and processor seconds of the whole."""
    x, z = unit(x), unit(z)
    means, wall, processor = timed(lambda: (means_of_nearest(x, z, part), means_of_nearest(z, x, part)))
    found, *rest = timed(lambda: scores_of(x, z, queries, *means))
    return found, part * wall + rest[0], part * processor + rest[1]


def measure(x, z, pairs, part):
    queries = np.unique(pairs[:, 0])
    found, ours, ours_cpu = timed(lambda: neighbours(x[queries], z, K, sources=x))
    places, evaluation, evaluation_cpu = timed(lambda: ranks(x, z, pairs, depth=K))
    peak = _machine.peak_memory_mb()  # before the whole and the reference take more
    hubs, whole, whole_cpu = timed(lambda: both_similarities(x, z))
    _, everything, everything_cpu = timed(lambda: both_neighbours(x, z, 2))
    rate = _machine.sgemm_rate()
    product = 2e-9 * len(x) * len(z) * x.shape[1] / rate
    exact = neighbours(x[queries], z, K, hubs=hubs[1], density=hubs[0][queries])
    equal = np.array_equal(found.rows, exact.rows) and np.array_equal(found.scores, exact.scores)
    equal &= np.array_equal(places, ranks(x, z, pairs, hubs=hubs[1], depth=K))
    (_, scores), seconds, seconds_cpu = reference(x, z, queries, part)
    if part == 1:
        equal &= bool((np.abs(found.scores - scores) < 2e-6).all())
    return rounded(
        {
            "words": [len(x), len(z)],
            "queries": len(queries),
            "ours": ours,
            "reference": seconds,
            "ratio": seconds / ours,
            "ceiling": product,
            "peak_memory_mb": peak,
            "equal": bool(equal),
            "ours_cpu": ours_cpu,
            "reference_cpu": seconds_cpu,
            "ratio_cpu": seconds_cpu / ours_cpu,
            "evaluation": evaluation,
            "evaluation_cpu": evaluation_cpu,
            "whole": whole,
            "whole_cpu": whole_cpu,
            "ratio_whole": whole / ours,
            "ratio_whole_cpu": whole_cpu / ours_cpu,
            "matrix_rate": product / whole,
            "dictionary": everything,
            "dictionary_cpu": everything_cpu,
            "reference_part": 1 / part,
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source-vectors", type=Path)
    parser.add_argument("--target-vectors", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--size", type=int, default=40_000, help="words of random vectors")
    parser.add_argument("--dimensions", type=int, default=300)
    parser.add_argument("--whole-reference", action="store_true", help="time all of its blocks")
    _machine.add_options(parser, "the first 16,000 words")
    arguments = parser.parse_args()
    files = arguments.source_vectors, arguments.target_vectors, arguments.test
    if any(files) and not all(files):
        parser.error("--source-vectors, --target-vectors and --test go together")
    size = min(arguments.size, 16_000) if arguments.quick else arguments.size
    x, z, pairs = real(arguments) if all(files) else synthetic(size, arguments.dimensions, arguments.seed)
    if arguments.quick:
        x, z = x[:16_000], z[:16_000]
        pairs = pairs[(pairs < 16_000).all(axis=1)]
    x, z = (np.ascontiguousarray(side, np.float32) for side in (x, z))
    # Compiled before the clock starts.
    neighbours(x[:20], z[:5000], 3, sources=x[:5000])
    both_similarities(x[:20], z[:40])
    both_neighbours(x[:50], z[:90], 2)
    growth = []
    for share in (8, 4, 2, 1):
        part = pairs[(pairs[:, 0] < len(x) // share) & (pairs[:, 1] < len(z) // share)]
        few = PART if share == 1 and not (arguments.quick or arguments.whole_reference) else 1
        growth.append(measure(x[: len(x) // share], z[: len(z) // share], part, few))
        print(growth[-1], file=sys.stderr)
    machine = {"sgemm_gflops": _machine.sgemm_rate(), "copy_gb_s": _machine.copy_bandwidth()}
    source = "real" if all(files) else "synthetic"
    equal = all(step["equal"] for step in growth)
    result = growth[-1] | {"equal": equal, "vectors": source} | rounded(machine)
    _machine.report(result | {"growth": growth}, arguments)


if __name__ == "__main__":
    main()
