"""Scores against sacreBLEU itself and against numbers counted by hand."""

import math

import pytest

sacrebleu = pytest.importorskip("sacrebleu")
from jointalign.errors import JointalignError  # noqa: E402
from jointalign.translation.api import score, tokenised, tokenised_bleu  # noqa: E402

HYPOTHESES = ["A man rides a horse.", "two dogs run in the snow", "The woman's red hat"]
REFERENCES = ["A man is riding a horse.", "Two dogs run through the snow", "The woman wears a hat."]


def test_bleu_and_chrf_are_sacrebleus():
    found = score(HYPOTHESES, REFERENCES, "de-en")
    assert found.bleu == sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score
    assert found.chrf == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert "tok:13a" in found.signature and "case:mixed" in found.signature
    lower = score(HYPOTHESES, REFERENCES, "de-en", lowercase=True)
    assert "case:lc" in lower.signature and lower.bleu > found.bleu


def test_tokenised_bleu_by_hand():
    """Precisions 5/6, 3/5, 2/4, 1/3 and a brevity penalty of exp(1 - 7/6)."""
    found = tokenised_bleu(["the cat sat on a mat"], ["the cat lay sat on a rug"])
    assert found == 0.0, "multi-bleu does not smooth: no four words match"
    found = tokenised_bleu(["a b c d x e"], ["a b c d e f g"])
    hand = [5 / 6, 3 / 5, 2 / 4, 1 / 3]
    expected = 100 * math.exp(1 - 7 / 6) * math.prod(hand) ** 0.25
    assert found == pytest.approx(expected)


def test_the_two_kinds_of_bleu_are_told_apart():
    found = score(["It costs 3.5 euros!"] * 2, ["It costs 3.5 euros!"] * 2, "x-y")
    assert tokenised("3.5 euros!") == "3 . 5 euros !"
    assert {"bleu", "tokenised_bleu", "signature"} <= found.to_json().keys()


@pytest.mark.parametrize("references", [[], ["one"]])
def test_uneven_files_are_refused(references):
    with pytest.raises(JointalignError, match="same number of lines"):
        score(HYPOTHESES, references, "de-en")
