"""The inner loops of skip-gram training with negative sampling, compiled.

One centre word at a time: its vector is the mean of its own row and its n-grams' rows, computed
once for all of its contexts (fastText computes it again for every context). First every score of
the window is taken, then every row is moved: in a pass that only reads, the processor fetches many
rows at a time.

Matrices are padded to whole cache lines; the padding stays zero.
"""

from __future__ import annotations

import numpy as np

from jointalign.numerics.compiling import compiled, inlined

LONGEST_SENTENCE = 1024
"""Tokens after which a line is cut, as in fastText; contexts do not cross the cut."""

MOST_REDRAWS = 32
"""Draws after which a noise word is left out: one word alone makes up nearly all of the text."""

SIGMOID_LIMIT = 8.0
SIGMOID_STEPS = 4096
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def sigmoid_table() -> np.ndarray:
    """Logistic function at the middle of `SIGMOID_STEPS` equal steps over [-8, 8], float32."""
    step = 2 * SIGMOID_LIMIT / SIGMOID_STEPS
    x = -SIGMOID_LIMIT + step * (np.arange(SIGMOID_STEPS) + 0.5)
    return (1.0 / (1.0 + np.exp(-x))).astype(np.float32)


@inlined
def mix(value):
    """A well-mixed 64-bit number from a counter (the finaliser of SplitMix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@inlined
def uniform(bits):
    """A float in [0, 1) from 64 random bits."""
    return np.float64(bits >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled()
def line_is_kept(line, key, share):
    """Whether a line belongs to the random share of lines that balancing keeps."""
    bits = mix(np.uint64(line) * GOLDEN + np.uint64(key))
    return uniform(bits) < share


@compiled(fastmath=True, error_model="numpy")
def train_lines(
    tokens: np.ndarray,  # (t,) int32, types of one corpus
    line_ends: np.ndarray,  # (l,) int64
    first_line: int,
    last_line: int,
    share: float,  # of lines to be used; 1 for all
    share_key: np.uint64,
    rows_of_types: np.ndarray,  # (types,) int32, row in the vocabulary, -1 for rare words
    choice_starts: np.ndarray,  # (types + 1,) int64, into `choices`; not read at chance 0
    choices: np.ndarray,  # int32, rows of the words that may replace each type
    chance: float,  # of a token to be replaced by one of its choices
    keep: np.ndarray,  # (v,) float32, probability to survive subsampling
    unit_starts: np.ndarray,  # (v + 1,) int64, into unit_rows
    unit_rows: np.ndarray,  # int32, rows of `inputs` that make up each word
    inputs: np.ndarray,  # (v + g, stride) float32, moved in place
    outputs: np.ndarray,  # (v, stride) float32, moved in place
    alias_share: np.ndarray,  # (v,) float32
    alias_other: np.ndarray,  # (v,) int32
    sigmoid: np.ndarray,  # (SIGMOID_STEPS,) float32
    window: int,
    negatives: int,
    rate: float,
    key: np.uint64,
) -> None:
    """Train on some lines of one corpus."""
    state = np.uint64(key)
    sentence = np.empty(LONGEST_SENTENCE, np.int32)
    hidden = np.empty(inputs.shape[1], np.float32)
    gradient = np.empty(inputs.shape[1], np.float32)
    rows = np.empty(2 * window * (negatives + 1), np.int32)
    moves = np.empty(2 * window * (negatives + 1), np.float32)
    for line in range(first_line, last_line):
        if share < 1.0 and not line_is_kept(line, share_key, share):
            continue
        at = np.int64(0) if line == 0 else line_ends[line - 1]
        while at < line_ends[line]:
            at, length, state = fill(
                sentence,
                tokens,
                at,
                line_ends[line],
                rows_of_types,
                choice_starts,
                choices,
                chance,
                keep,
                state,
            )
            for position in range(length):
                count, state = _window(
                    sentence,
                    length,
                    position,
                    window,
                    negatives,
                    alias_share,
                    alias_other,
                    rows,
                    moves,
                    state,
                )
                if count:
                    first = unit_starts[sentence[position]]
                    last = unit_starts[sentence[position] + 1]
                    _learn(
                        unit_rows[first:last],
                        rows[:count],
                        moves[:count],
                        inputs,
                        outputs,
                        sigmoid,
                        np.float32(rate),
                        hidden,
                        gradient,
                    )


@compiled()
def fill(sentence, tokens, at, end, rows_of_types, choice_starts, choices, chance, keep, state):
    """Fill `sentence` with known tokens that survive subsampling; returns where it stopped.

    A token is replaced before all else, as if the text had been written so.
    """
    length = 0
    while at < end and length < LONGEST_SENTENCE:
        word = tokens[at]
        row = rows_of_types[word]
        at += 1
        if chance > 0.0 and choice_starts[word] < choice_starts[word + 1]:
            row, state = _replace(row, word, choice_starts, choices, chance, state)
        if row < 0:
            continue
        state += GOLDEN
        if uniform(mix(state)) < keep[row]:
            sentence[length] = row
            length += 1
    return at, length, state


@inlined
def _replace(row, word, choice_starts, choices, chance, state):
    """Its row, or with some chance one of its choices, each as likely as the others."""
    state += GOLDEN
    if uniform(mix(state)) < chance:
        state += GOLDEN
        first, last = choice_starts[word], choice_starts[word + 1]
        row = choices[first + np.int64(uniform(mix(state)) * (last - first))]
    return row, state


@compiled()
def _window(sentence, length, position, window, negatives, alias_share, alias_other, rows, moves, state):
    """List the contexts of a centre word, each followed by its noise words, with their labels."""
    state += GOLDEN
    reach = 1 + np.int64(mix(state) % np.uint64(window))
    count = 0
    for context in range(max(0, position - reach), min(length, position + reach + 1)):
        if context == position:
            continue
        target = sentence[context]
        rows[count], moves[count] = target, np.float32(1.0)
        count += 1
        for _ in range(negatives):
            state += GOLDEN
            other = draw(mix(state), alias_share, alias_other)
            tries = 0
            while other == target and tries < MOST_REDRAWS:
                state += GOLDEN
                other = draw(mix(state), alias_share, alias_other)
                tries += 1
            if other != target:
                rows[count], moves[count] = other, np.float32(0.0)
                count += 1
    return count, state


@inlined
def draw(bits, alias_share, alias_other):
    """A word from the noise distribution, by Walker's alias method."""
    size = np.uint64(len(alias_share))
    column = np.int64(((bits >> np.uint64(32)) * size) >> np.uint64(32))
    fraction = np.float32(bits & np.uint64(0xFFFFFF)) * np.float32(1.0 / 16777216.0)
    return np.int32(column) if fraction < alias_share[column] else alias_other[column]


@compiled(fastmath=True, error_model="numpy")
def _learn(units, rows, moves, inputs, outputs, sigmoid, rate, hidden, gradient):
    """One centre word against the words of its window and their negatives.

    `moves` holds the label of each row on entry (1 context, 0 noise).
    """
    stride = len(hidden)
    hidden[:] = np.float32(0.0)
    for unit in units:
        for k in range(stride):
            hidden[k] += inputs[unit, k]
    scale = np.float32(1.0) / np.float32(len(units))
    for k in range(stride):
        hidden[k] *= scale
        gradient[k] = np.float32(0.0)
    steps = np.float32(SIGMOID_STEPS / (2 * SIGMOID_LIMIT))
    for i in range(len(rows)):
        row = rows[i]
        score = np.float32(0.0)
        for k in range(stride):
            score += hidden[k] * outputs[row, k]
        cell = np.int64((score + np.float32(SIGMOID_LIMIT)) * steps)
        moves[i] = rate * (moves[i] - sigmoid[min(max(cell, 0), SIGMOID_STEPS - 1)])
    for i in range(len(rows)):
        row, move = rows[i], moves[i]
        for k in range(stride):
            value = outputs[row, k]
            gradient[k] += move * value
            outputs[row, k] = value + move * hidden[k]
    for unit in units:
        for k in range(stride):
            inputs[unit, k] += gradient[k]


@compiled(fastmath=True)
def compose(unit_starts: np.ndarray, unit_rows: np.ndarray, inputs: np.ndarray, vectors: np.ndarray) -> None:
    """Word vectors `(v, d)` as the mean of their rows of `inputs`, written into `vectors`."""
    for word in range(len(unit_starts) - 1):
        units = unit_rows[unit_starts[word] : unit_starts[word + 1]]
        for k in range(vectors.shape[1]):
            total = np.float32(0.0)
            for unit in units:
                total += inputs[unit, k]
            vectors[word, k] = total / np.float32(len(units))
