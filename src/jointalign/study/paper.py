"""The whole paper on one page: Tables 1 to 4 and Figures 1 and 2 from shared trainings.

`PARTS` declares what there is: a name, what makes it, and the paper's claims that it decides. A part that
fails says so on the page, and the others are made.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

from jointalign.alignment.api import align
from jointalign.alignment.procrustes import Procrustes
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.ner import TaggerFitSettings
from jointalign.pipeline.page import write_report
from jointalign.progress import Progress
from jointalign.storage.facts import REMOVE, read_json
from jointalign.storage.files import check_folder
from jointalign.storage.stages import locked
from jointalign.study._cells import Cells, Place
from jointalign.study._data import dictionaries, text_of
from jointalign.study._paper_page import MadePart, paper_report, write_csv
from jointalign.study._rows import rows_named
from jointalign.study._tables import write_json
from jointalign.study._trainings import Trainings
from jointalign.study.api import study, table3
from jointalign.study.base import NERStudySettings, Pair, StudyResult, StudySettings
from jointalign.study.claims import Claim, Evidence, bleu_evidence, bli_evidence, ner_evidence
from jointalign.study.figure2 import FigureSettings, figure_two
from jointalign.training.skipgram import SkipGram
from jointalign.version import __version__

logger = logging.getLogger(__name__)

PAIRS = tuple(Pair("en", code) for code in ("es", "fr", "de", "it", "ru", "zh"))
TAGGED = ("es", "nl", "de")
QUICK_METHODS = (
    "procrustes",
    "geomm",
    "joint",
    "joint-replace",
    "without-alignment",
    "joint-align-procrustes",
    "joint-align-geomm",
)
"""Without RCSLS, whose many settings take most of the time."""

QUICK_ROWS = ("floor", "joint", "joint-replace", "align", "joint-align", "translate-train")


@dataclass(frozen=True)
class PaperSettings:
    """What the paper is made again from.

    Args:
        data: Folder as for the other studies; what it lacks is told on the page.
        quick: Whether everything is small: one pair, one language to tag, one seed, a toy cipher for
            Figure 2.
        tables: Of Tables 1, 2 and 4.
        ner: Of Table 3.
        figure_epochs: Of Figure 2.
        figure_minutes: Stop its training after so long and draw what there is; `None` for never.
    """

    data: Path
    quick: bool
    tables: StudySettings
    ner: NERStudySettings
    figure_epochs: int
    figure_minutes: float | None = None
    lacking: dict[str, str] = field(default_factory=dict)
    """Pairs and languages of the paper that the data has not, and what is missing."""

    @classmethod
    def of(cls, data: Path, quick: bool = False) -> PaperSettings:
        """What the data allows: minutes on two processors, or a night.

        Raises:
            JointalignError: If the data has no pair of the paper at all.
        """
        lacking = {str(pair): reason for pair in PAIRS if (reason := _lacks(data, pair))}
        pairs = [pair for pair in PAIRS if str(pair) not in lacking]
        if not pairs:
            raise JointalignError(f"{data}: no pair of the paper is there; {next(iter(lacking.values()))}")
        targets = [p.target for p in pairs if p.target in TAGGED and (data / "ner" / p.target).is_dir()]
        lacking |= {code: f"no ner/{code} with text" for code in TAGGED if code not in targets}
        if not quick:
            tables = StudySettings(data, tuple(pairs), tokens=5_000_000)
            return cls(
                data, quick, tables, NERStudySettings("en", tuple(targets or TAGGED)), 15, None, lacking
            )
        tables = StudySettings(
            data, tuple(pairs[:1]), QUICK_METHODS, 1, None, 500_000, SkipGram(50), max_vocabulary=10_000
        )
        ner = NERStudySettings(
            "en", tuple((targets or TAGGED)[:1]), QUICK_ROWS, 1000, 500, fit=TaggerFitSettings(4)
        )
        return cls(data, quick, tables, ner, 3, 4.0, lacking)


def _lacks(data: Path, pair: Pair) -> str:
    """What a pair needs that is not there; empty if all is."""
    settings = StudySettings(data, (pair,))
    try:
        text_of(settings, pair, pair.source)
        dictionaries(settings, pair)
    except JointalignError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Work:
    """Who works, and who is told.

    Args:
        folder: Of the part.
        threads: How many; `None` for all processors.
        progress: Told how far the work at hand is.
        announce: Told the name of each piece of work, and whether it was done before.
        fresh: Whether work of other settings is made anew; it is refused otherwise.
        command: What makes the part alone.
    """

    folder: Path
    threads: int | None = None
    progress: Progress | None = None
    announce: Callable[[str, bool], None] | None = None
    fresh: bool = False
    command: str | None = None


@dataclass(frozen=True)
class PaperPart:
    """A table or a figure.

    Args:
        name: Of its files.
        title: On the page.
        make: Makes it.
        command: What makes it alone, for a shell, but for `jointalign study`, data and folder.
        claims: What the paper concludes from it.
        evidence: Finds the differences of two rows that a claim is about.
        small: What `--quick` makes of it.
    """

    name: str
    title: str
    make: Callable[[PaperSettings, Work], StudyResult]
    command: Callable[[PaperSettings], str]
    small: str
    claims: tuple[Claim, ...] = ()
    evidence: Callable[[str, Claim, dict[str, Any], Path], list[Evidence]] | None = None


def _bli(table: str) -> Callable[[PaperSettings, Work], StudyResult]:
    def make(settings: PaperSettings, work: Work) -> StudyResult:
        return study(
            table,
            settings.tables,
            work.folder,
            threads=work.threads,
            progress=work.progress,
            announce=work.announce,
            fresh=work.fresh,
            command=work.command,
        )

    return make


def _trained(settings: StudySettings) -> str:
    """The options that all tables have."""
    tokens = "" if settings.tokens is None else f"--tokens {settings.tokens} "
    return (
        f"{tokens}--seeds {settings.seeds} --dimensions {settings.trainer.dimensions} "
        f"--max-vocabulary {settings.max_vocabulary}"
    )


def _bli_command(table: str) -> Callable[[PaperSettings], str]:
    def command(settings: PaperSettings) -> str:
        made = settings.tables
        methods = f" --methods {','.join(made.methods)}" if made.methods else ""
        return f"{table} --pairs {','.join(map(str, made.pairs))} {_trained(made)}{methods}"

    return command


def _names(settings: PaperSettings, work: Work) -> StudyResult:
    return table3(
        settings.tables,
        settings.ner,
        work.folder,
        threads=work.threads,
        progress=work.progress,
        announce=work.announce,
        fresh=work.fresh,
        command=work.command,
    )


def _names_command(settings: PaperSettings) -> str:
    made, ner = settings.tables, settings.ner
    rows = f" --rows {','.join(ner.rows)}" if ner.rows else ""
    sizes = "" if ner.sentences is None else f" --sentences {ner.sentences} --development {ner.development}"
    return (
        f"table3 --languages {','.join(ner.targets)} {_trained(made)} --epochs {ner.fit.epochs}{sizes}{rows}"
    )


def _figure_one(settings: PaperSettings, work: Work) -> StudyResult:
    """The three steps on the first pair, from the trainings of the tables."""
    from jointalign.plots import default_pairs, figure_one

    pair, tables = settings.tables.pairs[0], settings.tables
    with locked(work.folder):
        trainings = Trainings(
            tables, work.folder, work.threads, work.progress, work.announce, fresh=work.fresh
        )
        cells, place = Cells(tables, trainings, work.folder), Place(pair, 0)
        joint, split = (
            cells.space(rows_named((name,))[0], place)
            for name in ("without-reallocation", "joint-align-procrustes")
        )
        training = dictionaries(tables, pair).training
        aligned = align(split, Procrustes(), training)
        pairs = default_pairs(joint, split, training)
        facts = {"figure": "figure1", "pair": str(pair), "gamma": cells.gamma(pair), "words": pairs}
    text = f"{pair}, gamma {facts['gamma']:g}: {', '.join(' - '.join(words) for words in pairs)}."
    files = [work.folder / f"figure1.{suffix}" for suffix in ("json", "png")]
    write_json(facts, files[0])
    try:
        figure_one(joint, split, aligned, pairs, files[1])
    except MissingExtraError as error:
        logger.warning("no picture: %s", error)
        del files[1]
    return StudyResult("figure1", facts, text, tuple(files))


def _figure_two(settings: PaperSettings, work: Work) -> StudyResult:
    if settings.quick:
        figure = FigureSettings.toy(work.folder / "data")
    else:
        figure = FigureSettings(settings.data, Pair("en", "de"))
    tell = work.announce
    return figure_two(
        replace(figure, epochs=settings.figure_epochs),
        work.folder / str(figure.pair),
        threads=work.threads,
        max_minutes=settings.figure_minutes,
        progress=work.progress,
        announce=None if tell is None else lambda text: tell(text, False),
        fresh=work.fresh,
        command=work.command,
    )


def _figure_two_command(settings: PaperSettings) -> str:
    quick = f" --quick --max-minutes {settings.figure_minutes:g}" if settings.quick else " --pairs en-de"
    return f"figure2 --epochs {settings.figure_epochs}{quick}"


_SMALL = "one pair, 500,000 tokens a language, 50 dimensions, one seed, no row with RCSLS"
PARTS = (
    PaperPart(
        "table1",
        "Table 1",
        _bli("table1"),
        _bli_command("table1"),
        _SMALL,
        (
            Claim("Joint-Align with RCSLS is better than RCSLS alone", "joint-align-rcsls", "rcsls"),
            Claim("Joint-Align with GeoMM is better than GeoMM alone", "joint-align-geomm", "geomm"),
            Claim("Unsupervised joint training alone is far below alignment", "procrustes", "joint"),
            Claim("Replacing words by translations helps joint training", "joint-replace", "joint"),
            Claim("Without alignment refinement it is worse", "joint-align-geomm", "without-alignment"),
            Claim("Without vocabulary reallocation it is worse", "joint-align-rcsls", "without-reallocation"),
        ),
        bli_evidence,
    ),
    PaperPart(
        "table2",
        "Table 2",
        _bli("table2"),
        _bli_command("table2"),
        _SMALL,
        (
            Claim("The gain stays without identical pairs", "joint-align-rcsls", "rcsls"),
            Claim("The same with GeoMM", "joint-align-geomm", "geomm"),
            Claim("Joint training alone lives off identical pairs", "procrustes", "joint"),
        ),
        bli_evidence,
    ),
    PaperPart(
        "table4",
        "Table 4",
        _bli("table4"),
        _bli_command("table4"),
        _SMALL,
        (
            Claim("The gain stays without the pairs that are torn apart", "joint-align-rcsls", "rcsls"),
            Claim("The same with GeoMM", "joint-align-geomm", "geomm"),
        ),
        bli_evidence,
    ),
    PaperPart(
        "table3",
        "Table 3",
        _names,
        _names_command,
        "one language, 1,000 sentences, four epochs, one seed; nothing contextual",
        (
            Claim("Joint-Align is better than Align", "joint-align", "align"),
            Claim("Align is better than joint training alone", "align", "joint"),
            Claim("Replacing words by translations helps joint training", "joint-replace", "joint"),
        ),
        ner_evidence,
    ),
    PaperPart("figure1", "Figure 1", _figure_one, lambda settings: "paper", "the vectors of the tables"),
    PaperPart(
        "figure2",
        "Figure 2",
        _figure_two,
        _figure_two_command,
        "a toy cipher for two languages, a small model, three epochs or four minutes",
        (
            Claim("Joint-Align translates better than Align", "joint-align", "align"),
            Claim("Joint-Align translates better than Joint", "joint-align", "joint"),
        ),
        bleu_evidence,
    ),
)


class _Record(TypedDict):
    """What is kept of a part from start to start."""

    command: str
    version: str
    seconds: float
    failure: str


@dataclass(frozen=True)
class PaperResult:
    """What came of it.

    Args:
        page: The HTML file.
        parts: Of each part its facts, or why it failed.
    """

    page: Path
    parts: tuple[MadePart, ...]

    @property
    def failures(self) -> dict[str, str]:
        """Why parts failed, by their names."""
        return {part.name: part.failure for part in self.parts if part.failure}


def study_paper(settings: PaperSettings, folder: Path, work: Work | None = None) -> PaperResult:
    """Make every table and figure and the page.

    Stopped at any moment, it goes on when started again with the same folder.

    Args:
        settings: What to make.
        folder: Where all files go; made if missing.
        work: Threads, and who is told; its folder is not looked at.

    Raises:
        JointalignError: If the folder cannot be written to.
    """
    check_folder(folder)
    base = work or Work(folder)
    made = []
    for part in PARTS:
        made.append(_made(part, settings, folder, base))
        write_report(paper_report(settings, made, folder), folder / "index.html")  # what there is so far
    return PaperResult(folder / "index.html", tuple(made))


def _made(part: PaperPart, settings: PaperSettings, folder: Path, base: Work) -> MadePart:
    """A part, or its failure; the time of all starts together."""
    where = folder / ("figure2" if part.name == "figure2" else "tables")
    record = folder / f"{part.name}.record.json"
    spent = read_json(record, _Record, "a record of the paper", REMOVE)["seconds"] if record.is_file() else 0
    command = f"jointalign study {part.command(settings)} --data {settings.data} --out {where}"
    begun, result, failure = time.monotonic(), None, ""
    if base.announce:
        base.announce(part.title, False)
    try:
        result = part.make(settings, replace(base, folder=where, command=command))
    except Exception as error:  # a night's other work must not go with it
        failure = f"{type(error).__name__}: {error}"
        logger.exception("%s failed: %s", part.title, failure)
    seconds = spent + time.monotonic() - begun
    write_json({"command": command, "version": __version__, "seconds": seconds, "failure": failure}, record)
    facts, files = ({}, ()) if result is None else (result.facts, result.files)
    claims = []
    if result is not None and part.evidence is not None:
        claims = [(claim, part.evidence(part.name, claim, facts, where)) for claim in part.claims]
    told = failure, command, seconds, part.small, tuple(claims)
    one = MadePart(part.name, part.title, facts, tuple(files), *told)
    if result is not None and "rows" in facts:
        path = folder / f"{part.name}.cells.csv"
        write_csv(one, settings.lacking, settings.quick, path)
        one = replace(one, files=(*files, path))
    return one
