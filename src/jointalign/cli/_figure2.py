"""`jointalign study figure2`."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, say, typed
from jointalign.cli._options import Fresh, Json, OutFolder, Seed, Threads
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.cli._translation import Device, MaxMinutes
from jointalign.study import StudyResult
from jointalign.translation.base import Shape, TranslationFitSettings
from jointalign.translation.vectors import VectorSettings, piece_trainer


class Form(StrEnum):
    """How a table is printed; it is written in all of them."""

    MARKDOWN = "markdown"
    LATEX = "latex"
    CSV = "csv"


PrintFormat = Annotated[Form, typer.Option("--format", help="What is printed; all are written to --out.")]


@with_settings(
    shape=Options(Shape.small(), {"--quick": Shape.tiny()}),
    fit=Options(TranslationFitSettings.small(), {"--quick": TranslationFitSettings.tiny()}),
    vectors=Options(
        VectorSettings(piece_trainer(1)),
        {"--quick": VectorSettings(piece_trainer(1), pieces=1200)},
        leave=("trainer", "lowercase"),
        title="Of the vectors: ",
    ),
)
def figure2(
    context: typer.Context,
    out: OutFolder,
    shape: Changes[Shape],
    fit: Changes[TranslationFitSettings],
    vectors: Changes[VectorSettings],
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
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How many; default: 20 (the paper), with --quick 5.")
    ] = None,
    layers: Annotated[
        int | None, typer.Option(min=1, help="For --encoder-layers and --decoder-layers.")
    ] = None,
    shared: Annotated[
        int | None, typer.Option(min=0, help="For --shared-encoder-layers and --shared-decoder-layers.")
    ] = None,
    corpus: Annotated[str | None, typer.Option(help="NAME of the large texts.")] = None,
    validation: Annotated[
        int | None,
        typer.Option(min=1, help="Sentences to measure epochs by; default: 300, with --quick 100."),
    ] = None,
    keep_case: Annotated[bool, typer.Option("--keep-case", help="Do not lower-case.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="The toy cipher, with small settings.")] = False,
    max_minutes: MaxMinutes = None,
    device: Device = "auto",
    threads: Threads = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    format: PrintFormat = Form.MARKDOWN,
    json: Json = False,
) -> None:
    """BLEU of unsupervised translation by epoch, begun with different vectors.

    The models take turns, an epoch each; stopped, they go on when started again.
    """
    from jointalign.study import FigureSettings, Pair, figure_two
    from jointalign.translation.vectors import starts_named

    starts = None if rows is None else starts_named(rows)
    if quick:
        bases = [FigureSettings.toy(out / "data", seed, starts)]
    elif data is None:
        raise typer.BadParameter("--data names the folder with the texts; or take --quick")
    else:
        codes = [Pair.parse(pair) for pair in pairs.split(",")]
        bases = [FigureSettings(data, pair, corpus=corpus, seed=seed) for pair in codes]
    settings = []
    for base in bases:
        model = _proportioned(shape, base.shape, layers, shared)
        trainer = replace(base.vectors.trainer, dimensions=model.dimensions)
        made = replace(vectors.over(base.vectors), trainer=trainer, lowercase=not keep_case)
        settings.append(
            replace(
                base,
                starts=starts or base.starts,
                shape=model,
                fit=fit.over(base.fit),
                vectors=made,
                epochs=epochs or base.epochs,
                validation=validation or base.validation,
            )
        )
    results = []
    with progress("figure2") as bar:
        for one in settings:
            results.append(
                figure_two(
                    one,
                    out / str(one.pair),
                    device=device,
                    threads=threads,
                    max_minutes=max_minutes,
                    command=typed(context),
                    progress=bar,
                    announce=bar.stage,
                    fresh=fresh,
                )
            )
    used = {"shape": settings[0].shape, "fit": settings[0].fit, "vectors": settings[0].vectors}
    facts = {str(r.facts["pair"]): r.facts for r in results} | {"settings": plain(used)}
    answer(json, facts, "\n".join(with_files(result, format) for result in results))


def with_files(result: StudyResult, form: Form) -> str:
    """A table as it was asked for, and where it was written."""
    text = {Form.MARKDOWN: result.markdown, Form.LATEX: result.latex, Form.CSV: result.csv}[form]
    if form is Form.MARKDOWN:
        return "\n".join([text.rstrip("\n"), "", *map(str, result.files)])
    say("\n".join(map(str, result.files)))
    return text


def _proportioned(shape: Changes[Shape], base: Shape, layers: int | None, shared: int | None) -> Shape:
    """Both sides alike, and inner layers four times as wide, where nothing else was given."""
    return shape.under(
        feedforward=4 * shape.values.get("dimensions", base.dimensions),
        encoder_layers=layers,
        decoder_layers=layers,
        shared_encoder_layers=shared,
        shared_decoder_layers=shared,
    ).over(base)
