"""A ranker in a file: text, with its learner, its calibration and what it knows of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.errors import FormatError
from jointalign.ranking.api import FittedRanker
from jointalign.ranking.calibration import Calibration
from jointalign.ranking.features import NAMES
from jointalign.ranking.learner import Logistic, Trees
from jointalign.storage.files import atomic, plain_errors

_KIND = "jointalign ranker 2"
_TREES = ("roots", "columns", "values", "left", "right")
_LINE = ("weights", "means", "scales")


def write_ranker(fitted: FittedRanker, path: str | Path) -> None:
    """Write learner, calibration and held-out figures; vectors stay in their own files.

    Raises:
        JointalignError: If the file cannot be written.
    """
    columns = [NAMES[at] for at in fitted.ranker._columns().tolist()]
    content = {
        "kind": _KIND,
        "columns": columns,
        "model": _plain(fitted.model),
        "calibration": {"first": fitted.calibration.first, "others": fitted.calibration.others},
        "held_out": fitted.held_out.to_json(),
        "pairs": len(fitted.known),
    }
    with atomic(path, "w") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)


def _plain(model: Logistic | Trees) -> dict[str, Any]:
    fields = _TREES if isinstance(model, Trees) else _LINE
    return {name: getattr(model, name).tolist() for name in fields}


def read_ranker(path: str | Path) -> tuple[Logistic | Trees, Calibration, list[tuple[str, str]]]:
    """Learner, calibration, and group and name of the columns, as `write_ranker` wrote them.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is another kind of file, or damaged.
    """
    with plain_errors(path):
        text = Path(path).read_text("utf-8", errors="replace")
    try:
        content = json.loads(text)
        if content["kind"] != _KIND:
            raise ValueError
        model = content["model"]
        kind, fields = (Trees, _TREES) if "roots" in model else (Logistic, _LINE)
        learner = kind(*(np.array(model[name]) for name in fields))
        first, others = (tuple(content["calibration"][name]) for name in ("first", "others"))
        return learner, Calibration(first, others), [tuple(column) for column in content["columns"]]
    except (ValueError, KeyError, TypeError):
        reason = f"expected a file of kind '{_KIND}'; make it again with jointalign rank"
        raise FormatError(path, None, reason) from None
