"""Translation token by token, greedily or with a beam; keys and values of earlier tokens are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jointalign.errors import JointalignError
from jointalign.translation._model import Network, padding_mask, split_heads
from jointalign.translation._text import Sentences, source_tensor
from jointalign.translation.base import END, START_SOURCE

if TYPE_CHECKING:
    import torch


class Hypotheses:
    """Half-made and finished translations of one sentence.

    Args:
        beam: How many go on.
        limit: Largest number of tokens.
        penalty: See `TranslationSearch.length_penalty`.
    """

    def __init__(self, beam: int, limit: int, penalty: float) -> None:
        self._beam, self._limit, self._penalty = beam, limit, penalty
        self._open: list[list[int]] = [[] for _ in range(beam)]
        self._scores = [0.0] * beam
        self._finished: list[tuple[float, list[int]]] = []
        self.done = False

    def extend(
        self, parents: np.ndarray, tokens: np.ndarray, scores: np.ndarray
    ) -> list[tuple[int, int, float]]:
        """Take the best candidates, by falling score: parent, token and score of those that go on.

        A finished sentence goes on in name only, so that all have the same number of rows.
        """
        if self.done:
            return [(0, END, 0.0)] * self._beam
        going: list[tuple[int, int, float]] = []
        for rank, (parent, token, score) in enumerate(zip(parents, tokens, scores, strict=True)):
            if token != END and len(going) < self._beam:
                going.append((int(parent), int(token), float(score)))
            elif token == END and rank < self._beam:
                self._finish(self._open[parent], float(score), 1)
        self._open = [[*self._open[parent], token] for parent, token, _ in going]
        self._scores = [score for _, _, score in going]
        going += [(0, END, float("-inf"))] * (self._beam - len(going))
        full = len(self._open[0]) >= self._limit if self._open else True
        self.done = full or len(self._finished) >= self._beam
        return going

    def _finish(self, tokens: list[int], score: float, ended: int) -> None:
        self._finished.append((score / (len(tokens) + ended) ** self._penalty, tokens))

    def best(self) -> np.ndarray:
        """The best finished one; of those still open where none is."""
        if not self._finished:
            for tokens, score in zip(self._open, self._scores, strict=True):
                self._finish(tokens, score, 0)
        return np.array(max(self._finished, key=lambda entry: entry[0])[1], np.int32)


class Memory:
    """What a half-made translation remembers: keys and values of the source and of itself.

    Args:
        network: The model.
        source: Tokens of the source, `(n, s)`.
        direction: Number of the source and of the target language.
        longest: Room for so many tokens.
        copies: Each sentence is translated so many times at once.
    """

    def __init__(
        self,
        network: Network,
        source: torch.Tensor,
        direction: tuple[int, int],
        longest: int,
        copies: int = 1,
    ) -> None:
        import torch

        self._network, self._language, self.length = network, direction[1], 0
        self._layers = network.plan.layers("decoder", direction[1])
        # One query against few keys: float32 is faster than bfloat16 there on a processor.
        self._dtype = torch.float32 if source.device.type == "cpu" else network.dtype
        states = network.encode(source, direction[0]).repeat_interleave(copies, dim=0)
        mask, heads = padding_mask(source.repeat_interleave(copies, dim=0)), network.shape.heads
        self._mask = None if mask is None else _bias(mask, self._dtype)
        self._source, self._own = [], []
        size = (len(states), heads, longest, network.shape.dimensions // heads)
        for layer in self._layers:
            both = network.linear(states, f"{layer}.cross.memory").to(self._dtype).chunk(2, dim=-1)
            self._source.append([split_heads(x, heads).contiguous() for x in both])
            self._own.append([states.new_empty(size, dtype=self._dtype) for _ in range(2)])

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Add a token to each, `(n,)`; the states after it, `(n, d)`."""
        net, place = self._network, self.length
        x = net.embed(tokens[:, None], self._language, place)
        for number, layer in enumerate(self._layers):
            x = net.block(x, f"{layer}.self", lambda y, n=number: self._attend_own(y, n, place))
            x = net.block(x, f"{layer}.cross", lambda y, n=number: self._attend_source(y, n))
            x = net.block(x, f"{layer}.feed", lambda y, name=layer: net.feed(y, name))
        self.length += 1
        return net.final(x, "decoder")[:, 0]

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with some of the translations, in the order given."""
        for pair in self._source:
            pair[:] = [x.index_select(0, rows) for x in pair]
        for pair in self._own:
            for number, x in enumerate(pair):
                known = x[:, :, : self.length].index_select(0, rows)
                pair[number] = x.new_empty((len(rows), *x.shape[1:]))
                pair[number][:, :, : self.length] = known
        if self._mask is not None:
            self._mask = self._mask.index_select(0, rows)

    def _attend_own(self, x: torch.Tensor, number: int, place: int) -> torch.Tensor:
        name, heads = self._layers[number], self._network.shape.heads
        mixed = self._network.linear(x, f"{name}.self.in").to(self._dtype)
        query, key, value = (split_heads(part, heads) for part in mixed.chunk(3, dim=-1))
        keys, values = self._own[number]
        keys[:, :, place] = key[:, :, 0]
        values[:, :, place] = value[:, :, 0]
        found = _attend_one(query, keys[:, :, : place + 1], values[:, :, : place + 1], None)
        return self._network.linear(found.to(x.dtype), f"{name}.self.out")

    def _attend_source(self, x: torch.Tensor, number: int) -> torch.Tensor:
        name, heads = self._layers[number], self._network.shape.heads
        mixed = self._network.linear(x, f"{name}.cross.query").to(self._dtype)
        keys, values = self._source[number]
        found = _attend_one(split_heads(mixed, heads), keys, values, self._mask)
        return self._network.linear(found.to(x.dtype), f"{name}.cross.out")


def _attend_one(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    """Attention of one query a head; plain products, which beat the fused kernel there."""
    import torch

    scores = torch.matmul(query / math.sqrt(query.shape[-1]), keys.transpose(2, 3))
    if bias is not None:
        scores += bias
    found = torch.matmul(torch.softmax(scores, dim=-1), values)
    return found.transpose(1, 2).flatten(2)


def _bias(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    import torch

    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill(~mask, float("-inf"))


_SHRINK = 0.75  # share of rows still at work below which the finished ones are removed


@dataclass(frozen=True)
class TranslationSearch:
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
    search: TranslationSearch | None = None,
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

    search = search or TranslationSearch()
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
    search: TranslationSearch,
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
    search: TranslationSearch,
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
