"""A table as dots with intervals, one panel a direction; all of the study's matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jointalign.errors import MissingExtraError
from jointalign.storage.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error
    rows = facts["rows"]
    directions = list(rows[0]["directions"])
    columns = min(len(directions), 3)
    lines = -(-len(directions) // columns)
    figure = Figure(figsize=(3.0 + 3.1 * columns, lines * (1.2 + 0.24 * len(rows))))
    FigureCanvasAgg(figure)
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
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=200, metadata={"Software": None})


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
