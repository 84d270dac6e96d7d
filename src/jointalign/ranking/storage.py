"""A ranker in a file: text, with its learner, its calibration and what it knows of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from jointalign.errors import FormatError, JointalignError
from jointalign.ranking.api import FittedRanker
from jointalign.ranking.calibration import Calibration
from jointalign.ranking.features import names
from jointalign.ranking.learner import Logistic, Trees
from jointalign.storage.checkpoint import digest_of
from jointalign.storage.facts import fits, read_json, typed
from jointalign.storage.files import atomic

_KIND = "jointalign ranker 1"
_WHAT, _CURE = f"a file of kind '{_KIND}'", "make it again with jointalign rank"


def write_ranker(fitted: FittedRanker, path: str | Path) -> None:
    """Write learner, calibration and held-out figures; vectors stay in their own files.

    Raises:
        JointalignError: If the file cannot be written.
    """
    spaces = len(fitted.views.each)
    columns = [names(spaces)[at] for at in fitted.ranker._columns(spaces).tolist()]
    content = {
        "kind": _KIND,
        "columns": columns,
        "model": _plain(fitted.model),
        "calibration": {"first": fitted.calibration.first, "others": fitted.calibration.others},
        "held_out": fitted.held_out.to_json(),
        "pairs": len(fitted.known),
    }
    with atomic(path, "w") as file:
        json.dump(content | {"digest": _digest(content)}, file, ensure_ascii=False, indent=1)


def _digest(content: Mapping[str, Any]) -> str:
    """Of all but itself: trees go by the numbers in their text, which nobody else checks."""
    return digest_of(*(json.dumps([name, content[name]]) for name in sorted(content) if name != "digest"))


def _plain(model: Logistic | Trees) -> dict[str, Any]:
    if isinstance(model, Trees):
        return {"trees": model.text}
    return {name: getattr(model, name).tolist() for name in ("weights", "means", "scales")}


def read_ranker(path: str | Path) -> tuple[Logistic | Trees, Calibration, list[tuple[str, str]]]:
    """Learner, calibration, and group and name of the columns, as `write_ranker` wrote them.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is another kind of file, or damaged.
        MissingExtraError: If its trees need LightGBM and it is not installed.
    """
    content = read_json(path, dict[str, Any], _WHAT, _CURE)
    if content.get("kind") != _KIND:
        raise FormatError(path, None, f"expected {_WHAT}, got one of kind '{content.get('kind')}'; {_CURE}")
    with fits(path, _WHAT, _CURE):
        if content.get("digest") != _digest(content):
            raise JointalignError("it is not as it was written")
        facts: _Facts = typed(content, _Facts)
        model = facts["model"]
        learner = Trees.of(model["trees"]) if "trees" in model else Logistic(*map(np.array, model.values()))
        calibration = facts["calibration"]
        return learner, Calibration(calibration["first"], calibration["others"]), facts["columns"]


class _Trees(TypedDict):
    trees: str


class _Logistic(TypedDict):
    weights: list[float]
    means: list[float]
    scales: list[float]


class _Calibration(TypedDict):
    first: tuple[float, float]
    others: tuple[float, float]


class _Facts(TypedDict):
    model: _Trees | _Logistic
    calibration: _Calibration
    columns: list[tuple[str, str]]
