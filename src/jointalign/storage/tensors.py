"""Named arrays in a safetensors file: written as a stream, read as views of the mapped file.

The `safetensors` package writes its metadata in random order, so equal contents would not give
equal files, and it copies what it reads; it serves here to check a file before it is mapped. There
is one way to read such a file, and it takes a schema: no reader can forget to look.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar, get_type_hints

import numpy as np
from safetensors import SafetensorError, safe_open

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.facts import AGAIN, fits, from_json, typed
from jointalign.storage.files import atomic, plain_errors

_TYPES = {
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "U32": np.dtype("<u4"),
    "U8": np.dtype("u1"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_ALIGNMENT = 8
_BYTES_AT_ONCE = 1 << 24
_SEAL = "crc32"

Facts = TypeVar("Facts")
Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Array:
    """What an array of a file must be.

    Args:
        dtype: `F64`, `I64`, `F32`, `U32` or `U8`.
        shape: Its sizes: a number, a name, or `None` for any. What has one name has one size in all
            arrays of the file.
        optional: Whether it may be missing.
        least: Smallest number that it may hold; `None` for any.
        below: All numbers are below this one; `None` for any.
        finite: Whether NaN and infinity are refused, which reads all of it.
    """

    dtype: str
    shape: tuple[int | str | None, ...]
    optional: bool = False
    least: int | None = None
    below: int | None = None
    finite: bool = True


class OtherKindError(FormatError):
    """A file holds something else of ours, perhaps.

    Args:
        path: The file.
        what: What it should hold.
        came: Its kind.
    """

    def __init__(self, path: str | Path, what: str, came: str) -> None:
        super().__init__(path, None, f"expected {what}, got a file of kind '{came}'; name another")
        self.came = came


def _no_aliases(facts: Any) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Schema(Generic[Facts]):
    """What a file of arrays must hold.

    Args:
        what: Name of such a file in messages, e.g. `a mapping of `jointalign align``.
        facts: A `TypedDict` of its metadata. A fact is JSON, but for those that are `str`.
        arrays: Given the facts, every array of the file by name; `None` for any arrays, which their
            reader then compares with what it has (`check_arrays`).
        kind: The `kind` in the metadata, which is looked at first; empty where there is none.
        layout: Likewise the `format`.
        aliases: Given the facts, names of arrays that stand in the file under another name.
        cure: What to do about a file that is damaged or another one.
        sealed: Whether the file carries a digest of all that is in it.
    """

    what: str
    facts: type[Facts]
    arrays: Callable[[Facts], Mapping[str, Array]] | None = None
    kind: str = ""
    layout: str = ""
    aliases: Callable[[Facts], Mapping[str, str]] = _no_aliases
    cure: str = AGAIN
    sealed: bool = False


class _Nothing(TypedDict):
    pass


STATE: Schema[Any] = Schema(
    "unfinished work", _Nothing, cure="remove it; the work is then begun again", sealed=True
)
"""Of files that one process writes and another of the same facts goes on from: as they were written,
or of no use."""


def write_tensors(
    path: str | Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str], *, sealed: bool = False
) -> None:
    """Write arrays and metadata; equal contents give equal bytes.

    Args:
        path: The file, replaced if it is there.
        tensors: Arrays of one dimension or more and a type in `_TYPES`, by name.
        metadata: Strings that go into the header.
        sealed: Whether a digest of all of it goes there, too; a reader's schema asks for it.
    """
    if sealed:
        metadata = {**metadata, _SEAL: _seal(tensors, metadata)}
    # The widest types first, so that each array starts at a multiple of its item's size.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    for name, array in ordered:
        start, end = end, end + array.nbytes
        kind = _NAMES[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": (start, end)}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with atomic(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in ordered:
            rows = max(1, _BYTES_AT_ONCE * len(array) // max(1, array.nbytes))
            for start in range(0, len(array), rows):
                block = array[start : start + rows]
                file.write(block.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())


def read_tensors(path: str | Path, schema: Schema[Facts]) -> tuple[Tensors, Facts]:
    """Arrays and facts of a safetensors file; the arrays are read-only views of the file.

    Args:
        path: The file.
        schema: What it must hold.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is no safetensors file, is cut off, or holds anything but what it should.
    """
    tensors, metadata = _opened(path, schema)
    came = metadata.get("format", "none")
    if schema.layout and came != schema.layout:
        cure = "install a newer jointalign" if came.startswith("jointalign-") else "convert it"
        reason = f"expected metadata with format '{schema.layout}', got '{came}'; {cure}"
        raise FormatError(path, None, reason)
    if schema.kind and metadata.get("kind") != schema.kind:
        raise OtherKindError(path, schema.what, metadata.get("kind", "none"))
    with fits(path, schema.what, schema.cure):
        if schema.sealed and metadata.pop(_SEAL, None) != _seal(tensors, metadata):
            raise JointalignError("it is not as it was written")
        facts = _facts(metadata, schema.facts)
        for name, first in schema.aliases(facts).items():
            if name in tensors or first not in tensors:
                raise JointalignError(f"'{name}' should be '{first}', which is not there")
            tensors[name] = tensors[first]
        if schema.arrays is not None:
            check_arrays(tensors, schema.arrays(facts))
    return tensors, facts


def check_arrays(tensors: Mapping[str, np.ndarray], expected: Mapping[str, Array]) -> None:
    """Compare names, types, shapes and values of arrays with what they should be.

    Raises:
        JointalignError: If one is missing, not expected, or another.

    Example:
        >>> check_arrays({"words": np.zeros((2, 3), np.float32)}, {"words": Array("F32", ("n", 4))})
        Traceback (most recent call last):
        jointalign.errors.JointalignError: 'words' should be F32 (2, 4), got F32 (2, 3)
    """
    for name in tensors:
        if name not in expected:
            raise JointalignError(f"there is an array '{name}', which belongs to another file")
    sizes: dict[str, int] = {}
    for name, one in expected.items():
        if name in tensors:
            _check_array(name, tensors[name], one, sizes)
        elif not one.optional:
            raise JointalignError(f"the array '{name}' is missing")


def like(tensors: Mapping[str, np.ndarray]) -> dict[str, Array]:
    """Arrays of the same names, types and shapes."""
    return {
        name: Array(_NAMES.get(array.dtype.newbyteorder("<"), str(array.dtype)), array.shape)
        for name, array in tensors.items()
    }


def _check_array(name: str, array: np.ndarray, one: Array, sizes: dict[str, int]) -> None:
    came = _NAMES.get(array.dtype.newbyteorder("<"), str(array.dtype))
    sizes.update(
        (wanted, size)
        for wanted, size in zip(one.shape, array.shape, strict=False)
        if isinstance(wanted, str) and wanted not in sizes
    )
    shape = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in one.shape)
    alike = len(shape) == array.ndim and all(
        size in (None, came) for size, came in zip(shape, array.shape, strict=True)
    )
    if came != one.dtype or not alike:
        wanted = f"{one.dtype} {shape}".replace("None", "any")
        raise JointalignError(f"'{name}' should be {wanted}, got {came} {array.shape}")
    if one.finite and array.dtype.kind == "f" and not np.isfinite(array).all():
        raise JointalignError(f"'{name}' holds NaN or infinity")
    if array.size and one.least is not None and array.min() < one.least:
        raise JointalignError(f"'{name}' holds {array.min()}, below {one.least}")
    if array.size and one.below is not None and array.max() >= one.below:
        raise JointalignError(f"'{name}' holds {array.max()}, where all should be below {one.below}")


def _seal(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """CRC-32 of names, types, shapes and bytes of arrays, and of the metadata."""
    found = zlib.crc32(repr(sorted(metadata.items())).encode("utf-8", "surrogatepass"))
    for name, array in sorted(tensors.items()):
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        found = zlib.crc32(repr((name, little.dtype.str, little.shape)).encode(), found)
        found = zlib.crc32(little.reshape(-1).view(np.uint8).data, found)
    return f"{found:08x}"


def _facts(metadata: Mapping[str, str], kind: type[Facts]) -> Facts:
    """The metadata, what is JSON in it read."""
    hints = get_type_hints(kind)
    return typed(
        {name: text if hints.get(name, str) is str else from_json(text) for name, text in metadata.items()},
        kind,
    )


def _opened(path: str | Path, schema: Schema) -> tuple[Tensors, dict[str, str]]:
    """All arrays as views of the mapped file, and the metadata."""
    with plain_errors(path):
        with Path(path).open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            # Checks the sizes, types and limits of everything, so the header can be trusted.
            try:
                with safe_open(path, "numpy"):
                    pass
            except SafetensorError as error:
                reason = f"expected a complete safetensors file ({error}) with {schema.what}"
                raise FormatError(path, None, f"{reason}; {schema.cure}") from None
            header = json.loads(file.read(size))
        data = np.memmap(path, np.uint8, "r")[8 + size :]
    metadata = header.pop("__metadata__", None) or {}
    arrays = {}
    for name, entry in header.items():
        if entry["dtype"] not in _TYPES:
            reason = f"expected types {', '.join(_TYPES)}, got '{entry['dtype']}' in '{name}'"
            raise FormatError(path, None, f"{reason}; this file is not from jointalign")
        start, end = entry["data_offsets"]
        with fits(path, schema.what, schema.cure):
            arrays[name] = data[start:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays, metadata
