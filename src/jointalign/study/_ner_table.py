"""From the cells of Table 3 to the table: numbers for programs, Markdown for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jointalign.ner import Summary, difference_interval, interval
from jointalign.study._ner_rows import Kind, NERRow
from jointalign.study._rows import published

TITLE = "Table 3: F1 of named entities, learnt in {source}, tagged without a label there"
NEEDS_WEIGHTS = "needs weights"
NOT_RUN = "not run here"

Cells = Mapping[tuple[str, str], Sequence[dict[str, Any]]]
"""By row's name and target: one cell a seed; none where a row could not be made."""


def tabulate_ner(
    rows: Sequence[NERRow],
    source: str,
    targets: Sequence[str],
    cells: Cells,
    reasons: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """Summarise the table.

    Args:
        rows: Its rows, in order.
        source: Language that taggers are learnt in.
        targets: Its columns.
        cells: What was made.
        reasons: Why a row has none in a column.

    Returns:
        `rows`: for each row and target, mean, deviation and interval of F1, the same with the
        target's vectors exchanged, and the published number; `differences`: between rows that the
        paper's claims are about, with paired intervals.
    """
    found = []
    for row in rows:
        columns = {}
        for target in targets:
            known = published("table3", row.published, target) if row.published else None
            made = cells.get((row.name, target), ())
            columns[target] = {"published": known, "absent": None} | (
                _summary(made) if made else {"absent": reasons.get((row.name, target), NOT_RUN)}
            )
        found.append({"row": row.name, "title": row.title, "kind": str(row.kind), "directions": columns})
    return {
        "title": TITLE.format(source=source),
        "source": source,
        "rows": found,
        "differences": _differences(rows, targets, cells),
    }


def _summary(made: Sequence[dict[str, Any]]) -> dict[str, Any]:
    facts = _numbers(made, "counts")
    exchanged = _numbers(made, "permuted") if "permuted" in made[0] else None
    kept = ("coverage", "gamma", "sentences", "select", "encoder", "layers")
    return {
        **facts,
        "permuted": exchanged,
        "development_f1": [max(c["development_f1"]) for c in made if "development_f1" in c],
        **{name: made[0][name] for name in kept if name in made[0]},
    }


def _numbers(made: Sequence[dict[str, Any]], counts: str) -> dict[str, Any]:
    tables = [np.array(cell[counts]) for cell in made]
    by_seed = [_f1(table) for table in tables]
    summary = Summary.of(by_seed)
    return {
        "f1": summary.mean,
        "deviation": summary.deviation if summary.n > 1 else None,  # JSON has no nan
        "n": summary.n,
        "ci": interval(tables),
        "by_seed": by_seed,
    }


def _f1(table: np.ndarray) -> float:
    correct, predicted, gold = table.sum(0).tolist()
    return 200 * correct / max(1, predicted + gold)


def _differences(rows: Sequence[NERRow], targets: Sequence[str], cells: Cells) -> list[dict[str, Any]]:
    """Joint-Align against Align, mapped features against plain, static rows against the floor."""
    names = {row.name: row for row in rows}
    pairs = [
        ("joint-align", "align"),
        ("joint-align-no-characters", "align-no-characters"),
        ("m-bert-feature-align", "m-bert-feature"),
    ]
    for row in rows:
        floor = "floor" if row.characters else "floor-no-characters"
        if row.kind is Kind.STATIC and floor in names:
            pairs.append((row.name, floor))
    found = []
    for first, second in pairs:
        for target in targets:
            ours, theirs = (cells.get((name, target), ()) for name in (first, second))
            if not ours or not theirs:
                continue
            mine, other = ([np.array(c["counts"]) for c in made] for made in (ours, theirs))
            means = [Summary.of([_f1(table) for table in part]).mean for part in (mine, other)]
            low, high = difference_interval(mine, other)
            found.append(
                {
                    "first": first,
                    "second": second,
                    "target": target,
                    "difference": means[0] - means[1],
                    "ci": (low, high),
                    "significant": low > 0 or high < 0,
                }
            )
    return found


def ner_markdown(facts: Mapping[str, Any]) -> str:
    """The table for people."""
    targets = list(facts["rows"][0]["directions"])
    lines = [
        f"**{facts['title']}** (ours ± deviation over seeds [95 % interval] / published)",
        "",
        "| | " + " | ".join(targets) + " |",
        "|---" * (len(targets) + 1) + "|",
    ]
    for row in facts["rows"]:
        lines.append(_line(row["title"], [_cell(cell) for cell in row["directions"].values()]))
        exchanged = [cell.get("permuted") for cell in row["directions"].values()]
        if row["row"] in ("align", "joint-align") and all(exchanged):
            texts = [f"{cell['f1']:.1f}{_spread(cell)}" for cell in exchanged]
            lines.append(_line(f"{row['title']}, the target's vectors exchanged at random", texts))
    lines += [
        "",
        "Intervals: bootstrap over test sentences and seeds. The floor gives each spelling one "
        "random vector, so characters, case, digits and words spelt alike are all that it has.",
        "",
    ]
    lines += [_difference(entry) for entry in facts["differences"]]
    ways = [f"- {target}: {_ways(rows)}" for target, rows in facts["alignment"].items() if rows]
    if ways:
        lines += ["", "How source and target were aligned:", "", *ways]
    return "\n".join(lines)


def _line(title: str, cells: Sequence[str]) -> str:
    return f"| {title} | " + " | ".join(cells) + " |"


def _cell(cell: Mapping[str, Any]) -> str:
    known = "–" if cell["published"] is None else f"{cell['published']:.1f}"
    if cell["absent"] is not None:
        return f"{cell['absent']} / {known}"
    low, high = cell["ci"]
    return f"{cell['f1']:.1f}{_spread(cell)} [{low:.1f}, {high:.1f}] / {known}"


def _spread(cell: Mapping[str, Any]) -> str:
    return f" ± {cell['deviation']:.1f}" if cell["n"] > 1 else ""


def _difference(entry: Mapping[str, Any]) -> str:
    low, high = entry["ci"]
    mark = "" if entry["significant"] else ": the interval holds zero"
    return (
        f"- {entry['target']}: {entry['first']} - {entry['second']} = {entry['difference']:+.1f} "
        f"[{low:+.1f}, {high:+.1f}]{mark}"
    )


def _ways(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """How the rows of a target were aligned."""
    pairs = next(iter(rows.values()))["by_seed"][0]["dictionary"]
    found = [] if pairs is None else [f"Procrustes from {pairs:,} pairs of the training dictionary"]
    for row in rows.values():
        if pairs is None:
            ways = " / ".join(dict.fromkeys(map(_way, row["by_seed"])))
            found.append(f"{row['title']} without a dictionary, {ways}")
    gammas = [row["gamma"] for row in rows.values() if row["gamma"] is not None]
    if gammas:
        chosen = "chosen on a held-out fifth" if pairs else "the paper's; nothing can be held out"
        found.append(f"gamma {gammas[0]:g} ({chosen})")
    return "; ".join(found)


def _way(found: Mapping[str, Any]) -> str:
    """The way that worked; all of them if none did."""
    if found["worked"]:
        return found["attempts"][-1]
    return f"no way has worked, do not trust this row ({', '.join(found['attempts'])})"
