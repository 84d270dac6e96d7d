"""Chooses translation pairs, projects them to two dimensions, and draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.plots._drawing import SHARED, SOURCE, TARGET, Dot, Panel, check_suffix, draw

Pair = tuple[str, str]

TITLES = (
    "(a) Joint training, before reallocation",
    "(b) After vocabulary reallocation",
    "(c) After alignment refinement",
)
_FREQUENT = 1000  # default pairs are among so many first source words


def figure_one(
    joint: BilingualEmbedding,
    reallocated: BilingualEmbedding,
    aligned: BilingualEmbedding,
    pairs: Sequence[Pair],
    path: str | Path,
) -> None:
    """Draw translation pairs after each of the three steps of the framework, projected by PCA.

    All panels have the same two axes, those in which the vectors of all three differ most: a word
    whose vector stays is in the same place everywhere. The paper doesn't say which axes it drew.

    Args:
        joint: After joint training: `reallocate(..., gamma=1)`.
        reallocated: After reallocation with a lower gamma.
        aligned: After alignment.
        pairs: (source word, target word); see `default_pairs`.
        path: File to write: `.png` (300 dpi), `.svg` or `.pdf`.

    Raises:
        JointalignError: If the suffix is none of these, there are no pairs, or a word is unknown.
        MissingExtraError: If matplotlib is not installed.
    """
    path = Path(path)
    check_suffix(path)
    if not pairs:
        raise JointalignError("there are no pairs to draw; `default_pairs` chooses some")
    steps = (joint, reallocated, aligned)
    links = [[_link(step, pair) for pair in pairs] for step in steps]
    dots = [list(dict.fromkeys(dot for link in of_step for dot in link)) for of_step in links]
    vectors = [_vectors(step, of_step) for step, of_step in zip(steps, dots, strict=True)]
    mean, axes = principal_axes(np.concatenate(vectors))
    places = [
        dict(zip(of_step, (rows - mean) @ axes, strict=True))
        for of_step, rows in zip(dots, vectors, strict=True)
    ]
    names = {SOURCE: joint.source_language, TARGET: joint.target_language, SHARED: "shared"}
    draw([Panel(*parts) for parts in zip(TITLES, places, links, strict=True)], names, path)


def principal_axes(vectors: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The directions in which vectors differ most.

    Args:
        vectors: `(n, d)`, at least two rows.
        count: Number of axes.

    Returns:
        The mean, `(d,)`, and the axes, `(d, count)`, of length one, by falling variance. Of the
        two signs an axis can have, the one that makes its largest entry positive.

    Raises:
        JointalignError: If there are fewer than two vectors, or than `count` dimensions.

    Example:
        >>> mean, axes = principal_axes(np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]]), count=1)
        >>> mean, axes.ravel().round(3)
        (array([2., 2.]), array([0.707, 0.707]))
    """
    if len(vectors) < 2 or vectors.shape[1] < count:
        raise JointalignError(
            f"expected two vectors or more, of at least {count} dimensions; got {vectors.shape}"
        )
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    _, axes = np.linalg.eigh(centred.T @ centred)  # by rising variance
    axes = axes[:, ::-1][:, :count]
    largest = np.abs(axes).argmax(axis=0)
    return mean, axes * np.sign(axes[largest, np.arange(count)])


def default_pairs(
    joint: BilingualEmbedding, reallocated: BilingualEmbedding, lexicon: Iterable[Pair], count: int = 12
) -> list[Pair]:
    """Choose pairs that show what the steps do.

    A quarter are the most frequent words that were overshared, such as "the"; one in six are words
    that stay shared and mean the same. Both sorts and the rest are spread over the 1,000 most
    frequent source words.

    Args:
        joint: After joint training: `reallocate(..., gamma=1)`.
        reallocated: After reallocation with a lower gamma.
        lexicon: Pairs to choose from; of several translations the first known one is taken.
        count: How many.

    Returns:
        At most `count` pairs, the most frequent source word first.

    Raises:
        JointalignError: If no pair of the lexicon is known.
    """
    known = _known(joint, lexicon)
    if not known:
        raise JointalignError(
            "no pair of the dictionary is in the vocabulary; check that it is in the order source, "
            "target, and lower-cased like the embeddings"
        )
    moved = [
        (source, target)
        for source, target in known
        if source in joint.shared and source in reallocated.source_only
    ]
    cognates = [pair for pair in known if pair[0] == pair[1] and pair[0] in reallocated.shared]
    chosen = {*moved[: count // 4], *_spread(cognates, count // 6)}
    rest = [pair for pair in known if pair not in chosen and pair[0] != pair[1]]
    chosen.update(_spread(rest, count - len(chosen)))
    return [pair for pair in known if pair in chosen]


def _known(joint: BilingualEmbedding, lexicon: Iterable[Pair]) -> list[Pair]:
    """A pair for each known source word that is frequent, by falling frequency."""
    source, target = joint.source.vocabulary, joint.target.vocabulary
    translations: dict[str, str] = {}
    for source_word, target_word in lexicon:
        row = source.row(source_word)
        if row is not None and row < _FREQUENT and target_word in target:
            translations.setdefault(source_word, target_word)
    return sorted(translations.items(), key=lambda pair: source.rows[pair[0]])


def _spread(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """So many pairs at even distances, or all if there are fewer."""
    if not pairs or count < 1:
        return []
    rows = np.unique(np.linspace(0, len(pairs) - 1, count).round().astype(int))
    return [pairs[row] for row in rows]


def _link(step: BilingualEmbedding, pair: Pair) -> tuple[Dot, Dot]:
    """The two ends of a pair; one and the same dot where the words share a vector."""
    source = _find(step, pair[0], (SOURCE, SHARED, TARGET))
    return source, _find(step, pair[1], (TARGET, SHARED, SOURCE))


def _find(step: BilingualEmbedding, word: str, parts: Sequence[str]) -> Dot:
    for part in parts:
        if word in _embedding(step, part):
            return Dot(word, part)
    raise JointalignError(f"'{word}' is not in the vocabulary; leave it out or take another word")


def _embedding(step: BilingualEmbedding, part: str) -> Embedding:
    return {SOURCE: step.source_only, TARGET: step.target_only, SHARED: step.shared}[part]


def _vectors(step: BilingualEmbedding, dots: Iterable[Dot]) -> np.ndarray:
    """Vectors of length one, `(p, d)`: aligned ones are, and the panels must compare."""
    rows = []
    for dot in dots:
        part = _embedding(step, dot.part)
        rows.append(part.vectors[part.vocabulary.rows[dot.word]])
    vectors = np.stack(rows)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
