"""MUSE (Conneau et al. 2018): a rotation learnt without a dictionary, or refined from one.

Without a dictionary: a discriminator and the map play against each other (`_adversary.py`); then
rounds of {dictionary found by CSLS; Procrustes}. The map of each stage is chosen by the mean CSLS
of frequent words, the paper's unsupervised criterion.

With one: Procrustes, then the same rounds with dictionaries of both directions.

Differences from the authors' code: several restarts, the later ones from random rotations, and a
verdict whether any of them worked (`_verdict.py`; theirs reports a failed run like a good one); the
round of the supervised form is chosen on held-out pairs (theirs: on the test dictionary), then
learnt again from all pairs; one search serves the criterion and the next dictionary; rows of
length one, theirs only with `--normalize_embeddings renorm`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from itertools import islice

import numpy as np
from array_api_compat import device, is_torch_array

from jointalign.alignment._adversary import Game
from jointalign.alignment._induction import Direction
from jointalign.alignment._refining import Refinement, hold_out, procrustes
from jointalign.alignment._restarts import History, Restarts
from jointalign.alignment.base import Aligner, Array, Mapping, Supervision, as_numpy
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.ranges import check_ranges, within

logger = logging.getLogger(__name__)

SUPERVISED_RANK = 10_000
"""Only words up to it are in the dictionaries of the supervised form; authors' code."""


@dataclass(frozen=True)
class MUSE(Aligner):
    """Adversarial mapping with Procrustes refinement; with a dictionary, the refinement alone.

    Choose it without a dictionary where both corpora are large and alike and there is a GPU, or
    hours; its result varies with the seed. Whether it worked, `looks_failed(mapping)` tells: a
    failed run is also logged as a warning. Runs on the device of the arrays: torch tensors on a
    GPU play there, NumPy arrays play on the processor.

    Defaults are the authors' code's, except where stated.

    Args:
        restarts: Games, each from another seed, of which the one with the highest criterion is
            kept; the first starts from the identity, as published (the right start for vectors
            trained jointly), the others from random rotations, so that two which agree confirm each
            other. None more is played when one has clearly worked. Ours; published: 1.
        epochs: Epochs of a game.
        epoch_size: Source words that the map sees in an epoch.
        batch_size: Words of each language in a step.
        hidden: Width of both layers of the discriminator.
        discriminator_steps: Steps of the discriminator for each step of the map.
        most_frequent: Only so many words of each language play.
        dropout: On the input of the discriminator.
        smoothing: Of the labels: source is 1 - smoothing, target is smoothing.
        learning_rate: Of the discriminator, and of the map in the first epoch.
        learning_rate_decay: Factor on the map's rate after each epoch.
        learning_rate_shrink: Further factor after each epoch that ends below the best criterion,
            from the second such on.
        minimum_learning_rate: Of the map; below it the game ends.
        orthogonality: Strength b of the step `(1 + b) w - b w w' w` after each step of the map.
        rounds: Rounds of refinement.
        neighbourhood: k of CSLS.
        held_out: Share of the dictionary's source words to choose the round of the supervised form
            by; where that is under 50 words, the criterion chooses. Ours.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> z = rng.standard_normal((50, 4)).astype(np.float32)
        >>> z /= np.linalg.norm(z, axis=1, keepdims=True)
        >>> x = z[:, [1, 2, 3, 0]]
        >>> mapping = MUSE(rounds=2).fit(x, z, np.array([[0, 0], [1, 1], [2, 2], [3, 3]]))
        >>> np.allclose(x @ mapping.source, z, atol=1e-5)
        True
    """

    restarts: int = within(3, least=1)
    epochs: int = within(5, least=1)
    epoch_size: int = within(1_000_000, least=1)
    batch_size: int = within(32, least=1)
    hidden: int = within(2048, least=1)
    discriminator_steps: int = within(5, least=0)
    most_frequent: int = within(75_000, least=1)
    dropout: float = within(0.1, least=0, below=1)
    smoothing: float = within(0.1, least=0, below=0.5)
    learning_rate: float = within(0.1, above=0)
    learning_rate_decay: float = within(0.98, above=0)
    learning_rate_shrink: float = within(0.5, above=0)
    minimum_learning_rate: float = within(1e-6, least=0)
    orthogonality: float = within(0.001, least=0)
    rounds: int = within(5, least=0)
    neighbourhood: int = within(10, least=1)
    held_out: float = within(0.2, least=0, below=1)

    def __post_init__(self) -> None:
        check_ranges(self)

    @classmethod
    def small(cls) -> MUSE:
        """Without a dictionary in a few minutes on a processor: a smaller, shorter game.

        Enough to refine vectors trained jointly, which start near each other; between vectors
        trained apart it mostly fails, and says so.
        """
        return cls(restarts=2, epochs=2, epoch_size=100_000, hidden=512)

    @property
    def supervision(self) -> Supervision:
        """Works without pairs, and better with them."""
        return Supervision.OPTIONAL

    def extra(self, supervised: bool) -> str:
        """The game is played with torch; the refinement from pairs needs none."""
        return "" if supervised else "torch"

    def searches(self, words: int, pairs: int) -> float:
        """Two a round of refinement, and one to judge it."""
        return 2.0 * self.rounds + 1

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Learn the rotation of the source; see `Aligner.fit`.

        The history without pairs: `loss` of the discriminator in each epoch; `criterion` after each
        epoch, then before the first and after each round; `restarts`, the best criterion of each;
        `baseline`, the best criterion of random maps refined in the same way; `agreement`, the
        share of frequent words that the chosen map translates as each of the other restarts does,
        then as each of the random maps. With pairs: `criterion` and, if pairs are held out,
        `held_out`, the P@1 on them, before the first and after each round.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or pairs are not valid.
            MissingExtraError: If there are no pairs and torch is not installed.
        """
        xp = check_vectors(x, z)
        if pairs is not None:
            source, history = self._refined(x, z, check_pairs(pairs, x, z, "MUSE"), seed)
        elif is_torch_array(x):
            source, history = self._restarts(x, z).best(seed)
        else:
            source, history = self._restarts(as_numpy(x), as_numpy(z)).best(seed)
            source = xp.asarray(source, dtype=x.dtype, device=device(x))
        identity = xp.eye(z.shape[1], dtype=z.dtype, device=device(z))
        return Mapping(source=source, target=identity, history=history)

    def _restarts(self, x: Array, z: Array) -> Restarts:
        game = Game(**{each.name: getattr(self, each.name) for each in fields(Game)})
        return Restarts(game, self.restarts, self.rounds, self.neighbourhood, x, z)

    def _refined(self, x: Array, z: Array, pairs: np.ndarray, seed: int) -> tuple[Array, History]:
        """The supervised form."""
        refinement = Refinement(Direction.UNION, SUPERVISED_RANK, self.neighbourhood)
        train, held_out = hold_out(pairs, self.held_out, np.random.default_rng(seed))
        start = procrustes(x, z, train)
        tried = list(islice(refinement.rounds(x, z, start, held_out=held_out), self.rounds + 1))
        history: History = {"criterion": tuple(each.criterion for each in tried)}
        if held_out is None:
            return max(tried, key=lambda each: each.criterion).matrix, history
        history["held_out"] = tuple(each.precision for each in tried)
        number = int(np.argmax(history["held_out"]))
        logger.info("MUSE: round %d of %d is best on held-out pairs", number, self.rounds)
        return refinement.after(x, z, procrustes(x, z, pairs), number), history
