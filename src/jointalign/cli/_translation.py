"""Options of the commands that train or use translation models."""

from __future__ import annotations

from typing import Annotated

import typer

Device = Annotated[str, typer.Option(help="cpu, cuda, or auto for a GPU where there is one.")]
MaxMinutes = Annotated[
    float | None,
    typer.Option(min=0.01, help="Save the state and stop after this time; start again to go on."),
]
Beam = Annotated[int, typer.Option(min=1, help="Hypotheses a sentence; 1 is greedy (the paper).")]
