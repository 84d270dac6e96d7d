"""What the paper claims, and whether it holds here: paired differences of two rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from jointalign.ner import difference_interval
from jointalign.ner.base import EntityCounts
from jointalign.study._cells import found
from jointalign.study._statistics import difference


@dataclass(frozen=True)
class Claim:
    """That one row is better than another.

    Args:
        text: In words.
        better: Name of a row.
        worse: Name of the other.
    """

    text: str
    better: str
    worse: str


@dataclass(frozen=True)
class Evidence:
    """The first row minus the second in one column; no interval where it is of one model."""

    column: str
    difference: float
    ci: tuple[float, float] | None

    @property
    def decided(self) -> int:
        """1 for better, -1 for worse, 0 for an interval that holds zero or that there is none of."""
        if self.ci is None:
            return 0
        return (self.ci[0] > 0) - (self.ci[1] < 0)

    def __str__(self) -> str:
        if self.ci is None:
            return f"{self.column} {self.difference:+.1f} (one seed, no interval)"
        return f"{self.column} {self.difference:+.1f} [{self.ci[0]:+.1f}, {self.ci[1]:+.1f}]"


def verdict(evidence: Sequence[Evidence]) -> str:
    """Whether a claim holds here.

    Example:
        >>> verdict([Evidence("en-es", 2.0, (1.0, 3.0)), Evidence("es-en", 0.5, (-1.0, 2.0))])
        'holds in part'
    """
    if not evidence:
        return "not measured"
    decided = [one.decided for one in evidence]
    if all(mark == 1 for mark in decided):
        return "holds"
    if 1 in decided and -1 in decided:
        return "differs by column"
    if -1 in decided:
        return "does not hold"
    return "holds in part" if 1 in decided else "not decided"


def bli_evidence(table: str, claim: Claim, facts: dict[str, Any], folder: Path) -> list[Evidence]:
    """Over the same test words and all seeds, rule `paper`."""
    names = {row["row"] for row in facts["rows"]}
    if not {claim.better, claim.worse} <= names:
        return []
    result = []
    for direction in facts["rows"][0]["directions"]:
        better, worse = (
            [
                found(folder, f"cell.{row}.{direction}.seed{seed}")["scores"][table]["paper"]
                for seed in range(facts["seeds"])
            ]
            for row in (claim.better, claim.worse)
        )
        one = difference(better, worse)
        if one.n:
            result.append(Evidence(direction, one.difference, one.ci))
    return result


def ner_evidence(table: str, claim: Claim, facts: dict[str, Any], folder: Path) -> list[Evidence]:
    """Over the same test sentences and all seeds."""
    made = {
        (row["row"], target)
        for row in facts["rows"]
        for target, cell in row["directions"].items()
        if cell["absent"] is None
    }
    result = []
    for target in facts["rows"][0]["directions"]:
        if not {(claim.better, target), (claim.worse, target)} <= made:
            continue
        better, worse = (
            [
                np.array(found(folder, f"ner.{row}.{facts['source']}-{target}.seed{seed}")["counts"])
                for seed in range(facts["seeds"])
            ]
            for row in (claim.better, claim.worse)
        )
        gain = _mean_f1(better) - _mean_f1(worse)
        result.append(Evidence(target, gain, difference_interval(better, worse)))
    return result


def _mean_f1(counts: Sequence[np.ndarray]) -> float:
    return fmean(EntityCounts(*one.sum(0).tolist()).f1 for one in counts)


def bleu_evidence(figure: str, claim: Claim, facts: dict[str, Any], folder: Path) -> list[Evidence]:
    """Test BLEU of the best epochs."""
    tests = [facts["curves"].get(row, {}).get("test") for row in (claim.better, claim.worse)]
    if None in tests:
        return []
    return [Evidence(way, tests[0][way]["bleu"] - tests[1][way]["bleu"], None) for way in tests[0]]
