"""What do learning to rank and ranking a whole vocabulary cost beside CSLS alone?

Random words whose translations are planted: two noisy views of one space of topics, and target words
that are their source words with some letters changed. `reference` is CSLS alone, exactly, of all
source words; `ours` is ranking all of them; both after the same mapping. `fit` is learning to rank,
which maps and searches anew in each part of the dictionary; `fit_shipped` takes what was learnt on other
pairs of languages, and does so once, to calibrate it.

    python benchmarks/ranking.py --quick
    python benchmarks/ranking.py --words 24000 --pairs 7000 --json

`ceiling` is the seconds that the matrix products of an exact search take on their own; ranking may be
below it, since a word is compared with a part of the vocabulary. `precision` and `precision_reference`
are P@1 of words that are not in the dictionary. `growth` is the same with half and a quarter of the
words.
"""

import argparse

import _machine
import numpy as np
from _machine import rounded, timed

import jointalign as ja
from jointalign.retrieval.api import both_neighbours

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def problem(words, pairs, dimensions, seed):
    """A space, a dictionary of every other of the frequent words, and pairs of the rest.

    The number that ends each word makes it unlike all others of its side, and tells nothing.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((500, dimensions), dtype=np.float32)
    meaning = (
        rng.standard_normal((words, dimensions), dtype=np.float32) + centres[rng.integers(0, 500, words)]
    )
    lengths = rng.integers(4, 12, words)
    letters = rng.integers(0, 26, (words, 12))
    changed = np.where(rng.random((words, 12)) < 0.3, rng.integers(0, 26, (words, 12)), letters)
    counts = (1e6 / np.arange(1, words + 1)).astype(np.int64) + 5
    sides = []
    for number, some in enumerate((letters, changed)):
        spelt = [
            "".join(LETTERS[row[:n]]) + f"{'ab'[number]}{at:x}"
            for row, n, at in zip(some, lengths, rng.permutation(words), strict=True)
        ]
        vectors = meaning + 1.5 * rng.standard_normal(meaning.shape, dtype=np.float32)
        sides.append(ja.Embedding(ja.Vocabulary(tuple(spelt), counts), vectors))
    both = tuple(zip(*(side.words[: 2 * pairs] for side in sides), strict=True))
    space = ja.BilingualEmbedding.separate(*sides)
    return space, ja.Lexicon(both[::2]), ja.Lexicon(both[1::2])


def products_alone(x, z):
    for start in range(0, len(x), 2048):
        for first in range(0, len(z), 4096):
            x[start : start + 2048] @ z[first : first + 4096].T


def measure(words, pairs, dimensions, seed):
    space, training, test = problem(words, pairs, dimensions, seed)
    fitted, fit, fit_cpu = timed(lambda: ja.Ranker().fit([space], training, seed=seed))
    _, shipped, shipped_cpu = timed(lambda: ja.Ranker(learner="shipped").fit([space], training, seed=seed))
    view = fitted.views.mean
    source, target = fitted.sides
    ranked, ours, ours_cpu = timed(lambda: fitted.rank(source.words, 5))
    (there, _), reference, reference_cpu = timed(lambda: both_neighbours(view.source, view.target, 5))
    _, ceiling, _ = timed(lambda: [products_alone(view.source, view.target) for _ in range(2)])
    rows = test.rows(source.vocabulary, target.vocabulary)
    by_rank = np.mean([ranked[a][0].target == target.words[b] for a, b in rows.tolist()])
    return rounded(
        {
            "words": words,
            "pairs": len(training),
            "ours": ours,
            "reference": reference,
            "ratio": reference / ours,
            "ceiling": ceiling,
            "fit": fit,
            "ours_cpu": ours_cpu,
            "reference_cpu": reference_cpu,
            "ratio_cpu": reference_cpu / ours_cpu,
            "fit_cpu": fit_cpu,
            "fit_shipped": shipped,
            "fit_shipped_cpu": shipped_cpu,
            "peak_memory_mb": _machine.peak_memory_mb(),
            "precision": 100 * float(by_rank),
            "precision_reference": 100 * float(np.mean(there.rows[rows[:, 0], 0] == rows[:, 1])),
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=24_000, help="a side")
    parser.add_argument("--pairs", type=int, default=5000, help="of the training dictionary")
    parser.add_argument("--dimensions", type=int, default=300)
    _machine.add_options(parser, "4,000 words, 1,000 pairs")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.words, arguments.pairs = 4000, 1000
    measure(1000, 200, 50, arguments.seed)  # compiled before the clock starts
    growth = [
        measure(arguments.words // share, arguments.pairs // share, arguments.dimensions, arguments.seed)
        for share in (4, 2)
    ]
    whole = measure(arguments.words, arguments.pairs, arguments.dimensions, arguments.seed)
    _machine.report(whole | {"growth": growth}, arguments)


if __name__ == "__main__":
    main()
