"""Schemes of tags: what they mean, and from one to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.errors import JointalignError
from jointalign.ner.base import (
    EntityCounts,
    Scheme,
    Sentence,
    Span,
    Summary,
    scheme_of,
    spans,
    to_scheme,
    written,
)

KINDS = ["PER", "LOC", "B-LIKE"]


@st.composite
def entities(draw):
    """A length and entities that do not overlap, adjacent ones of a type among them."""
    cuts = sorted(draw(st.sets(st.integers(0, 12), min_size=2)))
    found = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        kind = draw(st.sampled_from([*KINDS, None]))
        if kind:
            found.append(Span(start, end, kind))
    return cuts[-1] + draw(st.integers(0, 2)), tuple(found)


@given(entities(), st.sampled_from(Scheme))
def test_what_is_written_is_read_back(case, scheme):
    length, expected = case
    assert spans(written(expected, length, scheme)) == expected


@given(entities(), st.sampled_from(Scheme), st.sampled_from(Scheme))
def test_every_scheme_converts_into_every_other(case, first, second):
    length, expected = case
    there = to_scheme(written(expected, length, first), second)
    assert there == written(expected, length, second)
    assert to_scheme(there, first) == written(expected, length, first)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("I-PER I-PER O I-LOC B-LOC", "B-PER I-PER O B-LOC B-LOC"),  # IOB1: B- parts neighbours
        ("I-PER I-LOC", "B-PER B-LOC"),
        ("B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),  # a stray I- begins an entity
        ("O I-ORG", "O B-ORG"),
        ("S-PER E-PER", "B-PER B-PER"),
        ("B-PER E-PER I-PER", "B-PER I-PER B-PER"),
    ],
)
def test_known_conversions_to_bio2(tags, expected):
    assert to_scheme(tags.split(), Scheme.BIO2) == tuple(expected.split())


def test_iob1_keeps_b_for_neighbours_of_one_type_alone():
    adjacent = (Span(0, 2, "PER"), Span(2, 3, "PER"), Span(3, 4, "LOC"))
    assert written(adjacent, 4, Scheme.IOB1) == ("I-PER", "I-PER", "B-PER", "I-LOC")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["I-PER O", "I-LOC B-LOC"], Scheme.IOB1),
        (["B-PER O", "B-PER O", "O I-PER"], Scheme.BIO2),
        (["B-PER I-PER O", "O O"], Scheme.BIO2),
        (["B-PER E-PER", "O"], Scheme.IOBES),
        (["O O"], Scheme.BIO2),
    ],
)
def test_the_scheme_of_a_file_is_recognised(tags, expected):
    assert scheme_of([line.split() for line in tags]) is expected


def test_sentences_and_summaries_refuse_nonsense():
    with pytest.raises(JointalignError, match="2 words and 1 tags"):
        Sentence(("a", "b"), ("O",))
    with pytest.raises(JointalignError, match="at least one word"):
        Sentence(())
    with pytest.raises(JointalignError, match="no score"):
        Summary.of([])


def test_nothing_found_is_zero_and_no_error():
    assert EntityCounts().f1 == EntityCounts(0, 0, 3).f1 == EntityCounts(0, 3, 0).precision == 0
    assert str(Summary.of([50.0])) == "50.0"
