"""The rows of Table 1 that leave a step of the framework out, from the same trainings."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from jointalign.alignment.api import align
from jointalign.alignment.base import Aligner
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.lexicon import Lexicon
from jointalign.reallocation import reallocate
from jointalign.vocabulary import Counts


class System(StrEnum):
    """What a row of the table is made of."""

    JOINT = "joint"
    """Unsupervised joint training alone: all words seen in both corpora stay shared."""

    JOINT_WITHOUT_ALIGNMENT = "joint_without_alignment"
    """Joint training and vocabulary reallocation ("w/o AR")."""

    JOINT_WITHOUT_REALLOCATION = "joint_without_reallocation"
    """Joint training and alignment refinement ("w/o VR")."""

    ALIGN = "align"
    """Two independent trainings and a mapping."""

    JOINT_ALIGN = "joint_align"
    """The whole framework."""


TITLES = {
    System.JOINT: "Joint",
    System.JOINT_WITHOUT_ALIGNMENT: "Joint-Align without alignment",
    System.JOINT_WITHOUT_REALLOCATION: "Joint-Align without reallocation",
    System.ALIGN: "Align (two trainings)",
    System.JOINT_ALIGN: "Joint-Align",
}


def unaligned(
    joint: Embedding, source_counts: Counts, target_counts: Counts, gamma: float
) -> Iterator[tuple[System, BilingualEmbedding]]:
    """The two systems that use no dictionary, one after the other."""
    yield System.JOINT, reallocate(joint, source_counts, target_counts, 1.0)
    split = reallocate(joint, source_counts, target_counts, gamma)
    yield System.JOINT_WITHOUT_ALIGNMENT, split


def aligned(
    joint: Embedding,
    source_counts: Counts,
    target_counts: Counts,
    separate: BilingualEmbedding | None,
    lexicon: Lexicon,
    method: Aligner,
    gamma: float,
    *,
    seed: int = 0,
) -> Iterator[tuple[System, BilingualEmbedding]]:
    """The systems that learn a mapping from a dictionary, one after the other.

    Args:
        joint: Trained on both corpora together.
        source_counts: Word counts of the source corpus.
        target_counts: Word counts of the target corpus.
        separate: Two independent trainings; `None` leaves that row out.
        lexicon: Training dictionary.
        method: Learns the mapping.
        gamma: For reallocation.
        seed: Of the method.
    """
    overshared = reallocate(joint, source_counts, target_counts, 1.0)
    yield System.JOINT_WITHOUT_REALLOCATION, align(overshared, method, lexicon, seed=seed)
    if separate is not None:
        yield System.ALIGN, align(separate, method, lexicon, seed=seed)
    split = reallocate(joint, source_counts, target_counts, gamma)
    yield System.JOINT_ALIGN, align(split, method, lexicon, seed=seed)
