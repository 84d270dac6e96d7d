"""One folder, one way of training: tables share vectors, and would replace one another's."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jointalign.errors import JointalignError
from jointalign.storage.facts import typed
from jointalign.storage.files import atomic
from jointalign.study.base import StudySettings

_NAME = "training.json"
_TABLES = "table[0-9].json"
_TRAINED = "*.seed[0-9]*.safetensors"


def check_trainer(settings: StudySettings, folder: Path) -> None:
    """Make sure that a folder's vectors, if it has any, were trained with these settings.

    Vectors of another version, or of other texts, are replaced by the stages as ever.

    Args:
        settings: Of the study that begins.
        folder: Where its files go.

    Raises:
        JointalignError: If there are vectors of other settings.
    """
    wanted = json.loads(json.dumps({"tokens": settings.tokens, **asdict(settings.trainer)}))
    known = _known(folder) if any(folder.glob(_TRAINED)) else {}
    for name, value in known.items():
        if name in wanted and wanted[name] != value:
            raise JointalignError(
                f"{folder}: its vectors were trained with {name} {value}, now {name} is "
                f"{wanted[name]}, and all of them would be replaced; give the same setting, or "
                "name another folder"
            )
    with atomic(folder / _NAME, "w") as file:
        json.dump(wanted, file, indent=2)


def _known(folder: Path) -> dict[str, Any]:
    """Settings that the folder's vectors were trained with, as it or its newest table says."""
    tables = sorted(folder.glob(_TABLES), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in (folder / _NAME, *tables):
        try:
            facts = typed(json.loads(path.read_text("utf-8")), dict[str, Any])
            return facts if path.name == _NAME else {"tokens": facts["tokens"], **facts["trainer"]}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {}
