"""A corpus as numbers on disk: what training reads, made in one pass over the text."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.checks import fitting
from jointalign.corpora.corpus import Corpus, Lines, Tally, as_corpus
from jointalign.progress import Progress
from jointalign.storage.bundle import INFO, Bundle, BundleWriter, Kind, changed_file, read_bundle
from jointalign.storage.checkpoint import OtherWorkError
from jointalign.storage.compression import COMPRESSIONS
from jointalign.storage.facts import fits, typed
from jointalign.vocabulary import Counts

logger = logging.getLogger(__name__)

_KINDS = {"tokens": Kind("<i4"), "line_ends": Kind("<i8"), "words": Kind("u1"), "counts": Kind("<i8")}
FILES = (*(f"{name}.bin" for name in _KINDS), INFO)
"""Names of the files of an encoded corpus."""

_BLOCK = 1 << 22
_CURE = "remove the folder and encode the text again"


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A corpus as numbers, in files that are mapped into memory, not read.

    Args:
        counts: All words, rare ones too, with their counts.
        tokens: The text, each token a row of `counts.words`, int32 `(t,)`, read-only.
        line_ends: Number of tokens up to the end of each line, int64 `(l,)`, read-only: line `i` is
            `tokens[line_ends[i - 1] : line_ends[i]]`.
        language: Code of the language.
    """

    counts: Counts
    tokens: np.ndarray
    line_ends: np.ndarray
    language: str

    @classmethod
    def open(cls, folder: str | Path) -> EncodedCorpus:
        """Open what `encode` has written.

        The files are read once, to see that they are as they were written.

        Raises:
            JointalignError: If the folder holds no encoded corpus, or one that is incomplete.
            FormatError: If it is damaged.
        """
        arrays, note = read_bundle(folder, "encoded corpus", _CURE)
        with fits(Path(folder) / INFO, "the note of an encoded corpus", _CURE):
            if note.kinds != _KINDS:
                raise changed_file(Path(folder) / INFO, _CURE)
            tokens, line_ends = arrays["tokens"], arrays["line_ends"]
            words = arrays["words"].tobytes().decode().split("\n")
            if len(words) != len(arrays["counts"]) or not _fit(len(words), tokens, line_ends):
                raise changed_file(Path(folder) / INFO, _CURE)
            counts = Counts(tuple(words), np.array(arrays["counts"]), len(line_ends))
            return cls(counts, tokens, line_ends, typed(note.state.get("language"), str, "language"))


def encode(
    corpus: Corpus | Lines,
    folder: str | Path,
    workers: int | None = None,
    progress: Progress | None = None,
    facts: Mapping[str, Any] | None = None,
) -> EncodedCorpus:
    r"""Write a corpus to a folder as numbers, reading the text once.

    The result is the same for any number of workers. Memory holds the distinct words and a few
    stretches of text. An interrupted run leaves nothing that counts as complete.

    Args:
        corpus: The text, which remembers the counts made here; or lines in memory, as for `Corpus.of`.
        folder: Where the files go: the text and its words as raw little-endian arrays, and
            `info.json`. Made if missing.
        workers: Number of processes that cut lines into words; `None` for one a CPU.
        progress: Told the bytes of text done, of all (unknown for compressed files).
        facts: What the result depends on, by name, e.g. `corpus.facts`. If the folder holds a
            complete encoding of the same facts, that is returned; without facts, never. One of
            others, a copy of text that can be made again at any time, is replaced.

    Raises:
        JointalignError: If the corpus has no word or cannot be read, or the folder not be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "en.txt").write_text("the house\nthe old house by the sea\n")
        ...     encoded = encode(Corpus(f"{folder}/en.txt"), f"{folder}/encoded")
        ...     encoded.counts.words, encoded.tokens.tolist(), encoded.line_ends.tolist()
        (('the', 'house', 'by', 'old', 'sea'), [0, 1, 0, 3, 1, 2, 0, 4], [2, 8])
    """
    corpus = as_corpus("encode: corpus", corpus)
    for name, value, hint in (("folder", folder, str | Path), ("workers", workers, int | None)):
        fitting(f"encode: {name}", value, hint)
    bundle = Bundle(Path(folder), facts or {}, _KINDS, checked=True)
    if facts and _is_there(bundle):
        logger.info("%s: encoded before, used again", folder)
    else:
        with bundle.writing() as writer:
            _write(corpus, writer, workers, progress)
    encoded = EncodedCorpus.open(folder)
    corpus.remember(encoded.counts)
    return encoded


def _is_there(bundle: Bundle) -> bool:
    try:
        return bundle.load() is not None
    except OtherWorkError:
        return False


def _write(corpus: Corpus, writer: BundleWriter, workers: int | None, progress: Progress | None) -> None:
    tally = Tally()
    _write_numbers(corpus, tally, writer, workers, progress)
    counts, rows = tally.finish()
    tokens = writer.written("tokens")
    for start in range(0, len(tokens), _BLOCK):
        block = tokens[start : start + _BLOCK]
        block[:] = rows[block]
    tokens.flush()
    writer.append("words", np.frombuffer("\n".join(counts.words).encode(), np.uint8))
    writer.append("counts", counts.values)
    writer.finish({"language": corpus.language})


def _write_numbers(
    corpus: Corpus, tally: Tally, writer: BundleWriter, workers: int | None, progress: Progress | None
) -> None:
    """Write tokens by provisional numbers, as long as the final ones are unknown."""
    start = time.monotonic()
    size, total = 0, _size(corpus)
    end = 0
    with closing(corpus.batches(workers)) as batches:
        for batch in batches:
            writer.append("tokens", tally.add(batch))
            writer.append("line_ends", end + np.cumsum(batch.lengths))
            end += len(batch.tokens)
            size += batch.size
            if progress is not None:
                speed = end / (time.monotonic() - start + 1e-9)
                progress(size, total, f"{speed / 1e6:.1f}M words/s")


def _size(corpus: Corpus) -> int | None:
    """Bytes of text, if that is known beforehand."""
    files = [Path(path) for path in corpus.paths]
    if any(not file.is_file() or file.suffix.lower() in COMPRESSIONS for file in files):
        return None
    return sum(file.stat().st_size for file in files)


def _fit(known: int, tokens: np.ndarray, line_ends: np.ndarray) -> bool:
    """Whether compiled loops, which go by these numbers, stay inside their arrays."""
    if not len(line_ends) or line_ends[0] < 0 or line_ends[-1] != len(tokens):
        return False
    blocks = (tokens[start : start + _BLOCK] for start in range(0, len(tokens), _BLOCK))
    inside = all(block.min() >= 0 and block.max() < known for block in blocks)
    return inside and not np.any(np.diff(line_ends) < 0)
