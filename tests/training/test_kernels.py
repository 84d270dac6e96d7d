"""The compiled loops against plain NumPy in double precision."""

from functools import partial

import numpy as np
import pytest

from jointalign.training._kernels import (
    SIGMOID_LIMIT,
    SIGMOID_STEPS,
    _learn,
    fill,
    line_is_kept,
    sigmoid_table,
    train_lines,
)
from jointalign.training._model import alias_table
from jointalign.training._shared_noise import shared_noise_kernel


def test_sigmoid_table_is_the_logistic_function():
    x = np.linspace(-7.9, 7.9, 1001)
    cells = ((x + SIGMOID_LIMIT) * SIGMOID_STEPS / (2 * SIGMOID_LIMIT)).astype(int)
    np.testing.assert_allclose(sigmoid_table()[cells], 1 / (1 + np.exp(-x)), atol=1e-3)


def test_one_window_is_a_gradient_step():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(9, 16)).astype(np.float32)
    outputs = random.normal(size=(6, 16)).astype(np.float32)
    units, rows = np.array([1, 4, 7], np.int32), np.array([2, 0, 5, 3], np.int32)
    labels = np.array([1, 0, 0, 1], np.float32)
    rate = 0.05
    hidden = inputs[units].astype(np.float64).mean(axis=0)
    error = labels - 1 / (1 + np.exp(-(outputs[rows].astype(np.float64) @ hidden)))
    expected_outputs = outputs.astype(np.float64)
    expected_outputs[rows] += rate * error[:, None] * hidden
    expected_inputs = inputs.astype(np.float64)
    # As in fastText the whole gradient goes to every unit, not its share of the mean.
    expected_inputs[units] += rate * error @ outputs[rows].astype(np.float64)
    _learn(
        units,
        rows,
        labels.copy(),
        inputs,
        outputs,
        sigmoid_table(),
        np.float32(rate),
        np.empty(16, np.float32),
        np.empty(16, np.float32),
    )
    np.testing.assert_allclose(outputs, expected_outputs, atol=2e-4)
    np.testing.assert_allclose(inputs, expected_inputs, atol=5e-4)


@pytest.fixture(params=[1, 3, 8, 16])
def train(request):
    return partial(visits_of, request.param)


def visits_of(shared, sentences, vocabulary_size, **changes):
    """Run `train_lines` on outputs that count: rates so small that visits can be read off."""
    tokens = np.array([token for line in sentences for token in line], np.int32)
    ends = np.cumsum([len(line) for line in sentences]).astype(np.int64)
    settings = {
        "share": 1.0,
        "keep": np.ones(vocabulary_size, np.float32),
        "rows_of_types": np.arange(vocabulary_size, dtype=np.int32),
        "choices": (np.zeros(vocabulary_size + 1, np.int64), np.zeros(0, np.int32), 0.0),
        "window": 1,
        "negatives": 1,
        "weights": np.ones(vocabulary_size),
        "key": 7,
    } | changes
    inputs = np.ones((vocabulary_size, 16), np.float32)
    outputs = np.zeros((vocabulary_size, 16), np.float32)
    kernel = train_lines if shared == 1 else shared_noise_kernel(16, shared)
    kernel(
        tokens,
        ends,
        0,
        len(ends),
        settings["share"],
        3,
        settings["rows_of_types"],
        *settings["choices"],
        settings["keep"],
        np.arange(vocabulary_size + 1),
        np.arange(vocabulary_size, dtype=np.int32),
        inputs,
        outputs,
        *alias_table(settings["weights"]),
        sigmoid_table(),
        settings["window"],
        settings["negatives"],
        1e-7,
        settings["key"],
    )
    return outputs[:, 0] / 0.5e-7  # each context adds about 1, each noise word takes about 1


def test_contexts_stay_within_the_line_and_the_window(train):
    # Noise falls on word 9 alone; words 0..4 then count their visits as contexts.
    noise = np.full(10, 1e-12)
    noise[9] = 1.0
    visits = train([[0, 1, 2], [3], [4, 5]], 10, weights=noise)
    np.testing.assert_allclose(visits[:6], [1, 2, 1, 0, 1, 1], atol=0.01)
    np.testing.assert_allclose(visits[9], -6, atol=0.1)


def test_rare_types_are_skipped_and_close_ranks(train):
    noise = np.full(10, 1e-12)
    noise[9] = 1.0
    rows = np.arange(10, dtype=np.int32)
    rows[1] = -1
    visits = train([[0, 1, 2]], 10, weights=noise, rows_of_types=rows)
    np.testing.assert_allclose(visits[[0, 1, 2]], [1, 0, 1], atol=0.01)


def test_noise_follows_its_weights_and_never_hits_the_context(train):
    weights = np.array([1e-9, 1e-9, 1.0, 3.0])
    visits = train([[0, 1]] * 4000, 4, weights=weights, negatives=5)
    assert visits[0] > 0
    assert visits[1] > 0
    assert visits[3] / visits[2] == pytest.approx(3, rel=0.08)
    only_context = train([[0, 1]] * 50, 2, weights=np.array([1.0, 1e-9]))
    assert only_context[0] > -50.5  # noise on 0 comes only with context 1


def test_subsampling_keeps_the_share_asked_for(train):
    noise = np.full(4, 1e-12)
    noise[3] = 1.0
    keep = np.array([0.25, 1.0, 1.0, 1.0], np.float32)
    visits = train([[0, 1]] * 4000, 4, weights=noise, keep=keep)
    assert visits[0] == pytest.approx(1000, rel=0.1)


def test_share_of_lines_is_random_but_fixed():
    kept = [line_is_kept(line, 5, 0.3) for line in range(20_000)]
    assert np.mean(kept) == pytest.approx(0.3, abs=0.01)
    assert kept == [line_is_kept(line, 5, 0.3) for line in range(20_000)]
    assert kept != [line_is_kept(line, 6, 0.3) for line in range(20_000)]


def filled(tokens, rows_of_types, starts, choices, chance, key=11):
    """Rows read from many tokens, in sentences of up to 1024, one after the other."""
    sentence, state, at, found = np.empty(1024, np.int32), np.uint64(key), 0, []
    keep = np.ones(20, np.float32)
    while at < len(tokens):
        at, length, state = fill(
            sentence, tokens, at, len(tokens), rows_of_types, starts, choices, chance, keep, state
        )
        state = np.uint64(state)  # a plain integer on its way back from compiled code
        found += sentence[:length].tolist()
    return np.array(found), state


def test_tokens_are_replaced_as_often_as_asked_by_each_choice_alike():
    types = np.arange(8, dtype=np.int32)
    tokens = np.tile(types, 10_000)
    rows = types.copy()
    rows[7] = -1  # too rare, but it has a translation
    # Type 0 has three choices, type 1 one, type 7 one; the others have none.
    starts = np.array([0, 3, 4, 4, 4, 4, 4, 4, 5])
    choices = np.array([10, 11, 12, 13, 14], np.int32)
    found, _ = filled(tokens, rows, starts, choices, 0.3)
    visits = np.bincount(found, minlength=20)
    # Four standard deviations of 10,000 draws are at most 0.02 of them.
    np.testing.assert_allclose(visits[:2] / 10_000, 0.7, atol=0.02)
    assert visits[2:7].tolist() == [10_000] * 5
    np.testing.assert_allclose(visits[10:13] / 10_000, 0.1, atol=0.012)
    np.testing.assert_allclose(visits[13:15] / 10_000, 0.3, atol=0.02)
    assert visits[7:10].tolist() == [0, 0, 0]
    always, _ = filled(tokens, rows, starts, choices, 1.0)
    assert not {0, 1} & set(always.tolist())


def test_without_choices_no_random_number_is_drawn_for_them():
    types = np.arange(4, dtype=np.int32)
    tokens = np.tile(types, 500)
    nothing = np.zeros(0, np.int32)
    _, plain = filled(tokens, types, np.zeros(5, np.int64), nothing, 0.0)
    _, none = filled(tokens, types, np.zeros(5, np.int64), nothing, 0.5)
    _, unused = filled(tokens, types, np.array([0, 1, 1, 1, 1]), types[:1], 0.0)
    assert plain == none == unused
