"""GeoMM for any number of languages (Jawanpuria et al. 2019, section 3.3).

One rotation U_i a language and one metric B for all. A dictionary between every two languages is
not needed, as long as the dictionaries link all of them: two languages without one meet in the
common space. The cost is that of `GeoMM`, each dictionary's part divided by its number of pairs,

    sum of |X_i U_i B U_j' Z_j' - Y_ij|^2 / n_ij + lambda / 2 |B|^2 .

Differences from the authors' code: L-BFGS in coordinates in which B is diagonal, from Procrustes
rotations and until the cost stands still; theirs is conjugate gradients from random matrices for
150 to 600 steps. A pair that is listed twice counts once in n_ij as it does in Y_ij.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment._geomm import mean_of_rows, moments
from jointalign.alignment._shared_metric import Link, Point, descend
from jointalign.alignment.base import Array, Mapping, as_numpy
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.errors import JointalignError
from jointalign.ranges import check_ranges, within

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MultilingualMapping:
    """A map for each language into one space.

    Args:
        matrices: U_i B^(1/2) of each language, `(d, d)`.
        means: What to subtract from its unit rows first, `(d,)`.
        history: The `cost` at the start and after each step.
        converged: Whether the cost stood still before the last step that was allowed.
    """

    matrices: tuple[Array, ...]
    means: tuple[Array, ...]
    history: MappingType[str, tuple[float, ...]] = field(default_factory=dict)
    converged: bool = True

    def between(self, source: int, target: int) -> Mapping:
        """The map of two of the languages, for `jointalign.apply`.

        Args:
            source: Number of the source language, in the order of `fit`'s vectors.
            target: Number of the target language.
        """
        return Mapping(
            self.matrices[source],
            self.matrices[target],
            self.history,
            (self.means[source],),
            (self.means[target],),
        )


@dataclass(frozen=True)
class MultilingualGeoMM:
    """One space for many languages from dictionaries between some of them.

    Choose it for languages without a common dictionary, or when vectors of more than two languages
    must be comparable. NumPy arrays and torch tensors; computed with NumPy in float64.

    Args:
        regularization: lambda of the cost above, the authors' `--l2_reg`. Default 0.1, their choice
            for MUSE's dictionaries (their script's own default is 1000, which they never use).
        steps: Most steps of the descent.
        tolerance: Ten steps that gain less than this share of all that the map gains end it.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> english = np.eye(3, dtype=np.float32)
        >>> spanish, german = english[:, [1, 2, 0]], english[:, [2, 0, 1]]
        >>> pairs = np.array([[0, 0], [1, 1], [2, 2]])
        >>> dictionaries = {(0, 1): pairs, (0, 2): pairs}
        >>> mapping = MultilingualGeoMM().fit([english, spanish, german], dictionaries)
        >>> spanish_german = mapping.between(1, 2)
        >>> mapped = (spanish - spanish_german.source_means[0]) @ spanish_german.source
        >>> others = (german - spanish_german.target_means[0]) @ spanish_german.target
        >>> (mapped @ others.T).argmax(axis=1)
        array([0, 1, 2])
    """

    regularization: float = within(0.1, above=0)
    steps: int = within(1000, least=0)
    tolerance: float = within(1e-5, least=0)

    def __post_init__(self) -> None:
        check_ranges(self)

    def fit(
        self, vectors: Sequence[Array], dictionaries: MappingType[tuple[int, int], Array]
    ) -> MultilingualMapping:
        """Learn one space. Nothing is random.

        Args:
            vectors: Unit rows of each language, `(n_i, d)`. Never modified.
            dictionaries: For two numbers of languages, pairs of row numbers, `(k, 2)`. Both orders
                of two languages may be there: they are two dictionaries.

        Raises:
            JointalignError: If there are fewer than two languages, shapes disagree, values are not
                finite, a dictionary is empty or names rows or languages that do not exist, or some
                language has no dictionary that links it to the others.
        """
        _check(vectors, dictionaries)
        means = [mean_of_rows(x) for x in vectors]
        links = [_link(i, j, vectors, pairs, means) for (i, j), pairs in sorted(dictionaries.items())]
        costs: list[float] = []
        point: Point | None = None
        for point in descend(links, len(vectors), self.regularization, self.steps, self.tolerance):
            costs.append(point.cost)
        assert point is not None
        converged = len(costs) <= self.steps
        logger.info("%d steps, cost %.6f, converged: %s", len(costs) - 1, costs[-1], converged)
        return MultilingualMapping(
            tuple(_matrix(x, u, point) for x, u in zip(vectors, point.rotations, strict=True)),
            tuple(array_namespace(x).astype(m, x.dtype) for x, m in zip(vectors, means, strict=True)),
            {"cost": tuple(costs)},
            converged,
        )


def _link(i: int, j: int, vectors: Sequence[Array], pairs: Array, means: Sequence[Array]) -> Link:
    try:
        rows = check_pairs(pairs, vectors[i], vectors[j], "MultilingualGeoMM")
    except JointalignError as error:
        raise JointalignError(f"dictionary ({i}, {j}): {error}") from None
    sums = moments(vectors[i], vectors[j], rows, means[i], means[j])
    source, target, cross = (as_numpy(a) for a in (sums.source, sums.target, sums.cross))
    return Link(i, j, source / sums.pairs, target, cross / sums.pairs)


def _matrix(x: Array, rotation: np.ndarray, point: Point) -> Array:
    matrix = rotation * np.sqrt(point.metric)
    return array_namespace(x).asarray(matrix, dtype=x.dtype, device=device(x))


def _check(vectors: Sequence[Array], dictionaries: MappingType[tuple[int, int], Array]) -> None:
    if len(vectors) < 2:
        raise JointalignError(f"expected the vectors of at least 2 languages, got {len(vectors)}")
    for language, x in enumerate(vectors):
        try:
            check_vectors(vectors[0], x)
        except JointalignError as error:
            raise JointalignError(f"languages 0 (source) and {language} (target): {error}") from None
    for i, j in dictionaries:
        if i == j or not (0 <= i < len(vectors) and 0 <= j < len(vectors)):
            raise JointalignError(
                f"dictionary ({i}, {j}) must be between two of the languages 0 to {len(vectors) - 1}"
            )
    linked, before = {0}, 0
    while len(linked) > before:
        before = len(linked)
        linked |= {k for link in dictionaries if linked & set(link) for k in link}
    missing = sorted(set(range(len(vectors))) - linked)
    if missing:
        raise JointalignError(f"no dictionaries link languages {missing} to language 0; add one for each")
