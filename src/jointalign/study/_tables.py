"""From cells to a table: numbers for programs, Markdown for people."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.bli.base import LOW_COVERAGE
from jointalign.errors import MissingExtraError
from jointalign.ner import Summary, difference_interval, interval
from jointalign.ner.base import EntityCounts
from jointalign.storage.files import atomic
from jointalign.study._outputs import latex, tidy
from jointalign.study._rows import Kind, Row, Space, published
from jointalign.study._statistics import difference, mean
from jointalign.study.base import StudyResult
from jointalign.version import __version__, versions

TITLES = {
    "table1": "Table 1: P@1, all test pairs, words out of vocabulary as in the paper",
    "table2": "Table 2: P@1 without test pairs of the same surface form",
    "table4": "Table 4: P@1 without the test pairs that reallocation tears apart",
}
NER_TITLE = "Table 3: F1 of named entities, learnt in {source}, tagged without a label there"
RULE = "paper"
COVERAGE = "coverage, %"
NEEDS_WEIGHTS, NOT_RUN = "needs weights", "not run here"

logger = logging.getLogger(__name__)

MadeCells = Mapping[tuple[str, str], Sequence[dict[str, Any]]]
"""By row's name and column: one cell a seed; none where a row could not be made."""


def tabulate(table: str, rows: Sequence[Row], directions: Sequence[str], cells: MadeCells) -> dict[str, Any]:
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


def _scores(of_seeds: Sequence[dict[str, Any]], table: str, rule: str) -> list[dict[str, Any]]:
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
    table: str, pairs: Sequence[tuple[Row, Row]], directions: Sequence[str], cells: MadeCells
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
    lines = []
    better = {
        (entry["first"], entry["direction"]): entry["difference"] > 0
        for entry in result["neighbours"]
        if entry["significant"]
    }
    for row in result["rows"]:
        texts = []
        for direction, facts in row["directions"].items():
            mark = {True: " ▲", False: " ▼", None: ""}[better.get((row["row"], direction))]
            texts += [_cell(facts, rule) + mark, f"{facts[rule]['coverage']:.0f}"]
        lines.append((row["title"], texts))
    gains = _gains(result["gains"])
    columns = [title for direction in directions for title in (direction, COVERAGE)]
    text = [
        f"**{result['title']}** (ours ± deviation over seeds, rule `{rule}` / published)",
        "",
        *_laid_out(columns, [*lines, *gains]),
        *(["", "* significant (95 %)."] if gains else []),
    ]
    text += ["", "▲ ▼: significantly better or worse than the row above it in its group (95 %,"]
    text[-1] += " paired bootstrap over test words)."
    return "\n".join(text + [line for note in of_little_weight(result, rule) for line in ("", note)])


def of_little_weight(result: dict[str, Any], rule: str = RULE) -> list[str]:
    """A note on the columns whose figures can't carry weight; none if there is no such column."""
    lowest: dict[str, float] = {}
    for row in result["rows"]:
        for direction, facts in row["directions"].items():
            coverage = facts[rule]["coverage"] if rule in facts else facts.get("coverage")
            if coverage is not None:
                lowest[direction] = min(coverage, lowest.get(direction, 100.0))
    low = [
        f"{direction} ({coverage:.0f} %)" for direction, coverage in lowest.items() if coverage < LOW_COVERAGE
    ]
    if not low:
        return []
    rest = f"rule `{rule}` copies the others or counts them as wrong, so P@1 is mostly of those"
    if "source" in result:
        rest = "of the others the tagger knows the letters alone"
    return [
        f"**Figures that can't carry weight**, by the lowest coverage of a row: {', '.join(low)}; {rest}."
    ]


def _laid_out(columns: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Lines of a Markdown table: what each row is, and its cells."""
    head = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    return head + [f"| {title} | " + " | ".join(cells) + " |" for title, cells in lines]


def _gains(gains: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """A row for each mapping: what joint training and reallocation add to it."""
    rows: dict[tuple[str, str], list[str]] = {}
    for gain in gains:
        star = "*" if gain["significant"] else ""
        text = f"{gain['difference']:+.1f}{star}"
        rows.setdefault((gain["first"], gain["second"]), []).extend([text, ""])
    return [(f"{ours} - {theirs}", cells) for (ours, theirs), cells in rows.items()]


def _cell(facts: dict[str, Any], rule: str) -> str:
    ours = facts[rule]
    if not ours["n"]:
        return f"no word / {_known(facts)}"
    failed = f" ({facts['failed']} failed)" if facts["failed"] else ""
    return f"{ours['p_at_1']:.1f}{_spread(ours)}{failed} / {_known(facts)}"


def _spread(facts: Mapping[str, Any]) -> str:
    return "" if facts["deviation"] is None else f" ± {facts['deviation']:.1f}"


def _known(facts: Mapping[str, Any]) -> str:
    """The published number."""
    return "–" if facts["published"] is None else f"{facts['published']:.1f}"


def tabulate_ner(
    rows: Sequence[Row],
    source: str,
    targets: Sequence[str],
    cells: MadeCells,
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
            known = published("table3", row.title, target)
            made = cells.get((row.name, target), ())
            columns[target] = {"published": known, "absent": None} | (
                _summary(made) if made else {"absent": reasons.get((row.name, target), NOT_RUN)}
            )
        found.append({"row": row.name, "title": row.title, "kind": str(row.kind), "directions": columns})
    return {
        "title": NER_TITLE.format(source=source),
        "source": source,
        "rows": found,
        "differences": _differences(rows, targets, cells),
    }


def _summary(made: Sequence[dict[str, Any]]) -> dict[str, Any]:
    facts = _numbers(made, "counts")
    exchanged = _numbers(made, "permuted") if "permuted" in made[0] else None
    kept = ("coverage", "gamma", "sentences", "select", "encoder", "layers", "translated", "kept")
    return {
        **facts,
        "permuted": exchanged,
        "types": _types(made),
        "development_f1": [max(c["development_f1"]) for c in made if "development_f1" in c],
        **{name: made[0][name] for name in kept if name in made[0]},
    }


def _types(made: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Mean F1 over seeds of each type of entity."""
    names = sorted({name for cell in made for name in cell.get("types", {})})
    nothing = asdict(EntityCounts())
    return {
        name: Summary.of([EntityCounts(**cell["types"].get(name, nothing)).f1 for cell in made]).mean
        for name in names
    }


def _numbers(made: Sequence[dict[str, Any]], counts: str) -> dict[str, Any]:
    tables = [np.array(cell[counts]) for cell in made]
    by_seed = [EntityCounts(*table.sum(0).tolist()).f1 for table in tables]
    summary = Summary.of(by_seed)
    return {
        "f1": summary.mean,
        "deviation": summary.deviation if summary.n > 1 else None,  # JSON has no nan
        "n": summary.n,
        "ci": interval(tables),
        "by_seed": by_seed,
    }


def _differences(rows: Sequence[Row], targets: Sequence[str], cells: MadeCells) -> list[dict[str, Any]]:
    """Joint-Align against Align, mapped features against plain, static rows against the floor."""
    names = {row.name: row for row in rows}
    pairs = [
        ("joint-align", "align"),
        ("joint-align-no-characters", "align-no-characters"),
        ("translate-train", "joint-align"),
        ("translate-train-ranked", "translate-train"),
        ("m-bert-feature-align", "m-bert-feature"),
    ]
    for row in rows:
        floor = "floor" if row.characters else "floor-no-characters"
        if row.kind in (Kind.STATIC, Kind.TRANSLATED) and floor in names:
            pairs.append((row.name, floor))
    found = []
    for first, second in pairs:
        for target in targets:
            ours, theirs = (cells.get((name, target), ()) for name in (first, second))
            if not ours or not theirs:
                continue
            mine, other = ([np.array(c["counts"]) for c in made] for made in (ours, theirs))
            means = [
                Summary.of([EntityCounts(*table.sum(0).tolist()).f1 for table in part]).mean
                for part in (mine, other)
            ]
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
    lines = []
    for row in facts["rows"]:
        cells = [text for cell in row["directions"].values() for text in (_f1_cell(cell), _covered(cell))]
        lines.append((row["title"], cells))
        exchanged = [cell.get("permuted") for cell in row["directions"].values()]
        if row["row"] in ("align", "joint-align") and all(exchanged):
            texts = [text for cell in exchanged for text in (f"{cell['f1']:.1f}{_spread(cell)}", "")]
            lines.append((f"{row['title']}, the target's vectors exchanged at random", texts))
    text = [
        f"**{facts['title']}** (ours ± deviation over seeds [95 % interval] / published)",
        "",
        *_laid_out([title for target in targets for title in (target, COVERAGE)], lines),
        "",
        "Intervals: bootstrap over test sentences and seeds. Coverage: words of the test text that have a "
        "vector. The floor gives each spelling one "
        "random vector, so characters, case, digits and words spelt alike are all that it has.",
        "",
    ]
    text += [_difference(entry) for entry in facts["differences"]]
    text += [line for note in of_little_weight(dict(facts)) for line in ("", note)]
    ways = [f"- {target}: {_ways(rows)}" for target, rows in facts["alignment"].items() if rows]
    if ways:
        text += ["", "How source and target were aligned:", "", *ways]
    return "\n".join(text)


def _covered(cell: Mapping[str, Any]) -> str:
    coverage = cell.get("coverage")
    return "" if coverage is None else f"{coverage:.0f}"


def _f1_cell(cell: Mapping[str, Any]) -> str:
    if cell["absent"] is not None:
        return f"{cell['absent']} / {_known(cell)}"
    low, high = cell["ci"]
    return f"{cell['f1']:.1f}{_spread(cell)} [{low:.1f}, {high:.1f}] / {_known(cell)}"


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


def table_c(facts: dict[str, Any]) -> str:
    """Table (c): test BLEU of each model and baseline, both directions."""
    ways = list(facts["baselines"]["Copied source"])
    rows = [(title, "", scores) for title, scores in facts["baselines"].items()]
    rows += [
        (curve["title"], str(len(curve["epochs"])), curve["test"])
        for curve in facts["curves"].values()
        if curve["test"] is not None
    ]
    lines = []
    for title, epochs, scores in rows:
        found = [scores[way] for way in ways]
        cells = [f"{s['bleu']:.2f} / {s['tokenised_bleu']:.2f} / {s['chrf']:.2f}" for s in found]
        lines.append((title, [epochs, *cells]))
    columns = ["epochs", *(f"{way}: BLEU / tokenised / chrF2" for way in ways)]
    first = facts["baselines"]["Copied source"][ways[0]]
    note = f"\nTest set of {first['sentences']} sentences; sacreBLEU {first['signature']}."
    return "\n".join([*_laid_out(columns, lines), note])


def written(
    table: str,
    facts: dict[str, Any],
    text: str,
    folder: Path,
    draw: Callable[[Path], None],
    command: str | None = None,
) -> StudyResult:
    """Write a table; without its picture, and with a warning, if matplotlib is not installed.

    Args:
        table: Its name, and that of the files.
        facts: All of it as plain types.
        text: In Markdown.
        folder: Where the files go.
        draw: Makes the picture.
        command: What was typed to make it; `None` in Python.
    """
    facts |= {"versions": versions(), "command": command}
    if command is not None:
        text += f"\n\nMade by jointalign {__version__}: `{command}`"
    numbers = tidy(facts)
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(numbers[0]) if numbers else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(numbers)
    written = {"json": None, "md": text, "tex": latex(text, f"tab:{table}"), "csv": lines.getvalue().rstrip()}
    paths = [folder / f"{table}.{suffix}" for suffix in [*written, "png"]]
    write_json(facts, paths[0])
    for path, content in zip(paths[1:-1], list(written.values())[1:], strict=True):
        with atomic(path, "w") as file:
            file.write(f"{content}\n")
    try:
        draw(paths[-1])
    except MissingExtraError as error:
        logger.warning("no picture: %s", error)
        del paths[-1]
    return StudyResult(table, facts, text, tuple(paths), written["tex"] or "", written["csv"] or "")


def write_json(facts: dict[str, Any], path: Path) -> None:
    """Write the facts as JSON, which knows nothing that is no number."""
    with atomic(path, "w") as file:
        json.dump(_without_nan(facts), file, indent=1)
        file.write("\n")


def _without_nan(facts: Any) -> Any:
    """`None` for what is no number, which JSON does not have."""
    if isinstance(facts, dict):
        return {name: _without_nan(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_without_nan(value) for value in facts]
    return None if isinstance(facts, float) and isnan(facts) else facts
