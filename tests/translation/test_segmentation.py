"""Text cut into pieces can be put together again."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.lexicon import Lexicon

pytest.importorskip("tokenizers")
from jointalign.translation.api import Segmentation  # noqa: E402
from jointalign.translation.base import SPECIAL  # noqa: E402

TEXTS = [["a man walks his dog .", "the dog runs , the man walks ."] * 4, ["ein Mann läuft ."] * 8]


@pytest.fixture(scope="module")
def segmentation():
    return Segmentation.learn(TEXTS, 320)


@given(line=st.text())
def test_every_text_can_be_written_and_read(segmentation, line):
    try:
        line.encode()
    except UnicodeEncodeError:
        return
    expected = " ".join(unicodedata.normalize("NFC", line).split())
    assert segmentation.normalised(line) == expected
    assert segmentation.decode(segmentation.encode([line])) == [expected]


def test_words_are_numbered(segmentation):
    line = "a dog, hungry"
    sentence = segmentation.encode([line])
    groups = {}
    for token, word in zip(sentence.tokens, sentence.words, strict=True):
        groups.setdefault(int(word), []).append(token)
    import numpy as np

    parts = segmentation.decode([np.array(group) for group in groups.values()])
    assert parts == ["a", "dog", ",", "hungry"]


def test_pieces_hold_no_white_space_and_written_text_is_the_tokens(segmentation):
    assert all(piece and len(piece.split()) == 1 for piece in segmentation.pieces)
    sentence = segmentation.encode(["ein Hündchen\u00a0läuft"])
    (line,) = segmentation.written(sentence)
    rows = {piece: number + SPECIAL for number, piece in enumerate(segmentation.pieces)}
    assert [rows[piece] for piece in line.split(" ")] == sentence.tokens.tolist()


def test_saved_and_read_it_cuts_alike(segmentation):
    again = Segmentation.from_text(segmentation.to_text(), False)
    text = ["the man läuft", "Ünïcode ☃"]
    assert again.encode(text).tokens.tolist() == segmentation.encode(text).tokens.tolist()


def test_dictionary_pairs_of_whole_words(segmentation):
    found = segmentation.whole_words(Lexicon((("man", "Mann"), ("walks", "Quarkspeise"))))
    assert found.pairs == (("Ġman", "ĠMann"),)
