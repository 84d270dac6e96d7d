"""The hypotheses of a beam."""

from __future__ import annotations

import numpy as np

from jointalign.translation.base import END


class Hypotheses:
    """Half-made and finished translations of one sentence.

    Args:
        beam: How many go on.
        limit: Largest number of tokens.
        penalty: See `Search.length_penalty`.
    """

    def __init__(self, beam: int, limit: int, penalty: float) -> None:
        self._beam, self._limit, self._penalty = beam, limit, penalty
        self._open: list[list[int]] = [[] for _ in range(beam)]
        self._scores = [0.0] * beam
        self._finished: list[tuple[float, list[int]]] = []
        self.done = False

    def extend(
        self, parents: np.ndarray, tokens: np.ndarray, scores: np.ndarray
    ) -> list[tuple[int, int, float]]:
        """Take the best candidates, by falling score: parent, token and score of those that go on.

        A finished sentence goes on in name only, so that all have the same number of rows.
        """
        if self.done:
            return [(0, END, 0.0)] * self._beam
        going: list[tuple[int, int, float]] = []
        for rank, (parent, token, score) in enumerate(zip(parents, tokens, scores, strict=True)):
            if token != END and len(going) < self._beam:
                going.append((int(parent), int(token), float(score)))
            elif token == END and rank < self._beam:
                self._finish(self._open[parent], float(score), 1)
        self._open = [[*self._open[parent], token] for parent, token, _ in going]
        self._scores = [score for _, _, score in going]
        going += [(0, END, float("-inf"))] * (self._beam - len(going))
        full = len(self._open[0]) >= self._limit if self._open else True
        self.done = full or len(self._finished) >= self._beam
        return going

    def _finish(self, tokens: list[int], score: float, ended: int) -> None:
        self._finished.append((score / (len(tokens) + ended) ** self._penalty, tokens))

    def best(self) -> np.ndarray:
        """The best finished one; of those still open where none is."""
        if not self._finished:
            for tokens, score in zip(self._open, self._scores, strict=True):
                self._finish(tokens, score, 0)
        return np.array(max(self._finished, key=lambda entry: entry[0])[1], np.int32)
