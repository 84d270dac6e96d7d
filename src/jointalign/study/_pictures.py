"""Tables as dots with intervals, Figure 2 as curves: all of the study's matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jointalign.errors import MissingExtraError
from jointalign.storage.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Colours that colour-blind people can tell apart (Okabe and Ito 2008).
_OURS, _PUBLISHED = "#0072B2", "#999999"


def draw(
    facts: dict[str, Any], path: Path, rule: str = "paper", score: str = "P@1", over: str = "words"
) -> None:
    """Draw all rows with their 95 % intervals, and the published numbers as hollow dots.

    Args:
        facts: A table, as `tabulate` makes it.
        path: PNG file to write; the same table gives the same bytes.
        rule: For words out of vocabulary.
        score: What is shown.
        over: What the intervals are over: test words, test sentences.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    rows = facts["rows"]
    directions = list(rows[0]["directions"])
    columns = min(len(directions), 3)
    lines = -(-len(directions) // columns)
    figure = _figure((3.0 + 3.1 * columns, lines * (1.2 + 0.24 * len(rows))))
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat
    for panel, direction in zip(panels, directions, strict=False):
        _panel(panel, rows, direction, rule, score, over)
    for panel in list(panels)[len(directions) :]:
        panel.set_visible(False)
    figure.suptitle(facts["title"], fontsize=11)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="lower center", ncols=2, frameon=False, fontsize=9
    )
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    _save(figure, path, 200)


def _figure(size: tuple[float, float], layout: Literal["constrained"] | None = None) -> Figure:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error
    figure = Figure(figsize=size, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path, dpi: int) -> None:
    """As PNG, without what would change from run to run."""
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})


def _panel(panel: Axes, rows: list[dict[str, Any]], direction: str, rule: str, score: str, over: str) -> None:
    places = range(len(rows))
    cells = [row["directions"][direction] for row in rows]
    means = [cell[rule]["p_at_1"] for cell in cells]
    below = [mean - cell[rule]["ci"][0] for mean, cell in zip(means, cells, strict=True)]
    above = [cell[rule]["ci"][1] - mean for mean, cell in zip(means, cells, strict=True)]
    panel.errorbar(
        means,
        places,
        xerr=[below, above],
        fmt="o",
        color=_OURS,
        markersize=4,
        linewidth=1,
        label=f"here, 95 % interval over test {over}",
    )
    known = [(cell["published"], place) for cell, place in zip(cells, places, strict=True)]
    known = [(value, place) for value, place in known if value is not None]
    panel.plot(
        [value for value, _ in known],
        [place for _, place in known],
        "o",
        color=_PUBLISHED,
        markerfacecolor="none",
        markersize=4,
        linestyle="none",
        label="published (Wikipedia vectors)",
    )
    panel.set_yticks(list(places), [row["title"] for row in rows], fontsize=8)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xlim(0, 100)
    panel.set_title(direction, fontsize=10)
    panel.grid(axis="x", linewidth=0.3)
    panel.set_xlabel(score, fontsize=9)


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
    source, target = facts["pair"].split("-")
    lines: tuple[list[Any], list[Any]] = [], []
    ways = f"{source}-{target}", f"{target}-{source}"
    figure = _figure((9, 4.3), layout="constrained")
    from matplotlib.ticker import MaxNLocator

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
    _save(figure, path, 150)
