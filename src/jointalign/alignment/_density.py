"""Two languages as Gaussian mixtures, and maps under which each explains the other's words.

With m centres c_j (the frequent words of one language, by rank r_j) and a noisy word p of rank r of
the other language, moved to p w:

    log p(p) = log sum_j pi_j N(p w; c_j, v I) + log |det w|
    pi_j  proportional to  exp(-|log r_j - log r| / t)

(Zhou et al. 2019, sections 3.1 to 3.3.) Its slope at p w is (mean of the c_j, each by its share in
the sum, less p w) / v: two matrix products, with no need to keep the scores of all pairs for a
backward pass. So they are made in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, pi
from typing import TYPE_CHECKING, NamedTuple

from jointalign.alignment._adversary import import_torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

# Scores of one block: 16 MB in float32, of which little leaves the cache between two passes.
_ENTRIES = 1 << 22


class Reached(NamedTuple):
    """Where training stands.

    Args:
        step: Steps taken.
        forward: Map of the source, `(d, d)`.
        backward: Map of the target, `(d, d)`.
        loss: Mean loss of the steps since the last such report.
    """

    step: int
    forward: Tensor
    backward: Tensor
    loss: float


@dataclass(frozen=True, eq=False)
class Side:
    """The frequent words of one language.

    Args:
        words: Their vectors, most frequent first, `(n, d)`.
        noise: Variance of what is added to each coordinate of a word before it is moved.
        spread: Variance of the mixture around each word.
    """

    words: Tensor
    noise: float
    spread: float


@dataclass(frozen=True)
class DensityMatching:
    """How the two maps are learnt. Arguments as those of `DeMaBWE`."""

    steps: int
    check_every: int
    batch_size: int
    temperature: float
    back_translation: float
    supervision_weight: float
    learning_rate: float
    learning_rate_decay: float

    def run(
        self,
        source: Side,
        target: Side,
        pairs: tuple[Tensor, Tensor] | None,
        start: Tensor,
        generator: Generator,
    ) -> Iterator[Reached]:
        """Train, and report after every `check_every` steps and at the end.

        Args:
            source: The source language.
            target: The target language.
            pairs: Vectors of translations, both `(k, d)`.
            start: First map of the source, `(d, d)`; that of the target is its transpose.
            generator: The only source of randomness.
        """
        torch = import_torch()
        forward = start.clone().requires_grad_()
        backward = start.T.clone().requires_grad_()
        adam = torch.optim.Adam([forward, backward], lr=self.learning_rate)
        decay = torch.optim.lr_scheduler.ExponentialLR(adam, self.learning_rate_decay)
        total, count = torch.zeros((), device=start.device), 0
        for step in range(1, self.steps + 1):
            drawn = (self._draw(source, generator), self._draw(target, generator))
            with torch.enable_grad():
                loss, value = self._loss(forward, backward, source, target, pairs, drawn)
                adam.zero_grad()
                loss.backward()
            adam.step()
            decay.step()
            total, count = total + value, count + 1
            if step % self.check_every == 0 or step == self.steps:
                maps = forward.detach().clone(), backward.detach().clone()
                yield Reached(step, *maps, float(total) / count)
                total, count = torch.zeros_like(total), 0

    def _draw(self, side: Side, generator: Generator) -> tuple[Tensor, Tensor]:
        """Rows of some words, `(b,)`, and their noisy vectors, `(b, d)`."""
        torch = import_torch()
        where = side.words.device
        rows = torch.randint(len(side.words), (self.batch_size,), generator=generator, device=where)
        clean = side.words[rows]
        noise = torch.empty_like(clean).normal_(generator=generator)
        return rows, clean + side.noise**0.5 * noise

    def _loss(
        self,
        forward: Tensor,
        backward: Tensor,
        source: Side,
        target: Side,
        pairs: tuple[Tensor, Tensor] | None,
        drawn: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
    ) -> tuple[Tensor, Tensor]:
        """Something with the gradient of the loss, and the value of the loss."""
        (source_rows, x), (target_rows, z) = drawn
        matched = (
            negative_log_likelihood(forward, x, source_rows, target, self.temperature),
            negative_log_likelihood(backward, z, target_rows, source, self.temperature),
        )
        rest = self.back_translation * (
            cosine_loss(x @ forward @ backward, x) + cosine_loss(z @ backward @ forward, z)
        )
        if pairs is not None:
            left, right = pairs
            supervised = cosine_loss(left @ forward, right) + cosine_loss(right @ backward, left)
            rest = rest + self.supervision_weight * supervised
        slope = sum((slope for slope, _ in matched), rest)
        value = sum((value for _, value in matched), rest.detach())
        return slope, value


def negative_log_likelihood(
    matrix: Tensor, points: Tensor, rows: Tensor, side: Side, temperature: float
) -> tuple[Tensor, Tensor]:
    """Mean of -log p of points moved by a map into the mixture of the other language.

    Args:
        matrix: The map, `(d, d)`.
        points: Noisy words, `(b, d)`.
        rows: Their rows, `(b,)`: rank less one.
        side: The other language.
        temperature: t; the higher, the less ranks matter.

    Returns:
        Something with its gradient, and its value, both without dimensions.
    """
    torch = import_torch()
    moved = points @ matrix
    with torch.no_grad():
        logs, pulled = log_density(moved, rows, side, temperature)
        slope = (moved - pulled) / (side.spread * len(points))
    volume = torch.linalg.slogdet(matrix).logabsdet
    return (slope * moved).sum() - volume, -(logs.mean() + volume.detach())


def log_density(points: Tensor, rows: Tensor, side: Side, temperature: float) -> tuple[Tensor, Tensor]:
    """Log-density of moved points in a mixture, and where each is drawn to.

    Args:
        points: `(b, d)`.
        rows: Rows of the words that they come from, `(b,)`.
        side: The language of the mixture, `m` centres.
        temperature: As for `negative_log_likelihood`.

    Returns:
        Log-densities, `(b,)`, and the means of the centres by their share, `(b, d)`.
    """
    torch = import_torch()
    centres, variance = side.words, side.spread
    count, dimensions = centres.shape
    levels = torch.arange(1, count + 1, device=points.device).to(points.dtype).log() / temperature
    own = (rows + 1).to(points.dtype).log() / temperature
    squares = centres.square().sum(dim=1) / (2 * variance)
    logs, pulled = torch.empty_like(points[:, 0]), torch.empty_like(points)
    size = max(1, _ENTRIES // count)
    for first in range(0, len(points), size):
        part = slice(first, first + size)
        closeness = (levels - own[part, None]).abs_().neg_().sub_(squares)  # (block, m)
        scores = closeness.addmm_(points[part], centres.T, alpha=1 / variance)
        highest = scores.amax(dim=1, keepdim=True)
        shares = scores.sub_(highest).exp_()
        total = shares.sum(dim=1, keepdim=True)
        torch.mm(shares, centres, out=pulled[part])
        pulled[part] /= total
        logs[part] = (highest + total.log())[:, 0]
    logs -= points.square().sum(dim=1) / (2 * variance) + dimensions / 2 * log(2 * pi * variance)
    return logs - _log_totals(rows, count, temperature).to(points.dtype), pulled


def cosine_loss(a: Tensor, b: Tensor) -> Tensor:
    """Mean of 1 - cos over the rows."""
    return 1 - import_torch().nn.functional.cosine_similarity(a, b, dim=1).mean()


def _log_totals(rows: Tensor, count: int, temperature: float) -> Tensor:
    """Log of the sum over centres of exp(-|log r_j - log r| / t), float64 `(b,)`.

    A term is the smaller of (r_j / r)^(1/t) and its inverse: sums up to a rank and from a rank on.
    """
    torch = import_torch()
    ranks = torch.arange(1, count + 1, device=rows.device).double() ** (1 / temperature)
    none = ranks.new_zeros(1)
    below = torch.cat([none, ranks.cumsum(0)])
    inverse = torch.cat([none, (1 / ranks).cumsum(0)])
    own = (rows + 1).double() ** (1 / temperature)
    place = (rows + 1).clamp(max=count)
    return (below[place] / own + (inverse[-1] - inverse[place]) * own).log()
