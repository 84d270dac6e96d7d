"""Skip-gram with shared noise against plain NumPy in double precision."""

import numpy as np
import pytest

from jointalign.training._kernels import GOLDEN, draw, fill, mix, sigmoid_table
from jointalign.training._model import alias_table
from jointalign.training._shared_noise import SPARE, shared_noise_kernel

WINDOW, NEGATIVES, RATE, WORDS, STRIDE = 3, 2, 0.1, 12, 16


class Draws:
    """The same random numbers as the compiled loop."""

    def __init__(self, state):
        self.state = np.uint64(state)

    def __call__(self):
        with np.errstate(over="ignore"):
            self.state = np.uint64(self.state + GOLDEN)
            return np.uint64(mix(self.state))


def slow(sentences, units, inputs, outputs, alias, group, key):
    """One pair of a centre and a word at a time, in float64; nothing moves within a group."""
    inputs, outputs = inputs.astype(np.float64), outputs.astype(np.float64)
    draws = Draws(key)
    for sentence in sentences:
        with np.errstate(over="ignore"):  # `fill` draws once for each token
            draws.state = np.uint64(draws.state + GOLDEN * np.uint64(len(sentence)))
        if len(sentence) < 2:
            continue
        for start in range(0, len(sentence), group):
            centres = range(start, min(start + group, len(sentence)))
            reach = 1 + int(draws() % np.uint64(WINDOW))
            noise = [draw(draws(), *alias) for _ in range(2 * reach * NEGATIVES + SPARE)]
            vectors = {here: inputs[units[sentence[here]]].mean(axis=0) for here in centres}
            new_inputs, new_outputs = inputs.copy(), outputs.copy()
            for here in centres:
                pool = iter(noise)
                for context in range(here - reach, here + reach + 1):
                    if context == here or not 0 <= context < len(sentence):
                        continue
                    learnt = [(sentence[context], 1.0)]
                    for _ in range(NEGATIVES):
                        other = next((row for row in pool if row != sentence[context]), None)
                        if other is not None:
                            learnt.append((other, 0.0))
                    for row, label in learnt:
                        error = label - 1 / (1 + np.exp(-outputs[row] @ vectors[here]))
                        new_outputs[row] += RATE * error * vectors[here]
                        new_inputs[units[sentence[here]]] += RATE * error * outputs[row]
            inputs, outputs = new_inputs, new_outputs
    return inputs, outputs


@pytest.mark.parametrize("group", [2, 5, 8, 11])
def test_equals_one_pair_at_a_time(group):
    random = np.random.default_rng(group)
    inputs = random.normal(size=(WORDS + 6, STRIDE)).astype(np.float32)
    outputs = random.normal(size=(WORDS, STRIDE)).astype(np.float32)
    units = [np.array([word, WORDS + word % 6]) for word in range(WORDS)]
    sentences = [random.integers(0, WORDS, length).tolist() for length in (9, 1, 2, 23, 8)]
    # Many words, so that a noise word is a context now and then, not most of the time.
    alias = alias_table(random.random(WORDS) + 0.5)
    expected = slow(sentences, units, inputs, outputs, alias, group, 5)
    tokens = np.array([word for sentence in sentences for word in sentence], np.int32)
    ends = np.cumsum([len(sentence) for sentence in sentences])
    shared_noise_kernel(STRIDE, group)(
        tokens,
        ends,
        0,
        len(ends),
        1.0,
        np.uint64(0),
        np.arange(WORDS, dtype=np.int32),
        np.zeros(WORDS + 1, np.int64),
        np.zeros(0, np.int32),
        0.0,
        np.ones(WORDS, np.float32),
        np.arange(WORDS + 1) * 2,
        np.concatenate(units).astype(np.int32),
        inputs,
        outputs,
        *alias,
        sigmoid_table(),
        WINDOW,
        NEGATIVES,
        RATE,
        np.uint64(5),
    )
    # The table of the logistic function is good to 1e-3, and 70 moves of 0.1 add up.
    np.testing.assert_allclose(inputs, expected[0], atol=6e-3)
    np.testing.assert_allclose(outputs, expected[1], atol=6e-3)
    assert np.abs(inputs - inputs.mean()).max() > 1


def test_a_draw_is_made_for_each_token():
    """What the oracle above takes for granted."""
    sentence = np.empty(1024, np.int32)
    words = np.arange(4, dtype=np.int32)
    nothing = np.zeros(0, np.int32)
    _, length, state = fill(
        sentence,
        words,
        0,
        4,
        words,
        np.zeros(5, np.int64),
        nothing,
        0.0,
        np.ones(4, np.float32),
        np.uint64(9),
    )
    assert length == 4
    with np.errstate(over="ignore"):
        assert np.uint64(state) == np.uint64(9) + GOLDEN * np.uint64(4)
