"""Self-learning with stochastic dictionary induction (Artetxe et al. 2017, 2018b section 3.3).

Rotate by the pairs, find new pairs in the rotated spaces, and so on. Random entries of the
similarity matrix are dropped, so that the search does not stay in the first poor solution; when the
objective has not improved for a while, fewer are dropped, and at last none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from jointalign.alignment._induction import Direction
from jointalign.alignment._matches import Matches, best_matches, matched_pairs
from jointalign.alignment._orthogonal import closest_orthogonal
from jointalign.alignment._sweep import Dropout

logger = logging.getLogger(__name__)


class Step(NamedTuple):
    """What an iteration gives the next.

    Args:
        matches: The best matches of both sides.
        products: Cross product of the new pairs' vectors, float64 `(d, d)`.
    """

    matches: Matches
    products: np.ndarray


@dataclass(frozen=True)
class SelfLearning:
    """The settings of the loop, as in `VecMap`.

    Args:
        direction: Whose matches are the new pairs; a pair of both directions counts twice.
        csls_neighbourhood: Words in CSLS's r; 0: plain products.
        stochastic_initial: Share of the similarity matrix that is kept at first.
        stochastic_multiplier: By what it grows.
        stochastic_interval: Iterations without improvement before it does.
        threshold: What counts as improvement of the objective.
        maximum_iterations: After so many it ends anyway; `None`: no limit.
    """

    direction: Direction
    csls_neighbourhood: int
    stochastic_initial: float
    stochastic_multiplier: float
    stochastic_interval: int
    threshold: float
    maximum_iterations: int | None

    def learn(
        self, x: np.ndarray, z: np.ndarray, products: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, MappingType[str, tuple[float, ...]]]:
        """Grow a dictionary.

        Args:
            x: Normalised vectors of the source words that take part, float32 `(n, d)`.
            z: Those of the target, `(m, d)`.
            products: Cross product of the first pairs' vectors, float64 `(d, d)`.
            rng: What is random: the entries that are dropped.

        Returns:
            The last pairs, int64 `(k, 2)`, and for each iteration the `objective`, the mean of the
            highest product of each word, and the `kept` share of entries.
        """
        share, best, improved = self.stochastic_initial, -np.inf, 0
        matches, objectives, shares = None, [], []
        for iteration in count(1):
            if iteration - improved > self.stochastic_interval:
                if share >= 1:
                    break
                share, improved = min(1.0, self.stochastic_multiplier * share), iteration
                logger.info("iteration %d: dropout keeps %g of the entries", iteration, share)
            matches, products = self.step(x, z, products, share, rng, matches)
            objective = self._objective(matches)
            objectives.append(objective)
            shares.append(share)
            if objective - best >= self.threshold:
                best, improved = objective, iteration
            if iteration == self.maximum_iterations:
                break
        logger.info("self-learning: %d iterations, objective %.4f", len(objectives), best)
        assert matches is not None  # the first iteration always takes place
        return matched_pairs(matches, self.direction), {"objective": tuple(objectives), "kept": tuple(shares)}

    def step(
        self,
        x: np.ndarray,
        z: np.ndarray,
        products: np.ndarray,
        share: float,
        rng: np.random.Generator,
        before: Matches | None,
    ) -> Step:
        """One iteration: rotate by the pairs' cross product, match, and sum over the new pairs."""
        # Threads of so small a decomposition mostly wait for each other.
        with self._libraries.limit(limits=1):
            rotation = closest_orthogonal(products).astype(x.dtype)
        forward, backward = (int(key) for key in rng.integers(2**64, size=2, dtype=np.uint64))
        dropouts = Dropout(share, forward), Dropout(share, backward)
        matches = best_matches(x @ rotation, z, self.csls_neighbourhood, dropouts, before)
        return Step(matches, self._products(x, z, matches))

    @cached_property
    def _libraries(self) -> ThreadpoolController:
        """Found once: to find them takes longer than to decompose a small matrix."""
        return ThreadpoolController()

    def _products(self, x: np.ndarray, z: np.ndarray, matches: Matches) -> np.ndarray:
        """Cross product of `matched_pairs`, float64 `(d, d)`, summed in float32.

        That does, unlike for a given dictionary: so many pairs reach into all dimensions.
        """
        products = np.zeros((x.shape[1], z.shape[1]))
        if self.direction is not Direction.BACKWARD:
            products += x.T @ z[matches.forward.best]
        if self.direction is not Direction.FORWARD:
            products += x[matches.backward.best].T @ z
        return products

    def _objective(self, matches: Matches) -> float:
        forward = float(matches.forward.highest.mean(dtype=np.float64))
        backward = float(matches.backward.highest.mean(dtype=np.float64))
        if self.direction is Direction.FORWARD:
            return forward
        return backward if self.direction is Direction.BACKWARD else (forward + backward) / 2
