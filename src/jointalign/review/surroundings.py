"""What helps to judge a translation: sentences with the word, its other forms, words near it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from threading import RLock

import numpy as np

from jointalign.concordance import Concordance, Passage
from jointalign.corpora.corpus import Corpus
from jointalign.embedding import Embedding
from jointalign.errors import JointalignError
from jointalign.formats.api import read_bilingual
from jointalign.numerics.clusters import Clusters
from jointalign.numerics.normalize import unit
from jointalign.retrieval.hubs import Hubs

ALIGNED, HUBS = "aligned.safetensors", "aligned.hubs.safetensors"
NEAR = 8
FORMS = 8

_LOOKED_AT = 2000  # words of one beginning
_ALIKE = 0.35  # cosine of two forms of one word, at least


@dataclass(frozen=True)
class Sentences:
    """Lines of one text in which a word occurs.

    Args:
        count: How often it occurs in the text.
        passages: The lines.
        missing: Why there are none to show, e.g. because the text is gone; empty if that is not so.
    """

    count: int
    passages: tuple[Passage, ...]
    missing: str = ""


class Surroundings:
    """The texts and the aligned space of a run, opened when they are first needed; for several threads.

    Args:
        run: The folder of the run.
        corpora: Its texts, by side.
    """

    def __init__(self, run: Path, corpora: dict[str, Corpus]) -> None:
        self._run, self._corpora = run, corpora
        self._lock = RLock()
        self._opened: dict[str, Concordance] = {}

    def sentences(self, side: str, word: str, count: int, start: int | None = None) -> Sentences:
        """Lines in which a word occurs.

        Args:
            side: `source` or `target`.
            word: The word.
            count: How many.
            start: Of which line in the order of the text on; `None` for good examples.
        """
        try:
            index = self._concordance(side)
            found = index.best(word, count) if start is None else self._in_order(index, word, start, count)
            return Sentences(index.count(word), tuple(found))
        except JointalignError as error:
            return Sentences(0, (), str(error))

    def _in_order(self, index: Concordance, word: str, start: int, count: int) -> Iterator[Passage]:
        return islice(index.passages(word), start, start + count)

    def _concordance(self, side: str) -> Concordance:
        with self._lock:
            if side not in self._opened:
                self._opened[side] = Concordance.of(self._corpora[side], self._run / side)
            return self._opened[side]

    @cached_property
    def _sides(self) -> dict[str, _Side]:
        with self._lock:
            space = read_bilingual(self._run / ALIGNED)
            return {"source": _Side(space.source), "target": _Side(space.target)}

    @cached_property
    def _hubs(self) -> np.ndarray:
        """Of the target words; zeros where they are not known."""
        target = self._sides["target"].embedding
        try:
            hubs = Hubs.read(self._run / HUBS).target
        except JointalignError:
            return np.zeros(len(target), np.float32)
        missing = max(0, len(target) - len(hubs))
        return np.append(hubs, np.ones(missing, np.float32))[: len(target)]

    def near(self, side: str, word: str, count: int = NEAR) -> list[str]:
        """The nearest words of the same language."""
        own = self._sides[side]
        row = own.embedding.vocabulary.row(word)
        return [] if row is None else own.nearest(own.unit[row], count, but=row)

    def translations(self, word: str, count: int = NEAR) -> list[str]:
        """The target words nearest to a source word by CSLS."""
        source, target = self._sides["source"], self._sides["target"]
        row = source.embedding.vocabulary.row(word)
        return [] if row is None else target.nearest(source.unit[row], count, penalty=self._hubs / 2)

    def forms(self, side: str, word: str) -> list[str]:
        """Words of the same beginning that are near it: most likely other forms of it."""
        return self._sides[side].forms(word)

    def groups(self, words: Sequence[str]) -> np.ndarray:
        """The number of each source word's group of similar words; words without a vector have one each."""
        side = self._sides["source"]
        numbers = np.empty(len(side.embedding), np.int64)
        for number, rows in enumerate(Clusters.of(side.unit).members()):
            numbers[rows] = number
        rows = side.embedding.vocabulary.rows
        return np.array([numbers[rows[w]] if w in rows else -1 - at for at, w in enumerate(words)], np.int64)


class _Side:
    def __init__(self, embedding: Embedding) -> None:
        self.embedding = embedding
        self.unit = unit(np.asarray(embedding.vectors))

    def nearest(
        self, vector: np.ndarray, count: int, but: int = -1, penalty: np.ndarray | float = 0.0
    ) -> list[str]:
        scores = self.unit @ vector - penalty
        if but >= 0:
            scores[but] = -np.inf
        words = self.embedding.words
        return [words[row] for row in _highest(scores, count) if np.isfinite(scores[row])]

    @cached_property
    def _sorted(self) -> list[tuple[str, int]]:
        return sorted((word, row) for row, word in enumerate(self.embedding.words))

    def forms(self, word: str) -> list[str]:
        row = self.embedding.vocabulary.row(word)
        if row is None or len(word) < 3:
            return []
        beginning = word[: max(3, len(word) - 3)]
        first = bisect_left(self._sorted, (beginning, -1))
        some = self._sorted[first : first + _LOOKED_AT]
        rows = np.array([at for other, at in some if other.startswith(beginning) and at != row], np.int64)
        cosines = self.unit[rows] @ self.unit[row]
        return [self.embedding.words[rows[at]] for at in _highest(cosines, FORMS) if cosines[at] >= _ALIKE]


def _highest(scores: np.ndarray, count: int) -> list[int]:
    size = min(count, len(scores))
    some = np.argpartition(-scores, size - 1)[:size] if size else np.zeros(0, np.int64)
    return some[np.argsort(-scores[some], kind="stable")].tolist()
