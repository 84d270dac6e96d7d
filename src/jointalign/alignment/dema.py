"""DeMa-BWE (Zhou et al. 2019): density matching.

Each language is a mixture of Gaussians around its frequent words. Two linear maps, one a direction,
are learnt such that words of one language, moved, are likely under the mixture of the other, words
of like frequency above all; that going there and back leads home; and that translations, if some
are given, meet. In the paper these are identical strings, `Lexicon.identical_strings`.

Differences from the authors' code: the slope of the mixture is in closed form, in blocks, not kept
for a backward pass; the second map starts as the inverse of the first (theirs: two unrelated
rotations); the source's map alone is chosen and returned, as the reverse direction is another fit;
the criterion also looks at the start. Not here: the retrieval by density (CSLS-D).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import device

from jointalign.alignment._adversary import import_torch, to_tensor
from jointalign.alignment._density import DensityMatching, Side
from jointalign.alignment._induction import DICTIONARY_RANK, Direction, mean_csls
from jointalign.alignment._refining import Refinement, procrustes
from jointalign.alignment.base import Aligner, Array, Mapping, Supervision, as_numpy
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.numerics.normalize import iterative
from jointalign.ranges import check_ranges, within

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DeMaBWE(Aligner):
    """Density matching with weak supervision: for large corpora and a GPU; `small()` for others.

    The defaults are those of the authors' scripts, for a GPU (arrays on a GPU stay there): on a
    processor a step of them took 2.5 s of processor time, so that 150,000 steps are days. A step of
    `small()` took 0.4 s.

    Without pairs it starts from a random rotation, from which it rarely finds the way.

    Args:
        steps: Steps of Adam.
        batch_size: Words of each language in a step.
        most_frequent: Centres of each mixture, and words drawn: so many of the most frequent.
        temperature: How little it matters whether two words have the same rank.
        source_noise: Variance of the noise on each coordinate of source words before they move.
        target_noise: The same of target words. Authors: 0.015 for el, pl, hu, tr, fi and zh; 0.02
            for et.
        source_spread: Variance of the mixture around source words.
        target_spread: The same around target words. Authors: as `target_noise`.
        back_translation: Weight of the way there and back, for each direction.
        supervision_weight: Weight of the pairs, for each direction. Authors: 5 for zh.
        maximum_pairs: Only the pairs of the most frequent source words are learnt from, so many;
            identical strings of rare words mislead. Authors: 6000 for ru, el, pl, hu, fi and zh,
            8000 for et, 10,000 for tr. `None`: all.
        learning_rate: Of Adam.
        learning_rate_decay: Factor on it after each step.
        check_every: Steps after which the criterion, the mean CSLS of frequent words, judges the
            map; the best one is the result.
        criterion_words: The criterion searches so many of the most frequent words of each side.
        neighbourhood: k of CSLS.
        refinements: Rounds of {dictionary found by CSLS; Procrustes} afterwards, of which again the
            best counts. The paper reports results with 0 and with 5.
        start_from_pairs: Start from the Procrustes map of the pairs, not from a random rotation.
            Ours: it saves the first thousands of steps.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> z = rng.standard_normal((200, 5)).astype(np.float32)
        >>> x, pairs = z[:, [1, 2, 3, 4, 0]], np.stack([np.arange(50)] * 2, axis=1)
        >>> mapping = DeMaBWE(steps=20, batch_size=50, start_from_pairs=True).fit(x, z, pairs)
        >>> len(mapping.source_means), mapping.source.shape
        (1, (5, 5))
    """

    steps: int = within(150_000, least=0)
    batch_size: int = within(2048, least=1)
    most_frequent: int = within(20_000, least=1)
    temperature: float = within(2.0, above=0)
    source_noise: float = within(0.01, least=0)
    target_noise: float = within(0.01, least=0)
    source_spread: float = within(0.01, above=0)
    target_spread: float = within(0.01, above=0)
    back_translation: float = within(0.5, least=0)
    supervision_weight: float = within(10.0, least=0)
    maximum_pairs: int | None = within(2000, least=1)
    learning_rate: float = within(1e-3, above=0)
    learning_rate_decay: float = within(0.999999, above=0, most=1)
    check_every: int = within(5000, least=1)
    criterion_words: int = within(50_000, least=1)
    neighbourhood: int = within(10, least=1)
    refinements: int = within(0, least=0)
    start_from_pairs: bool = False

    moves_target = True

    def __post_init__(self) -> None:
        check_ranges(self)

    @classmethod
    def small(cls) -> DeMaBWE:
        """Settings with which two cores are done in about three minutes; needs pairs. Ours."""
        return cls(
            steps=200,
            batch_size=512,
            most_frequent=5000,
            check_every=100,
            criterion_words=10_000,
            refinements=5,
            start_from_pairs=True,
        )

    @property
    def supervision(self) -> Supervision:
        """Works without pairs, and better with them."""
        return Supervision.OPTIONAL

    def extra(self, supervised: bool) -> str:
        """Densities are matched with torch."""
        return "torch"

    def searches(self, words: int, pairs: int) -> float:
        """Each step compares its words with the frequent ones, both ways; then two a refinement."""
        compared = 2.0 * self.steps * self.batch_size * self.most_frequent
        return compared / words**2 + 2 * self.refinements

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Learn the map of the source; see `Aligner.fit`.

        Both sides are made length one, centred with their own means, and made length one again;
        the means are part of the result. The history: `criterion` of the start, then at each check,
        then of each refinement; `loss`, its mean between checks.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or pairs are not valid.
            MissingExtraError: If torch is not installed.
        """
        xp = check_vectors(x, z)
        torch = import_torch()
        rows = None if pairs is None else self._used(check_pairs(pairs, x, z, "DeMa-BWE"))
        if rows is None:
            logger.warning("DeMa-BWE without pairs mostly fails; try Lexicon.identical_strings")
        source, source_means = iterative(to_tensor(x).to(torch.float32), rounds=1)
        target, target_means = iterative(to_tensor(z).to(torch.float32), rounds=1)
        matrix, history = self._best(source, target, rows, seed)

        def returned(array: Tensor) -> Array:
            if isinstance(x, torch.Tensor):
                return array.to(x.dtype)
            return xp.asarray(as_numpy(array), dtype=x.dtype, device=device(x))

        return Mapping(
            source=returned(matrix),
            target=xp.eye(z.shape[1], dtype=z.dtype, device=device(z)),
            history={name: tuple(values) for name, values in history.items()},
            source_means=tuple(map(returned, source_means)),
            target_means=tuple(map(returned, target_means)),
        )

    def _used(self, pairs: np.ndarray) -> np.ndarray:
        used = pairs[np.argsort(pairs[:, 0], kind="stable")][: self.maximum_pairs]
        logger.info("DeMa-BWE learns from %d of %d pairs", len(used), len(pairs))
        return used

    def _best(
        self, x: Tensor, z: Tensor, pairs: np.ndarray | None, seed: int
    ) -> tuple[Tensor, dict[str, list[float]]]:
        """The map of the highest criterion."""
        torch = import_torch()
        generator = torch.Generator(x.device).manual_seed(seed)
        start = self._start(x, z, pairs, seed)
        frequent = _searchable(x[: self.criterion_words]), _searchable(z[: self.criterion_words])
        history = {"criterion": [self._criterion(*frequent, start)], "loss": []}
        best, highest = start, history["criterion"][0]
        sides = (
            Side(x[: self.most_frequent], self.source_noise, self.source_spread),
            Side(z[: self.most_frequent], self.target_noise, self.target_spread),
        )
        given = None if pairs is None else (x[pairs[:, 0]], z[pairs[:, 1]])
        settings = {each.name: getattr(self, each.name) for each in fields(DensityMatching)}
        for reached in DensityMatching(**settings).run(*sides, given, start, generator):
            criterion = self._criterion(*frequent, reached.forward)
            history["criterion"].append(criterion)
            history["loss"].append(reached.loss)
            logger.info(
                "DeMa-BWE step %d of %d: loss %.4f, criterion %.4f",
                reached.step,
                self.steps,
                reached.loss,
                criterion,
            )
            if criterion > highest:
                best, highest = reached.forward, criterion
        refinement = Refinement(Direction.FORWARD, DICTIONARY_RANK, self.neighbourhood)
        rounds = refinement.rounds(*frequent, _searchable(best))
        for refined in islice(rounds, 1, self.refinements + 1):
            history["criterion"].append(refined.criterion)
            if refined.criterion > highest:
                best, highest = torch.as_tensor(refined.matrix, device=x.device), refined.criterion
        return best, history

    def _start(self, x: Tensor, z: Tensor, pairs: np.ndarray | None, seed: int) -> Tensor:
        if self.start_from_pairs and pairs is not None:
            return procrustes(x, z, pairs)
        turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((x.shape[1],) * 2))[0]
        return import_torch().tensor(turn, dtype=x.dtype, device=x.device)

    def _criterion(self, x: Array, z: Array, matrix: Tensor) -> float:
        return mean_csls(x @ _searchable(matrix), z, neighbourhood=self.neighbourhood)


def _searchable(array: Tensor) -> Array:
    """The same numbers where they are searched fastest: by NumPy's kernels, if not on a GPU."""
    return as_numpy(array) if array.device.type == "cpu" else array
