"""Rough processor time of trainings and fits, so that a choice can be kept within a limit.

Estimates from sizes alone, not clocks: the same input must lead to the same choice on a busy
machine. The rates are of one core of a server of 2024; only their ratio matters.
"""

from __future__ import annotations

from jointalign.alignment.base import Aligner
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.refinement import RefinedProcrustes
from jointalign.alignment.variants import core
from jointalign.alignment.vecmap import VecMap

_WORDS = 250_000 * 300  # words of text times dimensions, a second
_OPERATIONS = 6e10  # of a matrix product whose best entries are kept, a second
_ROUNDS = 20  # of a refinement
_ITERATIONS = 300  # of self-learning


def training_seconds(tokens: int, epochs: int, dimensions: int) -> float:
    """Of one training on so many tokens."""
    return tokens * epochs * dimensions / _WORDS


def fit_seconds(method: Aligner, words: int, pairs: int, dimensions: int, steps: int) -> float:
    """Of one fit and its score.

    Args:
        method: The method.
        words: Of each language, at most.
        pairs: To learn from.
        dimensions: Length of the vectors.
        steps: Of RCSLS.
    """
    product = 2 * words * words * dimensions / _OPERATIONS
    inner = core(method)
    searches = 1.0
    if isinstance(inner, RCSLS):
        searches += steps * 2 * min(pairs, words) / words
    elif isinstance(inner, RefinedProcrustes):
        searches += 2 * _ROUNDS
    elif isinstance(inner, VecMap) and inner.self_learning:
        searches += _ITERATIONS
    return searches * product
