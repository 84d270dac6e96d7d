"""The inner loops of word alignment, compiled.

A cell is a source word and a target word of one sentence pair; the cells of a pair lie together,
source by source. An entry is a source type and a target type that have a cell in common; each cell
knows its entry, so that nothing is looked up while learning. The entries of a source type lie
together, unless they are numbered by frequency. One array of cells serves both directions: they
differ in what is summed to one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jointalign.numerics.compiling import compiled, inlined

_SMALLEST = 1e-300


@compiled()
def number_cells(
    occurrences: np.ndarray,  # (t,) int64, source tokens by their type
    occurrence_starts: np.ndarray,  # (types + 1,) int64
    sentence_of: np.ndarray,  # (t,) int32, of each source token
    source_starts: np.ndarray,  # (s + 1,) int64
    target_tokens: np.ndarray,  # int32
    target_starts: np.ndarray,  # (s + 1,) int64
    cell_starts: np.ndarray,  # (s + 1,) int64
    target_types: int,
    cells: np.ndarray,  # int32, the entry of each cell, written
) -> int:
    """Give each distinct pair of types a number; returns how many there are."""
    seen_by = np.full(target_types, -1, np.int32)
    entry_of = np.empty(target_types, np.int32)
    entries = 0
    for kind in range(len(occurrence_starts) - 1):
        for token in occurrences[occurrence_starts[kind] : occurrence_starts[kind + 1]]:
            sentence = sentence_of[token]
            first, last = target_starts[sentence], target_starts[sentence + 1]
            row = cell_starts[sentence] + (token - source_starts[sentence]) * (last - first)
            for j in range(last - first):
                target = target_tokens[first + j]
                if seen_by[target] != kind:
                    seen_by[target] = kind
                    entry_of[target] = entries
                    entries += 1
                cells[row + j] = entry_of[target]
    return entries


@compiled()
def number_by_frequency(cells: np.ndarray, entries: int) -> None:
    """Number entries anew, in place: the frequent first, and of about equal ones the first in the text.

    Then those that are often looked up share few lines of the cache, and the many that occur once are
    met in their order.
    """
    numbers = np.zeros(entries, np.int32)  # how often, then -1 - the power of two, then the new number
    for entry in cells:
        numbers[entry] += 1
    sizes = np.zeros(33, np.int64)
    for entry in range(entries):
        power = 0
        while numbers[entry] >> (power + 1):
            power += 1
        numbers[entry] = -1 - power
        sizes[power] += 1
    following = np.zeros(33, np.int64)
    for power in range(31, -1, -1):
        following[power] = following[power + 1] + sizes[power + 1]
    for k in range(len(cells)):
        entry = cells[k]
        if numbers[entry] < 0:
            power = -1 - numbers[entry]
            numbers[entry] = following[power]
            following[power] += 1
        cells[k] = numbers[entry]


@compiled()
def types_of_entries(
    source_starts: np.ndarray,
    target_starts: np.ndarray,
    cell_starts: np.ndarray,
    cells: np.ndarray,
    source_tokens: np.ndarray,
    target_tokens: np.ndarray,
    places: np.ndarray,  # (entries,) int32: where the types of each are to be written, -1 for nowhere
    source_types: np.ndarray,  # int32, written
    target_types: np.ndarray,  # int32, written
) -> None:
    """The two types of each entry, or of some."""
    for sentence in range(len(cell_starts) - 1):
        cell = cell_starts[sentence]
        for source in source_tokens[source_starts[sentence] : source_starts[sentence + 1]]:
            for target in target_tokens[target_starts[sentence] : target_starts[sentence + 1]]:
                place = places[cells[cell]] if len(places) else cells[cell]
                if place >= 0:
                    source_types[place], target_types[place] = source, target
                cell += 1


@inlined
def _prior(g, generated, conditioning, tension, ratio, weights):
    """Unnormalised exp(tension * feature) of each conditioning word; returns their sum.

    From the diagonal outwards each weight is the last one times `ratio`, exp(-tension / n).
    """
    centre = (g + 1) / generated
    before = (g + 1) * conditioning // generated
    total = 0.0
    weight = math.exp(-tension * (centre - before / conditioning))
    for c in range(before - 1, -1, -1):
        weights[c] = weight
        total += weight
        weight *= ratio
    weight = math.exp(-tension * ((before + 1) / conditioning - centre))
    for c in range(before, conditioning):
        weights[c] = weight
        total += weight
        weight *= ratio
    return total


@compiled(error_model="numpy")
def expect(
    first: int,
    last: int,
    source_starts: np.ndarray,
    target_starts: np.ndarray,
    cell_starts: np.ndarray,
    cells: np.ndarray,
    forward: bool,  # target words are generated by source words, or the other way round
    generated_tokens: np.ndarray,  # int32
    table: np.ndarray,  # (entries,) float64, probability of the generated type
    null_table: np.ndarray,  # (generated types,) float64
    null_probability: float,
    tension: float,
    posteriors: np.ndarray,  # float32, of each cell, written
    null_posteriors: np.ndarray,  # float64, of each generated token, written
    likelihoods: np.ndarray,  # (s,) float64, log, written
    features: np.ndarray,  # (s,) float64, expected, written
    longest: int,
) -> None:
    """Posterior probability of every link of some sentence pairs."""
    weights = np.empty(longest)
    scores = np.empty(longest)
    for sentence in range(first, last):
        n = source_starts[sentence + 1] - source_starts[sentence]
        m = target_starts[sentence + 1] - target_starts[sentence]
        generated, conditioning = (m, n) if forward else (n, m)
        start = target_starts[sentence] if forward else source_starts[sentence]
        step, stride = (m, 1) if forward else (1, m)
        ratio = math.exp(-tension / max(1, conditioning))
        likelihood = feature = 0.0
        for g in range(generated):
            if conditioning == 0:
                null_posteriors[start + g] = 1.0
                continue
            norm = _prior(g, generated, conditioning, tension, ratio, weights)
            share = (1.0 - null_probability) / norm
            base = cell_starts[sentence] + g * stride
            null = null_probability * null_table[generated_tokens[start + g]]
            total = null
            for c in range(conditioning):
                scores[c] = share * weights[c] * table[cells[base + c * step]]
                total += scores[c]
            total = max(total, _SMALLEST)  # without a prior and NULL nothing may be left
            inverse = 1.0 / total
            null_posteriors[start + g] = null * inverse
            likelihood += math.log(total)
            centre = (g + 1) / generated
            for c in range(conditioning):
                posterior = scores[c] * inverse
                feature -= posterior * abs((c + 1) / conditioning - centre)
                # Below, float32 has no full precision, and sums do not notice.
                posteriors[base + c * step] = posterior if posterior > 1e-30 else 0.0
        likelihoods[sentence] = likelihood
        features[sentence] = feature


@compiled()
def accumulate(
    first: int,
    last: int,
    occurrences: np.ndarray,
    occurrence_starts: np.ndarray,
    sentence_of: np.ndarray,
    source_starts: np.ndarray,
    target_starts: np.ndarray,
    cell_starts: np.ndarray,
    cells: np.ndarray,
    posteriors: np.ndarray,
    counts: np.ndarray,  # (entries,) float64, zero before, written
) -> None:
    """Expected counts of the entries of some source types: no two types share an entry."""
    for token in occurrences[occurrence_starts[first] : occurrence_starts[last]]:
        sentence = sentence_of[token]
        m = target_starts[sentence + 1] - target_starts[sentence]
        row = cell_starts[sentence] + (token - source_starts[sentence]) * m
        for cell in range(row, row + m):
            counts[cells[cell]] += posteriors[cell]


@compiled()
def digamma(x):
    """Derivative of log gamma, for x > 0: recurrence up to 6, then the asymptotic series."""
    value = 0.0
    while x < 6.0:
        value -= 1.0 / x
        x += 1.0
    square = 1.0 / (x * x)
    series = 1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132)))
    return value + math.log(x) - 0.5 / x - square * series


@compiled()
def normalise(
    first: int,
    last: int,
    counts: np.ndarray,  # (entries,)
    rows: np.ndarray,  # (entries,) int32, the distribution each entry belongs to
    totals: np.ndarray,  # (rows,): of the counts, each plus alpha
    alpha: float,  # of the Dirichlet prior; 0 for maximum likelihood
    table: np.ndarray,  # (entries,) written
) -> None:
    """New probabilities of some entries: the mean-field estimate, or relative frequency."""
    for entry in range(first, last):
        total = totals[rows[entry]]
        if alpha > 0.0:
            table[entry] = math.exp(digamma(counts[entry] + alpha) - total)
        else:
            table[entry] = counts[entry] / total if total > 0.0 else 0.0


@compiled()
def expected_features(
    generated: np.ndarray,  # (k,) int64, length of the generated sentence
    conditioning: np.ndarray,  # (k,) int64
    mass_starts: np.ndarray,  # (k,) int64, into `mass`
    mass: np.ndarray,  # float64: for each size and position, how often it is not from NULL
    tension: float,
) -> Any:
    """Sum of the feature's expectation under the prior: what the gradient subtracts."""
    longest = 1
    for k in range(len(generated)):
        longest = max(longest, conditioning[k])
    weights = np.empty(longest)
    expected = 0.0
    for k in range(len(generated)):
        n = conditioning[k]
        ratio = math.exp(-tension / n)
        for g in range(generated[k]):
            norm = _prior(g, generated[k], n, tension, ratio, weights)
            centre, inner = (g + 1) / generated[k], 0.0
            for c in range(n):
                inner -= weights[c] * abs((c + 1) / n - centre)
            expected += mass[mass_starts[k] + g] * inner / norm
    return expected


@compiled()
def best_links(
    first: int,
    last: int,
    source_starts: np.ndarray,
    target_starts: np.ndarray,
    cell_starts: np.ndarray,
    cells: np.ndarray,
    forward: bool,
    generated_tokens: np.ndarray,
    table: np.ndarray,
    null_table: np.ndarray,
    null_probability: float,
    tension: float,
    best: np.ndarray,  # int32, of each generated token: its word on the other side, or -1; written
    longest: int,
) -> None:
    """The most probable link of every generated word; NULL wins ties, then the first word."""
    weights = np.empty(longest)
    for sentence in range(first, last):
        n = source_starts[sentence + 1] - source_starts[sentence]
        m = target_starts[sentence + 1] - target_starts[sentence]
        generated, conditioning = (m, n) if forward else (n, m)
        start = target_starts[sentence] if forward else source_starts[sentence]
        step, stride = (m, 1) if forward else (1, m)
        ratio = math.exp(-tension / max(1, conditioning))
        for g in range(generated):
            best[start + g] = -1
            if conditioning == 0:
                continue
            norm = _prior(g, generated, conditioning, tension, ratio, weights)
            share = (1.0 - null_probability) / norm
            base = cell_starts[sentence] + g * stride
            highest = null_probability * null_table[generated_tokens[start + g]]
            for c in range(conditioning):
                score = share * weights[c] * table[cells[base + c * step]]
                if score > highest:
                    highest = score
                    best[start + g] = c
