"""`jointalign run`: the whole job in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._languages import languages
from jointalign.cli._options import (
    Gamma,
    Json,
    KeepCase,
    LearningRate,
    MaxVocabulary,
    OutFolder,
    Regularization,
    Seed,
    Steps,
    Threads,
    Tokenized,
)
from jointalign.cli._training import (
    BalanceOption,
    CheckpointSeconds,
    Dimensions,
    Epochs,
    MaximumNgram,
    MinimumCount,
    MinimumNgram,
    Negatives,
    NoiseOption,
    SharedNoise,
    Subsampling,
    TrainingRate,
    Window,
)
from jointalign.training.base import Balance, Noise


def command(
    source: Annotated[Path, typer.Option(help="Text of the source language.")],
    target: Annotated[Path, typer.Option(help="Text of the target language.")],
    out: OutFolder,
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
            "dictionary allows, joint and separate training, on held-out training pairs."
        ),
    ] = "auto",
    gamma: Gamma = None,
    alignment_rate: LearningRate = None,
    steps: Steps = None,
    regularization: Regularization = None,
    dimensions: Dimensions = 300,
    epochs: Epochs = 5,
    window: Window = 5,
    minimum_count: MinimumCount = 5,
    negatives: Negatives = 5,
    minimum_ngram: MinimumNgram = 3,
    maximum_ngram: MaximumNgram = 6,
    subsampling: Subsampling = 1e-4,
    learning_rate: TrainingRate = 0.05,
    balance: BalanceOption = Balance.TOKENS,
    noise: NoiseOption = Noise.LANGUAGE,
    shared_noise: SharedNoise = 8,
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    checkpoint_seconds: CheckpointSeconds = 60.0,
    max_vocabulary: MaxVocabulary = 200_000,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Two texts and a dictionary in; one space, a scored dictionary and honest scores out.

    Stopped at any moment, it goes on when started again with the same folder.
    """
    from jointalign.pipeline import RunSettings, run
    from jointalign.selection.wishes import Wishes
    from jointalign.training.skipgram import SkipGram

    asked = {"learning_rate": alignment_rate, "steps": steps, "regularization": regularization}
    given = {name: value for name, value in asked.items() if value is not None}
    source_code = source_language or languages([source], None)[0]
    target_code = target_language or languages([target], None)[0]
    settings = RunSettings(
        source=source,
        target=target,
        lexicon=lexicon,
        test=test,
        source_language=source_code,
        target_language=target_code,
        wishes=Wishes(method, gamma, given),
        trainer=SkipGram(
            dimensions,
            window,
            epochs,
            minimum_count,
            negatives,
            minimum_ngram,
            maximum_ngram,
            subsampling=subsampling,
            learning_rate=learning_rate,
            balance=balance,
            noise=noise,
            shared_noise=shared_noise,
        ),
        tokenized=tokenized,
        lowercase=not keep_case,
        max_vocabulary=max_vocabulary,
        seed=seed,
    )
    with progress("run") as bar:

        def announce(stage: str, done: bool) -> None:
            say(f"{stage}: done before" if done else stage)
            bar.title(stage)

        result = run(
            settings,
            out,
            threads=threads,
            checkpoint_seconds=checkpoint_seconds,
            progress=bar,
            announce=announce,
        )
    if json:
        show_json(result.to_json())
    else:
        show(result.table())
