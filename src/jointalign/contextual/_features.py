"""Vectors of words in their sentences, from an encoder's layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jointalign.contextual._encoder import Encoder, Pieces
from jointalign.contextual._mapping import FeatureSide, LayerMappings
from jointalign.contextual._torch import import_torch
from jointalign.contextual.base import Combine, Pooling, Window, resolved, windows
from jointalign.errors import JointalignError

if TYPE_CHECKING:
    from torch import Tensor

BATCH_PIECES = 2048
"""Pieces, with padding, that go through the encoder at once."""

_MOST = float(np.finfo(np.float16).max)
_CHUNK_PIECES = 8192
_CHUNK_SENTENCES = 2048


@dataclass(frozen=True, eq=False)
class Extracted:
    """Vectors of some sentences.

    Args:
        vectors: float32 `(layers, rows, d)`: a row for each word, or piece.
        starts: Where each sentence's rows begin, and the end, int64 `(s + 1,)`.
        firsts: With `Pooling.PIECES`, the row of each word's first piece counted from its
            sentence's start, int64 `(w,)`; `None` otherwise.
        word_starts: Where each sentence's words begin in `firsts`, and the end, int64 `(s + 1,)`.
        windows: Windows that long sentences took beyond their first.
    """

    vectors: np.ndarray
    starts: np.ndarray
    firsts: np.ndarray | None
    word_starts: np.ndarray
    windows: int


def extract(
    encoder: Encoder,
    sentences: Iterable[Sequence[str]],
    layers: Sequence[int],
    pooling: Pooling = Pooling.MEAN,
    *,
    batch_pieces: int = BATCH_PIECES,
    language: str | None = None,
) -> Iterator[Extracted]:
    """Vectors of all words of all sentences, in order, some hundred sentences at a time.

    Nothing is cut off: a sentence longer than the encoder can read goes through in overlapping
    windows. A vector does not depend on which sentences share a batch, but for the last bits.

    Args:
        encoder: What gives the vectors.
        sentences: Words of each; may be empty.
        layers: As in `FeatureSettings`.
        pooling: What becomes of the pieces of a word.
        batch_pieces: Pieces, with padding, that go through the encoder at once.
        language: For encoders that are told the language.

    Raises:
        JointalignError: If the encoder has no such layer, or does not know the language.
    """
    chosen = resolved(layers, encoder.layers)
    stream = iter(sentences)
    while block := list(islice(stream, _CHUNK_SENTENCES)):
        encoder.remember([word for words in block for word in words])
        cut = [encoder.cut(words) for words in block]
        for some in _chunks(cut):
            yield _Chunk(encoder, some, chosen, pooling).extract(batch_pieces, language)


def halved(
    vectors: np.ndarray,
    layers: tuple[int, ...],
    combine: Combine,
    mappings: LayerMappings | None = None,
    side: FeatureSide = FeatureSide.SOURCE,
) -> np.ndarray:
    """Vectors `(layers, rows, d)` as they are kept: mapped, summed, float16 `(arrays, rows, d)`.

    Raises:
        JointalignError: If a value is too large for half precision.
    """
    if mappings is not None:
        vectors = mappings.moved(vectors, layers, side)
    if combine is Combine.SUM:
        vectors = vectors.sum(0, keepdims=True)
    if vectors.size and not np.abs(vectors).max() <= _MOST:
        raise JointalignError(
            f"a vector has a value beyond half precision (above {_MOST:g}, or not a number); "
            "is this encoder whole?"
        )
    return vectors.astype("<f2")


def _chunks(cut: list[Pieces]) -> Iterator[list[Pieces]]:
    """As many sentences as have `_CHUNK_PIECES` together, one at least."""
    first, total = 0, 0
    for number, pieces in enumerate(cut):
        if total and total + len(pieces.ids) > _CHUNK_PIECES:
            yield cut[first:number]
            first, total = number, 0
        total += len(pieces.ids)
    yield cut[first:]


class _Read(NamedTuple):
    """A window, with its marks, and where its vectors go."""

    ids: list[int]
    kept: slice  # of its places
    row: int  # of the first that is kept


class _Chunk:
    """Sentences whose pieces fit into memory together."""

    def __init__(
        self, encoder: Encoder, cut: list[Pieces], layers: tuple[int, ...], pooling: Pooling
    ) -> None:
        self._encoder, self._cut = encoder, cut
        self._layers, self._pooling = layers, pooling
        self._marks = len(encoder.prefix) + len(encoder.suffix)
        lengths = [len(pieces.ids) + self._marks if pieces.ids else 0 for pieces in cut]
        self._starts = [0, *accumulate(lengths)]  # of each sentence's pieces and marks

    def extract(self, batch_pieces: int, language: str | None) -> Extracted:
        """Run the encoder and pool."""
        torch = import_torch()
        reads = [read for number in range(len(self._cut)) for read in self._reads(number)]
        shape = len(self._layers), self._starts[-1], self._encoder.dimensions
        rows = torch.empty(shape, device=self._encoder.device)
        for batch in _batches(reads, batch_pieces):
            states, _ = self._encoder.states([r.ids for r in batch], self._layers, language)
            length = states[0].shape[1]
            taken = [
                place * length + k
                for place, read in enumerate(batch)
                for k in range(read.kept.start, read.kept.stop)
            ]
            goals = [read.row + k for read in batch for k in range(read.kept.stop - read.kept.start)]
            index = torch.tensor(taken, device=rows.device)
            goal = torch.tensor(goals, device=rows.device)
            for layer, state in enumerate(states):
                rows[layer].index_copy_(0, goal, state.flatten(0, 1).index_select(0, index))
        sentences = sum(bool(pieces.ids) for pieces in self._cut)
        return self._pooled(rows, len(reads) - sentences)

    def _reads(self, number: int) -> Iterator[_Read]:
        encoder, ids = self._encoder, self._cut[number].ids
        before = len(encoder.prefix)
        for window in windows(len(ids), encoder.longest):
            whole = [*encoder.prefix, *ids[window.first : window.last], *encoder.suffix]
            yield _Read(whole, *self._kept(window, len(ids), before, self._starts[number]))

    def _kept(self, window: Window, pieces: int, before: int, start: int) -> tuple[slice, int]:
        """Places of a window whose vectors count, the marks at the sentence's ends among them."""
        first = 0 if window.owned_first == 0 else before + window.owned_first - window.first
        last = before + window.owned_last - window.first
        if window.owned_last == pieces:
            last += len(self._encoder.suffix)
        row = start + (0 if window.owned_first == 0 else before + window.owned_first)
        return slice(first, last), row

    def _pooled(self, rows: Tensor, more_windows: int) -> Extracted:
        torch = import_torch()
        before = len(self._encoder.prefix)
        lengths = np.array([n for pieces in self._cut for n in pieces.lengths], np.int64)
        counts = np.array([len(pieces.lengths) for pieces in self._cut], np.int64)
        word_starts = np.concatenate([[0], np.cumsum(counts)])
        starts = np.array(self._starts, np.int64)
        # Row of each word's first piece: pieces before it, and the marks of its and all sentences
        # before it.
        pieces_before = np.cumsum(lengths) - lengths
        sentence = np.repeat(np.arange(len(counts)), counts)
        earlier = np.cumsum(np.diff(starts) > 0) - (np.diff(starts) > 0)
        firsts = pieces_before + before + self._marks * earlier[sentence]
        if self._pooling is Pooling.PIECES:
            own = firsts - starts[:-1][sentence]
            return Extracted(rows.cpu().numpy(), starts, own, word_starts, more_windows)
        index = torch.from_numpy(firsts).to(rows.device)
        found = rows.index_select(1, index)
        if self._pooling is Pooling.MEAN:
            found = self._means(rows, found, firsts, lengths)
        return Extracted(found.cpu().numpy(), word_starts, None, word_starts, more_windows)

    def _means(self, rows: Tensor, found: Tensor, firsts: np.ndarray, lengths: np.ndarray) -> Tensor:
        """Add to each first piece its word's others, and divide."""
        torch = import_torch()
        for k in range(1, int(lengths.max(initial=1))):
            longer = np.flatnonzero(lengths > k)
            index = torch.from_numpy(longer).to(rows.device)
            more = torch.from_numpy(firsts[longer] + k).to(rows.device)
            found.index_add_(1, index, rows.index_select(1, more))
        divisors = torch.from_numpy(lengths).to(rows.device, rows.dtype)
        return found / divisors[None, :, None]


def _batches(reads: list[_Read], batch_pieces: int) -> Iterator[list[_Read]]:
    """Windows of like length, as many as have so many pieces with their padding."""
    ordered = sorted(reads, key=lambda read: len(read.ids))
    first = 0
    for number, read in enumerate(ordered):
        if number > first and len(read.ids) * (number + 1 - first) > batch_pieces:
            yield ordered[first:number]
            first = number
    if first < len(ordered):
        yield ordered[first:]
