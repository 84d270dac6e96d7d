"""How many decisions does a dictionary take, by what is asked first?

A reviewer who knows a dictionary, the training pairs that the ranker was not given, is asked a word at a
time: the first candidate is accepted or rejected, and where it is wrong the right one is picked if it is
among the five. Ranking is learnt again after each hundred decisions. Orders: by frequency, and by what
teaches most (`jointalign.review.entries.teaching`). Spaces are those of `studies/ranking.py`, which are
trained if they are not there.

    python studies/review.py --data DATA --pair en-es --out runs/ranking --tokens 1000000 --pairs 100 500
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import jointalign as ja
from jointalign.numerics.clusters import Clusters
from jointalign.numerics.normalize import unit
from jointalign.numerics.processors import limited_to
from jointalign.review.entries import teaching
from ranking import encoded, trained

HUNDRED = 100


class Reviewer:
    """Answers from a dictionary; asks nothing of words that it lacks."""

    def __init__(self, known: ja.Lexicon) -> None:
        self.known = known.grouped()
        self.accepted: list[tuple[str, str]] = []
        self.asked: set[str] = set()
        self.right = 0

    def decide(self, word: str, candidates: list[str]) -> None:
        """Of the first five candidates, take the first that is right; otherwise none."""
        self.asked.add(word)
        right = [one for one in candidates[:5] if one in self.known[word]]
        self.right += bool(right) and right[0] == candidates[0]
        self.accepted += [(word, one) for one in right[:1]]


def order(
    name: str, words: list[str], chances: np.ndarray, counts: dict[str, int], groups: dict[str, int]
) -> list[str]:
    """Words in the order in which they are asked."""
    if name == "frequency":
        return sorted(words, key=lambda word: -counts[word])
    worth = teaching(
        chances, np.array([counts[word] for word in words]), np.array([groups[word] for word in words])
    )
    return [words[at] for at in np.argsort(-worth, kind="stable").tolist()]


def reviewed(
    options: argparse.Namespace,
    spaces: list[ja.BilingualEmbedding],
    training: ja.Lexicon,
    test: ja.Lexicon,
    pairs: int,
    name: str,
) -> None:
    kept = np.random.default_rng(options.seed).permutation(len(training.sources))[:pairs]
    given = {training.sources[place] for place in kept.tolist()}
    lexicon = ja.Lexicon(tuple(pair for pair in training if pair[0] in given))
    reviewer = Reviewer(ja.Lexicon(tuple(pair for pair in training if pair[0] not in given)))
    source = spaces[0].source
    counts = dict(zip(source.words, source.vocabulary.counts.tolist(), strict=True))
    groups = {
        source.words[row]: number
        for number, rows in enumerate(Clusters.of(unit(np.asarray(source.vectors))).members())
        for row in rows.tolist()
    }
    for step in range(options.hundreds + 1):
        both = ja.Lexicon((*lexicon.pairs, *reviewer.accepted))
        fitted = ja.Ranker().fit(spaces, both, seed=options.seed)
        result = fitted.evaluate(test)["muse", "kept"]
        facts = {"pair": options.pair, "tokens": options.tokens, "pairs": pairs, "order": name}
        facts |= {
            "decisions": step * HUNDRED,
            "accepted": len(reviewer.accepted),
            "first_right": reviewer.right,
        }
        print(json.dumps(facts | {"p_at_1": round(result.p_at_1, 1), "n": result.n}), flush=True)
        words = [word for word in reviewer.known if word not in reviewer.asked and word in counts]
        found = dict(zip(words, fitted.rank(words), strict=True))
        chances = np.array([found[word][0].probability if found[word] else np.nan for word in words])
        for word in order(name, words, chances, counts, groups)[:HUNDRED]:
            reviewer.decide(word, [one.target for one in found[word]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pair", choices=("en-es", "en-de", "en-fr"), default="en-es")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--pairs", type=int, nargs="+", default=[100, 500], help="source words given at first"
    )
    parser.add_argument("--hundreds", type=int, default=3, help="of decisions")
    options = parser.parse_args()
    languages = options.pair.split("-")
    lexicons = [options.data / "lexicons" / f"{options.pair}.{part}.txt" for part in ("0-5000", "5000-6500")]
    training, test = map(ja.Lexicon.read, lexicons)
    with limited_to(1):
        joint = trained(options, *languages)
        counts = [encoded(options, language).counts for language in languages]
        apart = [trained(options, language) for language in languages]
        spaces = [ja.reallocate(joint, *counts, gamma=0.9), ja.BilingualEmbedding.separate(*apart)]
        for pairs in options.pairs:
            for name in ("frequency", "teaching"):
                reviewed(options, spaces, training, test, pairs, name)


if __name__ == "__main__":
    main()
