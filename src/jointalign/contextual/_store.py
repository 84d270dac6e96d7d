"""Features on disk: half precision, one row after the other, mapped into memory when read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES, Extracted, extract, halved
from jointalign.contextual._mapping import FeatureSide, LayerMappings
from jointalign.contextual.base import Combine, FeatureSettings, Pooling, resolved
from jointalign.errors import JointalignError
from jointalign.progress import Progress
from jointalign.storage.bundle import INFO, Bundle, BundleWriter, Kind, Note, read_bundle
from jointalign.storage.facts import Number, fits, typed
from jointalign.storage.stages import locked

_MARKER = "features"
_CURE = "`jointalign features` makes them, and goes on where it was stopped"
SAVE_SECONDS = 30.0


class _State(TypedDict):
    """What reading goes by; there is more."""

    layers: tuple[Number, ...]
    pooling: Pooling


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
        facts: How they were made, and how many there are.
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
            FormatError: If a file is not of the size that it was written with.
        """
        arrays, note = read_bundle(folder, "features", _CURE)
        with fits(Path(folder) / INFO, "what features say of themselves", _CURE):
            state = typed(note.state, _State)
            width = next(
                (kind.width for name, kind in note.kinds.items() if name.startswith("vectors")), None
            )
            if note.kinds != _kinds(state["layers"], "vectors" in note.kinds, width or 0):
                raise JointalignError("its arrays are not those of features")
            store = cls(
                tuple(array for name, array in arrays.items() if name.startswith("vectors")),
                state["layers"],
                arrays["starts"],
                arrays["firsts"] if state["pooling"] == Pooling.PIECES else None,
                arrays["word_starts"],
                arrays["words"],
                {**note.facts, **note.state},
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
        return self.vectors[0].shape[1]

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


def write_features(
    encoder: Encoder,
    sentences: Iterable[Sequence[str]],
    folder: str | Path,
    settings: FeatureSettings | None = None,
    *,
    mappings: LayerMappings | None = None,
    side: FeatureSide = FeatureSide.SOURCE,
    language: str | None = None,
    batch_pieces: int = BATCH_PIECES,
    facts: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> FeatureStore:
    """Extract features of sentences into a folder; stopped, it goes on where it was.

    Args:
        encoder: What gives the vectors.
        sentences: Words of each, the same when it is called again with the same facts.
        folder: Where the files go; made if missing.
        settings: What is kept; `None` for the defaults.
        mappings: What moves each layer first; `None`: nothing.
        side: Which side's map.
        language: For encoders that are told the language.
        batch_pieces: Pieces, with padding, that go through the encoder at once.
        facts: What tells the text from others, by name. Without them, features in the folder that
            were made without them, too, are made anew.
        progress: Told the sentences done.

    Raises:
        OtherWorkError: If the folder holds features of other settings, finished or not.
        JointalignError: If the folder holds something else or cannot be written, another process
            works in it, the mapping is another encoder's, or a value is too large for half
            precision.
    """
    settings, folder = settings or FeatureSettings(), Path(folder)
    layers = resolved(settings.layers, encoder.layers)
    if mappings is not None:
        mappings.check_encoder(encoder.name, encoder.identity)
    decisive = {
        **(facts or {}),
        "language": language,
        "encoder": encoder.identity or encoder.name,
        "layers": layers,
        "pooling": settings.pooling,
        "combine": settings.combine,
        "mapping": mappings and mappings.digest(),
        "side": mappings and side,
    }
    bundle = Bundle(folder, decisive, _kinds(layers, settings.combine is Combine.SUM, encoder.dimensions))
    with locked(folder, _MARKER):
        found = bundle.load()
        begun = found if facts else None
        if begun is None or not begun.complete:
            with bundle.writing(begun) as out:
                writer = _Writer(out, begun, layers, settings)
                seen = _Noted(islice(sentences, writer.count["sentences"], None))
                for part in extract(
                    encoder, seen, layers, settings.pooling, batch_pieces=batch_pieces, language=language
                ):
                    vectors = halved(part.vectors, layers, settings.combine, mappings, side)
                    writer.add(part, vectors, seen.taken(len(part.starts) - 1))
                    if progress is not None:
                        done = writer.count["sentences"]
                        progress(done, None, f"{done} sentences")
                out.finish(writer.state)
    return FeatureStore.open(folder)


def _kinds(layers: Sequence[int], summed: bool, dimensions: int) -> dict[str, Kind]:
    names = ["vectors"] if summed else [f"vectors-{layer}" for layer in layers]
    one = Kind("<i8")
    vectors = dict.fromkeys(names, Kind("<f2", dimensions))
    return {**vectors, "starts": one, "word_starts": one, "firsts": one, "words": Kind("<u8")}


class _Noted:
    """Sentences as they pass, and digests of those that have."""

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        self._sentences, self._digests = sentences, list[int]()

    def __iter__(self) -> Iterator[Sequence[str]]:
        for words in self._sentences:
            self._digests.append(sentence_digest(words))
            yield words

    def taken(self, count: int) -> np.ndarray:
        """Digests of the next so many that have not been taken, uint64 `(count,)`."""
        first, self._digests = self._digests[:count], self._digests[count:]
        return np.array(first, np.uint64)


class _Writer:
    """Appends what was extracted, and notes from time to time how far it is."""

    def __init__(
        self, out: BundleWriter, begun: Note | None, layers: Sequence[int], settings: FeatureSettings
    ) -> None:
        self._out, self._saved = out, time.monotonic()
        self._settings = {"layers": list(layers), "pooling": settings.pooling}
        names = "sentences", "rows", "words", "windows"
        self.count = {name: 0 if begun is None else begun.state[name] for name in names}
        if begun is None:
            for name in ("starts", "word_starts"):
                out.append(name, np.zeros(1))

    @property
    def state(self) -> dict[str, Any]:
        """How far it is."""
        return self._settings | self.count

    def add(self, part: Extracted, vectors: np.ndarray, digests: np.ndarray) -> None:
        """Append the vectors of some sentences, `(arrays, rows, d)`."""
        names = [name for name in self._out.names if name.startswith("vectors")]
        for name, rows in zip(names, vectors, strict=True):
            self._out.append(name, rows)
        self._out.append("starts", part.starts[1:] + self.count["rows"])
        self._out.append("word_starts", part.word_starts[1:] + self.count["words"])
        if part.firsts is not None:
            self._out.append("firsts", part.firsts)
        self._out.append("words", digests)
        more = len(digests), int(part.starts[-1]), int(part.word_starts[-1]), part.windows
        for name, size in zip(self.count, more, strict=True):
            self.count[name] += size
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._out.note(self.state)
            self._saved = time.monotonic()
