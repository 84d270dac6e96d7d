"""Which sentences come when: batches of about one length, the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jointalign.translation._sentences import Sentences
from jointalign.translation.base import END, PADDING, START_SOURCE

if TYPE_CHECKING:
    import torch

_SORTED_TOGETHER = 50


class Batches:
    """An endless stream of batches; any of them can be asked for, so nothing need be remembered.

    Args:
        lengths: Of the sentences, int64 `(n,)`.
        size: Sentences a batch.
        seed: With `stream` the only source of randomness.
        stream: Tells the streams of one training apart.
    """

    def __init__(self, lengths: np.ndarray, size: int, seed: int, stream: int) -> None:
        self._lengths, self._size = lengths, min(size, len(lengths))
        self._seed, self._stream = seed, stream
        self._in_pass = max(1, len(lengths) // self._size)
        self._pass, self._order = -1, np.zeros((0, 0), np.int64)

    def rows(self, number: int) -> np.ndarray:
        """Rows of the sentences of a batch, int64 `(size,)`."""
        turn, place = divmod(number, self._in_pass)
        if turn != self._pass:
            self._pass, self._order = turn, self._ordered(turn)
        return self._order[place]

    def _ordered(self, turn: int) -> np.ndarray:
        """All batches of one pass over the sentences; less than one batch is left for the next."""
        random = np.random.default_rng([self._seed, self._stream, turn])
        order = random.permutation(len(self._lengths))[: self._in_pass * self._size]
        chunk = self._size * _SORTED_TOGETHER
        parts = [order[start : start + chunk] for start in range(0, len(order), chunk)]
        parts = [part[np.argsort(self._lengths[part], kind="stable")] for part in parts]
        batches = np.concatenate(parts).reshape(self._in_pass, self._size)
        return batches[random.permutation(self._in_pass)]


def source_tensor(sentences: Sentences, language: int, device: torch.device) -> torch.Tensor:
    """What the encoder reads: start of the language, tokens, end; `(n, longest + 2)`."""
    return _filled(sentences, START_SOURCE + language, device)


def target_tensors(
    sentences: Sentences, language: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the decoder reads (start, tokens) and what it should say (tokens, end)."""
    whole = _filled(sentences, START_SOURCE + language, device)
    return whole[:, :-1], whole[:, 1:]


def _filled(sentences: Sentences, start: int, device: torch.device) -> torch.Tensor:
    import torch

    lengths = sentences.lengths
    rows = np.full((len(lengths), int(lengths.max(initial=0)) + 2), PADDING, np.int64)
    rows[:, 0] = start
    places = np.arange(rows.shape[1])
    rows[(places >= 1) & (places <= lengths[:, None])] = sentences.tokens
    rows[np.arange(len(lengths)), lengths + 1] = END
    return torch.from_numpy(rows).to(device)
