"""Features on disk: half precision, one row after the other, mapped into memory when read."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES, Extracted, extract, halved
from jointalign.contextual._mapping import LayerMappings, Side
from jointalign.contextual.base import Combine, FeatureSettings, resolved
from jointalign.errors import FormatError, JointalignError
from jointalign.files import atomic, check_folder, plain_errors
from jointalign.progress import Progress

_INFO, _PARTIAL = "info.json", "partial.json"
_STARTS, _WORD_STARTS, _FIRSTS, _DIGESTS = (
    "starts.bin",
    "word_starts.bin",
    "firsts.bin",
    "words.bin",
)
_LAYOUT = 1
SAVE_SECONDS = 30.0


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
        facts = _read_json(folder / _INFO)
        if facts is None or facts.get("layout") != _LAYOUT:
            raise JointalignError(
                f"{folder}: no complete features here; make them with `jointalign features`, which "
                "goes on where it was stopped"
            )
        for name, size in facts["sizes"].items():
            if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                raise FormatError(folder / name, None, f"expected a file of {size} bytes")
        shape = -1, facts["dimensions"]
        names = [name for name in facts["sizes"] if name.startswith("vectors")]
        return cls(
            tuple(_mapped(folder / name, "<f2").reshape(shape) for name in names),
            tuple(facts["layers"]),
            _mapped(folder / _STARTS, "<i8"),
            _mapped(folder / _FIRSTS, "<i8") if facts["pooling"] == "pieces" else None,
            _mapped(folder / _WORD_STARTS, "<i8"),
            _mapped(folder / _DIGESTS, "<u8"),
            facts,
        )

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.starts) - 1

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.facts["dimensions"])

    def sentence(self, number: int) -> np.ndarray:
        """Vectors of a sentence, float16 `(layers, rows, d)`; one layer where they are summed."""
        rows = slice(self.starts[number], self.starts[number + 1])
        return np.stack([vectors[rows] for vectors in self.vectors])

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


def write_features(
    encoder: Encoder,
    sentences: Iterable[Sequence[str]],
    folder: str | Path,
    settings: FeatureSettings | None = None,
    *,
    mappings: LayerMappings | None = None,
    side: Side = Side.SOURCE,
    language: str | None = None,
    batch_pieces: int = BATCH_PIECES,
    key: str = "",
    progress: Progress | None = None,
) -> FeatureStore:
    """Extract features of sentences into a folder; stopped, it goes on where it was.

    Args:
        encoder: What gives the vectors.
        sentences: Words of each, the same when it is called again with the same key.
        folder: Where the files go; replaced if it holds other features.
        settings: What is kept; `None` for the defaults.
        mappings: What moves each layer first; `None`: nothing.
        side: Which side's map.
        language: For encoders that are told the language.
        batch_pieces: Pieces, with padding, that go through the encoder at once.
        key: What the features depend on, besides the settings: the text and the mapping. Without a
            key, work that was stopped begins anew.
        progress: Told the sentences done.

    Raises:
        JointalignError: If the folder cannot be written, or a value is too large for half
            precision.
    """
    settings, folder = settings or FeatureSettings(), Path(folder)
    layers = resolved(settings.layers, encoder.layers)
    writer = _Writer(folder, encoder, settings, layers, key)
    with plain_errors(folder):
        done = writer.begin()
        if done < 0:
            return FeatureStore.open(folder)
        stream = iter(sentences)
        for words in islice(stream, done):
            del words  # their features are there
        seen: list[int] = []

        def noted() -> Iterable[Sequence[str]]:
            for words in stream:
                seen.append(sentence_digest(words))
                yield words

        found = extract(
            encoder, noted(), layers, settings.pooling, batch_pieces=batch_pieces, language=language
        )
        for part in found:
            count = len(part.starts) - 1
            vectors = halved(part.vectors, layers, settings.combine, mappings, side)
            writer.add(part, vectors, seen[:count])
            del seen[:count]
            if progress is not None:
                progress(writer.sentences, None, f"{writer.sentences} sentences")
        writer.finish()
    return FeatureStore.open(folder)


class _Writer:
    """Appends to the files, and notes from time to time how far it is."""

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        settings: FeatureSettings,
        layers: tuple[int, ...],
        key: str,
    ) -> None:
        self._folder, self.sentences = folder, 0
        self._rows = self._words = self._windows = 0
        summed = settings.combine is Combine.SUM
        self._vectors = ["vectors.bin"] if summed else [f"vectors-{layer}.bin" for layer in layers]
        self._names = [*self._vectors, _STARTS, _WORD_STARTS, _FIRSTS, _DIGESTS]
        self._facts = {
            "layout": _LAYOUT, "key": key, **asdict(settings), "layers": list(layers),
            "dimensions": encoder.dimensions, "encoder": encoder.name,
        }  # fmt: skip
        self._files: dict[str, IO[bytes]] = {}
        self._saved = time.monotonic()

    def begin(self) -> int:
        """Open the files; returns the sentences that are in them, -1 if all are."""
        check_folder(self._folder)
        key = self._facts["key"]
        whole, partial = (_read_json(self._folder / name) for name in (_INFO, _PARTIAL))
        if key and whole is not None and self._is_mine(whole):
            return -1
        (self._folder / _INFO).unlink(missing_ok=True)
        sizes = dict.fromkeys(self._names, 0)
        if key and partial is not None and self._is_mine(partial):
            self.sentences, self._windows = partial["sentences"], partial["windows"]
            self._rows, self._words = partial["rows"], partial["words"]
            sizes = partial["sizes"]
        for name in self._names:
            (self._folder / name).touch()
            file = (self._folder / name).open("r+b")
            file.truncate(sizes[name])
            file.seek(sizes[name])
            self._files[name] = file
        if not self.sentences:
            for name in (_STARTS, _WORD_STARTS):
                self._files[name].write(bytes(8))
        return self.sentences

    def _is_mine(self, facts: dict[str, Any]) -> bool:
        return all(facts.get(name) == value for name, value in self._facts.items())

    def add(self, part: Extracted, vectors: np.ndarray, digests: list[int]) -> None:
        """Append the vectors of some sentences, `(arrays, rows, d)`."""
        for name, rows in zip(self._vectors, vectors, strict=True):
            self._files[name].write(rows.tobytes())
        self._files[_STARTS].write((part.starts[1:] + self._rows).astype("<i8").tobytes())
        self._files[_WORD_STARTS].write(
            (part.word_starts[1:] + self._words).astype("<i8").tobytes()
        )
        if part.firsts is not None:
            self._files[_FIRSTS].write(part.firsts.astype("<i8").tobytes())
        self._files[_DIGESTS].write(np.array(digests, "<u8").tobytes())
        self.sentences += len(part.starts) - 1
        self._rows += int(part.starts[-1])
        self._words += int(part.word_starts[-1])
        self._windows += part.windows
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._note(_PARTIAL)
            self._saved = time.monotonic()

    def _note(self, name: str) -> None:
        sizes = {}
        for part, file in self._files.items():
            file.flush()
            sizes[part] = file.tell()
        facts = {
            **self._facts, "sizes": sizes, "sentences": self.sentences, "rows": self._rows,
            "words": self._words, "windows": self._windows,
        }  # fmt: skip
        with atomic(self._folder / name, "w") as out:
            json.dump(facts, out, indent=2)

    def finish(self) -> None:
        """Close the files and vouch for them."""
        self._note(_INFO)
        for file in self._files.values():
            file.close()
        (self._folder / _PARTIAL).unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _mapped(path: Path, kind: str) -> np.ndarray:
    if path.stat().st_size == 0:
        return np.zeros(0, kind)
    return np.memmap(path, kind, "r")
