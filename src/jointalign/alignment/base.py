"""What an alignment method takes and gives; its subclasses hold one method a file.

Words are rows and a mapping acts as `x @ w`: the paper's W (words as columns, W X) is our `w`
transposed. There is no other convention anywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from array_api_compat import is_torch_array

Array = Any
"""An array of any library of the Python array API: NumPy, torch, ..."""


@dataclass(frozen=True, eq=False)
class Mapping:
    """A map for each side into one space.

    A row moves in this order: it is made length one; then, for each mean of its side, the mean is
    subtracted and the row made length one again; then it is multiplied by the side's matrix.
    Methods that do not centre have no means, and a side moves by `x @ matrix` alone.

    Args:
        source: Matrix of the source side, `(d, e)`.
        target: Matrix of the target side and of shared words, `(d, e)`; the identity for methods
            that move the source only.
        history: One value a step for each thing worth watching, e.g. `loss`.
        source_means: What to subtract from source rows one after the other, each `(d,)`.
        target_means: The same for target rows and shared words.
    """

    source: Array
    target: Array
    history: MappingType[str, tuple[float, ...]] = field(default_factory=dict)
    source_means: tuple[Array, ...] = ()
    target_means: tuple[Array, ...] = ()


class Supervision(StrEnum):
    """Whether a method learns from a seed dictionary."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    """Works without one, and better with one."""

    NONE = "none"
    """Takes none; one that is given is an error."""


class Aligner(ABC):
    """One alignment method. Subclasses are frozen dataclasses whose fields are its settings.

    `fit` is the method; the rest is what it knows about itself, with defaults for one in closed form
    that learns from pairs, moves the source only, and has nothing to choose.
    """

    moves_target: ClassVar[bool] = False
    """Whether the target moves, too, which a pivot of several languages cannot."""

    tried: ClassVar[MappingType[str, tuple[float, ...]]] = MappingProxyType({})
    """Settings to choose on held-out pairs: values worth a fit each, besides the method's own."""

    tried_along: ClassVar[MappingType[str, tuple[int, ...]]] = MappingProxyType({})
    """At most one more, such as a number of steps, whose values `fit_along` reads off one fit."""

    @abstractmethod
    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Learn to map the rows of `x` onto the rows of `z`.

        Args:
            x: Source vectors of length one, `(n, d)`, most frequent word first. Never modified.
            z: Target vectors of length one, `(m, d)`, likewise.
            pairs: Seed dictionary, `(k, 2)` row numbers into `x` and `z`; `None` if there is none.
            seed: The only source of randomness.

        Raises:
            JointalignError: If shapes disagree, or a supervised method gets no pairs.
        """

    @property
    def supervision(self) -> Supervision:
        """Whether `fit` needs pairs."""
        return Supervision.REQUIRED

    def fit_along(
        self, x: Array, z: Array, pairs: Array | None, values: Sequence[int], *, seed: int = 0
    ) -> list[Mapping]:
        """What `fit` gives for each value of the setting in `tried_along`; arguments as there."""
        raise NotImplementedError

    def extra(self, supervised: bool) -> str:
        """Name of the package, and of jointalign's extra, that `fit` needs, with pairs or without."""
        return ""

    def searches(self, words: int, pairs: int) -> float:
        """Rough cost of `fit`: searches of all `words` among as many; 0 in closed form."""
        return 0.0

    @property
    def core(self) -> Aligner:
        """The method itself, without what is put before it."""
        return self

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings that are chosen on held-out pairs, as they are now."""
        return {name: getattr(self.core, name) for name in (*self.tried, *self.tried_along)}

    def changed(self, settings: MappingType[str, Any]) -> Aligner:
        """The same method with other settings."""
        return replace(self, **settings)  # type: ignore[type-var]

    def __str__(self) -> str:
        """Name, and what is chosen."""
        parts = [f"{name.replace('_', ' ')} {value:g}" for name, value in self.chosen.items()]
        return ", ".join([type(self).__name__, *parts])


def as_numpy(array: Array) -> np.ndarray:
    """An array of any library as a NumPy array in main memory; copied only if it has to be."""
    return np.asarray(array.detach().cpu() if is_torch_array(array) else array)
