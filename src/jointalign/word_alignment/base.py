"""Parallel text as numbers, and the links between its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from jointalign.errors import JointalignError
from jointalign.progress import Progress

Words = Sequence[str]


@dataclass(frozen=True)
class Computation:
    """How learning and linking are computed; of models it says nothing.

    Args:
        seed: The only source of randomness; the diagonal aligner has none.
        threads: How many; `None` for all processors. The result is the same for any number.
        progress: Told of passes or iterations done.
    """

    seed: int = 0
    threads: int | None = None
    progress: Progress | None = None

    def part(self, number: int, parts: int) -> Computation:
        """That of one of equal parts of the work, which is told as part of the whole."""

        def report(done: float, total: float | None, note: str = "") -> None:
            if self.progress is not None and total is not None:
                self.progress(done + number * total, parts * total, note)

        return replace(self, progress=report)

    def counter(self, total: int) -> Callable[[], None]:
        """Tells of one step more whenever it is called."""
        done = count(1)

        def report() -> None:
            if self.progress is not None:
                self.progress(next(done), total)

        return report


DEFAULT = Computation()
"""Seed 0, all processors, and nobody is told."""


@dataclass(frozen=True, eq=False)
class TextSide:
    """One language of a parallel text.

    Args:
        words: Its distinct words, by first occurrence.
        tokens: The text, each token a position in `words`, int32 `(t,)`.
        starts: Where each sentence begins in `tokens`, and the end, int64 `(s + 1,)`.
    """

    words: tuple[str, ...]
    tokens: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.starts) - 1

    def __getitem__(self, sentence: int) -> list[str]:
        """The words of a sentence."""
        first, last = self.starts[sentence], self.starts[sentence + 1]
        return [self.words[token] for token in self.tokens[first:last]]


@dataclass(frozen=True, eq=False)
class ParallelText:
    """Sentence pairs, each language as numbers: four bytes a token.

    Args:
        source: The source language.
        target: The target language, with as many sentences; sentence `i` translates sentence `i`.

    Example:
        >>> text = ParallelText.of([(["the", "house"], ["la", "casa"]), (["the"], [])])
        >>> len(text), text.empty, text.source[0], text.target.tokens.tolist()
        (2, 1, ['the', 'house'], [0, 1])
    """

    source: TextSide
    target: TextSide

    def __post_init__(self) -> None:
        if len(self.source) != len(self.target):
            raise JointalignError(
                f"a parallel text has as many source as target sentences, got {len(self.source)} "
                f"and {len(self.target)}; check that both come from the same lines"
            )

    @classmethod
    def of(cls, pairs: Iterable[tuple[Words, Words]]) -> ParallelText:
        """Number the words of sentence pairs, in one pass."""
        source, target = _Numbering(), _Numbering()
        for one, other in pairs:
            source.add(one)
            target.add(other)
        return cls(source.side(), target.side())

    def __len__(self) -> int:
        """Number of sentence pairs."""
        return len(self.source)

    @property
    def empty(self) -> int:
        """Pairs with a side that has no word: they keep their place, and have no link."""
        return int(np.sum((np.diff(self.source.starts) == 0) | (np.diff(self.target.starts) == 0)))


class _Numbering:
    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._blocks: list[np.ndarray] = []
        self._lengths: list[int] = []

    def add(self, words: Words) -> None:
        numbers = self._numbers
        block = [numbers.setdefault(word, len(numbers)) for word in words]
        self._blocks.append(np.array(block, np.int32))
        self._lengths.append(len(block))

    def side(self) -> TextSide:
        tokens = np.concatenate([np.zeros(0, np.int32), *self._blocks])
        return TextSide(tuple(self._numbers), tokens, starts_of(np.array(self._lengths, np.int64)))


def starts_of(lengths: np.ndarray) -> np.ndarray:
    """Where stretches of these lengths begin one after the other, and the end, `(n + 1,)`."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


@dataclass(frozen=True, eq=False)
class Links:
    """Word alignments of many sentence pairs.

    Args:
        pairs: Positions of a source and a target word, both from 0, int32 `(l, 2)`; within a
            sentence by source, then target position.
        starts: Where each sentence begins in `pairs`, and the end, int64 `(s + 1,)`.

    Example:
        >>> links = Links.of([[(1, 0), (0, 0)], []])
        >>> list(links.lines())
        ['0-0 1-0', '']
        >>> links[0].tolist()
        [[0, 0], [1, 0]]
    """

    pairs: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, sentences: Iterable[Iterable[Sequence[int]]]) -> Links:
        """From the links of each sentence, in any order; repeated ones count once."""
        ordered = [sorted({(int(i), int(j)) for i, j in links}) for links in sentences]
        flat = [link for links in ordered for link in links]
        lengths = np.array([len(links) for links in ordered], np.int64)
        return cls(np.array(flat, np.int32).reshape(-1, 2), starts_of(lengths))

    def __len__(self) -> int:
        """Number of sentence pairs."""
        return len(self.starts) - 1

    def __getitem__(self, sentence: int) -> np.ndarray:
        """Links of a sentence pair, `(l, 2)`."""
        return self.pairs[self.starts[sentence] : self.starts[sentence + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Links of one sentence pair after the other."""
        return (self[sentence] for sentence in range(len(self)))

    def lines(self) -> Iterator[str]:
        """In Pharaoh's form, `0-0 1-2`: a line for each sentence pair, empty for no link."""
        for links in self:
            yield " ".join(f"{source}-{target}" for source, target in links.tolist())


@dataclass(frozen=True, eq=False)
class GeneratedLinks:
    """What was learnt with one language generating the other.

    Args:
        best: For each generated token the position of its word in the other sentence, -1 for NULL,
            int32 `(t,)`.
        history: What an aligner tells of its iterations, by name.
        chances: The probability of each of these links, float32 `(t,)`; `None` if it has none.
        likely: All links with a probability of 0.01 or more, and these, float32 `(l,)`.
    """

    best: np.ndarray
    history: Mapping[str, tuple[float, ...]]
    chances: np.ndarray | None = None
    likely: tuple[Links, np.ndarray] | None = None


Ways = tuple[GeneratedLinks, GeneratedLinks]
"""The target generated by the source, and the source by the target."""


class TextModel(Protocol):
    """What was learnt from a text: `BayesianModel`, `DiagonalModel`."""

    def align(self, text: ParallelText, computation: Computation = ...) -> Ways:
        """Links of other text."""
        ...


Model = TypeVar("Model", bound=TextModel, covariant=True)


class Learnt(NamedTuple, Generic[Model]):
    """What learning from a text gives.

    Args:
        model: Links other text.
        ways: Links of the text itself.
    """

    model: Model
    ways: Ways


@dataclass(frozen=True, eq=False)
class Gold:
    """Links drawn by people for some sentence pairs.

    Args:
        sure: Those that must be there.
        possible: Those that may be there, the sure ones among them.
    """

    sure: Links
    possible: Links

    def __len__(self) -> int:
        """Number of sentence pairs."""
        return len(self.sure)
