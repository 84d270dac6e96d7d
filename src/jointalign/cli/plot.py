"""`jointalign plot`: Figure 1 of the paper from the files of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress
from jointalign.cli._options import Json, OutFile


def command(
    run: Annotated[Path, typer.Option("--run", help="Folder of `jointalign run`.")],
    out: OutFile = Path("figure1.png"),
    lexicon: Annotated[
        Path | None, typer.Option(help="Take pairs from this dictionary; default: the run's own.")
    ] = None,
    pair: Annotated[
        list[str] | None, typer.Option(help="Draw this pair, e.g. 'the:el'; may be repeated.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many pairs to choose.")] = 16,
    json: Json = False,
) -> None:
    """Draw both languages before reallocation, after it, and after alignment."""
    from jointalign.pipeline import finished
    from jointalign.plots import default_pairs, figure_one

    with progress("plot"):
        done = finished(run, lexicon)
        pairs = [_pair(text) for text in pair or ()]
        pairs += default_pairs(done.joint, done.reallocated, done.lexicon, count) if not pair else ()
        figure_one(done.joint, done.reallocated, done.aligned, pairs, out)
    answer(
        json,
        {"out": str(out), "pairs": pairs},
        f"{out}: {', '.join(f'{source} - {target}' for source, target in pairs)}",
    )


def _pair(text: str) -> tuple[str, str]:
    source, mark, target = text.partition(":")
    if not (mark and source and target):
        raise typer.BadParameter(f"expected 'source:target', got '{text}'")
    return source, target
