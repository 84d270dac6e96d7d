"""Figure 2 of the paper: what its settings are made of."""

from __future__ import annotations

from jointalign.errors import JointalignError
from jointalign.study._figure2 import FigureResult, FigureSettings, figure_two, piece_trainer
from jointalign.study._initialisations import Start, VectorSettings

__all__ = [
    "FigureResult", "FigureSettings", "Start", "VectorSettings", "figure_two", "piece_trainer",
    "starts_named",
]  # fmt: skip


def starts_named(names: str) -> tuple[Start, ...]:
    """What models begin with, from names with commas between.

    Raises:
        JointalignError: If there is no such beginning.

    Example:
        >>> starts_named("align,joint")
        (<Start.ALIGN: 'align'>, <Start.JOINT: 'joint'>)
    """
    found = []
    for name in names.split(","):
        if name.strip() not in list(Start):
            raise JointalignError(
                f"there is no row '{name.strip()}'; choose from {', '.join(Start)}"
            )
        found.append(Start(name.strip()))
    return tuple(dict.fromkeys(found))
