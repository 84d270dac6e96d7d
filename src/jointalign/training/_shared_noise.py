"""Skip-gram's inner loops where centre words in a row share their noise words.

Noise words of its own for every context make training wait for memory: at window 5 and 5 noise
words, 36 rows of the output matrix are read and written for a centre word, 30 of them anywhere.
Here some centre words in a row take the same noise words (Ji et al. 2016 share them between the
contexts of a window), and their windows overlap anyway. So their rows are read once into a small
copy, and scores and gradients are products of small matrices.

Each context still meets as many noise words as asked for, each drawn from the same distribution and
none equal to that context. What differs: the noise words of neighbouring centres are the same, all
centres of a group reach equally far, and what a centre teaches is seen by the next group, not by
the next centre.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from jointalign.numerics.compiling import compiled, inlined
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
from jointalign.training._products import LANES, gradient_kernel, output_kernel, score_kernel

SPARE = 3
"""Noise words drawn beyond the need, for centres one of whose contexts is a noise word itself."""


def whole_lanes(count: int) -> int:
    """The next multiple of `LANES`."""
    return -(-count // LANES) * LANES


@cache
def shared_noise_kernel(stride: int, group: int) -> Callable[..., None]:
    """The loop over lines, compiled for rows of `stride` floats and groups of `group` centres.

    It takes the arguments of `_kernels.train_lines`.
    """
    lanes = whole_lanes(group)
    hidden_of, move_inputs = _hidden_kernel(stride), _input_kernel(stride)
    learn = _learning_kernel(stride, group)

    @compiled(fastmath=True, error_model="numpy")
    def train_lines(
        tokens,
        line_ends,
        first_line,
        last_line,
        share,
        share_key,
        rows_of_types,
        choice_starts,
        choices,
        chance,
        keep,
        unit_starts,
        unit_rows,
        inputs,
        outputs,
        alias_share,
        alias_other,
        sigmoid,
        window,
        negatives,
        rate,
        key,
    ):
        state = np.uint64(key)
        sentence = np.empty(LONGEST_SENTENCE, np.int32)
        most = whole_lanes_compiled(group + 2 * window * (negatives + 1) + SPARE)
        hidden = np.empty(lanes * stride, np.float32)
        gradient = np.empty(lanes * stride, np.float32)
        copies = np.empty(most * stride, np.float32)
        rows = np.empty(most, np.int32)
        weights = np.empty(most * lanes, np.float32)
        moves = np.empty(most * lanes, np.float32)
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
                if length < 2:
                    continue
                for start in range(0, length, group):
                    centres = min(group, length - start)
                    state += GOLDEN
                    reach = 1 + np.int64(mix(state) % np.uint64(window))
                    near, count, state = gather(
                        sentence,
                        length,
                        start,
                        centres,
                        reach,
                        negatives,
                        alias_share,
                        alias_other,
                        rows,
                        state,
                    )
                    hidden_of(sentence, start, centres, unit_starts, unit_rows, inputs, hidden)
                    choose(
                        sentence,
                        length,
                        start,
                        centres,
                        lanes,
                        reach,
                        negatives,
                        near,
                        count,
                        rows,
                        np.float32(rate),
                        weights,
                    )
                    learn(near, count, rows, outputs, sigmoid, hidden, gradient, copies, weights, moves)
                    move_inputs(sentence, start, centres, unit_starts, unit_rows, inputs, gradient)

    return train_lines


whole_lanes_compiled = inlined(whole_lanes)


@compiled()
def gather(sentence, length, start, centres, reach, negatives, alias_share, alias_other, rows, state):
    """List the words around a group, then its noise words.

    Returns:
        How many are around, how many in all, and the state of the random numbers.
    """
    low, high = max(0, start - reach), min(length, start + centres + reach)
    near = high - low
    for place in range(near):
        rows[place] = sentence[low + place]
    count = near + 2 * reach * negatives + SPARE
    for place in range(near, count):
        state += GOLDEN
        rows[place] = draw(mix(state), alias_share, alias_other)
    return near, count, state


@compiled()
def choose(sentence, length, start, centres, lanes, reach, negatives, near, count, rows, rate, weights):
    """Say how much each centre of a group learns from each listed row: `rate`, or nothing.

    The noise words of a centre are the first ones, `negatives` a context; one that equals the
    context that it would stand against is passed over.
    """
    weights[: count * lanes] = np.float32(0.0)
    low = max(0, start - reach)
    for lane in range(centres):
        here, place = start + lane, near
        for context in range(max(0, here - reach), min(length, here + reach + 1)):
            if context == here:
                continue
            weights[(context - low) * lanes + lane] = rate
            for _ in range(negatives):
                while place < count and rows[place] == sentence[context]:
                    place += 1
                if place < count:
                    weights[place * lanes + lane] = rate
                    place += 1


@cache
def _hidden_kernel(stride: int) -> Callable[..., None]:
    @compiled(fastmath=True, error_model="numpy")
    def hidden_of(sentence, start, centres, unit_starts, unit_rows, inputs, hidden):
        """Vectors of the centres: the means of their rows; the lanes without a centre are zero."""
        hidden[centres * stride :] = np.float32(0.0)
        for lane in range(centres):
            word = sentence[start + lane]
            first, last = unit_starts[word], unit_starts[word + 1]
            vector = hidden[lane * stride : (lane + 1) * stride]
            vector[:] = np.float32(0.0)
            for unit in range(first, last):
                row = unit_rows[unit]
                for k in range(stride):
                    vector[k] += inputs[row, k]
            scale = np.float32(1.0) / np.float32(last - first)
            for k in range(stride):
                vector[k] *= scale

    return hidden_of


@cache
def _input_kernel(stride: int) -> Callable[..., None]:
    @compiled(fastmath=True, error_model="numpy")
    def move_inputs(sentence, start, centres, unit_starts, unit_rows, inputs, gradient):
        """Add each centre's gradient to all rows that make up its word."""
        for lane in range(centres):
            word = sentence[start + lane]
            change = gradient[lane * stride : (lane + 1) * stride]
            for unit in range(unit_starts[word], unit_starts[word + 1]):
                row = unit_rows[unit]
                for k in range(stride):
                    inputs[row, k] += change[k]

    return move_inputs


@cache
def _learning_kernel(stride: int, group: int) -> Callable[..., None]:
    lanes = whole_lanes(group)
    scores, moved = score_kernel(stride, lanes), gradient_kernel(stride, lanes)
    move_outputs = output_kernel(stride, lanes)

    @compiled(fastmath=True, error_model="numpy")
    def learn(near, count, rows, outputs, sigmoid, hidden, gradient, copies, weights, moves):
        """Move the outputs of a group; leaves the gradients of its centres' vectors."""
        filled = whole_lanes_compiled(count)
        for place in range(count):
            copy, row = copies[place * stride : (place + 1) * stride], rows[place]
            for k in range(stride):
                copy[k] = outputs[row, k]
        copies[count * stride : filled * stride] = np.float32(0.0)
        weights[count * lanes : filled * lanes] = np.float32(0.0)
        scores(hidden, copies, filled, moves)
        steps = np.float32(SIGMOID_STEPS / (2 * SIGMOID_LIMIT))
        highest = np.float32(SIGMOID_STEPS - 1)
        for at in range(filled * lanes):
            cell = min(max((moves[at] + np.float32(SIGMOID_LIMIT)) * steps, np.float32(0)), highest)
            label = np.float32(1.0) if at < near * lanes else np.float32(0.0)
            moves[at] = weights[at] * (label - sigmoid[np.int32(cell)])
        gradient[:] = np.float32(0.0)
        moved(gradient, copies, filled, moves)
        move_outputs(outputs, rows, count, moves, hidden)

    return learn
