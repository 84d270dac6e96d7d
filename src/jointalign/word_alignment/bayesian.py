"""Bayesian word alignment by collapsed Gibbs sampling (Östling and Tiedemann 2016).

Each word of one sentence comes from one word of the other or from NULL. Three models follow one
another, each going on from the links of the one before: IBM model 1, where only the words count; a
hidden Markov model, where a link also depends on how far it is from the one before and the one
after; and the same with fertility, where it also depends on how many words its word already has. Words
given words and jumps have Dirichlet priors and are integrated out, so that a sample is one pass over
the text, each link drawn anew given all others; fertilities are drawn from their posterior once a
pass. Several chains run by themselves; each gives the chances of every link in its last pass, and a
word is linked to the word with the largest sum of them.

Differences from the authors' program (eflomal), of which no line was used:

* It looks words up in hash tables; here every cell of the text knows its entry (`TextCells`), so that a
  count is found by its number. Memory is 4 bytes for each source word times each target word of its
  sentence, shared by both directions and all chains, and 2 bytes for each entry and chain (4 where a
  word occurs more than 65,535 times on both sides).
* Jumps come from one distribution over all distances that the text has room for.

What was learnt is kept as counts (`LinkCounts`). To align other text with them, they are counted
before its first link is drawn, and never taken out: links of the old text stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from jointalign.numerics.compiling import compiled
from jointalign.numerics.processors import usable_processors
from jointalign.ranges import check_ranges, within
from jointalign.word_alignment._cells import TextCells
from jointalign.word_alignment.base import (
    DEFAULT,
    Computation,
    GeneratedLinks,
    Learnt,
    Links,
    ParallelText,
    Ways,
    starts_of,
)
from jointalign.word_alignment.counts import DirectionCounts, LinkCounts

LEAST_CHANCE = 0.01
"""Links with less, in one direction, are not told."""

_WORDS, _JUMPS, _FERTILITIES = 1, 2, 3
_CELLS_AT_ONCE = 1 << 18  # whose chances are held in the last pass


@dataclass(frozen=True)
class BayesianAligner:
    """IBM 1, HMM and HMM with fertility, sampled; the published defaults.

    Args:
        chains: Independent samplers whose chances are added (3: the authors' program).
        sweeps: Passes over the text with the last model; the two before it have a quarter each. `None`:
            `5000 / sqrt(sentence pairs)`, and 2 at least, as there.
        alpha: Of the Dirichlet prior over the words that a word generates, for each word of the language.
        jump_alpha: Of that over jumps.
        fertility_alpha: Of that over the numbers of words that a word generates.
        null_probability: Chance of a word to come from no word, before anything is seen.
        most_words: Larger fertilities do not occur.

    Raises:
        JointalignError: If a setting is out of its range.

    Example:
        >>> pairs = [("the house", "das haus"), ("the book", "das buch"), ("a book", "ein buch")]
        >>> text = ParallelText.of((a.split(), b.split()) for a, b in pairs * 20)
        >>> BayesianAligner().fit(text).ways[0].best[:6].tolist()
        [0, 1, 0, 1, 0, 1]
    """

    chains: int = within(3, least=1)
    sweeps: int | None = within(None, least=1)
    alpha: float = within(0.001, above=0)
    jump_alpha: float = within(0.5, above=0)
    fertility_alpha: float = within(0.5, above=0)
    null_probability: float = within(0.2, above=0, below=1)
    most_words: int = within(7, least=1)

    def __post_init__(self) -> None:
        check_ranges(self)

    def schedule(self, sentences: int) -> tuple[int, int, int]:
        """Passes over a text of so many sentence pairs with each of the three models."""
        last = self.sweeps or max(2, round(5000 / max(1, sentences) ** 0.5))
        return max(1, last // 4), max(1, last // 4), last

    def fit(
        self, text: ParallelText, computation: Computation = DEFAULT, prior: LinkCounts | None = None
    ) -> Learnt[BayesianModel]:
        """Learn both directions, and link every word of the text.

        Args:
            text: What to learn from and link; sentence pairs with an empty side have no links.
            computation: Seed, threads, and who is told of passes done.
            prior: Counted before anything is seen: what another text has taught, or a dictionary.

        Returns:
            The counts, those of the prior among them, and the links of this text.

        Raises:
            JointalignError: If the text has no pair of words, or too many for 32-bit numbers.
        """
        cells = TextCells.of(text, by_frequency=True)
        prior = prior or LinkCounts.nothing()
        (forward, counts), (reverse, others) = self.sample(cells, prior, computation)
        model = BayesianModel(self, prior.with_text(cells, counts, others))
        return Learnt(model, (forward, reverse))

    def sample(
        self, cells: TextCells, prior: LinkCounts, computation: Computation
    ) -> list[tuple[GeneratedLinks, DirectionCounts]]:
        """Links of both directions and what these count; arguments as for `fit`."""
        passes = self.schedule(len(cells.text) + prior.sentences)
        return [
            self._learn(_Direction(self, cells, prior, forward), passes, computation.part(n, 2))
            for n, forward in enumerate((True, False))
        ]

    def _learn(
        self, way: _Direction, passes: tuple[int, int, int], computation: Computation
    ) -> tuple[GeneratedLinks, DirectionCounts]:
        """Links of one direction, and what they count."""
        seed, reverse = computation.seed, int(not way.forward)
        chains = [_Chain(way, [seed, reverse, n]) for n in range(self.chains)]
        report = computation.counter(self.chains * (sum(passes) + 1))
        with ThreadPoolExecutor(computation.threads or usable_processors()) as pool:
            list(pool.map(lambda chain: chain.run(passes, report), chains))
        links = _last_pass(way, chains)
        for _ in chains:
            report()
        return links, _mean(chains)


@dataclass(frozen=True, eq=False)
class BayesianModel:
    """What a `BayesianAligner` has learnt.

    Args:
        settings: Whose.
        counts: Of links, jumps and fertilities: means over the chains.

    Example:
        >>> pairs = [("the house", "das haus"), ("the book", "das buch"), ("a book", "ein buch")]
        >>> text = ParallelText.of((a.split(), b.split()) for a, b in pairs * 20)
        >>> model = BayesianAligner().fit(text).model
        >>> other = ParallelText.of([("a house".split(), "ein haus".split())])
        >>> model.align(other)[0].best.tolist()
        [0, 1]
    """

    settings: BayesianAligner
    counts: LinkCounts

    def align(self, text: ParallelText, computation: Computation = DEFAULT) -> Ways:
        """Links of other text, which teaches its own new words and nothing that lasts.

        Args:
            text: Sentence pairs.
            computation: Seed, threads, and who is told of passes done.

        Raises:
            JointalignError: If the text has no pair of words, or too many for 32-bit numbers.
        """
        cells = TextCells.of(text, by_frequency=True)
        (forward, _), (reverse, _) = self.settings.sample(cells, self.counts, computation)
        return forward, reverse


class _Sums:
    """Chances of every link and of NULL in some sentences, added over chains, float32."""

    def __init__(self, cells: TextCells, forward: bool, first: int = 0, last: int | None = None) -> None:
        self._cells, self._sides = cells, (cells.side(forward), cells.side(not forward))
        self.bounds = first, len(cells.text) if last is None else last
        self.words, self.null = (
            np.zeros(np.diff(starts[list(self.bounds)])[0], np.float32)
            for starts in (cells.starts, self._sides[0].starts)
        )

    def choose(self, forward: bool, best: np.ndarray, chances: np.ndarray) -> None:
        """Write the likeliest link of each token of these sentences, and its summed chance."""
        starts = [side.starts for side in self._sides]
        _choose(*self.bounds, *starts, self._cells.starts, forward, self.words, self.null, best, chances)

    def likely(self, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Links with a larger sum: their number by sentence, their places, and the sums."""
        first, last = self.bounds
        kept = np.flatnonzero(self.words >= least)
        starts = self._cells.starts[first : last + 1] - self._cells.starts[first]
        sentences = np.searchsorted(starts, kept, "right") - 1
        widths = np.diff(self._cells.text.target.starts[first : last + 1])[sentences]
        pairs = np.stack(np.divmod(kept - starts[sentences], widths), 1).astype(np.int32)
        return np.bincount(sentences, minlength=last - first), pairs, self.words[kept]


def _last_pass(way: _Direction, chains: Sequence[_Chain]) -> GeneratedLinks:
    """Draw all links once more, and make links of the chances that they had, sentences by sentences."""
    cells, (generated, conditioning) = way.cells, (way.sides[0], way.sides[1])
    best, chances = np.empty(len(way.sides[2]), np.int32), np.empty(len(way.sides[2]), np.float32)
    blocks, first = [], 0
    while first < len(cells.text):
        last = int(np.searchsorted(cells.starts, cells.starts[first] + _CELLS_AT_ONCE, "right")) - 1
        sums = _Sums(cells, way.forward, first, max(first + 1, last))
        for chain in chains:  # one after the other: sums of floats depend on their order
            chain.sweep(_FERTILITIES, sums)
        sums.choose(way.forward, best, chances)
        blocks.append(sums.likely(LEAST_CHANCE * len(chains)))
        first = sums.bounds[1]
    chances /= len(chains)
    chances[np.repeat(np.diff(conditioning) == 0, np.diff(generated))] = 1  # there is only NULL
    counts, pairs, likely = map(np.concatenate, zip(*blocks, strict=True))
    likely /= np.float32(len(chains))
    return GeneratedLinks(best, {}, chances, (Links(pairs, starts_of(counts)), likely))


class _Direction:
    """What all chains of a direction share: its text, and what is counted before anything is seen."""

    def __init__(self, settings: BayesianAligner, cells: TextCells, prior: LinkCounts, forward: bool) -> None:
        self.settings, self.cells, self.forward = settings, cells, forward
        generated, conditioning = cells.side(forward), cells.side(not forward)
        self.sides = generated.starts, conditioning.starts, generated.tokens, conditioning.tokens
        self.twins = _twins(*self.sides[::2]), _twins(*self.sides[1::2])
        before = prior.meeting(cells, forward, settings.most_words)
        # Alone where all are equal, which is quicker to look up than as many as there are entries.
        if before.pairs is None:
            self.pair_prior, self.mask = np.full(1, settings.alpha), np.uint32(0)
        else:
            before.pairs[:] += np.float32(settings.alpha)
            self.pair_prior, self.mask = before.pairs, np.uint32(2**32 - 1)
        self.most_cells = int(np.diff(cells.starts).max())
        self.counts_type = np.uint16 if cells.most_counted() < 2**16 else np.int32
        self.null_prior = settings.alpha + before.null
        # Each word has as many words to choose from as there are, NULL as well (the last).
        self.totals = settings.alpha * before.types + before.totals
        self.jumps = settings.jump_alpha + before.jumps
        self.fertilities = settings.fertility_alpha + before.fertilities

    @property
    def layout(self) -> tuple[np.ndarray, np.ndarray, bool]:
        return self.cells.starts, self.cells.cells, self.forward


class _Chain:
    """One sampler of one direction: its links, and the counts that follow from them."""

    def __init__(self, way: _Direction, seed: list[int]) -> None:
        self.way = way
        self._rng = np.random.default_rng(seed)
        self._state = self._rng.integers(1, 2**63, 1, np.uint64)
        self._links = np.full(len(way.sides[2]), -1, np.int32)
        self._jumps = way.jumps.copy()
        counts = np.zeros(way.cells.entries, way.counts_type), np.zeros(len(way.null_prior), np.int32)
        self._counted = *counts, way.totals.copy()
        null_probability = way.settings.null_probability
        _begin(*way.sides, *way.layout, null_probability, self._links, *self._counted, self._state)

    def run(self, passes: tuple[int, int, int], report: Callable[[], None]) -> None:
        """All passes but the last."""
        for model, sweeps in zip((_WORDS, _JUMPS, _FERTILITIES), passes, strict=True):
            self.begin(model)
            for _ in range(sweeps):
                self.sweep(model)
                report()

    def begin(self, model: int) -> None:
        """Count what a model counts that the one before it did not."""
        if model == _JUMPS:
            _count_jumps(*self.way.sides[:2], self._links, self._jumps)

    def sweep(self, model: int, sums: _Sums | None = None) -> None:
        """Draw every link anew, given all others; or those of the sentences of `sums`, and add their chances.

        Ratios are drawn once a pass: with its first sentence.
        """
        way, bounds = self.way, (0, len(self.way.cells.text)) if sums is None else sums.bounds
        if bounds[0] == 0:
            self._drawn = self._ratios(model)
        _sweep(
            *bounds,
            *way.sides,
            *way.layout,
            *way.twins,
            model,
            self._drawn,
            way.pair_prior,
            way.mask,
            way.null_prior,
            way.settings.null_probability,
            self._links,
            *self._counted,
            self._jumps,
            self._state,
            way.cells.longest,
            way.most_cells,
            _NOTHING if sums is None else sums.words,
            _NOTHING if sums is None else sums.null,
        )

    def counts(self) -> DirectionCounts:
        """What its links alone count now."""
        words = len(self.way.totals) - 1
        fertilities = np.zeros((words, self.way.settings.most_words + 1))
        _count_fertilities(*self.way.sides[:2], self.way.sides[3], self._links, fertilities)
        return DirectionCounts(*self._counted[:2], self._jumps - self.way.jumps, fertilities)

    def _ratios(self, model: int) -> np.ndarray:
        """How much likelier a word is to have one word more, `(types, most_words + 1)`.

        Its fertilities are drawn from their posterior given all links: not integrated out, as they
        are in the other distributions, since one link changes two of them.
        """
        if model != _FERTILITIES:
            return np.ones((1, self.way.settings.most_words + 1))
        counts = np.zeros(self.way.fertilities.shape)
        _count_fertilities(*self.way.sides[:2], self.way.sides[3], self._links, counts)
        drawn = self._rng.standard_gamma(counts + self.way.fertilities) + _TINY
        ratios = np.zeros(counts.shape)
        ratios[:, :-1] = drawn[:, 1:] / drawn[:, :-1]
        return ratios


def _mean(chains: list[_Chain]) -> DirectionCounts:
    every = zip(*(chain.counts() for chain in chains), strict=True)
    return DirectionCounts(*map(_mean_of, every))


def _mean_of(counts: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros(counts[0].shape, np.float32)
    for one in counts:
        total += one
    return total / np.float32(len(counts))


_NOTHING = np.zeros(0, np.float32)
_TINY = 1e-30


@compiled()
def _uniform(state) -> float:
    """Between 0 and 1, by xorshift64* (Vigna 2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled()
def _strides(forward, generated, conditioning) -> tuple[int, int]:
    """How far the cells of the next generated, and of the next conditioning word are."""
    return (1, generated) if forward else (conditioning, 1)


@compiled()
def _begin(
    starts,
    others,
    generated_tokens,
    conditioning_tokens,
    cell_starts,
    cells,
    forward,
    null_probability,
    links,
    counts,
    null_counts,
    totals,
    state,
) -> None:
    """Draw links that know nothing, and count them."""
    for sentence in range(len(starts) - 1):
        start, first = starts[sentence], others[sentence]
        generated, conditioning = starts[sentence + 1] - start, others[sentence + 1] - first
        if conditioning == 0:
            continue
        row, column = _strides(forward, generated, conditioning)
        for g in range(generated):
            if _uniform(state) >= null_probability:
                link = int(_uniform(state) * conditioning)
                links[start + g] = link
                counts[cells[cell_starts[sentence] + g * row + link * column]] += 1
                totals[conditioning_tokens[first + link]] += 1.0
            else:
                null_counts[generated_tokens[start + g]] += 1
                totals[len(totals) - 1] += 1.0


@compiled()
def _count_jumps(starts, others, links, jumps) -> None:
    """Add the jumps between the links that are there, from before the first word to after the last."""
    middle = len(jumps) // 2
    for sentence in range(len(starts) - 1):
        conditioning = others[sentence + 1] - others[sentence]
        if conditioning == 0 or starts[sentence] == starts[sentence + 1]:
            continue
        before = -1
        for token in range(starts[sentence], starts[sentence + 1]):
            if links[token] >= 0:
                jumps[middle + links[token] - before] += 1.0
                before = links[token]
        jumps[middle + conditioning - before] += 1.0


@compiled()
def _count_fertilities(starts, others, conditioning_tokens, links, counts) -> None:
    """How often each type has how many words."""
    most = counts.shape[1] - 1
    for sentence in range(len(starts) - 1):
        if starts[sentence] == starts[sentence + 1]:
            continue
        first, last = others[sentence], others[sentence + 1]
        have = np.zeros(last - first, np.int32)
        for token in range(starts[sentence], starts[sentence + 1]):
            if links[token] >= 0:
                have[links[token]] += 1
        for c in range(last - first):
            counts[conditioning_tokens[first + c], min(have[c], most)] += 1.0


@compiled()
def _twins(starts, tokens) -> np.ndarray:
    """For each token the next place in its sentence with the same word, round to the first again."""
    twins = np.empty(len(tokens), np.int32)
    last_place = np.full(tokens.max() + 1 if len(tokens) else 0, -1, np.int64)
    for sentence in range(len(starts) - 1):
        first, length = starts[sentence], starts[sentence + 1] - starts[sentence]
        # Backwards twice: the second time round, the last places are those of the sentence itself.
        for place in range(2 * length - 1, -1, -1):
            token = first + place % length
            if place < length:
                twins[token] = last_place[tokens[token]]
            last_place[tokens[token]] = place % length
    return twins


@compiled()
def _gather(cells, forward, generated, conditioning, counts, prior, mask, known) -> None:
    """What the counts of a sentence's cells weigh, looked up at once, generated word by word."""
    if not forward:
        for k in range(np.uint64(len(cells))):
            known[k] = counts[np.uint32(cells[k])] + prior[np.uint32(cells[k]) & mask]
        return
    rows, columns, k = np.uint64(generated), np.uint64(conditioning), np.uint64(0)
    for c in range(columns):
        for g in range(rows):
            known[g * columns + c] = counts[np.uint32(cells[k])] + prior[np.uint32(cells[k]) & mask]
            k += np.uint64(1)


@compiled(error_model="numpy")
def _refresh(c, kinds, twins, model, ratios, totals, have, factors) -> None:
    """What a word's own counts make of its weight, wherever it stands in the sentence."""
    most, place, factor = ratios.shape[1] - 1, c, 1.0 / totals[kinds[c]]
    while True:
        factors[place] = factor
        if model > 2:
            factors[place] *= ratios[kinds[c], min(have[place], most)]
        place = twins[place]
        if place == c:
            return


@compiled()
def _renew(g, c, generated_twins, twins, weight, known) -> None:
    """Write the weight of two words' count wherever the two stand in the sentence."""
    row = g
    while True:
        place = c
        while True:
            known[row * len(twins) + place] = weight
            place = twins[place]
            if place == c:
                break
        row = generated_twins[row]
        if row == g:
            return


@compiled()
def _put(change, link, entry, token, kinds, counts, null_counts, totals, have) -> None:
    """Count a link, or take it out: `change` is 1 or -1. Jumps are another matter."""
    if link < 0:
        null_counts[token] += change
        totals[len(totals) - 1] += change
    else:
        counts[entry] += change
        totals[kinds[link]] += change
        have[link] += change


@compiled()
def _count_jump(change, link, before, after, jumps) -> int:
    """Add the jumps that a link makes, or take them out; how many the counts have more."""
    middle = len(jumps) // 2
    if link < 0:
        jumps[middle + after - before] += change
        return change
    jumps[middle + link - before] += change
    jumps[middle + after - link] += change
    return 2 * change


@compiled(error_model="numpy", fastmath=True)
def _weigh(known, base, factors, weights) -> float:
    """The weight of each word of the other sentence for a link, places aside; returns their sum."""
    total = 0.0
    for c in range(np.uint64(len(weights))):
        weights[c] = known[np.uint64(base) + c] * factors[c]
        total += weights[c]
    return total


@compiled(error_model="numpy", fastmath=True)
def _weigh_jumps(known, base, factors, jumps, before, after, weights) -> float:
    """The same with the jump from the link before and that to the one after."""
    total, middle = 0.0, len(jumps) // 2
    onwards, backwards = np.uint64(middle - before), np.uint64(middle + after)
    for c in range(np.uint64(len(weights))):
        weights[c] = known[np.uint64(base) + c] * factors[c] * (jumps[onwards + c] * jumps[backwards - c])
        total += weights[c]
    halfway = (before + after) // 2
    if 2 * halfway == before + after and 0 <= halfway < len(weights):
        # Both jumps are the same there, so that the second has seen it once more.
        more = weights[halfway] / jumps[middle + halfway - before]
        weights[halfway] += more
        total += more
    return total


@compiled()
def _drawn(left, weights) -> int:
    """The word in whose weight a number falls that is drawn below their sum."""
    for c in range(len(weights)):
        left -= weights[c]
        if left < 0.0:
            return c
    return len(weights) - 1


@compiled()
def _add(weights, total, sums, place, step) -> None:
    """Add each word's chance to its cell."""
    for c in range(len(weights)):
        sums[place + c * step] += weights[c] / total


@compiled()
def _look_around(links, have, following) -> None:
    """How many words each word has, and which link each will be followed by."""
    have[:] = 0
    after = len(have)
    for g in range(len(links) - 1, -1, -1):
        following[g] = after
        if links[g] >= 0:
            after = links[g]
            have[after] += 1


@compiled(error_model="numpy")
def _sweep(
    begin,
    end,
    starts,
    others,
    generated_tokens,
    conditioning_tokens,
    cell_starts,
    cells,
    forward,
    generated_twins,
    conditioning_twins,
    model,
    ratios,
    prior,
    mask,
    null_prior,
    null_probability,
    links,
    counts,
    null_counts,
    totals,
    jumps,
    state,
    longest,
    most_cells,
    word_sums,
    null_sums,
) -> None:
    """Draw every link of some sentences given all others; where there are sums, add the chances it had."""
    buffer = np.empty(most_cells)
    all_weights, all_factors = np.empty(longest), np.empty(longest)
    all_have, following = np.empty(longest, np.int64), np.empty(longest, np.int64)
    all_jumps = jumps.sum()
    for sentence in range(begin, end):
        start, first, last = starts[sentence], others[sentence], others[sentence + 1]
        generated, conditioning = starts[sentence + 1] - start, last - first
        if generated == 0 or conditioning == 0:
            continue
        here = cells[cell_starts[sentence] : cell_starts[sentence + 1]]
        known, strides = buffer[: len(here)], _strides(forward, generated, conditioning)
        _gather(here, forward, generated, conditioning, counts, prior, mask, known)
        kinds, twins = conditioning_tokens[first:last], conditioning_twins[first:last]
        weights, factors, have = all_weights[: len(kinds)], all_factors[: len(kinds)], all_have[: len(kinds)]
        same, drawn = generated_twins[start : start + generated], links[start : start + generated]
        _look_around(drawn, have, following)
        for c in range(conditioning):
            _refresh(c, kinds, twins, model, ratios, totals, have, factors)
        before = -1
        for g in range(generated):
            token, link, after = generated_tokens[start + g], drawn[g], following[g]
            # Taken out first: what is left is what the draw is conditioned on.
            entry = here[g * strides[0] + max(link, 0) * strides[1]]
            _put(-1, link, entry, token, kinds, counts, null_counts, totals, have)
            if link >= 0:
                _refresh(link, kinds, twins, model, ratios, totals, have, factors)
                _renew(g, link, same, twins, counts[entry] + prior[np.uint32(entry) & mask], known)
            null = null_probability * (null_counts[token] + null_prior[token]) / totals[len(totals) - 1]
            if model == 1:
                null *= conditioning / (1.0 - null_probability)
                words = _weigh(known, g * conditioning, factors, weights)
            else:
                all_jumps += _count_jump(-1, link, before, after, jumps)
                jump = jumps[len(jumps) // 2 + after - before]
                null *= jump * (all_jumps + 1.0) / (1.0 - null_probability)
                words = _weigh_jumps(known, g * conditioning, factors, jumps, before, after, weights)
            if len(null_sums):
                place = cell_starts[sentence] - cell_starts[begin] + g * strides[0]
                null_sums[start - starts[begin] + g] += null / (null + words)
                _add(weights, null + words, word_sums, place, strides[1])
            left = _uniform(state) * (null + words) - null
            link = _drawn(left, weights) if left >= 0.0 else -1
            drawn[g] = link
            entry = here[g * strides[0] + max(link, 0) * strides[1]]
            _put(1, link, entry, token, kinds, counts, null_counts, totals, have)
            if model > 1:
                all_jumps += _count_jump(1, link, before, after, jumps)
            if link >= 0:
                _refresh(link, kinds, twins, model, ratios, totals, have, factors)
                _renew(g, link, same, twins, counts[entry] + prior[np.uint32(entry) & mask], known)
                before = link


@compiled()
def _choose(begin, end, starts, others, cell_starts, forward, word_sums, null_sums, best, chances) -> None:
    """The likeliest link of each token; the first of equal ones, and any before NULL."""
    for sentence in range(begin, end):
        generated = starts[sentence + 1] - starts[sentence]
        conditioning = others[sentence + 1] - others[sentence]
        row, column = _strides(forward, generated, conditioning)
        for g in range(generated):
            token = starts[sentence] + g
            link, largest = -1, null_sums[token - starts[begin]]
            for c in range(conditioning):
                chance = word_sums[cell_starts[sentence] - cell_starts[begin] + g * row + c * column]
                if chance > largest or (link < 0 and chance == largest):
                    link, largest = c, chance
            best[token], chances[token] = link, largest
