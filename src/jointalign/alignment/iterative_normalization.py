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

from dataclasses import dataclass, replace

from jointalign.alignment._check import check_vectors
from jointalign.alignment.base import Aligner, Array, Mapping, Supervision
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

    def __post_init__(self) -> None:
        if not isinstance(self.method, Aligner):
            raise JointalignError(f"method must be an alignment method, got {self.method!r}")
        if self.rounds < 1:
            raise JointalignError(f"rounds must be at least 1, got {self.rounds}")

    @property
    def supervision(self) -> Supervision:
        """That of the method."""
        return self.method.supervision

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Normalise each side with its own means, then fit the method; see `Aligner.fit`.

        Returns:
            The method's mapping; its means, if it has any, come after those of the normalisation.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or as the method does.
        """
        check_vectors(x, z)
        source, source_means = iterative(x, self.rounds)
        target, target_means = iterative(z, self.rounds)
        mapping = self.method.fit(source, target, pairs, seed=seed)
        return replace(
            mapping,
            source_means=(*source_means, *mapping.source_means),
            target_means=(*target_means, *mapping.target_means),
        )
