"""Learn the ranker that comes with the package, and those that leave a pair of languages out.

Its rows are those that `studies/ranking.py --rows --shipped` has worked out: candidates of words of the
training dictionaries, both ways, as of words that mappings and counts have not seen, with the rest of the
dictionary and with none. Half of the words of each are seen without any known pair, so that the trees
know what to do without letters, affixes and neighbours. Test dictionaries are not looked at.

For each pair in turn, trees are learnt on the others: what they say of the pair's words gives the
calibration and the figures that the file keeps. `without.PAIR.safetensors` are those trees, which
`studies/ranking.py` judges.

    python studies/shipped_ranker.py --out runs/ranking --write src/jointalign/ranking/shipped.safetensors
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import time
from pathlib import Path

import numpy as np

import jointalign as ja
from jointalign.numerics.processors import limited_to
from jointalign.ranking.api import CrossFitted, first_of
from jointalign.ranking.calibration import Calibration, calibration_error
from jointalign.ranking.features import without_pairs
from jointalign.ranking.learner import Trees, fit_trees
from jointalign.ranking.shipped import Shipped
from jointalign.storage.files import atomic
from ranking import CORPORA, Case, learnt_from, read_part

TREES, LEAVES = 300, 31


def rows_of(options: argparse.Namespace, case: Case, part: str) -> CrossFitted:
    """Rows of a case, those of every other word as without any known pair."""
    found = read_part(options, case, part)
    bare = found["queries"] % 2 == 1
    found["rows"][bare] = without_pairs(found["rows"][bare])
    return CrossFitted.of([(found["rows"], found["right"], found["queries"])])


def learnt(parts: list[CrossFitted]) -> Trees:
    rows, right = (np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "right"))
    return fit_trees(rows, right, np.zeros(len(rows), np.int64), 0, trees=TREES, leaves=LEAVES)


def judged(trees: dict[str, Trees], parts: dict[Case, CrossFitted]) -> tuple[Calibration, dict]:
    """The calibration of trees of other pairs, and what they get right.

    Args:
        trees: Of each pair, learnt without it.
        parts: Rows of all cases of some pairs.
    """
    seen = CrossFitted.of([(part.rows, part.right, part.queries) for part in parts.values()])
    scores = np.concatenate([trees[case.pair].scores(part.rows) for case, part in parts.items()])
    first = first_of(scores, seen.queries)
    is_first = np.zeros(len(scores), bool)
    is_first[first] = True
    chances = np.empty(len(scores))
    for half in (0, 1):
        here = seen.queries // 2 % 2 == half
        line = Calibration.of(scores[~here], seen.right[~here], is_first[~here])
        chances[here] = line.probabilities(scores[here], is_first[here])
    unranked = first_of(seen.rows[:, 0], seen.queries)
    facts = {
        "chances": chances[first],
        "right": seen.right[first],
        "p_at_1_unranked": 100 * float(seen.right[unranked].mean()),
        "candidate_recall": 100 * len(np.unique(seen.queries[seen.right])) / len(first),
    }
    return Calibration.of(scores, seen.right, is_first), facts


def shipped_of(trees: Trees, others: dict[str, Trees], parts: dict[Case, CrossFitted]) -> Shipped:
    """Trees, calibrated by what trees of other pairs say of each."""
    calibration, facts = judged(others, parts)
    return Shipped(trees, calibration, **facts)


def figures(case: Case, trees: Trees, calibration: Calibration, part: CrossFitted) -> dict[str, object]:
    """What trees of other pairs get right of a case, with known pairs and without."""
    found: dict[str, object] = {"direction": case.direction, "words": case.size}
    for name, bare in (("known pairs", 0), ("no known pairs", 1)):
        here = part.queries % 2 == bare
        rows, right, queries = part.rows[here], part.right[here], part.queries[here] // 2
        scores = trees.scores(rows)
        first, unranked = first_of(scores, queries), first_of(rows[:, 0], queries)
        chances = calibration.probabilities(scores[first], np.ones(len(first), bool))
        found[name] = {
            "n": len(first),
            "csls": round(100 * float(right[unranked].mean()), 1),
            "ranked": round(100 * float(right[first].mean()), 1),
            "calibration_error": round(calibration_error(chances, right[first]), 3),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--write", type=Path, required=True, help="the file of the package")
    options = parser.parse_args()
    settings = argparse.Namespace(pairs=list(CORPORA))
    begun = time.process_time()
    with limited_to(1):
        parts = {case: rows_of(options, case, part) for case, part in learnt_from(settings)}
        others = {
            pair: learnt([part for case, part in parts.items() if case.pair != pair]) for pair in CORPORA
        }
        facts = []
        for pair, trees in others.items():
            # Two levels of leaving out would need trees of one pair alone: their calibration is that
            # of trees that saw the other of the two, which is nearly theirs.
            elsewhere = {case: part for case, part in parts.items() if case.pair != pair}
            calibrated = shipped_of(trees, others, elsewhere)
            calibrated.write(options.out / f"without.{pair}.safetensors")
            facts += [
                figures(case, trees, calibrated.calibration, part)
                for case, part in parts.items()
                if case.pair == pair
            ]
        shipped_of(learnt(list(parts.values())), others, parts).write(options.write)
    whole = {
        "command": shlex.join(["python", *sys.argv]),
        "version": ja.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "words": sum(int(part.queries[-1]) + 1 for part in parts.values()),
        "rows": sum(len(part.right) for part in parts.values()),
        "left_out": facts,
        "cpu_seconds": round(time.process_time() - begun),
    }
    with atomic(options.out / "shipped_ranker.json", "w") as file:
        json.dump(whole, file, indent=1)


if __name__ == "__main__":
    main()
