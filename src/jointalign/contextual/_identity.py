"""What tells one encoder from another: what is in its files, not what it is called."""

from __future__ import annotations

import hashlib
import json
from fnmatch import fnmatch
from pathlib import Path

from jointalign.contextual._torch import import_transformers
from jointalign.storage.files import digest, plain_errors

_FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "*.bin",
    "*.bin.index.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "sentencepiece*",
    "*.model",
)
"""Configuration, weights and tokenizer, as the Hugging Face libraries name them."""


def encoder_identity(name: str | Path) -> str:
    """A digest that changes with an encoder's weights, configuration or tokenizer.

    All files are read, at about the speed of the disk.

    Args:
        name: A folder; or a name on the hub, for which the commit stands that was fetched last.

    Returns:
        The digest; empty for a name on the hub that was never fetched.

    Raises:
        JointalignError: If a file cannot be read.
        MissingExtraError: If a hub name is given and transformers is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     weights = Path(folder, "model.safetensors")
        ...     _ = weights.write_bytes(b"1")
        ...     before = encoder_identity(folder)
        ...     _ = weights.write_bytes(b"2")
        ...     before == encoder_identity(folder)
        False
    """
    folder = Path(name)
    if not folder.is_dir():
        return _commit(str(name))
    with plain_errors(folder):
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    facts = [
        [path.name, digest(path)] for path in paths if any(fnmatch(path.name, pattern) for pattern in _FILES)
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _commit(name: str) -> str:
    import_transformers()  # brings the hub's library
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(name, "config.json")
    except ValueError:  # no name that the hub could know
        return ""
    # The cache keeps each commit in a folder of its name.
    return Path(found).parent.name if isinstance(found, str) else ""
