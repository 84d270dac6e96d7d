"""The alignment of a run that has no dictionary."""

from __future__ import annotations

from typing import Any

from jointalign.alignment.api import apply, fit, noted
from jointalign.alignment.unsupervised import align_unsupervised, trusted
from jointalign.embedding import BilingualEmbedding
from jointalign.progress import Progress
from jointalign.selection.api import FIRST_GAMMA
from jointalign.selection.base import Spaces, described
from jointalign.selection.wishes import Wishes


def align_without_dictionary(
    spaces: Spaces, wishes: Wishes, seed: int, progress: Progress | None
) -> tuple[BilingualEmbedding, BilingualEmbedding, dict[str, Any]]:
    """Reallocate with the paper's gamma and align.

    Args:
        spaces: The joint embedding.
        wishes: Method, or `auto` for the first way that works; gamma, by default 0.9, since nothing
            can be held out.
        seed: Of the method.
        progress: Told which way is gone.

    Returns:
        Reallocated, aligned, and the facts of the choice as in `Choice.to_json`.
    """
    gamma = FIRST_GAMMA if wishes.gamma is None else wishes.gamma
    split = spaces.split(gamma)
    facts: dict[str, Any] = {"space": "joint", "gamma": gamma, "held_out": 0, "trials": []}
    if not wishes.automatic:
        mapping = fit(split, wishes.aligner, seed=seed)
        verdict = trusted(split, wishes.aligner, mapping, seed=seed)
        facts |= {"method": described(wishes.aligner), "reason": "as given", "worked": verdict}
        return split, apply(mapping, split, noted(wishes.aligner, seed)), facts
    found = align_unsupervised(split, seed=seed, progress=progress)
    aligned = apply(found.mapping, split, noted(found.method, seed))
    reason = "; ".join(str(attempt) for attempt in found.attempts)
    facts |= {"method": described(found.method), "reason": reason, "worked": found.worked}
    return split, aligned, facts
