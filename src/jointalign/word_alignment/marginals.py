"""How probable links are, both directions together, and the likeliest sets of links."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jointalign.errors import JointalignError
from jointalign.word_alignment.base import Links, Ways, starts_of


class Marginals(NamedTuple):
    """Links and the probability of each, the mean of what both directions give it.

    Args:
        links: All that have 0.01 or more in a direction.
        chances: Of each, float32 `(l,)`.
    """

    links: Links
    chances: np.ndarray

    @classmethod
    def of(cls, ways: Ways) -> Marginals:
        """Those of two directions.

        Raises:
            JointalignError: If they have none: the diagonal aligner gives each word one link alone.

        Example:
            >>> from jointalign.word_alignment import ParallelText, align_text
            >>> pairs = [("the house", "das haus"), ("the book", "das buch"), ("a book", "ein buch")]
            >>> text = ParallelText.of((a.split(), b.split()) for a, b in pairs * 20)
            >>> found = align_text(text)
            >>> found = Marginals.of((found.forward, found.reverse))
            >>> found.links[0].tolist(), bool((found.chances[:2] > 0.9).all())
            ([[0, 0], [1, 1]], True)
        """
        likely = [way.likely for way in ways if way.likely is not None]
        if len(likely) < 2:
            raise JointalignError("only links that were sampled have probabilities: use BayesianAligner")
        sentences = [np.repeat(np.arange(len(links)), np.diff(links.starts)) for links, _ in likely]
        keys = np.concatenate([links.pairs for links, _ in likely])
        chances, which = np.concatenate([chance for _, chance in likely]) / 2, np.concatenate(sentences)
        order = np.lexsort((keys[:, 1], keys[:, 0], which))
        keys, chances, which = keys[order], chances[order], which[order]
        new = np.ones(len(keys), bool)
        new[1:] = (which[1:] != which[:-1]) | (keys[1:] != keys[:-1]).any(axis=1)
        sums = np.add.reduceat(chances, np.flatnonzero(new)) if len(keys) else chances
        counts = np.bincount(which[new], minlength=len(likely[0][0]))
        return cls(Links(keys[new], starts_of(counts)), np.minimum(sums, np.float32(1)))

    def lines(self) -> Iterator[str]:
        """`0-0:0.9871 1-2:0.5120`, a line for each sentence pair."""
        for k, links in enumerate(self.links):
            chances = self._chances(k)
            yield " ".join(f"{i}-{j}:{p:.4f}" for (i, j), p in zip(links.tolist(), chances, strict=True))

    def n_best(self, sentence: int, count: int) -> list[tuple[np.ndarray, float]]:
        """The likeliest sets of links of a sentence pair, each link in or out by its own probability.

        Args:
            sentence: Its number.
            count: How many sets at most.

        Returns:
            Links `(l, 2)` and the logarithm of their probability, the likeliest first.
        """
        chances = np.array(self._chances(sentence), np.float64).clip(1e-6, 1 - 1e-6)
        likelier = chances >= 0.5
        # A set is the likeliest one with some links turned over, each at a cost of its own.
        costs = np.abs(np.log(chances) - np.log1p(-chances))
        order = np.argsort(costs, kind="stable")
        best = float(np.log(np.maximum(chances, 1 - chances)).sum())
        found = []
        for cost, turned in _cheapest(costs[order].tolist(), count):
            chosen = likelier.copy()
            chosen[order[list(turned)]] ^= True
            found.append((self.links[sentence][chosen], best - cost))
        return found

    def n_best_lines(self, count: int, first: int = 0) -> Iterator[str]:
        """`3 ||| 0-0 1-2 ||| -0.1234`: number of the sentence pair, links, logarithm of the probability.

        Args:
            count: Sets a sentence pair, at most.
            first: Number of the first sentence pair.
        """
        for sentence in range(len(self.links)):
            for links, log in self.n_best(sentence, count):
                shown = " ".join(f"{i}-{j}" for i, j in links.tolist())
                yield f"{first + sentence} ||| {shown} ||| {log:.4f}"

    def _chances(self, sentence: int) -> list[float]:
        return self.chances[self.links.starts[sentence] : self.links.starts[sentence + 1]].tolist()


def _cheapest(costs: Sequence[float], count: int) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Sets of places in order of the sum of their costs, which are sorted; the empty set first."""
    waiting: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for _ in range(count):
        if not waiting:
            return
        cost, places = heapq.heappop(waiting)
        yield cost, places
        last = places[-1] if places else -1
        if last + 1 < len(costs):
            # One more at the end, or the last moved on: each set has one set that it comes from.
            heapq.heappush(waiting, (cost + costs[last + 1], (*places, last + 1)))
            if places:
                moved = math.fsum((cost, costs[last + 1], -costs[last]))
                heapq.heappush(waiting, (moved, (*places[:-1], last + 1)))
