"""Draws words as labelled dots, some of them linked, in panels side by side; all of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jointalign.errors import JointalignError, MissingExtraError
from jointalign.storage.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOURCE, TARGET, SHARED = "source", "target", "shared"

# Colours that colour-blind people can tell apart (Okabe and Ito 2008), and shapes for grey prints.
_STYLES = {SOURCE: ("#0072B2", "o"), TARGET: ("#D55E00", "^"), SHARED: ("#009E73", "s")}
# Metadata that would change from run to run.
_UNDATED = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None, "Producer": None},
}
# The first knows no Chinese, Japanese or Korean; of the others, those installed help out.
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Micro Hei", "SimHei")
_SIDES = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]


@dataclass(frozen=True)
class Dot:
    """A word in a panel.

    Args:
        word: The word.
        part: Which vectors it belongs to: `source`, `target` or `shared`.
    """

    word: str
    part: str


@dataclass(frozen=True, eq=False)
class Panel:
    """One part of a figure.

    Args:
        title: What stands above it.
        places: Where each word lies, `(2,)`.
        links: Words to draw a line between.
    """

    title: str
    places: Mapping[Dot, np.ndarray]
    links: Sequence[tuple[Dot, Dot]]


def check_suffix(path: Path) -> None:
    """Make sure that `path` names a kind of figure that can be drawn.

    Raises:
        JointalignError: If it does not.
    """
    if path.suffix.lower() not in _UNDATED:
        kinds = ", ".join(_UNDATED)
        raise JointalignError(f"{path}: expected the name of a figure to end in {kinds}; rename it")


def draw(panels: Sequence[Panel], names: Mapping[str, str], path: Path) -> None:
    """Draw panels with common axes and one legend.

    Args:
        panels: From left to right.
        names: What the legend says of each part.
        path: `.png` (300 dpi), `.svg` or `.pdf`; the same panels give the same bytes.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    check_suffix(path)
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot") from error

    figure = Figure(figsize=(5 * len(panels), 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    # Identifiers in an SVG are random without a salt of our own.
    with matplotlib.rc_context({"svg.hashsalt": "jointalign", "font.family": _installed_fonts()}):
        _compose(figure, panels, names)
        suffix = path.suffix.lower()
        with atomic(path) as file:
            figure.savefig(file, format=suffix[1:], dpi=300, metadata=_UNDATED[suffix])


def _installed_fonts() -> list[str]:
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return [font for font in _FONTS if font in installed]


def _compose(figure: Figure, panels: Sequence[Panel], names: Mapping[str, str]) -> None:
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    everywhere = np.stack([place for panel in panels for place in panel.places.values()])
    low, high = everywhere.min(axis=0), everywhere.max(axis=0)
    # The same scale in both directions, and room for words.
    reach = 0.58 * (high - low).max() or 1.0
    for axes, panel in zip(grid, panels, strict=True):
        axes.set_xlim(*((low + high)[0] / 2 + np.array([-reach, reach])))
        axes.set_ylim(*((low + high)[1] / 2 + np.array([-reach, reach])))
        _draw_panel(axes, panel)
    for part, (colour, marker) in _STYLES.items():
        grid[0].scatter([], [], c=colour, marker=marker, s=30, label=names[part])
    figure.legend(loc="outside lower center", ncols=len(_STYLES), frameon=False, fontsize=11)
    figure.canvas.draw()  # settles the layout: before, nobody knows what overlaps
    for axes, panel in zip(grid, panels, strict=True):
        _label(figure, axes, panel)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=12)
    axes.set_box_aspect(1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("0.75")
    for one, other in panel.links:
        ends = np.stack([panel.places[one], panel.places[other]])
        axes.plot(*ends.T, color="0.72", linewidth=0.8, zorder=1)
    for dot, place in panel.places.items():
        colour, marker = _STYLES[dot.part]
        axes.scatter(*place, c=colour, marker=marker, s=26, linewidths=0, zorder=2)


def _label(figure: Figure, axes: Axes, panel: Panel) -> None:
    """Write each word beside its dot, where it covers least of the dots and of earlier words."""
    from matplotlib.patheffects import withStroke

    renderer: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    halo = [withStroke(linewidth=2, foreground="white")]
    point = figure.dpi / 72  # in pixels
    dots = axes.transData.transform(np.stack(list(panel.places.values())))  # (n, 2), in pixels
    taken = [np.concatenate([dot - 3 * point, dot + 3 * point]) for dot in dots]
    frame = np.asarray(axes.get_window_extent(renderer).extents)
    for (dot, place), centre in zip(panel.places.items(), dots, strict=True):
        text = axes.annotate(
            dot.word,
            (place[0], place[1]),
            (0, 0),
            textcoords="offset points",
            fontsize=9,
            color=_STYLES[dot.part][0],
            ha="center",
            va="center",
            zorder=3,
            path_effects=halo,
            parse_math=False,  # a word may be a dollar sign
        )
        box = text.get_window_extent(renderer)
        half = np.array([box.width, box.height]) / 2
        offsets = _around(half, 4 * point)
        covered = [_covered(centre + offset, half, taken, frame) for offset in offsets]
        best = offsets[int(np.argmin(covered))]
        text.set_position(tuple(best / point))
        taken.append(np.concatenate([centre + best - half, centre + best + half]))


def _around(half: np.ndarray, gap: float) -> list[np.ndarray]:
    """Places for the middle of a word relative to its dot, nearest first."""
    return [np.array(side) * (half + gap * far) for far in (1.0, 2.5) for side in _SIDES]


def _covered(middle: np.ndarray, half: np.ndarray, taken: Sequence[np.ndarray], frame: np.ndarray) -> float:
    """Area that a word would cover; what sticks out of the frame counts as covered."""
    low, high = middle - half, middle + half
    boxes = np.stack(taken)
    overlaps = np.minimum(high, boxes[:, 2:]) - np.maximum(low, boxes[:, :2])  # (boxes, 2)
    inside = np.minimum(high, frame[2:]) - np.maximum(low, frame[:2])
    outside = 4 * half.prod() - np.maximum(inside, 0).prod()
    return float(np.maximum(overlaps, 0).prod(axis=1).sum() + outside)
