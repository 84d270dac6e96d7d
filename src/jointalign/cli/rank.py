"""`jointalign rank`: a dictionary with probabilities out of two sets of vectors and some pairs."""

from __future__ import annotations

import logging
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import (
    Json,
    KeepCase,
    KeepMarks,
    MaxVocabulary,
    OutFolder,
    Seed,
    SpellSource,
    SpellTarget,
    Threads,
)
from jointalign.cli._spaces import (
    Source,
    SourceCode,
    Space,
    Target,
    TargetCode,
    VectorsFormat,
    read_space,
    spellings,
)
from jointalign.ranking.learner import Learner

logger = logging.getLogger(__name__)

OUTPUTS = ("dictionary.tsv", "ranker.json", "contradictions.tsv", "ranking.safetensors")


def command(
    out: OutFolder,
    lexicon: Annotated[
        Path | None,
        typer.Option(
            help="Training dictionary, 'source target' a line; default: none, what other languages teach."
        ),
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Test dictionary; default: no scores.")] = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    embedding: Space = None,
    source: SourceCode = None,
    target: TargetCode = None,
    learner: Annotated[
        Learner,
        typer.Option(help="auto: shipped; with LightGBM refined from 500 pairs on, boosting from 4,000 on."),
    ] = Learner.AUTO,
    precision: Annotated[
        float | None,
        typer.Option(min=0.01, max=1, help="List as many entries as are right so often, e.g. 0.9."),
    ] = None,
    keep_marks: KeepMarks = False,
    max_vocabulary: MaxVocabulary = 200_000,
    source_language: SpellSource = "und",
    target_language: SpellTarget = "und",
    format: VectorsFormat = None,
    keep_case: KeepCase = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Rank translations by vectors, frequency, spelling and affixes, with probabilities."""
    from jointalign.lexicon import Lexicon, few_pairs
    from jointalign.numerics.processors import limited_to
    from jointalign.ranking.api import Ranker
    from jointalign.ranking.kept import KeptRanking
    from jointalign.ranking.storage import write_ranker
    from jointalign.ranking.table import contradictions, entries, write_contradictions, write_entries
    from jointalign.storage.files import check_folder, spare_inputs

    given = [lexicon, test, source_vectors, target_vectors, embedding]
    spare_inputs(filter(None, given), [out / name for name in OUTPUTS])
    begun = monotonic()
    with progress("rank") as bar, limited_to(threads):
        space = read_space(
            *(embedding, source_vectors, target_vectors, max_vocabulary, (source, target)),
            codes=(source_language, target_language),
            format=format,
        )
        languages = space.source_language, space.target_language
        training = None if lexicon is None else Lexicon.read(lexicon, not keep_case, *languages)
        if training is None:
            warnings = ["no dictionary: probabilities are those of other pairs of languages, untested here"]
        else:
            say(f"{lexicon}: {training.report}")
            warnings = few_pairs(len(training.known(space.source.vocabulary, space.target.vocabulary)))
        spelt = {} if training is None else spellings(space, training)
        tested = None if test is None else Lexicon.read(test, not keep_case, *languages)
        for warning in warnings:
            logger.warning("%s", warning)
        check_folder(out)
        ranker = Ranker(learner=learner, max_vocabulary=max_vocabulary)
        fitted = ranker.fit([space], training, seed=seed, progress=bar)
        ranking = KeptRanking.of(fitted, space)
        least = ranking.least(precision)
        if least > 1:
            say(f"no probability is right {precision:g} of the time: only the given pairs are listed")
        found = entries(ranking, least, keep_marks=keep_marks)
        against = contradictions(found)
        write_entries(found, ranking, out / OUTPUTS[0])
        write_ranker(fitted, out / OUTPUTS[1])
        write_contradictions(against, out / OUTPUTS[2])
        ranking.write(out / OUTPUTS[3])
        scores = {} if tested is None else _scores(space, fitted, tested, training, max_vocabulary, seed)
    held_out = fitted.held_out
    facts = {
        **held_out.to_json(),
        "entries": len(found),
        "contradictions": len(against),
        "threshold": least,
        "seconds": round(monotonic() - begun, 1),
    }
    if json:
        show_json({**scores, "ranking": facts, "out": str(out), "spellings": spelt, "warnings": warnings})
        return
    for name, rules in scores.items():
        p_at_1 = rules["muse"]["p_at_1"]
        show(f"{name}: " + ("no word to count" if p_at_1 is None else f"P@1 {p_at_1:.1f} (rule muse)"))
    if held_out.own:
        show(
            f"{held_out.words} training words, each ranked without having been seen: P@1 "
            f"{held_out.p_at_1:.1f}, by CSLS {held_out.p_at_1_unranked:.1f}, calibration error "
            f"{held_out.calibration_error:.3f}"
        )
    show(f"{len(found)} entries, {len(against)} given words that something else translates better")
    show(f"{out}: {', '.join(OUTPUTS)}")
    for warning in warnings:
        show(f"warning: {warning}")


def _scores(
    space: Any, fitted: Any, tested: Any, training: Any, max_vocabulary: int, seed: int
) -> dict[str, Any]:
    """Scores of CSLS and of ranking, under every rule, identical pairs kept and removed."""
    from jointalign.bli.api import evaluate_rules
    from jointalign.bli.base import Conditions

    conditions = Conditions(max_vocabulary=max_vocabulary, seed=seed)
    plain = evaluate_rules(space, tested, conditions, training=training)
    ranked = fitted.evaluate(tested, conditions)
    found: dict[str, Any] = {}
    for name, results in (("bli", plain), ("bli_ranked", ranked)):
        for (oov, identical), result in results.items():
            suffix = "_identical_removed" if identical == "removed" else ""
            found.setdefault(name + suffix, {})[str(oov)] = result.to_json()
    return found
