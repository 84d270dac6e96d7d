r"""Tables of words for other programs: one cell stays one cell, whatever a word holds.

Words of vectors may hold tabs, line ends and sequences that steer a terminal, or begin as a formula of a
spreadsheet. In files of lines such characters are written as `\t`, `\n`, `\x1b`, which `unescaped` turns
back; a plain backslash stays as it is unless it would be read so. In CSV, quotes hold tabs and line ends,
and an apostrophe stands before what a spreadsheet would run.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.compression import COMPRESSIONS, named_suffix
from jointalign.storage.files import read_lines, write_text
from jointalign.version import __version__

Cell = str | float | None
Columns = Mapping[str, str]
"""Names of columns and how their numbers are written: `.6g`, `d`; empty for texts."""

# Controls, ends of lines, and marks that turn the direction of what follows them.
_STEERS = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_STEERING = re.compile(f"[{_STEERS}]")
_BUT_LAYOUT = re.compile(rf"(?![\t\n])[{_STEERS}]")
_ESCAPED = re.compile(r"\\(?:[\\tnr]|x[0-9a-f]{2}|u[0-9a-f]{4})")
_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_PLAIN = {written: character for character, written in _NAMED.items()}
_CODE = re.compile(r"(?!und)[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
# Apostrophes before it count, so that one can be put before and taken away again.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def escaped(text: str, steering: re.Pattern[str] = _STEERING) -> str:
    r"""A text that ends no cell and no line and steers no terminal; `unescaped` turns it back.

    Args:
        text: Any.
        steering: What to escape.

    Example:
        >>> print(escaped("two\tcells"), escaped("\x1b[2J"), escaped("c:\\dogs"), escaped("c:\\new"))
        two\tcells \x1b[2J c:\dogs c:\\new
    """
    if steering.search(text) or ("\\" in text and _ESCAPED.search(text)):
        return steering.sub(_written, text.replace("\\", "\\\\"))
    return text


def unescaped(text: str) -> str:
    """The text that `escaped` was given."""
    return _ESCAPED.sub(_read, text) if "\\" in text else text


def visible(text: str) -> str:
    """A message with its tabs and lines, in which nothing else steers the terminal."""
    return _BUT_LAYOUT.sub(_written, text)


def visible_json(content: Any) -> str:
    """A JSON object on one line, in which nothing steers the terminal."""
    line = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


def _written(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _read(match: re.Match[str]) -> str:
    return _PLAIN.get(match[0]) or chr(int(match[0][2:], 16))


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `unguarded` turns it back.

    Example:
        >>> guarded("=1+1"), guarded("'s"), guarded("'-"), unguarded(guarded("'-"))
        ("'=1+1", "'s", "''-", "'-")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


@dataclass(frozen=True)
class TableReport:
    r"""What was written.

    Args:
        rows: Rows below the head.
        escaped: Cells in which characters are written as `\t`, `\x1b`, ...
        guarded: Cells with an apostrophe before what a spreadsheet would run.
    """

    rows: int
    escaped: int = 0
    guarded: int = 0

    @property
    def notes(self) -> str:
        """What was done to cells, to go on with after a comma; empty for nothing."""
        done = {
            "cells with control characters escaped": self.escaped,
            "cells that begin as a formula after an apostrophe": self.guarded,
        }
        return "".join(f", {number:,} {what}" for what, number in done.items() if number)

    def to_json(self) -> dict[str, int]:
        """What was done to cells, as plain types."""
        return {"escaped": self.escaped, "guarded": self.guarded}


def check_table(path: str | Path, languages: tuple[str, str] | None = None) -> str:
    """Find out before the work whether a table can be written; returns the suffix, without compression.

    Args:
        path: Where it is to go.
        languages: Codes of source and target, where they are known.

    Raises:
        JointalignError: If there is no such table, or the languages of TMX are not known.
    """
    suffix = named_suffix(path)
    if suffix not in _WRITERS:
        raise JointalignError(
            f"{path}: there are no tables of the suffix '{suffix}'; known are {', '.join(_WRITERS)}, "
            f"which may be followed by {', '.join(COMPRESSIONS)}"
        )
    if suffix == ".tmx" and languages is not None and not _are_codes(*languages):
        raise JointalignError(
            f"{path}: TMX names two languages, these are '{languages[0]}' and '{languages[1]}'; say which "
            "they are, e.g. --source-language en --target-language es, or write .tsv"
        )
    return suffix


def _are_codes(source: str, target: str) -> bool:
    return source != target and all(map(_CODE.fullmatch, (source, target)))


def write_table(
    columns: Columns,
    rows: Iterable[Sequence[Cell]],
    path: str | Path,
    languages: tuple[str, str] = ("und", "und"),
    form: str | None = None,
) -> TableReport:
    """Write rows in the form that the suffix names: `.tsv`, `.csv`, `.json`, `.jsonl`, `.tmx`.

    Args:
        columns: The first two hold a word and its translation.
        rows: A cell a column each; `None` is an empty one.
        path: The file; compressed if its suffix says so (`.csv.gz`).
        languages: Codes of source and target, which TMX names.
        form: A suffix in place of the path's.

    Raises:
        JointalignError: If the suffix is unknown, the form cannot hold the table, or the file cannot be
            written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = write_table({"source": "", "target": "", "score": ".2f"},
        ...                          [("=house", "casa", -0.5)], f"{folder}/en-es.csv")
        ...     print(Path(folder, "en-es.csv").read_text(), report)
        source,target,score
        '=house,casa,-0.50
        TableReport(rows=1, escaped=0, guarded=1)
    """
    writer = _WRITERS[check_table(path, languages) if form is None else form]
    with write_text(path) as file:
        return writer(file, columns, rows, languages)


def texts(columns: Columns, row: Sequence[Cell]) -> Iterator[str]:
    """The cells of a row, numbers as the columns write them."""
    for form, cell in zip(columns.values(), row, strict=True):
        yield "" if cell is None else cell if isinstance(cell, str) else format(cell, form)


def _write_tsv(
    file: TextIO, columns: Columns, rows: Iterable[Sequence[Cell]], languages: tuple[str, str]
) -> TableReport:
    count = changed = 0
    file.write("\t".join(columns) + "\n")
    for row in rows:
        plain = list(texts(columns, row))
        cells = list(map(escaped, plain))
        changed += 0 if cells == plain else sum(map(str.__ne__, cells, plain))
        count += 1
        file.write("\t".join(cells) + "\n")
    return TableReport(count, changed)


def _write_csv(
    file: TextIO, columns: Columns, rows: Iterable[Sequence[Cell]], languages: tuple[str, str]
) -> TableReport:
    count = changed = formulas = 0
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = list(texts(columns, row))
        for place, cell in enumerate(cells):
            if isinstance(row[place], str):
                kept = escaped(cell, _BUT_LAYOUT)
                cells[place] = guarded(kept)
                changed += kept != cell
                formulas += cells[place] != kept
        count += 1
        writer.writerow(cells)
    return TableReport(count, changed, formulas)


def _objects(columns: Columns, rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Each row as a JSON object, its numbers with the digits of the other tables."""
    for row in rows:
        cells = {
            name: cell if cell is None or isinstance(cell, str) else json.loads(format(cell, form))
            for (name, form), cell in zip(columns.items(), row, strict=True)
        }
        yield visible_json(cells)


def _write_lines(
    file: TextIO, columns: Columns, rows: Iterable[Sequence[Cell]], languages: tuple[str, str]
) -> TableReport:
    lines = [line + "\n" for line in _objects(columns, rows)]
    file.writelines(lines)
    return TableReport(len(lines))


def _write_json(
    file: TextIO, columns: Columns, rows: Iterable[Sequence[Cell]], languages: tuple[str, str]
) -> TableReport:
    lines = list(_objects(columns, rows))
    file.write("[\n" + ",\n".join(lines) + "\n]\n")
    return TableReport(len(lines))


def _write_tmx(
    file: TextIO, columns: Columns, rows: Iterable[Sequence[Cell]], languages: tuple[str, str]
) -> TableReport:
    """TMX 1.4b: a unit of two variants a row, numbers as its properties."""
    from xml.sax.saxutils import escape, quoteattr

    count = changed = 0
    source, target = map(quoteattr, languages)
    file.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4">\n'
        f'<header creationtool="jointalign" creationtoolversion="{__version__}" segtype="phrase" '
        f'o-tmf="jointalign" adminlang="en" srclang={source} datatype="plaintext"/>\n<body>\n'
    )
    for row in rows:
        plain = list(texts(columns, row))
        cells = [escape(escaped(cell)) for cell in plain]
        changed += sum(escaped(cell) != cell for cell in plain)
        facts = zip(list(columns)[2:], cells[2:], strict=True)
        properties = "".join(f'<prop type="x-{name}">{cell}</prop>' for name, cell in facts if cell)
        variants = "".join(
            f"<tuv xml:lang={code}><seg>{cell}</seg></tuv>"
            for code, cell in zip((source, target), cells[:2], strict=True)
        )
        file.write(f"<tu>{properties}{variants}</tu>\n")
        count += 1
    file.write("</body>\n</tmx>\n")
    return TableReport(count, changed)


_WRITERS: dict[str, Callable[[TextIO, Columns, Iterable[Sequence[Cell]], tuple[str, str]], TableReport]] = {
    ".tsv": _write_tsv,
    ".csv": _write_csv,
    ".json": _write_json,
    ".jsonl": _write_lines,
    ".tmx": _write_tmx,
}


def read_table(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of a table with tabs that `write_table` wrote, its head too, and their numbers, from 1."""
    for number, line in read_lines(path):
        yield number, list(map(unescaped, line.split("\t")))


def read_csv(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of a table with commas, or with semicolons or tabs if all its first lines have these.

    Cells may stand in quotes, with line ends in them; the number is that of a row's last line.
    """
    lines = (text + "\n" for _, text in read_lines(path))
    first = list(islice(lines, 20))
    delimiter = next((mark for mark in ",;\t" if all(mark in line for line in first)), ",")
    reader = csv.reader(chain(first, lines), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise FormatError(path, reader.line_num, f"expected a table with commas: {error}") from None


def frame(rows: Any, *, index: list[str] | None = None, columns: list[str] | None = None) -> Any:
    """Rows as a pandas data frame.

    Args:
        rows: A mapping or a tuple each, or a matrix.
        index: Names of rows; default: their numbers.
        columns: Names of columns; default: those of the mappings, or numbers.

    Raises:
        JointalignError: If pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise JointalignError("data frames need the package 'pandas': pip install pandas") from None
    return pandas.DataFrame(rows, index=index, columns=columns)
