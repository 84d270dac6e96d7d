"""A map for each layer, learnt from words that translate each other in their sentences.

Section 3.2 and appendix A of the paper: eq. (1) with the vectors of aligned words for `X_L1` and
`X_L2`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

import numpy as np

from jointalign.alignment.base import Aligner, Mapping, as_numpy
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import recentred, unit
from jointalign.retrieval.api import Retrieval, neighbours
from jointalign.storage.facts import Number
from jointalign.storage.tensors import Array, Schema, read_tensors, write_tensors

logger = logging.getLogger(__name__)

_KIND = "layer mappings"


class FeatureSide(StrEnum):
    """A language of a pair."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, eq=False)
class LayerMappings:
    """A mapping for each of some layers.

    Args:
        layers: By layer counted from 0, the embedding layer.
        encoder: Name of the encoder that they belong to.
        languages: Codes of source and target; `None` where nobody said.
        identity: What tells it from others, see `encoder_identity`; empty if that is not known.
    """

    layers: MappingType[int, Mapping]
    encoder: str = ""
    languages: tuple[str, str] | None = None
    identity: str = ""

    def side_of(self, language: str) -> FeatureSide:
        """The side that text of a language is on.

        Raises:
            JointalignError: If it is on neither.
        """
        if self.languages is None or language not in self.languages:
            known = (
                "languages that nobody named"
                if self.languages is None
                else " and ".join(f"'{code}'" for code in self.languages)
            )
            raise JointalignError(f"the mapping is between {known}; it has no side for '{language}'")
        return tuple(FeatureSide)[self.languages.index(language)]

    def digest(self) -> str:
        """Tells these maps from all others."""
        total = hashlib.sha256(repr(self.languages).encode())
        for layer, mapping in sorted(self.layers.items()):
            parts = mapping.source, mapping.target, *mapping.source_means, *mapping.target_means
            total.update(f"{layer} {len(mapping.source_means)} {len(parts)}".encode())
            for part in parts:
                total.update(as_numpy(part).astype(np.float32).tobytes())
        return total.hexdigest()

    def check_encoder(self, name: str, identity: str) -> None:
        """Make sure that vectors of an encoder can be moved.

        Mappings that do not know their encoder's identity are taken, with a warning if its name
        differs.

        Raises:
            JointalignError: If the mappings were learnt with another one.
        """
        if not (self.identity and identity) and self.encoder not in ("", name):
            logger.warning(
                "the mapping was learnt with the encoder '%s', and these vectors are of '%s'; if "
                "they differ, learn it again with `jointalign align-features`",
                self.encoder,
                name,
            )
        if self.identity and identity and self.identity != identity:
            raise JointalignError(
                f"the mapping was learnt with the encoder '{self.encoder}' as it was then, and "
                f"'{name}' has other weights, settings or pieces; learn it again with "
                "`jointalign align-features`"
            )

    def moved(self, vectors: np.ndarray, layers: Sequence[int], side: FeatureSide) -> np.ndarray:
        """Vectors of one side in the common space.

        Args:
            vectors: `(layers, n, d)`. Never modified.
            layers: Which each is, counted from 0.
            side: Whose they are. Where nothing is learnt for a side, its vectors stay.

        Raises:
            JointalignError: If there is no map for a layer, or it has other dimensions.
        """
        return np.stack([self._moved(rows, layer, side) for rows, layer in zip(vectors, layers, strict=True)])

    def _moved(self, rows: np.ndarray, layer: int, side: FeatureSide) -> np.ndarray:
        if layer not in self.layers:
            known = ", ".join(map(str, sorted(self.layers)))
            raise JointalignError(f"there is no mapping for layer {layer}, only for {known}")
        mapping = self.layers[layer]
        source = side is FeatureSide.SOURCE
        matrix = as_numpy(mapping.source if source else mapping.target)
        if matrix.shape[0] != rows.shape[1]:
            raise JointalignError(
                f"the mapping is of vectors with {matrix.shape[0]} dimensions, these have "
                f"{rows.shape[1]}: was it learnt with another encoder?"
            )
        means = mapping.source_means if source else mapping.target_means
        if means:
            rows = recentred(rows, [as_numpy(mean) for mean in means])
        return (rows @ matrix).astype(np.float32, copy=False)


def fit_aligner(aligner: Aligner, x: np.ndarray, z: np.ndarray, seed: int = 0) -> Mapping:
    """Learn a map with any of the project's alignment methods.

    Args:
        aligner: The method.
        x: Vectors of source words, `(k, d)`, of which row `i` translates row `i` of `z`.
        z: Vectors of target words, `(k, d)`.
        seed: The only source of randomness.
    """
    pairs = np.stack([np.arange(len(x))] * 2, 1)
    rows = unit(x.astype(np.float32)), unit(z.astype(np.float32))
    return aligner.fit(*rows, pairs, seed=seed)


def write_layer_mappings(mappings: LayerMappings, path: str | Path) -> None:
    """Write all maps into one safetensors file.

    Raises:
        JointalignError: If it cannot be written.
    """
    tensors = {}
    for layer, mapping in mappings.layers.items():
        for side, matrix, means in (
            ("source", mapping.source, mapping.source_means),
            ("target", mapping.target, mapping.target_means),
        ):
            tensors[f"{layer}.{side}"] = as_numpy(matrix).astype(np.float32)
            if means:
                stacked = np.stack([as_numpy(mean) for mean in means])
                tensors[f"{layer}.{side}_means"] = stacked.astype(np.float32)
    layers = json.dumps([int(layer) for layer in mappings.layers])
    facts = {"format": "jointalign", "kind": _KIND, "layers": layers, "encoder": mappings.encoder}
    if mappings.languages is not None:
        facts["languages"] = json.dumps(mappings.languages)
    facts["identity"] = mappings.identity
    write_tensors(path, tensors, facts)


def read_layer_mappings(path: str | Path) -> LayerMappings:
    """Read what `write_layer_mappings` has written.

    Raises:
        FormatError: If the file holds something else.
        JointalignError: If it cannot be read.
    """
    tensors, facts = read_tensors(path, _SCHEMA)
    found = {}
    for layer in facts["layers"]:
        means = [tuple(np.array(tensors.get(f"{layer}.{side}_means", ()))) for side in FeatureSide]
        source, target = (np.array(tensors[f"{layer}.{side}"]) for side in FeatureSide)
        found[layer] = Mapping(source, target, {}, means[0], means[1])
    return LayerMappings(found, facts.get("encoder", ""), facts.get("languages"), facts.get("identity", ""))


class _Facts(TypedDict):
    layers: tuple[Number, ...]
    encoder: NotRequired[str]
    languages: NotRequired[tuple[str, str]]
    identity: NotRequired[str]


def _arrays(facts: _Facts) -> dict[str, Array]:
    found = {}
    for layer in facts["layers"]:
        for side in FeatureSide:
            found[f"{layer}.{side}"] = Array("F32", ("dimensions", f"{layer}.common"))
            found[f"{layer}.{side}_means"] = Array("F32", (None, "dimensions"), optional=True)
    return found


_SCHEMA = Schema("a mapping for each layer, as `jointalign align-features` writes", _Facts, _arrays, _KIND)


_LEAST_RIDGE = 1e-6  # of the mean variance: enough to make a singular system solvable
_LEAST_VARIANCE = 1e-3  # of the mean: directions with less are not blown up to one


class Solution(StrEnum):
    """Which linear map is learnt from the sums.

    All but `PLAIN` make vectors length one, subtract each side's mean, and let a frequent word
    weigh little more than a rare one.
    """

    ORTHOGONAL = "orthogonal"
    """The turn that brings aligned words closest: eqs. (2)-(3) of the paper, mended as above."""

    LEAST_SQUARES = "least-squares"
    """Any linear map (Mikolov et al. 2013), with a ridge."""

    WHITENED = "whitened"
    """Both sides whitened, turned, and weighted by the root of how well each direction agrees
    (Artetxe, Labaka and Agirre 2018, without taking the whitening back): moves both sides."""

    PLAIN = "plain"
    """Eqs. (1)-(3) of the paper as they stand: vectors as they come, each aligned word once."""


class CrossCovariances:
    """Sums over aligned words of one layer.

    Args:
        dimensions: Length of a vector.
        solution: Which map they are for.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 3))
        >>> turn = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
        >>> sums = CrossCovariances(3, Solution.PLAIN)
        >>> sums.add(x[:20], x[:20] @ turn)
        >>> sums.add(x[20:], x[20:] @ turn)
        >>> sums.count, sums.solve().source.round(6).tolist() == turn.tolist()
        (50, True)
    """

    def __init__(self, dimensions: int, solution: Solution = Solution.ORTHOGONAL) -> None:
        self._solution = Solution(solution)
        square = dimensions, dimensions
        self._sums = {
            "count": np.zeros(1, np.int64),
            "weights": np.zeros(2),  # of them, and of their squares
            "lengths": np.zeros(2),  # squared, of source and target vectors as they come
            "rows": np.zeros((2, dimensions)),
            "source": np.zeros(square),
            "target": np.zeros(square),
            "cross": np.zeros(square),
        }

    @property
    def count(self) -> int:
        """Pairs seen."""
        return int(self._sums["count"][0])

    @property
    def tensors(self) -> MappingType[str, np.ndarray]:
        """All sums by name, to be kept and restored."""
        return self._sums

    def restore(self, tensors: MappingType[str, np.ndarray]) -> None:
        """Go on from sums that were kept."""
        for name, array in self._sums.items():
            array[...] = tensors[name]

    def add(self, x: np.ndarray, z: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Take some pairs.

        Args:
            x: Source vectors, `(k, d)`.
            z: Target vectors, `(k, d)`.
            weights: Of each pair, `(k,)`; `None`: one.
        """
        x, z = x.astype(np.float64), z.astype(np.float64)
        weights = np.ones(len(x)) if weights is None else weights.astype(np.float64)
        sums = self._sums
        sums["count"] += len(x)
        sums["weights"] += weights.sum(), weights @ weights
        sums["lengths"] += [weights @ np.vecdot(rows, rows) for rows in (x, z)]
        if self._solution is not Solution.PLAIN:
            x, z = unit(x), unit(z)
        weighted = weights[:, None] * x
        sums["rows"] += weighted.sum(0), weights @ z
        sums["cross"] += weighted.T @ z
        sums["source"] += weighted.T @ x
        sums["target"] += (weights[:, None] * z).T @ z

    def solve(self, side: FeatureSide = FeatureSide.SOURCE) -> Mapping:
        """The best map of one side onto the other.

        But for `PLAIN` the other side is centred, too, and mapped vectors of both sides have the
        length that those of the side that stays had on average.

        Args:
            side: Which side moves; the paper's code moves the source (English).

        Raises:
            JointalignError: If no pair was seen.
        """
        if not self.count:
            raise JointalignError("no aligned words were seen, so there is nothing to learn from")
        moves_source = FeatureSide(side) is FeatureSide.SOURCE
        if self._solution is Solution.PLAIN:
            turn = _turn(self._sums["cross"]).astype(np.float32)
            stays = np.eye(len(turn), dtype=np.float32)
            return Mapping(turn, stays) if moves_source else Mapping(stays, turn.T)
        moments, means = self._centred()
        if not moves_source:
            moments = _Moments(moments.staying, moments.moving, moments.cross.T, moments.pairs)
        matrices = _SOLVERS[self._solution](moments)
        length = (self._sums["lengths"][int(moves_source)] / self._sums["weights"][0]) ** 0.5
        moving, staying = (
            _of_length(length, matrix, covariance).astype(np.float32)
            for matrix, covariance in zip(matrices, moments[:2], strict=True)
        )
        sides = (moving, staying) if moves_source else (staying, moving)
        source_mean, target_mean = means.astype(np.float32)
        return Mapping(*sides, source_means=(source_mean,), target_means=(target_mean,))

    def _centred(self) -> tuple[_Moments, np.ndarray]:
        """Covariances around the means, the source moving; and the means, `(2, d)`."""
        sums, (total, squares) = self._sums, self._sums["weights"]
        means = sums["rows"] / total
        source, target, cross = (
            sums[name] / total - np.outer(means[one], means[other])
            for name, one, other in (("source", 0, 0), ("target", 1, 1), ("cross", 0, 1))
        )
        return _Moments(source, target, cross, total**2 / squares), means


class _Moments(NamedTuple):
    """Covariances, all `(d, d)`, and how many pairs of equal weight they are worth."""

    moving: np.ndarray
    staying: np.ndarray
    cross: np.ndarray
    pairs: float


def _orthogonal(moments: _Moments) -> tuple[np.ndarray, np.ndarray]:
    return _turn(moments.cross), np.eye(len(moments.cross))


def _least_squares(moments: _Moments) -> tuple[np.ndarray, np.ndarray]:
    """With the ridge of Hoerl, Kennard and Baldwin (1975): noise over the weights' own size."""
    own, dimensions = moments.moving, len(moments.cross)
    identity = np.eye(dimensions)
    least = _LEAST_RIDGE * np.trace(own) / dimensions
    matrix = np.linalg.solve(own + least * identity, moments.cross)
    noise = max(0.0, np.trace(moments.staying) - float(np.vdot(matrix, moments.cross)))
    noise *= moments.pairs / max(1.0, moments.pairs - dimensions)
    size = float(np.vdot(matrix, matrix))
    ridge = dimensions * noise / size / moments.pairs if size else 0.0
    return np.linalg.solve(own + max(least, ridge) * identity, moments.cross), identity


def _whitened(moments: _Moments) -> tuple[np.ndarray, np.ndarray]:
    one, other = _inverse_root(moments.moving), _inverse_root(moments.staying)
    u, agreement, vt = np.linalg.svd(one @ moments.cross @ other)
    return one @ u * agreement**0.5, other @ vt.T * agreement**0.5


_SOLVERS = {
    Solution.ORTHOGONAL: _orthogonal,
    Solution.LEAST_SQUARES: _least_squares,
    Solution.WHITENED: _whitened,
}


def _turn(cross: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(cross)
    return u @ vt


def _inverse_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    floor = max(_LEAST_VARIANCE * float(values.mean()), np.finfo(float).tiny)
    return vectors * np.maximum(values, floor) ** -0.5 @ vectors.T


def _of_length(length: float, matrix: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """A matrix scaled so that centred rows of length one get this length, on average."""
    before, after = np.trace(covariance), float(np.vdot(matrix, covariance @ matrix))
    return matrix * (length * (before / after) ** 0.5 if after > 0 else length)


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

    def restore(self, tensors: MappingType[str, np.ndarray]) -> None:
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

    def restore(self, tensors: MappingType[str, np.ndarray], words: Sequence[Sequence[str]]) -> None:
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
        moved = mappings.moved(x, layers, FeatureSide.SOURCE), mappings.moved(z, layers, FeatureSide.TARGET)
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
