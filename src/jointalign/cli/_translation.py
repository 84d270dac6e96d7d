"""Options of the commands that train or use translation models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._help import RUNNING

Device = Annotated[
    str, typer.Option(help="cpu, cuda, or auto for a GPU where there is one.", rich_help_panel=RUNNING)
]
MaxMinutes = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        help="Save the state and stop after this time; start again to go on.",
        rich_help_panel=RUNNING,
    ),
]
Beam = Annotated[int, typer.Option(min=1, help="Hypotheses a sentence; 1 is greedy (the paper).")]
Model = Annotated[Path, typer.Option(help="model.safetensors of `jointalign mt train`.")]
Direction = Annotated[str, typer.Option(help="Source and target language, such as en-de.")]


def lines_of(path: Path) -> tuple[str, ...]:
    """All lines of a text.

    Raises:
        JointalignError: If it cannot be read, or has no line.
    """
    from jointalign.errors import JointalignError
    from jointalign.storage.files import read_lines

    found = tuple(line for _, line in read_lines(path))
    if not found:
        raise JointalignError(f"{path}: expected sentences, one a line; got no word")
    return found
