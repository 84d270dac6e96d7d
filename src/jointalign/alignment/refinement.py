"""Procrustes with refinement: the dictionary teaches a map, the map finds a larger dictionary.

Rounds of {dictionary found by CSLS, together with the given one; Procrustes}, like the refinement
of Conneau et al. (2018) and the self-learning of Artetxe et al. (2017). Refining can hurt a good
dictionary: here it ends when it does, and the best round wins, which may be plain Procrustes.

Differences from the authors' code of both: the given pairs stay in every round; the round is chosen
on held-out pairs, not on the test dictionary; where there are too few pairs to hold any out, the
unsupervised criterion chooses; and where the pairs do not span the space, the first dictionary is
searched in their span only (Procrustes turns the other directions arbitrarily, which drowns what 25
pairs tell).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment._induction import DICTIONARY_RANK, Direction
from jointalign.alignment._orthogonal import cross_product
from jointalign.alignment._refining import Refinement, Round, hold_out, procrustes
from jointalign.alignment.base import Aligner, Array, Mapping
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.errors import JointalignError
from jointalign.ranges import check_ranges, within

logger = logging.getLogger(__name__)

PATIENCE = 2
"""Rounds without a new best that end the search: one may be chance where few pairs are held out."""

_ROUNDS = 20  # that are usually made, for estimates


@dataclass(frozen=True)
class RefinedProcrustes(Aligner):
    """A rotation, learnt from the dictionary and from what the rotation finds, while that helps.

    Choose it for small dictionaries, of some 25 to 1000 pairs, which it extends by itself; with
    thousands of pairs it costs some searches to learn whether refining helps, and is Procrustes if
    it does not.

    Args:
        rounds: At most so many; small dictionaries need some tens of them. Ours.
        direction: Of the dictionaries found; by default those of both directions together, as in
            Conneau et al.'s supervised code.
        rank: Only words up to it are in the dictionaries found; Conneau et al. (2018).
        cutoff: Only so many of the most frequent words of either side take part in the search;
            `None`: all. Artetxe et al. (2018).
        neighbourhood: k of CSLS.
        held_out: Share of the dictionary's source words, each with all its translations, to choose
            the round by. Where that is under 50 words, the mean CSLS of frequent words chooses.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> z = rng.standard_normal((300, 8)).astype(np.float32)
        >>> z /= np.linalg.norm(z, axis=1, keepdims=True)
        >>> x = z[:, ::-1]
        >>> mapping = RefinedProcrustes().fit(x, z, np.stack([np.arange(5)] * 2, axis=1))
        >>> np.allclose(x @ mapping.source, z, atol=1e-5)
        True
    """

    rounds: int = within(50, least=0)
    direction: Direction = Direction.UNION
    rank: int | None = within(DICTIONARY_RANK, least=1)
    cutoff: int | None = within(20_000, least=1)
    neighbourhood: int = within(10, least=1)
    held_out: float = within(0.2, least=0, below=1)

    def __post_init__(self) -> None:
        if self.direction not in tuple(Direction):
            raise JointalignError(f"direction must be one of {', '.join(Direction)}, got {self.direction}")
        check_ranges(self)

    def searches(self, words: int, pairs: int) -> float:
        """Two a round."""
        return 2.0 * min(self.rounds, _ROUNDS)

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Learn the rotation of the source; see `Aligner.fit`. The seed draws the held-out words.

        The history: `criterion`, the mean CSLS of frequent words, and, if pairs are held out,
        `held_out`, the P@1 on them, of Procrustes and of each round that was tried. The round that
        was best on held-out pairs is then learnt again from all pairs.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or there are no valid pairs.
        """
        xp = check_vectors(x, z)
        rows = check_pairs(pairs, x, z, "refined Procrustes")
        train, held_out = hold_out(rows, self.held_out, np.random.default_rng(seed))
        refinement = Refinement(self.direction, self.rank, self.neighbourhood, self.cutoff)
        start, whole = _start(x, z, train)
        rounds = refinement.rounds(x, z, start, given=train, held_out=held_out)
        first = 0 if whole or not self.rounds else 1
        tried = list(_while_it_helps(islice(rounds, self.rounds + 1), first, held_out is not None))
        history = {"criterion": tuple(each.criterion for each in tried)}
        if held_out is not None:
            history["held_out"] = tuple(each.precision for each in tried)
        scores = history["criterion" if held_out is None else "held_out"]
        best = first + int(np.argmax(scores[first:]))
        logger.info("refined Procrustes: round %d is best of %d", best, len(tried) - 1)
        if best == 0:
            matrix = procrustes(x, z, rows)
        elif held_out is None:
            matrix = tried[best].matrix
        else:
            matrix = refinement.after(x, z, _start(x, z, rows)[0], best, given=rows)
        identity = xp.eye(z.shape[1], dtype=z.dtype, device=device(z))
        return Mapping(source=matrix, target=identity, history=history)


def _start(x: Array, z: Array, pairs: np.ndarray) -> tuple[Array, bool]:
    """The map to begin with, `(d, d)`, and whether it is a rotation of the whole space.

    Where the pairs do not span the space, it maps their span as Procrustes does, and all else to
    zero.
    """
    xp = array_namespace(x, z)
    u, s, vt = xp.linalg.svd(cross_product(x, z, pairs), full_matrices=False)
    spanned = xp.astype(s > 1e-6 * s[0], s.dtype)  # (d,)
    return xp.astype((u * spanned[None, :]) @ vt, x.dtype), bool(xp.all(spanned > 0))


def _while_it_helps(rounds: Iterator[Round], first: int, held_out: bool) -> Iterator[Round]:
    """Rounds until `PATIENCE` of them in succession bring no new best.

    Args:
        rounds: All of them, the start being number 0.
        first: The first that counts.
        held_out: Whether precision or the criterion counts.
    """
    best, stale = -math.inf, 0
    for number, each in enumerate(rounds):
        yield each
        if number < first:
            continue
        score = each.precision if held_out else each.criterion
        logger.info("refinement round %d: %.4f", number, score)
        stale = 0 if score > best else stale + 1
        best = max(best, score)
        if stale == PATIENCE:
            return
