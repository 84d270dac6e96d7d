"""How much faster is a fit of RCSLS than the published way, at what P@1 and in how much memory?

The reference below is written plainly after Joulin et al. (2018): float64, every pair searched for
although words repeat, the scores of a pair against the whole vocabulary held in memory and
partitioned. The published script holds those of all pairs at once (17 GB and as much again for
their order, for the 10,900 pairs of English and French); here they come in parts of 1,000 pairs,
the same arithmetic, so that it runs at all. Both start from the same map, take the same steps, and
go back when the loss rises.

    python benchmarks/rcsls.py --quick
    python benchmarks/rcsls.py --reference-steps 0       # random vectors, 200,000 a side
    python benchmarks/rcsls.py --source-vectors en.vec --target-vectors es.vec \
        --lexicon train.txt --test test.txt --json

`ours` and `reference` are seconds of all evaluations of the loss that `--steps` take. With
`--reference-steps` fewer, the reference takes those, and its seconds an evaluation are multiplied.
`ceiling` is the seconds that the matrix products of our searches take on their own, and `ratio_cpu`
the ratio in processor time, for a busy machine. `peak_memory_mb` is that of the process after our
fit and before the reference. `equal` says that the losses of all steps agree to 1e-4 and the maps
after the last common step to 1e-3 of their size. `growth` is our fit of one step with half, a
quarter and an eighth of the words.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace

import _machine
import numpy as np
from _machine import rounded, timed

import jointalign as ja
from jointalign.alignment.api import training_arrays, usable_pairs
from jointalign.retrieval.api import neighbours

PART = 1000


@dataclass(frozen=True)
class Problem:
    """Unit rows of both sides, pairs to learn from, and pairs to test on."""

    x: np.ndarray
    z: np.ndarray
    pairs: np.ndarray
    test: np.ndarray


def random_problem(words, dimensions, sources, seed):
    """Two noisy views of one space of topics; the first words have one to four translations.

    As many pairs for each source word as in MUSE's English-Spanish dictionary (2.4), most of them
    near the first translation.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((500, dimensions), dtype=np.float32)
    turn = np.linalg.qr(rng.standard_normal((dimensions, dimensions)))[0].astype(np.float32)
    meaning = rng.standard_normal((words, dimensions), dtype=np.float32)
    meaning += centres[rng.integers(0, len(centres), words)]
    sides = []
    for matrix in (np.eye(dimensions, dtype=np.float32), turn):
        side = meaning @ matrix
        side += 2.0 * rng.standard_normal(side.shape, dtype=np.float32)
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        sides.append(side)
    x, z = sides
    first = np.arange(sources)
    near = neighbours(z[first], z, 4, score="nn").rows
    more = [np.stack([first, near[:, place]], axis=1) for place in (1, 2, 3)]
    kept = [pairs[rng.random(sources) < 0.47] for pairs in more]
    pairs = np.concatenate([np.stack([first] * 2, axis=1), *kept])
    held_out = np.arange(sources, min(words, sources + 1500))
    return Problem(x, z, pairs, np.stack([held_out] * 2, axis=1))


def given_problem(arguments):
    sides = [ja.read(path) for path in (arguments.source_vectors, arguments.target_vectors)]
    space = ja.BilingualEmbedding.separate(*sides)
    x, z, pairs = training_arrays(space, ja.Lexicon.read(arguments.lexicon))
    return Problem(x, z, pairs, usable_pairs(space, ja.Lexicon.read(arguments.test)))


def nearest(queries, candidates, vectors, k):
    """Sum of the vectors of each query's k nearest candidates, and the sum of all their scores."""
    total, score = np.empty_like(queries), 0.0
    for start in range(0, len(queries), PART):
        scores = queries[start : start + PART] @ candidates.T
        places = np.argpartition(scores, -k, axis=1)[:, -k:]
        score += np.take_along_axis(scores, places, axis=1).sum()
        total[start : start + PART] = vectors[places].sum(axis=1)
    return total, score


def loss_and_gradient(w, x, z, pairs, negatives, k):
    left, right = x[pairs[:, 0]], z[pairs[:, 1]]
    near_targets, target_score = nearest(left @ w, z[:negatives], z, k)
    near_sources, source_score = nearest(right, x[:negatives] @ w, x, k)
    loss = (-2 * ((left @ w) * right).sum() + (target_score + source_score) / k) / len(pairs)
    gradient = -2 * left.T @ right + (left.T @ near_targets + near_sources.T @ right) / k
    return loss, gradient / len(pairs)


def reference(problem, method):
    """Map and losses after each step."""
    x, z = problem.x.astype(np.float64), problem.z.astype(np.float64)
    left, right = x[problem.pairs[:, 0]], z[problem.pairs[:, 1]]
    u, _, vt = np.linalg.svd(left.T @ right)
    w, rate = u @ vt, method.learning_rate
    settings = (x, z, problem.pairs, method.maximum_negatives, method.neighbourhood)
    loss, gradient = loss_and_gradient(w, *settings)
    losses = [loss]
    for _ in range(method.steps):
        moved = w - rate * gradient
        moved_loss, moved_gradient = loss_and_gradient(moved, *settings)
        if moved_loss <= loss:
            w, loss, gradient = moved, moved_loss, moved_gradient
        else:
            rate /= 2
        losses.append(loss)
    return w.astype(np.float32), losses


def products_alone(problem, method, evaluations):
    """Seconds that the matrix products of as many evaluations of our loss take."""
    began = time.perf_counter()
    for _ in range(evaluations):
        for column, queries, candidates in ((0, problem.x, problem.z), (1, problem.z, problem.x)):
            rows = queries[np.unique(problem.pairs[:, column])]
            for start in range(0, len(rows), 2048):
                for first in range(0, min(len(candidates), method.maximum_negatives), 4096):
                    rows[start : start + 2048] @ candidates[first : first + 4096].T
    return time.perf_counter() - began


def precision(problem, w):
    """P@1 in percent of the distinct source words of the test, by CSLS over all words."""
    asked = np.unique(problem.test[:, 0])
    moved = problem.x @ w
    best = neighbours(moved[asked], problem.z, 1, sources=moved).rows[:, 0]
    gold = set(map(tuple, problem.test.tolist()))
    return 100 * float(np.mean([pair in gold for pair in zip(asked, best, strict=True)]))


def cut(problem, share):
    """The most frequent words, and the pairs among them."""
    sizes = len(problem.x) // share, len(problem.z) // share
    pairs, test = (
        pairs[(pairs[:, 0] < sizes[0]) & (pairs[:, 1] < sizes[1])] for pairs in (problem.pairs, problem.test)
    )
    return Problem(problem.x[: sizes[0]], problem.z[: sizes[1]], pairs, test)


def growing(problem, method):
    steps = []
    for share in (8, 4, 2):
        part = cut(problem, share)
        one = replace(method, steps=1)
        _, ours, ours_cpu = timed(lambda part=part, one=one: one.fit(part.x, part.z, part.pairs))
        facts = {"words": [len(part.x), len(part.z)], "pairs": len(part.pairs)}
        memory = {"peak_memory_mb": _machine.peak_memory_mb()}
        steps.append(rounded(facts | {"ours": ours, "ours_cpu": ours_cpu} | memory))
    return steps


def measure(problem, method, reference_steps):
    # Compiled before the clock starts.
    ja.RCSLS(steps=0).fit(problem.x[:500], problem.z[:500], np.array([[0, 0]]))
    growth = growing(problem, method)
    fitted, ours, ours_cpu = timed(lambda: list(method.trajectory(problem.x, problem.z, problem.pairs)))
    peak = _machine.peak_memory_mb()
    ceiling = products_alone(problem, method, method.steps + 1)
    less = replace(method, steps=min(method.steps, reference_steps))
    (matrix, losses), seconds, cpu = timed(lambda: reference(problem, less))
    times = (method.steps + 1) / (less.steps + 1)
    apart = np.linalg.norm(fitted[less.steps].matrix - matrix) / np.linalg.norm(matrix)
    agree = np.allclose([step.loss for step in fitted[: less.steps + 1]], losses, atol=1e-4)
    return rounded(
        {
            "ours": ours,
            "reference": times * seconds,
            "ratio": times * seconds / ours,
            "ceiling": ceiling,
            "peak_memory_mb": peak,
            "equal": bool(apart < 1e-3 and agree),
            "ours_cpu": ours_cpu,
            "reference_cpu": times * cpu,
            "ratio_cpu": times * cpu / ours_cpu,
            "matrices_apart": float(f"{apart:.2g}"),
            "reference_steps": less.steps,
            "precision": precision(problem, fitted[less.steps].matrix),
            "precision_reference": precision(problem, matrix),
            "words": [len(problem.x), len(problem.z)],
            "pairs": len(problem.pairs),
            "distinct": [len(np.unique(column)) for column in problem.pairs.T],
            "learning_rate": method.learning_rate,
            "steps": method.steps,
            "growth": growth,
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    files = ("--source-vectors", "--target-vectors", "--lexicon", "--test")
    for name in files:
        parser.add_argument(name, help="all four or none; default: random vectors")
    parser.add_argument("--words", type=int, default=200_000, help="random words a side")
    parser.add_argument("--dimensions", type=int, default=300, help="of random words")
    parser.add_argument("--sources", type=int, default=5000, help="random words with translations")
    parser.add_argument("--learning-rate", type=float, default=10.0)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--reference-steps", type=int, help="of the reference; default: as many")
    _machine.add_options(parser, "20,000 random words, 2 steps")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.words, arguments.sources, arguments.steps = 20_000, 2000, 2
    given = [getattr(arguments, name[2:].replace("-", "_")) is not None for name in files]
    if any(given) and not all(given):
        sys.exit(f"pass all of {', '.join(files)}, or none of them")
    problem = (
        given_problem(arguments)
        if all(given)
        else random_problem(arguments.words, arguments.dimensions, arguments.sources, arguments.seed)
    )
    method = ja.RCSLS(learning_rate=arguments.learning_rate, steps=arguments.steps)
    reference_steps = arguments.reference_steps
    steps = method.steps if reference_steps is None else reference_steps
    _machine.report(measure(problem, method, steps), arguments)


if __name__ == "__main__":
    main()
