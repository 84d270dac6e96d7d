"""`jointalign run`: the whole job in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.rcsls import RCSLS
from jointalign.cli._console import answer, progress, typed
from jointalign.cli._languages import languages
from jointalign.cli._options import (
    CheckpointSeconds,
    Fresh,
    Gamma,
    Json,
    KeepCase,
    KeepMarks,
    MaxVocabulary,
    OutFolder,
    Seed,
    Threads,
    Tokenized,
)
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.training.skipgram import SkipGram

TRIED = ("learning_rate", "steps", "regularization")


@with_settings(
    alignment=Options(
        RCSLS(),
        within=(GeoMM(),),
        names={"learning_rate": "alignment_rate"},
        only=TRIED,
        open=TRIED,
        title="Of the alignment: ",
    ),
    trainer=Options(SkipGram()),
)
def command(
    context: typer.Context,
    source: Annotated[Path, typer.Option(help="Text of the source language.")],
    target: Annotated[Path, typer.Option(help="Text of the target language.")],
    out: OutFolder,
    alignment: Changes,
    trainer: SkipGram,
    lexicon: Annotated[
        Path | None, typer.Option(help="Training dictionary, 'source target' a line; none: without one.")
    ] = None,
    source_language: Annotated[
        str | None, typer.Option(help="Code, e.g. en; default: as named in the file name.")
    ] = None,
    target_language: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    test: Annotated[
        Path | None, typer.Option(help="Test dictionary; without it there are no scores.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="Alignment method (see `jointalign align --help`); auto tries those that the "
            "dictionary allows, joint and separate training and both together, on held-out training pairs."
        ),
    ] = "auto",
    gamma: Gamma = None,
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    checkpoint_seconds: CheckpointSeconds = 60.0,
    fresh: Fresh = False,
    max_vocabulary: MaxVocabulary = 200_000,
    rank: Annotated[
        bool, typer.Option(help="Rank the dictionary by more than CSLS, learnt from the pairs given.")
    ] = True,
    precision: Annotated[
        float | None,
        typer.Option(min=0.01, max=1, help="List as many ranked entries as are right so often, e.g. 0.9."),
    ] = None,
    keep_marks: KeepMarks = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Two texts and a dictionary in; one space, a scored dictionary and honest scores out.

    Stopped at any moment, it goes on when started again with the same folder and settings.
    """
    from jointalign.pipeline import RunSettings, run
    from jointalign.selection.wishes import Wishes

    with alignment.named():
        wishes = Wishes(method, gamma, alignment.values)
    source_code = source_language or languages([source], None, "--source-language")[0]
    target_code = target_language or languages([target], None, "--target-language")[0]
    settings = RunSettings(
        source=source,
        target=target,
        lexicon=lexicon,
        test=test,
        source_language=source_code,
        target_language=target_code,
        wishes=wishes,
        trainer=trainer,
        tokenized=tokenized,
        lowercase=not keep_case,
        max_vocabulary=max_vocabulary,
        rank=rank,
        precision=precision,
        keep_marks=keep_marks,
        seed=seed,
    )
    with progress("run") as bar:
        bar.plan(settings.expected_seconds(), are_seconds=True)
        result = run(
            settings,
            out,
            threads=threads,
            checkpoint_seconds=checkpoint_seconds,
            fresh=fresh,
            command=typed(context),
            progress=bar,
            announce=bar.stage,
        )
    used = plain({"alignment": alignment.values, "trainer": trainer})
    answer(json, result.to_json() | {"settings": used}, result.table(), result.warnings)
