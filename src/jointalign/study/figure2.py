"""Figure 2: how unsupervised translation gets on, epoch by epoch, from different vectors."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from jointalign.errors import JointalignError
from jointalign.numerics.processors import usable_processors
from jointalign.progress import Progress
from jointalign.storage.checkpoint import or_fresh
from jointalign.storage.stages import Stages, locked
from jointalign.study._data import TOY, Captions, captions, dictionaries, text_of, write_toy
from jointalign.study._pictures import draw_curves
from jointalign.study._tables import table_c, write_json, written
from jointalign.study.base import Pair, StudyResult, StudySettings
from jointalign.translation.api import (
    MODEL,
    Job,
    Session,
    Validation,
    check_extra,
    evaluate,
    prepare,
    read_translator,
    score,
)
from jointalign.translation.base import Shape, TranslationFitSettings, WeightSchedule
from jointalign.translation.scoring import word_by_word
from jointalign.translation.vectors import Start, Vectors, VectorSettings, piece_trainer
from jointalign.version import __version__

TITLES = {
    Start.ALIGN: "Align",
    Start.JOINT: "Joint",
    Start.JOINT_ALIGN: "Joint-Align",
    Start.SUPERVISED_JOINT: "Supervised Joint (Duong et al.)",
    Start.RANDOM: "Random vectors",
    Start.SUPERVISED: "Supervised translation (upper bound)",
}
DEFAULT = (Start.ALIGN, Start.JOINT, Start.JOINT_ALIGN)


@dataclass(frozen=True)
class FigureSettings:
    """Everything that decides the numbers.

    Args:
        data: Folder with `translation/NAME.en-de/`, `mono/` and `lexicons/`.
        pair: Languages.
        starts: What models begin with, a curve each.
        shape: Of the models.
        fit: How they are trained.
        vectors: How the vectors are made.
        epochs: How many (20: the paper).
        validation: Sentences that each epoch is measured with.
        corpus: NAME of the large texts, where there are several.
        seed: The only source of randomness.
    """

    data: Path
    pair: Pair
    starts: tuple[Start, ...] = DEFAULT
    shape: Shape = field(default_factory=Shape.small)
    fit: TranslationFitSettings = field(default_factory=TranslationFitSettings.small)
    vectors: VectorSettings = field(
        default_factory=lambda: VectorSettings(piece_trainer(Shape.small().dimensions))
    )
    epochs: int = 20
    validation: int = 300
    corpus: str | None = None
    seed: int = 0

    @classmethod
    def toy(cls, folder: Path, seed: int = 0, starts: tuple[Start, ...] | None = None) -> FigureSettings:
        """The toy cipher, written into the folder: minutes on a processor."""
        write_toy(folder, seed)
        shape, fit = Shape.tiny(), TranslationFitSettings.tiny()
        trainer = replace(piece_trainer(shape.dimensions), subsampling=1e-2)
        vectors = VectorSettings(trainer, pieces=1200)
        starts = starts or (*DEFAULT, Start.RANDOM)
        return cls(folder, TOY, starts, shape, fit, vectors, epochs=5, validation=100, seed=seed)


def figure_two(
    settings: FigureSettings,
    folder: Path,
    *,
    device: str = "auto",
    threads: int | None = None,
    max_minutes: float | None = None,
    command: str | None = None,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
    fresh: bool = False,
) -> StudyResult:
    """Train a model from each kind of vectors and draw their curves.

    The models take turns, an epoch each, so that the curves are of equal length whenever it is
    stopped; started again with the same folder, it goes on.

    Args:
        settings: What to do.
        folder: Where all files go; made if missing.
        device: `cpu`, `cuda`, or `auto`.
        threads: Of the training of vectors; `None` for all processors.
        max_minutes: Stop training after this time and draw what there is.
        command: What was typed, for the record; `None` in Python.
        progress: Told how far the work at hand is.
        announce: Told what has been done.
        fresh: Whether work of other settings in the folder is begun anew; it is refused otherwise.

    Raises:
        JointalignError: If data is missing, no kind of vectors is named, or the folder has work of
            other settings.
        MissingExtraError: If torch, tokenizers or sacrebleu is not installed.
    """
    check_extra()
    if not settings.starts:
        raise JointalignError("there is nothing to begin with; name one, e.g. joint-align")
    begun, tell = time.monotonic(), announce or (lambda _: None)
    deadline = None if max_minutes is None else begun + 60 * max_minutes
    with locked(folder):
        made = _Figure(settings, folder, device, threads, progress, tell, fresh)
        made.train(deadline)
        return made.result(time.monotonic() - begun, command)


class _Figure:
    """One pair's models, in one folder."""

    def __init__(
        self,
        settings: FigureSettings,
        folder: Path,
        device: str,
        threads: int | None,
        progress: Progress | None,
        tell: Callable[[str], None],
        fresh: bool,
    ) -> None:
        self.settings, self.folder, self.device, self.fresh = settings, folder, device, fresh
        self.tell, self.progress = tell, progress
        pair = settings.pair
        self.texts = captions(settings.data, pair)
        stages = Stages(folder, lambda name, done: None if done else tell(name), fresh=fresh)
        lexicon = None
        if any(start.needs_lexicon for start in settings.starts):
            lexicon = dictionaries(StudySettings(settings.data, (pair,)), pair).training
        self.vectors = Vectors(
            (pair.source, pair.target),
            settings.vectors,
            self.texts.halves,
            _large(settings),
            lexicon,
            stages,
            settings.seed,
            threads,
            progress,
        )
        self.segmentation = self.vectors.segmentation()
        self.report: dict[str, Any] = {}
        self.sessions = {start: self._session(start) for start in settings.starts}

    def train(self, deadline: float | None) -> None:
        """One epoch of each model after the other, until all are done or time is up."""
        for epoch in range(1, self.settings.epochs + 1):
            for start, session in self.sessions.items():
                if session.epochs >= epoch:
                    continue
                if not session.epoch(deadline, self.progress):
                    return
                entry = session.history[-1]
                scores = ", ".join(f"{w} {s['bleu']:.2f}" for w, s in entry["validation"].items())
                trip = entry["round_trip"]
                self.tell(f"{start}, epoch {epoch}: BLEU {scores}, round trip {trip:.2f}")
                write_json(self._curves(), self.folder / "figure2.json")

    def result(self, seconds: float, command: str | None) -> StudyResult:
        """Test scores of each model's best epoch, the picture and the table."""
        facts = self._curves() | {"seconds": round(seconds, 1), "baselines": self._baselines()}
        for start in self.sessions:
            facts["curves"][start]["test"] = self._tested(start)
        text = table_c(facts)
        return written("figure2", facts, text, self.folder, lambda path: draw_curves(facts, path), command)

    def _session(self, start: Start) -> Session:
        settings, pair = self.settings, self.settings.pair
        supervised = start is Start.SUPERVISED
        count = settings.validation
        source, target = self.texts.validation
        embedding = self.vectors.space(start)
        job, report = prepare(
            self.texts.train if supervised else self.texts.halves,
            self.segmentation,
            (pair.source, pair.target),
            shape=settings.shape,
            settings=replace(settings.fit, denoising=WeightSchedule.parse("0"))
            if supervised
            else settings.fit,
            embedding=embedding,
            separate=start.separate,
            validation=Validation.of(source[:count], target[:count]),
            criterion="bleu",
            seed=settings.seed,
            device=self.device,
        )
        self.report[start] = report
        if supervised:
            job = _parallel(job, self.texts)
        return or_fresh(lambda: Session(job, self.folder / "models" / start), self.fresh)

    def _curves(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "figure": "figure2",
            "pair": str(settings.pair),
            "data": self.texts.folder.name,
            "version": __version__,
            "machine": f"{platform.machine()}, {usable_processors()} processors",
            "seed": settings.seed,
            "shape": asdict(settings.shape),
            "fit": asdict(settings.fit),
            "vectors": asdict(settings.vectors),
            "validation_sentences": settings.validation,
            "curves": {
                start: {"title": TITLES[start], "read": self.report[start], "epochs": session.history}
                for start, session in self.sessions.items()
            },
        }

    def _ways(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        source, target = self.texts.test
        pair = self.settings.pair
        return [(str(pair), source, target), (str(pair.reversed()), target, source)]

    def _tested(self, start: Start) -> dict[str, Any] | None:
        """Test scores of the epoch with the best validation BLEU; `None` before the first."""
        if not self.sessions[start].epochs:
            return None
        self.tell(f"test: {start}")
        translator = read_translator(self.folder / "models" / start / MODEL, self.device)
        return {
            way: evaluate(translator, lines, references, way).to_json()
            for way, lines, references in self._ways()
        }

    def _baselines(self) -> dict[str, Any]:
        """The source as it is, and word by word with each kind of vectors."""
        lowercase = self.segmentation.lowercase
        found: dict[str, dict[str, Any]] = {}
        for way, lines, references in self._ways():
            scored = score(lines, references, way, lowercase=lowercase)
            found.setdefault("Copied source", {})[way] = scored.to_json()
        for start in self.sessions:
            space = self.vectors.space(start)
            if space is None:
                continue
            for turned, (way, lines, references) in enumerate(self._ways()):
                side = space.reversed() if turned else space
                words = word_by_word(lines, self.segmentation, side)
                scored = score(words, references, way, lowercase=lowercase)
                title = f"Word by word, {TITLES[start]} vectors"
                found.setdefault(title, {})[way] = scored.to_json()
        return found


def _parallel(job: Job, texts: Captions) -> Job:
    """Learn from the translations; lines that one side lacks or that are too long are left out."""
    translator, longest = job.translator, job.settings.maximum_length
    sides = [translator.segmentation.encode(lines) for lines in texts.train]
    kept = (sides[0].lengths > 0) & (sides[1].lengths > 0)
    kept &= (sides[0].lengths <= longest) & (sides[1].lengths <= longest)
    rows = kept.nonzero()[0]
    return replace(job, texts=(sides[0].take(rows), sides[1].take(rows)), parallel=True)


def _large(settings: FigureSettings) -> tuple[Path, Path] | None:
    """Files of the large texts of the two languages; `None` if there are none or none is wanted."""
    if not settings.vectors.tokens or not (settings.data / "mono").is_dir():
        return None
    where = StudySettings(settings.data, (settings.pair,), corpus=settings.corpus)
    pair = settings.pair
    found = [text_of(where, pair, code)[1] for code in (pair.source, pair.target)]
    return found[0], found[1]
