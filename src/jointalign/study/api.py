"""The tables of the paper: train what is missing, make every cell once, lay them out as published."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jointalign.alignment.api import check_extras, method_named
from jointalign.errors import JointalignError
from jointalign.ner import torch_threads
from jointalign.numerics.processors import limited_to
from jointalign.progress import Progress
from jointalign.storage.stages import locked
from jointalign.study._cells import Cells, Place
from jointalign.study._data import dictionaries
from jointalign.study._pictures import draw
from jointalign.study._rows import NER_ROWS, Anchors, ContextualCell, Kind, Row, rows_named
from jointalign.study._tables import (
    NEEDS_WEIGHTS,
    NOT_RUN,
    TITLES,
    markdown,
    ner_markdown,
    of_little_weight,
    tabulate,
    tabulate_ner,
    written,
)
from jointalign.study._taggers import Taggers
from jointalign.study._trainings import Trainings
from jointalign.study.base import NERStudySettings, Pair, StudyResult, StudySettings
from jointalign.version import __version__

logger = logging.getLogger(__name__)

TAGGED = (Kind.FLOOR, Kind.STATIC, Kind.TRANSLATED, Kind.UPPER)
"""Kinds of rows that need the texts and a training on them."""


def study(
    table: str,
    settings: StudySettings,
    folder: Path,
    *,
    threads: int | None = None,
    command: str | None = None,
    progress: Progress | None = None,
    announce: Callable[[str, bool], None] | None = None,
    fresh: bool = False,
) -> StudyResult:
    """Make one of the tables of the paper.

    Stopped at any moment, it goes on when started again with the same folder; all tables share
    trainings and cells there, and so does a study with more languages, rows or seeds.

    Args:
        table: `table1`, `table2` or `table4`.
        settings: Languages, methods, seeds.
        folder: Where all files go; made if missing.
        threads: How many; `None` for all processors.
        command: What was typed, for the record; `None` in Python.
        progress: Told how far the work at hand is.
        announce: Told the name of each piece of work, and whether it was done before.
        fresh: Whether work of other settings in the folder is made anew; it is refused otherwise.

    Raises:
        JointalignError: If there is no such table, method, text or dictionary, or the folder has
            work of other settings.
        MissingExtraError: If a method needs a package that is not installed.
    """
    if table not in TITLES:
        raise JointalignError(f"there is no '{table}'; choose from {', '.join(TITLES)}")
    rows = rows_named(settings.methods)
    for row in rows:
        if row.method:
            check_extras(method_named(row.method), row.anchors is not Anchors.NONE)
    pairs = _both_ways(settings)
    rows = _that_can_be_ranked(rows, pairs, settings)
    reversed_ones = [str(pair) for pair in pairs if dictionaries(settings, pair).is_reversed]
    with locked(folder), limited_to(threads):
        trainings = Trainings(settings, folder, threads, progress, announce, fresh)
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
            "warnings": of_little_weight(facts),
        }
        return _written(table, facts, folder, command)


def planned(settings: StudySettings) -> list[str]:
    """Names of all cells of a table, as they are announced.

    Raises:
        JointalignError: If there is no such row.
    """
    rows = rows_named(settings.methods)
    return [
        f"cell.{row.name}.{Place(pair, seed)}"
        for seed in range(settings.seeds)
        for pair in _both_ways(settings)
        for row in rows
    ]


def _both_ways(settings: StudySettings) -> list[Pair]:
    return list(dict.fromkeys(way for pair in settings.pairs for way in (pair, pair.reversed())))


FEWEST_PAIRS = 100
"""Training pairs from which on rows are ranked."""


def _that_can_be_ranked(rows: tuple[Row, ...], pairs: list[Pair], settings: StudySettings) -> tuple[Row, ...]:
    """The rows but for ranked ones where there is too little to learn that from."""
    fewest = min(len(dictionaries(settings, pair).training) for pair in pairs)
    if fewest >= FEWEST_PAIRS or not any(row.ranked for row in rows):
        return rows
    logger.warning(
        "rows with ranking are left out: it learns from %d pairs or more, and there are %d",
        FEWEST_PAIRS,
        fewest,
    )
    return tuple(row for row in rows if not row.ranked)


def _written(table: str, facts: dict[str, Any], folder: Path, command: str | None) -> StudyResult:
    text = markdown(facts)
    if facts["reversed_dictionaries"]:
        text += (
            "\n\nDictionaries turned round, where there is no official one: "
            + ", ".join(facts["reversed_dictionaries"])
            + "."
        )
    return written(table, facts, text, folder, lambda path: draw(facts, path), command)


def table3(
    settings: StudySettings,
    ner: NERStudySettings,
    folder: Path,
    *,
    contextual: ContextualCell | None = None,
    threads: int | None = None,
    command: str | None = None,
    progress: Progress | None = None,
    announce: Callable[[str, bool], None] | None = None,
    fresh: bool = False,
) -> StudyResult:
    """Make Table 3.

    Stopped at any moment, it goes on when started again with the same folder; it shares trainings
    and the choice of gamma with the other tables there.

    Args:
        settings: Data, seeds and trainings; pairs and methods are not looked at. The data needs
            `ner/LANGUAGE/{train,valid,test}.txt` besides texts; of a language that is only tagged,
            `test.txt`. Where there is no training dictionary, rows are aligned without one
            (`align_unsupervised`), and those that are trained with one are shown as absent.
        ner: Languages, rows, and the taggers.
        folder: Where all files go; made if missing.
        contextual: Makes the cells of contextual rows; without it they are shown as absent.
        command: What was typed, for the record; `None` in Python.
        threads: Of the trainings; taggers are learnt with one, so that a seed gives one result.
        progress: Told how far the work at hand is.
        announce: Told the name of each piece of work, and whether it was done before.
        fresh: Whether work of other settings in the folder is made anew; it is refused otherwise.

    Raises:
        JointalignError: If there is no such row, text or tagged text, or the folder has work of
            other settings.
        MissingExtraError: If torch is not installed.
    """
    rows = rows_named(ner.rows, NER_ROWS)
    made: dict[tuple[str, str], list[dict[str, Any]]] = {}
    reasons: dict[tuple[str, str], str] = {}
    with locked(folder), limited_to(threads), torch_threads(1):
        trainings = Trainings(settings, folder, threads, progress, announce, fresh)
        taggers = Taggers(ner, Cells(settings, trainings, folder))
        if any(row.kind in TAGGED for row in rows):
            for target in ner.targets:
                taggers.check(target)
        for seed in range(settings.seeds):
            for target in ner.targets:
                for row in rows:
                    place = row.name, target
                    if (reason := _reason(row, target, taggers, contextual)) is None:
                        make = contextual if row.kind is Kind.CONTEXTUAL else None
                        cell = (make or taggers.cell)(row, target, seed)
                        made.setdefault(place, []).append(cell)
                    else:
                        reasons[place] = reason
        facts = tabulate_ner(rows, ner.source, ner.targets, made, reasons) | {
            "alignment": _alignment(rows, ner.targets, settings.seeds, made, taggers),
            "version": __version__,
            "machine": f"{platform.machine()}, {os.cpu_count()} processors",
            "seeds": settings.seeds,
            "tokens": settings.tokens,
            "trainer": asdict(settings.trainer),
            "ner": asdict(ner),
        }
        facts["warnings"] = of_little_weight(facts)
        text = ner_markdown(facts)
        return written("table3", facts, text, folder, lambda path: _drawn(facts, path), command)


def _reason(row: Row, target: str, taggers: Taggers, contextual: ContextualCell | None) -> str | None:
    """Why a row can't be made; `None` if it can."""
    if row.kind is Kind.REPORTED:
        return NOT_RUN
    if row.kind is Kind.CONTEXTUAL:
        return NEEDS_WEIGHTS if contextual is None else contextual.missing(row, target)
    return taggers.missing(row, target)


def _alignment(
    rows: tuple[Row, ...],
    targets: tuple[str, ...],
    seeds: int,
    made: Mapping[tuple[str, str], Any],
    taggers: Taggers,
) -> dict[str, dict[str, Any]]:
    """For each target and each row that was aligned: from what, seed by seed."""
    found: dict[str, dict[str, Any]] = {target: {} for target in targets}
    for row in rows:
        for target in targets:
            if row.kind not in (Kind.FLOOR, Kind.UPPER) and row.method and (row.name, target) in made:
                pair = Pair(taggers.settings.source, target)
                ways = [taggers.spaces.alignment(row, pair, seed) for seed in range(seeds)]
                gamma = taggers.spaces.gamma(row, pair)
                found[target][row.name] = {"title": row.title, "gamma": gamma, "by_seed": ways}
    return found


def _drawn(facts: dict[str, Any], path: Path) -> None:
    """The rows that were made, as a picture."""
    rows = [
        {
            "title": row["title"],
            "directions": {
                target: {"published": cell["published"], "ner": {"p_at_1": cell["f1"], "ci": cell["ci"]}}
                for target, cell in row["directions"].items()
            },
        }
        for row in facts["rows"]
        if all(cell["absent"] is None for cell in row["directions"].values())
    ]
    if rows:
        draw({"title": facts["title"], "rows": rows}, path, "ner", "F1", "sentences")
