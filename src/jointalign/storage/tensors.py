"""Named arrays in a safetensors file: written as a stream, read as views of the mapped file.

The `safetensors` package writes its metadata in random order, so equal contents would not give
equal files, and it copies what it reads; it serves here to check a file before it is mapped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from jointalign.errors import FormatError
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


def write_tensors(path: str | Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays and metadata; equal contents give equal bytes.

    Args:
        path: The file, replaced if it is there.
        tensors: Arrays of one dimension or more and a type in `_TYPES`, by name.
        metadata: Strings that go into the header.
    """
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


def read_tensors(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and metadata of a safetensors file; the arrays are read-only views of the file.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is no safetensors file, is cut off, or has arrays of another type.
    """
    with plain_errors(path):
        with Path(path).open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            # Checks the sizes, types and limits of everything, so the header can be trusted.
            try:
                with safe_open(path, "numpy"):
                    pass
            except SafetensorError as error:
                reason = f"expected a complete safetensors file ({error}); write or copy it again"
                raise FormatError(path, None, reason) from None
            header = json.loads(file.read(size))
        data = np.memmap(path, np.uint8, "r")[8 + size :]
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        if entry["dtype"] not in _TYPES:
            reason = f"expected types {', '.join(_TYPES)}, got '{entry['dtype']}' in '{name}'"
            raise FormatError(path, None, f"{reason}; this file is not from jointalign")
        start, end = entry["data_offsets"]
        arrays[name] = data[start:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays, metadata
