"""Vocabulary reallocation: which words two languages really share (paper, section 3.1).

Joint training gives one vector to every spelling that occurs in both corpora, however rarely in one
of them. Reallocation "unshares" a spelling that one language has almost to itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.vocabulary import Counts, Vocabulary


@checked
def reallocate(
    joint: Embedding,
    source_counts: Counts,
    target_counts: Counts,
    gamma: float = 0.9,
    source_language: str = "source",
    target_language: str = "target",
) -> BilingualEmbedding:
    """Split a joint vocabulary into words of the source, words of the target, and shared words.

    Let `p = f1 / (f1 + f2)` be the source's share of a word's two relative frequencies, each `count
    / tokens of that corpus`. A word seen in both corpora stays shared if `1 - gamma <= p <= gamma`;
    otherwise it goes where it is more frequent. This is eq. (6), written without its division by
    zero at `gamma = 1`. A word seen in one corpus only belongs there, whatever gamma is. Vectors
    are not changed.

    Both limits are inclusive, as in the paper, and exact: gamma is taken as the decimal number it
    prints as. The authors' released code moves a word that is exactly on a limit.

    Args:
        joint: Embedding trained on both corpora together.
        source_counts: Word counts of the source corpus: the whole corpus, not only the words of
            `joint`.
        target_counts: Word counts of the target corpus, likewise.
        gamma: From 0.5 (shared only if equally frequent) to 1 (everything seen in both is shared:
            joint training without reallocation). The released scripts use 0.9; the paper chooses
            from 0.7, 0.8, 0.9 and 0.95 on validation data, as `jointalign.choose` does.
        source_language: Code of the source language, kept in the result.
        target_language: Code of the target language, kept in the result.

    Returns:
        Three disjoint parts, each by falling count in its own language (`shared`: both counts
        added).

    Raises:
        JointalignError: If gamma is outside [0.5, 1], a corpus is empty, or a word occurs in
            neither.

    Example:
        >>> joint = Embedding(Vocabulary(("the", "casa", "radio")), np.eye(3, dtype=np.float32))
        >>> english = Counts.from_pairs([("the", 95), ("radio", 5)])
        >>> spanish = Counts.from_pairs([("the", 1), ("radio", 4), ("casa", 95)])
        >>> split = reallocate(joint, english, spanish, gamma=0.9)
        >>> split.source_only.words, split.target_only.words, split.shared.words
        (('the',), ('casa',), ('radio',))
    """
    corpora = {"source": source_counts, "target": target_counts}
    counts = counts_of(joint.vocabulary, corpora)
    belongs = belonging(counts, [corpus.total for corpus in corpora.values()], gamma)
    noted = replace(joint, settings={**joint.settings, "gamma": float(gamma)})
    sets = np.array([[True, False], [False, True], [True, True]])
    (source_only, _), (target_only, _), (shared, rows) = (
        part_of(noted, counts, belongs, members) for members in sets
    )
    source_shared, target_shared = counts[rows, 0], counts[rows, 1]
    return BilingualEmbedding(
        source_only, target_only, shared, source_shared, target_shared, source_language, target_language
    )


def part_of(
    joint: Embedding, counts: np.ndarray, belongs: np.ndarray, members: np.ndarray
) -> tuple[Embedding, np.ndarray]:
    """The words of one set of languages, by falling count in all of them; ties keep the joint order.

    Args:
        joint: Embedding trained on all corpora together.
        counts: Count of each word in each corpus, int64 `(n, k)`.
        belongs: Which languages each word belongs to, bool `(n, k)`.
        members: Which languages the set has, bool `(k,)`.

    Returns:
        The part, and its rows in `joint`, int64 `(m,)`.
    """
    rows = np.flatnonzero((belongs == members).all(axis=1))
    together = counts[rows][:, members].sum(axis=1)
    order = np.argsort(-together, kind="stable")
    rows = rows[order]
    vocabulary = Vocabulary(joint.vocabulary.take(rows).words, together[order])
    return replace(joint, vocabulary=vocabulary, vectors=joint.vectors[rows]), rows


def belonging(counts: np.ndarray, totals: Sequence[int], gamma: float) -> np.ndarray:
    """Which languages each word belongs to: eq. (6), for any number of languages.

    Those in whose corpora it occurs, and where its relative frequency `f` is not too far below its
    highest, `m`: `f / (f + m) >= 1 - gamma`. Of two languages, a word is shared if it is in both.

    Args:
        counts: Count of each word in each corpus, int64 `(n, k)`.
        totals: Tokens of each corpus.
        gamma: As for `reallocate`.

    Returns:
        bool `(n, k)`.

    Raises:
        JointalignError: If gamma is outside [0.5, 1].

    Example:
        >>> belonging(np.array([[95, 1], [5, 4], [0, 95]]), (100, 100), 0.9).tolist()
        [[True, False], [True, True], [False, True]]
    """
    if not 0.5 <= gamma <= 1:
        raise JointalignError(f"gamma must be from 0.5 to 1, got {gamma}; 0.9 is usual")
    limit = Fraction(str(float(gamma)))  # the decimal number that it prints as
    belongs = counts > 0
    rows = np.flatnonzero(belongs.sum(axis=1) > 1)
    # Frequencies times the product of all totals outgrow int64, and rounding would decide words
    # that are exactly on the limit by chance: Python's own integers (dtype object) do neither.
    whole = math.prod(totals)
    frequencies = counts[rows].astype(object) * np.array([whole // total for total in totals], object)
    highest = frequencies.max(axis=1, keepdims=True)
    least = highest * (limit.denominator - limit.numerator)
    belongs[rows] &= (frequencies * limit.numerator >= least).astype(bool)
    return belongs


def counts_of(joint: Vocabulary, corpora: Mapping[str, Counts]) -> np.ndarray:
    """Count of each word of a joint vocabulary in each corpus, int64 `(n, k)`.

    Raises:
        JointalignError: If a corpus has no words, or a word occurs in none of them.
    """
    for name, corpus in corpora.items():
        if corpus.total == 0:
            raise JointalignError(f"the counts of the {name} corpus are empty; is it the right file?")
    counts = np.stack([corpus.of(joint.words) for corpus in corpora.values()], axis=1)
    unseen = np.flatnonzero(~counts.any(axis=1))
    if len(unseen):
        raise JointalignError(
            f"{len(unseen)} words of the joint vocabulary occur in none of the corpora, e.g. "
            f"'{joint.words[unseen[0]]}'; pass the counts of the corpora that the embedding was "
            "trained on, tokenised and lower-cased in the same way"
        )
    return counts
