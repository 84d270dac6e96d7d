"""`jointalign evaluate`: scores of any two sets of vectors in one space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.bli import BLIResult, Identical, OutOfVocabulary
from jointalign.bli.base import low_coverage
from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import (
    Group,
    Json,
    KeepCase,
    Seed,
    SpellSource,
    SpellTarget,
    TestLexicon,
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
from jointalign.retrieval.api import Retrieval, Score

HARDLY_ANY = 10.0

application = typer.Typer(cls=Group, help="Scores with their conditions.", no_args_is_help=True)


@application.callback()
def _evaluate() -> None:
    """Scores with their conditions."""


@application.command("bli")
def bli(
    lexicon: TestLexicon,
    source_vectors: Source = None,
    target_vectors: Target = None,
    embedding: Space = None,
    source: SourceCode = None,
    target: TargetCode = None,
    retrieval: Annotated[
        Retrieval, typer.Option(help="csls, nn (nearest neighbour), isf (inverted softmax).")
    ] = Retrieval.CSLS,
    oov: Annotated[
        OutOfVocabulary,
        typer.Option(help="What becomes of words without a vector: muse, paper, released, strict."),
    ] = OutOfVocabulary.MUSE,
    identical: Annotated[
        Identical, typer.Option(help="Pairs of two equal strings: kept or removed.")
    ] = Identical.KEPT,
    neighbourhood: Annotated[int, typer.Option(min=1, help="k of CSLS.")] = 10,
    max_vocabulary: Annotated[
        int | None, typer.Option(min=1, help="Most frequent words of each side; default: all.")
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Translate from target to source.")] = False,
    training: Annotated[
        Path | None, typer.Option(help="Training dictionary, to count pairs that are in both.")
    ] = None,
    source_language: SpellSource = "und",
    target_language: SpellTarget = "und",
    format: VectorsFormat = None,
    keep_case: KeepCase = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Bilingual lexicon induction: how many test words are translated correctly."""
    from jointalign.bli import Conditions, evaluate
    from jointalign.lexicon import Lexicon
    from jointalign.numerics.processors import limited_to
    from jointalign.ranking.kept import kept_ranking
    from jointalign.retrieval.hubs import kept

    with progress("evaluate"), limited_to(threads):
        space = read_space(
            *(embedding, source_vectors, target_vectors, max_vocabulary, (source, target)),
            codes=(source_language, target_language),
            format=format,
        )
        languages = space.source_language, space.target_language
        test = Lexicon.read(lexicon, not keep_case, *languages)
        say(f"{lexicon}: {test.report}")
        spelt = spellings(space, test)
        known = None if training is None else Lexicon.read(training, not keep_case, *languages)
        space = space.reversed() if reverse else space
        hubs = None if embedding is None else kept(embedding, space, max_vocabulary, neighbourhood)
        test = test.reversed() if reverse else test
        conditions = Conditions(Score(retrieval, neighbourhood), oov, identical, max_vocabulary, seed=seed)
        known = known.reversed() if known and reverse else known
        result = evaluate(space, test, conditions, hubs=hubs, training=known)
        ranking = None
        if embedding is not None and max_vocabulary is None:
            ranking = kept_ranking(embedding, space)
        ranked = ranking and ranking.evaluate(test, conditions, training=known)[oov, identical]
    weak = low_coverage(result.coverage, oov)
    if result.coverage < HARDLY_ANY:
        say(
            f"only {result.coverage:.1f} % of the test words are known: is the dictionary in the "
            "order source, target, and in the right case? (--reverse turns the direction)"
        )
    if json:
        facts = {"spellings": spelt, "warnings": [weak] * bool(weak)}
        show_json(result.to_json() | facts | {"ranked": ranked and ranked.to_json()})
        return
    _show(result, weak)
    if ranked is not None:
        show("+ ranking")
        _show(ranked)


def _show(result: BLIResult, weak: str = "") -> None:
    show(str(result))
    if weak:
        show(f"  {weak}")
    if result.overlap:
        show(f"  {result.overlap} of the test pairs are in the training dictionary, too")
    for band in result.bands:
        if band.n:
            show(f"  rank {band.name:>12}: P@1 {band.p_at_1:5.1f}  n {band.n}")
