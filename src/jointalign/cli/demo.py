"""`jointalign demo`: why the framework works, in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress
from jointalign.cli._options import Json, Seed, Threads, writable


def command(
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", callback=writable)] = Path(
        "runs/demo"
    ),
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Two made-up languages with a known dictionary through every row of the table."""
    from jointalign.pipeline.demo import demo, explain

    with progress("demo") as bar:
        result = demo(out, seed=seed, threads=threads, progress=bar)
    answer(json, result.to_json(), "\n".join([result.table(), explain(result)]))
