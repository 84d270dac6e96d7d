"""A page to read and to keep: one HTML file with nothing outside it."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path

from jointalign.dictionary.api import Translation
from jointalign.overshared import OversharingReport
from jointalign.storage.files import atomic
from jointalign.storage.tables import escaped
from jointalign.version import __version__


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Args:
        title: Above it.
        head: Name of each column.
        rows: The cells; numbers are written by the caller, who knows how exact they are.
        note: Below it, e.g. the signature of a score.
        bar: Name of a column of percentages to show as bars too; empty for none.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    bar: str = ""


@dataclass(frozen=True)
class Report:
    """What goes on the page, from top to bottom.

    Args:
        title: Of the page.
        summary: A sentence or two.
        settings: Names and values.
        tables: In order.
        picture: A PNG file's bytes, shown below the first table; `None` for none.
        caption: Of the picture.
    """

    title: str
    summary: str
    settings: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    picture: bytes | None = None
    caption: str = ""


_FOOTER = f"""<footer><p>Made by jointalign {__version__}. The framework, to be cited:
Zirui Wang, Jiateng Xie, Ruochen Xu, Yiming Yang, Graham Neubig, Jaime Carbonell:
<cite>Cross-lingual Alignment vs Joint Training: A Comparative Study and A Simple Unified
Framework</cite>. ICLR 2020, arXiv:1910.04708.</p></footer>"""

ENTRIES = 60
"""Entries of a dictionary that are shown."""

# Cells of a column that is lined up on the right: numbers, intervals, and what stands for none.
_NUMBER = re.compile(r"[\[\](]*[-+\d][\d.,/%\s\[\])-]*|-|")

_STYLE = """
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #5b6472; --bar: #cfe3f3; }
@media (prefers-color-scheme: dark) { :root { --line: #3d434c; --soft: #a3abb6; --bar: #1d4562; } }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 58rem; margin: 2.5rem auto;
       padding: 0 1.2rem; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 .6rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
p.summary { font-size: 1.06rem; max-width: 48rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .32rem 1.6rem .32rem 0;
         border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tr:last-child td { border-bottom: none; }
.number { text-align: right; }
.bar { min-width: 13rem; padding-left: .5rem;
       background: linear-gradient(var(--bar) 0 0) no-repeat 0 50% / var(--share) 70%; }
.note, footer, figcaption { color: var(--soft); font-size: .86rem; overflow-wrap: anywhere; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.6rem; font-size: .93rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 2.4rem 0; } img { max-width: 100%; background: white; }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; }
  thead { display: table-header-group; } tr, figure { break-inside: avoid; }
  .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
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
        ...     ">61.3</td>" in Path(folder, "report.html").read_text("utf-8")
        True
    """
    body = [f"<h1>{escape(report.title)}</h1>", f'<p class="summary">{escape(report.summary)}</p>']
    parts = [_table(table) for table in report.tables]
    if report.picture is not None:
        parts.insert(1, _figure(report.picture, escape(report.caption)))
    body += parts
    if report.settings:
        facts = "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in report.settings)
        body.append(f"<h2>Settings</h2><dl>{facts}</dl>")
    body.append(_FOOTER)
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
    head += ["training pairs moved", "test pairs moved", "most frequent moved words"]
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
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.head)
    numeric = [all(_NUMBER.fullmatch(cell) for cell in column) for column in columns]
    kinds = [
        "bar" if name == table.bar else "number" if is_numeric else ""
        for name, is_numeric in zip(table.head, numeric, strict=True)
    ]
    head = "".join(
        f'<th scope="col"{_class(kind)}>{escape(name)}</th>'
        for kind, name in zip(kinds, table.head, strict=True)
    )
    rows = "\n".join("<tr>" + "".join(map(_cell, kinds, row)) + "</tr>" for row in table.rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<h2>{escape(table.title)}</h2>\n<div class="scroll"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>{note}"
    )


def _figure(picture: bytes, caption: str) -> str:
    data = base64.b64encode(picture).decode("ascii")
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _cell(kind: str, text: str) -> str:
    is_share = kind == "bar" and text.replace(".", "", 1).isdecimal()
    share = f' style="--share: {float(text):.1f}%"' if is_share else ""
    return f"<td{_class(kind)}{share}>{escape(escaped(text))}</td>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
