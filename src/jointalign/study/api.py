"""Train what is missing, make every cell once, and lay them out as the paper's tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jointalign.alignment.api import check_extras, method_named
from jointalign.errors import JointalignError
from jointalign.numerics.processors import limited_to
from jointalign.progress import Progress
from jointalign.storage.stages import locked
from jointalign.study._cells import Cells, Place
from jointalign.study._data import dictionaries
from jointalign.study._picture import draw
from jointalign.study._rows import Anchors, rows_named
from jointalign.study._tables import TITLES, markdown, tabulate
from jointalign.study._trainings import Trainings
from jointalign.study._writing import written
from jointalign.study.base import StudyResult, StudySettings
from jointalign.version import __version__


def study(
    table: str,
    settings: StudySettings,
    folder: Path,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    announce: Callable[[str, bool], None] | None = None,
) -> StudyResult:
    """Make one of the tables of the paper.

    Stopped at any moment, it goes on when started again with the same folder; all tables share
    trainings and cells there.

    Args:
        table: `table1`, `table2` or `table4`.
        settings: Languages, methods, seeds.
        folder: Where all files go; made if missing.
        threads: How many; `None` for all processors.
        progress: Told how far the work at hand is.
        announce: Told the name of each piece of work, and whether it was done before.

    Raises:
        JointalignError: If there is no such table, method, text or dictionary, or the folder has
            vectors of other settings.
        MissingExtraError: If a method needs a package that is not installed.
    """
    if table not in TITLES:
        raise JointalignError(f"there is no '{table}'; choose from {', '.join(TITLES)}")
    rows = rows_named(settings.methods)
    for row in rows:
        if row.method:
            check_extras(method_named(row.method), row.anchors is not Anchors.NONE)
    pairs = list(dict.fromkeys(way for pair in settings.pairs for way in (pair, pair.reversed())))
    reversed_ones = [str(pair) for pair in pairs if dictionaries(settings, pair).is_reversed]
    with locked(folder), limited_to(threads):
        trainings = Trainings(settings, folder, threads, progress, announce)
        cells = Cells(settings, trainings, folder)
        made: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for seed in range(settings.seeds):
            for pair in pairs:
                for row in rows:
                    cell = cells.cell(row, Place(pair, seed))
                    made.setdefault((row.name, str(pair)), []).append(cell)
        facts = tabulate(table, rows, [str(pair) for pair in pairs], made)
        facts |= {
            "version": __version__,
            "seeds": settings.seeds,
            "tokens": settings.tokens,
            "trainer": asdict(settings.trainer),
            "reversed_dictionaries": reversed_ones,
        }
        return _written(table, facts, folder)


def _written(table: str, facts: dict[str, Any], folder: Path) -> StudyResult:
    text = markdown(facts)
    if facts["reversed_dictionaries"]:
        text += (
            "\n\nDictionaries turned round, where there is no official one: "
            + ", ".join(facts["reversed_dictionaries"])
            + "."
        )
    return written(table, facts, text, folder, lambda path: draw(facts, path))
