"""Iterative normalisation before any method (Zhang et al. 2019): the paper's "RCSLS + IN".

A rotation can only fit two spaces whose words have the same lengths, and whose means have the same
length too. So each side is made to have rows of length one around a mean of zero, by turns
(`jointalign.numerics.normalize.iterative`), before the method sees it.

Differences from the authors' code: the means are kept, so that words, contexts or word pieces that
come later go the same way; theirs rewrites a file. It takes the means over all words of the file,
ours over the rows that `fit` is given, which `align` limits to the words of one language alone and
to `max_vocabulary`. Zeros stay zeros (theirs divides by the length plus 1e-8).
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from jointalign.alignment.base import Aligner, Array, Mapping, Supervision
from jointalign.alignment.checks import check_vectors
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import iterative


@dataclass(frozen=True)
class IterativeNormalization(Aligner):
    """Makes each side length one and mean zero, then fits another method.

    Cheap (a few passes over the vectors), and worth a try before every method that does not centre
    by itself; it helps most between distant languages.

    Args:
        method: What to fit on the normalised sides.
        rounds: How often the mean is subtracted; default 5, as in the paper.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> import numpy as np
        >>> from jointalign.alignment.procrustes import Procrustes
        >>> z = np.eye(3, dtype=np.float32)
        >>> x, pairs = z[:, [1, 2, 0]], np.array([[0, 0], [1, 1], [2, 2]])
        >>> mapping = IterativeNormalization(Procrustes()).fit(x, z, pairs)
        >>> len(mapping.source_means), mapping.source.shape
        (5, (3, 3))
    """

    method: Aligner
    rounds: int = 5

    moves_target = True

    def __post_init__(self) -> None:
        if not isinstance(self.method, Aligner):
            raise JointalignError(f"method must be an alignment method, got {self.method!r}")
        if self.rounds < 1:
            raise JointalignError(f"rounds must be at least 1, got {self.rounds}")

    @property
    def supervision(self) -> Supervision:
        """That of the method."""
        return self.method.supervision

    @property
    def tried(self) -> MappingType[str, tuple[float, ...]]:  # type: ignore[override]
        """Those of the method."""
        return self.method.tried

    @property
    def tried_along(self) -> MappingType[str, tuple[int, ...]]:  # type: ignore[override]
        """Those of the method."""
        return self.method.tried_along

    def extra(self, supervised: bool) -> str:
        """That of the method."""
        return self.method.extra(supervised)

    def searches(self, words: int, pairs: int) -> float:
        """Those of the method."""
        return self.method.searches(words, pairs)

    @property
    def core(self) -> Aligner:
        """The method's."""
        return self.method.core

    def changed(self, settings: MappingType[str, Any]) -> Aligner:
        """With another number of rounds, or other settings of the method."""
        rest = dict(settings)
        rounds = rest.pop("rounds", self.rounds)
        return replace(self, rounds=rounds, method=self.method.changed(rest))

    def __str__(self) -> str:
        """Both."""
        return f"iterative normalisation and {self.method}"

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Normalise each side with its own means, then fit the method; see `Aligner.fit`.

        Returns:
            The method's mapping; its means, if it has any, come after those of the normalisation.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or as the method does.
        """
        source, target = self._normalised(x, z)
        return _after(source, target, self.method.fit(source.rows, target.rows, pairs, seed=seed))

    def fit_along(
        self, x: Array, z: Array, pairs: Array | None, values: Sequence[int], *, seed: int = 0
    ) -> list[Mapping]:
        """As the method does on the normalised sides; see `Aligner.fit_along`."""
        source, target = self._normalised(x, z)
        found = self.method.fit_along(source.rows, target.rows, pairs, values, seed=seed)
        return [_after(source, target, mapping) for mapping in found]

    def _normalised(self, x: Array, z: Array) -> tuple[_Side, _Side]:
        check_vectors(x, z)
        return _Side(*iterative(x, self.rounds)), _Side(*iterative(z, self.rounds))


class _Side(NamedTuple):
    rows: Array
    means: tuple[Array, ...]


def _after(source: _Side, target: _Side, mapping: Mapping) -> Mapping:
    """A mapping that does the normalisation first."""
    return replace(
        mapping,
        source_means=(*source.means, *mapping.source_means),
        target_means=(*target.means, *mapping.target_means),
    )
