"""The native format (`.safetensors`): everything an embedding has, exact, open in milliseconds.

The vectors stay in the file and are mapped into memory, so only rows that are used are read. In the
file are the arrays `words` (UTF-8, a line a word), `counts`, `vectors` and, with n-grams,
`subwords.*`; a bilingual file has them three times, after `source_only.`, `target_only.` and
`shared.`, one of several languages once a part, after `part0.`, `part1.` and so on. The metadata
holds the rest. Any safetensors reader can open it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding, Setting
from jointalign.errors import FormatError, JointalignError
from jointalign.formats._rows import check_maximum, encode_words
from jointalign.multilingual import MultilingualEmbedding, Part
from jointalign.ranges import Range
from jointalign.storage.facts import fits, typed
from jointalign.storage.tensors import (
    Array,
    Facts,
    OtherKindError,
    Schema,
    Tensors,
    read_tensors,
    write_tensors,
)
from jointalign.subwords import Move, SubwordTable
from jointalign.version import __version__
from jointalign.vocabulary import Vocabulary

# Changes when an older jointalign could not read the files of a newer one.
_FORMAT = "jointalign-1"
_PARTS = ("source_only", "target_only", "shared")


def write(space: Embedding | BilingualEmbedding | MultilingualEmbedding, path: str | Path) -> None:
    """Write one language, or two or more in one space, with counts, n-grams and settings.

    An n-gram table that several parts have in common is stored once.

    Args:
        space: What to write.
        path: The file, replaced if it is there. Equal spaces give equal files.

    Raises:
        JointalignError: If a word holds a line break, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> vocabulary = Vocabulary(("cat", "dog"), np.array([5, 3]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(Embedding(vocabulary, np.eye(2, dtype=np.float32)), f"{folder}/a.safetensors")
        ...     read(f"{folder}/a.safetensors").vocabulary.counts
        array([5, 3])
    """
    if isinstance(space, Embedding):
        _write(path, "embedding", *_from_part(path, space, ""))
    elif isinstance(space, BilingualEmbedding):
        _write(path, "bilingual", *_from_bilingual(path, space))
    else:
        _write(path, "multilingual", *_from_multilingual(path, space))


def _from_bilingual(path: str | Path, bilingual: BilingualEmbedding) -> tuple[Tensors, dict[str, object]]:
    tensors: Tensors = {
        "shared.source_counts": bilingual.shared_source_counts,
        "shared.target_counts": bilingual.shared_target_counts,
    }
    about: dict[str, object] = {"languages": [bilingual.source_language, bilingual.target_language]}
    for name in _PARTS:
        part_tensors, about[name] = _from_part(path, getattr(bilingual, name), f"{name}.")
        tensors |= part_tensors
    return tensors, about


def _from_multilingual(path: str | Path, space: MultilingualEmbedding) -> tuple[Tensors, dict[str, object]]:
    tensors: Tensors = {}
    about: dict[str, object] = {
        "languages": list(space.languages),
        "sets": [list(part.languages) for part in space.parts],
    }
    for number, part in enumerate(space.parts):
        name = f"part{number}"
        part_tensors, about[name] = _from_part(path, part.embedding, f"{name}.")
        counts = np.ascontiguousarray(part.counts, np.int64)
        tensors |= part_tensors | {f"{name}.language_counts": counts}
    return tensors, about


def kind(path: str | Path) -> str:
    """What a native file holds: `embedding`, `bilingual` or `multilingual`; `none` for one of others."""
    try:
        read_tensors(path, _NAMELESS)
    except OtherKindError as other:
        return other.came
    raise AssertionError("no file is of this kind")


def read(path: str | Path, max_vocabulary: int | None = None) -> Embedding:
    """Read an embedding; its vectors are a read-only view of the file.

    Args:
        path: A file that `write` made.
        max_vocabulary: Only this many words, from the first on; `None` for all.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is another kind of file, or damaged.
    """
    check_maximum(max_vocabulary)
    tensors, facts = _read(path, _EMBEDDING)
    with fits(path, _EMBEDDING.what):
        return _to_part(tensors, facts["about"], "", max_vocabulary)


def read_bilingual(path: str | Path) -> BilingualEmbedding:
    """Read a bilingual embedding; its vectors are read-only views of the file.

    Args:
        path: A file that `write` made.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is another kind of file, or damaged.

    Example:
        >>> import tempfile
        >>> english = Embedding(Vocabulary(("cat",)), np.ones((1, 2), np.float32))
        >>> spanish = Embedding(Vocabulary(("gato",)), np.ones((1, 2), np.float32))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "en-es.safetensors")
        ...     write(BilingualEmbedding.separate(english, spanish, "en", "es"), path)
        ...     read_bilingual(path).target.words
        ('gato',)
    """
    tensors, facts = _read(path, _BILINGUAL)
    about = facts["about"]
    source_language, target_language = about["languages"]
    with fits(path, _BILINGUAL.what):
        return BilingualEmbedding(
            **{name: _to_part(tensors, about[name], f"{name}.") for name in _PARTS},
            shared_source_counts=np.array(tensors["shared.source_counts"]),
            shared_target_counts=np.array(tensors["shared.target_counts"]),
            source_language=source_language,
            target_language=target_language,
        )


def read_multilingual(path: str | Path) -> MultilingualEmbedding:
    """Read several languages; vectors are read-only views of the file. See `read_bilingual`."""
    tensors, facts = _read(path, _MULTILINGUAL)
    about = facts["about"]
    with fits(path, _MULTILINGUAL.what):
        parts = [
            Part(
                languages,
                _to_part(tensors, part, f"part{number}."),
                np.array(tensors[f"part{number}.language_counts"]),
            )
            for number, (languages, part) in enumerate(zip(about["sets"], _parts(about), strict=True))
        ]
        return MultilingualEmbedding(about["languages"], tuple(parts))


def _from_part(path: str | Path, part: Embedding, prefix: str) -> tuple[Tensors, dict[str, object]]:
    """The arrays of an embedding, and what is told about it in the metadata."""
    words = encode_words(path, part.words)
    for word in words:
        if b"\n" in word:
            raise JointalignError(
                f"{path}: the word {word.decode()!r} holds a line break; leave it out with `take`"
            )
    tensors = {
        "words": np.frombuffer(b"\n".join(words), np.uint8),
        "counts": part.vocabulary.counts.astype(np.int64, copy=False),
        "vectors": part.vectors.astype(np.float32, copy=False),
    }
    about: dict[str, object] = {"settings": dict(part.settings)}
    if part.subwords is not None:
        table = part.subwords
        tensors["subwords.buckets_used"] = table.buckets_used.astype(np.uint32, copy=False)
        tensors["subwords.vectors"] = table.vectors.astype(np.float32, copy=False)
        for number, move in enumerate(table.moves):
            tensors[f"subwords.matrix{number}"] = move.matrix.astype(np.float32, copy=False)
            tensors[f"subwords.means{number}"] = move.means.astype(np.float32, copy=False)
        about["subwords"] = {
            "minimum": table.minimum,
            "maximum": table.maximum,
            "buckets": table.buckets,
            "moves": len(table.moves),
        }
    return {prefix + name: array for name, array in tensors.items()}, about


def _to_part(tensors: Tensors, about: _Part, prefix: str, maximum: int | None = None) -> Embedding:
    vectors, counts = tensors[prefix + "vectors"], np.array(tensors[prefix + "counts"])
    words = tensors[prefix + "words"].tobytes().decode().split("\n") if len(counts) else []
    subwords = None
    if "subwords" in about:
        facts = about["subwords"]
        subwords = SubwordTable(
            tensors[prefix + "subwords.buckets_used"],
            tensors[prefix + "subwords.vectors"],
            facts["minimum"],
            facts["maximum"],
            facts["buckets"],
            tuple(
                Move(*(tensors[f"{prefix}subwords.{name}{number}"] for name in ("matrix", "means")))
                for number in range(facts.get("moves", 0))
            ),
        )
    vocabulary = Vocabulary(tuple(words[:maximum]), counts[:maximum])
    if len(words) != len(counts):
        raise JointalignError(f"there are {len(words)} words and {len(counts)} counts")
    return Embedding(vocabulary, vectors[:maximum], subwords, about["settings"])


def _write(path: str | Path, kind: str, tensors: Tensors, about: dict[str, object]) -> None:
    """Write arrays, each only once, and the metadata."""
    first_names: dict[int, str] = {}
    aliases = {}
    for name, array in tensors.items():
        first = first_names.setdefault(id(array), name)
        if first != name:
            aliases[name] = first
    try:
        text = json.dumps(about | {"aliases": aliases}, ensure_ascii=False, sort_keys=True)
    except TypeError as error:
        raise JointalignError(
            f"{path}: settings must be str, int, float, bool or None ({error}); convert them"
        ) from None
    metadata = {"format": _FORMAT, "version": __version__, "kind": kind, "about": text}
    stored = {name: array for name, array in tensors.items() if name not in aliases}
    write_tensors(path, stored, metadata)


def _read(path: str | Path, schema: Schema[Facts]) -> tuple[Tensors, Facts]:
    """Arrays and facts; another kind of space is told with what to do about it."""
    try:
        return read_tensors(path, schema)
    except OtherKindError as error:
        if error.came in _CURES:
            reason = f"expected {schema.what}, got {_SCHEMAS[error.came].what}; {_CURES[error.came]}"
            raise FormatError(path, None, reason) from None
        raise


# What the files hold


class _Subwords(TypedDict):
    minimum: Annotated[int, Range(least=1)]
    maximum: Annotated[int, Range(least=1, most=1 << 20)]
    buckets: Annotated[int, Range(least=1, most=1 << 32)]
    moves: NotRequired[Annotated[int, Range(least=0, most=1 << 10)]]


class _Part(TypedDict):
    settings: dict[str, Setting]
    subwords: NotRequired[_Subwords]


class _About(_Part):
    aliases: dict[str, str]


class _BilingualAbout(TypedDict):
    aliases: dict[str, str]
    languages: tuple[str, str]
    source_only: _Part
    target_only: _Part
    shared: _Part


class _MultilingualAbout(TypedDict):
    aliases: dict[str, str]
    languages: tuple[str, ...]
    sets: tuple[tuple[str, ...], ...]


class _Facts(TypedDict):
    about: _About


class _BilingualFacts(TypedDict):
    about: _BilingualAbout


class _MultilingualFacts(TypedDict):
    about: _MultilingualAbout


def _parts(about: Mapping[str, Any]) -> list[_Part]:
    """What is told of each part of a file of several languages."""
    return [typed(about.get(f"part{number}"), _Part, f"part{number}") for number in range(len(about["sets"]))]


def _arrays(about: _Part, prefix: str = "") -> dict[str, Array]:
    """All arrays of an embedding."""
    size = f"{prefix}words"
    found = {
        "words": Array("U8", (None,)),
        "counts": Array("I64", (size,)),
        # Mapped, not read: who searches them looks whether they are finite.
        "vectors": Array("F32", (size, "dimensions"), finite=False),
    }
    if "subwords" in about:
        used, moves = f"{prefix}buckets_used", about["subwords"].get("moves", 0)
        sizes = [f"{prefix}dimensions{number}" for number in range(moves)] + ["dimensions"]
        found["subwords.buckets_used"] = Array("U32", (used,), below=about["subwords"]["buckets"])
        found["subwords.vectors"] = Array("F32", (used, sizes[0]), finite=False)
        for number in range(moves):
            found[f"subwords.matrix{number}"] = Array("F32", (sizes[number], sizes[number + 1]))
            found[f"subwords.means{number}"] = Array("F32", (None, sizes[number]))
    return {prefix + name: array for name, array in found.items()}


def _bilingual_arrays(facts: _BilingualFacts) -> dict[str, Array]:
    counts = Array("I64", ("shared.words",), least=0)
    found = {"shared.source_counts": counts, "shared.target_counts": counts}
    for name in _PARTS:
        found |= _arrays(facts["about"][name], f"{name}.")
    return found


def _multilingual_arrays(facts: _MultilingualFacts) -> dict[str, Array]:
    found = {}
    for number, part in enumerate(_parts(facts["about"])):
        prefix, languages = f"part{number}.", len(facts["about"]["sets"][number])
        found |= _arrays(part, prefix)
        found[f"{prefix}language_counts"] = Array("I64", (f"{prefix}words", languages), least=0)
    return found


def _aliases(facts: Any) -> dict[str, str]:
    return facts["about"]["aliases"]


_EMBEDDING = Schema(
    "one vocabulary", _Facts, lambda facts: _arrays(facts["about"]), "embedding", _FORMAT, _aliases
)
_BILINGUAL = Schema(
    "a bilingual embedding", _BilingualFacts, _bilingual_arrays, "bilingual", _FORMAT, _aliases
)
_MULTILINGUAL = Schema(
    "an embedding of several languages",
    _MultilingualFacts,
    _multilingual_arrays,
    "multilingual",
    _FORMAT,
    _aliases,
)
_NAMELESS: Schema = Schema("any file of ours", dict, kind="any")
_SCHEMAS = {schema.kind: schema for schema in (_EMBEDDING, _BILINGUAL, _MULTILINGUAL)}
_CURES = {
    "embedding": "reallocate or align it first (or open it with read)",
    "bilingual": "take its source or its target (read_bilingual in Python, convert --side on the "
    "command line)",
    "multilingual": "name its languages (read_multilingual in Python, --source and --target or "
    "convert --language on the command line)",
}
