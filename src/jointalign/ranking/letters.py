"""Which letters stand for which, learnt from a dictionary: spelling across scripts and sound changes.

Letters of a target word come each from a letter of the source word, most likely one that stands about
as far from its beginning (IBM model 1 with a preference for the diagonal; Brown et al. 1993, Dyer et
al. 2013). Most pairs of a dictionary are not written alike and teach nothing: each pair counts by how
likely it is that its letters do correspond, which is worked out anew in each round.
"""

from __future__ import annotations

import numpy as np

from jointalign.numerics.compiling import compiled

_ROUNDS = 6
_SHARPNESS = 6.0
# Pseudo-counts of a letter with itself, and of any letter as often as it occurs.
_SAME, _ANY = 2.0, 2.0
# Log odds of a pair before its letters are seen: about one in three is written alike.
_PRIOR = -0.7
_DISTINCT = 400

Letters = tuple[np.ndarray, np.ndarray]
"""Letters of words and how many there are, from `spelling.codes`."""


def correspondence(letters: tuple[Letters, Letters], known: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Mean log odds of each target letter given the source word against any source word.

    Args:
        letters: Of the source words and of the target words.
        known: Rows of the dictionary's pairs, `(k, 2)`, to learn from; without any, a letter stands
            for itself.
        pairs: Rows of the pairs asked about, `(p, 2)`.

    Returns:
        float32 `(p,)`.
    """
    (source, source_lengths), (target, target_lengths) = letters
    numbers = _numbered(source, source_lengths, target, target_lengths)
    sides = numbers[0], source_lengths, numbers[1], target_lengths
    size = int(max(part.max(initial=0) for part in numbers)) + 1
    usual = np.bincount(numbers[1][target > 0], minlength=size) + 1.0
    usual /= usual.sum()
    table = _normalised(np.zeros((size, size)), usual)
    for _ in range(_ROUNDS if len(known) else 0):
        table = _normalised(_counted(*sides, known, table, usual), usual)
    return _odds(*sides, pairs, table, usual)


def _numbered(
    source: np.ndarray, source_lengths: np.ndarray, target: np.ndarray, target_lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The most frequent letters as 1, 2...; all others are 0."""
    seen, counts = np.unique(np.concatenate([source[source > 0], target[target > 0]]), return_counts=True)
    frequent = np.sort(seen[np.argsort(-counts, kind="stable")[:_DISTINCT]])
    numbers = np.zeros(int(seen.max(initial=0)) + 1, np.int64)
    numbers[frequent] = np.arange(1, len(frequent) + 1)
    return numbers[source], numbers[target]


def _normalised(counts: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Chances of a target letter, column, given a source letter, row."""
    smoothed = counts + _SAME * np.eye(len(counts)) + _ANY * usual
    return smoothed / smoothed.sum(axis=1, keepdims=True)


@compiled()
def _counted(
    source: np.ndarray,
    source_lengths: np.ndarray,
    target: np.ndarray,
    target_lengths: np.ndarray,
    pairs: np.ndarray,
    table: np.ndarray,
    usual: np.ndarray,
) -> np.ndarray:
    """Expected counts of letter pairs."""
    counts = np.zeros(table.shape)
    shares = np.zeros((target.shape[1], source.shape[1]))
    for place in range(len(pairs)):
        a, b = pairs[place, 0], pairs[place, 1]
        n, m = source_lengths[a], target_lengths[b]
        total = _PRIOR
        for j in range(m):
            weight = chance = 0.0
            for i in range(n):
                near = np.exp(-_SHARPNESS * abs((i + 0.5) / n - (j + 0.5) / m))
                shares[j, i] = near * table[source[a, i], target[b, j]]
                weight += near
                chance += shares[j, i]
            for i in range(n):
                shares[j, i] /= max(chance, 1e-300)
            total += np.log(max(chance, 1e-300) / max(weight, 1e-300) / usual[target[b, j]])
        alike = 1 / (1 + np.exp(-min(max(total, -50.0), 50.0)))
        for j in range(m):
            for i in range(n):
                counts[source[a, i], target[b, j]] += alike * shares[j, i]
    return counts


@compiled()
def _odds(
    source: np.ndarray,
    source_lengths: np.ndarray,
    target: np.ndarray,
    target_lengths: np.ndarray,
    pairs: np.ndarray,
    table: np.ndarray,
    usual: np.ndarray,
) -> np.ndarray:
    found = np.zeros(len(pairs), np.float32)
    for place in range(len(pairs)):
        a, b = pairs[place, 0], pairs[place, 1]
        n, m = source_lengths[a], target_lengths[b]
        total = 0.0
        for j in range(m):
            weight = chance = 0.0
            for i in range(n):
                near = np.exp(-_SHARPNESS * abs((i + 0.5) / n - (j + 0.5) / m))
                weight += near
                chance += near * table[source[a, i], target[b, j]]
            total += np.log(max(chance, 1e-300) / max(weight, 1e-300) / usual[target[b, j]])
        found[place] = total / max(m, 1)
    return found
