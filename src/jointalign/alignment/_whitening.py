"""The linear map of Artetxe et al. (2018a): whiten, rotate, re-weight, de-whiten.

Each step is a matrix that acts on rows from the right; the map of a side is their product. With
`X` and `Z` the rows of the pairs, `C = X^T X` and `D = Z^T Z`:

1. whitening by `C^-1/2` and `D^-1/2`: the pairs' rows become uncorrelated, of equal variance;
2. rotations `U` and `V`, from the singular value decomposition `U S V^T` of the cross product of
   the whitened rows, which S then correlates dimension by dimension;
3. re-weighting of dimensions by powers of S;
4. de-whitening by `U^T C^1/2 U`, or that of the other side, `V^T D^1/2 V`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from array_api_compat import array_namespace, device

from jointalign.alignment.base import Array

logger = logging.getLogger(__name__)

# Eigenvalues below this part of the largest are rounding errors of float32 vectors.
_NO_VARIANCE = 1e-12


class WhitenedSide(StrEnum):
    """Whose whitening is undone by de-whitening."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True)
class Steps:
    """Which steps the map has.

    Args:
        whiten: Step 1.
        source_reweight: Power of S for the source in step 3; 0 leaves the step out.
        target_reweight: The same for the target.
        source_dewhiten: Whose whitening step 4 undoes on the source side; `None`: no step 4.
        target_dewhiten: The same for the target.
    """

    whiten: bool
    source_reweight: float
    target_reweight: float
    source_dewhiten: WhitenedSide | None
    target_dewhiten: WhitenedSide | None

    def maps(self, source: Array, target: Array, cross: Array) -> tuple[Array, Array]:
        """Both sides' maps, float64 `(d, d)`.

        Args:
            source: X^T X of the pairs' rows, float64 `(d, d)`.
            target: Z^T Z, likewise.
            cross: X^T Z.
        """
        xp: Any = array_namespace(cross)
        identity = xp.eye(cross.shape[0], dtype=cross.dtype, device=device(cross))
        x_whitener = x_unwhitener = z_whitener = z_unwhitener = identity
        if self.whiten:
            x_whitener, x_unwhitener = inverse_and_root(source, "source")
            z_whitener, z_unwhitener = inverse_and_root(target, "target")
        u, s, vt = xp.linalg.svd(x_whitener @ cross @ z_whitener)
        v = vt.T
        unwhiten = {
            WhitenedSide.SOURCE: u.T @ x_unwhitener @ u,
            WhitenedSide.TARGET: v.T @ z_unwhitener @ v,
            None: identity,
        }
        x_map = (x_whitener @ u * s**self.source_reweight) @ unwhiten[self.source_dewhiten]
        z_map = (z_whitener @ v * s**self.target_reweight) @ unwhiten[self.target_dewhiten]
        return x_map, z_map


def inverse_and_root(products: Array, side: str) -> tuple[Array, Array]:
    """`C^-1/2`, which whitens, and `C^1/2`, which undoes it, of a symmetric `(d, d)` matrix.

    Directions in which the pairs' rows do not vary cannot be whitened and are left out of both:
    these are pseudo-inverses.
    """
    xp: Any = array_namespace(products)
    values, vectors = xp.linalg.eigh(products)
    known = values > _NO_VARIANCE * xp.max(values)
    missing = int(xp.sum(xp.astype(~known, xp.int64)))
    if missing:
        logger.warning(
            "the dictionary's %s words span only %d of %d dimensions; whitening leaves the others "
            "out: use more pairs, self-learning, or a method that only rotates",
            side,
            products.shape[0] - missing,
            products.shape[0],
        )
    roots = xp.sqrt(xp.where(known, values, xp.zeros_like(values)))
    ones = xp.ones_like(roots)
    inverses = xp.where(known, 1 / xp.where(known, roots, ones), xp.zeros_like(roots))
    return (vectors * inverses) @ vectors.T, (vectors * roots) @ vectors.T
