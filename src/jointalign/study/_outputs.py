r"""Tables for papers: the Markdown for people as LaTeX, and all numbers as rows, for CSV and data frames."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Numbers = dict[str, str | float | None]

_SPECIAL = re.compile(r"([&%$#_{}])")
_SIGNS = {"±": r"$\pm$", "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$", "–": "--"}
_CODE, _BOLD = re.compile(r"`([^`]*)`"), re.compile(r"\*\*(.+?)\*\*")


def latex(markdown: str, label: str) -> str:
    r"""A table in Markdown as LaTeX, for the packages `booktabs` and `amssymb`.

    Args:
        markdown: The title in bold, tables, and notes.
        label: For `\ref`.

    Example:
        >>> print(latex("**P@1**\n\n| | en_es |\n|---|---|\n| Joint | 30.2 ± 1.0 |\n\nOf 3 seeds.", "tab:x"))
        \begin{table}
        \centering
        \caption{P@1}
        \label{tab:x}
        \begin{tabular}{lr}
        \toprule
         & en\_es \\
        \midrule
        Joint & 30.2 $\pm$ 1.0 \\
        \bottomrule
        \end{tabular}
        <BLANKLINE>
        {\footnotesize Of 3 seeds.}
        \end{table}
    """
    lines = markdown.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rows = [row for row in rows if not all(set(cell) <= {"-"} and cell for cell in row)]
    notes = [line for line in lines if line and not line.startswith("|")]
    head, *body = rows
    caption = [_escaped(_BOLD.sub(r"\1", notes[0]))] if notes and notes[0].startswith("**") else []
    spec = "l" + "r" * (len(head) - 1)
    parts = [r"\begin{table}", r"\centering", *(rf"\caption{{{text}}}" for text in caption)]
    parts += [rf"\label{{{label}}}", rf"\begin{{tabular}}{{{spec}}}", r"\toprule", _row(head), r"\midrule"]
    parts += [*map(_row, body), r"\bottomrule", r"\end{tabular}", ""]
    parts += [rf"{{\footnotesize {_escaped(note)}}}" for note in notes[len(caption) :]]
    return "\n".join([*parts, r"\end{table}"])


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(_escaped, cells)) + r" \\"


def _escaped(text: str) -> str:
    text = _SPECIAL.sub(r"\\\1", text.replace("\\", r"\textbackslash "))
    for sign, command in _SIGNS.items():
        text = text.replace(sign, command)
    return _BOLD.sub(r"\\textbf{\1}", _CODE.sub(r"\\texttt{\1}", text))


def tidy(facts: Mapping[str, Any]) -> list[Numbers]:
    """All numbers of a table or of curves, a row for each cell and rule, or epoch and direction."""
    found = list(_of_curves(facts["curves"]) if "curves" in facts else _of_rows(facts["rows"]))
    names = dict.fromkeys(name for row in found for name in row)
    return [{name: row.get(name) for name in names} for row in found]


def _of_rows(rows: Sequence[Mapping[str, Any]]) -> Iterator[Numbers]:
    for row in rows:
        for column, cell in row["directions"].items():
            about = {"row": row["row"], "title": row["title"], "column": column}
            about |= {name: value for name, value in cell.items() if isinstance(value, str | int | float)}
            rules = {name: value for name, value in cell.items() if isinstance(value, dict) and "n" in value}
            for rule, numbers in rules.items():
                yield about | {"rule": rule} | _plain(numbers)
            if not rules:
                yield about | _plain(cell)


def _plain(numbers: Mapping[str, Any]) -> Numbers:
    """Numbers alone; an interval as `low` and `high`."""
    found: Numbers = {name: value for name, value in numbers.items() if isinstance(value, int | float)}
    if numbers.get("ci") is not None:
        found["low"], found["high"] = numbers["ci"]
    return found


def _of_curves(curves: Mapping[str, Any]) -> Iterator[Numbers]:
    for name, curve in curves.items():
        for entry in curve["epochs"]:
            for direction, scores in entry["validation"].items():
                about = {"row": name, "title": curve["title"], "column": direction, "epoch": entry["epoch"]}
                yield about | _plain(scores)
