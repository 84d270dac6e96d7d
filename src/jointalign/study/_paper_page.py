"""The page of the whole paper: our figures beside the published ones, and the reason for every gap."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointalign.pipeline.page import FileLinks, Part, Picture, Prose, Report, Table
from jointalign.storage.files import write_text
from jointalign.study._rows import NER_ROWS, ROWS, all_published
from jointalign.study._tables import NOT_RUN, RULE, of_little_weight
from jointalign.study.claims import Claim, Evidence, verdict
from jointalign.version import __version__

if TYPE_CHECKING:
    from jointalign.study.paper import PaperSettings

LEFT_OUT, NO_DATA = "left out by --quick", "no data"


@dataclass(frozen=True)
class MadePart:
    """A part as it was made.

    Args:
        name: Of its files.
        title: On the page.
        facts: Of its JSON file; empty if it failed.
        files: What was written.
        failure: Why it failed; empty if it did not.
        command: What makes it alone.
        seconds: All that it took, over all starts.
        small: What `--quick` makes of it.
        claims: With the differences that decide them.
    """

    name: str
    title: str
    facts: dict[str, Any]
    files: tuple[Path, ...]
    failure: str
    command: str
    seconds: float
    small: str
    claims: tuple[tuple[Claim, list[Evidence]], ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a table of the paper, or one more of ours.

    Args:
        row: Title.
        column: Direction or language.
        published: What the paper has.
        ours: Mean over seeds; `None` where there is none.
        deviation: Over seeds.
        ci: 95 % interval.
        reason: Why there is none of ours.
    """

    row: str
    column: str
    published: float | None
    ours: float | None = None
    deviation: float | None = None
    ci: tuple[float, float] | None = None
    reason: str = ""

    def __str__(self) -> str:
        known = "–" if self.published is None else f"{self.published:.1f}"
        if self.ours is None:
            return f"{self.reason} / {known}"
        spread = "" if self.deviation is None else f" ± {self.deviation:.1f}"
        interval = "" if self.ci is None else f" [{self.ci[0]:.1f}, {self.ci[1]:.1f}]"
        return f"{self.ours:.1f}{spread}{interval} / {known}"


def cells_of(part: MadePart, lacking: Mapping[str, str], quick: bool) -> list[Cell]:
    """All cells that the paper or we have, row by row in the order of our tables."""
    published = all_published(part.name)
    made = {row["title"]: row["directions"] for row in part.facts["rows"]}
    order = [row.title for row in (NER_ROWS if part.name == "table3" else ROWS)]
    titles = [title for title in order if title in made or title in published]
    columns = list(part.facts["rows"][0]["directions"])
    columns += [c for row in published.values() for c in row if c not in columns and c != "avg"]
    cells = []
    for title in titles:
        for column in dict.fromkeys(columns):
            known = published.get(title, {}).get(column)
            facts = made.get(title, {}).get(column)
            if facts is not None or known is not None:
                cells.append(_cell(title, column, known, facts, lacking, quick))
    return cells


def _cell(
    title: str,
    column: str,
    known: float | None,
    facts: dict[str, Any] | None,
    lacking: Mapping[str, str],
    quick: bool,
) -> Cell:
    if facts is None:
        way = column.split("-")
        missing = column in lacking or "-".join(reversed(way)) in lacking
        return Cell(title, column, known, reason=NO_DATA if missing else LEFT_OUT if quick else NOT_RUN)
    if RULE in facts:  # of Tables 1, 2, 4
        ours = facts[RULE]
        if not ours["n"] or facts["failed"]:
            reason = f"{facts['failed']} failed" if facts["failed"] else "no test word is known"
            return Cell(title, column, known, reason=reason)
        return Cell(title, column, known, ours["p_at_1"], ours["deviation"], ours["ci"])
    if facts["absent"] is not None:
        return Cell(title, column, known, reason=facts["absent"])
    return Cell(title, column, known, facts["f1"], facts["deviation"], facts["ci"])


def write_csv(part: MadePart, lacking: Mapping[str, str], quick: bool, path: Path) -> None:
    """Write all cells, one a line."""
    with write_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", "column", "ours", "deviation", "low", "high", "published", "reason"])
        for cell in cells_of(part, lacking, quick):
            low, high = cell.ci or (None, None)
            writer.writerow(
                [cell.row, cell.column, cell.ours, cell.deviation, low, high, cell.published, cell.reason]
            )


def paper_report(settings: PaperSettings, parts: Sequence[MadePart], folder: Path) -> Report:
    """The page of a folder."""
    failed = [part.title for part in parts if part.failure]
    summary = (
        "Every table and figure, made here beside the published. "
        + (
            "This is the quick one: little text, short vectors and one seed show that everything runs and "
            "which way it points; what it leaves out is named. "
            if settings.quick
            else "Texts are smaller than the paper's Wikipedias: their order compares, not their height. "
        )
        + (f"Failed: {', '.join(failed)}." if failed else "")
    )
    shown: list[Part] = [_claims(parts, settings.quick)]
    for part in parts:
        shown += _section(part, settings, folder)
    facts = [
        ("data", str(settings.data)),
        ("version", __version__),
        ("pairs", ", ".join(map(str, settings.tables.pairs))),
        ("tokens a language", f"{settings.tables.tokens:,}" if settings.tables.tokens else "all"),
        ("dimensions", str(settings.tables.trainer.dimensions)),
        ("seeds", str(settings.tables.seeds)),
        *((f"not there: {name}", reason) for name, reason in settings.lacking.items()),
    ]
    title = "Cross-lingual Alignment vs Joint Training, made again"
    return Report(title, summary.strip(), facts, shown)


def _claims(parts: Sequence[MadePart], quick: bool) -> Table:
    missing = "a row is left out by --quick" if quick else "a row could not be made"
    rows = [
        [part.title, claim.text, verdict(evidence), "; ".join(map(str, evidence)) or missing]
        for part in parts
        for claim, evidence in part.claims
    ]
    note = (
        "The better row of the claim minus the other, with paired 95 % bootstrap intervals. A claim holds if "
        "every interval is above zero, and does not if one is below; what stands below a table of columns "
        "that can't carry weight holds for its claims, too."
    )
    title = "What the paper claims, and whether it holds here"
    return Table(title, ["", "claim", "here", "difference"], rows, note)


def _section(part: MadePart, settings: PaperSettings, folder: Path) -> Iterator[Part]:
    head = [f"{part.command}, version {__version__}, {part.seconds / 60:.1f} minutes."]
    if settings.quick:
        head.append(f"Quick: {part.small}.")
    if part.failure:
        yield Prose(part.title, [f"Failed: {part.failure}", *head])
        return
    if "rows" in part.facts:
        yield _table(part, settings)
    elif "curves" in part.facts:
        yield _bleu(part)
    title = part.title if "rows" not in part.facts and "curves" not in part.facts else ""
    yield Prose(title, head)
    yield FileLinks("", [(path.name, path.relative_to(folder).as_posix()) for path in part.files])
    for path in part.files:
        if path.suffix == ".png" and path.is_file():
            yield Picture(path.read_bytes(), f"{part.title}, drawn")


def _table(part: MadePart, settings: PaperSettings) -> Table:
    cells = cells_of(part, settings.lacking, settings.quick)
    columns = list(part.facts["rows"][0]["directions"])
    by_place = {(cell.row, cell.column): cell for cell in cells}
    rows = [
        [title, *(str(by_place.get((title, column), "")) for column in columns)]
        for title in dict.fromkeys(cell.row for cell in cells)
    ]
    others: dict[str, list[str]] = {}
    for cell in cells:
        if cell.column not in columns:
            others.setdefault(cell.reason, []).append(cell.column)
    gaps = "; ".join(f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in others.items())
    score = "F1" if part.name == "table3" else f"P@1, rule {RULE}"
    note = f"{score}: ours ± deviation over seeds [95 % interval] / published."
    if gaps:
        note += f" Other columns of the paper: {gaps}."
    note += "".join(f" {text.replace('**', '').replace('`', '')}" for text in of_little_weight(part.facts))
    return Table(part.facts["title"], ["", *columns], rows, note)


def _bleu(part: MadePart) -> Table:
    ways = list(part.facts["baselines"]["Copied source"])
    scored = [(title, "", scores) for title, scores in part.facts["baselines"].items()]
    scored += [
        (curve["title"], str(len(curve["epochs"])), curve["test"] or {})
        for curve in part.facts["curves"].values()
    ]
    rows = [
        [title, epochs, *(f"{scores[way]['bleu']:.2f}" if scores else "no epoch" for way in ways)]
        for title, epochs, scores in scored
    ]
    note = f"Test BLEU of the best epoch; {part.facts['data']}. The paper has curves, no figures."
    return Table("Figure 2: unsupervised translation", ["", "epochs", *ways], rows, note)
