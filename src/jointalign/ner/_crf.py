"""A linear-chain conditional random field (Lafferty et al. 2001; Lample et al. 2016, section 2.2).

The score of a row of tags is the sum of what each word gives its tag (emissions), what each tag
gives the next (transitions), and what the first and the last tag get for being that. `k` is the
number of tags; b sentences of up to l words are a batch.

Always float32, under mixed precision too: the sums over all paths lose too much otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from jointalign.ner._torch import import_torch
from jointalign.ner.base import OUTSIDE

if TYPE_CHECKING:
    from torch import Tensor

FORBIDDEN = -10_000.0
"""Score of a step that must not be taken: finite, so that no gradient becomes NaN."""


class Chain(NamedTuple):
    """What a row of tags is worth besides its emissions.

    Args:
        start: For each first tag, `(k,)`.
        end: For each last tag, `(k,)`.
        steps: From tag i to tag j at `[i, j]`, `(k, k)`; or for each word anew, `(b, l - 1, k, k)`,
            the step to word t + 1 at `[:, t]`.
    """

    start: Tensor
    end: Tensor
    steps: Tensor

    def at(self, position: int) -> Tensor:
        """Steps to the word at a position from 1 on, `(1, k, k)` or `(b, k, k)`."""
        return self.steps[None] if self.steps.dim() == 2 else self.steps[:, position - 1]

    def plus(self, other: Chain) -> Chain:
        """The sum, for rules that forbid steps."""
        return Chain(*(a + b for a, b in zip(self, other, strict=True)))


def losses(emissions: Tensor, tags: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """Negative log-likelihood of the given tags, `(b,)`, in nats a sentence.

    Args:
        emissions: Scores of tags, `(b, l, k)`; what lies beyond a sentence's end is not looked at.
        tags: Rows of the right tags, int64 `(b, l)`; any valid number beyond the end.
        lengths: Words of each sentence, int64 `(b,)`, from 1 to l.
        chain: Scores of steps.
    """
    emissions = emissions.float()
    return partition(emissions, lengths, chain) - path_score(emissions, tags, lengths, chain)


def path_score(emissions: Tensor, tags: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """Score of the given tags, `(b,)`; arguments as for `losses`."""
    torch = import_torch()
    length = emissions.shape[1]
    inside = torch.arange(length, device=emissions.device) < lengths[:, None]  # (b, l)
    given = emissions.gather(2, tags[..., None]).squeeze(2)  # (b, l)
    if chain.steps.dim() == 2:
        steps = chain.steps[tags[:, :-1], tags[:, 1:]]  # (b, l - 1)
    else:
        size = chain.steps.shape[-1]
        pairs = tags[:, :-1] * size + tags[:, 1:]
        steps = chain.steps.flatten(2).gather(2, pairs[..., None]).squeeze(2)
    last = tags.gather(1, lengths[:, None] - 1).squeeze(1)  # (b,)
    total = torch.where(inside, given, 0.0).sum(1) + torch.where(inside[:, 1:], steps, 0.0).sum(1)
    return total + chain.start[tags[:, 0]] + chain.end[last]


def partition(emissions: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """Log of the sum over all rows of tags, `(b,)`: the forward algorithm in log space."""
    torch = import_torch()
    emissions = emissions.float()
    alive = chain.start + emissions[:, 0]  # (b, k)
    shortest = int(lengths.min())
    for position in range(1, emissions.shape[1]):
        paths = alive[:, :, None] + chain.at(position)  # (b, k, k)
        following = torch.logsumexp(paths, 1) + emissions[:, position]
        if position < shortest:
            alive = following
        else:
            alive = torch.where((position < lengths)[:, None], following, alive)
    return torch.logsumexp(alive + chain.end, 1)


def best_paths(emissions: Tensor, lengths: Tensor, chain: Chain) -> Tensor:
    """The row of tags with the highest score, int64 `(b, l)`, 0 beyond a sentence's end: Viterbi.

    Of equally good rows it is always the same one.
    """
    torch = import_torch()
    emissions = emissions.float()
    batch, length, _ = emissions.shape
    alive = chain.start + emissions[:, 0]
    came_from = []  # int64 (b, k) each
    for position in range(1, length):
        value, origin = (alive[:, :, None] + chain.at(position)).max(1)
        alive = torch.where((position < lengths)[:, None], value + emissions[:, position], alive)
        came_from.append(origin)
    tag = (alive + chain.end).argmax(1)  # (b,), the last tag of each sentence
    found = torch.zeros(batch, length, dtype=torch.int64, device=emissions.device)
    for position in range(length - 1, -1, -1):
        found[:, position] = torch.where(position < lengths, tag, 0)
        if position:
            before = came_from[position - 1].gather(1, tag[:, None]).squeeze(1)
            tag = torch.where(position < lengths, before, tag)
    return found


class Along(NamedTuple):
    """What gives the probability of each stretch of one row of tags, `(b, l)` each.

    That of the tags from word s to word e, with nothing behind them that goes on with them, is
    exp(opening[s] + inside[e] - inside[s] + closing[e]): exact, over all rows of tags there are.
    """

    opening: Tensor
    inside: Tensor
    closing: Tensor


def along(emissions: Tensor, tags: Tensor, lengths: Tensor, chain: Chain, goes_on: Tensor) -> Along:
    """Forward and backward sums, met at each word of a row of tags; in double precision.

    Args:
        emissions: As for `losses`.
        tags: As for `losses`.
        lengths: As for `losses`.
        chain: Scores of steps.
        goes_on: Whether tag j right behind tag i belongs to the same entity, bool `(k, k)`.
    """
    torch = import_torch()
    emissions, chain = emissions.double(), Chain(*(scores.double() for scores in chain))
    length = emissions.shape[1]
    ahead = [chain.start + emissions[:, 0]]  # of all beginnings that end with a tag, (b, k) each
    for position in range(1, length):
        paths = ahead[-1][:, :, None] + chain.at(position)
        ahead.append(torch.logsumexp(paths, 1) + emissions[:, position])
    behind = [chain.end.expand(len(emissions), -1)]  # of all that can follow a tag, likewise
    for position in range(length - 1, 0, -1):
        following = (emissions[:, position] + behind[-1])[:, None, :] + chain.at(position)
        earlier = torch.logsumexp(following, 2)
        behind.append(torch.where((position < lengths)[:, None], earlier, behind[-1]))
    forwards, backwards = torch.stack(ahead, 1), torch.stack(behind[::-1], 1)  # (b, l, k)
    total = torch.logsumexp(forwards[:, 0] + backwards[:, 0], 1)
    given = tags[..., None]
    steps = _rows_of_steps(tags, chain)  # (b, l - 1, k)
    inside = emissions.gather(2, given).squeeze(2)
    inside[:, 1:] += steps.gather(2, given[:, 1:]).squeeze(2)
    following = steps + emissions[:, 1:] + backwards[:, 1:]
    closing = torch.logsumexp(following.masked_fill(goes_on[tags[:, :-1]], -torch.inf), 2)
    last = torch.arange(length, device=lengths.device) == lengths[:, None] - 1
    closing = torch.nn.functional.pad(closing, (0, 1))
    closing = torch.where(last, chain.end[tags], closing)
    opening = forwards.gather(2, given).squeeze(2) - total[:, None]
    return Along(opening, inside.cumsum(1), closing)


def _rows_of_steps(tags: Tensor, chain: Chain) -> Tensor:
    """Scores of all steps from each word's tag, `(b, l - 1, k)`."""
    if chain.steps.dim() == 2:
        return chain.steps[tags[:, :-1]]
    size = chain.steps.shape[-1]
    return chain.steps.gather(2, tags[:, :-1, None, None].expand(-1, -1, 1, size)).squeeze(2)


def rules(tags: Sequence[str], device: str = "cpu") -> Chain:
    """Steps that no entity can take, as scores of `FORBIDDEN` to be added when decoding.

    Args:
        tags: Of one scheme, BIO2 or IOBES; the latter if one begins with `E-` or `S-`.
        device: Where the scores are to lie.
    """
    torch = import_torch()
    closes = any(tag[0] in "ES" for tag in tags)  # IOBES says where an entity ends

    def allowed(before: str, after: str) -> bool:
        kind, _, type_ = before.partition("-")
        next_kind, _, next_type = after.partition("-")
        if next_kind in ("I", "E"):
            return kind in ("B", "I") and type_ == next_type
        return not (closes and kind in ("B", "I"))

    def penalty(fine: bool) -> float:
        return 0.0 if fine else FORBIDDEN

    start = [penalty(allowed(OUTSIDE, tag)) for tag in tags]
    end = [penalty(allowed(tag, OUTSIDE)) for tag in tags]
    steps = [[penalty(allowed(before, after)) for after in tags] for before in tags]
    return Chain(*(torch.tensor(values, device=device) for values in (start, end, steps)))


def continuations(tags: Sequence[str], device: str = "cpu") -> Tensor:
    """Whether the second of two tags goes on with the entity of the first, bool `(k, k)`."""
    torch = import_torch()

    def goes_on(before: str, after: str) -> bool:
        return before[0] in "BI" and after[0] in "IE" and before[1:] == after[1:]

    return torch.tensor([[goes_on(before, after) for after in tags] for before in tags], device=device)
