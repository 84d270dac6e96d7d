"""Reading and writing embeddings; the suffix says in which format."""

from __future__ import annotations

import logging
from pathlib import Path

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats import native, vec, word2vec_binary
from jointalign.multilingual import MultilingualEmbedding
from jointalign.storage.compression import COMPRESSIONS
from jointalign.storage.files import check_folder

logger = logging.getLogger(__name__)

_TEXT = (".vec", ".txt")
_BINARY = ".bin"
_NATIVE = ".safetensors"


def read(path: str | Path, max_vocabulary: int | None = None) -> Embedding:
    """Read an embedding: `.vec` or `.txt`, word2vec's `.bin`, or the native `.safetensors`.

    The first two may be compressed: `.vec.gz`, `.bin.zst`, and so on.

    Args:
        path: The file.
        max_vocabulary: Only this many words, from the first on; `None` for all.

    Raises:
        JointalignError: If the suffix is unknown or the file cannot be opened.
        FormatError: If the file does not hold an embedding in the format of its suffix.

    Example:
        >>> import tempfile, numpy as np
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(english, f"{folder}/english.vec.gz")
        ...     read(f"{folder}/english.vec.gz", max_vocabulary=1).words
        ('cat',)
    """
    suffix = _suffix(path)
    if suffix in _TEXT:
        return vec.read(path, max_vocabulary)
    if suffix == _BINARY:
        return word2vec_binary.read(path, max_vocabulary)
    return native.read(path, max_vocabulary)


def write(space: Embedding | BilingualEmbedding | MultilingualEmbedding, path: str | Path) -> None:
    """Write one language in the format of the suffix, as for `read`; several as a native file.

    Only the native format keeps counts, n-grams and settings, and holds two languages or more.

    Args:
        space: What to write; of a bilingual embedding its `source` or its `target`, or all of it.
        path: The file, replaced if it is there.

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
    if not isinstance(space, Embedding):
        _check_native(path)
        native.write(space, path)
        return
    suffix = _suffix(path)
    counted = space.vocabulary.counts.any()
    if suffix != _NATIVE and (counted or space.subwords or space.settings):
        logger.info("%s: has no place for counts, n-grams and settings; %s has", path, _NATIVE)
    if suffix in _TEXT:
        vec.write(space, path)
    elif suffix == _BINARY:
        word2vec_binary.write(space, path)
    else:
        native.write(space, path)


def read_bilingual(path: str | Path) -> BilingualEmbedding:
    """Read a bilingual embedding from a native file (`.safetensors`).

    Raises:
        JointalignError: If the suffix is another or the file cannot be opened.
        FormatError: If the file does not hold a bilingual embedding.
    """
    _check_native(path)
    return native.read_bilingual(path)


def read_multilingual(path: str | Path) -> MultilingualEmbedding:
    """Read several languages from a native file (`.safetensors`).

    Raises:
        JointalignError: If the suffix is another or the file cannot be opened.
        FormatError: If the file holds something else.
    """
    _check_native(path)
    return native.read_multilingual(path)


def check_output(path: str | Path, *, native: bool = False) -> None:
    """Find out before hours of work whether an embedding can be written to a path after it.

    Args:
        path: Where the result is to go.
        native: Whether it must be a native file.

    Raises:
        JointalignError: If the suffix is unknown, or the folder cannot be made or written to.
    """
    _check_native(path) if native else _suffix(path)
    if Path(path).is_dir():
        raise JointalignError(f"{path}: this is a folder; name a file in it")
    check_folder(Path(path).parent)


def _suffix(path: str | Path) -> str:
    """The suffix that names the format, without compression."""
    named = Path(path)
    compression = named.suffix.lower() if named.suffix.lower() in COMPRESSIONS else ""
    suffix = (named.with_suffix("") if compression else named).suffix.lower()
    if suffix in (*_TEXT, _BINARY) or (suffix == _NATIVE and not compression):
        return suffix
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
