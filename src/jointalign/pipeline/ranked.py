"""The ranked dictionary of a run: what it is ranked by, its scores, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jointalign.bli import Identical, OutOfVocabulary
from jointalign.bli.base import Conditions
from jointalign.dictionary.api import read_tsv, write_tsv
from jointalign.embedding import BilingualEmbedding
from jointalign.lexicon import Lexicon
from jointalign.pipeline.base import DictionarySize
from jointalign.progress import Progress
from jointalign.ranking.api import FittedRanker, Ranker
from jointalign.ranking.calibration import trade_off
from jointalign.ranking.kept import KeptRanking, kept_ranking
from jointalign.ranking.storage import write_ranker
from jointalign.ranking.table import contradictions, entries, write_contradictions, write_entries
from jointalign.selection.base import Spaces
from jointalign.storage.files import atomic
from jointalign.storage.tables import read_table

PLAIN = "dictionary.csls.tsv"
"""The dictionary by CSLS, where the ranked one has its place."""

FACTS = "ranking.json"
LEARNT = "ranker.json"
KEPT = "aligned.ranking.safetensors"
RANKED = [FACTS, KEPT]
LISTED = ["dictionary.tsv", "contradictions.tsv"]

_GAMMA = 0.9  # the paper's script


def write_ranked(
    folder: Path,
    aligned: BilingualEmbedding,
    spaces: Sequence[BilingualEmbedding],
    lexicon: Lexicon | None,
    test: Lexicon | None,
    *,
    max_vocabulary: int,
    seed: int,
    progress: Progress | None = None,
) -> None:
    """Learn to rank and write the files of `RANKED` and `LEARNT`.

    Args:
        folder: Of the run.
        aligned: The space that translations are kept beside.
        spaces: Not aligned, and without a dictionary aligned; the words are the first's.
        lexicon: The training dictionary; `None`: what other pairs of languages teach has to do.
        test: For scores in both directions, the other of which is learnt apart; `None` for none.
        max_vocabulary: Words of each language.
        seed: The only source of randomness.
        progress: Called after each fold.
    """
    ranker = Ranker(max_vocabulary=max_vocabulary, method="none" if lexicon is None else "auto")
    fitted = ranker.fit(spaces, lexicon, seed=seed, progress=progress)
    write_ranker(fitted, folder / LEARNT)
    KeptRanking.of(fitted, aligned).write(folder / KEPT)
    scores = back = None
    if test is not None:
        scores = _scores(fitted, test, max_vocabulary, seed)
        turned = [space.reversed() for space in spaces]
        other = ranker.fit(turned, lexicon and lexicon.reversed(), seed=seed, progress=progress)
        back = _scores(other, test.reversed(), max_vocabulary, seed)
    facts = {
        "held_out": fitted.held_out.to_json(),
        "scores": scores,
        "scores_reversed": back,
        "trade_off": [asdict(one) for one in trade_off(*fitted.firsts)],
    }
    with atomic(folder / FACTS, "w") as file:
        json.dump(facts, file, indent=2, ensure_ascii=False)


def write_listed(
    folder: Path, aligned: BilingualEmbedding, precision: float | None, *, keep_marks: bool
) -> None:
    """Write the files of `LISTED`; where nothing was ranked, the dictionary by CSLS.

    Args:
        folder: Of the run, where its ranking is, and its dictionary by CSLS.
        aligned: The space that the ranking is kept beside.
        precision: List as many words as are right so often; `None` for the usual probability.
        keep_marks: List punctuation and digits, too.
    """
    ranking = kept_ranking(folder / "aligned.safetensors", aligned)
    if ranking is None:
        write_tsv(read_tsv(folder / PLAIN), folder / LISTED[0])
        write_contradictions([], folder / LISTED[1])
        return
    found = entries(ranking, ranking.least(precision), keep_marks=keep_marks)
    write_entries(found, ranking, folder / LISTED[0])
    write_contradictions(contradictions(found), folder / LISTED[1])


def listed(folder: Path) -> DictionarySize:
    """How long the dictionary of a run is, and how right by what it says of itself."""
    rows = [row for _, row in read_table(folder / LISTED[0])]
    if "evidence" not in rows[0]:
        return DictionarySize(len(rows) - 1, None)
    chances = [float(row[2]) for row in rows[1:] if "given" not in row[6].split(", ")]
    return DictionarySize(len(rows) - 1, 100 * sum(chances) / len(chances) if chances else None)


def _scores(fitted: FittedRanker, test: Lexicon, max_vocabulary: int, seed: int) -> dict[str, Any]:
    results = fitted.evaluate(test, Conditions(max_vocabulary=max_vocabulary, seed=seed))
    return {
        f"identical_{identical}": {str(oov): results[oov, identical].to_json() for oov in OutOfVocabulary}
        for identical in Identical
    }


def unaligned_spaces(
    split: BilingualEmbedding, spaces: Spaces, choice: dict[str, Any]
) -> list[BilingualEmbedding]:
    """All spaces that a run has, the chosen one first.

    Args:
        split: The chosen one, before alignment.
        spaces: What there was to choose from.
        choice: What was chosen and what was tried.
    """
    if spaces.separate is None:
        return [split]
    if choice["gamma"] is not None:
        return [split, spaces.separate]
    tried = [trial for trial in choice["trials"] if trial["gamma"] is not None]
    best = max(tried, key=lambda trial: trial["precision"], default={"gamma": _GAMMA})
    return [split, spaces.split(best["gamma"])]
