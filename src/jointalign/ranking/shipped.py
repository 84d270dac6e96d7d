"""What was learnt on other pairs of languages: the ranker that comes with the package.

Its features name no language, so that what it knows of vectors, frequency, spelling and affixes holds
for pairs it has not seen. `docs/ranking.md` is its card; `studies/shipped_ranker.py` makes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TypedDict

import numpy as np

from jointalign.ranking.calibration import Calibration
from jointalign.ranking.features import NAMES
from jointalign.ranking.learner import Trees
from jointalign.storage.facts import fits
from jointalign.storage.tensors import Array, Schema, read_tensors, write_tensors

_LEAF = 255


@dataclass(frozen=True, eq=False)
class Shipped:
    """Trees, and how good they are on pairs of languages that were left out when they were learnt.

    Args:
        trees: Over all columns of `NAMES`.
        calibration: From their scores to probabilities.
        chances: Probability of the first translation of words of such pairs, `(n,)`.
        right: Whether each is right.
        p_at_1_unranked: Percentage of these words with a right translation first by the mean CSLS.
        candidate_recall: Percentage of them with a right translation among the candidates.
    """

    trees: Trees
    calibration: Calibration
    chances: np.ndarray
    right: np.ndarray
    p_at_1_unranked: float
    candidate_recall: float

    def write(self, path: str | Path) -> None:
        """Write it into one file.

        Raises:
            JointalignError: If the file cannot be written.
        """
        leaf = self.trees.columns < 0
        tensors = {
            "roots": self.trees.roots.astype(np.uint32),
            "columns": np.where(leaf, _LEAF, self.trees.columns).astype(np.uint8),
            "values": self.trees.values.astype(np.float32),
            "right_nodes": self.trees.right.astype(np.uint32),
            "chances": self.chances.astype(np.float32),
            "right": self.right.astype(np.uint8),
        }
        facts = {
            "names": NAMES,
            "calibration": (*self.calibration.first, *self.calibration.others),
            "figures": (self.p_at_1_unranked, self.candidate_recall),
        }
        metadata = {"kind": _SCHEMA.kind, **{name: json.dumps(fact) for name, fact in facts.items()}}
        write_tensors(path, tensors, metadata, sealed=True)

    @classmethod
    def read(cls, path: str | Path) -> Shipped:
        """Read what `write` wrote.

        Raises:
            JointalignError: If the file cannot be opened.
            FormatError: If it is another kind of file, damaged, or of other features than these.
        """
        mapped, facts = read_tensors(path, _SCHEMA)
        tensors = {name: np.array(values) for name, values in mapped.items()}
        columns = tensors["columns"].astype(np.int32)
        columns[columns == _LEAF] = -1
        # Nodes stand in the order in which they are met, the left branch first.
        left = np.where(columns < 0, 0, np.arange(1, len(columns) + 1)).astype(np.int32)
        values = tensors["values"].astype(np.float64)
        roots, right = (tensors[name].astype(np.int32) for name in ("roots", "right_nodes"))
        trees = Trees(roots, columns, values, left, right)
        with fits(path, _SCHEMA.what, _SCHEMA.cure):
            trees.check(len(NAMES) if facts["names"] == [list(name) for name in NAMES] else 0)
        slope, constant, *others = facts["calibration"]
        calibration = Calibration((slope, constant), (others[0], others[1]))
        return cls(trees, calibration, tensors["chances"], tensors["right"] > 0, *facts["figures"])


@cache
def shipped() -> Shipped:
    """The one that comes with the package."""
    with as_file(files("jointalign.ranking").joinpath("shipped.safetensors")) as path:
        return Shipped.read(path)


class _Facts(TypedDict):
    kind: str
    names: list[list[str]]
    calibration: list[float]
    figures: list[float]


_SCHEMA = Schema(
    "a ranker learnt on other pairs",
    _Facts,
    lambda facts: {
        "roots": Array("U32", ("trees",)),
        "columns": Array("U8", ("nodes",)),
        "values": Array("F32", ("nodes",)),
        "right_nodes": Array("U32", ("nodes",)),
        "chances": Array("F32", ("words",)),
        "right": Array("U8", ("words",), below=2),
    },
    kind="jointalign shipped ranker 1",
    cure="install the package again, or make it again with studies/shipped_ranker.py",
    sealed=True,
)
