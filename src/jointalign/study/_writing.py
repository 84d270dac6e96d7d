"""A finished table as files: JSON for programs, Markdown and a picture for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from math import isnan
from pathlib import Path
from typing import Any

from jointalign.errors import MissingExtraError
from jointalign.storage.files import atomic
from jointalign.study.base import StudyResult

logger = logging.getLogger(__name__)


def written(
    table: str, facts: dict[str, Any], text: str, folder: Path, draw: Callable[[Path], None]
) -> StudyResult:
    """Write a table; without its picture, and with a warning, if matplotlib is not installed.

    Args:
        table: Its name, and that of the files.
        facts: All of it as plain types.
        text: In Markdown.
        folder: Where the files go.
        draw: Makes the picture.
    """
    paths = [folder / f"{table}.{suffix}" for suffix in ("json", "md", "png")]
    with atomic(paths[0], "w") as file:
        json.dump(_without_nan(facts), file, indent=1)
        file.write("\n")
    with atomic(paths[1], "w") as file:
        file.write(text + "\n")
    try:
        draw(paths[2])
    except MissingExtraError as error:
        logger.warning("no picture: %s", error)
        del paths[2]
    return StudyResult(table, facts, text, tuple(paths))


def _without_nan(facts: Any) -> Any:
    """`None` for what is no number, which JSON does not have."""
    if isinstance(facts, dict):
        return {name: _without_nan(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_without_nan(value) for value in facts]
    return None if isinstance(facts, float) and isnan(facts) else facts
