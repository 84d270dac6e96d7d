"""Oracle: sizes of what `reallocate` gives; pairs counted by hand."""

import json

import numpy as np
import pytest

from jointalign.embedding import Embedding
from jointalign.lexicon import Lexicon
from jointalign.overshared import oversharing
from jointalign.reallocation import reallocate
from jointalign.vocabulary import Counts, Vocabulary


def counts_of(table):
    return Counts.from_pairs(table.items())


@pytest.fixture
def overshared():
    """`the` leaks into Spanish text, `que` into English text; `radio` is a cognate."""
    source = counts_of({"the": 990, "que": 2, "radio": 30, "house": 80, "tea": 1})
    target = counts_of({"the": 8, "que": 900, "radio": 40, "casa": 70, "tea": 2})
    words = ("the", "que", "house", "casa", "radio", "tea")
    joint = Embedding(Vocabulary(words), np.eye(6, dtype=np.float32))
    return joint, source, target


def test_oversharing_counts_what_reallocate_does(overshared):
    report = oversharing(*overshared, gammas=(0.6, 0.9, 1.0))
    assert report.overlap == 4
    for row in report.rows:
        split = reallocate(*overshared, gamma=row.gamma)
        sizes = (len(split.source_only), len(split.target_only), len(split.shared))
        assert (row.source_only, row.target_only, row.shared) == sizes
        assert row.moved_to_source + row.moved_to_target == report.overlap - row.shared
    assert [row.shared for row in report.rows] == [1, 2, 4]


def test_oversharing_names_the_most_frequent_moved_words(overshared):
    _, source, target = overshared
    row = oversharing(*overshared, gammas=[0.9], examples=1).rows[0]
    (moved,) = row.examples
    f1, f2 = 990 / source.total, 8 / target.total
    assert (moved.word, moved.source_count, moved.target_count) == ("the", 990, 8)
    assert moved.share == pytest.approx(f1 / (f1 + f2))


def test_oversharing_counts_the_pairs_of_a_dictionary_it_touches(overshared):
    lexicon = Lexicon(
        (
            ("house", "casa"),  # nothing moves
            ("the", "que"),  # both move, each to its own side
            ("radio", "radio"),  # stays shared
            ("the", "the"),  # the target word is gone: lost
            ("que", "que"),  # the source word is gone: lost
            ("casa", "house"),  # never in the right corpora
            ("castle", "castillo"),  # unknown
        )
    )
    report = oversharing(*overshared, gammas=[0.9, 1.0], training=lexicon)
    pairs = report.rows[0].training
    assert (pairs.known, pairs.moved, pairs.lost) == (5, 3, 2)
    untouched = report.rows[1].training
    assert (untouched.known, untouched.moved, untouched.lost) == (5, 0, 0)
    assert report.rows[0].test is None


def test_oversharing_prints_a_table_and_json(overshared):
    report = oversharing(*overshared, gammas=[0.9, 1.0], training=Lexicon((("the", "the"),)))
    title, head, first, second = str(report).splitlines()
    assert title == "4 words occur in both corpora"
    assert head.split()[0] == "gamma" and first.split()[0] == "0.9" and second.split()[0] == "1"
    assert "1/1" in first and "the 0.99" in first
    loaded = json.loads(json.dumps(report.to_json()))
    assert loaded["rows"][0]["examples"][0]["word"] == "the"
    assert loaded["rows"][0]["training"]["lost"] == 1
