"""`jointalign concordance`: the lines in which a word occurs."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress
from jointalign.cli._options import Json

AROUND = 60


class Side(StrEnum):
    """Which text."""

    SOURCE = "source"
    TARGET = "target"
    BOTH = "both"


def command(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    word: Annotated[str, typer.Argument(help="A word of its texts.")],
    side: Annotated[Side, typer.Option(help="Which text to look in.")] = Side.BOTH,
    count: Annotated[int, typer.Option(min=1, help="Lines of each text.")] = 5,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="The first lines, not those that make good examples.")
    ] = False,
    json: Json = False,
) -> None:
    """The lines of a run's texts in which a word occurs, as they were written.

    Good examples first: short, typical, each unlike the others. The first call makes an index.
    """
    from jointalign.concordance import Concordance
    from jointalign.pipeline import texts
    from jointalign.storage.tables import escaped

    facts, lines = {}, []
    for name, corpus in texts(run).items():
        if side not in (Side.BOTH, Side(name)):
            continue
        with progress(f"index of the {name} text"):
            concordance = Concordance.of(corpus, run / name)
        found = concordance.passages(word) if in_order else iter(concordance.best(word, count))
        passages = list(islice(found, count))
        facts[name] = {
            "count": concordance.count(word),
            "passages": [
                {"path": one.path, "line": one.number, "text": one.text, "spans": one.spans}
                for one in passages
            ],
        }
        lines.append(f"{name}, {corpus.language}: {concordance.count(word):,} times")
        for one in passages:
            pieces = (f"[{text}]" if marked else text for text, marked in one.segments(AROUND))
            lines.append(f"{one.number:>9}: {escaped(''.join(pieces))}")
    answer(json, {"word": word, **facts}, "\n".join(lines))
