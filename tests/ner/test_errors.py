"""Errors sorted by hand."""

from jointalign.ner import Sentence
from jointalign.ner.errors import TypeErrors, by_known, errors_of

WORDS = tuple("abcdefghij")
GOLD = ("B-PER", "I-PER", "O", "B-LOC", "O", "B-ORG", "I-ORG", "O", "B-PER", "O")


def errors(found):
    return errors_of([Sentence(WORDS, GOLD)], [found])


def test_every_kind_of_error_is_told_apart():
    found = errors(("B-PER", "I-PER", "O", "B-ORG", "O", "B-ORG", "O", "O", "O", "B-LOC"))
    assert found.types["PER"] == TypeErrors(correct=1, missed=1)
    assert found.types["LOC"] == TypeErrors(other_type=1, spurious=1)
    assert found.types["ORG"] == TypeErrors(other_words=1)  # what took the place's is not out of nowhere
    assert found.confused == (("LOC", "ORG", 1),)
    assert found.types["PER"].gold == 2
    assert found.to_json()["confused"] == [{"gold": "LOC", "found": "ORG", "n": 1}]


def test_other_words_of_another_type_are_both():
    found = errors(("O", "B-LOC", "I-LOC", "O", "O", "O", "O", "O", "O", "O"))
    assert found.types["PER"] == TypeErrors(both=1, missed=1)
    assert "LOC" in found.types and found.types["LOC"] == TypeErrors(missed=1)


def test_nothing_found_and_all_found():
    assert errors(("O",) * 10).types["ORG"] == TypeErrors(missed=1)
    assert errors(GOLD).types == {
        "LOC": TypeErrors(correct=1),
        "ORG": TypeErrors(correct=1),
        "PER": TypeErrors(correct=2),
    }


def test_entities_are_apart_by_whether_all_their_words_are_known():
    found = [("B-PER", "I-PER", "O", "B-ORG", "O", "O", "O", "O", "B-PER", "O")]
    split = by_known([Sentence(WORDS, GOLD)], found, set("abcdi").__contains__)
    assert (split.known.correct, split.known.predicted, split.known.gold) == (2, 3, 3)
    assert (split.unknown.correct, split.unknown.predicted, split.unknown.gold) == (0, 0, 1)
    assert split.to_json()["known"]["recall"] == 100 * 2 / 3
