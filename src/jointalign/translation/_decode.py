"""Translation token by token, with the keys and values of earlier tokens kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jointalign.errors import JointalignError
from jointalign.translation._batches import source_tensor
from jointalign.translation._hypotheses import Hypotheses
from jointalign.translation._memory import Memory
from jointalign.translation._model import Network
from jointalign.translation._sentences import Sentences
from jointalign.translation.base import END, START_SOURCE

if TYPE_CHECKING:
    import torch

_SHRINK = 0.75  # share of rows still at work below which the finished ones are removed


@dataclass(frozen=True)
class Search:
    """How translations are looked for.

    Args:
        beam: Hypotheses a sentence; 1 takes the best token each time.
        length_penalty: A hypothesis of a beam is ranked by its log-probability over its length to
            this power.
        factor: A translation has at most `factor * source tokens + extra` tokens.
        extra: See there (1.5 and 10: Lample et al. 2018b).
        batch: Sentences at once.

    Raises:
        JointalignError: If a number is out of its range.
    """

    beam: int = 1
    length_penalty: float = 1.0
    factor: float = 1.5
    extra: int = 10
    batch: int = 256

    def __post_init__(self) -> None:
        for name in ("beam", "factor", "extra", "batch"):
            if getattr(self, name) < 1:
                raise JointalignError(f"{name} must be at least 1, got {getattr(self, name)}")


def decode(
    network: Network,
    sentences: Sentences,
    direction: tuple[int, int],
    allowed: np.ndarray,
    search: Search | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Translate sentences, those of about one length together.

    Args:
        network: At work without gradients.
        sentences: To translate.
        direction: Number of the source and of the target language.
        allowed: Tokens that a translation may hold, and the end, int64 `(v,)`.
        search: How; greedily by default.

    Yields:
        The row of a sentence, and its translation, int32 `(t,)`, in no particular order.
    """
    import torch

    search = search or Search()
    order = np.argsort(-sentences.lengths, kind="stable")
    tokens = torch.from_numpy(allowed).to(network.device)
    one = _greedy if search.beam == 1 else _beam
    size = max(1, search.batch // search.beam)
    with torch.inference_mode():
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            part = sentences.take(rows)
            limits = (search.factor * part.lengths).astype(np.int64) + search.extra
            source = source_tensor(part, direction[0], network.device)
            found = one(network, source, direction, tokens, limits, search)
            yield from zip(rows.tolist(), found, strict=True)


def _greedy(
    network: Network,
    source: torch.Tensor,
    direction: tuple[int, int],
    allowed: torch.Tensor,
    limits: np.ndarray,
    search: Search,
) -> list[np.ndarray]:
    import torch

    longest = int(limits.max())
    memory = Memory(network, source, direction, longest)
    found = np.full((len(limits), longest), END, np.int32)
    rows, ends = np.arange(len(limits)), torch.from_numpy(limits).to(source.device)
    tokens = torch.full((len(rows),), START_SOURCE + direction[1], device=source.device)
    done = torch.zeros(len(rows), dtype=torch.bool, device=source.device)
    table = _Output(network, direction[1], allowed)
    for place in range(longest):
        tokens = allowed[_best(table.scores(memory.step(tokens)))]
        tokens = torch.where(done, END, tokens)
        found[rows, place] = tokens.cpu().numpy()
        done = (tokens == END) | (ends <= place + 1)
        working = int((~done).sum())
        if not working:
            break
        if working < _SHRINK * len(rows):
            kept = (~done).nonzero()[:, 0]
            memory.keep(kept)
            tokens, ends, done = tokens[kept], ends[kept], done[kept]
            rows = rows[kept.cpu().numpy()]
    return [_until_end(row) for row in found]


class _Output:
    """The output layer for some tokens, gathered once for all steps."""

    def __init__(self, network: Network, language: int, allowed: torch.Tensor) -> None:
        name = network.plan.table(language)
        self._table = network.w[name].index_select(0, allowed)
        self._bias = network.w[name + ".bias"].index_select(0, allowed)

    def scores(self, states: torch.Tensor) -> torch.Tensor:
        """`(n, d)` -> `(n, v)`."""
        import torch.nn.functional as F

        return F.linear(states, self._table, self._bias)


def _best(scores: torch.Tensor) -> torch.Tensor:
    """Place of the best of each row, the first of equals."""
    import torch

    if scores.device.type != "cpu":
        return scores.argmax(dim=-1)
    # NumPy's argmax is several times faster than torch's on a processor. It has no bfloat16, but as
    # whole numbers its values from 0 up have the same order, and those below 0 come below them.
    if scores.dtype == torch.bfloat16:
        whole = scores.view(torch.int16).numpy()
        found = whole.argmax(axis=-1)
        if (whole[np.arange(len(whole)), found] >= 0).all():
            return torch.from_numpy(found)
    return torch.from_numpy(scores.float().numpy().argmax(axis=-1))


def _until_end(row: np.ndarray) -> np.ndarray:
    ends = np.flatnonzero(row == END)
    return row[: ends[0]] if len(ends) else row


def _beam(
    network: Network,
    source: torch.Tensor,
    direction: tuple[int, int],
    allowed: torch.Tensor,
    limits: np.ndarray,
    search: Search,
) -> list[np.ndarray]:
    """Several hypotheses a sentence; one is finished when it ends among the best `beam`."""
    import torch

    beam, count, longest = search.beam, len(limits), int(limits.max())
    memory = Memory(network, source, direction, longest, beam)
    table = _Output(network, direction[1], allowed)
    hypotheses = [Hypotheses(beam, int(limit), search.length_penalty) for limit in limits]
    start = START_SOURCE + direction[1]
    tokens = torch.full((count * beam,), start, device=source.device)
    # At first all copies are alike, so only one of them may go on.
    totals = torch.full((count, beam), float("-inf"), device=source.device)
    totals[:, 0] = 0.0
    for _ in range(longest):
        logs = torch.log_softmax(table.scores(memory.step(tokens)).float(), dim=-1)
        width = logs.shape[-1]
        joint = (totals[:, :, None] + logs.view(count, beam, width)).flatten(1)
        best, places = joint.topk(min(2 * beam, joint.shape[1]), dim=1)
        parents, chosen = (places // width).cpu().numpy(), allowed[places % width].cpu().numpy()
        scores = best.cpu().numpy()
        picked = [
            hypothesis.extend(parents[n], chosen[n], scores[n]) for n, hypothesis in enumerate(hypotheses)
        ]
        if all(h.done for h in hypotheses):
            break
        rows = np.array([[n * beam + p for p, _, _ in row] for n, row in enumerate(picked)])
        memory.keep(torch.from_numpy(rows.ravel()).to(source.device))
        tokens = torch.tensor([[t for _, t, _ in row] for row in picked], device=source.device)
        tokens = tokens.ravel()
        totals = torch.tensor([[s for _, _, s in row] for row in picked], device=source.device)
    return [h.best() for h in hypotheses]
