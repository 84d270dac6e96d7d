"""torch, which only tagging itself needs: reading, converting and scoring do without."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from jointalign.numerics.devices import threads_for, torch_of

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module


def import_torch() -> Any:
    """The package.

    Raises:
        MissingExtraError: If it is not installed.
    """
    return torch_of("ner")


def torch_threads(threads: int | None) -> AbstractContextManager[None]:
    """Let torch use so many threads in the block; `None` for all processors."""
    return threads_for(threads, "ner")


def dropped(values: Tensor, share: float, generator: Generator | None) -> Tensor:
    """Dropout with a generator of its own; none without one, or for a share of 0."""
    if generator is None or not share:
        return values
    torch = import_torch()
    kept = torch.empty_like(values).bernoulli_(1 - share, generator=generator)
    return values * kept / (1 - share)


def new_generator(seed: int, device: str = "cpu") -> Generator:
    """A generator on a device."""
    return import_torch().Generator(device).manual_seed(seed)


def random_state_kept() -> AbstractContextManager[None]:
    """Layers are given weights when they are made: torch's shared random state must not move.

    Layers without weights (`skip_init`) load torch's compiler, which takes longer than all else
    before the first word is tagged.
    """
    return import_torch().random.fork_rng([])


def lstm(inputs: int, hidden: int, generator: Generator) -> Module:
    """A layer in one direction, initialised as torch does it, but from a generator."""
    torch = import_torch()
    with random_state_kept():
        layer = torch.nn.LSTM(inputs, hidden, batch_first=True)
    for weights in layer.parameters():
        torch.nn.init.uniform_(weights, -(hidden**-0.5), hidden**-0.5, generator=generator)
    return layer


def linear(inputs: int, outputs: int, generator: Generator) -> Module:
    """A layer with the uniform initialisation of Glorot and Bengio (2010), and no bias at first."""
    torch = import_torch()
    with random_state_kept():
        layer = torch.nn.Linear(inputs, outputs)
    torch.nn.init.xavier_uniform_(layer.weight, generator=generator)
    torch.nn.init.zeros_(layer.bias)
    return layer


def both_ways(forwards: Module, backwards: Module, values: Tensor, turn: Tensor) -> Tensor:
    """Run one LSTM over sequences from the front and one from the back, `(b, l, 2 h)`.

    Each sequence is turned round on its own, so that padding is last for both and is never read
    before the end. Nothing need be packed, which would halve the speed on a processor.

    Args:
        forwards: From the first position on.
        backwards: From the last.
        values: `(b, l, d)`.
        turn: As `turned` gives it.
    """
    torch = import_torch()
    ahead = forwards(values)[0]
    back = backwards(at_positions(values, turn))[0]
    return torch.cat([ahead, at_positions(back, turn)], 2)


def turned(lengths: Tensor, length: int) -> Tensor:
    """Positions that turn each sequence round and leave its padding, int64 `(b, length)`."""
    torch = import_torch()
    positions = torch.arange(length, device=lengths.device)[None]
    return torch.where(positions < lengths[:, None], lengths[:, None] - 1 - positions, positions)


def at_positions(values: Tensor, positions: Tensor) -> Tensor:
    """Values `(b, p, d)` at some positions of each sequence `(b, l)`: `(b, l, d)`."""
    torch = import_torch()
    # Whole rows are copied at once; `gather` would look up each number of them.
    firsts = torch.arange(len(values), device=values.device)[:, None] * values.shape[1]
    rows = values.flatten(0, 1).index_select(0, (firsts + positions).flatten())
    return rows.unflatten(0, positions.shape)
