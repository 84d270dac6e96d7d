"""Several processes, a GPU each, that learn as one; `torchrun` starts them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from jointalign.errors import JointalignError
from jointalign.translation._sentences import Sentences

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

# The others wait while the first trains vectors or validates.
_PATIENCE = timedelta(days=1)


@dataclass(frozen=True)
class Group:
    """The processes of one training; one alone by default.

    Each batch is divided among them and the gradients are added up, so that they learn what one
    process would with the same settings, up to rounding and the values that dropout leaves out.

    Args:
        rank: Number of this process.
        size: How many there are.
        device: What this one computes on.
    """

    rank: int = 0
    size: int = 1
    device: str = "auto"

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def part(self, sentences: Sentences) -> Sentences:
        """This process's share of a batch, about as long as the others'."""
        if self.size == 1:
            return sentences
        return sentences.take(np.arange(self.rank, len(sentences), self.size))

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by the sum over all processes."""
        if self.size == 1:
            return
        import torch

        # One message for all of them: each has its own delay.
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        parts = flat.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def told(self, content: Any) -> Any:
        """What the first process has: plain types, as JSON can hold them."""
        if self.size == 1:
            return content
        import torch

        place = _place(self.device)
        text = json.dumps(content).encode() if self.first else b""
        length = torch.tensor([len(text)], device=place)
        torch.distributed.broadcast(length, 0)
        letters = torch.zeros(int(length), dtype=torch.uint8, device=place)
        if self.first:
            letters.copy_(torch.frombuffer(bytearray(text), dtype=torch.uint8))
        torch.distributed.broadcast(letters, 0)
        return json.loads(letters.cpu().numpy().tobytes())

    def total(self, number: float) -> float:
        """Sum of a number over all processes."""
        if self.size == 1:
            return number
        import torch

        found = torch.tensor([number], device=_place(self.device))
        self.add_up([found])
        return float(found)

    def led(self, work: Callable[[], T]) -> T:
        """Work that leaves files: the first process does it, then the others, who find it done."""
        if self.first:
            found = work()
            self.told(None)
            return found
        self.told(None)
        return work()


@contextmanager
def joined(device: str = "auto") -> Iterator[Group]:
    """Join the processes that `torchrun` has started; started plainly, there is this one alone.

    Args:
        device: `cpu`, `cuda`, or `auto` for GPUs where there are any: a process has one to itself.

    Raises:
        JointalignError: If there are fewer GPUs than processes on a machine.
        MissingExtraError: If torch is not installed.
    """
    if "RANK" not in os.environ or os.environ.get("WORLD_SIZE", "1") == "1":
        yield Group(device=device)
        return
    import torch

    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if device in ("auto", "cuda"):
        device = _own(int(os.environ.get("LOCAL_RANK", rank)), device)
    backend = "nccl" if device.startswith("cuda") else "gloo"
    torch.distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Group(rank, size, device)
    finally:
        torch.distributed.destroy_process_group()


def _own(number: int, device: str) -> str:
    """The GPU of one of the processes on this machine."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count and device == "auto":
        return "cpu"
    if number >= count:
        raise JointalignError(
            f"there are {count} GPUs here and {number + 1} processes or more; start as many "
            "processes as GPUs (torchrun --nproc-per-node), or take --device cpu"
        )
    torch.cuda.set_device(number)
    return f"cuda:{number}"


def _place(device: str) -> str:
    """Where messages lie: NCCL sends from GPUs only."""
    return device if device.startswith("cuda") else "cpu"
