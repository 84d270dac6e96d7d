"""Vocabulary reallocation: which words two languages really share (paper, section 3.1).

Joint training gives one vector to every spelling that occurs in both corpora, however rarely in one
of them. Reallocation "unshares" a spelling that one language has almost to itself.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.multilingual import MultilingualEmbedding, Part
from jointalign.vocabulary import Counts, Vocabulary


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
    usage = Usage.of(joint.vocabulary, source_counts, target_counts)
    to_source, to_target = usage.allocate(gamma)
    noted = replace(joint, settings={**joint.settings, "gamma": float(gamma)})
    shared_rows = by_count(~(to_source | to_target), usage.source + usage.target)
    return BilingualEmbedding(
        _part(noted, by_count(to_source, usage.source), usage.source),
        _part(noted, by_count(to_target, usage.target), usage.target),
        _part(noted, shared_rows, usage.source + usage.target),
        usage.source[shared_rows],
        usage.target[shared_rows],
        source_language,
        target_language,
    )


def reallocate_languages(
    joint: Embedding, counts: MappingType[str, Counts], gamma: float = 0.9
) -> MultilingualEmbedding:
    """Split a joint vocabulary of two or more languages by the set of languages of each word.

    A word belongs to the language where its relative frequency is highest, and to each other in
    whose corpus it occurs, and where its frequency `f` is not too far below the highest, `m`: `f /
    (f + m) >= 1 - gamma`. For two languages this is eq. (6) of the paper, exactly; for more it asks
    each language the same question, against the language that has the best claim to the word.

    Args:
        joint: Embedding trained on all corpora together.
        counts: Word counts of each whole corpus, by language code.
        gamma: As for `reallocate`.

    Returns:
        A part for each set of languages with words; at gamma 1 all words are shared by the
        languages in whose corpora they occur.

    Raises:
        JointalignError: If gamma is outside [0.5, 1], there are fewer than two languages, a corpus
            is empty, or a word occurs in none.

    Example:
        >>> joint = Embedding(Vocabulary(("the", "casa", "radio")), np.eye(3, dtype=np.float32))
        >>> english = Counts.from_pairs([("the", 95), ("radio", 5)])
        >>> spanish = Counts.from_pairs([("the", 1), ("radio", 4), ("casa", 95)])
        >>> german = Counts.from_pairs([("der", 92), ("radio", 8)])
        >>> split = reallocate_languages(joint, {"en": english, "es": spanish, "de": german})
        >>> split.sizes
        {'en': 1, 'es': 1, 'de': 0, 'en+es+de': 1}
    """
    languages = tuple(counts)
    numbers = _numbers(joint.vocabulary, counts)  # (n, k)
    totals = [corpus.total for corpus in counts.values()]
    belongs = _belonging(numbers, totals, _limit(gamma))
    noted = replace(joint, settings={**joint.settings, "gamma": float(gamma)})
    sets = [tuple(row) for row in np.unique(belongs, axis=0).tolist()]
    alone = [tuple(row) for row in np.eye(len(languages), dtype=bool).tolist()]
    parts = []
    for members in alone + sorted(set(sets) - set(alone), key=_by_size):
        columns = numbers[:, members]
        rows = by_count((belongs == members).all(axis=1), columns.sum(axis=1))
        codes = tuple(code for code, here in zip(languages, members, strict=True) if here)
        part = _part(noted, rows, columns.sum(axis=1))
        parts.append(Part(codes, part, columns[rows]))
    return MultilingualEmbedding(languages, tuple(parts))


def _by_size(members: Sequence[bool]) -> tuple[int, list[bool]]:
    """Sets of fewer languages first, then in the order of the languages."""
    return sum(members), [not here for here in members]


def _numbers(joint: Vocabulary, counts: MappingType[str, Counts]) -> np.ndarray:
    for language, corpus in counts.items():
        _check_filled(language, corpus)
    numbers = np.stack([corpus.of(joint.words) for corpus in counts.values()], axis=1)
    _check_seen(joint, numbers.sum(axis=1))
    return numbers


def _belonging(numbers: np.ndarray, totals: Sequence[int], limit: Fraction) -> np.ndarray:
    """Whether each word belongs to each language, bool `(n, k)`."""
    belongs = numbers > 0
    above, below = limit.numerator, limit.denominator - limit.numerator
    rows = np.flatnonzero(belongs.sum(axis=1) > 1)
    # As in `Usage.allocate`, in Python's own integers: frequencies times the product of all totals.
    whole = 1
    for total in totals:
        whole *= total
    frequencies = numbers[rows].astype(object) * np.array([whole // t for t in totals], object)
    highest = frequencies.max(axis=1, keepdims=True) if len(rows) else frequencies
    belongs[rows] &= (frequencies * above >= highest * below).astype(bool)
    return belongs


def by_count(chosen: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Rows where `chosen` holds, by falling count; ties keep the order of the joint vocabulary."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-counts[rows], kind="stable")]


def _part(joint: Embedding, rows: np.ndarray, counts: np.ndarray) -> Embedding:
    words = joint.vocabulary.take(rows).words
    return replace(joint, vocabulary=Vocabulary(words, counts[rows]), vectors=joint.vectors[rows])


@dataclass(frozen=True, eq=False)
class Usage:
    """How often each word of the joint vocabulary occurs in either corpus, int64 `(n,)` each."""

    source: np.ndarray
    target: np.ndarray
    source_total: int
    target_total: int

    @classmethod
    def of(cls, joint: Vocabulary, source_counts: Counts, target_counts: Counts) -> Usage:
        """Look the joint vocabulary's words up in both corpora."""
        for side, counts in (("source", source_counts), ("target", target_counts)):
            _check_filled(side, counts)
        source, target = source_counts.of(joint.words), target_counts.of(joint.words)
        _check_seen(joint, source + target)
        return cls(source, target, source_counts.total, target_counts.total)

    @property
    def overlap(self) -> np.ndarray:
        """Whether a word occurs in both corpora, bool `(n,)`: shared before reallocation."""
        return (self.source > 0) & (self.target > 0)

    @property
    def share(self) -> np.ndarray:
        """Source's share `p` of the two relative frequencies, float64 `(n,)`; for display."""
        source, target = self.source / self.source_total, self.target / self.target_total
        return source / (source + target)

    def allocate(self, gamma: float) -> tuple[np.ndarray, np.ndarray]:
        """Which words go to source and target, bool `(n,)` each; the rest is shared: eq. (6)."""
        limit = _limit(gamma)
        to_source, to_target = self.target == 0, self.source == 0
        # p > a/b <=> c1 T2 (b - a) > c2 T1 a. These products outgrow int64, and rounding would
        # decide words that are exactly on the limit by chance: Python's own integers (dtype object)
        # do neither.
        rows = np.flatnonzero(self.overlap)
        source = self.source[rows].astype(object) * self.target_total
        target = self.target[rows].astype(object) * self.source_total
        above, below = limit.numerator, limit.denominator - limit.numerator
        to_source[rows] = (source * below > target * above).astype(bool)
        to_target[rows] = (target * below > source * above).astype(bool)
        return to_source, to_target


def _limit(gamma: float) -> Fraction:
    """Gamma as the decimal number that it prints as."""
    if not 0.5 <= gamma <= 1:
        raise JointalignError(f"gamma must be from 0.5 to 1, got {gamma}; 0.9 is usual")
    return Fraction(str(float(gamma)))


def _check_filled(name: str, counts: Counts) -> None:
    if counts.total == 0:
        raise JointalignError(f"the counts of the {name} corpus are empty; is it the right file?")


def _check_seen(joint: Vocabulary, counts: np.ndarray) -> None:
    unseen = np.flatnonzero(counts == 0)
    if len(unseen):
        raise JointalignError(
            f"{len(unseen)} words of the joint vocabulary occur in none of the corpora, e.g. "
            f"'{joint.words[unseen[0]]}'; pass the counts of the corpora that the embedding was "
            "trained on, tokenised and lower-cased in the same way"
        )
