"""What the decoder remembers between two tokens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jointalign.translation._attention import split_heads
from jointalign.translation._model import Network, padding_mask

if TYPE_CHECKING:
    import torch


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
