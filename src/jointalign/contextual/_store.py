"""Features on disk: half precision, one row after the other, mapped into memory when read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np

from jointalign.contextual.base import Pooling
from jointalign.errors import FormatError, JointalignError
from jointalign.ranges import Range
from jointalign.storage.facts import Number, fits, typed

INFO = "info.json"
STARTS, WORD_STARTS, FIRSTS, DIGESTS = ("starts.bin", "word_starts.bin", "firsts.bin", "words.bin")
LAYOUT = 1
_CURE = "the same `jointalign features` command, into an empty folder, makes them again"


class _Facts(TypedDict):
    """What reading goes by; there is more."""

    sizes: dict[str, Number]
    layers: tuple[Number, ...]
    pooling: Pooling
    dimensions: Annotated[int, Range(least=1, most=1 << 20)]


@dataclass(frozen=True, eq=False)
class FeatureStore:
    """Vectors of sentences, in files that are mapped into memory, not read.

    Args:
        vectors: For each layer, or for their sum, float16 `(rows, d)`, read-only.
        layers: Which layers, counted from 0.
        starts: Where each sentence's rows begin, and the end, int64 `(s + 1,)`.
        firsts: Row of each word's first piece, counted from its sentence's start, int64 `(w,)`;
            `None` where rows are words.
        word_starts: Where each sentence's words begin in `firsts`, and the end, int64 `(s + 1,)`.
        digests: Of each sentence's words, uint64 `(s,)`, as `sentence_digest` gives it.
        facts: How they were made.
    """

    vectors: tuple[np.ndarray, ...]
    layers: tuple[int, ...]
    starts: np.ndarray
    firsts: np.ndarray | None
    word_starts: np.ndarray
    digests: np.ndarray
    facts: dict[str, Any]

    @classmethod
    def open(cls, folder: str | Path) -> FeatureStore:
        """Open what `write_features` has written.

        Raises:
            JointalignError: If the folder holds no features, or is not complete.
        """
        folder = Path(folder)
        facts = read_json(folder / INFO)
        if facts is None or facts.get("layout") != LAYOUT:
            raise JointalignError(
                f"{folder}: no complete features here; make them with `jointalign features`, which "
                "goes on where it was stopped"
            )
        with fits(folder / INFO, "what features say of themselves", _CURE):
            typed(facts, _Facts)
        for name, size in facts["sizes"].items():
            if (found := size_of(folder / name)) != size:
                reason = f"expected {size} bytes, got {'no file' if found is None else found}"
                cure = "the same `jointalign features` command makes it again"
                raise FormatError(folder / name, None, f"{reason}; {cure}")
        with fits(folder, "features", _CURE):
            shape = -1, facts["dimensions"]
            names = [name for name in facts["sizes"] if name.startswith("vectors")]
            store = cls(
                tuple(_mapped(folder / name, "<f2").reshape(shape) for name in names),
                tuple(facts["layers"]),
                _mapped(folder / STARTS, "<i8"),
                _mapped(folder / FIRSTS, "<i8") if facts["pooling"] == "pieces" else None,
                _mapped(folder / WORD_STARTS, "<i8"),
                _mapped(folder / DIGESTS, "<u8"),
                facts,
            )
            store.check()
            return store

    def check(self) -> None:
        """Make sure that what points to rows stays inside them; vectors are not looked at.

        Raises:
            JointalignError: If it does not.
        """
        rows = {len(vectors) for vectors in self.vectors}
        words = self.word_starts
        sized = len(rows) == 1 and len(self.starts) == len(words) == len(self.digests) + 1
        if not sized or len(self.vectors) not in (1, len(self.layers)):
            raise JointalignError("there are not as many sentences or rows in one file as in another")
        for starts in (self.starts, words):
            if starts[0] != 0 or np.any(np.diff(starts) < 0):
                raise JointalignError("sentences do not follow one another")
        if self.starts[-1] != rows.pop() or (self.firsts is not None and words[-1] != len(self.firsts)):
            raise JointalignError("the sentences do not end where the rows do")
        if self.firsts is None:
            if not np.array_equal(self.starts, words):
                raise JointalignError("there is not one row a word")
        elif len(self.firsts):
            limits = np.repeat(np.diff(self.starts), np.diff(words))
            if self.firsts.min() < 0 or np.any(self.firsts >= limits):
                raise JointalignError("a word begins outside its sentence")

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.starts) - 1

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.facts["dimensions"])

    def sentence(self, number: int) -> np.ndarray:
        """Vectors of a sentence, float16 `(layers, rows, d)`; one layer where they are summed.

        Raises:
            JointalignError: If they are damaged.
        """
        rows = slice(self.starts[number], self.starts[number + 1])
        found = np.stack([vectors[rows] for vectors in self.vectors])
        if not np.isfinite(found).all():
            raise JointalignError(f"features: sentence {number + 1} holds NaN or infinity; {_CURE}")
        return found

    def first_pieces(self, number: int) -> np.ndarray:
        """Rows of a sentence's words, counted from its start, int64 `(words,)`."""
        words = slice(self.word_starts[number], self.word_starts[number + 1])
        if self.firsts is None:
            return np.arange(words.stop - words.start)
        return np.asarray(self.firsts[words])

    @cached_property
    def rows_of(self) -> dict[int, int]:
        """A sentence for each digest."""
        return {digest: row for row, digest in enumerate(self.digests.tolist())}


def sentence_digest(words: Sequence[str]) -> int:
    """64 bits that tell a sentence from others."""
    text = "\x1f".join(words).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def size_of(path: Path) -> int | None:
    """Size of a file in bytes; `None` if there is none."""
    return path.stat().st_size if path.is_file() else None


def read_json(path: Path) -> dict[str, Any] | None:
    """An object from a file; `None` if there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _mapped(path: Path, kind: str) -> np.ndarray:
    if path.stat().st_size == 0:
        return np.zeros(0, kind)
    return np.memmap(path, kind, "r")
