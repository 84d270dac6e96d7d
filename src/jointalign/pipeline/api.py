"""The whole job: two corpora in, one space, a dictionary and scores out, in stages on disk."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from jointalign.alignment.api import align
from jointalign.bli import Conditions, Identical, OutOfVocabulary, evaluate_rules
from jointalign.bli.base import low_coverage
from jointalign.concordance import Concordance
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import FILES, EncodedCorpus, encode
from jointalign.corpora.enough import little_text
from jointalign.dictionary.api import induce_and_keep, read_tsv, write_tsv
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.ensemble import reduced
from jointalign.errors import JointalignError
from jointalign.formats.api import read, read_bilingual, write
from jointalign.lexicon import Lexicon
from jointalign.numerics.processors import limited_to
from jointalign.overshared import oversharing
from jointalign.pipeline._checks import check_dictionaries, check_settings, read_lexicon
from jointalign.pipeline._entries import contradicted, good_and_doubtful, headwords, read_entries
from jointalign.pipeline._finished import SETTINGS
from jointalign.pipeline._report import Found, run_report
from jointalign.pipeline.base import RunResult, RunSettings
from jointalign.pipeline.page import Part, dictionary_table, write_report
from jointalign.pipeline.ranked import (
    FACTS,
    LISTED,
    PLAIN,
    RANKED,
    listed,
    unaligned_spaces,
    write_listed,
    write_ranked,
)
from jointalign.plots import default_pairs, figure_one
from jointalign.progress import Progress
from jointalign.retrieval.hubs import Hubs
from jointalign.selection.api import MULTIPLE, training_seconds
from jointalign.selection.base import BOTH, Spaces
from jointalign.selection.unsupervised import align_without_dictionary
from jointalign.selection.wishes import decide
from jointalign.storage.facts import read_json
from jointalign.storage.files import atomic, file_facts
from jointalign.storage.stages import Stages, locked, peak_memory_mb
from jointalign.training.base import CHECKPOINT_SECONDS, Work
from jointalign.version import versions

logger = logging.getLogger(__name__)

Announce = Callable[[str, bool], None]

ALIGNED = ["choice.json", "reallocated.safetensors", "aligned.safetensors", SETTINGS]
APART = ["apart.source.safetensors", "apart.target.safetensors"]
HUBS = "aligned.hubs.safetensors"
RECORD = "record.json"
FIGURE = "figure1.png"
SCORED = ["scores.json", "oversharing.json", "report.html"]


def run(
    settings: RunSettings,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    fresh: bool = False,
    command: str | None = None,
    progress: Progress | None = None,
    announce: Announce | None = None,
) -> RunResult:
    """Do the whole job; what an earlier, interrupted run has finished is not done again.

    With one thread, the files are the same however often the run was stopped on its way.

    Args:
        settings: What to do.
        folder: Where all files go; made if missing.
        threads: How many; `None` for all processors that this process may use.
        checkpoint_seconds: Time between two checkpoints of the training.
        fresh: Whether work of other settings in the folder is replaced; it is refused otherwise.
        command: As it was typed, for the record; `None` in Python.
        progress: Told how far the stage at hand is.
        announce: Told the name of each stage as it begins, and whether it was done before.

    Raises:
        JointalignError: If a file or a setting is bad, another process works in the folder, or it
            holds work of other settings.
    """
    check_settings(settings)
    with locked(folder), limited_to(threads):
        work = _Run(settings, folder, threads, checkpoint_seconds, fresh, progress, announce)
        result = work.result()
        _note(folder / RECORD, {"command": command, "threads": threads, "versions": versions()})
        return result


def _note(path: Path, facts: dict[str, Any]) -> None:
    """Write it down, unless that is what the file says."""
    text = json.dumps(facts, indent=2, ensure_ascii=False).encode()
    if not path.is_file() or path.read_bytes() != text:
        with atomic(path) as file:
            file.write(text)


class _Run:
    """The stages; each reads what it needs from the files of earlier ones."""

    def __init__(
        self,
        settings: RunSettings,
        folder: Path,
        threads: int | None,
        checkpoint_seconds: float,
        fresh: bool,
        progress: Progress | None,
        announce: Announce | None,
    ) -> None:
        self.settings, self.folder = settings, folder
        self.threads, self.progress = threads, progress
        self.checkpoint_seconds = checkpoint_seconds
        self.stages = Stages(folder, announce, fresh=fresh)

    def result(self) -> RunResult:
        settings, do = self.settings, self.stages.do
        text = {side: corpus.facts for side, corpus in self.corpora.items()}
        do("count", text, [f"{side}/{name}" for side in self.corpora for name in FILES], self.count)
        warnings = self.enough()
        for warning in warnings:
            logger.warning("%s", warning)
        training = {"trainer": asdict(settings.trainer), "seed": settings.seed}
        do("train", training, ["joint.safetensors"], self.train, after=["count"])
        known = None if settings.lexicon is None else file_facts(settings.lexicon)
        wishes = {"lexicon": known, **asdict(settings.wishes)}
        trained = ["train"]
        if settings.compares_spaces:
            do("train_apart", training, APART, self.train_apart, after=["count"])
            trained.append("train_apart")
        do("align", wishes, ALIGNED, self.align, after=trained)
        tests = None if settings.test is None else file_facts(settings.test)
        size = {"max_vocabulary": settings.max_vocabulary}
        do("induce", size, [HUBS, self.plain], self.induce, after=["align"])
        trailing = ["induce"]
        if settings.rank:
            learnt = {"lexicon": known, "test": tests, **size}
            do("rank", learnt, RANKED, self.rank, after=[*trained, "align", "induce"])
            wanted = {"precision": settings.precision, "keep_marks": settings.keep_marks}
            do("list", wanted, LISTED, self.write_list, after=["induce", "rank"])
            trailing += ["rank", "list"]
        do("evaluate", {"test": tests, **size}, SCORED, self.evaluate, after=trailing)
        choice, scores = self._json("choice.json"), self._json("scores.json")
        records = self.stages.records
        peaks = [peak_memory_mb(), *(record.peak_memory_mb for record in records.values())]
        return RunResult(
            self.folder,
            choice["space"],
            choice["gamma"],
            choice["method"],
            choice["reason"],
            choice["worked"],
            scores,
            {name: round(record.seconds, 3) for name, record in records.items()},
            max((peak for peak in peaks if peak is not None), default=None),
            listed(self.folder),
            self.ranking,
            (*warnings, *self._low_coverage(scores)),
        )

    def enough(self) -> list[str]:
        """Warnings for what there is too little of, before the training."""
        counts = self.source.counts, self.target.counts
        languages = self.settings.source_language, self.settings.target_language
        minimum = self.settings.trainer.minimum_count
        few = check_dictionaries(*counts, self.lexicon, self.test, minimum)
        return little_text(zip(languages, counts, strict=True)) + few

    def _low_coverage(self, scores: dict[str, Any] | None) -> list[str]:
        coverage = [tables["identical_kept"]["paper"]["coverage"] for tables in (scores or {}).values()]
        return [note for each in coverage[:1] if (note := low_coverage(each, OutOfVocabulary.PAPER))]

    def count(self) -> None:
        for side, corpus in self.corpora.items():
            encode(corpus, self.folder / side, self.threads, self.progress, corpus.facts)

    def train(self) -> None:
        joint = self._trained([self.source, self.target], "training")
        write(joint, self.folder / "joint.safetensors")

    def train_apart(self) -> None:
        for corpus, name in zip((self.source, self.target), APART, strict=True):
            write(self._trained([corpus], f"training.{name.split('.')[1]}"), self.folder / name)

    def _trained(self, corpora: list[EncodedCorpus], folder: str) -> Embedding:
        trainer = self.settings.trainer
        place, seed = self.folder / folder, self.settings.seed
        work = Work(seed, self.threads, place, self.progress, self.checkpoint_seconds)
        embedding = trainer.fit_encoded(corpora, work=work)
        trainer.forget(place)
        return embedding

    def align(self) -> None:
        settings, spaces, lexicon = self.settings, self._spaces(), self.lexicon
        if lexicon is None:
            split, aligned, facts = align_without_dictionary(
                spaces, settings.wishes, settings.seed, self.progress
            )
        else:
            choice = decide(
                spaces,
                lexicon,
                settings.wishes,
                seed=settings.seed,
                limit=self._limit(),
                progress=self.progress,
            )
            space, facts = spaces.of(choice.best), choice.to_json()
            aligned = align(space, choice.method, lexicon, seed=settings.seed)
            aligned = reduced(aligned, settings.trainer.dimensions)
            gamma = choice.gamma if choice.best.space == BOTH else None
            split = space if gamma is None else spaces.split(gamma)
        write(split, self.folder / "reallocated.safetensors")
        write(aligned, self.folder / "aligned.safetensors")
        self._write_json("choice.json", facts)
        self._write_json(SETTINGS, settings.described())

    def _limit(self) -> float:
        """What is left for fits, in estimated seconds: the training apart has taken its share."""
        trainer = self.settings.trainer
        tokens = 2 * max(self.source.counts.total, self.target.counts.total)
        training = training_seconds(tokens, trainer.epochs, trainer.dimensions)
        return (MULTIPLE - self.settings.compares_spaces) * training

    def _spaces(self) -> Spaces:
        languages = self.settings.source_language, self.settings.target_language
        apart = None
        if self.settings.compares_spaces:
            source, target = (read(self.folder / name) for name in APART)
            apart = BilingualEmbedding.separate(source, target, *languages)
        return Spaces((self.joint, self.source.counts, self.target.counts), apart, languages)

    def induce(self) -> None:
        size = self.settings.max_vocabulary
        entries, hubs = induce_and_keep(self.aligned, max_vocabulary=size)
        hubs.write(self.folder / HUBS)
        write_tsv(entries, self.folder / self.plain)

    def rank(self) -> None:
        split = read_bilingual(self.folder / "reallocated.safetensors")
        spaces = [self.aligned]
        if self.lexicon is not None:
            spaces = unaligned_spaces(split, self._spaces(), self._json("choice.json"))
        write_ranked(
            self.folder,
            self.aligned,
            spaces,
            self.lexicon,
            self.test,
            max_vocabulary=self.settings.max_vocabulary,
            seed=self.settings.seed,
            progress=self.progress,
        )

    def write_list(self) -> None:
        settings = self.settings
        write_listed(self.folder, self.aligned, settings.precision, keep_marks=settings.keep_marks)

    @property
    def plain(self) -> str:
        """The dictionary by CSLS: the ranked one takes its place."""
        return PLAIN if self.settings.rank else "dictionary.tsv"

    @property
    def ranking(self) -> dict[str, Any] | None:
        return self._json(FACTS) if self.settings.rank else None

    def evaluate(self) -> None:
        settings = self.settings
        report = oversharing(
            self.joint, self.source.counts, self.target.counts, training=self.lexicon, test=self.test
        )
        self._write_json("oversharing.json", report.to_json())
        scores = self._scores(self.aligned)
        self._write_json("scores.json", scores)
        found = Found(
            (settings.source_language, settings.target_language),
            settings.described(),
            self._json("choice.json"),
            scores,
            self.ranking,
            report,
            listed(self.folder),
        )
        write_report(run_report(found, self._dictionary(found), self._figure()), self.folder / "report.html")

    def _dictionary(self, found: Found) -> list[Part]:
        """The first entries, and some with their sentences."""
        if not found.held_out:
            return [dictionary_table(read_tsv(self.folder / self.plain))]
        dictionary, against = (self.folder / name for name in LISTED)
        entries = read_entries(dictionary)
        texts = {side: Concordance.of(corpus, self.folder / side) for side, corpus in self.corpora.items()}
        both = texts["source"], texts["target"]
        shown = headwords(entries, found.languages, dictionary.name)
        return [shown, *good_and_doubtful(entries, both, found.languages), *contradicted(against)]

    def _figure(self) -> bytes | None:
        """Figure 1, where there is a dictionary and the extra that draws is installed."""
        if self.lexicon is None or self._json("choice.json")["gamma"] is None:
            return None
        languages = self.settings.source_language, self.settings.target_language
        joint = Spaces((self.joint, self.source.counts, self.target.counts), None, languages).split(1.0)
        split = read_bilingual(self.folder / "reallocated.safetensors")
        try:
            pairs = default_pairs(joint, split, self.lexicon)
            figure_one(joint, split, self.aligned, pairs, self.folder / FIGURE)
        except JointalignError as error:  # nothing to draw with, or no frequent word to draw
            logger.info("no picture: %s", error)
            return None
        return (self.folder / FIGURE).read_bytes()

    def _scores(self, aligned: BilingualEmbedding) -> dict[str, Any] | None:
        if self.test is None:
            return None
        known = self.lexicon
        back = None if known is None else known.reversed()
        hubs, other = Hubs.read(self.folder / HUBS), aligned.reversed()
        return {
            "source_to_target": self._direction(aligned, self.test, known, hubs),
            "target_to_source": self._direction(other, self.test.reversed(), back, hubs.reversed()),
        }

    def _direction(
        self, aligned: BilingualEmbedding, test: Lexicon, training: Lexicon | None, hubs: Hubs
    ) -> dict[str, Any]:
        results = evaluate_rules(
            aligned,
            test,
            Conditions(max_vocabulary=self.settings.max_vocabulary, seed=self.settings.seed),
            training=training,
            hubs=hubs,
        )
        return {
            f"identical_{identical}": {str(oov): results[oov, identical].to_json() for oov in OutOfVocabulary}
            for identical in Identical
        }

    @cached_property
    def corpora(self) -> dict[str, Corpus]:
        settings = self.settings
        sides = {
            "source": (settings.source, settings.source_language),
            "target": (settings.target, settings.target_language),
        }
        return {
            side: Corpus(path, language, settings.tokenized, settings.lowercase)
            for side, (path, language) in sides.items()
        }

    @cached_property
    def source(self) -> EncodedCorpus:
        return EncodedCorpus.open(self.folder / "source")

    @cached_property
    def target(self) -> EncodedCorpus:
        return EncodedCorpus.open(self.folder / "target")

    @cached_property
    def aligned(self) -> BilingualEmbedding:
        return read_bilingual(self.folder / "aligned.safetensors")

    @cached_property
    def joint(self) -> Embedding:
        return read(self.folder / "joint.safetensors")

    @cached_property
    def lexicon(self) -> Lexicon | None:
        path = self.settings.lexicon
        return None if path is None else read_lexicon(path, self.settings)

    @cached_property
    def test(self) -> Lexicon | None:
        path = self.settings.test
        return None if path is None else read_lexicon(path, self.settings)

    def _json(self, name: str) -> Any:
        return read_json(
            self.folder / name, object, "what the run has found out", "start it again with --fresh"
        )

    def _write_json(self, name: str, content: Any) -> None:
        with atomic(self.folder / name, "w") as file:
            json.dump(content, file, indent=2, ensure_ascii=False)
