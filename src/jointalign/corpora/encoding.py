"""A corpus as numbers on disk: what training reads, made in one pass over the text."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import numpy as np

from jointalign.corpora.corpus import Corpus, Tally
from jointalign.errors import FormatError, JointalignError
from jointalign.progress import Progress
from jointalign.storage.compression import COMPRESSIONS
from jointalign.storage.files import atomic, checksum, plain_errors, read_lines
from jointalign.vocabulary import Counts

logger = logging.getLogger(__name__)

_TOKENS, _LINE_ENDS, _WORDS, _INFO = "tokens.bin", "line_ends.bin", "words.txt", "info.json"
FILES = (_TOKENS, _LINE_ENDS, _WORDS, _INFO)
"""Names of the files of an encoded corpus."""

_LAYOUT = 2  # goes up when the files change, so that older ones are made anew
_BLOCK = 1 << 22


@dataclass(frozen=True)
class _Info:
    """What a folder holds, the size in bytes of each of its files, and its CRC-32."""

    layout: int
    key: str
    language: str
    lines: int
    sizes: dict[str, int]
    digests: dict[str, int]


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
            JointalignError: If the folder holds no encoded corpus, or one that is incomplete or damaged.
        """
        folder = Path(folder)
        info = _read_info(folder)
        if info is None:
            raise JointalignError(f"{folder}: no complete encoded corpus here; encode it again")
        damaged = [name for name, digest in info.digests.items() if checksum(folder / name) != digest]
        if damaged:
            raise _changed(folder, *damaged)
        counts = _read_counts(folder / _WORDS, info.lines)
        tokens = np.memmap(folder / _TOKENS, "<i4", "r")
        line_ends = np.memmap(folder / _LINE_ENDS, "<i8", "r")
        _check(folder, info, len(counts.words), tokens, line_ends)
        return cls(counts, tokens, line_ends, info.language)


def encode(
    corpus: Corpus,
    folder: str | Path,
    workers: int | None = None,
    progress: Progress | None = None,
    key: str = "",
) -> EncodedCorpus:
    r"""Write a corpus to a folder as numbers, reading the text once.

    The result is the same for any number of workers. Memory holds the distinct words and a few
    stretches of text. An interrupted run leaves nothing that counts as complete.

    Args:
        corpus: The text; it remembers the counts made here.
        folder: Where the files go: `tokens.bin`, `line_ends.bin` (raw, little-endian), `words.txt`
            (word, tab, count), `info.json`. Made if missing.
        workers: Number of processes that cut lines into words; `None` for one a CPU.
        progress: Told the bytes of text done, of all (unknown for compressed files).
        key: What the result depends on, e.g. digests of the files and settings. If the folder holds
            a complete encoding with the same key, that is returned; without a key, never.

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
    folder = Path(folder)
    info = _read_info(folder)
    if key and info is not None and info.key == key:
        logger.info("%s: encoded before, used again", folder)
    else:
        with plain_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _INFO).unlink(missing_ok=True)
            _write(corpus, folder, workers, progress, key)
    encoded = EncodedCorpus.open(folder)
    corpus.remember(encoded.counts)
    return encoded


def _write(corpus: Corpus, folder: Path, workers: int | None, progress: Progress | None, key: str) -> None:
    tally = Tally()
    with _replacing(folder / _TOKENS) as tokens, _replacing(folder / _LINE_ENDS) as line_ends:
        _write_numbers(corpus, tally, tokens, line_ends, workers, progress)
        counts, rows = tally.finish()
        tokens.flush()
        _renumber(Path(tokens.name), rows)
    with _replacing(folder / _WORDS) as words:
        for word, count in zip(counts.words, counts.values.tolist(), strict=True):
            words.write(f"{word}\t{count}\n".encode())
    sizes = {name: (folder / name).stat().st_size for name in (_TOKENS, _LINE_ENDS, _WORDS)}
    digests = {name: checksum(folder / name) for name in sizes}
    info = _Info(_LAYOUT, key, corpus.language, counts.lines, sizes, digests)
    # Last: this file says that the others are complete.
    with atomic(folder / _INFO, "w") as file:
        json.dump(asdict(info), file, indent=2)


def _write_numbers(
    corpus: Corpus,
    tally: Tally,
    tokens: IO[bytes],
    line_ends: IO[bytes],
    workers: int | None,
    progress: Progress | None,
) -> None:
    """Write tokens by provisional numbers, as long as the final ones are unknown."""
    start = time.monotonic()
    size, total = 0, _size(corpus)
    end = 0
    with closing(corpus.batches(workers)) as batches:
        for batch in batches:
            tokens.write(tally.add(batch).astype("<i4", copy=False).tobytes())
            line_ends.write((end + np.cumsum(batch.lengths)).astype("<i8", copy=False).tobytes())
            end += len(batch.tokens)
            size += batch.size
            if progress is not None:
                speed = end / (time.monotonic() - start + 1e-9)
                progress(size, total, f"{speed / 1e6:.1f}M words/s")


def _renumber(path: Path, rows: np.ndarray) -> None:
    """Replace provisional numbers by rows of the counts."""
    tokens = np.memmap(path, "<i4", "r+")
    for start in range(0, len(tokens), _BLOCK):
        block = tokens[start : start + _BLOCK]
        block[:] = rows[block]
    tokens.flush()


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file under another name until it is complete.

    Unlike with `atomic` the name is fixed, so that what a killed run leaves, maybe gigabytes, is
    overwritten by the next. Files of the old name that are still mapped stay as they are.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _size(corpus: Corpus) -> int | None:
    """Bytes of text, if that is known beforehand."""
    files = [Path(path) for path in corpus.paths]
    if any(not file.is_file() or file.suffix.lower() in COMPRESSIONS for file in files):
        return None
    return sum(file.stat().st_size for file in files)


def _read_info(folder: Path) -> _Info | None:
    """What the folder says it holds, or `None` if it holds no complete encoding."""
    try:
        info = _Info(**json.loads((folder / _INFO).read_text(encoding="utf-8")))
        complete = info.layout == _LAYOUT and all(
            (folder / name).stat().st_size == size for name, size in info.sizes.items()
        )
    except (OSError, ValueError, TypeError):  # missing, cut off, or of another layout
        return None
    return info if complete else None


def _check(folder: Path, info: _Info, known: int, tokens: np.ndarray, line_ends: np.ndarray) -> None:
    """Make sure that compiled loops, which go by these numbers, stay inside their arrays."""
    blocks = (tokens[start : start + _BLOCK] for start in range(0, len(tokens), _BLOCK))
    outside = any(block.min() < 0 or block.max() >= known for block in blocks)
    uneven = len(line_ends) != info.lines or line_ends[-1] != len(tokens) or np.any(np.diff(line_ends) < 0)
    if outside or uneven or line_ends[0] < 0:
        raise _changed(folder, _INFO)


def _changed(folder: Path, *names: str) -> JointalignError:
    return JointalignError(
        f"{folder}: {', '.join(names)} is not as it was written, the disk or another program has changed "
        "it; remove the folder and encode the text again"
    )


def _read_counts(path: Path, lines: int) -> Counts:
    words, values = [], []
    for number, line in read_lines(path):
        word, _, count = line.rpartition("\t")
        if not word or not count.isdecimal():
            raise FormatError(path, number, "expected word, tab, count; encode the corpus again")
        words.append(word)
        values.append(int(count))
    return Counts(tuple(words), np.array(values, np.int64), lines)
