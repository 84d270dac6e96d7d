"""The whole job: two corpora in, one space, a dictionary and scores out, in stages on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from jointalign.alignment.api import align
from jointalign.bli import Identical, OutOfVocabulary, evaluate_rules
from jointalign.corpus import Corpus
from jointalign.dictionary import induce, write_tsv
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.encoding import FILES, EncodedCorpus, encode
from jointalign.files import atomic, file_facts
from jointalign.formats.api import read, read_bilingual, write, write_bilingual
from jointalign.lexicon import Lexicon
from jointalign.oversharing import oversharing
from jointalign.pipeline._checks import check_dictionaries, check_settings, read_lexicon
from jointalign.pipeline._finished import SETTINGS
from jointalign.pipeline._report import run_report
from jointalign.pipeline.base import RunResult, RunSettings
from jointalign.processors import limited_to
from jointalign.progress import Progress
from jointalign.reallocation import reallocate
from jointalign.report import write_report
from jointalign.stages import Stages, locked, peak_memory_mb
from jointalign.training.base import CHECKPOINT_SECONDS
from jointalign.tuning import tune_run

Announce = Callable[[str, bool], None]

ALIGNED = ["choice.json", "reallocated.safetensors", "aligned.safetensors", SETTINGS]
SCORED = ["scores.json", "oversharing.json", "dictionary.tsv", "report.html"]


def run(
    settings: RunSettings,
    folder: Path,
    *,
    threads: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
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
        progress: Told how far the stage at hand is.
        announce: Told the name of each stage as it begins, and whether it was done before.

    Raises:
        JointalignError: If a file or a setting is bad, or another process works in the folder.
    """
    check_settings(settings)
    with locked(folder), limited_to(threads):
        work = _Run(settings, folder, threads, checkpoint_seconds, progress, announce)
        return work.result()


class _Run:
    """The stages; each reads what it needs from the files of earlier ones."""

    def __init__(
        self,
        settings: RunSettings,
        folder: Path,
        threads: int | None,
        checkpoint_seconds: float,
        progress: Progress | None,
        announce: Announce | None,
    ) -> None:
        self.settings, self.folder = settings, folder
        self.threads, self.progress = threads, progress
        self.checkpoint_seconds = checkpoint_seconds
        self.stages = Stages(folder, announce)

    def result(self) -> RunResult:
        settings, do = self.settings, self.stages.do
        text = [corpus.key for corpus in self.corpora.values()]
        do("count", text, [f"{side}/{name}" for side in self.corpora for name in FILES], self.count)
        check_dictionaries(
            self.source.counts, self.target.counts, self.lexicon, self.test,
            settings.trainer.minimum_count,
        )  # fmt: skip
        training = [asdict(settings.trainer), settings.seed]
        do("train", training, ["joint.safetensors"], self.train, after=["count"])
        wishes = [file_facts(settings.lexicon), asdict(settings.wishes)]
        do("align", wishes, ALIGNED, self.align, after=["train"])
        tests = None if settings.test is None else file_facts(settings.test)
        shown = [tests, settings.max_vocabulary]
        do("evaluate", shown, SCORED, self.evaluate, after=["align"])
        choice = self._json("choice.json")
        records = self.stages.records
        return RunResult(
            self.folder,
            choice["gamma"],
            choice["method"],
            self._json("scores.json"),
            {name: round(record.seconds, 3) for name, record in records.items()},
            max(peak_memory_mb(), *(record.peak_memory_mb for record in records.values())),
        )

    def count(self) -> None:
        for side, corpus in self.corpora.items():
            encode(corpus, self.folder / side, self.threads, self.progress, key=corpus.key)

    def train(self) -> None:
        trainer = self.settings.trainer
        joint = trainer.fit_encoded(
            [self.source, self.target],
            seed=self.settings.seed,
            threads=self.threads,
            folder=self.folder / "training",
            progress=self.progress,
            checkpoint_seconds=self.checkpoint_seconds,
        )
        write(joint, self.folder / "joint.safetensors")
        trainer.forget(self.folder / "training")

    def align(self) -> None:
        source, target, settings = self.source.counts, self.target.counts, self.settings
        tuned = tune_run(
            self.joint, source, target, self.lexicon, settings.wishes,
            seed=settings.seed, progress=self.progress,
        )  # fmt: skip
        split = reallocate(
            self.joint, source, target, tuned.gamma or 1.0,
            settings.source_language, settings.target_language,
        )  # fmt: skip
        write_bilingual(split, self.folder / "reallocated.safetensors")
        aligned = align(split, tuned.method, self.lexicon, seed=settings.seed)
        write_bilingual(aligned, self.folder / "aligned.safetensors")
        self._write_json("choice.json", tuned.to_json())
        self._write_json(SETTINGS, settings.described())

    def evaluate(self) -> None:
        settings = self.settings
        aligned = read_bilingual(self.folder / "aligned.safetensors")
        report = oversharing(
            self.joint,
            self.source.counts,
            self.target.counts,
            training=self.lexicon,
            test=self.test,
        )
        self._write_json("oversharing.json", report.to_json())
        entries = induce(aligned, max_vocabulary=settings.max_vocabulary)
        write_tsv(entries, self.folder / "dictionary.tsv")
        scores = self._scores(aligned)
        self._write_json("scores.json", scores)
        languages = settings.source_language, settings.target_language
        page = run_report(
            languages, settings.described(), self._json("choice.json"), scores, report, entries
        )
        write_report(page, self.folder / "report.html")

    def _scores(self, aligned: BilingualEmbedding) -> dict[str, Any] | None:
        if self.test is None:
            return None
        return {
            "source_to_target": self._direction(aligned, self.test, self.lexicon),
            "target_to_source": self._direction(
                aligned.reversed(), self.test.reversed(), self.lexicon.reversed()
            ),
        }

    def _direction(
        self, aligned: BilingualEmbedding, test: Lexicon, training: Lexicon
    ) -> dict[str, Any]:
        results = evaluate_rules(
            aligned,
            test,
            max_vocabulary=self.settings.max_vocabulary,
            training=training,
            seed=self.settings.seed,
        )
        return {
            f"identical_{identical}": {
                str(oov): results[oov, identical].to_json() for oov in OutOfVocabulary
            }
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
    def joint(self) -> Embedding:
        return read(self.folder / "joint.safetensors")

    @cached_property
    def lexicon(self) -> Lexicon:
        return read_lexicon(self.settings.lexicon, self.settings)

    @cached_property
    def test(self) -> Lexicon | None:
        path = self.settings.test
        return None if path is None else read_lexicon(path, self.settings)

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text("utf-8"))

    def _write_json(self, name: str, content: Any) -> None:
        with atomic(self.folder / name, "w") as file:
            json.dump(content, file, indent=2, ensure_ascii=False)
