"""A page to read and to keep: one HTML file with nothing outside it."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from html import escape
from itertools import islice
from pathlib import Path
from urllib.parse import quote

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
class Prose:
    """Some sentences below a head."""

    title: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class FileLinks:
    """Files beside the page: what each is called, and its path from there."""

    title: str
    files: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Picture:
    """A PNG file's bytes, and what it shows."""

    content: bytes
    caption: str
    title: str = ""


@dataclass(frozen=True)
class Chart:
    """Dots joined by a line, in percent on both axes.

    Args:
        title: Above it.
        across: What the numbers along the bottom are.
        up: What those on the left are.
        points: Of the line, `(x, y)`, by rising x.
        sizes: How many words each dot stands for, which decides its area; empty for a plain line.
        diagonal: Whether to draw where both are equal.
        caption: How to read it, in words.
    """

    title: str
    across: str
    up: str
    points: Sequence[tuple[float, float]]
    caption: str
    sizes: Sequence[int] = ()
    diagonal: bool = False


@dataclass(frozen=True)
class Charts:
    """Charts side by side."""

    title: str
    charts: Sequence[Chart]


@dataclass(frozen=True)
class Sense:
    """A translation of a headword.

    Args:
        target: The translation.
        probability: Of being right; `None` where nothing is known.
        given: Whether the user gave it.
        count: How often it occurs.
        evidence: What speaks for it.
    """

    target: str
    probability: float | None
    given: bool
    count: int
    evidence: Sequence[str]


@dataclass(frozen=True)
class Headword:
    """A word of the dictionary with its translations, the surest first."""

    source: str
    count: int
    senses: Sequence[Sense]


@dataclass(frozen=True)
class Headwords:
    """Entries as a dictionary prints them.

    Args:
        title: Above them.
        words: In order.
        languages: Codes of source and target, for readers of screens and for fonts.
        note: Below them.
    """

    title: str
    words: Sequence[Headword]
    languages: tuple[str, str]
    note: str = ""


Line = Sequence[tuple[str, bool]]
"""A sentence in pieces, each with whether it is the word."""


@dataclass(frozen=True)
class Example:
    """An entry with sentences in which its words occur."""

    source: str
    sense: Sense
    source_lines: Sequence[Line]
    target_lines: Sequence[Line]


@dataclass(frozen=True)
class ExampleEntries:
    """Entries with their sentences."""

    title: str
    examples: Sequence[Example]
    languages: tuple[str, str]
    note: str = ""


Part = Table | Prose | FileLinks | Picture | Charts | Headwords | ExampleEntries


@dataclass(frozen=True)
class Report:
    """What goes on the page, from top to bottom.

    Args:
        title: Of the page.
        summary: A sentence or two.
        settings: Names and values.
        tables: Tables and other parts, in order.
        picture: A PNG file's bytes, shown below the first part; `None` for none.
        caption: Of the picture.
    """

    title: str
    summary: str
    settings: Sequence[tuple[str, str]]
    tables: Sequence[Part]
    picture: bytes | None = None
    caption: str = ""


_FOOTER = f"""<footer><p>Made by jointalign {__version__}. The framework, to be cited:
Zirui Wang, Jiateng Xie, Ruochen Xu, Yiming Yang, Graham Neubig, Jaime Carbonell:
<cite>Cross-lingual Alignment vs Joint Training: A Comparative Study and A Simple Unified
Framework</cite>. ICLR 2020, arXiv:1910.04708.</p></footer>"""

_FEW = 3  # parts of a page that needs no list of them

ENTRIES = 60
"""Entries of a dictionary that are shown."""

# Cells of a column that is lined up on the right: numbers, intervals, and what stands for none.
_NUMBER = re.compile(r"[\[\](]*[-+\d][\d.,/%\s\[\])-]*|-|")

_STYLE = """
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #59616f; --bar: #cfe3f3; --ink: #0b5c92;
        --mark: #fff0b3; --warm: #a34700; }
@media (prefers-color-scheme: dark) { :root { --line: #3d434c; --soft: #a9b1bc; --bar: #1d4562;
        --ink: #79bdee; --mark: #5c4a00; --warm: #ffb27a; } }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 58rem; margin: 2.5rem auto;
       padding: 0 1.2rem; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0 0 .6rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { max-width: 48rem; }
p.summary { font-size: 1.06rem; }
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
.charts { display: flex; flex-wrap: wrap; gap: 1.2rem 2.4rem; }
.charts figure { margin: .4rem 0; flex: 1 1 20rem; max-width: 27rem; }
svg { width: 100%; height: auto; color: var(--soft); font: 8.5px system-ui, sans-serif; }
svg .data { stroke: var(--ink); fill: none; stroke-width: 2; } svg .dot { fill: var(--ink); }
.headwords { columns: 25rem 2; column-gap: 2.8rem; padding: 0; margin: .6rem 0; list-style: none; }
.headwords li { break-inside: avoid; padding: .22rem 0 .22rem 1.2rem; text-indent: -1.2rem;
                border-bottom: 1px solid var(--line); }
.weak { color: var(--soft); font-style: italic; }
.sure { color: var(--soft); font-size: .82rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.given { color: var(--ink); }
.doubt { color: var(--warm); }
.example { margin: 1.1rem 0; break-inside: avoid; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .1rem 2rem; }
.pair ul { list-style: none; margin: 0; padding: 0; } .pair li { margin: .15rem 0; }
mark { background: var(--mark); color: inherit; padding: 0 .12em; border-radius: .15em; }
nav { font-size: .93rem; } nav a { margin-right: 1.1rem; white-space: nowrap; } a { color: var(--ink); }
@media (max-width: 36rem) {
  th, td { padding-right: .9rem; } dl { display: block; } dd { margin: 0 0 .4rem; }
}
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; } nav { display: none; }
  thead { display: table-header-group; } tr, figure { break-inside: avoid; } h2 { break-after: avoid; }
  .bar, mark { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
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
    parts = list(report.tables)
    if report.picture is not None:
        parts.insert(1, Picture(report.picture, report.caption))
    body = [f"<h1>{escape(report.title)}</h1>", f'<p class="summary">{escape(report.summary)}</p>']
    titles = [part.title for part in parts]
    if len(titles) > _FEW:
        links = (f'<a href="#part{at}">{escape(title)}</a>' for at, title in enumerate(titles) if title)
        body.append(f'<nav aria-label="Parts of this page">{" ".join(links)}</nav>')
    for at, part in enumerate(parts):
        head = f'<h2 id="part{at}">{escape(part.title)}</h2>\n' if part.title else ""
        body.append(f"<section>{head}{_shown(part)}</section>")
    if report.settings:
        facts = "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in report.settings)
        body.append(f"<h2>Settings</h2><dl>{facts}</dl>")
    body += ["</main>", _FOOTER]
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head>\n<body>\n<main>\n"
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


@singledispatch
def _shown(part: Part) -> str:
    """A part without its head."""
    raise TypeError(type(part))


@_shown.register
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
    note = _note(table.note)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>{note}"
    )


@_shown.register
def _picture(part: Picture) -> str:
    data, caption = base64.b64encode(part.content).decode("ascii"), escape(part.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


@_shown.register
def _prose(part: Prose) -> str:
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in part.paragraphs)


@_shown.register
def _links(part: FileLinks) -> str:
    files = (f'<a href="{escape(quote(path))}">{escape(name)}</a>' for name, path in part.files)
    return f'<p class="note">{" ".join(files)}</p>'


@_shown.register
def _charts(part: Charts) -> str:
    return f'<div class="charts">{"".join(map(_chart, part.charts))}</div>'


def _chart(chart: Chart) -> str:
    """As SVG: 0 to 100 on both axes, in a square of 200 with room for labels."""

    def place(x: float, y: float) -> tuple[float, float]:
        return 38 + 2 * x, 212 - 2 * y

    parts = []
    for value in range(0, 101, 20):
        (x, low), (left, y) = place(value, 0), place(0, value)
        parts.append(f'<path d="M{x} {low}V12M{left} {y}H238" stroke="currentColor" stroke-opacity=".22"/>')
        parts.append(f'<text x="{x}" y="{low + 14}" text-anchor="middle" fill="currentColor">{value}</text>')
        parts.append(f'<text x="{left - 5}" y="{y + 4}" text-anchor="end" fill="currentColor">{value}</text>')
    if chart.diagonal:
        parts.append('<path d="M38 212L238 12" stroke="currentColor" stroke-dasharray="4 4"/>')
    places = [place(100 * x, 100 * y) for x, y in chart.points]
    parts.append(f'<path class="data" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in places)}"/>')
    largest = max(chart.sizes, default=1)
    for (x, y), size in zip(places, chart.sizes, strict=False):
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{2 + 5 * (size / largest) ** 0.5:.1f}"/>'
        )
    across, up, title, caption = map(escape, (chart.across, chart.up, chart.title, chart.caption))
    parts.append(f'<text x="138" y="242" text-anchor="middle" fill="currentColor">{across}</text>')
    turned = 'transform="translate(10 112) rotate(-90)" text-anchor="middle" fill="currentColor"'
    parts.append(f"<text {turned}>{up}</text>")
    return (
        f'<figure><h3>{title}</h3><svg viewBox="0 0 250 250" role="img" aria-label="{title}. {caption}">'
        f"{''.join(parts)}</svg><figcaption>{caption}</figcaption></figure>"
    )


@_shown.register
def _headwords(part: Headwords) -> str:
    source, target = map(escape, part.languages)
    items = []
    for word in part.words:
        senses = ", ".join(_sense(sense, target) for sense in word.senses)
        items.append(f'<li><b lang="{source}" dir="auto">{_word(word.source)}</b> {senses}</li>')
    return f'<ul class="headwords">\n{chr(10).join(items)}\n</ul>{_note(part.note)}'


EVEN = 0.5
"""Translations below an even chance are set apart."""


def _sense(sense: Sense, language: str) -> str:
    """A translation as dictionaries print it: those less likely than not in italics."""
    weak = not sense.given and (sense.probability or 0.0) < EVEN
    style = ' class="weak"' if weak else ' class="given"' if sense.given else ""
    sure = "given" if sense.given else "" if sense.probability is None else f"{100 * sense.probability:.0f}"
    if list(sense.evidence) == ["spelling"]:
        sure += ", looks alike"
    word = f'<span lang="{language}" dir="auto"{style}>{_word(sense.target)}</span>'
    return f'{word} <span class="sure">{sure}</span>'


@_shown.register
def _examples(part: ExampleEntries) -> str:
    source, target = map(escape, part.languages)
    items = []
    for one in part.examples:
        spoken = ", ".join(one.sense.evidence) or "nothing but how often they occur"
        chance = "" if one.sense.probability is None else f"{100 * one.sense.probability:.0f} %; "
        items.append(
            f'<article class="example"><h3><span lang="{source}" dir="auto">{_word(one.source)}</span> – '
            f'<span lang="{target}" dir="auto">{_word(one.sense.target)}</span> '
            f'<span class="sure">{chance}{escape(spoken)}</span></h3><div class="pair">'
            f"{_lines(one.source_lines, source)}{_lines(one.target_lines, target)}</div></article>"
        )
    return f"{''.join(items)}{_note(part.note)}"


def _lines(lines: Sequence[Line], language: str) -> str:
    items = ""
    for line in lines:
        pieces = (f"<mark>{_word(text)}</mark>" if is_word else _word(text) for text, is_word in line)
        items += f"<li>{''.join(pieces)}</li>"
    return f'<ul lang="{language}" dir="auto">{items}</ul>'


def _word(text: str) -> str:
    return escape(escaped(text))


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>' if text else ""


def _cell(kind: str, text: str) -> str:
    is_share = kind == "bar" and text.replace(".", "", 1).isdecimal()
    share = f' style="--share: {float(text):.1f}%"' if is_share else ""
    return f"<td{_class(kind)}{share}>{escape(escaped(text))}</td>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
