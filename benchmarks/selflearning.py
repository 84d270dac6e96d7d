"""How much faster is an iteration of VecMap's self-learning, at what P@1?

Ours is compared with a plain NumPy transcription of the published procedure (Artetxe et al. 2018b)
below and, with `--script PATH`, with the authors' program. All get the same vectors: a planted
rotation of clustered words with noise, and a small seed dictionary. Ours and the transcription take
turns, so that a busy machine is as busy for both.

    python benchmarks/selflearning.py            20,000 words a side, 300 dimensions
    python benchmarks/selflearning.py --quick    5,000 words, under two minutes

`ceiling` is the time that the matrix product of one pass alone would take at the rate measured
here, which no exact method can be below. `equal` says whether, from the same rotation and without
dropout, ours and the transcription find the same dictionary (but for ties within rounding).
Seconds are medians; ours leaves out the first iteration, which is `first_iteration`. `growth` is
measured after the rest, so its memory is the peak of that.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import _machine
import numpy as np

from jointalign.alignment._induction import Direction
from jointalign.alignment._matches import matched_pairs
from jointalign.alignment._normalised import Normalisation, normalised
from jointalign.alignment._orthogonal import cross_product
from jointalign.alignment.vecmap import VecMap
from jointalign.numerics.normalize import unit
from jointalign.retrieval.api import neighbours

LOOP = VecMap.semi_supervised().loop
NEIGHBOURHOOD, SHARE = LOOP.csls_neighbourhood, LOOP.stochastic_initial


def problem(words, dimensions, seed_pairs, seed):
    """Two sides, unit rows, and which source word is which target word."""
    rng = np.random.default_rng(seed)
    weights = np.linspace(2, 0.3, dimensions)
    centres = rng.standard_normal((words // 20, dimensions)) * weights
    x = centres[rng.integers(len(centres), size=words)]
    x += 0.8 * weights * rng.standard_normal(x.shape)
    turn = np.linalg.qr(rng.standard_normal((dimensions, dimensions)))[0]
    z = x @ turn + 3 * weights.mean() * rng.standard_normal(x.shape)
    # Rows a little out of order, as frequencies are in two languages.
    order = np.argsort(np.arange(words) + rng.normal(0, words / 20, words), kind="stable")
    gold = np.empty(words, np.int64)
    gold[order] = np.arange(words)
    pairs = np.stack([np.arange(seed_pairs), gold[:seed_pairs]], axis=1)
    return unit(x.astype(np.float32)), unit(z[order].astype(np.float32)), pairs, gold


# --- The published procedure, plainly ---


def plain_rotation(x, z, pairs):
    u, _, vt = np.linalg.svd(x[pairs[:, 0]].T @ z[pairs[:, 1]])
    return u @ vt


def plain_top_mean(similarities, k):
    """Mean of the k highest of each row, one highest after the other; spoils its argument."""
    rows, lowest = np.arange(len(similarities)), similarities.min()
    total = np.zeros(len(similarities), similarities.dtype)
    for _ in range(k):
        highest = similarities.argmax(axis=1)
        total += similarities[rows, highest]
        similarities[rows, highest] = lowest
    return total / k


def plain_search(queries, candidates, share, rng, batch=10_000):
    """Best candidate of each query under CSLS and dropout, and the highest product: two passes."""
    density = [
        plain_top_mean(candidates[start : start + batch] @ queries.T, NEIGHBOURHOOD)
        for start in range(0, len(candidates), batch)
    ]
    toll = np.concatenate(density) / 2
    best, highest = [], []
    for start in range(0, len(queries), batch):
        similarities = queries[start : start + batch] @ candidates.T
        highest.append(similarities.max(axis=1))
        similarities -= toll
        if share < 1:
            similarities = similarities * (rng.random(similarities.shape) < share)
        best.append(similarities.argmax(axis=1))
    return np.concatenate(best), np.concatenate(highest)


def plain_iteration(x, z, pairs, share, rng):
    moved = x @ plain_rotation(x, z, pairs)
    forward, high_forward = plain_search(moved, z, share, rng)
    backward, high_backward = plain_search(z, moved, share, rng)
    there = np.stack([np.arange(len(x)), forward], axis=1)
    back = np.stack([backward, np.arange(len(z))], axis=1)
    return np.concatenate([there, back]), (high_forward.mean() + high_backward.mean()) / 2


# --- Ours ---


class Ours:
    """The loop of `VecMap`, one iteration at a time."""

    def __init__(self, x, z, pairs, share, seed):
        self.x, self.z, self.pairs, self.share = x, z, pairs, share
        self.rng, self.matches = np.random.default_rng(seed), None
        self.products = cross_product(x, z, pairs)

    def iterate(self):
        step = LOOP.step(self.x, self.z, self.products, self.share, self.rng, self.matches)
        self.products, self.matches = step.products, step.matches
        self.pairs = matched_pairs(step.matches, Direction.UNION)


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def product_rate(dimensions, seed=0):
    """Multiplications and additions a second of large blocks, in float32, on all processors."""
    rng = np.random.default_rng(seed)
    rows, columns = 1024, 4096
    left = rng.random((rows, dimensions), np.float32)
    right = rng.random((columns, dimensions), np.float32)
    out = np.empty((rows, columns), np.float32)
    np.matmul(left, right.T, out=out)
    times = [timed(lambda: np.matmul(left, right.T, out=out))[0] for _ in range(20)]
    return 2 * rows * columns * dimensions / median(times)


def precision(x, z, pairs, gold, skipped):
    """P@1 by CSLS of 1,500 words that were not given, after the supervised map of a dictionary."""
    mapping = VecMap.supervised().fit(x, z, pairs)
    moved = [
        normalised(side, Normalisation.UNIT_CENTER_UNIT) @ matrix
        for side, matrix in ((x, mapping.source), (z, mapping.target))
    ]
    asked = slice(skipped, skipped + 1500)
    found = neighbours(moved[0][asked], moved[1], 1, sources=moved[0]).rows[:, 0]
    return float((found == gold[asked]).mean())


def same_dictionary(x, z, pairs):
    """Whether a step without dropout finds the published dictionary; 1 in 10,000 may be ties."""
    expected, _ = plain_iteration(x, z, pairs, 1.0, None)
    ours = Ours(x, z, pairs, 1.0, 0)
    ours.iterate()
    first = (ours.pairs == expected).all(axis=1).mean()
    ours.products = cross_product(x, z, pairs)
    ours.iterate()  # now with a past, which is another way through the code
    return bool(min(first, (ours.pairs == expected).all(axis=1).mean()) >= 0.9999)


def script_seconds(path, x, z, pairs, iterations):
    """Median seconds of an iteration as the authors' program prints them; it is stopped then."""
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{name}" for name in ("source", "target", "mapped1", "mapped2")]
        for file, side in zip(files[:2], (x, z), strict=True):
            lines = (f"w{i} " + " ".join(f"{v:.6g}" for v in row) for i, row in enumerate(side))
            text = "\n".join([f"{len(side)} {side.shape[1]}", *lines, ""])
            Path(file).write_text(text, "utf-8")
        seed = Path(f"{folder}/pairs")
        seed.write_text("".join(f"w{i} w{j}\n" for i, j in pairs), "utf-8")
        command = [sys.executable, "-W", "ignore", str(path), "--semi_supervised", str(seed), "-v"]
        child = subprocess.Popen([*command, *files], stderr=subprocess.PIPE, text=True)
        times = []
        try:
            for line in child.stderr:
                found = re.match(r"ITERATION \d+ \((.*)s\)", line)
                times += [float(found[1])] if found else []
                if len(times) == iterations:
                    break
        finally:
            child.kill()
            child.wait()
    if not times:
        raise SystemExit(f"{path} printed no iteration; run it by hand to see why")
    return median(times)


def growing(options):
    """Seconds of an iteration of ours at an eighth, a quarter and half of the words."""
    steps = []
    for share in (8, 4, 2):
        words = (5000 if options.quick else options.words) // share
        x, z, pairs, _ = problem(words, options.dimensions, min(options.pairs, words), options.seed)
        rows = [normalised(side, Normalisation.UNIT_CENTER_UNIT) for side in (x, z)]
        ours = Ours(*rows, pairs, SHARE, options.seed)
        ours.iterate()  # the first has no past
        times = [timed(ours.iterate)[0] for _ in range(3)]
        memory = round(_machine.peak_memory_mb())
        steps.append({"words": words, "ours": round(median(times), 3), "peak_memory_mb": memory})
    return steps


def measure(options):
    words, iterations = (5000, 4) if options.quick else (options.words, options.iterations)
    x, z, pairs, gold = problem(words, options.dimensions, options.pairs, options.seed)
    x_rows, z_rows = (normalised(side, Normalisation.UNIT_CENTER_UNIT) for side in (x, z))
    start = np.random.default_rng(options.seed).permutation(pairs)
    Ours(x_rows[:64], z_rows[:64], start[:1] * 0, SHARE, 0).iterate()  # compile
    ours = Ours(x_rows, z_rows, start, SHARE, options.seed)
    first = timed(ours.iterate)[0]
    memory = _machine.peak_memory_mb()
    rng, plain = np.random.default_rng(options.seed), start
    seconds = {"ours": [], "reference": [], "ceiling": []}
    for number in range(iterations):
        if number:  # the first has no past and is measured alone
            seconds["ours"].append(timed(ours.iterate)[0])
        took, (plain, _) = timed(lambda plain=plain: plain_iteration(x_rows, z_rows, plain, SHARE, rng))
        seconds["reference"].append(took)
        operations = 2 * len(x) * len(z) * options.dimensions
        seconds["ceiling"].append(operations / product_rate(options.dimensions))
    result = {name: round(median(times), 3) for name, times in seconds.items()}
    result |= {
        "ratio": round(median(seconds["reference"]) / median(seconds["ours"]), 2),
        "peak_memory_mb": round(memory),
        "equal": same_dictionary(x_rows, z_rows, ours.pairs),
        "first_iteration": round(first, 3),
        "precision_ours": precision(x, z, ours.pairs, gold, options.pairs),
        "precision_reference": precision(x, z, plain, gold, options.pairs),
        "gflops": round(operations / median(seconds["ceiling"]) / 1e9, 1),
    }
    if options.script:
        result["script"] = script_seconds(options.script, x, z, pairs, iterations)
        result["ratio_script"] = round(result["script"] / median(seconds["ours"]), 2)
    return result | {
        "words": words,
        "dimensions": options.dimensions,
        "pairs": options.pairs,
        "iterations": iterations,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=20_000, help="words a side")
    parser.add_argument("--dimensions", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=500, help="size of the seed dictionary")
    parser.add_argument("--iterations", type=int, default=6)
    parser.add_argument("--script", type=Path, help="map_embeddings.py of the authors")
    _machine.add_options(parser, "5,000 words")
    options = parser.parse_args()
    _machine.report(measure(options) | {"growth": growing(options)}, options)


if __name__ == "__main__":
    main()
