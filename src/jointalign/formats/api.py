"""Reading and writing embeddings: read by their content, written as the suffix says."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats import fasttext, native, vec, word2vec_binary
from jointalign.formats.hub import fetched
from jointalign.multilingual import MultilingualEmbedding
from jointalign.storage.compression import COMPRESSIONS, named_suffix, peekable
from jointalign.storage.files import check_folder, open_text, plain_errors

logger = logging.getLogger(__name__)

_TEXT = (".vec", ".txt")
_BINARY = ".bin"
_NATIVE = ".safetensors"
_LOOKED_AT = 1 << 13  # bytes
_HEADER = re.compile(rb"\d{1,18} (\d{1,18})\s*")
_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f\xc0\xc1\xf8-\xff]")


class Format(StrEnum):
    """How vectors lie in a file."""

    TEXT = "text"
    """A word and its numbers a line: `.vec`, `.txt`."""

    WORD2VEC = "word2vec"
    """The word2vec program's binary: `.bin`."""

    FASTTEXT = "fasttext"
    """A model of fastText, with counts and n-grams: `.bin`, too."""

    NATIVE = "native"
    """All of it, mapped into memory: `.safetensors`."""


@checked
def read(
    path: str | Path, max_vocabulary: int | None = None, format: Format | str | None = None
) -> Embedding:
    """Read an embedding: text (`.vec`), word2vec's or fastText's `.bin`, or the native `.safetensors`.

    The format is told by the content; where the suffix says otherwise the log says so. The first two
    may be compressed, and come through a pipe; the others are mapped into memory.

    Args:
        path: The file; `-` for the standard input; `hf://owner/name` or `hf://owner/name/file` for one on
            the Hugging Face hub.
        max_vocabulary: Only this many words, from the first on; `None` for all.
        format: To overrule what the content looks like.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If the file does not hold an embedding in its format.

    Example:
        >>> import tempfile, numpy as np
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(english, f"{folder}/english.vec.gz")
        ...     read(f"{folder}/english.vec.gz", max_vocabulary=1).words
        ('cat',)
    """
    path = fetched(path)
    named, format = named_suffix(path), _format(format)
    if format is None and (named == _NATIVE or _is_native(path)):
        format = Format.NATIVE
    if format == Format.NATIVE:
        return native.read(path, max_vocabulary)
    with open_text(path) as file:
        stream = peekable(file)
        found = format or _look(stream.peek(_LOOKED_AT), named)
        if format is None and found not in _FORMATS.get(named, (found,)):
            logger.warning("%s: this is %s, whatever the name says; read so", path, _IN_WORDS[found])
        if found != Format.FASTTEXT:
            reader = vec if found == Format.TEXT else word2vec_binary
            return reader.read_stream(path, stream, max_vocabulary)
    return fasttext.read(path, max_vocabulary)


@checked
def write(
    space: Embedding | BilingualEmbedding | MultilingualEmbedding,
    path: str | Path,
    format: Format | str | None = None,
) -> None:
    """Write one language in the format of the suffix, as for `read`; several as a native file.

    Only the native format keeps settings, and holds two languages or more; it and fastText's keep
    counts and n-grams.

    Args:
        space: What to write; of a bilingual embedding its `source` or its `target`, or all of it.
        path: The file, replaced if it is there.
        format: To overrule the suffix, of which `.bin` is word2vec's.

    Raises:
        JointalignError: If the suffix is unknown, the format cannot hold a word or several
            languages, or the file cannot be written.

    Example:
        >>> import tempfile, numpy as np
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat",)), np.ones((1, 2), np.float32))
        >>> spanish = Embedding(Vocabulary(("gato",)), np.ones((1, 2), np.float32))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = f"{folder}/en-es.safetensors"
        ...     write(BilingualEmbedding.separate(english, spanish, "en", "es"), path)
        ...     read_bilingual(path).target_language
        'es'
    """
    format = _format(format)
    if not isinstance(space, Embedding):
        if format not in (None, Format.NATIVE):
            raise JointalignError(f"{path}: the format {format} holds one language; write each on its own")
        _check_native(path)
        native.write(space, path)
        return
    written = _written(path, format)
    counted = space.vocabulary.counts.any() or space.subwords is not None
    if written in (Format.TEXT, Format.WORD2VEC) and (counted or space.settings):
        logger.info("%s: has no place for counts, n-grams and settings; %s has", path, _NATIVE)
    _WRITERS[written](space, path)


@checked
def read_bilingual(path: str | Path) -> BilingualEmbedding:
    """Read a bilingual embedding from a native file (`.safetensors`), or from the hub as `read` does.

    Raises:
        JointalignError: If the suffix is another or the file cannot be opened.
        FormatError: If the file does not hold a bilingual embedding.
    """
    path = fetched(path)
    _check_native(path)
    return native.read_bilingual(path)


@checked
def read_multilingual(path: str | Path) -> MultilingualEmbedding:
    """Read several languages from a native file (`.safetensors`), or from the hub as `read` does.

    Raises:
        JointalignError: If the suffix is another or the file cannot be opened.
        FormatError: If the file holds something else.
    """
    path = fetched(path)
    _check_native(path)
    return native.read_multilingual(path)


# Of `.txt` either may be said.
_FORMATS = {".vec": (Format.TEXT,), ".bin": (Format.WORD2VEC, Format.FASTTEXT)}
_IN_WORDS = {
    Format.TEXT: "text",
    Format.WORD2VEC: "a word2vec binary",
    Format.FASTTEXT: "a model of fastText",
}
_WRITERS: dict[Format, Callable[[Embedding, str | Path], None]] = {
    Format.TEXT: vec.write,
    Format.WORD2VEC: word2vec_binary.write,
    Format.FASTTEXT: fasttext.write,
    Format.NATIVE: native.write,
}


def check_output(path: str | Path, *, native: bool = False, format: Format | None = None) -> None:
    """Find out before hours of work whether an embedding can be written to a path after it.

    Args:
        path: Where the result is to go.
        native: Whether it must be a native file.
        format: To overrule the suffix.

    Raises:
        JointalignError: If the suffix is unknown or not the format's, or the folder cannot be made or
            written to.
    """
    _check_native(path) if native else _written(path, format)
    if Path(path).is_dir():
        raise JointalignError(f"{path}: this is a folder; name a file in it")
    check_folder(Path(path).parent)


def _format(named: Format | str | None) -> Format | None:
    """A format by its name, `None` for none."""
    if named is None or named in list(Format):
        return None if named is None else Format(named)
    raise JointalignError(f"expected a format of {', '.join(Format)}, got '{named}'")


def _look(head: bytes, named: str) -> Format:
    """The format of a file that begins so, text or binary; where that is open, that of its suffix."""
    if head.startswith(fasttext.MAGIC):
        return Format.FASTTEXT
    header, _, rest = head.partition(b"\n")
    announced = _HEADER.fullmatch(header)
    if announced and not _begins_with_row(rest, int(announced[1])):
        if named == _BINARY or _NO_TEXT.search(rest):
            return Format.WORD2VEC
    elif not announced and named == _BINARY and (not head or _NO_TEXT.search(head)):
        return Format.WORD2VEC
    return Format.TEXT


def _begins_with_row(text: bytes, dimensions: int) -> bool:
    """Whether the first line is a word and so many numbers, as far as it is there."""
    line, end, _ = text.partition(b"\n")
    fields = line.split()[1:]
    numbers = fields if end else fields[:-1]
    return len(numbers) >= (dimensions if end else 1) and all(
        map(vec.NUMBER.fullmatch, numbers[-dimensions:])
    )


def _is_native(path: str | Path) -> bool:
    if str(path) == "-":
        return False
    with plain_errors(path):
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            start = file.read(10)
        size = int.from_bytes(start[:8], "little")
        return start[8:] == b'{"' and size < Path(path).stat().st_size


def _written(path: str | Path, format: Format | None) -> Format:
    """The format to write: the one given, or the one that the suffix names."""
    suffix, last = named_suffix(path), Path(path).suffix.lower()
    compression = last if last in COMPRESSIONS else ""
    if format in (Format.NATIVE, Format.FASTTEXT) and compression:
        raise JointalignError(f"{path}: such files are mapped into memory; leave '{compression}' out")
    if format is not None:
        return format
    if suffix in _TEXT:
        return Format.TEXT
    if suffix == _BINARY:
        return Format.WORD2VEC
    if suffix == _NATIVE and not compression:
        return Format.NATIVE
    raise JointalignError(
        f"{path}: cannot tell the format from the suffix '{suffix}{compression}'; known are "
        f"{_NATIVE}, and {', '.join(_TEXT)} and {_BINARY} (word2vec), which may be followed by "
        f"{', '.join(COMPRESSIONS)}"
    )


def _check_native(path: str | Path) -> None:
    if Path(path).suffix.lower() != _NATIVE:
        raise JointalignError(
            f"{path}: only {_NATIVE} files hold two languages or more; name it so, or write "
            "each language to a file of its own"
        )
