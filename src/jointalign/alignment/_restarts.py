"""Several adversarial games on the same vectors: play, refine, choose one, judge it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from jointalign.alignment._adversary import Game, Played, import_torch, play, to_tensor
from jointalign.alignment._induction import DICTIONARY_RANK, Direction, mean_csls
from jointalign.alignment._refining import Refinement, Round, agreement
from jointalign.alignment._verdict import AGREED, RANDOM_MAPS, succeeded
from jointalign.alignment.base import Array, as_numpy

logger = logging.getLogger(__name__)

History = dict[str, tuple[float, ...]]


class Run(NamedTuple):
    """One map and its refinement.

    Args:
        played: The game that the map comes from; `None` for a random map.
        rounds: The start of the refinement and each round.
    """

    played: Played | None
    rounds: list[Round]

    @property
    def best(self) -> Round:
        """The round of the highest criterion."""
        return max(self.rounds, key=lambda each: each.criterion)


@dataclass(frozen=True, eq=False)
class Restarts:
    """Games from several seeds on the same vectors.

    Args:
        game: Settings of each.
        games: How many at most.
        rounds: Rounds of refinement after each.
        neighbourhood: k of CSLS.
        x: Source vectors of length one, NumPy or torch, `(n, d)`.
        z: Target vectors, `(m, d)`.
    """

    game: Game
    games: int
    rounds: int
    neighbourhood: int
    x: Array
    z: Array

    def best(self, seed: int) -> tuple[Array, History]:
        """Play until a map has worked or the games are over.

        Returns:
            The chosen map, `(d, d)`, and its history as `MUSE.fit` tells.
        """
        import_torch()
        seeds = np.random.SeedSequence(seed).spawn(self.games + RANDOM_MAPS)
        random = [self._refine(None, self._rotation(each)) for each in seeds[self.games :]]
        baseline = tuple(run.best.criterion for run in random)
        runs: list[Run] = []
        while True:
            runs.append(self._play(seeds[len(runs)], first=not runs))
            chosen, shares = _chosen(runs, random)
            worked = succeeded(chosen.best.criterion, baseline, shares)
            if worked or len(runs) == self.games:
                break
        logger.log(
            logging.INFO if worked else logging.WARNING,
            "MUSE: criterion %.3f, of random maps at most %.3f, agreement with other starts at most %.3f: %s",
            *(chosen.best.criterion, max(baseline), max(shares)),
            "it worked"
            if worked
            else "no sign of success. Do not trust this map: use a dictionary, if only of "
            "identical strings, or raise restarts and epochs",
        )
        played = chosen.played
        return chosen.best.matrix, {
            "loss": played.losses if played else (),
            "criterion": (played.criterion if played else ())
            + tuple(each.criterion for each in chosen.rounds),
            "restarts": tuple(run.best.criterion for run in runs),
            "agreement": shares,
            "baseline": baseline,
        }

    def _play(self, seed: np.random.SeedSequence, *, first: bool) -> Run:
        xp: Any = array_namespace(self.x)
        d = self.x.shape[1]
        identity = xp.eye(d, dtype=self.x.dtype, device=device(self.x))
        start = identity if first else self._rotation(seed)

        def criterion(matrix: Array) -> float:
            moved = self.x @ self._like(matrix)
            return mean_csls(moved, self.z, neighbourhood=self.neighbourhood)

        x, z, begin = (to_tensor(each) for each in (self.x, self.z, start))
        played = play(self.game, x, z, begin, criterion, int(seed.generate_state(1)[0]))
        return self._refine(played, self._like(played.matrix))

    def _refine(self, played: Played | None, start: Array) -> Run:
        refinement = Refinement(Direction.FORWARD, DICTIONARY_RANK, self.neighbourhood)
        rounds = refinement.rounds(self.x, self.z, start)
        return Run(played, list(islice(rounds, self.rounds + 1)))

    def _rotation(self, seed: np.random.SeedSequence) -> Array:
        """A random rotation or reflection, `(d, d)`."""
        d = self.x.shape[1]
        q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))
        return self._like(q * np.sign(np.diag(r)))

    def _like(self, matrix: Array) -> Array:
        """A matrix of any library as one of that of the vectors."""
        if is_torch_array(matrix) and is_torch_array(self.x):
            return matrix
        xp: Any = array_namespace(self.x)
        return xp.asarray(as_numpy(matrix), dtype=self.x.dtype, device=device(self.x))


def _chosen(runs: list[Run], random: list[Run]) -> tuple[Run, tuple[float, ...]]:
    """The run of the highest criterion, among those that another confirms if there are such.

    Returns:
        The run, and its agreement with each other run in order, then with the random maps.
    """
    shares = [
        tuple(agreement(run.best, other.best) for other in [*runs, *random] if other is not run)
        for run in runs
    ]
    confirmed = [place for place in range(len(runs)) if max(shares[place]) >= AGREED]
    place = max(confirmed or range(len(runs)), key=lambda place: runs[place].best.criterion)
    return runs[place], shares[place]
