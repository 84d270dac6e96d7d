"""In which order an epoch shows the text: small blocks of lines of all corpora, shuffled.

Nothing is concatenated or shuffled on disk; a block is a few thousand tokens, so that languages
alternate many thousand times an epoch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.training.base import Balance

BLOCK_TOKENS = 4096


@dataclass(frozen=True)
class Block:
    """Some consecutive lines of one corpus.

    Args:
        corpus: Number of the corpus.
        first: First line.
        last: Line after the last.
        share: Share of the lines to read, chosen at random; 1 for all.
        tokens: Expected number of tokens, for progress and learning rate.
    """

    corpus: int
    first: int
    last: int
    share: float
    tokens: float


def repetitions(corpora: Sequence[EncodedCorpus], balance: Balance) -> list[float]:
    """How many times each corpus is read in one epoch."""
    sizes = [corpus.counts.total for corpus in corpora]
    if balance is Balance.NONE:
        return [1.0] * len(sizes)
    if balance is Balance.TOKENS:
        return [max(sizes) / size for size in sizes]
    lines = [len(corpus.line_ends) for corpus in corpora]
    return [lines[-1] / count for count in lines]


@dataclass(frozen=True)
class Step:
    """One block at one moment of the training.

    Args:
        position: How many blocks came before, over all epochs.
        before: How many tokens came before, over all epochs.
        block: The lines to read.
    """

    position: int
    before: float
    block: Block


@dataclass(frozen=True)
class Schedule:
    """The blocks of an epoch and how often, in which order, they are shown.

    Args:
        blocks: All blocks of one epoch, in order of the corpora.
        epochs: How often.
        seed: Decides the order of each epoch.
    """

    blocks: tuple[Block, ...]
    epochs: int
    seed: int

    @classmethod
    def plan(
        cls, corpora: Sequence[EncodedCorpus], repeats: Sequence[float], epochs: int, seed: int
    ) -> Schedule:
        """Cut all corpora into blocks of whole lines, of `BLOCK_TOKENS` or one longer line."""
        found: list[Block] = []
        for number, (corpus, repeat) in enumerate(zip(corpora, repeats, strict=True)):
            whole, rest = int(repeat), repeat - int(repeat)
            for first, last, tokens in _cuts(corpus.line_ends):
                found += [Block(number, first, last, 1.0, tokens)] * whole
                if rest > 1e-9:
                    found.append(Block(number, first, last, rest, tokens * rest))
        return cls(tuple(found), epochs, seed)

    @property
    def total_blocks(self) -> int:
        """Blocks over all epochs."""
        return len(self.blocks) * self.epochs

    @cached_property
    def epoch_tokens(self) -> float:
        """Tokens of one epoch."""
        return sum(block.tokens for block in self.blocks)

    def tokens_of(self, corpora: Collection[int]) -> float:
        """Tokens of one epoch that come from some of the corpora."""
        return sum(block.tokens for block in self.blocks if block.corpus in corpora)

    @property
    def total_tokens(self) -> float:
        """Tokens over all epochs."""
        return self.epoch_tokens * self.epochs

    def steps(self, done: int) -> Iterator[Step]:
        """All steps from block `done` of the whole training on."""
        size = len(self.blocks)
        for epoch in range(done // size, self.epochs):
            order = np.random.default_rng([self.seed, 1, epoch]).permutation(size)
            before = epoch * self.epoch_tokens
            for place, number in enumerate(order.tolist()):
                block = self.blocks[number]
                if epoch * size + place >= done:
                    yield Step(epoch * size + place, before, block)
                before += block.tokens


def _cuts(line_ends: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """First line, line after the last, and tokens of each block."""
    total, lines = int(line_ends[-1]), len(line_ends)
    marks = np.arange(BLOCK_TOKENS, total, BLOCK_TOKENS)
    # Where a line is longer than a block, several marks fall on it: take it once.
    limits = np.unique(np.searchsorted(line_ends, marks) + 1)
    limits = [0, *limits[limits < lines].tolist(), lines]
    for first, last in pairwise(limits):
        begin = int(line_ends[first - 1]) if first else 0
        yield first, last, int(line_ends[last - 1]) - begin
