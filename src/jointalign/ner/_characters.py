"""Words as rows of characters, and an LSTM over them: how a tagger sees case, endings and names."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jointalign.ner._torch import import_torch, lstm, random_state_kept, turned
from jointalign.ner.base import Sentence

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

UNKNOWN = 0
"""Row of characters that were never learnt, and of padding."""

SWAPPED = 0.02
"""Share of characters taken for unknown while learning, so that the unknown one means something."""

_WORDS_AT_ONCE = 4096


@dataclass(frozen=True)
class Alphabet:
    """The characters that are told apart, the most frequent first; each has a row from 1 on."""

    characters: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[Sentence]) -> Alphabet:
        """All characters of some sentences."""
        seen = Counter(letter for s in sentences for word in s.words for letter in word)
        return cls(tuple(letter for letter, _ in sorted(seen.items(), key=lambda e: (-e[1], e[0]))))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {letter: row for row, letter in enumerate(self.characters, 1)}

    def rows(self, word: str) -> list[int]:
        """A row for each character; one that is unknown counts as its letter without accents."""
        found = []
        for letter in word:
            row = self._rows.get(letter, UNKNOWN)
            if not row:
                row = self._rows.get(unicodedata.normalize("NFD", letter)[0], UNKNOWN)
            found.append(row)
        return found

    def __len__(self) -> int:
        return len(self.characters)


@dataclass(frozen=True, eq=False)
class Spellings:
    """Distinct words as rows of characters, one after the other.

    Args:
        letters: Rows of all characters, int64.
        ends: Where each word ends in `letters`, int64 `(n,)`.
    """

    letters: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, words: Sequence[str], alphabet: Alphabet) -> Spellings:
        """Spell some words."""
        spelt = [alphabet.rows(word) or [UNKNOWN] for word in words]
        flat = [row for rows in spelt for row in rows]
        return cls(np.array(flat, np.int64), np.cumsum([len(rows) for rows in spelt], dtype=np.int64))

    @cached_property
    def lengths(self) -> np.ndarray:
        """Characters of each word, int64 `(n,)`."""
        return np.diff(self.ends, prepend=0)

    def padded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Characters of some words, `(u, c)`, `UNKNOWN` beyond their ends, and their lengths."""
        lengths = self.lengths[rows]
        places = np.arange(lengths.max())[None]
        inside = places < lengths[:, None]
        begins = (self.ends[rows] - lengths)[:, None]
        return np.where(inside, self.letters[np.where(inside, begins + places, 0)], UNKNOWN), lengths

    def __len__(self) -> int:
        return len(self.ends)


def character_network(alphabet: Alphabet, dimensions: int, hidden: int, seed: Generator) -> Module:
    """The learnt parts: a vector for each character and an LSTM in each direction."""
    nn = import_torch().nn
    with random_state_kept():
        letters = nn.Embedding(len(alphabet) + 1, dimensions)
    bound = (3 / dimensions) ** 0.5  # variance 1 / dimensions, as in Lample et al.'s code
    nn.init.uniform_(letters.weight, -bound, bound, generator=seed)
    ways = {way: lstm(dimensions, hidden, seed) for way in ("forwards", "backwards")}
    return nn.ModuleDict({"letters": letters, **ways})


def character_vectors(
    network: Module, spellings: Spellings, rows: np.ndarray, generator: Generator | None = None
) -> Tensor:
    """What both LSTMs know after their last character of some words, `(u, 2 h)`.

    Args:
        network: As `character_network` makes it.
        spellings: Of all words.
        rows: Which of them.
        generator: Of the noise while learning; `None`: no noise.
    """
    torch = import_torch()
    device = network["letters"].weight.device  # type: ignore[index]
    padded, ends = spellings.padded(rows)
    letters = torch.from_numpy(padded).to(device)
    lengths = torch.from_numpy(ends).to(device)
    if generator is not None:
        swapped = torch.empty(letters.shape, device=device).bernoulli_(SWAPPED, generator=generator)
        letters = letters.masked_fill(swapped.bool(), UNKNOWN)
    last = lengths[:, None, None] - 1
    found = []
    for way, order in (("forwards", letters), ("backwards", None)):
        if order is None:
            order = letters.gather(1, turned(lengths, letters.shape[1]))
        outputs = network[way](network["letters"](order))[0]  # type: ignore[index]
        found.append(outputs.gather(1, last.expand(-1, 1, outputs.shape[2])).squeeze(1))
    return torch.cat(found, 1)


def character_table(network: Module, spellings: Spellings) -> Tensor:
    """Vectors of all words, `(n, 2 h)`, without noise; words of like length go together."""
    torch = import_torch()
    order = np.argsort(spellings.lengths, kind="stable")
    parts = [
        character_vectors(network, spellings, order[start : start + _WORDS_AT_ONCE])
        for start in range(0, len(order), _WORDS_AT_ONCE)
    ]
    table = torch.cat(parts)
    return table[torch.from_numpy(np.argsort(order, kind="stable")).to(table.device)]
