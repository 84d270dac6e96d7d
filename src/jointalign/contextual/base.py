"""What is taken from an encoder, and the windows that long sentences are read in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from jointalign.checks import check_fields
from jointalign.errors import JointalignError

LAST_FOUR = (-4, -3, -2, -1)
"""The layers of the paper's released code: the last four."""


class Pooling(StrEnum):
    """What becomes of the pieces of a word."""

    MEAN = "mean"
    """Their mean is the word's vector (appendix A of the paper), for alignment."""

    FIRST = "first"
    """The first piece's vector is the word's."""

    PIECES = "pieces"
    """All are kept, and the marks at both ends of the sentence, for a tagger that reads pieces and
    then takes the first of each word (appendix A)."""


class Combine(StrEnum):
    """What becomes of the layers."""

    EACH = "each"
    """All are kept."""

    SUM = "sum"
    """Their sum is kept, after each was mapped if there is a mapping, as in the released code."""


@dataclass(frozen=True)
class FeatureSettings:
    """What is kept of an encoder's layers.

    Args:
        layers: Which: 0 is the embedding layer, 1 the first, -1 the last.
        pooling: What becomes of the pieces of a word.
        combine: What becomes of the layers.

    Raises:
        JointalignError: If there is no layer, or one twice.
    """

    layers: tuple[int, ...] = LAST_FOUR
    pooling: Pooling = Pooling.MEAN
    combine: Combine = Combine.EACH

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.layers or len(set(self.layers)) < len(self.layers):
            raise JointalignError(f"expected some layers, each once, got {list(self.layers)}")


def resolved(layers: Sequence[int], count: int) -> tuple[int, ...]:
    """Layers counted from the start, of an encoder that has so many after its embedding layer.

    Raises:
        JointalignError: If one is not there, or meant twice.

    Example:
        >>> resolved((-1, 0), 12)
        (12, 0)
    """
    found = tuple(layer if layer >= 0 else count + 1 + layer for layer in layers)
    for layer, asked in zip(found, layers, strict=True):
        if not 0 <= layer <= count:
            raise JointalignError(
                f"there is no layer {asked}: this encoder has layers 0 to {count}, or {-count - 1} to -1"
            )
    if len(set(found)) < len(found):
        raise JointalignError(f"layers {list(layers)} name one layer twice")
    return found


class Window(NamedTuple):
    """A stretch of a sentence's pieces that the encoder reads at once.

    Args:
        first: Its first piece.
        last: The piece after its last.
        owned_first: The first piece whose vector is taken from this window.
        owned_last: The piece after the last such.
    """

    first: int
    last: int
    owned_first: int
    owned_last: int


def windows(pieces: int, longest: int) -> list[Window]:
    """Windows of at most `longest` pieces, each overlapping the next by half.

    Every piece belongs to the window in which it is farther from the edge, so that all have at
    least a quarter of a window as context on both sides, where the sentence goes on.

    Example:
        >>> [tuple(window) for window in windows(10, 8)]
        [(0, 8, 0, 5), (2, 10, 5, 10)]
        >>> windows(8, 8)
        [Window(first=0, last=8, owned_first=0, owned_last=8)]
    """
    if pieces <= longest:
        return [Window(0, pieces, 0, pieces)] if pieces else []
    stride = max(1, longest // 2)
    firsts = [*range(0, pieces - longest, stride), pieces - longest]
    bounds = [(later + first + longest) // 2 for first, later in pairwise(firsts)]
    return [
        Window(first, first + longest, begin, end)
        for first, begin, end in zip(firsts, [0, *bounds], [*bounds, pieces], strict=True)
    ]
