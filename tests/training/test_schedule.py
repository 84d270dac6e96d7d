from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.training._schedule import BLOCK_TOKENS, Schedule, repetitions
from jointalign.training.base import Balance
from jointalign.vocabulary import Counts


def corpus(lengths):
    total = int(sum(lengths))
    counts = Counts(("word",), np.array([total]), len(lengths))
    ends = np.cumsum(lengths).astype(np.int64)
    return EncodedCorpus(counts, np.zeros(total, np.int32), ends, "en")


@given(st.lists(st.integers(1, 3 * BLOCK_TOKENS), min_size=1, max_size=30))
def test_blocks_cover_every_line_once(lengths):
    schedule = Schedule.plan([corpus(lengths)], [1.0], epochs=1, seed=0)
    blocks = sorted(schedule.blocks, key=lambda block: block.first)
    assert [block.first for block in blocks] == [0, *(block.last for block in blocks[:-1])]
    assert blocks[-1].last == len(lengths)
    for block in blocks:
        assert block.tokens == sum(lengths[block.first : block.last])
        assert sum(lengths[block.first : block.last - 1]) <= BLOCK_TOKENS
    assert schedule.epoch_tokens == sum(lengths)


def test_epochs_have_different_orders_of_the_same_blocks():
    schedule = Schedule.plan([corpus([100] * 500)], [1.0], epochs=3, seed=5)
    steps = list(schedule.steps(0))
    size = len(schedule.blocks)
    orders = [[step.block.first for step in steps[e * size : (e + 1) * size]] for e in range(3)]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])
    assert [step.position for step in steps] == list(range(3 * size))


@pytest.mark.parametrize("done", [0, 1, 12, 13, 25, 38])
def test_going_on_gives_the_rest_of_the_steps(done):
    schedule = Schedule.plan([corpus([100] * 500)], [1.0], epochs=3, seed=5)
    assert len(schedule.blocks) == 13
    assert list(schedule.steps(done)) == list(schedule.steps(0))[done:]


def test_balancing():
    small, large = corpus([10] * 100), corpus([20] * 400)
    assert repetitions([small, large], Balance.NONE) == [1, 1]
    assert repetitions([small, large], Balance.TOKENS) == [8, 1]
    # Lines: only the first is brought to the number of lines of the last, up or down.
    assert repetitions([small, large], Balance.LINES) == [4, 1]
    assert repetitions([large, small], Balance.LINES) == [0.25, 1]


def test_whole_copies_and_a_random_rest():
    schedule = Schedule.plan([corpus([100] * 500), corpus([7])], [2.25, 1.0], epochs=1, seed=0)
    shares = Counter(block.share for block in schedule.blocks if block.corpus == 0)
    assert shares == {1.0: 26, 0.25: 13}
    assert schedule.epoch_tokens == pytest.approx(2.25 * 50_000 + 7)
