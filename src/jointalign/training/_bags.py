"""The inner loops of CBOW training with negative sampling, compiled.

One middle word at a time: the mean of the vectors around it predicts the word itself and, where the
dictionary has one, a translation of it. First every score is taken, then every row is moved, as in
`_kernels`. Matrices are padded to whole cache lines; the padding stays zero.
"""

from __future__ import annotations

import numpy as np

from jointalign.numerics.compiling import compiled
from jointalign.training._kernels import (
    GOLDEN,
    LONGEST_SENTENCE,
    SIGMOID_LIMIT,
    SIGMOID_STEPS,
    draw,
    fill,
    line_is_kept,
    mix,
)


@compiled(fastmath=True, error_model="numpy")
def train_bags(
    tokens: np.ndarray,  # (t,) int32, types of one corpus
    line_ends: np.ndarray,  # (l,) int64
    first_line: int,
    last_line: int,
    share: float,  # of lines to be used; 1 for all
    share_key: np.uint64,
    rows_of_types: np.ndarray,  # (types,) int32, row in the vocabulary, -1 for rare words
    keep: np.ndarray,  # (v,) float32, probability to survive subsampling
    entry_starts: np.ndarray,  # (v + 1,) int64, into `entries`
    entries: np.ndarray,  # int32, rows of the translations of each word
    inputs: np.ndarray,  # (v, stride) float32, moved in place
    outputs: np.ndarray,  # (v, stride) float32, moved in place
    alias_share: np.ndarray,  # (v,) float32
    alias_other: np.ndarray,  # (v,) int32
    sigmoid: np.ndarray,  # (SIGMOID_STEPS,) float32
    window: int,
    negatives: int,
    rate: float,
    regularisation: float,
    key: np.uint64,
) -> None:
    """Train on some lines of one corpus."""
    state = np.uint64(key)
    sentence = np.empty(LONGEST_SENTENCE, np.int32)
    hidden = np.empty(inputs.shape[1], np.float32)
    gradient = np.empty(inputs.shape[1], np.float32)
    rows = np.empty(negatives + 2, np.int32)
    moves = np.empty(negatives + 2, np.float32)
    pull = np.float32(2.0 * rate * regularisation)
    for line in range(first_line, last_line):
        if share < 1.0 and not line_is_kept(line, share_key, share):
            continue
        at = np.int64(0) if line == 0 else line_ends[line - 1]
        while at < line_ends[line]:
            at, length, state = fill(
                sentence, tokens, at, line_ends[line], rows_of_types, entry_starts, entries, 0.0, keep, state
            )
            for position in range(length):
                state += GOLDEN
                reach = 1 + np.int64(mix(state) % np.uint64(window))
                first, last = max(0, position - reach), min(length, position + reach + 1)
                if last - first < 2:
                    continue
                average(sentence, first, last, position, inputs, hidden)
                word = sentence[position]
                other = choose(word, hidden, entry_starts, entries, inputs, gradient)
                count, state = targets(word, other, negatives, alias_share, alias_other, rows, moves, state)
                learn(
                    rows[:count],
                    moves[:count],
                    inputs,
                    outputs,
                    sigmoid,
                    np.float32(rate),
                    pull,
                    hidden,
                    gradient,
                )
                for place in range(first, last):
                    if place != position:
                        for k in range(len(hidden)):
                            inputs[sentence[place], k] += gradient[k]


@compiled(fastmath=True, error_model="numpy")
def average(sentence, first, last, position, inputs, hidden):
    """Mean of the input vectors around a position, written into `hidden`."""
    hidden[:] = np.float32(0.0)
    for place in range(first, last):
        if place != position:
            row = sentence[place]
            for k in range(len(hidden)):
                hidden[k] += inputs[row, k]
    scale = np.float32(1.0) / np.float32(last - first - 1)
    for k in range(len(hidden)):
        hidden[k] *= scale


@compiled(fastmath=True, error_model="numpy")
def choose(word, hidden, entry_starts, entries, inputs, query):
    """The translation closest to context plus word, -1 for none; `query` is for scratch."""
    first, last = entry_starts[word], entry_starts[word + 1]
    if last - first < 2:
        return entries[first] if first < last else np.int32(-1)
    for k in range(len(hidden)):
        query[k] = hidden[k] + inputs[word, k]
    best, highest = entries[first], np.float32(-np.inf)
    for entry in range(first, last):
        row = entries[entry]
        product, square = np.float32(0.0), np.float32(1e-30)
        for k in range(len(hidden)):
            product += query[k] * inputs[row, k]
            square += inputs[row, k] * inputs[row, k]
        score = product / np.sqrt(square)
        if score > highest:
            best, highest = row, score
    return best


@compiled()
def targets(word, other, negatives, alias_share, alias_other, rows, moves, state):
    """List the word, its translation if any, and noise words, with their labels.

    A noise word that is one of the two is left out, as in the authors' code.
    """
    rows[0], moves[0] = word, np.float32(1.0)
    count = 1
    if other >= 0:
        rows[1], moves[1] = other, np.float32(1.0)
        count = 2
    for _ in range(negatives):
        state += GOLDEN
        noise = draw(mix(state), alias_share, alias_other)
        if noise not in (word, other):
            rows[count], moves[count] = noise, np.float32(0.0)
            count += 1
    return count, state


@compiled(fastmath=True, error_model="numpy")
def learn(rows, moves, inputs, outputs, sigmoid, rate, pull, hidden, gradient):
    """Move the rows of one middle word; the move of its contexts is written into `gradient`.

    `moves` holds the label of each row on entry. `pull` brings the input and output vectors of each
    row closer to each other, both by this share of their difference.
    """
    stride = len(hidden)
    gradient[:] = np.float32(0.0)
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
        if pull > 0:
            for k in range(stride):
                value = outputs[row, k]
                step = pull * (value - inputs[row, k])
                gradient[k] += move * value
                outputs[row, k] = value + move * hidden[k] - step
                inputs[row, k] += step
        else:
            for k in range(stride):
                value = outputs[row, k]
                gradient[k] += move * value
                outputs[row, k] = value + move * hidden[k]
