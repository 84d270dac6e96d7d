"""GeoMM from a small dictionary (Jawanpuria et al. 2019, section 3.4): it finds more pairs itself.

Rounds of {solve GeoMM for the dictionary; translate the frequent words of both sides by CSLS; the
given pairs and the pairs found are the next dictionary}, as in the self-learning of Artetxe et al.
(2017). With n pairs in the 0-1 matrix Y, a round minimises

    |X_s W Z_t' - Y|^2 / n + lambda / 2 |W|^2 ,

divided by n so that one lambda fits dictionaries of a hundred pairs and of forty thousand.

Differences from the authors' code: a round is exact, not 150 steps of conjugate gradients; the held
out words are chosen by `seed`, each with all its translations (theirs split pairs, by a script of
its own); a pair that both directions find, or that is given as well, is one entry of Y (theirs
counts it two or three times in the products and in n). Where there are too few pairs to hold any
out, the rounds end when the dictionary stands still.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment._geomm import Moments, cost, factors, mean_of_rows, minimizer, moments
from jointalign.alignment._induction import Direction, combined, translations
from jointalign.alignment._refining import hold_out
from jointalign.alignment.base import Aligner, Array, Mapping, as_numpy
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.numerics.normalize import unit
from jointalign.ranges import check_ranges, within
from jointalign.retrieval.api import Score, hubness, neighbours

logger = logging.getLogger(__name__)


STANDING = 0.99
"""Share of a dictionary that two rounds must have in common for it to stand still."""


@dataclass(frozen=True)
class SemiSupervisedGeoMM(Aligner):
    """GeoMM that grows its dictionary, until that no longer helps held-out words.

    Choose it with fewer pairs than dimensions, where `GeoMM` has nothing to say on most of them.

    Args:
        regularization: lambda of the cost above, which is per pair. Default 0.1, the authors'
            `--l2_reg`; they chose 0.1 or 0.01 for each direction on held-out pairs. Noisier vectors
            want more: raise it where the dictionary is small and the corpora are, too.
        cutoff: Only so many of the most frequent words of a side are translated and are
            translations. Default 25,000, theirs.
        neighbourhood: k of CSLS. Default 10, theirs.
        held_out: Share of the dictionary's source words that judge the rounds, in all but the last
            fit, which takes all pairs. Default 0.2, theirs. Without effect where that is fewer
            than 50 words.
        patience: Rounds without a better judgement that end it. Default 1, theirs.
        rounds: At most so many. Default 20; theirs has no limit.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> from jointalign.numerics.normalize import unit
        >>> x = unit(np.random.default_rng(0).standard_normal((200, 8)))
        >>> z = x[:, ::-1]
        >>> mapping = SemiSupervisedGeoMM().fit(x, z, np.stack([np.arange(10)] * 2, axis=1))
        >>> mapped = (x - mapping.source_means[0]) @ mapping.source
        >>> others = (z - mapping.target_means[0]) @ mapping.target
        >>> bool(((unit(mapped) @ unit(others).T).argmax(axis=1) == np.arange(200)).all())
        True
    """

    regularization: float = within(0.1, above=0)
    cutoff: int = within(25_000, least=1)
    neighbourhood: int = within(10, least=1)
    held_out: float = within(0.2, least=0, below=1)
    patience: int = within(1, least=1)
    rounds: int = within(20, least=0)

    moves_target = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def searches(self, words: int, pairs: int) -> float:
        """Four a round."""
        return 4.0 * self.rounds

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Grow the dictionary and solve for it; see `Aligner.fit`.

        Returns:
            As `GeoMM.fit`; `history` has the `cost` of each round per pair, the `pairs` it was
            fitted to, and its `precision` on held-out words, if there are any.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or there are no valid pairs.
        """
        xp = check_vectors(x, z)
        given = np.unique(check_pairs(pairs, x, z, "SemiSupervisedGeoMM"), axis=0)
        means = mean_of_rows(x), mean_of_rows(z)
        search = _Search(self, x, z, means)
        found = search.best_dictionary(given, np.random.default_rng(seed))
        w = search.solved(np.concatenate([given, found]))
        source, target = factors(w)
        return Mapping(
            source=xp.astype(source, x.dtype),
            target=xp.astype(target, z.dtype),
            history={name: tuple(values) for name, values in search.history.items() if values},
            source_means=(xp.astype(means[0], x.dtype),),
            target_means=(xp.astype(means[1], z.dtype),),
        )


@dataclass(frozen=True, eq=False)
class _Search:
    """The rounds.

    Args:
        settings: The method.
        x: Source vectors, `(n, d)`.
        z: Target vectors, `(m, d)`.
        means: Means of their rows, float64 `(d,)`.
        history: What each round was like; grows.
    """

    settings: SemiSupervisedGeoMM
    x: Array
    z: Array
    means: tuple[Array, Array]
    history: dict[str, list[float]] = field(
        default_factory=lambda: {"cost": [], "pairs": [], "precision": []}
    )

    def best_dictionary(self, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The found pairs that the best round learnt from, int64 `(k, 2)`; none if none help."""
        known, held_out = hold_out(given, self.settings.held_out, rng)
        found = best = np.empty((0, 2), np.int64)
        if self.settings.rounds == 0:
            return found
        highest, failures = -1.0, 0
        for count in range(self.settings.rounds + 1):
            w = self.solved(np.concatenate([known, found]))
            precision, following = self._look(w, held_out)
            if precision is None:
                best = found
            elif precision > highest:
                best, highest, failures = found, precision, 0
            else:
                failures += 1
            logger.info("round %d: %d pairs found, precision %s", count, len(found), precision)
            if failures >= self.settings.patience or _stands(found, following):
                break
            found = following
        return best

    def solved(self, pairs: np.ndarray) -> Array:
        """GeoMM's W for a dictionary, `(d, d)`."""
        sums: Moments = moments(self.x, self.z, pairs, *self.means)
        regularization = self.settings.regularization * sums.pairs
        w = minimizer(sums, regularization)
        self.history["cost"].append(cost(w, sums, regularization) / sums.pairs)
        self.history["pairs"].append(float(sums.pairs))
        return w

    def _look(self, w: Array, held_out: np.ndarray | None) -> tuple[float | None, np.ndarray]:
        """Precision of a map on held-out pairs, and the dictionary that it finds."""
        source, target = factors(w)
        x = self._moved(self.x, source, self.means[0])
        z = self._moved(self.z, target, self.means[1])
        near = self.settings.neighbourhood
        hubs = hubness(z, x, Score(neighbourhood=near))
        precision = None if held_out is None else _precision(x, z, held_out, hubs)
        if precision is not None:
            self.history["precision"].append(precision)
        backward = translations(z, x, near, None)
        backward = backward._replace(pairs=backward.pairs[:, ::-1])
        forward = translations(x, z, near, None, hubs)
        return precision, combined(forward, backward, Direction.UNION).pairs

    def _moved(self, vectors: Array, matrix: Array, mean: Array) -> Array:
        """The frequent words of a side in the common space, `(min(n, cutoff), d)`."""
        xp = array_namespace(vectors)
        frequent = vectors[: min(self.settings.cutoff, vectors.shape[0]), :]
        centred = frequent - xp.astype(mean, vectors.dtype)
        return unit(centred @ xp.astype(matrix, vectors.dtype))


def _precision(x: Array, z: Array, held_out: np.ndarray, hubs: Array) -> float:
    """Share of the held-out words whose CSLS translation is right; words past the cutoff fail."""
    xp: Any = array_namespace(x, z)
    words = np.unique(held_out[:, 0])
    asked = words[words < x.shape[0]]
    if not len(asked):
        return 0.0
    queries = xp.take(x, xp.asarray(asked, device=device(x)), axis=0)
    none = xp.zeros(len(asked), dtype=x.dtype, device=device(x))  # moves no rank: not searched for
    found = as_numpy(neighbours(queries, z, 1, hubs=hubs, density=none).rows)[:, 0]
    right = _common(np.stack([asked, found], axis=1), held_out)
    return right / len(words)


def _stands(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two dictionaries found one after the other are nearly the same."""
    return _common(before, after) > STANDING * max(len(before), len(after))


def _common(first: np.ndarray, second: np.ndarray) -> int:
    """How many pairs two dictionaries share, neither of which has a pair twice."""
    both = np.concatenate([first, second])
    return len(both) - len(np.unique(both, axis=0))
