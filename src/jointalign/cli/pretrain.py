"""`jointalign pretrain`: text of several languages in, one small multilingual BERT out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._languages import languages
from jointalign.cli._options import Device, Fresh, Json, OutFolder, Seed, Threads
from jointalign.cli._settings import Options, plain, with_settings
from jointalign.contextual import PretrainingSettings


@with_settings(course=Options(PretrainingSettings()))
def command(
    input: Annotated[
        list[Path], typer.Option(help="Text, one sentence or paragraph a line; once for each language.")
    ],
    out: OutFolder,
    course: PretrainingSettings,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Code for each --input, in order; default: as named in the file name."),
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after so long; the same command then goes on.")
    ] = None,
    checkpoint_seconds: Annotated[float, typer.Option(min=1, help="Between two checkpoints.")] = 60.0,
    device: Device = "cpu",
    threads: Threads = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Train a masked language model on all texts together: a multilingual BERT of your own.

    One WordPiece vocabulary, no parallel text. Stopped, it goes on from its last checkpoint when
    started again. The folder can be given to any command as --encoder.
    """
    from jointalign.contextual import pretrain
    from jointalign.numerics.processors import limited_to

    codes = languages(input, language)
    with progress("pretrain") as bar, limited_to(threads):
        result = pretrain(
            input,
            codes,
            out,
            course,
            device=device,
            seed=seed,
            max_minutes=max_minutes,
            checkpoint_seconds=checkpoint_seconds,
            threads=threads,
            fresh=fresh,
            progress=bar,
        )
    if result.skipped:
        say(f"{result.skipped} lines without a piece were left out")
    if not result.finished:
        say(f"stopped after {result.steps} of {course.steps} steps; the same command goes on")
    if json:
        show_json({**asdict(result), "languages": codes, "settings": plain(course), "out": str(out)})
        return
    lines = [
        f"{out}: {result.weights:,} weights, {result.steps} steps, {result.pieces_per_second:,.0f} pieces/s"
    ]
    for code, scores in result.held_out.items():
        lines.append(
            f"{code}: {100 * scores['accuracy']:.1f} % of masked pieces guessed, loss "
            f"{scores['loss']:.2f} (by frequency alone {scores['frequency_loss']:.2f})"
        )
    show("\n".join(lines))
