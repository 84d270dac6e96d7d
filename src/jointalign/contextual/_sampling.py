"""Pairs that are kept from a stream: some to learn from, some to test on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jointalign.contextual._mapping import LayerMappings, Side
from jointalign.errors import JointalignError
from jointalign.retrieval.api import Retrieval, neighbours


@dataclass(frozen=True)
class LayerScore:
    """Share of held-out words whose translation is the nearest, in percent, out of `pairs`.

    Args:
        layer: Counted from 0.
        before: With vectors as they come, by CSLS.
        after: With mapped ones.
        nearest_before: By cosine alone.
        nearest_after: By cosine alone.
        pairs: Number of pairs.
    """

    layer: int
    before: float
    after: float
    nearest_before: float
    nearest_after: float
    pairs: int


class PairWeights:
    """What a pair of words weighs: the less, the more frequent they are.

    A few function words make up half of all aligned words, and would decide a sum alone. Each side
    weighs `a / (a + p)` with `p` the word's share of its text (smooth inverse frequency; Arora,
    Liang and Ma 2017), a pair the geometric mean of both.

    Args:
        sources: Words of all source sentences, in any case.
        targets: Words of all target sentences.
        smoothing: `a`; `None`: every pair weighs one.

    Example:
        >>> weights = PairWeights([["the", "The", "sea"]], [["el", "mar", "mar"]], 1 / 3)
        >>> weights(["the", "sea"], ["el", "mar"], np.array([[0, 0], [1, 1]])).round(3).tolist()
        [0.408, 0.408]
    """

    def __init__(
        self, sources: Iterable[Sequence[str]], targets: Iterable[Sequence[str]], smoothing: float | None
    ) -> None:
        if smoothing is not None and smoothing <= 0:
            raise JointalignError(f"smoothing must be above 0, got {smoothing}")
        self._sides = None
        if smoothing is not None:
            self._sides = tuple(_smoothed(words, smoothing) for words in (sources, targets))

    def __call__(self, source: Sequence[str], target: Sequence[str], links: np.ndarray) -> np.ndarray:
        """Weights of some links of a sentence pair, `(k,)`."""
        if self._sides is None:
            return np.ones(len(links))
        ours, theirs = self._sides
        return np.array(
            [
                (ours[str(source[i]).lower()] * theirs[str(target[j]).lower()]) ** 0.5
                for i, j in links.tolist()
            ]
        )


def _smoothed(sentences: Iterable[Sequence[str]], smoothing: float) -> dict[str, float]:
    counts = Counter(word.lower() for words in sentences for word in words)
    total = counts.total()
    return {word: smoothing / (smoothing + count / total) for word, count in counts.items()}


class Sample:
    """So many pairs, each as likely as its weight (reservoir of Efraimidis and Spirakis 2006)."""

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._seed, self._seen = size, seed, 0
        self._kept: dict[str, np.ndarray] = {}

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """All that is kept, by name."""
        return {**self._kept, "seen": np.array([self._seen])} if self._kept else {}

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Go on from what was kept."""
        self._kept = {name: np.array(array) for name, array in tensors.items()}
        self._seen = int(self._kept.pop("seen", np.zeros(1))[0])

    def add(self, x: np.ndarray, z: np.ndarray, weights: np.ndarray) -> None:
        """Take some pairs: vectors `(layers, k, d)` of both sides, and weights `(k,)`."""
        if not self._size:
            return
        # Drawn by the place in the text: going on after a stop draws the same.
        draws = np.random.default_rng([self._seed, self._seen]).random(len(weights))
        self._seen += len(weights)
        new = {"keys": np.log(draws) / weights, "x": x.swapaxes(0, 1), "z": z.swapaxes(0, 1)}
        if self._kept:
            new = {name: np.concatenate([self._kept[name], new[name]]) for name in new}
        best = np.sort(np.argsort(-new["keys"], kind="stable")[: self._size])
        self._kept = {name: array[best] for name, array in new.items()}

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Both `(layers, k, d)`.

        Raises:
            JointalignError: If no pair was seen.
        """
        if not self._kept:
            raise JointalignError("no aligned words were seen, so there is nothing to learn from")
        return self._kept["x"].swapaxes(0, 1), self._kept["z"].swapaxes(0, 1)


class HeldOut:
    """Pairs of words to test on, no word type twice on either side."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._types: tuple[set[str], set[str]] = set(), set()
        self._x: list[np.ndarray] = []
        self._z: list[np.ndarray] = []

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return len(self._x) >= self._most

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """All vectors, by name."""
        return {"x": np.stack(self._x), "z": np.stack(self._z)} if self._x else {}

    @property
    def words(self) -> tuple[list[str], list[str]]:
        """The words of both sides."""
        return sorted(self._types[0]), sorted(self._types[1])

    def restore(self, tensors: Mapping[str, np.ndarray], words: Sequence[Sequence[str]]) -> None:
        """Go on from what was kept."""
        self._x, self._z = (list(np.array(tensors.get(name, ()))) for name in "xz")
        self._types = set(words[0]), set(words[1])

    def add(
        self, links: np.ndarray, source: Sequence[str], target: Sequence[str], x: np.ndarray, z: np.ndarray
    ) -> None:
        """Take the pairs of a sentence that are new; `x` and `z` are `(layers, words, d)`."""
        for i, j in links.tolist():
            one, other = str(source[i]).lower(), str(target[j]).lower()
            is_new = one not in self._types[0] and other not in self._types[1]
            if is_new and not self.full and any(letter.isalpha() for letter in one):
                self._types[0].add(one)
                self._types[1].add(other)
                self._x.append(x[:, i].copy())
                self._z.append(z[:, j].copy())

    def scores(self, mappings: LayerMappings, layers: Sequence[int]) -> tuple[LayerScore, ...]:
        """One a layer; none without a pair."""
        if not self._x:
            return ()
        x, z = np.stack(self._x, 1), np.stack(self._z, 1)
        moved = mappings.moved(x, layers, Side.SOURCE), mappings.moved(z, layers, Side.TARGET)
        found = []
        for place, layer in enumerate(layers):
            given = (x[place], z[place]), (moved[0][place], moved[1][place])
            csls = [_precision(*pair, Retrieval.CSLS) for pair in given]
            nearest = [_precision(*pair, Retrieval.NEAREST) for pair in given]
            found.append(LayerScore(layer, csls[0], csls[1], nearest[0], nearest[1], len(self._x)))
        return tuple(found)


def _precision(x: np.ndarray, z: np.ndarray, retrieval: Retrieval) -> float:
    best = neighbours(x, z, 1, score=retrieval).rows[:, 0]
    return round(100 * float(np.mean(best == np.arange(len(x)))), 2)
