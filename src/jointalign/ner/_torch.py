"""torch, which only tagging itself needs: reading, converting and scoring do without."""

from __future__ import annotations

from typing import Any

from jointalign.errors import MissingExtraError


def import_torch() -> Any:
    """The package.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "ner") from error
    return torch
