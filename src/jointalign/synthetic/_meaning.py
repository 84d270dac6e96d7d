"""What two artificial languages talk about: concepts, scenes, and what is said of them.

Concepts and scenes are latent vectors around the centres of topics. A line tells one scene, and a
concept comes up in it with probability proportional to `frequency * exp(scene . concept)`: the
kind of text from which skip-gram recovers the latent vectors (Arora et al. 2016). Frequencies
follow Zipf's law. Each content word has function words that it likes to follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.synthetic.base import PairSettings

NOUN, VERB, ADJECTIVE, NAME, PLURAL, FUNCTION = range(6)  # word classes

_PLURALS = 0.4  # share of the nouns that have one
_TOPICAL = 0.7  # weight of the topic in a vector and of its own part: together variance 1
_BY_CLASS = 0.2  # weight of the word class in a concept's vector
_FASHION = 0.3  # spread of the log frequency of a concept between the languages
_INTRODUCED = 0.55  # share of the content words with a function word before them
_QUOTED = 8  # mean length of a quotation


@dataclass(frozen=True, eq=False)
class World:
    """Concepts: content words by falling frequency, plurals, function words; `n` in all.

    Args:
        classes: Word class of each, `(n,)`.
        singular: Row of a plural's noun, of all others their own row, `(n,)`.
        frequency: Weights, `(n,)`; those of content words sum to 1, those of function words too.
        latent: Vectors, `(n, k)`.
        scenes: Vectors of the scenes, `(s, k)`.
    """

    classes: np.ndarray
    singular: np.ndarray
    frequency: np.ndarray
    latent: np.ndarray
    scenes: np.ndarray


@dataclass(frozen=True, eq=False)
class Text:
    """A text before it is spelt: `t` words in some lines.

    Args:
        concepts: Row of each word's concept, `(t,)`.
        quoted: Whether the word is said in the other language, `(t,)`.
        line_ends: Number of words up to the end of each line, `(lines,)`.
    """

    concepts: np.ndarray
    quoted: np.ndarray
    line_ends: np.ndarray


def imagine(settings: PairSettings, rng: np.random.Generator) -> World:
    """Make up a world."""

    def vectors(size: int) -> np.ndarray:
        return rng.standard_normal((size, settings.dimensions))

    classes, plurals = _classes(settings, rng)
    centres, by_class = vectors(settings.topics), _BY_CLASS * vectors(FUNCTION)
    topic = rng.integers(settings.topics, size=settings.concepts)
    content = _TOPICAL * (centres[topic] + vectors(settings.concepts)) + by_class[classes]
    number = by_class[PLURAL] - by_class[NOUN]  # what all plurals differ in from their nouns
    more = content[plurals] + number + _BY_CLASS * vectors(len(plurals))
    function = _TOPICAL * vectors(settings.function_words)
    topic = rng.integers(settings.topics, size=settings.scenes)

    frequency = _zipf(settings.concepts, offset=8)
    frequency = np.concatenate([frequency, frequency[plurals] / 2])
    rest = np.arange(len(frequency), len(frequency) + len(function))
    return World(
        classes=np.concatenate([classes, np.repeat([PLURAL, FUNCTION], [len(more), len(rest)])]),
        singular=np.concatenate([np.arange(len(content)), plurals, rest]),
        frequency=np.concatenate([frequency / frequency.sum(), _zipf(len(rest), offset=2)]),
        latent=np.concatenate([content, more, function]),
        scenes=_TOPICAL * (centres[topic] + vectors(settings.scenes)),
    )


def tell(world: World, settings: PairSettings, rng: np.random.Generator) -> Text:
    """Say something about the world in a language of its own view of it."""
    content, function = _weights(world, settings, rng)
    popularity = rng.dirichlet(np.full(settings.scenes, 3.0))
    scene = rng.choice(settings.scenes, size=settings.lines, p=popularity)
    length = 1 + rng.poisson(max(settings.draws - 1, 0), size=settings.lines)
    line = np.repeat(np.arange(settings.lines), length)  # of each draw, as below
    drawn = _draw(content, scene[line], rng)
    # A word that fits its scene would be drawn again and again, more often than people repeat it.
    _, first = np.unique(line * content.shape[1] + drawn, return_index=True)
    first.sort()
    line, drawn = line[first], drawn[first]

    introduction = content.shape[1] + _draw(function, drawn, rng)
    introduced = rng.random(len(drawn)) < _INTRODUCED
    written = np.stack([introduced, np.ones_like(introduced)], axis=1)  # (draws, 2)
    concepts = np.stack([introduction, drawn], axis=1)[written]
    words = np.bincount(line, weights=written.sum(axis=1), minlength=settings.lines)
    line_ends = words.astype(np.int64).cumsum()
    return Text(concepts, _quotations(line_ends, settings.quotations, rng), line_ends)


def _classes(settings: PairSettings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Word class of each content concept, and which nouns have a plural."""
    classes = np.full(settings.concepts, NAME)
    # The most frequent words of a language are hardly ever names.
    candidates = np.arange(settings.concepts // 30, settings.concepts)
    names = rng.choice(candidates, size=round(settings.names * settings.concepts), replace=False)
    others = np.delete(np.arange(settings.concepts), names)
    classes[others] = rng.permutation(np.resize([NOUN, VERB, NOUN, ADJECTIVE], len(others)))
    nouns = np.flatnonzero(classes == NOUN)
    return classes, np.sort(rng.choice(nouns, size=int(_PLURALS * len(nouns)), replace=False))


def _zipf(size: int, offset: float) -> np.ndarray:
    """Zipf's law as Mandelbrot wrote it: the first `offset` ranks are left out."""
    weights = 1 / (np.arange(1, size + 1) + offset)
    return weights / weights.sum()


def _weights(world: World, settings: PairSettings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Content words by scene, `(s, c)`, and function words by the word after them, `(c, f)`.

    Both are cumulative along the rows, which need not end at 1.
    """
    is_content = world.classes != FUNCTION
    latent, frequency = world.latent[is_content], world.frequency[is_content]  # (c, k), (c,)
    latent = latent + settings.divergence * rng.standard_normal(latent.shape)
    frequency = frequency * np.exp(_FASHION * rng.standard_normal(len(frequency)))
    likes_scene = _likings(world.scenes, latent, settings.focus)
    likes_function = _likings(latent, world.latent[~is_content], settings.focus)
    return (
        np.cumsum(likes_scene * frequency, axis=1),
        np.cumsum(likes_function * world.frequency[~is_content], axis=1),
    )


def _likings(x: np.ndarray, z: np.ndarray, focus: float) -> np.ndarray:
    """`exp(x . z)`, `(n, m)`: log weights have spread `focus`; the mean of each column is 1."""
    likings = np.exp(x @ z.T * (focus / np.sqrt(x.shape[1])))
    # Otherwise concepts with long vectors would take over, and frequencies lose their law.
    return likings / likings.mean(axis=0)


def _draw(cumulative: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each of `rows`, `(t,)`, a column drawn by the weights of that row."""
    chance = rng.random(len(rows))
    columns = np.empty(len(rows), np.int64)
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.diff(rows[order], prepend=-1))
    for same in np.split(order, starts[1:]):
        weights = cumulative[rows[same[0]]]
        columns[same] = np.searchsorted(weights, chance[same] * weights[-1])
    return columns


def _quotations(line_ends: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Mark a run of words in a share of the lines, bool `(t,)`."""
    words = np.diff(line_ends, prepend=0)
    length = np.minimum(1 + rng.poisson(_QUOTED - 1, size=len(words)), words)
    length[rng.random(len(words)) >= share] = 0
    first = (rng.random(len(words)) * (words - length + 1)).astype(np.int64)
    position = np.arange(line_ends[-1]) - np.repeat(line_ends - words, words)
    first, length = np.repeat(first, words), np.repeat(length, words)
    return (first <= position) & (position < first + length)
