"""Rows of one side as VecMap learns from them: of length one, centred, and of length one again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment.base import Array
from jointalign.numerics.normalize import center, unit
from jointalign.numerics.tiles import blocks


class Normalisation(StrEnum):
    """What is done to the rows of each side before anything else, one after the other."""

    UNIT = "unit"
    UNIT_CENTER = "unit-center"
    UNIT_CENTER_UNIT = "unit-center-unit"


def normalised(x: Array, normalisation: Normalisation) -> Array:
    """All rows of a matrix `(n, d)`, normalised."""
    return NormalisedRows.of(x, normalisation).first(x.shape[0])


@dataclass(frozen=True, eq=False)
class NormalisedRows:
    """A side's vectors, normalised only where they are asked for.

    Args:
        vectors: The side, `(n, d)`.
        means: The mean of the rows of length one, `(d,)`, or nothing.
        again: Whether centred rows are made length one again.
    """

    vectors: Array
    means: tuple[Array, ...]
    again: bool

    @classmethod
    def of(cls, vectors: Array, normalisation: Normalisation) -> NormalisedRows:
        """Find the mean of all rows, if it is needed."""
        centred = normalisation != Normalisation.UNIT
        means = (_mean_of_unit_rows(vectors),) if centred else ()
        return cls(vectors, means, again=normalisation == Normalisation.UNIT_CENTER_UNIT)

    def first(self, count: int | None) -> Array:
        """The first rows, normalised, `(count, d)`; `None`: all."""
        return self._moved(self.vectors[:count, :])

    def take(self, rows: np.ndarray) -> Array:
        """Some rows, normalised, `(k, d)`."""
        xp: Any = array_namespace(self.vectors)
        places = xp.asarray(np.ascontiguousarray(rows), device=device(self.vectors))
        return self._moved(xp.take(self.vectors, places, axis=0))

    def _moved(self, rows: Array) -> Array:
        rows = unit(rows)
        for mean in self.means:
            rows = center(rows, mean)
            rows = unit(rows) if self.again else rows
        return rows


def _mean_of_unit_rows(vectors: Array, block: int = 16384) -> Array:
    xp: Any = array_namespace(vectors)
    total = xp.zeros(vectors.shape[1], dtype=xp.float64, device=device(vectors))
    for start, stop in blocks(vectors.shape[0], block):
        total = total + xp.sum(unit(vectors[start:stop, :]), axis=0, dtype=xp.float64)
    return xp.astype(total / vectors.shape[0], vectors.dtype)
