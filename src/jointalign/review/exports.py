r"""What was accepted, as dictionaries of other programs.

Every text goes in as one cell, one line or one element, whatever it holds: controls and marks that turn
the direction of writing are written as `\x1b`, as in tables of ours.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape as html_escape
from itertools import groupby
from pathlib import Path
from shutil import copyfile, which
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

import langcodes

from jointalign.errors import JointalignError
from jointalign.review.decisions import Decisions, Verdict
from jointalign.review.entries import Entry, folded
from jointalign.storage.compression import named_suffix
from jointalign.storage.files import check_place, write_text
from jointalign.storage.tables import escaped, write_table
from jointalign.version import __version__

_COLUMNS = {
    "source": "",
    "target": "",
    "probability": ".4f",
    "source_count": "d",
    "target_count": "d",
    "status": "",
    "note": "",
}
_TABLES = (".tsv", ".csv", ".json", ".jsonl", ".tmx")
_NO_CHARACTERS = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}  # which XML must not hold


@dataclass(frozen=True)
class Listed:
    """A pair of a dictionary.

    Args:
        source: The word.
        target: Its translation.
        status: `accepted`, or `undecided` for one that only its probability speaks for.
        probability: By the ranking; `None` where that says nothing.
        source_count: How often the word occurs.
        target_count: How often its translation does.
        note: What reviewers have noted of the word.
    """

    source: str
    target: str
    status: str = "accepted"
    probability: float | None = None
    source_count: int = 0
    target_count: int = 0
    note: str = ""


def listed(
    entries: Iterable[Entry], decisions: Decisions, undecided_from: float | None = None
) -> list[Listed]:
    """The dictionary: what somebody has accepted and nobody rejected, in the order of the entries.

    Args:
        entries: Of the run.
        decisions: Of all reviewers.
        undecided_from: Also the first candidates of words that nobody has decided on, from this
            probability on; default: none.
    """
    accepted: dict[str, list[str]] = {}
    for source, target in decisions.accepted():
        accepted.setdefault(source, []).append(target)
    known = {entry.source: entry for entry in entries}
    words = dict.fromkeys((*known, *accepted))
    return [
        pair
        for word in words
        for pair in _pairs(known.get(word, Entry(word, 0)), accepted, decisions, undecided_from)
    ]


def _pairs(
    entry: Entry, accepted: dict[str, list[str]], decisions: Decisions, least: float | None
) -> Iterator[Listed]:
    targets, status = accepted.get(entry.source, []), "accepted"
    found = decisions.of(entry.source)
    chance = entry.probability
    if not targets and least is not None and chance is not None and chance >= least:
        if not any(one.verdict is not Verdict.NOTE for one in found):
            targets, status = [entry.candidates[0].target], "undecided"
    by_target = {one.target: one for one in entry.candidates}
    note = "; ".join(one.note for one in found if one.verdict is Verdict.NOTE and one.note)
    for target in targets:
        candidate = by_target.get(target)
        facts = (None, 0) if candidate is None else (candidate.probability, candidate.count)
        yield Listed(entry.source, target, status, facts[0], entry.count, facts[1], note)


def export(pairs: Sequence[Listed], path: str | Path, languages: tuple[str, str], title: str) -> None:
    r"""Write a dictionary in the form that the suffix names.

    `.tsv`, `.csv`, `.json`, `.jsonl`, `.tmx` (TMX 1.4b), `.tbx` (ISO 30042:2019), `.dix` (Apertium),
    `.utf8` (OmegaT's glossary), `.xdxf`, `.html` (to print), `.ifo` (StarDict, by pyglossary).

    Args:
        pairs: What goes in.
        path: The file; compressed if its suffix says so, but for `.ifo`.
        languages: Codes of source and target.
        title: Of the dictionary.

    Raises:
        JointalignError: If the suffix is unknown, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     export([Listed("sea", "mar", note="noun")], f"{folder}/a.utf8", ("en", "es"), "en-es")
        ...     Path(folder, "a.utf8").read_text("utf-8")
        'sea\tmar\tnoun\n'
    """
    suffix = check_export(path)
    if suffix in _TABLES:
        rows = (
            (p.source, p.target, p.probability, p.source_count, p.target_count, p.status, p.note)
            for p in pairs
        )
        write_table(_COLUMNS, rows, path, languages)
    elif suffix == ".ifo":
        _stardict(pairs, Path(path), languages, title)
    else:
        with write_text(path) as file:
            _WRITERS[suffix](file, pairs, languages, title)


def check_export(path: str | Path) -> str:
    """Find out before any work whether a dictionary can be written; returns the suffix.

    Raises:
        JointalignError: If there is no such form, or what it needs is missing.
    """
    suffix = named_suffix(path)
    if suffix not in SUFFIXES:
        raise JointalignError(
            f"{path}: there are no dictionaries of this suffix; known are {', '.join(SUFFIXES)}"
        )
    if suffix == ".ifo" and which("pyglossary") is None:
        raise JointalignError(
            f"{path}: StarDict is written by pyglossary, which is not on the path; install it with "
            "`pip install pyglossary`, or write .xdxf, which dictionary programs read, too"
        )
    check_place(Path(path))
    return suffix


def _xml(text: str) -> str:
    return escape(escaped(text).translate(_NO_CHARACTERS))


def _attribute(text: str) -> str:
    return quoteattr(escaped(text).translate(_NO_CHARACTERS))


def _tbx(file: TextIO, pairs: Sequence[Listed], languages: tuple[str, str], title: str) -> None:
    """A concept a pair: which translations of a word mean the same nobody has said."""
    source, target = map(_attribute, languages)
    file.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<tbx type="TBX-Basic" style="dca" xml:lang={source} xmlns="urn:iso:std:iso:30042:ed-2">\n'
        f"<tbxHeader><fileDesc><titleStmt><title>{_xml(title)}</title></titleStmt><sourceDesc>"
        f"<p>jointalign {__version__}</p></sourceDesc></fileDesc></tbxHeader>\n<text><body>\n"
    )
    for number, pair in enumerate(pairs, start=1):
        note = f"<note>{_xml(pair.note)}</note>" if pair.note else ""
        sections = "".join(
            f"<langSec xml:lang={code}><termSec><term>{_xml(word)}</term></termSec></langSec>"
            for code, word in ((source, pair.source), (target, pair.target))
        )
        file.write(f'<conceptEntry id="c{number}">{note}{sections}</conceptEntry>\n')
    file.write("</body></text>\n</tbx>\n")


def _dix(file: TextIO, pairs: Sequence[Listed], languages: tuple[str, str], title: str) -> None:
    """Apertium's bilingual dictionary; without symbols, as parts of speech are not known."""
    letters = sorted({letter for pair in pairs for letter in pair.source if letter.isalpha()})
    file.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<dictionary>\n'
        f"<alphabet>{_xml(''.join(letters))}</alphabet>\n<sdefs/>\n"
        '<section id="main" type="standard">\n'
    )
    for pair in pairs:
        note = f" c={_attribute(pair.note)}" if pair.note else ""
        left, right = (
            _xml(" ".join(word.split())).replace(" ", "<b/>") for word in (pair.source, pair.target)
        )
        file.write(f"<e{note}><p><l>{left}</l><r>{right}</r></p></e>\n")
    file.write("</section>\n</dictionary>\n")


def _glossary(file: TextIO, pairs: Sequence[Listed], languages: tuple[str, str], title: str) -> None:
    """OmegaT: term, translation, comment, with tabs between them; no head."""
    for pair in pairs:
        file.write("\t".join(map(escaped, (pair.source, pair.target, pair.note))).rstrip("\t") + "\n")


def _xdxf(file: TextIO, pairs: Sequence[Listed], languages: tuple[str, str], title: str) -> None:
    """The logical form of XDXF, revision 34: an article a word, a definition a translation."""
    source, target = (_three_letters(code) for code in languages)
    file.write(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<xdxf lang_from="{source}" lang_to="{target}" '
        f'format="logical" revision="034">\n<meta_info>\n<title>{_xml(title)}</title>\n'
        f"<full_title>{_xml(title)}</full_title>\n<description>jointalign {__version__}</description>\n"
        "</meta_info>\n<lexicon>\n"
    )
    for word, group in _by_word(pairs):
        definitions = "".join(f"<def><deftext>{_xml(pair.target)}</deftext></def>" for pair in group)
        note = f"<def><co>{_xml(group[0].note)}</co></def>" if group[0].note else ""
        file.write(f"<ar><k>{_xml(word)}</k>{definitions}{note}</ar>\n")
    file.write("</lexicon>\n</xdxf>\n")


def _three_letters(code: str) -> str:
    try:
        return langcodes.Language.get(code).to_alpha3().upper()
    except (LookupError, ValueError):
        return "UND"


def _by_word(pairs: Iterable[Listed]) -> Iterator[tuple[str, list[Listed]]]:
    for word, group in groupby(pairs, key=lambda pair: pair.source):
        yield word, list(group)


_STYLE = """
body { font: 10.5pt/1.4 Georgia, "Noto Serif", serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; break-after: avoid; margin: 1.2rem 0 .3rem; }
dl { columns: 16rem; column-gap: 2rem; margin: 0; }
div { break-inside: avoid; padding-inline-start: 1em; text-indent: -1em; overflow-wrap: anywhere; }
dt { display: inline; font-weight: bold; } dd { display: inline; margin: 0 0 0 .4em; }
.note { font-style: italic; color: #555; }
@media print { body { margin: 0; max-width: none; } @page { margin: 18mm; } }
"""


def _shown(text: str) -> str:
    return html_escape(escaped(text))


def _html(file: TextIO, pairs: Sequence[Listed], languages: tuple[str, str], title: str) -> None:
    """A page to print: by the alphabet, in columns."""
    source, target = map(_shown, languages)
    file.write(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_shown(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"</head>\n<body>\n<h1>{_shown(title)}</h1>\n"
    )
    words = sorted(_by_word(pairs), key=lambda item: (folded(item[0]), item[0]))
    for letter, group in groupby(words, key=lambda item: folded(item[0])[:1].upper()):
        file.write(f'<h2 lang="{source}" dir="auto">{_shown(letter)}</h2>\n<dl>\n')
        for word, some in group:
            translations = ", ".join(f'<bdi lang="{target}">{_shown(pair.target)}</bdi>' for pair in some)
            note = f' <span class="note">{_shown(some[0].note)}</span>' if some[0].note else ""
            file.write(f'<div><dt lang="{source}" dir="auto">{_shown(word)}</dt>')
            file.write(f"<dd>{translations}{note}</dd></div>\n")
        file.write("</dl>\n")
    file.write("</body></html>\n")


def _stardict(pairs: Sequence[Listed], path: Path, languages: tuple[str, str], title: str) -> None:
    """Three files, made by pyglossary of the XDXF, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        origin, made = Path(folder, "dictionary.xdxf"), Path(folder, "made", path.name)
        made.parent.mkdir()
        export(pairs, origin, languages, title)
        command = ["pyglossary", "--ui=none", "--no-color", "--read-format=Xdxf", "--write-format=Stardict"]
        done = subprocess.run([*command, str(origin), str(made)], capture_output=True, text=True, check=False)
        files = sorted(made.parent.iterdir())
        if done.returncode or not made.is_file():
            reason = " ".join((done.stderr or done.stdout).split())[-300:]
            raise JointalignError(f"{path}: pyglossary could not write it ({reason}); write .xdxf")
        for file in [*(one for one in files if one != made), made]:  # readers look for the .ifo
            copyfile(file, path.parent / file.name)


_WRITERS: dict[str, Callable[[TextIO, Sequence[Listed], tuple[str, str], str], None]] = {
    ".tbx": _tbx,
    ".dix": _dix,
    ".utf8": _glossary,
    ".xdxf": _xdxf,
    ".html": _html,
}
SUFFIXES = (*_TABLES, *_WRITERS, ".ifo")
"""Forms of a dictionary."""
