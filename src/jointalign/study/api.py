"""Train what is missing, make every cell once, and lay them out as the paper's tables."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import Any

from jointalign.alignment.api import check_extras
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.files import atomic
from jointalign.processors import limited_to
from jointalign.progress import Progress
from jointalign.stages import locked
from jointalign.study._cells import Cells, Place
from jointalign.study._data import dictionaries
from jointalign.study._picture import draw
from jointalign.study._rows import rows_named
from jointalign.study._tables import TITLES, markdown, tabulate
from jointalign.study._trainings import Trainings
from jointalign.study.base import StudySettings
from jointalign.version import __version__

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyResult:
    """A table.

    Args:
        table: Its name, e.g. `table1`.
        facts: All of it as plain types, as in the JSON file.
        markdown: For people.
        files: What was written.
    """

    table: str
    facts: dict[str, Any]
    markdown: str
    files: tuple[Path, ...]


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
        JointalignError: If there is no such table, method, text or dictionary.
        MissingExtraError: If a method needs a package that is not installed.
    """
    if table not in TITLES:
        raise JointalignError(f"there is no '{table}'; choose from {', '.join(TITLES)}")
    rows = rows_named(settings.methods)
    for row in rows:
        check_extras(row.method, row.supervised)
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
            + ", ".join(facts["reversed_dictionaries"]) + "."
        )  # fmt: skip
    paths = [folder / f"{table}.{suffix}" for suffix in ("json", "md", "png")]
    with atomic(paths[0], "w") as file:
        json.dump(_without_nan(facts), file, indent=1)
        file.write("\n")
    with atomic(paths[1], "w") as file:
        file.write(text + "\n")
    try:
        draw(facts, paths[2])
    except MissingExtraError as error:
        logger.warning("no picture: %s", error)
        del paths[2]
    return StudyResult(table, facts, text, tuple(paths))


def _without_nan(facts: Any) -> Any:
    """`None` for what is no number, which JSON does not have."""
    if isinstance(facts, dict):
        return {name: _without_nan(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_without_nan(value) for value in facts]
    return None if isinstance(facts, float) and isnan(facts) else facts
