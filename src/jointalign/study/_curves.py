"""Validation BLEU by epoch, one panel a direction; matplotlib is used here alone for Figure 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jointalign.errors import MissingExtraError
from jointalign.storage.files import atomic

# Colours that colour-blind people can tell apart (Okabe and Ito 2008), and marks for print.
_LOOKS = {
    "align": ("#0072B2", "o"),
    "joint": ("#D55E00", "s"),
    "joint-align": ("#009E73", "^"),
    "supervised-joint": ("#CC79A7", "D"),
    "random": ("#999999", "x"),
    "supervised": ("#000000", "v"),
}


def draw_curves(facts: dict[str, Any], path: Path) -> None:
    """Draw a curve for each kind of vectors.

    Args:
        facts: As `figure_two` collects them.
        path: PNG file to write; the same facts give the same bytes.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error
    source, target = facts["pair"].split("-")
    lines: tuple[list[Any], list[Any]] = [], []
    ways = f"{source}-{target}", f"{target}-{source}"
    figure = Figure(figsize=(9, 4.3), layout="constrained")
    FigureCanvasAgg(figure)
    for number, way in enumerate(ways):
        axes = figure.add_subplot(1, 2, number + 1)
        for name, curve in facts["curves"].items():
            color, mark = _LOOKS[name]
            scores = [entry["validation"][way]["bleu"] for entry in curve["epochs"]]
            epochs = [entry["epoch"] for entry in curve["epochs"]]
            axes.plot(epochs, scores, color=color, marker=mark, markersize=4, label=curve["title"])
        axes.set_title(f"({'ab'[number]}) {way}")
        axes.set_xlabel("epoch")
        axes.set_ylabel("validation BLEU")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if not number:
            lines = axes.get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower center", ncols=4, frameon=False)
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=150, metadata={"Software": None})
