"""The adversarial game of MUSE (Conneau et al. 2018) on torch tensors.

A discriminator learns to tell mapped source words from target words; the map learns to deceive it.
The discriminator has two hidden layers of leaky rectifiers. Its gradient is written out, not left
to autograd: each weight update is then one matrix product that adds to the weights in place, and
no gradient of a weight is ever stored.

Differences from the authors' code: the step of the map computes only what reaches the map (not the
target half of its batch, nor the discriminator's own gradients), the words of all discriminator
steps between two map steps are drawn and mapped at once, and a vocabulary smaller than
`most_frequent` is no error.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from jointalign.alignment.base import Array
from jointalign.numerics.devices import torch_of

if TYPE_CHECKING:
    from torch import Generator, Tensor

logger = logging.getLogger(__name__)

SLOPE = 0.2
"""Of the leaky rectifier below zero, as in the authors' code."""


@dataclass(frozen=True)
class Game:
    """Settings of the game; `MUSE` explains each and has the published defaults."""

    epochs: int
    epoch_size: int
    batch_size: int
    hidden: int
    discriminator_steps: int
    most_frequent: int
    dropout: float
    smoothing: float
    learning_rate: float
    learning_rate_decay: float
    learning_rate_shrink: float
    minimum_learning_rate: float
    orthogonality: float


class Played(NamedTuple):
    """What came of a game.

    Args:
        matrix: The map of the epoch with the highest criterion, `(d, d)`.
        criterion: The criterion after each epoch.
        losses: Mean loss of the discriminator in each epoch; log 2 is guessing.
    """

    matrix: Tensor
    criterion: tuple[float, ...]
    losses: tuple[float, ...]


class Rate(NamedTuple):
    """Learning rate of the map, and whether the criterion has been below its best before."""

    value: float
    fell: bool = False

    def after(self, game: Game, below_best: bool) -> Rate:
        """The rate of the next epoch: smaller each time; much smaller when the map gets worse."""
        value = max(game.minimum_learning_rate, self.value * game.learning_rate_decay)
        if below_best and self.fell:
            value *= game.learning_rate_shrink
        return Rate(value, self.fell or below_best)


class Discriminator:
    """Two hidden layers and a logit; positive says source.

    Args:
        dimensions: Of a word vector, d.
        hidden: Of both hidden layers, h.
        like: A tensor whose type and device to take.
        generator: Source of the first weights: uniform within 1 / sqrt(inputs), as torch does.
    """

    def __init__(self, dimensions: int, hidden: int, like: Tensor, generator: Generator) -> None:
        def uniform(inputs: int, *shape: int) -> Tensor:
            bound = 1 / math.sqrt(inputs)
            return like.new_empty(shape).uniform_(-bound, bound, generator=generator)

        self.first = uniform(dimensions, dimensions, hidden)
        self.first_bias = uniform(dimensions, hidden)
        self.second = uniform(hidden, hidden, hidden)
        self.second_bias = uniform(hidden, hidden)
        self.last = uniform(hidden, hidden)
        self.last_bias = uniform(hidden, 1)

    def logits(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Activations of both hidden layers, `(b, h)`, and the logits, `(b,)`."""
        torch = import_torch()
        activate = torch.nn.functional.leaky_relu_
        one = activate(torch.addmm(self.first_bias, rows, self.first), SLOPE)
        two = activate(torch.addmm(self.second_bias, one, self.second), SLOPE)
        return one, two, torch.addmv(self.last_bias, two, self.last)

    def step(self, rows: Tensor, labels: Tensor, rate: float) -> Tensor:
        """One step of gradient descent on the mean cross-entropy; returns that loss.

        Args:
            rows: Word vectors, after dropout, `(b, d)`.
            labels: How much source each is, `(b,)`.
            rate: Learning rate.
        """
        torch = import_torch()
        one, two, logits = self.logits(rows)
        error = (torch.sigmoid(logits) - labels) / len(labels)
        back_two, back_one = self._back(error, one, two)
        self.last.addmv_(two.T, error, alpha=-rate)
        self.last_bias.sub_(error.sum(), alpha=rate)
        self.second.addmm_(one.T, back_two, alpha=-rate)
        self.second_bias.sub_(back_two.sum(0), alpha=rate)
        self.first.addmm_(rows.T, back_one, alpha=-rate)
        self.first_bias.sub_(back_one.sum(0), alpha=rate)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)

    def pull(self, rows: Tensor, label: float) -> Tensor:
        """Gradient of the summed cross-entropy at each row, `(b, d)`, if all had one label."""
        one, two, logits = self.logits(rows)
        _, back_one = self._back(import_torch().sigmoid(logits) - label, one, two)
        return back_one @ self.first.T

    def _back(self, error: Tensor, one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients before the rectifiers of the second and the first layer, `(b, h)`."""
        back_two = _through_rectifier(import_torch().outer(error, self.last), two)
        back_one = _through_rectifier(back_two @ self.second.T, one)
        return back_two, back_one


def _through_rectifier(gradient: Tensor, activation: Tensor) -> Tensor:
    return import_torch().where(activation > 0, gradient, SLOPE * gradient)


def play(
    game: Game, x: Tensor, z: Tensor, start: Tensor, criterion: Callable[[Tensor], float], seed: int
) -> Played:
    """Play the game; the map of the best epoch wins.

    Args:
        game: Settings.
        x: Source vectors, `(n, d)`, most frequent word first.
        z: Target vectors, `(m, d)`.
        start: Where the map begins, `(d, d)`; not modified.
        criterion: How good a map is; the higher the better.
        seed: The only source of randomness.
    """
    torch = import_torch()
    generator = torch.Generator(device=x.device).manual_seed(seed)
    x, z = x[: game.most_frequent], z[: game.most_frequent]
    discriminator = Discriminator(x.shape[1], game.hidden, x, generator)
    matrix, rate = start.clone(), Rate(game.learning_rate)
    best, best_criterion = start, -math.inf
    criteria, losses = [], []
    for epoch in range(game.epochs):
        loss = _epoch(game, discriminator, x, z, matrix, rate.value, generator)
        if not bool(torch.isfinite(matrix).all()):
            logger.warning("the adversarial map diverged in epoch %d; its best is kept", epoch + 1)
            break
        value = criterion(matrix)
        criteria.append(value)
        losses.append(loss)
        logger.info(
            "adversarial epoch %d of %d: discriminator loss %.4f, criterion %.4f, rate %.3g",
            *(epoch + 1, game.epochs, loss, value, rate.value),
        )
        rate = rate.after(game, below_best=value < best_criterion)
        if value > best_criterion:
            best, best_criterion = matrix.clone(), value
        if rate.value < game.minimum_learning_rate:
            break
    return Played(best, tuple(criteria), tuple(losses))


def _epoch(
    game: Game,
    discriminator: Discriminator,
    x: Tensor,
    z: Tensor,
    matrix: Tensor,
    rate: float,
    generator: Generator,
) -> float:
    """Move the map in place over one epoch; returns the discriminator's mean loss."""
    torch = import_torch()
    batch, steps = game.batch_size, game.discriminator_steps
    labels = x.new_full((2 * batch,), game.smoothing)
    labels[:batch] = 1 - game.smoothing
    total, count = x.new_zeros(()), math.ceil(game.epoch_size / batch)
    kept = 1 - game.dropout
    for _ in range(count):
        sources = x[torch.randint(len(x), (steps + 1, batch), generator=generator, device=x.device)]
        rows = x.new_empty(steps, 2 * batch, x.shape[1])
        rows[:, :batch] = sources[:steps] @ matrix
        rows[:, batch:] = z[torch.randint(len(z), (steps, batch), generator=generator, device=x.device)]
        if game.dropout:
            rows *= torch.empty_like(rows).bernoulli_(kept, generator=generator)
            rows /= kept
        for given in rows:
            total += discriminator.step(given, labels, game.learning_rate)
        own = sources[steps]
        # The map wants source words to pass for target words. The target half of the published
        # batch does not depend on the map, but halves the mean.
        pull = discriminator.pull(own @ matrix, game.smoothing) / (2 * batch)
        matrix.addmm_(own.T, pull, alpha=-rate)
        straighten(matrix, game.orthogonality)
    return float(total) / max(1, count * steps)


def straighten(matrix: Tensor, strength: float) -> None:
    """Move a map in place towards the orthogonal ones: `(1 + b) w - b w w' w`."""
    matrix.addmm_(matrix @ matrix.T, matrix.clone(), beta=1 + strength, alpha=-strength)


def import_torch() -> Any:
    """torch, which only the adversarial form needs.

    Raises:
        MissingExtraError: If it is not installed.
    """
    return torch_of("torch")


def to_tensor(array: Array) -> Tensor:
    """A tensor as it is, anything else as a new tensor in main memory."""
    torch = import_torch()
    return array if isinstance(array, torch.Tensor) else torch.tensor(array)
