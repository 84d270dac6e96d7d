"""How far a joint vocabulary is overshared (section 2.3 of the paper), and what gamma changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from jointalign.checks import checked
from jointalign.embedding import Embedding
from jointalign.lexicon import Lexicon
from jointalign.reallocation import belonging, counts_of
from jointalign.vocabulary import Counts, Vocabulary


@dataclass(frozen=True)
class MovedWord:
    """A spelling found in both corpora that one language keeps.

    Args:
        word: The word.
        share: Source's share `p` of its relative frequencies.
        source_count: Its count in the source corpus.
        target_count: Its count in the target corpus.
    """

    word: str
    share: float
    source_count: int
    target_count: int


@dataclass(frozen=True)
class TouchedPairs:
    """What reallocation does to the pairs of a dictionary.

    Args:
        known: Pairs whose source word occurs in the source corpus and target word in the target
            corpus.
        moved: Those of them with a moved word.
        lost: Those of them with a word that went to the other language, so that they can't be
            learnt or scored.
    """

    known: int
    moved: int
    lost: int


@dataclass(frozen=True)
class OversharingRow:
    """What one value of gamma does.

    Args:
        gamma: The value.
        source_only: Words of the source alone.
        target_only: Words of the target alone.
        shared: Words left shared.
        moved_to_source: Words of the initial overlap that went to the source.
        moved_to_target: Words of the initial overlap that went to the target.
        examples: The most frequent moved words, falling.
        training: Effect on the training dictionary, `None` without one.
        test: Effect on the test dictionary, `None` without one.
    """

    gamma: float
    source_only: int
    target_only: int
    shared: int
    moved_to_source: int
    moved_to_target: int
    examples: tuple[MovedWord, ...]
    training: TouchedPairs | None
    test: TouchedPairs | None


@dataclass(frozen=True)
class OversharingReport:
    """What reallocation does to a joint vocabulary, for several values of gamma.

    Args:
        overlap: Words that occur in both corpora: shared before reallocation.
        rows: One row a gamma, in the order asked for.
    """

    overlap: int
    rows: tuple[OversharingRow, ...]

    def __str__(self) -> str:
        """One line a gamma, with the most frequent words it moves and their share `p`."""
        table = [_HEAD, *(_cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(cells[:-1], widths[:-1], strict=True))
            + f"  {cells[-1]}"
            for cells in table
        ]
        title = f"{self.overlap} words occur in both corpora"
        return "\n".join(line.rstrip() for line in [title, *lines])

    def to_json(self) -> dict[str, Any]:
        """All of it as plain types."""
        return asdict(self)


_HEAD = (
    "gamma",
    "source",
    "target",
    "shared",
    "to source",
    "to target",
    "training lost",
    "test lost",
    "moved",
)


def _cells(row: OversharingRow) -> tuple[str, ...]:
    sizes = (row.source_only, row.target_only, row.shared, row.moved_to_source, row.moved_to_target)
    lost = ("-" if pairs is None else f"{pairs.lost}/{pairs.known}" for pairs in (row.training, row.test))
    moved = ", ".join(f"{moved.word} {moved.share:.3f}" for moved in row.examples[:4])
    return (f"{row.gamma:g}", *map(str, sizes), *lost, moved)


@checked
def oversharing(
    joint: Embedding,
    source_counts: Counts,
    target_counts: Counts,
    gammas: Iterable[float] = (0.7, 0.8, 0.9, 0.95, 1.0),
    training: Lexicon | None = None,
    test: Lexicon | None = None,
    examples: int = 20,
) -> OversharingReport:
    """Count what reallocation would do, before choosing gamma.

    Args:
        joint: Embedding trained on both corpora together.
        source_counts: Word counts of the source corpus.
        target_counts: Word counts of the target corpus.
        gammas: Values to try; the default adds 1, no reallocation, to those of the paper (0.7 to
            0.95).
        training: Training dictionary, to count the pairs that are touched.
        test: Test dictionary, likewise. Only counted: nothing is chosen by it.
        examples: How many moved words to name for each gamma.

    Raises:
        JointalignError: As `reallocate`.

    Example:
        >>> joint = Embedding(Vocabulary(("the", "radio")), np.eye(2, dtype=np.float32))
        >>> english = Counts.from_pairs([("the", 95), ("radio", 5)])
        >>> spanish = Counts.from_pairs([("the", 1), ("radio", 99)])
        >>> row = oversharing(joint, english, spanish, gammas=[0.96]).rows[0]
        >>> row.shared, [moved.word for moved in row.examples]
        (1, ['the'])
    """
    corpora = {"source": source_counts, "target": target_counts}
    counts = counts_of(joint.vocabulary, corpora)
    totals = [corpus.total for corpus in corpora.values()]
    overlap = np.all(counts > 0, axis=1)
    rows = []
    for gamma in gammas:
        belongs = belonging(counts, totals, gamma)
        shared = np.all(belongs, axis=1)
        to_source, to_target = (~belongs[:, ::-1]).T
        moved = overlap & ~shared
        row = OversharingRow(
            gamma=float(gamma),
            source_only=int(to_source.sum()),
            target_only=int(to_target.sum()),
            shared=int(shared.sum()),
            moved_to_source=int((moved & to_source).sum()),
            moved_to_target=int((moved & to_target).sum()),
            examples=_most_frequent(joint.vocabulary, counts, totals, moved, examples),
            training=_touched(joint.vocabulary, counts, belongs, training),
            test=_touched(joint.vocabulary, counts, belongs, test),
        )
        rows.append(row)
    return OversharingReport(int(overlap.sum()), tuple(rows))


def _most_frequent(
    joint: Vocabulary, counts: np.ndarray, totals: Sequence[int], moved: np.ndarray, size: int
) -> tuple[MovedWord, ...]:
    rows = np.flatnonzero(moved)
    rows = rows[np.argsort(-counts[rows].sum(axis=1), kind="stable")][:size]
    frequencies = counts[rows] / totals
    shares = frequencies[:, 0] / frequencies.sum(axis=1)
    return tuple(
        MovedWord(joint.words[row], share, *counts[row].tolist())
        for row, share in zip(rows.tolist(), shares.tolist(), strict=True)
    )


def _touched(
    joint: Vocabulary, counts: np.ndarray, belongs: np.ndarray, lexicon: Lexicon | None
) -> TouchedPairs | None:
    if lexicon is None:
        return None
    pairs = lexicon.rows(joint, joint)  # (k, 2)
    sides = np.arange(2)
    pairs = pairs[(counts[pairs, sides] > 0).all(axis=1)]
    moved = np.logical_and((counts > 0).all(axis=1), ~belongs.all(axis=1))
    lost = ~belongs[pairs, sides].all(axis=1)
    return TouchedPairs(len(pairs), int(moved[pairs].any(axis=1).sum()), int(lost.sum()))
