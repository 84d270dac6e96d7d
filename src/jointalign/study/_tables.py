"""From cells to a table: numbers for programs, Markdown for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from jointalign.study._rows import Row, Space, published
from jointalign.study._statistics import difference, mean

TITLES = {
    "table1": "Table 1: P@1, all test pairs, words out of vocabulary as in the paper",
    "table2": "Table 2: P@1 without test pairs of the same surface form",
    "table4": "Table 4: P@1 without the test pairs that reallocation tears apart",
}
RULE = "paper"

Cell = dict[str, Any]


def tabulate(
    table: str, rows: Sequence[Row], directions: Sequence[str], cells: dict[tuple[str, str], list]
) -> dict[str, Any]:
    """Summarise a table.

    Args:
        table: `table1`, `table2` or `table4`.
        rows: Its rows, in order.
        directions: Its columns, e.g. `en-es`.
        cells: By row's name and direction: one cell a seed.

    Returns:
        `rows`: for each row and direction, ours by rule, and the published number; `neighbours`:
        for each two rows of a group that follow each other, the difference; `gains`: the same for
        Joint-Align with a mapping and that mapping on separate trainings.
    """
    found = []
    for row in rows:
        columns = {}
        for direction in directions:
            of_seeds = cells[row.name, direction]
            rules = of_seeds[0]["scores"][table]
            columns[direction] = {
                "published": published(table, row.title, direction),
                "method": of_seeds[0]["method"],
                "gamma": of_seeds[0]["gamma"],
                "seconds": [cell["seconds"] for cell in of_seeds],
                "failed": sum(cell["failed"] for cell in of_seeds),
                **{rule: asdict(mean(_scores(of_seeds, table, rule))) for rule in rules},
            }
        found.append({"row": row.name, "title": row.title, "directions": columns})
    return {
        "title": TITLES[table],
        "rows": found,
        "neighbours": _compared(table, _neighbours(rows), directions, cells),
        "gains": _compared(table, _counterparts(rows), directions, cells),
    }


def _scores(of_seeds: Sequence[Cell], table: str, rule: str) -> list[dict[str, Any]]:
    return [cell["scores"][table][rule] for cell in of_seeds]


def _neighbours(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Each row with the one above it in its group."""
    pairs = zip(rows[1:], rows[:-1], strict=True)
    return [(row, above) for row, above in pairs if row.group == above.group]


def _counterparts(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Joint-Align with a mapping, and the same mapping on separate trainings."""
    return [
        (first, second)
        for first in rows
        for second in rows
        if first.method == second.method != ""
        and (first.space, second.space) == (Space.REALLOCATED, Space.SEPARATE)
    ]


def _compared(
    table: str,
    pairs: Sequence[tuple[Row, Row]],
    directions: Sequence[str],
    cells: dict[tuple[str, str], list],
) -> list[dict[str, Any]]:
    """The first row of each pair minus the second."""
    found = []
    for first, second in pairs:
        for direction in directions:
            ours = _scores(cells[first.name, direction], table, RULE)
            theirs = _scores(cells[second.name, direction], table, RULE)
            result = difference(ours, theirs)
            names = {"first": first.name, "second": second.name, "direction": direction}
            found.append(names | asdict(result) | {"significant": result.significant})
    return found


def markdown(result: dict[str, Any], rule: str = RULE) -> str:
    """A table for people: ours with deviation over seeds, the published number behind it."""
    directions = list(result["rows"][0]["directions"])
    lines = [
        f"**{result['title']}** (ours ± deviation over seeds, rule `{rule}` / published)",
        "",
        "| | " + " | ".join(directions) + " |",
        "|---" * (len(directions) + 1) + "|",
    ]
    better = {
        (entry["first"], entry["direction"]): entry["difference"] > 0
        for entry in result["neighbours"]
        if entry["significant"]
    }
    for row in result["rows"]:
        texts = []
        for direction, facts in row["directions"].items():
            mark = {True: " ▲", False: " ▼", None: ""}[better.get((row["row"], direction))]
            texts.append(_cell(facts, rule) + mark)
        lines.append(f"| {row['title']} | " + " | ".join(texts) + " |")
    lines += _gains(result["gains"])
    lines += ["", "▲ ▼: significantly better or worse than the row above it in its group (95 %,"]
    lines[-1] += " paired bootstrap over test words)."
    return "\n".join(lines)


def _gains(gains: list[dict[str, Any]]) -> list[str]:
    """A row for each mapping: what joint training and reallocation add to it."""
    rows: dict[tuple[str, str], list[str]] = {}
    for gain in gains:
        star = "*" if gain["significant"] else ""
        text = f"{gain['difference']:+.1f}{star}"
        rows.setdefault((gain["first"], gain["second"]), []).append(text)
    named = [f"| {ours} - {theirs} | " + " | ".join(cells) + " |" for (ours, theirs), cells in rows.items()]
    return [*named, "", "* significant (95 %)."] if named else []


def _cell(facts: dict[str, Any], rule: str) -> str:
    ours, known = facts[rule], facts["published"]
    if not ours["n"]:
        return f"no word / {'–' if known is None else f'{known:.1f}'}"
    failed = f" ({facts['failed']} failed)" if facts["failed"] else ""
    spread = "" if ours["deviation"] is None else f" ± {ours['deviation']:.1f}"
    return f"{ours['p_at_1']:.1f}{spread}{failed} / {'–' if known is None else f'{known:.1f}'}"
