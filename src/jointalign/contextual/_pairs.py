"""Aligned words of a parallel text with their vectors, as a stream, and what is learnt from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jointalign.alignment.base import Aligner
from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES, extract
from jointalign.contextual._mapping import (
    CrossCovariances,
    LayerMappings,
    Side,
    Solution,
    fit_aligner,
)
from jointalign.contextual._sampling import HeldOut, LayerScore, Sample
from jointalign.contextual.base import Pooling, resolved
from jointalign.errors import JointalignError
from jointalign.progress import Progress
from jointalign.word_alignment.base import Links

HOLD_OUT_EVERY = 10
"""Every so-many-th sentence pair is tested on, until there are enough, and not learnt from."""

_AT_ONCE = 4096


class AlignedText(NamedTuple):
    """A parallel text, its words spelt as the encoder should see them, and its links.

    Args:
        sources: Words of each source sentence.
        targets: Words of each target sentence.
        links: Which words translate each other.
    """

    sources: Sequence[Sequence[str]]
    targets: Sequence[Sequence[str]]
    links: Links


@dataclass(frozen=True)
class MappingSettings:
    """How the maps are learnt.

    Args:
        layers: Which; the last four.
        solution: Which linear map.
        side: Which side moves: the source, as in the paper's code, whose tagger then reads mapped
            English.
        aligner: A method of the project in place of `solution`, learnt from a sample.
        sample: Pairs that it is learnt from.
        held_out: Pairs of different words to test on.
        unique: Drop a link whose source or target word is that of the kept link before it, as the
            paper's code does.
    """

    layers: tuple[int, ...] = (-4, -3, -2, -1)
    solution: Solution = Solution.ORTHOGONAL
    side: Side = Side.SOURCE
    aligner: Aligner | None = None
    sample: int = 20_000
    held_out: int = 2_000
    unique: bool = True


@dataclass(frozen=True, eq=False)
class LearntMappings:
    """Maps, and how well they do on words that they were not learnt from.

    Args:
        mappings: One a layer.
        scores: One a layer, in the same order.
        pairs: Aligned words that they were learnt from.
        sentences: Sentence pairs that these come from.
    """

    mappings: LayerMappings
    scores: tuple[LayerScore, ...]
    pairs: int
    sentences: int


def learn_mappings(
    encoder: Encoder,
    text: AlignedText,
    settings: MappingSettings | None = None,
    *,
    languages: tuple[str | None, str | None] = (None, None),
    batch_pieces: int = BATCH_PIECES,
    seed: int = 0,
    progress: Progress | None = None,
) -> LearntMappings:
    """Learn a map for each layer from aligned words, reading the text once.

    Args:
        encoder: Whose layers.
        text: The text with its links.
        settings: How; `None` for the paper's way.
        languages: For encoders that are told the language.
        batch_pieces: Pieces, with padding, that go through the encoder at once.
        seed: Of the sample, and of an aligner.
        progress: Told the sentence pairs done.

    Raises:
        JointalignError: If there is no aligned word, or the encoder has no such layer.
    """
    settings = settings or MappingSettings()
    layers = resolved(settings.layers, encoder.layers)
    sums = [CrossCovariances(encoder.dimensions) for _ in layers]
    held, sample = (
        HeldOut(settings.held_out),
        Sample(settings.sample if settings.aligner else 0, seed),
    )
    sentences, waiting = 0, _Waiting(sums, sample)
    total = len(text.sources)
    for number, x, z in _vectors(encoder, text, layers, languages, batch_pieces):
        links = text.links[number]
        links = unique_links(links) if settings.unique else links
        if len(links) and number % HOLD_OUT_EVERY == 0 and not held.full:
            held.add(links, text.sources[number], text.targets[number], x, z)
        elif len(links):
            sentences += 1
            waiting.add(x[:, links[:, 0]], z[:, links[:, 1]])
        if progress is not None and number % 64 == 0:
            progress(number, total)
    waiting.flush()
    learnt = {}
    for place, layer in enumerate(layers):
        if settings.aligner is None:
            learnt[layer] = sums[place].solve(settings.solution, settings.side)
        else:
            x, z = sample.pairs()
            learnt[layer] = fit_aligner(settings.aligner, x[place], z[place], seed)
    mappings = LayerMappings(learnt, encoder.name, encoder.identity)
    return LearntMappings(mappings, held.scores(mappings, layers), sums[0].count, sentences)


def unique_links(links: np.ndarray) -> np.ndarray:
    """Links without those that repeat a word of the kept link before them.

    Example:
        >>> unique_links(np.array([[0, 0], [0, 1], [1, 1], [2, 1], [3, 2]])).tolist()
        [[0, 0], [1, 1], [3, 2]]
    """
    kept: list[list[int]] = []
    for source, target in links.tolist():
        if not kept or (source != kept[-1][0] and target != kept[-1][1]):
            kept.append([source, target])
    return np.array(kept, np.int64).reshape(-1, 2)


def _vectors(
    encoder: Encoder,
    text: AlignedText,
    layers: Sequence[int],
    languages: tuple[str | None, str | None],
    batch_pieces: int,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Number of each sentence pair and its words' vectors, `(layers, words, d)` for both sides."""
    if not len(text.sources) == len(text.targets) == len(text.links):
        raise JointalignError(
            f"expected as many source as target sentences and lines of links, got "
            f"{len(text.sources)}, {len(text.targets)} and {len(text.links)}"
        )
    sides = [
        _sentences(encoder, words, layers, language, batch_pieces)
        for words, language in zip((text.sources, text.targets), languages, strict=True)
    ]
    for number, (x, z) in enumerate(zip(*sides, strict=True)):
        yield number, x, z


def _sentences(
    encoder: Encoder,
    sentences: Sequence[Sequence[str]],
    layers: Sequence[int],
    language: str | None,
    batch_pieces: int,
) -> Iterator[np.ndarray]:
    parts = extract(
        encoder, sentences, layers, Pooling.MEAN, batch_pieces=batch_pieces, language=language
    )
    for part in parts:
        for number in range(len(part.starts) - 1):
            yield part.vectors[:, part.starts[number] : part.starts[number + 1]]


class _Waiting:
    """Pairs on their way into the sums: many at once are faster."""

    def __init__(self, sums: list[CrossCovariances], sample: Sample) -> None:
        self._sums, self._sample = sums, sample
        self._x: list[np.ndarray] = []
        self._z: list[np.ndarray] = []
        self._count = 0

    def add(self, x: np.ndarray, z: np.ndarray) -> None:
        self._x.append(x)
        self._z.append(z)
        self._count += x.shape[1]
        if self._count >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if not self._count:
            return
        x, z = np.concatenate(self._x, 1), np.concatenate(self._z, 1)
        for layer, sums in enumerate(self._sums):
            sums.add(x[layer], z[layer])
        self._sample.add(x, z)
        self._x, self._z, self._count = [], [], 0
