"""`jointalign study figure2`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import Json, OutFolder, Seed, Threads
from jointalign.cli._translation import Device, MaxMinutes


def figure2(
    out: OutFolder,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="JOINTALIGN_DATA",
            help="Folder with translation/NAME.en-de/train.en, val.en, test.en and the same in the "
            "other language, compressed or not; mono/ and lexicons/ as for the tables.",
        ),
    ] = None,
    pairs: Annotated[str, typer.Option(help="Pairs of languages, with commas.")] = "en-de",
    rows: Annotated[
        str | None,
        typer.Option(
            help="What models begin with: align, joint, joint-align, supervised-joint, random; "
            "and supervised, which learns from translations. Default: the first three, and random "
            "with --quick."
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How many (20: the paper).")] = 20,
    epoch_sentences: Annotated[
        int, typer.Option(min=1, help="Sentences an epoch (500,000: Lample et al. 2018b).")
    ] = 29_000,
    dimensions: Annotated[int, typer.Option(min=8, help="Of the model (512: the paper).")] = 192,
    heads: Annotated[int, typer.Option(min=1, help="Attention heads (8: the paper).")] = 4,
    layers: Annotated[int, typer.Option(min=1, help="Each side (4: the paper).")] = 2,
    shared: Annotated[int, typer.Option(min=0, help="Of them shared (3: the paper).")] = 1,
    batch_sentences: Annotated[int, typer.Option(min=1, help="A step (32: the paper).")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Of Adam (1e-4: the paper).")] = 1e-3,
    denoising: Annotated[
        str, typer.Option(help="Weight by iteration (0:1,100000:0.1,300000:0: the paper).")
    ] = "0:1,1500:0.1",
    pieces: Annotated[int, typer.Option(min=300, help="Of words (60,000: the paper).")] = 5000,
    tokens: Annotated[
        int, typer.Option(min=0, help="Of the large texts, for the vectors; 0: captions alone.")
    ] = 2_000_000,
    corpus: Annotated[str | None, typer.Option(help="NAME of the large texts.")] = None,
    method: Annotated[str, typer.Option(help="Of alignment.")] = "procrustes",
    validation: Annotated[int, typer.Option(min=1, help="Sentences to measure epochs by.")] = 300,
    keep_case: Annotated[bool, typer.Option("--keep-case", help="Do not lower-case.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="The toy cipher; of the settings above only --rows counts.")
    ] = False,
    max_minutes: MaxMinutes = None,
    device: Device = "auto",
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """BLEU of unsupervised translation by epoch, begun with different vectors.

    The models take turns, an epoch each; stopped, they go on when started again.
    """
    from jointalign.study import FigureSettings, Pair, figure_two
    from jointalign.translation.base import Shape, TranslationFitSettings, WeightSchedule
    from jointalign.translation.vectors import VectorSettings, piece_trainer, starts_named

    starts = None if rows is None else starts_named(rows)
    if quick:
        settings = [FigureSettings.toy(out / "data", seed, starts)]
    else:
        if data is None:
            raise typer.BadParameter("--data names the folder with the texts; or take --quick")
        shape = Shape(dimensions, 4 * dimensions, heads, layers, layers, shared, shared)
        fit = TranslationFitSettings.small(
            epoch_sentences,
            denoising=WeightSchedule.parse(denoising),
            learning_rate=learning_rate,
            batch_sentences=batch_sentences,
        )
        vectors = VectorSettings(
            piece_trainer(dimensions), method, pieces=pieces, tokens=tokens, lowercase=not keep_case
        )
        settings = [
            FigureSettings(
                data,
                Pair.parse(pair),
                starts or FigureSettings.starts,
                shape,
                fit,
                vectors,
                epochs,
                validation,
                corpus,
                seed,
            )
            for pair in pairs.split(",")
        ]
    results = []
    with progress("figure2") as bar:

        def announce(stage: str) -> None:
            say(stage)
            bar.title(stage)

        for one in settings:
            results.append(
                figure_two(
                    one,
                    out / str(one.pair),
                    device=device,
                    threads=threads,
                    max_minutes=max_minutes,
                    progress=bar,
                    announce=announce,
                )
            )
    if json:
        show_json({str(r.facts["pair"]): r.facts for r in results})
    else:
        for result in results:
            show(result.markdown)
            show("\n" + "\n".join(str(path) for path in result.files))
