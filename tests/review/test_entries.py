"""Entries: read as they were written, and let through as a loop over all of them would."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointalign.dictionary.base import Translation, write_tsv
from jointalign.errors import FormatError
from jointalign.ranking.table import COLUMNS
from jointalign.review.decisions import Decision, Verdict
from jointalign.review.entries import (
    Candidate,
    Entries,
    Entry,
    Filter,
    Order,
    Status,
    Which,
    folded,
    read_entries,
    teaching,
)
from jointalign.storage.tables import write_table


def test_a_ranked_dictionary_comes_back_with_all_that_it_says(tmp_path):
    rows = [
        ("rare", "raro", 0.25, 1, 2, 3, ""),
        ("house", "casa", 0.9, 1, 50, 40, "given, vectors"),
        ("house", "hogar\t!", None, None, 50, 4, "given"),
    ]
    write_table(COLUMNS, rows, tmp_path / "d.tsv", form=".tsv")
    house, rare = read_entries(tmp_path / "d.tsv", {"house": 50, "rare": 2}, {"casa": 40, "raro": 3})
    assert house == Entry(
        "house",
        50,
        (Candidate("casa", 0.9, 40, ("given", "vectors")), Candidate("hogar\t!", None, 0, ("given",))),
    )
    assert rare == Entry("rare", 2, (Candidate("raro", 0.25, 3),)) and rare.probability == 0.25


def test_a_dictionary_by_csls_has_candidates_without_probability(tmp_path):
    write_tsv([Translation("a", "x", 1.5, None, 1), Translation("a", "y", -0.1, 0.2, 2)], tmp_path / "d.tsv")
    (entry,) = read_entries(tmp_path / "d.tsv", {"a": 3}, {})
    assert [(one.target, one.probability) for one in entry.candidates] == [("x", None), ("y", None)]


@pytest.mark.parametrize(
    "line", ["house", "a\tb\tnan\t1\t2\t3\t", "a\tb\t1.5\t1\t2\t3\t", "a\tb\tx\t1\t2\t3\t"]
)
def test_a_bad_line_is_named(tmp_path, line):
    head = "\t".join(COLUMNS)
    (tmp_path / "d.tsv").write_text(f"{head}\na\tb\t0.5\t1\t2\t3\t\n{line}\n")
    with pytest.raises(FormatError, match="d.tsv, line 3: expected a dictionary of `jointalign run`"):
        read_entries(tmp_path / "d.tsv", {}, {})


chance = st.one_of(st.none(), st.floats(0, 1))
some = st.lists(st.builds(Candidate, st.sampled_from(["Déjà", "vu", "x"]), chance, st.just(1)), max_size=2)
words = st.lists(
    st.builds(Entry, st.text("aé", min_size=1, max_size=3), st.integers(0, 9), some.map(tuple)),
    unique_by=lambda entry: entry.source,
    max_size=12,
)
filters = st.builds(
    Filter,
    st.tuples(st.integers(1, 6), st.one_of(st.none(), st.integers(1, 12))),
    st.sampled_from([(0.0, 2.0), (0.0, 0.5), (0.5, 0.9), (0.9, 2.0)]),
    st.sampled_from([None, True, False]),
    st.sampled_from([Which.ALL, Which.OPEN]),
    st.sampled_from(["", "a", "DEJA", "é"]),
    st.sampled_from([Order.FREQUENCY, Order.SUREST, Order.DOUBTFUL]),
)


@settings(max_examples=200)
@given(words, filters)
def test_a_filter_lets_through_what_each_entry_fits(found, wanted):
    def fits(place):
        entry, (least, below) = found[place], wanted.chances
        first, last = wanted.ranks
        texts = [entry.source, *(one.target for one in entry.candidates)]
        return (
            first <= place + 1 <= (last or len(found))
            and (
                wanted.chances == (0.0, 2.0)
                or (entry.probability is not None and least <= entry.probability < below)
            )
            and wanted.candidates in (None, bool(entry.candidates))
            and any(folded(wanted.text) in folded(text) for text in texts)
            and (wanted.which is Which.ALL or place % 2 == 0)
        )

    got = Entries(found).select(wanted, lambda place: place % 2 == 0).tolist()
    expected = [place for place in range(len(found)) if fits(place)]
    assert sorted(got) == expected
    if wanted.order is Order.FREQUENCY:
        assert got == expected
    else:
        sign = 1 if wanted.order is Order.SUREST else -1
        chances = [found[place].probability for place in got]
        known = [chance for chance in chances if chance is not None]
        assert known == sorted(known, reverse=sign > 0) and chances[: len(known)] == known


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.integers(0, 2)), max_size=12))
def test_what_teaches_most_is_worked_out_group_by_group(rows):
    chances, counts, groups = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.zeros(0)] * 3
    )
    found = teaching(chances.astype(float), counts, groups.astype(int))
    assert len(found) == len(rows)
    for group in set(groups.tolist()):
        inside = [at for at, row in enumerate(rows) if row[2] == group]
        alone = sorted((4 * p * (1 - p) * np.log2(1 + n) for p, n, g in rows if g == group), reverse=True)
        got = sorted((found[at] for at in inside), reverse=True)
        assert np.allclose(got, sorted((worth / (at + 1) for at, worth in enumerate(alone)), reverse=True))


@pytest.mark.parametrize(
    ("found", "disputed", "status"),
    [
        ([], False, Status.OPEN),
        ([("casa", Verdict.REJECT)], False, Status.OPEN),
        ([("casa", Verdict.REJECT), ("hogar", Verdict.REJECT)], False, Status.REJECTED),
        ([("casa", Verdict.REJECT), ("vivienda", Verdict.ACCEPT)], False, Status.ACCEPTED),
        ([("", Verdict.SKIP)], False, Status.SKIPPED),
        ([("", Verdict.SKIP), ("casa", Verdict.ACCEPT)], False, Status.ACCEPTED),
        ([("", Verdict.NOTE)], False, Status.OPEN),
        ([("casa", Verdict.ACCEPT)], True, Status.DISPUTED),
    ],
)
def test_the_status_follows_from_what_holds(found, disputed, status):
    entry = Entry("house", 9, (Candidate("casa", 0.9, 1), Candidate("hogar", 0.1, 1)))
    assert Status.of(entry, [Decision("house", *one) for one in found], disputed) is status


def test_an_added_word_is_found_and_ranked_last():
    entries = Entries([Entry("house", 9, (Candidate("casa", 0.5, 1),))])
    assert entries.select(Filter(order=Order.TEACHING), bool).tolist() == [0]
    assert entries.add(Entry("ghost", 0)) == 1 == entries.place("ghost")
    assert entries.select(Filter(text="GHOST", order=Order.TEACHING), bool).tolist() == [1]
