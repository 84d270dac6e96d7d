"""A page to read and to keep: one HTML file with nothing outside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path

from jointalign.dictionary import Translation
from jointalign.files import atomic
from jointalign.oversharing import OversharingReport
from jointalign.version import __version__


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Args:
        title: Above it.
        head: Name of each column.
        rows: The cells; numbers are written by the caller, who knows how exact they are.
        note: Below it, e.g. the signature of a score.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """What goes on the page, from top to bottom.

    Args:
        title: Of the page.
        summary: A sentence or two.
        settings: Names and values.
        tables: In order.
        picture: A PNG file's bytes; `None` for none.
        caption: Of the picture.
    """

    title: str
    summary: str
    settings: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    picture: bytes | None = None
    caption: str = ""


ENTRIES = 60
"""Entries of a dictionary that are shown."""

_STYLE = """
:root { color-scheme: light dark; --line: #d0d4da; --soft: #667; --accent: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --line: #444a52; --soft: #a0a7b0; } }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto;
       padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.summary { font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
        font-size: .93rem; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
th { color: var(--soft); font-weight: 600; }
td:last-child { text-align: right; }
.scroll { overflow-x: auto; }
.note, footer, figcaption { color: var(--soft); font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 2rem 0; } img { max-width: 100%; background: white; }
@media print { body { margin: 0; max-width: none; } }
"""


def write_report(report: Report, path: str | Path) -> None:
    """Write the page.

    The same content gives the same bytes: no date goes into it.

    Args:
        report: What to show; all texts are escaped.
        path: The HTML file.

    Raises:
        JointalignError: If the file cannot be written.

    Example:
        >>> import tempfile
        >>> table = Table("Scores", ["system", "P@1"], [["Joint-Align", "61.3"]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_report(Report("en-es", "It works.", [], [table]), f"{folder}/report.html")
        ...     "<td>61.3</td>" in Path(folder, "report.html").read_text("utf-8")
        True
    """
    body = [f"<h1>{escape(report.title)}</h1>", f'<p class="summary">{escape(report.summary)}</p>']
    body += [_table(table) for table in report.tables]
    if report.picture is not None:
        data = base64.b64encode(report.picture).decode("ascii")
        caption = escape(report.caption)
        body.append(
            f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    if report.settings:
        facts = "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in report.settings)
        body.append(f"<h2>Settings</h2><dl>{facts}</dl>")
    body.append(
        f"<footer><p>jointalign {__version__}. The framework: Wang, Xie et al., "
        "&ldquo;Cross-lingual Alignment vs Joint Training&rdquo;, ICLR 2020.</p></footer>"
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head>\n<body>\n"
    )
    with atomic(path, "w") as file:
        file.write(page + "\n".join(body) + "\n</body></html>\n")


def oversharing_table(report: OversharingReport) -> Table:
    """A row for each gamma."""
    rows = [
        [
            f"{row.gamma:g}",
            f"{row.source_only:,}",
            f"{row.target_only:,}",
            f"{row.shared:,}",
            f"{row.moved_to_source:,}",
            f"{row.moved_to_target:,}",
            "" if row.training is None else f"{row.training.moved:,}",
            "" if row.test is None else f"{row.test.moved:,}",
            ", ".join(moved.word for moved in islice(row.examples, 8)),
        ]
        for row in report.rows
    ]
    head = ["gamma", "source", "target", "shared", "to source", "to target"]
    head += ["training pairs", "test pairs", "most frequent moved words"]
    return Table("Oversharing", head, rows, f"{report.overlap:,} words occur in both corpora")


def dictionary_table(entries: Sequence[Translation]) -> Table:
    """The first entries of the dictionary."""
    rows = [
        [e.source, e.target, f"{e.score:.3f}", "" if e.margin is None else f"{e.margin:.3f}"]
        for e in islice(entries, ENTRIES)
    ]
    note = f"the first {len(rows)} of {len(entries):,}; all in dictionary.tsv"
    return Table("Dictionary", ["source", "target", "CSLS", "margin"], rows, note)


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<h2>{escape(table.title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>{note}"
    )
