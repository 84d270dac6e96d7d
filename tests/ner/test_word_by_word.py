"""Labelled text carried over by a dictionary."""

import pytest

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.ner import Sentence, carry_over, distinct_words

LABELLED = [
    Sentence(("The", "Bank", "of", "IBM", "3", "pm"), ("O", "B-ORG", "I-ORG", "I-ORG", "O", "O")),
    Sentence(("the", "end"), ("O", "O")),
]


def test_words_become_their_first_translation_in_their_case_and_labels_stay():
    pairs = (("the", "el"), ("the", "la"), ("bank", "banco"), ("ibm", "ibm"), ("3", "tres"), ("of", "de"))
    carried = carry_over(LABELLED, Lexicon(pairs))
    assert carried.sentences[0] == Sentence(("El", "Banco", "de", "IBM", "3", "pm"), LABELLED[0].tags)
    assert carried.sentences[1] == Sentence(("el", "end"), ("O", "O"))
    assert (carried.translated, carried.kept) == (5, 3)


def test_a_word_as_it_is_written_comes_before_its_lower_case():
    one = [Sentence(("Reading", "reading"), None)]
    assert carry_over(one, {"Reading": "reading", "reading": "lectura"}).sentences[0].words == (
        "Reading",
        "lectura",
    )


def test_what_is_asked_of_a_dictionary():
    assert distinct_words([LABELLED, LABELLED]) == ["the", "bank", "of", "ibm", "pm", "end"]


@pytest.mark.parametrize("target", ["", "dos palabras", "a\u00a0b"])
def test_a_translation_that_is_no_word_is_refused(target):
    with pytest.raises(JointalignError, match="must be one word"):
        carry_over(LABELLED, {"bank": target})
