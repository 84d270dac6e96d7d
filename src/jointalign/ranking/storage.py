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
from jointalign.ranking.features import NAMES
from jointalign.ranking.learner import Logistic, Trees
from jointalign.storage.checkpoint import digest_of
from jointalign.storage.facts import Number, fits, read_json, typed
from jointalign.storage.files import atomic

_KIND = "jointalign ranker 2"
_WHAT, _CURE = f"a file of kind '{_KIND}'", "make it again with jointalign rank"


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
        json.dump(content | {"digest": _digest(content)}, file, ensure_ascii=False, indent=1)


def _digest(content: Mapping[str, Any]) -> str:
    """Of all but itself: trees go by the numbers in their text, which nobody else checks."""
    return digest_of(*(json.dumps([name, content[name]]) for name in sorted(content) if name != "digest"))


def _plain(model: Logistic | Trees) -> dict[str, Any]:
    return {name: values.tolist() for name, values in vars(model).items()}


def read_ranker(path: str | Path) -> tuple[Logistic | Trees, Calibration, list[tuple[str, str]]]:
    """Learner, calibration, and group and name of the columns, as `write_ranker` wrote them.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is another kind of file, or damaged.
    """
    content = read_json(path, dict[str, Any], _WHAT, _CURE)
    if content.get("kind") != _KIND:
        raise FormatError(path, None, f"expected {_WHAT}, got one of kind '{content.get('kind')}'; {_CURE}")
    with fits(path, _WHAT, _CURE):
        if content.get("digest") != _digest(content):
            raise JointalignError("it is not as it was written")
        facts: _RankerFacts = typed(content, _RankerFacts)
        arrays = {name: np.array(values) for name, values in facts["model"].items()}
        learner = Trees(**arrays) if "roots" in arrays else Logistic(**arrays)
        learner.check(len(facts["columns"]))
        calibration = facts["calibration"]
        return learner, Calibration(calibration["first"], calibration["others"]), facts["columns"]


class _Trees(TypedDict):
    roots: list[Number]
    columns: list[int]
    values: list[float]
    left: list[Number]
    right: list[Number]


class _Logistic(TypedDict):
    weights: list[float]
    means: list[float]
    scales: list[float]


class _Calibration(TypedDict):
    first: tuple[float, float]
    others: tuple[float, float]


class _RankerFacts(TypedDict):
    model: _Trees | _Logistic
    calibration: _Calibration
    columns: list[tuple[str, str]]
