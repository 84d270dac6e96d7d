"""Orthogonal Procrustes (Xing et al. 2015; Smith et al. 2017): section 2.1 of the paper."""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import device

from jointalign.alignment._orthogonal import closest_orthogonal, cross_product
from jointalign.alignment.base import Aligner, Array, Mapping
from jointalign.alignment.checks import check_pairs, check_vectors


@dataclass(frozen=True)
class Procrustes(Aligner):
    """The orthogonal map that brings translation pairs closest: min ||x w - z||, `w` orthogonal.

    The right first choice, and where RCSLS starts: closed form, no settings, seconds. It equals
    MUSE's `supervised.py --n_refinement 0 --normalize_embeddings renorm` (MUSE's own default keeps
    the lengths, so that long vectors weigh more), and Smith et al.'s transform before their
    dropping of dimensions and inverted softmax.

    With fewer pairs than dimensions the map is arbitrary outside the span of the pairs.

    Example:
        >>> import numpy as np
        >>> z = np.eye(3, dtype=np.float32)
        >>> x = z[:, [1, 2, 0]]
        >>> mapping = Procrustes().fit(x, z, np.array([[0, 0], [1, 1], [2, 2]]))
        >>> np.allclose(x @ mapping.source, z, atol=1e-6)
        True
    """

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Solve eqs. (2)-(3); see `Aligner.fit`. Nothing is random: `seed` changes nothing.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or there are no valid pairs.
        """
        xp = check_vectors(x, z)
        rows = check_pairs(pairs, x, z, "Procrustes")
        w = closest_orthogonal(cross_product(x, z, rows))
        identity = xp.eye(z.shape[1], dtype=z.dtype, device=device(z))
        return Mapping(source=xp.astype(w, x.dtype), target=identity)
