"""Why the framework works, in a minute: two made-up languages through every row of the table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from jointalign.alignment.api import align
from jointalign.alignment.base import Aligner
from jointalign.alignment.procrustes import Procrustes
from jointalign.bli import BLIResult, Conditions, Identical, OutOfVocabulary, evaluate_rules
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import EncodedCorpus, encode
from jointalign.dictionary.api import Translation, induce, write_tsv
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import MissingExtraError
from jointalign.formats.api import write
from jointalign.lexicon import Lexicon
from jointalign.numerics.processors import limited_to
from jointalign.overshared import OversharingReport, oversharing
from jointalign.pipeline.page import Report, Table, dictionary_table, oversharing_table, write_report
from jointalign.plots import default_pairs, figure_one
from jointalign.progress import Progress
from jointalign.reallocation import reallocate
from jointalign.storage.stages import locked
from jointalign.synthetic import DEMO, PairSettings, make_languages
from jointalign.synthetic import write as write_languages
from jointalign.training.base import Work
from jointalign.training.skipgram import SkipGram
from jointalign.vocabulary import Counts


class System(StrEnum):
    """What a row of the table is made of."""

    JOINT = "joint"
    """Unsupervised joint training alone: all words seen in both corpora stay shared."""

    JOINT_WITHOUT_ALIGNMENT = "joint_without_alignment"
    """Joint training and vocabulary reallocation ("w/o AR")."""

    JOINT_WITHOUT_REALLOCATION = "joint_without_reallocation"
    """Joint training and alignment refinement ("w/o VR")."""

    ALIGN = "align"
    """Two independent trainings and a mapping."""

    JOINT_ALIGN = "joint_align"
    """The whole framework."""


TITLES = {
    System.JOINT: "Joint",
    System.JOINT_WITHOUT_ALIGNMENT: "Joint-Align without alignment",
    System.JOINT_WITHOUT_REALLOCATION: "Joint-Align without reallocation",
    System.ALIGN: "Align (two trainings)",
    System.JOINT_ALIGN: "Joint-Align",
}


def unaligned(
    joint: Embedding, source_counts: Counts, target_counts: Counts, gamma: float
) -> Iterator[tuple[System, BilingualEmbedding]]:
    """The two systems that use no dictionary, one after the other."""
    yield System.JOINT, reallocate(joint, source_counts, target_counts, 1.0)
    split = reallocate(joint, source_counts, target_counts, gamma)
    yield System.JOINT_WITHOUT_ALIGNMENT, split


def aligned(
    joint: Embedding,
    source_counts: Counts,
    target_counts: Counts,
    separate: BilingualEmbedding | None,
    lexicon: Lexicon,
    method: Aligner,
    gamma: float,
    *,
    seed: int = 0,
) -> Iterator[tuple[System, BilingualEmbedding]]:
    """The systems that learn a mapping from a dictionary, one after the other.

    Args:
        joint: Trained on both corpora together.
        source_counts: Word counts of the source corpus.
        target_counts: Word counts of the target corpus.
        separate: Two independent trainings; `None` leaves that row out.
        lexicon: Training dictionary.
        method: Learns the mapping.
        gamma: For reallocation.
        seed: Of the method.
    """
    overshared = reallocate(joint, source_counts, target_counts, 1.0)
    yield System.JOINT_WITHOUT_REALLOCATION, align(overshared, method, lexicon, seed=seed)
    if separate is not None:
        yield System.ALIGN, align(separate, method, lexicon, seed=seed)
    split = reallocate(joint, source_counts, target_counts, gamma)
    yield System.JOINT_ALIGN, align(split, method, lexicon, seed=seed)


# The text is small: larger steps than on real text stand in for more of it.
TRAINER = SkipGram(dimensions=100, buckets=200_000, learning_rate=0.1)
GAMMA = 0.9  # the paper's script


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration found.

    Args:
        folder: Where its files are.
        scores: A result for each system, CSLS, rule `muse`.
        oversharing: What reallocation moved.
        seconds: How long it took.
    """

    folder: Path
    scores: dict[System, BLIResult]
    oversharing: OversharingReport
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The object that `jointalign demo --json` prints."""
        systems = {
            str(system): {
                "p_at_1": result.p_at_1,
                "ci": list(result.ci),
                "n": result.n,
                "signature": result.signature,
            }
            for system, result in self.scores.items()
        }
        return {"systems": systems, "seconds": round(self.seconds, 1), "out": str(self.folder)}

    def table(self) -> str:
        """The table for people."""
        lines = ["P@1, CSLS, with 95 % intervals"]
        for system, result in self.scores.items():
            low, high = result.ci
            lines.append(f"  {TITLES[system]:<34} {result.p_at_1:5.1f}  [{low:.1f}, {high:.1f}]")
        return "\n".join(lines)


def demo(
    folder: Path,
    *,
    languages: PairSettings = DEMO,
    trainer: SkipGram = TRAINER,
    method: Aligner | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> DemoResult:
    """Make two languages, train jointly and separately, and score every system.

    Args:
        folder: Where the languages, the aligned space and the dictionary go.
        languages: What the two languages are like.
        trainer: Settings of all three trainings.
        method: Alignment method; default `Procrustes`, which has no setting to be chosen.
        seed: Of the languages and everything after.
        threads: How many; `None` for all processors that this process may use.
        progress: Told how far the training at hand is.

    Raises:
        JointalignError: If the folder cannot be written.
    """
    begun = time.monotonic()
    method = method or Procrustes()
    with locked(folder, "languages"), limited_to(threads):
        files = write_languages(make_languages(languages, seed), folder / "languages")
        training, test = Lexicon.read(files.train), Lexicon.read(files.test)
        source = _encoded(files.source, "source", folder)
        target = _encoded(files.target, "target", folder)
        joint, one, two = (
            trainer.fit_encoded(corpora, work=Work(seed, threads, progress=progress))
            for corpora in ([source, target], [source], [target])
        )
        counts = source.counts, target.counts
        spaces = dict(unaligned(joint, *counts, GAMMA))
        separate = BilingualEmbedding.separate(one, two, "source", "target")
        spaces |= dict(aligned(joint, *counts, separate, training, method, GAMMA, seed=seed))
        scores = {system: _score(spaces[system], test, seed) for system in System}
        best = spaces[System.JOINT_ALIGN]
        write(best, folder / "aligned.safetensors")
        entries = induce(best)
        write_tsv(entries, folder / "dictionary.tsv")
        report = oversharing(joint, *counts, training=training, test=test)
    result = DemoResult(folder, scores, report, time.monotonic() - begun)
    picture = _picture(spaces, training, folder / "figure1.png")
    write_report(_page(result, entries, picture), folder / "report.html")
    return result


def explain(result: DemoResult) -> str:
    """What the table shows, with the words that make the difference."""
    row = next(row for row in result.oversharing.rows if row.gamma == GAMMA)
    words = ", ".join(f"'{moved.word}' ({100 * moved.share:.0f} % source)" for moved in row.examples[:5])
    return (
        f"Joint training alone shares {result.oversharing.overlap} spellings; each can only mean "
        f"itself. Reallocation at gamma {GAMMA:g} gives {row.moved_to_source} back to the source "
        f"and {row.moved_to_target} to the target: {words}, ... "
        "Alignment then moves what is no longer shared.\n"
        f"{result.folder}: aligned.safetensors, dictionary.tsv, report.html"
    )


def _encoded(path: Path, side: str, folder: Path) -> EncodedCorpus:
    return encode(Corpus(path, "und", tokenized=True), folder / "encoded" / side)


def _score(space: BilingualEmbedding, test: Lexicon, seed: int) -> BLIResult:
    results = evaluate_rules(space, test, Conditions(seed=seed))
    return results[OutOfVocabulary.MUSE, Identical.KEPT]


def _picture(spaces: Mapping[System, BilingualEmbedding], lexicon: Lexicon, path: Path) -> bytes | None:
    """Figure 1, where the extra that draws is installed."""
    joint, split = spaces[System.JOINT], spaces[System.JOINT_WITHOUT_ALIGNMENT]
    try:
        pairs = default_pairs(joint, split, lexicon)
        figure_one(joint, split, spaces[System.JOINT_ALIGN], pairs, path)
    except MissingExtraError:
        return None
    return path.read_bytes()


def _page(result: DemoResult, entries: Sequence[Translation], picture: bytes | None) -> Report:
    rows = [
        [TITLES[system], f"{score.p_at_1:.1f}", f"[{score.ci[0]:.1f}, {score.ci[1]:.1f}]"]
        for system, score in result.scores.items()
    ]
    signature = result.scores[System.JOINT_ALIGN].signature
    tables = [
        Table("What each step is worth", ["system", "P@1", "95 %"], rows, signature, "P@1"),
        oversharing_table(result.oversharing),
        dictionary_table(entries),
    ]
    summary = explain(result).splitlines()[0]
    caption = "After joint training, after reallocation, and after alignment"
    return Report("Two made-up languages", summary, [], tables, picture, caption)
