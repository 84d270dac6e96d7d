"""Alignment without a dictionary: several ways one after the other, and a check of each.

A failed run that looks like a success is the worst fault of unsupervised alignment: its own
criterion can rise through a run that translates nothing. So each way is gone twice, from two halves
of its pairs or with two seeds. Two maps that are right agree on most frequent words; two that are
wrong are wrong in different ways and agree on hardly any.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jointalign.alignment.api import apply, looks_failed, training_arrays
from jointalign.alignment.base import Aligner, Mapping
from jointalign.alignment.muse import MUSE
from jointalign.alignment.refinement import RefinedProcrustes
from jointalign.alignment.vecmap import VecMap
from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.retrieval.api import neighbours

logger = logging.getLogger(__name__)

AGREEMENT = 0.3
"""Share of frequent words that both maps must translate alike. Chance is one in the vocabulary;
maps that failed from one and the same start can share a few hubs."""

ASKED, ANSWERS = 2_000, 20_000
"""So many frequent source words are asked for, among so many target words."""

CLEAR = 0.25
"""How far above what is bound to come, as a part of the way to 1."""

FEWEST = 50
"""Pairs below which halves say nothing."""

CUTOFF = 10_000
"""Words a side in self-learning: half of VecMap's, for a quarter of the time, since it is done
twice."""


@dataclass(frozen=True)
class Attempt:
    """One way, and whether it led anywhere.

    Args:
        name: `own`, `identical`, `similarity` or `adversarial`.
        method: The aligner that was used.
        pairs: Pairs that it started from.
        agreement: Share of frequent words that two maps learnt in this way translate alike.
        worked: Whether that is enough.
        bound: Agreement that would come of a random start, too.
    """

    name: str
    method: Aligner
    pairs: int
    agreement: float
    worked: bool
    bound: float = 0.0

    def __str__(self) -> str:
        start = f" from {self.pairs:,} pairs" if self.pairs else ""
        verdict = "worked" if self.worked else "failed"
        bound = f", from a random start {100 * self.bound:.0f} %" if self.bound else ""
        return f"{self.name}{start}: {verdict} (two maps agree on {100 * self.agreement:.0f} %{bound})"


@dataclass(frozen=True)
class Unsupervised:
    """The map of the first way that worked; if none did, that of the greatest agreement.

    Args:
        mapping: To be put on both sides by `apply`.
        attempts: All ways gone, in order; the last worked, or none did.
        method: That made the mapping.
    """

    mapping: Mapping
    attempts: tuple[Attempt, ...]
    method: Aligner

    @property
    def worked(self) -> bool:
        """Whether the mapping can be trusted."""
        return self.attempts[-1].worked

    def __str__(self) -> str:
        return "\n".join(map(str, self.attempts))


@checked
def align_unsupervised(
    bilingual: BilingualEmbedding,
    *,
    seed: int = 0,
    adversarial: MUSE | None = None,
    progress: Progress | None = None,
) -> Unsupervised:
    """Learn a mapping without a dictionary, in the first of these ways that works.

    From words that joint training has already brought together (`own`: mutual best translations in
    the space as it is, refined by Procrustes; only where there are shared words); from words spelt
    alike (`identical`), and from words with alike similarities to the other words of their own
    language (`similarity`), both by VecMap's self-learning; and by an adversary (`adversarial`,
    MUSE). If none works, a warning is logged, and `worked` is false.

    Args:
        bilingual: What to align.
        seed: The only source of randomness.
        adversarial: Settings of the last way; default `None`: without it, since it takes hours
            without a GPU.
        progress: Told which way is gone.

    Raises:
        JointalignError: If a side has no words.
        MissingExtraError: If the adversary is asked for and torch is not installed.
    """
    if not len(bilingual.source_only) or not len(bilingual.target_only):
        raise JointalignError("a language has no words of its own to align")
    attempts: list[Attempt] = []
    best: tuple[float, Mapping, Aligner] | None = None
    ways = list(_ways(bilingual, seed, adversarial))
    for number, way in enumerate(ways):
        attempt, mapping = way()
        logger.info("%s", attempt)
        attempts.append(attempt)
        if progress is not None:
            progress(number + 1, len(ways), str(attempt))
        if best is None or attempt.agreement > best[0] or attempt.worked:
            best = (attempt.agreement, mapping, attempt.method)
        if attempt.worked:
            break
    if best is None:
        raise JointalignError("there is no way to align without a dictionary here; give one")
    if not attempts[-1].worked:
        logger.warning(
            "no way to align without a dictionary has worked; do not trust the result. More text, "
            "or even 25 translation pairs, would help: %s",
            "; ".join(map(str, attempts)),
        )
    return Unsupervised(best[1], tuple(attempts), best[2])


def trusted(
    bilingual: BilingualEmbedding,
    method: Aligner,
    mapping: Mapping,
    alike: Lexicon | None = None,
    *,
    seed: int = 0,
) -> bool:
    """Whether a mapping learnt without a dictionary found the other language; if not, the log says so.

    A method that has compared its map with random ones is believed; any other learns two maps, with
    another seed or from either half of the pairs, and they must agree.

    Args:
        bilingual: What it was learnt from.
        method: How.
        mapping: What was learnt with `seed`.
        alike: Pairs that it was learnt from, of words that are spelt alike; `None` for none.
        seed: Of the mapping.
    """
    if "baseline" in mapping.history:
        worked = not looks_failed(mapping)
    else:
        x, z, pairs = training_arrays(bilingual, alike)
        if pairs is None:
            agreement = _agreement(bilingual, mapping, method.fit(x, z, seed=seed + 1))
        else:
            agreement = 0.0 if len(pairs) < 2 else _from_halves(bilingual, method, pairs, seed)[0]
        worked = agreement >= AGREEMENT
    if not worked:
        logger.warning(
            "%s without a dictionary has probably failed; do not trust the result. More text, or even "
            "25 translation pairs, would help",
            type(method).__name__,
        )
    return worked


Way = Callable[[], tuple[Attempt, Mapping]]


def _ways(bilingual: BilingualEmbedding, seed: int, adversarial: MUSE | None) -> Iterator[Way]:
    if len(bilingual.shared):
        own = _mutual(bilingual)
        if len(own) >= FEWEST:
            yield lambda: _from_own(bilingual, own, seed)
    words = bilingual.source_only.vocabulary, bilingual.target_only.vocabulary
    alike = Lexicon.identical_strings(*words).rows(*words)
    if len(alike) >= FEWEST:
        yield lambda: _from_pairs("identical", bilingual, alike, seed)
    yield lambda: _from_nothing(bilingual, seed)
    if adversarial is not None:
        yield lambda: _by_adversary(bilingual, adversarial, seed)


def _from_own(bilingual: BilingualEmbedding, pairs: np.ndarray, seed: int) -> tuple[Attempt, Mapping]:
    """Halves refined; then VecMap's map in closed form from what both together translate.

    Both halves are mutual translations under one map, so that some agreement is bound to come, even
    of noise: what comes of the same space after a random rotation. It has to be clearly exceeded.
    """
    method = RefinedProcrustes()
    agreement, closer = _from_halves(bilingual, method, pairs, seed)
    turned = _randomly_turned(bilingual, seed)
    start = _mutual(turned)
    bound = 0.0  # of hubs, hardly any are mutual: nothing then comes of a random start
    if all(half.any() for half in _halves(start, seed)):
        bound, _ = _from_halves(turned, method, start, seed)
    worked = agreement >= AGREEMENT and agreement >= bound + CLEAR * (1 - bound)
    found = _mutual(apply(closer, bilingual))
    if len(found) < FEWEST:
        return Attempt("own", method, len(pairs), agreement, False), closer
    final = VecMap.supervised()
    x, z, _ = training_arrays(bilingual, None)
    mapping = final.fit(x, z, found, seed=seed)
    return Attempt("own", final, len(pairs), agreement, worked, bound), mapping


def _randomly_turned(bilingual: BilingualEmbedding, seed: int) -> BilingualEmbedding:
    d = bilingual.dimensions
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))
    return apply(Mapping(turn.astype(np.float32), np.eye(d, dtype=np.float32)), bilingual)


def _from_pairs(
    name: str, bilingual: BilingualEmbedding, pairs: np.ndarray, seed: int
) -> tuple[Attempt, Mapping]:
    method = replace(VecMap.semi_supervised(), vocabulary_cutoff=CUTOFF)
    agreement, closer = _from_halves(bilingual, method, pairs, seed)
    return Attempt(name, method, len(pairs), agreement, agreement >= AGREEMENT), closer


def _from_halves(
    bilingual: BilingualEmbedding, method: Aligner, pairs: np.ndarray, seed: int
) -> tuple[float, Mapping]:
    """How far two maps from disjoint halves agree, and the one with the closer translations."""
    x, z, _ = training_arrays(bilingual, None)
    maps = [method.fit(x, z, pairs[part], seed=seed) for part in _halves(pairs, seed)]
    return _agreement(bilingual, *maps), _closer(bilingual, *maps)


def _halves(pairs: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which pairs belong to the one half, and which to the other, bool `(k,)`."""
    half = np.random.default_rng(seed).permutation(len(pairs)) % 2 == 0
    return half, ~half


def _from_nothing(bilingual: BilingualEmbedding, seed: int) -> tuple[Attempt, Mapping]:
    x, z, _ = training_arrays(bilingual, None)
    method = replace(VecMap.unsupervised(), vocabulary_cutoff=CUTOFF)
    maps = [method.fit(x, z, seed=number) for number in (seed, seed + 1)]
    agreement = _agreement(bilingual, *maps)
    attempt = Attempt("similarity", method, 0, agreement, agreement >= AGREEMENT)
    return attempt, _closer(bilingual, *maps)


def _by_adversary(bilingual: BilingualEmbedding, method: MUSE, seed: int) -> tuple[Attempt, Mapping]:
    x, z, _ = training_arrays(bilingual, None)
    mapping = method.fit(x, z, seed=seed)
    agreement = max(mapping.history.get("agreement", (0.0,)))
    return Attempt("adversarial", method, 0, agreement, not looks_failed(mapping)), mapping


def _frequent(bilingual: BilingualEmbedding) -> tuple[np.ndarray, np.ndarray]:
    words = bilingual.source_only.vectors, bilingual.target_only.vectors
    return words[0][:ANSWERS], words[1][:ANSWERS]


def _translated(bilingual: BilingualEmbedding) -> tuple[np.ndarray, Any]:
    """Rows of the best translations of frequent source words, and their scores."""
    source, target = _frequent(bilingual)
    found = neighbours(source[:ASKED], target, 1, sources=source)
    return found.rows[:, 0], found.scores[:, 0]


def _agreement(bilingual: BilingualEmbedding, first: Mapping, second: Mapping) -> float:
    answers = [_translated(apply(mapping, bilingual))[0] for mapping in (first, second)]
    return float((answers[0] == answers[1]).mean())


def _closer(bilingual: BilingualEmbedding, first: Mapping, second: Mapping) -> Mapping:
    """The map under which translations score higher."""
    scores = [_translated(apply(m, bilingual))[1].mean() for m in (first, second)]
    return first if scores[0] >= scores[1] else second


def _mutual(bilingual: BilingualEmbedding) -> np.ndarray:
    """Pairs of frequent words that are each other's best translations, `(k, 2)`."""
    source, target = _frequent(bilingual)
    there = neighbours(source, target, 1, sources=source).rows[:, 0]
    back = neighbours(target, source, 1, sources=target).rows[:, 0]
    rows = np.arange(len(there))
    kept = back[there] == rows
    return np.stack([rows[kept], there[kept]], axis=1)
