"""The compiled CBOW loops against plain Python in double precision."""

import numpy as np
import pytest

from jointalign.training._bag_course import Entries
from jointalign.training._bags import choose, learn, targets, train_bags
from jointalign.training._kernels import SIGMOID_LIMIT, SIGMOID_STEPS, sigmoid_table
from jointalign.training._model import alias_table

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


class Stream:
    """The stream of random numbers of the loops, in Python's own integers."""

    def __init__(self, key):
        self.state = key

    def bits(self):
        self.state = (self.state + GOLDEN) & MASK
        value = self.state
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
        return value ^ (value >> 31)

    def noise(self, share, other):
        bits = self.bits()
        column = ((bits >> 32) * len(share)) >> 32
        return column if (bits & 0xFFFFFF) / 2**24 < share[column] else int(other[column])


def logistic(score):
    cell = int((score + SIGMOID_LIMIT) * SIGMOID_STEPS / (2 * SIGMOID_LIMIT))
    return float(sigmoid_table()[min(max(cell, 0), SIGMOID_STEPS - 1)])


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def slow(lines, rows, keep, pairs, inputs, outputs, noise, window, negatives, rate, reg, key):
    """CBOW that predicts a translation too: one middle word after the other, in float64."""
    stream = Stream(key)
    for line in lines:
        known = [rows[token] for token in line if rows[token] >= 0]
        words = [row for row in known if (stream.bits() >> 11) / 2**53 < keep[row]]
        for position, word in enumerate(words):
            reach = 1 + stream.bits() % window
            around = words[max(0, position - reach) : position]
            around += words[position + 1 : position + reach + 1]
            if not around:
                continue
            hidden = np.mean([inputs[other] for other in around], axis=0)
            found = [b for a, b in pairs if a == word] + [a for a, b in pairs if b == word]
            if found:
                query = hidden + inputs[word]
                found = [max(found, key=lambda other: cosine(inputs[other], query))]
            labels = [(word, 1)] + [(other, 1) for other in found]
            for _ in range(negatives):
                other = stream.noise(*noise)
                if other != word and other not in found:
                    labels.append((other, 0))
            errors = [label - logistic(hidden @ outputs[row]) for row, label in labels]
            gradient = np.zeros_like(hidden)
            for (row, _), error in zip(labels, errors, strict=True):
                gap = outputs[row] - inputs[row]
                gradient += rate * error * outputs[row]
                outputs[row] += rate * error * hidden - 2 * rate * reg * gap
                inputs[row] += 2 * rate * reg * gap
            for other in around:
                inputs[other] += gradient


@pytest.mark.parametrize("regularisation", [0.0, 0.3])
@pytest.mark.parametrize("paired", [False, True])
def test_a_training_is_that_of_the_slow_loops(regularisation, paired):
    random = np.random.default_rng(0)
    lines = [random.integers(12, size=length).tolist() for length in (9, 1, 14, 2, 30)]
    tokens = np.array([token for line in lines for token in line], np.int32)
    ends = np.cumsum([len(line) for line in lines]).astype(np.int64)
    rows = np.arange(12, dtype=np.int32)
    rows[3] = -1
    pairs = np.array([[0, 6], [0, 7], [0, 8], [1, 9], [2, 9]]) if paired else np.zeros((0, 2), int)
    entries = Entries.of(pairs, 12)
    keep = random.uniform(0.6, 1.0, 12).astype(np.float32)
    noise = alias_table(random.uniform(0.1, 1.0, 12))
    inputs, outputs = random.normal(size=(2, 12, 16)).astype(np.float32) * 0.5
    expected = inputs.astype(np.float64), outputs.astype(np.float64)
    before = expected[0].copy(), expected[1].copy()
    slow(lines, rows.tolist(), keep, pairs.tolist(), *expected, noise, 4, 3, 0.1, regularisation, 99)
    train_bags(
        tokens,
        ends,
        0,
        len(ends),
        1.0,
        np.uint64(0),
        rows,
        keep,
        entries.starts,
        entries.rows,
        inputs,
        outputs,
        *noise,
        sigmoid_table(),
        4,
        3,
        0.1,
        regularisation,
        np.uint64(99),
    )
    for matrix, known, start in zip((inputs, outputs), expected, before, strict=True):
        assert abs(known - start).max() > 0.1
        # Scores next to the edge of a cell of the table may fall into the next one.
        np.testing.assert_allclose(matrix, known, atol=2e-3)


def test_one_middle_word_is_a_gradient_step():
    random = np.random.default_rng(1)
    inputs, outputs = random.normal(size=(2, 6, 16)).astype(np.float32)
    old_inputs, old_outputs = inputs.astype(np.float64), outputs.astype(np.float64)
    hidden = random.normal(size=16).astype(np.float32)
    rows, labels = np.array([4, 0, 2], np.int32), np.array([1, 1, 0], np.float32)
    rate, pull = 0.05, 0.02
    error = labels - 1 / (1 + np.exp(-(old_outputs[rows] @ hidden)))
    gap = old_outputs[rows] - old_inputs[rows]
    expected = old_outputs.copy()
    expected[rows] += rate * error[:, None] * hidden - pull * gap
    gradient = np.empty(16, np.float32)
    learn(
        rows,
        labels.copy(),
        inputs,
        outputs,
        sigmoid_table(),
        np.float32(rate),
        np.float32(pull),
        hidden,
        gradient,
    )
    np.testing.assert_allclose(outputs, expected, atol=5e-4)
    np.testing.assert_allclose(gradient, rate * error @ old_outputs[rows], atol=5e-4)
    old_inputs[rows] += pull * gap
    np.testing.assert_allclose(inputs, old_inputs, atol=1e-6)


def test_the_translation_is_the_one_that_fits_context_and_word_best():
    random = np.random.default_rng(2)
    inputs = random.normal(size=(40, 16)).astype(np.float32)
    inputs[20:] *= random.uniform(0.1, 10, (20, 1))  # lengths must not matter
    candidates = {0: [], 1: [25], 2: [30, 21, 22, 39], 3: list(range(20, 40))}
    pairs = np.array([(word, other) for word, others in candidates.items() for other in others])
    entries = Entries.of(pairs, 40)
    scratch = np.empty(16, np.float32)
    chosen = set()
    for _ in range(50):
        hidden = random.normal(size=16).astype(np.float32)
        for word, others in candidates.items():
            best = max(others, key=lambda o: cosine(inputs[o], hidden + inputs[word]), default=-1)
            found = choose(word, hidden, entries.starts, entries.rows, inputs, scratch)
            assert found == best
            chosen.add(int(found))
    assert len(chosen) > 10, "the context must decide"


def test_noise_is_neither_the_word_nor_its_translation():
    weights = np.array([4.0, 2.0, 1.0, 3.0])
    noise = alias_table(weights)
    rows, labels = np.empty(1002, np.int32), np.empty(1002, np.float32)
    count, state = targets(0, 2, 1000, *noise, rows, labels, np.uint64(5))
    assert rows[:2].tolist() == [0, 2]
    assert labels[:count].tolist() == [1, 1] + [0] * (count - 2)
    drawn = np.bincount(rows[2:count], minlength=4)
    assert drawn[[0, 2]].tolist() == [0, 0]
    # Draws of the word itself are left out, not drawn again.
    np.testing.assert_allclose(drawn[[1, 3]], [200, 300], atol=60)
    count, _ = targets(3, -1, 5, *noise, rows, labels, np.uint64(state))
    assert rows[0] == 3
    assert labels[1:count].tolist() == [0] * (count - 1)


def test_entries_keep_the_order_of_the_dictionary():
    entries = Entries.of(np.array([[1, 5], [0, 6], [1, 4]]), 7)
    listed = [entries.rows[entries.starts[row] : entries.starts[row + 1]].tolist() for row in range(7)]
    assert listed == [[6], [5, 4], [], [], [1], [1], [0]]
