"""Which words of a dictionary are shown on the page, and with which sentences."""

import numpy as np
import pytest

from jointalign.concordance import Concordance
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import encode
from jointalign.pipeline._entries import (
    SHOWN,
    contradicted,
    good_and_doubtful,
    headwords,
    read_entries,
    spread,
)

HEAD = "source\ttarget\tprobability\trank\tsource_count\ttarget_count\tevidence\n"


@pytest.fixture
def entries(tmp_path):
    """A hundred words: those of odd numbers are likely right, every tenth was given."""
    lines = []
    for n in range(100):
        sure = 0.95 - n / 1000 if n % 2 else 0.3
        lines.append(f"s{n}\tt{n}\t{sure:.4f}\t1\t{1000 - n}\t7\t{'given, ' * (n % 10 == 0)}vectors\n")
        lines.append(f"s{n}\tu{n}\t0.1000\t2\t{1000 - n}\t7\t\n")
    lines.append("s5\tlast\t\t\t995\t7\tgiven\n")
    (tmp_path / "dictionary.tsv").write_text(HEAD + "".join(lines))
    return read_entries(tmp_path / "dictionary.tsv")


def test_headwords_are_the_most_frequent_with_something_likely(entries):
    found = headwords(entries, ("en", "es"), "dictionary.tsv")
    words = [word.source for word in found.words]
    likely = [n for n in range(100) if n % 2 or n % 10 == 0]
    assert words == [f"s{n}" for n in likely][:SHOWN]
    five = next(word for word in found.words if word.source == "s5")
    assert [sense.target for sense in five.senses] == ["last", "t5", "u5"]  # what was given comes first
    assert (five.count, five.senses[0].probability, five.senses[1].probability) == (995, None, 0.945)
    passed = len([n for n in range(likely[SHOWN - 1]) if n not in likely])
    assert f"{SHOWN} most frequent of 100 words, with 201 translations" in found.note
    assert f"{passed} words among these" in found.note


def test_examples_are_surely_right_or_to_doubt_and_never_given(entries, tmp_path):
    texts = []
    for side, letters in (("en", "s"), ("es", "tu")):
        path = tmp_path / f"{side}.txt"
        path.write_text("".join(f"say {c}{n} twice, {c}{n}!\n" for c in letters for n in range(100)))
        encode(Corpus(path, side), tmp_path / side)
        texts.append(Concordance.of(Corpus(path, side), tmp_path / side))
    good, doubtful = good_and_doubtful(entries, tuple(texts), ("en", "es"))
    for some, kept in ((good, lambda chance: chance >= 0.9), (doubtful, lambda chance: chance < 0.5)):
        assert len(some.examples) == 10
        for one in some.examples:
            assert kept(one.sense.probability) and not one.sense.given
            [line] = one.source_lines
            assert [text for text, is_word in line if is_word] == [one.source] * 2
            assert [text for text, is_word in one.target_lines[0] if is_word] == [one.sense.target] * 2
    assert good.examples[0].source == "s1" and doubtful.examples[0].source == "s2"


def test_what_is_spread_begins_at_the_first_and_ends_at_the_last(entries):
    for size in (3, 10, 11, 57, 200):
        found = [entries.index(one) for one in spread(entries[:size], 10)]
        assert len(found) == len(set(found)) == min(size, 10)
        assert found == sorted(found) and found[0] == 0
        assert found[-1] == size - 1
    steps = np.diff([entries.index(one) for one in spread(entries, 10)])
    assert steps[-1] > 10 * steps[0]  # more of the frequent ones


def test_given_words_that_are_translated_otherwise_are_listed(tmp_path):
    path = tmp_path / "contradictions.tsv"
    path.write_text("source\tgiven\tfound\tprobability\n")
    assert contradicted(path) == []
    path.write_text("source\tgiven\tfound\tprobability\nother\totro, otros\totra\t0.8770\n" * 1)
    [table] = contradicted(path)
    assert table.rows == [["other", "otro, otros", "otra", "88 %"]]
    assert table.note.startswith("1 in all, in contradictions.tsv")
