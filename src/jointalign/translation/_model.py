"""The Transformer of Lample et al. (2018b): some layers for each language, most for both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.numerics.normalize import unit
from jointalign.translation.base import PADDING, SPECIAL, Shape

if TYPE_CHECKING:
    import torch


Weights = Mapping[str, "torch.Tensor"]
LANGUAGES = (0, 1)


@dataclass(frozen=True)
class Plan:
    """What there is to learn.

    Args:
        shape: Size of the layers.
        vocabulary: Number of tokens of both languages, special ones too.
        separate: Whether each language has a table of token vectors to itself.
    """

    shape: Shape
    vocabulary: int
    separate: bool = False

    def table(self, language: int) -> str:
        """Name of the table of a language: of its input, and of the output in it."""
        return f"table.{language if self.separate else 0}"

    def layers(self, side: str, language: int) -> list[str]:
        """Names of the layers that a sentence goes through, in order."""
        count = getattr(self.shape, f"{side}_layers")
        shared = getattr(self.shape, f"shared_{side}_layers")
        common = range(count - shared, count) if side == "encoder" else range(shared)
        return [f"{side}.{'shared' if layer in common else language}.{layer}" for layer in range(count)]

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each weight, by name."""
        d, found = self.shape.dimensions, {}
        for language in LANGUAGES:
            found[self.table(language)] = (self.vocabulary, d)
            found[self.table(language) + ".bias"] = (self.vocabulary,)
            for side in ("encoder", "decoder"):
                for layer in self.layers(side, language):
                    found |= self._layer(side, layer)
                if self.shape.normalise_first:
                    found |= _norm(f"{side}.norm", d)
        return found

    def _layer(self, side: str, name: str) -> dict[str, tuple[int, ...]]:
        d, f = self.shape.dimensions, self.shape.feedforward
        blocks = {"self.in": (3 * d, d), "self.out": (d, d)}
        norms = ["self.norm", "feed.norm"]
        if side == "decoder":
            blocks |= {"cross.query": (d, d), "cross.memory": (2 * d, d), "cross.out": (d, d)}
            norms.append("cross.norm")
        blocks |= {"feed.in": (f, d), "feed.out": (d, f)}
        found: dict[str, tuple[int, ...]] = {}
        for block, size in blocks.items():
            found[f"{name}.{block}"] = size
            found[f"{name}.{block}.bias"] = size[:1]
        for norm in norms:
            found |= _norm(f"{name}.{norm}", d)
        return found


def _norm(name: str, d: int) -> dict[str, tuple[int, ...]]:
    return {name: (d,), f"{name}.bias": (d,)}


def initial_weights(plan: Plan, seed: int) -> dict[str, torch.Tensor]:
    """Random weights: token vectors of about length one, Glorot's rule for the layers."""
    import torch

    random = torch.Generator().manual_seed(seed)
    weights = {}
    for name, size in plan.sizes().items():
        if name.endswith(".bias"):
            weights[name] = torch.zeros(size)
        elif len(size) == 1:
            weights[name] = torch.ones(size)
        elif name.startswith("table"):
            weights[name] = torch.randn(size, generator=random) / math.sqrt(size[1])
        else:
            blocks = {"self.in": 3, "cross.memory": 2}.get(name.split(".", 3)[-1], 1)
            limit = math.sqrt(6 / (size[0] / blocks + size[1]))
            weights[name] = (torch.rand(size, generator=random) * 2 - 1) * limit
    return weights


def positions(length: int, dimensions: int, device: torch.device) -> torch.Tensor:
    """Sinusoids, `(length, dimensions)`: all sines, then all cosines."""
    import torch

    half = dimensions // 2
    rates = torch.exp(torch.arange(half, device=device) * (-math.log(10_000) / half))
    angles = torch.arange(length, device=device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@dataclass(frozen=True)
class ValueDropout:
    """Leaves values out while training.

    Args:
        rate: Chance of each.
        random: The only source of randomness; on the device of the values.
    """

    rate: float
    random: torch.Generator

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Zero some values and make the others larger by as much."""
        import torch

        kept = torch.empty_like(x).bernoulli_(1 - self.rate, generator=self.random)
        return x * kept * (1 / (1 - self.rate))


class Network:
    """The model at work: weights in the type that it computes with.

    Args:
        plan: What the weights are.
        weights: By name; gradients flow back to them.
        dtype: To compute with; the weights stay as they are.
        dropout: While training; `None` otherwise.
    """

    def __init__(
        self, plan: Plan, weights: Weights, dtype: torch.dtype, dropout: ValueDropout | None = None
    ) -> None:
        self.plan, self.shape, self.dtype = plan, plan.shape, dtype
        self.w = {name: weight.to(dtype) for name, weight in weights.items()}
        self.device = next(iter(self.w.values())).device
        self._dropout = dropout
        self._positions = positions(256, self.shape.dimensions, self.device).to(dtype)

    def embed(self, tokens: torch.Tensor, language: int, start: int = 0) -> torch.Tensor:
        """Vectors of tokens at their places, `(n, l, d)`."""
        import torch.nn.functional as F

        end = start + tokens.shape[1]
        if end > len(self._positions):
            longer = positions(2 * end, self.shape.dimensions, self.device)
            self._positions = longer.to(self.dtype)
        x = F.embedding(tokens, self.w[self.plan.table(language)])
        x = x * math.sqrt(self.shape.dimensions) + self._positions[start:end]
        return self.drop(x)

    def encode(self, tokens: torch.Tensor, language: int) -> torch.Tensor:
        """States of source sentences, `(n, s, d)`."""
        x, mask = self.embed(tokens, language), padding_mask(tokens)
        for layer in self.plan.layers("encoder", language):
            x = self.block(x, f"{layer}.self", lambda y, name=layer: self._attend_self(y, name, mask, False))
            x = self.block(x, f"{layer}.feed", lambda y, name=layer: self.feed(y, name))
        return self.final(x, "encoder")

    def decode(
        self, tokens: torch.Tensor, language: int, memory: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """States of target sentences that are known, `(n, t, d)`."""
        x = self.embed(tokens, language)
        for layer in self.plan.layers("decoder", language):
            x = self.block(x, f"{layer}.self", lambda y, name=layer: self._attend_self(y, name, None, True))
            x = self.block(
                x, f"{layer}.cross", lambda y, name=layer: self._attend_cross(y, name, memory, mask)
            )
            x = self.block(x, f"{layer}.feed", lambda y, name=layer: self.feed(y, name))
        return self.final(x, "decoder")

    def logits(
        self, states: torch.Tensor, language: int, allowed: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Scores of the next token, `(..., v)`.

        Args:
            states: Of the decoder, `(..., d)`.
            language: Of the output.
            allowed: Score only these tokens, `(v,)`, in their order.
        """
        import torch.nn.functional as F

        name = self.plan.table(language)
        table, bias = self.w[name], self.w[name + ".bias"]
        if allowed is not None:
            table, bias = table.index_select(0, allowed), bias.index_select(0, allowed)
        return F.linear(states, table, bias)

    def linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """One matrix and its bias."""
        import torch.nn.functional as F

        return F.linear(x, self.w[name], self.w[f"{name}.bias"])

    def block(self, x: torch.Tensor, name: str, work: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """`x` plus what a block makes of it, normalised after or before."""
        if self.shape.normalise_first:
            return x + self.drop(work(self.norm(x, name + ".norm")))
        return self.norm(x + self.drop(work(x)), name + ".norm")

    def norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """Layer normalisation."""
        import torch.nn.functional as F

        return F.layer_norm(x, x.shape[-1:], self.w[name], self.w[f"{name}.bias"])

    def final(self, x: torch.Tensor, side: str) -> torch.Tensor:
        """What closes a stack that normalises first."""
        return self.norm(x, f"{side}.norm") if self.shape.normalise_first else x

    def feed(self, x: torch.Tensor, layer: str) -> torch.Tensor:
        """The layer between."""
        return self.linear(self.linear(x, f"{layer}.feed.in").relu_(), f"{layer}.feed.out")

    def drop(self, x: torch.Tensor) -> torch.Tensor:
        """Leave values out, while training."""
        return x if self._dropout is None else self._dropout(x)

    def _attend_self(
        self, x: torch.Tensor, layer: str, mask: torch.Tensor | None, causal: bool
    ) -> torch.Tensor:
        query, key, value = self.linear(x, f"{layer}.self.in").chunk(3, dim=-1)
        found = attend(query, key, value, self.shape.heads, mask, causal)
        return self.linear(found, f"{layer}.self.out")

    def _attend_cross(
        self, x: torch.Tensor, layer: str, memory: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        query = self.linear(x, f"{layer}.cross.query")
        key, value = self.linear(memory, f"{layer}.cross.memory").chunk(2, dim=-1)
        found = attend(query, key, value, self.shape.heads, mask, False)
        return self.linear(found, f"{layer}.cross.out")


def padding_mask(tokens: torch.Tensor) -> torch.Tensor | None:
    """Which source tokens may be looked at, `(n, 1, 1, s)`; `None` if all of them."""
    kept = tokens != PADDING
    return None if bool(kept.all()) else kept[:, None, None, :]


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """`(n, l, d)` -> `(n, heads, l, d / heads)`."""
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    heads: int,
    mask: torch.Tensor | None,
    causal: bool,
) -> torch.Tensor:
    """Attention of several heads, `(n, l, d)`.

    On a processor by plain float32 products: the gradient of torch's own is slow there. For
    sentences of 15 tokens in bfloat16 it took a third of the whole training step.
    """
    import torch
    import torch.nn.functional as F

    if query.device.type != "cpu":
        query, key, value = (split_heads(x, heads) for x in (query, key, value))
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)
        return found.transpose(1, 2).flatten(2)
    dtype = query.dtype
    query, key, value = (split_heads(x.float(), heads) for x in (query, key, value))
    scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(2, 3))
    if causal:
        length = scores.shape[-1]
        future = torch.full((length, length), float("-inf"), device=query.device).triu(1)
        scores = scores + future
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    found = torch.matmul(torch.softmax(scores, dim=-1), value)
    return found.transpose(1, 2).flatten(2).to(dtype)


PACKAGES = ("torch", "tokenizers", "sacrebleu")


def check_extra() -> None:
    """Make sure that what translation needs is installed.

    Raises:
        MissingExtraError: If it is not.
    """
    for package in PACKAGES:
        if find_spec(package) is None:
            raise MissingExtraError(package, "mt")


def precision_named(name: str, device: torch.device) -> torch.dtype:
    """The type to compute with; `auto` takes bfloat16 where it is made in hardware."""
    import torch

    if name == "auto":
        fast = _fast_bfloat16(device)
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def _fast_bfloat16(device: torch.device) -> bool:
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    # There is no public question for it; where this one is gone, float32 is right as well.
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(asked is not None and asked())


def put_vectors(
    weights: dict[str, torch.Tensor], plan: Plan, pieces: Sequence[str], embedding: BilingualEmbedding
) -> dict[str, int]:
    """Write vectors, scaled to length one, into the token tables.

    With one table, the three parts of the embedding go into it: each piece is in one of them. With
    two, source and target have one each, and a piece that both have has two vectors.

    Args:
        weights: Changed in place.
        plan: Says how many tables there are.
        pieces: Pieces of text by number.
        embedding: Of pieces.

    Returns:
        How many pieces have `found` a vector, in all tables together, and how many are `missing` one
        and stay random.

    Raises:
        JointalignError: If the vectors have another length than the model's, if none is of a
            piece, or if one table would have to hold two vectors of a piece.
    """
    if embedding.dimensions != plan.shape.dimensions:
        raise JointalignError(
            f"expected vectors of {plan.shape.dimensions} dimensions, like the model's, got "
            f"{embedding.dimensions}; train the embedding or the model with the other's number"
        )
    both = set(embedding.source_only.words) & set(embedding.target_only.words)
    if both and not plan.separate:
        raise JointalignError(
            f"'{min(both)}' has a vector in each language, which one table cannot hold; take "
            "separate tables, or an embedding that shares what both languages have"
        )
    rows = {piece: number + SPECIAL for number, piece in enumerate(pieces)}
    sides: list[tuple[str, list[Embedding]]]
    if plan.separate:
        sides = [(plan.table(0), [embedding.source]), (plan.table(1), [embedding.target])]
    else:
        parts = [embedding.source_only, embedding.target_only, embedding.shared]
        sides = [(plan.table(0), parts)]
    found = sum(_put(weights[name], part, rows) for name, parts in sides for part in parts)
    if not found:
        raise JointalignError(
            "no piece of the model has a vector; train the embedding on text that was cut by the "
            "same segmentation"
        )
    return {"found": found, "missing": len(sides) * len(pieces) - found}


def _put(table: torch.Tensor, part: Embedding, rows: dict[str, int]) -> int:
    """Write the vectors of the words that are pieces; returns how many."""
    import torch

    known = [(rows[word], place) for place, word in enumerate(part.words) if word in rows]
    if not known:
        return 0
    places, numbers = (np.array(column) for column in zip(*known, strict=True))
    vectors = unit(part.vectors[numbers].astype(np.float32))
    with torch.no_grad():
        table[torch.from_numpy(places)] = torch.from_numpy(vectors).to(table)
    return len(known)
