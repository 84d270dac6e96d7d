"""Writing features: bit by bit, so that what was stopped goes on where it was."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES, Extracted, extract, halved
from jointalign.contextual._mapping import FeatureSide, LayerMappings
from jointalign.contextual._store import (
    DIGESTS,
    FIRSTS,
    INFO,
    LAYOUT,
    STARTS,
    WORD_STARTS,
    FeatureStore,
    read_json,
    sentence_digest,
    size_of,
)
from jointalign.contextual.base import Combine, FeatureSettings, resolved
from jointalign.progress import Progress
from jointalign.storage.files import atomic, plain_errors
from jointalign.storage.stages import locked

logger = logging.getLogger(__name__)

_PARTIAL, _MARKER = "partial.json", "features"
SAVE_SECONDS = 30.0


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
    key: str = "",
    progress: Progress | None = None,
) -> FeatureStore:
    """Extract features of sentences into a folder; stopped, it goes on where it was.

    Args:
        encoder: What gives the vectors.
        sentences: Words of each, the same when it is called again with the same key.
        folder: Where the files go; made if missing, replaced if it holds other features.
        settings: What is kept; `None` for the defaults.
        mappings: What moves each layer first; `None`: nothing.
        side: Which side's map.
        language: For encoders that are told the language.
        batch_pieces: Pieces, with padding, that go through the encoder at once.
        key: What the features depend on, besides the settings and the encoder: the text and the
            mapping. Without a key, work that was stopped begins anew.
        progress: Told the sentences done.

    Raises:
        JointalignError: If the folder holds something else or cannot be written, another process
            works in it, the mapping is another encoder's, or a value is too large for half
            precision.
    """
    settings, folder = settings or FeatureSettings(), Path(folder)
    layers = resolved(settings.layers, encoder.layers)
    if mappings is not None:
        mappings.check_encoder(encoder.name, encoder.identity)
    writer = _Writer(folder, encoder, settings, layers, key)
    with _claimed(folder), plain_errors(folder):
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


def _claimed(folder: Path) -> AbstractContextManager[None]:
    """Claim a folder; one without our mark is ours, too, if notes of features are in it."""
    notes = [read_json(folder / name) for name in (INFO, _PARTIAL)]
    if any(note is not None and "layout" in note and "sizes" in note for note in notes):
        with plain_errors(folder):
            (folder / _MARKER).mkdir(exist_ok=True)
    return locked(folder, _MARKER)


class _Writer:
    """Appends to the files, and notes from time to time how far it is."""

    def __init__(
        self, folder: Path, encoder: Encoder, settings: FeatureSettings, layers: tuple[int, ...], key: str
    ) -> None:
        self._folder, self.sentences = folder, 0
        self._rows = self._words = self._windows = 0
        summed = settings.combine is Combine.SUM
        self._vectors = ["vectors.bin"] if summed else [f"vectors-{layer}.bin" for layer in layers]
        self._names = [*self._vectors, STARTS, WORD_STARTS, FIRSTS, DIGESTS]
        self._facts = {
            "layout": LAYOUT,
            "key": key,
            **asdict(settings),
            "layers": list(layers),
            "dimensions": encoder.dimensions,
            "encoder": encoder.name,
            "encoder_identity": encoder.identity,
        }
        self._files: dict[str, IO[bytes]] = {}
        self._saved = time.monotonic()

    def begin(self) -> int:
        """Open the files; returns the sentences that are in them, -1 if all are."""
        key = self._facts["key"]
        whole, partial = (read_json(self._folder / name) for name in (INFO, _PARTIAL))
        if key and whole is not None and self._is_mine(whole):
            if all(size_of(self._folder / name) == size for name, size in whole["sizes"].items()):
                return -1
            logger.warning("%s: a file is damaged or lost; all is made again", self._folder)
        (self._folder / INFO).unlink(missing_ok=True)
        sizes = dict.fromkeys(self._names, 0)
        if key and partial is not None and self._is_mine(partial) and self._is_there(partial):
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
            for name in (STARTS, WORD_STARTS):
                self._files[name].write(bytes(8))
        return self.sentences

    def _is_mine(self, facts: dict[str, Any]) -> bool:
        return all(facts.get(name) == value for name, value in self._facts.items())

    def _is_there(self, facts: dict[str, Any]) -> bool:
        """Whether the files have all that was noted; a disk may lose what was written last."""
        sizes = {name: size_of(self._folder / name) or 0 for name in self._names}
        return all(sizes[name] >= facts["sizes"][name] for name in self._names)

    def add(self, part: Extracted, vectors: np.ndarray, digests: list[int]) -> None:
        """Append the vectors of some sentences, `(arrays, rows, d)`."""
        for name, rows in zip(self._vectors, vectors, strict=True):
            self._files[name].write(rows.tobytes())
        self._files[STARTS].write((part.starts[1:] + self._rows).astype("<i8").tobytes())
        self._files[WORD_STARTS].write((part.word_starts[1:] + self._words).astype("<i8").tobytes())
        if part.firsts is not None:
            self._files[FIRSTS].write(part.firsts.astype("<i8").tobytes())
        self._files[DIGESTS].write(np.array(digests, "<u8").tobytes())
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
            os.fsync(file.fileno())  # a note must never vouch for what is not on the disk
            sizes[part] = file.tell()
        facts = {
            **self._facts,
            "sizes": sizes,
            "sentences": self.sentences,
            "rows": self._rows,
            "words": self._words,
            "windows": self._windows,
        }
        with atomic(self._folder / name, "w") as out:
            json.dump(facts, out, indent=2)

    def finish(self) -> None:
        """Close the files and vouch for them."""
        self._note(INFO)
        for file in self._files.values():
            file.close()
        (self._folder / _PARTIAL).unlink(missing_ok=True)
