"""Figure 1 of the paper: what reallocation and alignment do to a joint space."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError

if TYPE_CHECKING:
    pass

WordPairs = Sequence[tuple[str, str]]
Places = Mapping["Point", np.ndarray]
"""Where each word lies in one panel, `(2,)`."""

TITLES = (
    "(a) Joint training, before reallocation",
    "(b) After vocabulary reallocation",
    "(c) After alignment refinement",
)
SOURCE, TARGET, SHARED = "source", "target", "shared"
# Colours that colour-blind people can tell apart (Okabe and Ito 2008), and a shape for printing.
_STYLES = {SOURCE: ("#0072B2", "o"), TARGET: ("#D55E00", "^"), SHARED: ("#009E73", "s")}
_SUFFIXES = (".png", ".svg", ".pdf")
# Only those installed are asked for; the first has no Chinese, Japanese or Korean.
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Micro Hei", "SimHei")
_OVERSHARED = 0.9  # share of its use in one language, from which a word is not really shared
_FREQUENT = 1000  # default words come from so many first rows


@dataclass(frozen=True)
class Point:
    """A word in one panel.

    Args:
        word: The word.
        part: Where its vector is: `source`, `target` or `shared`.
    """

    word: str
    part: str


def figure_one(
    joint: BilingualEmbedding,
    reallocated: BilingualEmbedding,
    aligned: BilingualEmbedding,
    words: WordPairs,
    path: str | Path,
) -> Path:
    """Draw translation pairs in three stages of the framework, projected by PCA.

    All panels have the same two axes, so that a word that does not move stays where it is.

    Args:
        joint: After joint training: `reallocate(..., gamma=1)`.
        reallocated: After reallocation with a lower gamma.
        aligned: After alignment.
        words: (source word, target word) pairs to show; see `default_words`.
        path: File to write: `.png` (300 dpi), `.svg` or `.pdf`.

    Returns:
        The path.

    Raises:
        JointalignError: If the suffix is none of these, there are fewer than two words, or a word
            is in none of the parts.
        MissingExtraError: If matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise JointalignError(f"{path}: expected a figure in {', '.join(_SUFFIXES)}; rename it")
    stages = (joint, reallocated, aligned)
    links = [[_link(stage, *pair) for pair in words] for stage in stages]
    points = [list(dict.fromkeys(point for link in stage for point in link)) for stage in links]
    vectors = [_vectors(stage, of) for stage, of in zip(stages, points, strict=True)]
    mean, axes = principal_axes(np.concatenate(vectors))
    places = [
        dict(zip(of, (rows - mean) @ axes, strict=True))
        for of, rows in zip(points, vectors, strict=True)
    ]
    names = {SOURCE: joint.source_language, TARGET: joint.target_language, SHARED: "shared"}
    _save(_figure(places, links, names), path)
    return path


def principal_axes(vectors: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The directions in which vectors differ most.

    Args:
        vectors: `(n, d)`, at least two rows.
        count: Number of axes.

    Returns:
        The mean, `(d,)`, and the axes, `(d, count)`, of length one, by falling variance. Of the
        two signs each axis can have, the one that makes its largest entry positive.

    Raises:
        JointalignError: If there are fewer than two vectors, or than `count` dimensions.

    Example:
        >>> mean, axes = principal_axes(np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]]), count=1)
        >>> mean, axes.ravel().round(3)
        (array([2., 2.]), array([0.707, 0.707]))
    """
    if len(vectors) < 2 or vectors.shape[1] < count:
        raise JointalignError(
            f"PCA needs two vectors or more of {count} dimensions or more, got {vectors.shape}"
        )
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    _, axes = np.linalg.eigh(centred.T @ centred)  # variances rise
    axes = axes[:, ::-1][:, :count]
    largest = np.abs(axes).argmax(axis=0)
    return mean, axes * np.sign(axes[largest, np.arange(count)])


def default_words(
    joint: BilingualEmbedding, lexicon: Iterable[tuple[str, str]], count: int = 12
) -> tuple[tuple[str, str], ...]:
    """Choose pairs that show the point: overshared words, ordinary ones, and true cognates.

    A third are the most frequent shared words that occur nearly always in one language only (such
    as "the"), one in six are shared words that mean the same in both languages, the rest comes
    evenly spread from the thousand most frequent words.

    Args:
        joint: After joint training: `reallocate(..., gamma=1)`.
        lexicon: Pairs to choose from; of several translations of a word the first known counts.
        count: How many.

    Raises:
        JointalignError: If no pair of the lexicon is in the vocabulary.
    """
    known = _known(joint, lexicon)
    if not known:
        raise JointalignError(
            "no pair of the lexicon has both words in the vocabulary; check that the lexicon goes "
            "from source to target, and is lower-cased if the text was"
        )
    share = _source_shares(joint)
    overshared = [pair for pair in known if share.get(pair[0], 0) >= _OVERSHARED]
    overshared = [pair for pair in overshared if pair[0] != pair[1]]
    cognates = [pair for pair in known if pair[0] == pair[1] and _is_even(share.get(pair[0], 0))]
    chosen = [*overshared[: count // 3], *_spread(cognates, count // 6)]
    rest = [pair for pair in known if pair not in chosen and pair[0] != pair[1]]
    chosen += _spread(rest, count - len(chosen))
    return tuple(pair for pair in known if pair in chosen)  # by falling frequency


def _known(joint: BilingualEmbedding, lexicon: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """One pair for each source word among the most frequent, by falling frequency."""
    source, target = joint.source.vocabulary, joint.target.vocabulary
    translation: dict[str, str] = {}
    for source_word, target_word in lexicon:
        row = source.row(source_word)
        if row is not None and row < _FREQUENT and target_word in target:
            translation.setdefault(source_word, target_word)
    return sorted(translation.items(), key=lambda pair: source.rows[pair[0]])


def _is_even(share: float) -> bool:
    return 1 - _OVERSHARED < share < _OVERSHARED


def _source_shares(joint: BilingualEmbedding) -> dict[str, float]:
    """Share of the source in the relative frequencies of each shared word."""
    in_source = joint.shared_source_counts / max(joint.source.vocabulary.counts.sum(), 1)
    in_target = joint.shared_target_counts / max(joint.target.vocabulary.counts.sum(), 1)
    with np.errstate(invalid="ignore"):
        shares = in_source / (in_source + in_target)
    return dict(zip(joint.shared.words, shares.tolist(), strict=True))


def _spread(pairs: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """So many pairs at even distances, all if there are fewer."""
    at = np.unique(np.linspace(0, len(pairs) - 1, max(count, 0)).round().astype(int))
    return [pairs[row] for row in at] if pairs else []


def _link(stage: BilingualEmbedding, source_word: str, target_word: str) -> tuple[Point, Point]:
    """The two ends of a pair; one and the same point where the words share a vector."""
    own = _find(stage, source_word, (SOURCE, SHARED, TARGET))
    other = _find(stage, target_word, (TARGET, SHARED, SOURCE))
    return own, other


def _find(stage: BilingualEmbedding, word: str, parts: tuple[str, ...]) -> Point:
    for part in parts:
        if word in _embedding(stage, part):
            return Point(word, part)
    raise JointalignError(f"'{word}' is not in the vocabulary; leave it out or choose another word")


def _embedding(stage: BilingualEmbedding, part: str) -> Embedding:
    return {SOURCE: stage.source_only, TARGET: stage.target_only, SHARED: stage.shared}[part]


def _vectors(stage: BilingualEmbedding, points: Iterable[Point]) -> np.ndarray:
    """Vectors of length one, `(p, d)`: alignment makes them so, and panels must compare."""
    vectors = np.stack([_embedding(stage, point.part).vector(point.word) for point in points])
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _figure(
    places: Sequence[Places],
    links: Sequence[Sequence[tuple[Point, Point]]],
    names: Mapping[str, str],
) -> Figure:
    """Three panels with common axes and one legend."""
    figure_module, canvas = _matplotlib()
    figure = figure_module.Figure(figsize=(15, 5.6), layout="constrained")
    canvas(figure)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    for panel, title, where, pairs in zip(panels, TITLES, places, links, strict=True):
        panel.set_title(title, fontsize=12)
        _draw_points(panel, where, pairs)
    panels[0].margins(0.12)
    for part, (colour, marker) in _STYLES.items():
        panels[0].scatter([], [], c=colour, marker=marker, s=30, label=names[part])
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=11)
    figure.canvas.draw()  # settles the layout, without which labels have no size
    for panel, where in zip(panels, places, strict=True):
        _label(panel, where)
    return figure


def _draw_points(panel: Axes, places: Places, pairs: Iterable[tuple[Point, Point]]) -> None:
    for source, target in pairs:
        ends = np.stack([places[source], places[target]])
        panel.plot(*ends.T, color="0.6", linewidth=0.8, zorder=1)
    for point, place in places.items():
        colour, marker = _STYLES[point.part]
        panel.scatter(*place, c=colour, marker=marker, s=30, linewidths=0, zorder=2)
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_color("0.75")


def _label(panel: Axes, places: Places) -> None:
    """Write each word beside its point, where it hides least of what is there already."""
    from matplotlib.transforms import Bbox

    figure = panel.get_figure()
    renderer = figure.canvas.get_renderer()
    at = panel.transData.transform(np.stack(list(places.values())))
    taken = [Bbox.from_extents(x - 6, y - 6, x + 6, y + 6) for x, y in at]
    for point in places:
        text = panel.annotate(
            point.word,
            places[point],
            xytext=(0, 0),
            textcoords="offset points",
            color=_STYLES[point.part][0],
            fontsize=9,
            family=_fonts(),
        )
