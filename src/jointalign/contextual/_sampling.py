"""Pairs that are kept from a stream: some to learn from, some to test on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jointalign.contextual._mapping import LayerMappings, Side
from jointalign.errors import JointalignError
from jointalign.retrieval import Retrieval, neighbours


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


class Sample:
    """So many pairs, each pair of the text as likely as any other (reservoir sampling)."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, x: np.ndarray, z: np.ndarray) -> None:
        if not self._size:
            return
        for k in range(x.shape[1]):
            self._seen += 1
            place = int(self._random.integers(self._seen))
            pair = x[:, k].copy(), z[:, k].copy()
            if len(self._kept) < self._size:
                self._kept.append(pair)
            elif place < self._size:
                self._kept[place] = pair

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Both `(layers, k, d)`.

        Raises:
            JointalignError: If no pair was seen.
        """
        if not self._kept:
            raise JointalignError("no aligned words were seen, so there is nothing to learn from")
        return np.stack([x for x, _ in self._kept], 1), np.stack([z for _, z in self._kept], 1)


class HeldOut:
    """Pairs of words to test on, no word type twice on either side."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._types: tuple[set[str], set[str]] = set(), set()
        self._x: list[np.ndarray] = []
        self._z: list[np.ndarray] = []

    @property
    def full(self) -> bool:
        return len(self._x) >= self._most

    def add(
        self,
        links: np.ndarray,
        source: Sequence[str],
        target: Sequence[str],
        x: np.ndarray,
        z: np.ndarray,
    ) -> None:
        for i, j in links.tolist():
            one, other = str(source[i]).lower(), str(target[j]).lower()
            is_new = one not in self._types[0] and other not in self._types[1]
            if is_new and not self.full and any(letter.isalpha() for letter in one):
                self._types[0].add(one)
                self._types[1].add(other)
                self._x.append(x[:, i].copy())
                self._z.append(z[:, j].copy())

    def scores(self, mappings: LayerMappings, layers: Sequence[int]) -> tuple[LayerScore, ...]:
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
    best = neighbours(x, z, 1, retrieval=retrieval).rows[:, 0]
    return round(100 * float(np.mean(best == np.arange(len(x)))), 2)
