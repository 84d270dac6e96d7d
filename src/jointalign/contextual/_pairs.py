"""Aligned words of a parallel text with their vectors, as a stream, and what is learnt from it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jointalign.alignment.base import Aligner
from jointalign.checks import check_fields
from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES, extract
from jointalign.contextual._mapping import (
    CrossCovariances,
    FeatureSide,
    HeldOut,
    LayerMappings,
    LayerScore,
    PairWeights,
    Sample,
    Solution,
    fit_aligner,
)
from jointalign.contextual.base import Pooling, resolved
from jointalign.errors import JointalignError
from jointalign.progress import Progress
from jointalign.storage.checkpoint import Checkpoint, digest_of
from jointalign.version import __version__
from jointalign.word_alignment.base import Links

HOLD_OUT_EVERY = 10
"""Every so-many-th sentence pair is tested on, until there are enough, and not learnt from."""

CHECKPOINT_SECONDS = 60.0
_BLOCK = 256  # sentence pairs whose vectors are in memory together


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
        smoothing: Relative frequency at which a word begins to weigh less, `a` of Arora, Liang and
            Ma (2017): 1e-3, as there. `Solution.PLAIN` has no weights.
        aligner: A method of the project in place of `solution`, learnt from a sample.
        sample: Pairs that it is learnt from.
        held_out: Pairs of different words to test on.
        unique: Drop a link whose source or target word is that of the kept link before it, as the
            paper's code does.
    """

    layers: tuple[int, ...] = (-4, -3, -2, -1)
    solution: Solution = Solution.ORTHOGONAL
    side: FeatureSide = FeatureSide.SOURCE
    smoothing: float = 1e-3
    aligner: Aligner | None = None
    sample: int = 20_000
    held_out: int = 2_000
    unique: bool = True
    __post_init__ = check_fields


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
    checkpoint: Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    progress: Progress | None = None,
) -> LearntMappings:
    """Learn a map for each layer from aligned words, reading the text once.

    Args:
        encoder: Whose layers.
        text: The text with its links.
        settings: How; `None` for the defaults.
        languages: Codes of both sides, kept with the maps; for encoders that are told the language.
        batch_pieces: Pieces, with padding, that go through the encoder at once.
        seed: Of the sample, and of an aligner.
        checkpoint: File that keeps the sums, so that what was stopped goes on to the same maps;
            removed by nobody but the caller.
        checkpoint_seconds: Time between two checkpoints.
        progress: Told the sentence pairs done.

    Raises:
        JointalignError: If there is no aligned word, or the encoder has no such layer.
        OtherWorkError: If the checkpoint is of another text, encoder or setting.
    """
    settings = settings or MappingSettings()
    layers = resolved(settings.layers, encoder.layers)
    learning = _Learning(encoder, text, settings, layers, seed)
    kept = None if checkpoint is None else Checkpoint(checkpoint, learning.facts(languages))
    if kept is not None:
        learning.resume(kept)
    saved = time.monotonic()
    total = len(text.sources)
    while learning.done < total:
        last = min(learning.done + _BLOCK, total)
        learning.read(last, languages, batch_pieces)
        if kept is not None and time.monotonic() - saved > checkpoint_seconds:
            learning.save(kept)
            saved = time.monotonic()
        if progress is not None:
            progress(last, total)
    return learning.finished(languages, seed)


class _Learning:
    """What is known so far, and the next sentences."""

    def __init__(
        self,
        encoder: Encoder,
        text: AlignedText,
        settings: MappingSettings,
        layers: tuple[int, ...],
        seed: int,
    ) -> None:
        if not len(text.sources) == len(text.targets) == len(text.links):
            raise JointalignError(
                f"expected as many source as target sentences and lines of links, got "
                f"{len(text.sources)}, {len(text.targets)} and {len(text.links)}"
            )
        self._encoder, self._text, self._settings = encoder, text, settings
        self._layers, self._seed = layers, seed
        plain = settings.solution is Solution.PLAIN and settings.aligner is None
        smoothing = None if plain else settings.smoothing
        self._weights = PairWeights(text.sources, text.targets, smoothing)
        self.sums = [CrossCovariances(encoder.dimensions, settings.solution) for _ in layers]
        self.sample = Sample(settings.sample if settings.aligner else 0, seed)
        self.held = HeldOut(settings.held_out)
        self.done = self.sentences = 0

    def facts(self, languages: tuple[str | None, str | None]) -> dict[str, Any]:
        """All that the sums depend on."""
        sides = (self._text.sources, self._text.targets)
        words = ("\x1f".join(words) for side in sides for words in side)
        return {
            "version": __version__,
            **asdict(self._settings),
            "method": type(self._settings.aligner).__name__,
            "layers": self._layers,
            "languages": languages,
            "seed": self._seed,
            "encoder": self._encoder.digest(),
            "text": digest_of(*words),
            "links": digest_of(*self._text.links.lines()),
        }

    def save(self, kept: Checkpoint) -> None:
        """Keep everything that the maps depend on."""
        parts = [one.tensors for one in self.sums] + [self.sample.tensors, self.held.tensors]
        arrays = {f"{n}.{name}": array for n, part in enumerate(parts) for name, array in part.items()}
        state = {"done": self.done, "sentences": self.sentences, "words": self.held.words}
        kept.save(arrays, state)

    def resume(self, kept: Checkpoint) -> None:
        """Go on from what was kept."""
        if (found := kept.load()) is None:
            return
        arrays, state = found
        parts: list[dict[str, np.ndarray]] = [{} for _ in range(len(self.sums) + 2)]
        for name, array in arrays.items():
            number, _, part = name.partition(".")
            parts[int(number)][part] = array
        for one, part in zip(self.sums, parts, strict=False):
            one.restore(part)
        self.sample.restore(parts[-2])
        self.held.restore(parts[-1], state["words"])
        self.done, self.sentences = state["done"], state["sentences"]

    def read(self, last: int, languages: tuple[str | None, str | None], batch_pieces: int) -> None:
        """Take the sentences up to, not including, one.

        Blocks of sentences go through the encoder on their own, so that going on after a stop adds
        the same numbers in the same order.
        """
        text, settings = self._text, self._settings
        block = slice(self.done, last)
        sides = [
            _sentences(self._encoder, words[block], self._layers, language, batch_pieces)
            for words, language in zip((text.sources, text.targets), languages, strict=True)
        ]
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for number, (x, z) in enumerate(zip(*sides, strict=True), self.done):
            links = text.links[number]
            links = unique_links(links) if settings.unique else links
            if len(links) and number % HOLD_OUT_EVERY == 0 and not self.held.full:
                self.held.add(links, text.sources[number], text.targets[number], x, z)
            elif len(links):
                self.sentences += 1
                weights = self._weights(text.sources[number], text.targets[number], links)
                found.append((x[:, links[:, 0]], z[:, links[:, 1]], weights))
        self.done = last
        if not found:
            return
        x, z = (np.concatenate([one[side] for one in found], 1) for side in (0, 1))
        weights = np.concatenate([weights for _, _, weights in found])
        for sums, rows, others in zip(self.sums, x, z, strict=True):
            sums.add(rows, others, weights)
        self.sample.add(x, z, weights)

    def finished(self, languages: tuple[str | None, str | None], seed: int) -> LearntMappings:
        learnt = {}
        for place, layer in enumerate(self._layers):
            if self._settings.aligner is None:
                learnt[layer] = self.sums[place].solve(self._settings.side)
            else:
                x, z = self.sample.pairs()
                learnt[layer] = fit_aligner(self._settings.aligner, x[place], z[place], seed)
        source, target = languages
        named = None if source is None or target is None else (source, target)
        mappings = LayerMappings(learnt, self._encoder.name, named, self._encoder.identity)
        scores = self.held.scores(mappings, self._layers)
        return LearntMappings(mappings, scores, self.sums[0].count, self.sentences)


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


def _sentences(
    encoder: Encoder,
    sentences: Sequence[Sequence[str]],
    layers: Sequence[int],
    language: str | None,
    batch_pieces: int,
) -> Iterator[np.ndarray]:
    parts = extract(encoder, sentences, layers, Pooling.MEAN, batch_pieces=batch_pieces, language=language)
    for part in parts:
        for number in range(len(part.starts) - 1):
            yield part.vectors[:, part.starts[number] : part.starts[number + 1]]
