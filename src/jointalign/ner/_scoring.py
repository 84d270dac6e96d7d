"""Entities found against entities to be found, with a bootstrap over sentences.

An entity counts if its words and its type are right, as in `conlleval`; F1 is micro-averaged. A
sentence is what is resampled (Koehn 2004), because entities of one sentence go right or wrong
together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jointalign.errors import JointalignError
from jointalign.ner.base import EntityCounts, NERConditions, NERResult, Sentence, spans
from jointalign.numerics import bootstrap

RESAMPLES = 1000
_BLOCK = 64  # resamples at a time


def score(
    gold: Sequence[Sentence],
    predicted: Sequence[Sequence[str]],
    language: str = "und",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> NERResult:
    """Score the tags of some sentences.

    Args:
        gold: Sentences with tags, in any scheme.
        predicted: Tags of the same sentences, in any scheme.
        language: For the conditions.
        resamples: Bootstrap samples.
        seed: Of the bootstrap.

    Raises:
        JointalignError: If there is no sentence, one has no tags, or numbers or lengths differ.

    Example:
        >>> gold = [Sentence(("Ana", "lives", "here"), ("I-PER", "O", "O"))]
        >>> score(gold, [("B-PER", "O", "B-LOC")]).counts
        EntityCounts(correct=1, predicted=2, gold=1)
    """
    table, types = counted(gold, predicted)
    total = EntityCounts(*(int(number) for number in table.sum(0)))
    tokens = sum(len(sentence) for sentence in gold)
    return NERResult(
        total,
        dict(sorted(types.items())),
        interval([table], resamples, seed),
        NERConditions(language, len(gold), tokens, seed),
    )


def counted(
    gold: Sequence[Sentence], predicted: Sequence[Sequence[str]]
) -> tuple[np.ndarray, dict[str, EntityCounts]]:
    """Entities correct, predicted and gold in each sentence, int64 `(n, 3)`, and of each type.

    Raises:
        JointalignError: As `score`.
    """
    if len(gold) != len(predicted):
        raise JointalignError(f"{len(gold)} sentences with tags, but {len(predicted)} predictions")
    if not gold:
        raise JointalignError("there is no sentence to score")
    table = np.zeros((len(gold), 3), np.int64)
    types: dict[str, EntityCounts] = {}
    for number, (sentence, tags) in enumerate(zip(gold, predicted, strict=True)):
        if sentence.tags is None:
            raise JointalignError(f"sentence {number + 1} has no tags; this text can't be scored")
        if len(tags) != len(sentence):
            raise JointalignError(
                f"sentence {number + 1}: {len(sentence)} words, but {len(tags)} predicted tags"
            )
        wanted, found = set(spans(sentence.tags)), set(spans(tags))
        table[number] = len(wanted & found), len(found), len(wanted)
        for span in wanted | found:
            one = EntityCounts(span in wanted and span in found, span in found, span in wanted)
            types[span.type] = types.get(span.type, EntityCounts()) + one
    return table, types


def f1_of(gold: Sequence[Sentence], predicted: Sequence[Sequence[str]]) -> float:
    """F1 in percent, without an interval."""
    return EntityCounts(*counted(gold, predicted)[0].sum(0).tolist()).f1


def interval(tables: Sequence[np.ndarray], resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap interval of F1, averaged over several runs of one system.

    Args:
        tables: For each run, entities of each sentence as `counted` gives them, `(n, 3)`; all of
            the same sentences. Runs are drawn with replacement, too.
        resamples: Bootstrap samples.
        seed: The only source of randomness.
    """
    return bootstrap.interval(_resampled(tables, resamples, np.random.default_rng(seed)))


def difference_interval(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """95 % paired bootstrap interval of the difference of two systems' F1 on the same sentences.

    Args:
        first: As for `interval`.
        second: The other system's; it may have another number of runs.
        resamples: Bootstrap samples.
        seed: The only source of randomness.

    Raises:
        JointalignError: If the two were not scored on the same number of sentences.
    """
    if len(first[0]) != len(second[0]):
        raise JointalignError(
            f"the systems were scored on {len(first[0])} and {len(second[0])} sentences; "
            "score both on the same ones"
        )
    # The same seed draws the same sentences for both: paired. Runs are drawn from another one.
    draws = [_resampled(t, resamples, np.random.default_rng(seed), k) for k, t in enumerate((first, second))]
    return bootstrap.interval(draws[0] - draws[1])


def _resampled(
    tables: Sequence[np.ndarray], resamples: int, rng: np.random.Generator, system: int = 0
) -> np.ndarray:
    """F1 of each resample, averaged over runs drawn with replacement, `(resamples,)`."""
    runs_rng = np.random.default_rng([system, len(tables), resamples])
    stacked = np.stack(tables, axis=1).reshape(len(tables[0]), -1).astype(np.float64)  # (n, runs*3)
    n = len(stacked)
    found = []
    for start in range(0, resamples, _BLOCK):
        size = min(_BLOCK, resamples - start)
        weights = rng.multinomial(n, np.full(n, 1 / n), size=size)  # (size, n)
        sums = (weights @ stacked).reshape(size, len(tables), 3)
        totals = sums[..., 1] + sums[..., 2]
        f1 = 200 * sums[..., 0] / np.maximum(totals, 1)  # (size, runs)
        runs = runs_rng.integers(0, len(tables), (size, len(tables)))
        found.append(np.take_along_axis(f1, runs, axis=1).mean(1))
    return np.concatenate(found)
