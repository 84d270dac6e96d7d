"""First pairs from two spaces alone (Artetxe et al. 2018b, section 3.2).

A word's similarities to all words of its own language, sorted, hardly depend on the language: the
sorted rows of two similarity matrices can be compared though no word of one language is known in
the other. The similarity matrix is the square root of X X^T, which works better than X X^T itself.
"""

from __future__ import annotations

import numpy as np

from jointalign.alignment._induction import Direction
from jointalign.alignment._matches import best_matches, matched_pairs
from jointalign.alignment._normalised import Normalisation, normalised
from jointalign.alignment._sweep import Dropout


def first_pairs(
    x: np.ndarray, z: np.ndarray, normalisation: Normalisation, neighbourhood: int, direction: Direction
) -> np.ndarray:
    """Match words by their similarities to their own language.

    Args:
        x: Normalised vectors of the most frequent source words, `(n, d)`.
        z: As many of the target.
        normalisation: Done to the rows of sorted similarities, too.
        neighbourhood: Words in CSLS's r; 0: plain products.
        direction: Whose best matches are the pairs.

    Returns:
        Source and target rows, int64 `(k, 2)`.
    """
    everything = Dropout(probability=1.0, key=0)
    source = normalised(similarity_profiles(x), normalisation)
    target = normalised(similarity_profiles(z), normalisation)
    matches = best_matches(source, target, neighbourhood, (everything, everything))
    return matched_pairs(matches, direction)


def similarity_profiles(x: np.ndarray) -> np.ndarray:
    """The sorted similarities of words to each other.

    Args:
        x: Normalised vectors, `(n, d)`.

    Returns:
        float32 `(n, n)`, each row ascending.

    Example:
        >>> similarity_profiles(np.array([[2.0, 0.0], [0.0, 1.0]])).tolist()
        [[0.0, 2.0], [0.0, 1.0]]
    """
    # With X = U S V^T, the square root of X X^T = U S^2 U^T is U S U^T.
    u, s, _ = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    u = u.astype(np.float32)
    return np.sort((u * s.astype(np.float32)) @ u.T, axis=1)
