"""Scores equal to seqeval's and worked out by hand; intervals by resampling one by one."""

import numpy as np
import pytest

from jointalign.errors import JointalignError
from jointalign.ner._scoring import counted, difference_interval, f1_of, interval, score
from jointalign.ner.base import Sentence

TAGS = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-PER", "S-LOC", "I-MISC"]


def random_case(seed, tags=TAGS, sentences=40):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 12, sentences)
    gold, found = ([[tags[i] for i in rng.integers(0, len(tags), n)] for n in lengths] for _ in "ab")
    for row, right in zip(found, gold, strict=True):  # some of it right
        if rng.random() < 0.5:
            row[:] = right
    return [Sentence(("w",) * len(row), tuple(row)) for row in gold], found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tags", [TAGS, TAGS[:6]], ids=["mixed", "bio"])
def test_scores_equal_those_of_seqeval(seed, tags):
    metrics = pytest.importorskip("seqeval.metrics", reason="compared with where it is installed")
    gold, found = random_case(seed, tags)
    wanted = [list(sentence.tags) for sentence in gold]
    result = score(gold, found)
    assert result.f1 == pytest.approx(100 * metrics.f1_score(wanted, found))
    assert result.counts.precision == pytest.approx(100 * metrics.precision_score(wanted, found))
    assert result.counts.recall == pytest.approx(100 * metrics.recall_score(wanted, found))


def test_a_case_worked_out_by_hand():
    gold = [Sentence(("a", "b", "c", "d"), ("B-PER", "I-PER", "O", "B-LOC")), Sentence(("e",), ("B-ORG",))]
    # Right: LOC. Too short: PER. Wrong type: ORG.
    result = score(gold, [("B-PER", "O", "O", "I-LOC"), ("B-PER",)])
    assert (result.counts.correct, result.counts.predicted, result.counts.gold) == (1, 3, 3)
    assert result.f1 == pytest.approx(100 / 3)
    assert result.types["PER"].predicted == 2 and result.types["ORG"].gold == 1
    assert result.types["LOC"].f1 == 100
    assert "sentences:2|tokens:5|spans:conlleval" in str(result)


def test_the_interval_is_that_of_resampling_sentences_one_by_one():
    gold, found = random_case(3, sentences=60)
    table, _ = counted(gold, found)
    rng = np.random.default_rng(7)
    values = []
    for _ in range(4000):
        correct, predicted, wanted = table[rng.integers(0, 60, 60)].sum(0)
        values.append(200 * correct / (predicted + wanted))
    expected = np.percentile(values, (2.5, 97.5))
    assert interval([table], 4000) == pytest.approx(expected, abs=0.6)
    low, high = interval([table])
    assert low < f1_of(gold, found) < high


def test_runs_that_differ_widen_the_interval():
    gold, found = random_case(3, sentences=200)
    table, _ = counted(gold, found)
    worse = table.copy()
    worse[::2, 0] = 0
    alone = np.ptp(interval([table]))
    assert np.ptp(interval([table, worse])) > 1.5 * alone
    assert np.ptp(interval([table, table])) == pytest.approx(alone, rel=0.05)


def test_a_paired_difference_tells_better_from_equal():
    gold, found = random_case(5, sentences=200)
    table, _ = counted(gold, found)
    worse = table.copy()
    worse[::5, 0] = 0
    low, high = difference_interval([table], [worse])
    assert 0 < low < high
    low, high = difference_interval([table], [table])
    assert low == high == 0  # paired: the same sentences are drawn for both
    with pytest.raises(JointalignError, match="200 and 100 sentences"):
        difference_interval([table], [table[:100]])


def test_what_does_not_fit_together_is_refused():
    sentence = Sentence(("a", "b"), ("O", "O"))
    for gold, found, message in (
        ([sentence], [], "1 sentences with tags, but 0"),
        ([sentence], [("O",)], "sentence 1: 2 words, but 1"),
        ([Sentence(("a",))], [("O",)], "no tags"),
        ([], [], "no sentence"),
    ):
        with pytest.raises(JointalignError, match=message):
            score(gold, found)
