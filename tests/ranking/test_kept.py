"""What is kept beside a space is what the ranker says, word by word; and what a dictionary leaves out."""

from types import SimpleNamespace

import numpy as np
import pytest

from jointalign import FormatError, JointalignError, Lexicon, Ranker
from jointalign.bli.base import DEPTH
from jointalign.dictionary.api import Translations
from jointalign.embedding import Embedding
from jointalign.ranking.api import Ranked
from jointalign.ranking.calibration import trade_off
from jointalign.ranking.kept import KeptRanking, kept_ranking, ranking_beside
from jointalign.ranking.table import LEAST, entries
from jointalign.vocabulary import Vocabulary
from planted import language_pair


@pytest.fixture(scope="module")
def pair():
    space, lexicon = language_pair(noise=1.2)
    given = Lexicon((*lexicon.pairs[2::2], (lexicon.pairs[0][0], lexicon.pairs[7][1])))
    fitted = Ranker(learner="logistic").fit([space], given)
    return space, lexicon, fitted, KeptRanking.of(fitted, space)


def test_it_says_of_every_word_what_the_ranker_says(pair, tmp_path):
    space, _, fitted, kept = pair
    kept.write(tmp_path / "ranking.safetensors")
    read = KeptRanking.read(tmp_path / "ranking.safetensors", space)
    words = [*fitted.sides[0].words, "nowhere"]
    for ranking in (kept, read):
        assert ranking.rank(words, DEPTH) == fitted.rank(words, DEPTH)
        assert ranking.rank(words[:9], 2) == fitted.rank(words[:9], 2)
        assert entries(ranking) == entries(fitted)
        assert ranking.threshold(0.8) == fitted.threshold(0.8)
    kept.write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "ranking.safetensors").read_bytes()


def test_what_was_given_is_always_among_the_answers(pair):
    space, lexicon, _, kept = pair
    word, given = lexicon.pairs[0][0], lexicon.pairs[7][1]
    assert given not in [one.target for one in kept.rank([word], DEPTH)[0]]
    translations = Translations(space)
    [answer] = kept.answers(translations, [word], count=3)
    first, *others = answer.translations
    assert (first.target, first.given, first.probability, first.rank) == (given, True, 1.0, DEPTH + 1)
    assert [one.target for one in others] == [one.target for one in kept.rank([word], 2)[0]]
    every = {one.target: one for one in translations.of([word], count=len(space.target))[0].translations}
    assert [one.score for one in answer.translations] == [
        every[one.target].score for one in answer.translations
    ]


def test_scores_are_those_of_the_ranker(pair):
    _, lexicon, fitted, kept = pair
    test = Lexicon(lexicon.pairs[1::2])
    for key, result in fitted.evaluate(test).items():
        ours = kept.evaluate(test, training=fitted.lexicon)[key]
        assert ours.to_json() == result.to_json()
        assert ours.reciprocal_ranks.tolist() == result.reciprocal_ranks.tolist()


def test_words_of_a_larger_space_in_another_order_are_found(pair):
    space, _, fitted, kept = pair
    rng = np.random.default_rng(0)

    def shuffled(side):
        words = (*side.words, "extra")
        order = rng.permutation(len(words))
        vectors = np.vstack([side.vectors, np.ones((1, side.dimensions), np.float32)])[order]
        return Embedding(Vocabulary(tuple(words[row] for row in order)), vectors)

    larger = type(space).separate(shuffled(space.source), shuffled(space.target))
    words = fitted.sides[0].words[:40]
    there = KeptRanking.of(fitted, larger)
    assert there.rank(words, DEPTH) == kept.rank(words, DEPTH)
    assert there.rank(["extra"]) == [[]]
    with pytest.raises(JointalignError, match="which the ranker has"):
        KeptRanking.of(fitted, type(space).separate(space.source.take(np.arange(9)), space.target))


def test_only_its_own_space_has_it_and_damage_is_seen(pair, tmp_path):
    space, _, _, kept = pair
    path = tmp_path / "aligned.safetensors"
    assert kept_ranking(path, space) is None
    kept.write(ranking_beside(path))
    assert kept_ranking(path, space) is not None
    assert kept_ranking(path, space.reversed()) is None
    other = type(space).separate(
        Embedding(space.source.vocabulary, np.roll(space.source.vectors, 1, 0)), space.target
    )
    assert kept_ranking(path, other) is None
    raw = bytearray(ranking_beside(path).read_bytes())
    raw[-3] ^= 1
    ranking_beside(path).write_bytes(raw)
    with pytest.raises(FormatError, match="not as it was written"):
        kept_ranking(path, space)
    KeptRanking.empty(space).write(ranking_beside(path))
    assert kept_ranking(path, space) is None


def test_precision_asks_for_a_probability(pair):
    kept = pair[3]
    assert kept.least(None) == LEAST
    chances, right = kept.firsts
    wanted = right.mean() + 0.01
    listed = right[chances >= kept.least(wanted)]
    assert 0 < len(listed) < len(right) and listed.mean() >= wanted
    sure_of_nothing = KeptRanking(*list(vars(kept).values())[:6], (chances, np.zeros(len(right), bool)))
    assert sure_of_nothing.least(0.9) > 1


def test_the_trade_off_is_counted_at_every_size(pair):
    chances, right = pair[3].firsts
    steps = trade_off(chances, right, 7)
    for one in steps:
        listed = np.argsort(-chances, kind="stable")[: round(one.coverage * len(chances))]
        assert one.precision == pytest.approx(right[listed].mean())
        assert one.probability == chances[listed].min()
    assert steps[-1].coverage == 1


def dictionary(words, counts, probability=0.9, given=()):
    """Entries of a ranking in which every word has itself as its first translation, then `other`."""
    sides = tuple(
        Embedding(
            Vocabulary((*words, "other"), np.array([*some, 10**6 * any(some)])),
            np.zeros((len(words) + 1, 2), "f4"),
        )
        for some in counts
    )
    known = np.array([[words.index(word)] * 2 for word in given], np.int64).reshape(-1, 2)

    def rank(asked, count):
        alike = [Ranked(word, word, probability, 1, word in given, ()) for word in asked]
        return [[one, Ranked(one.source, "other", 0.4, 2, False, ())] for one in alike]

    ranking = SimpleNamespace(sides=sides, known=known, rank=rank)
    return ranking, [one.source for one in entries(ranking) if one.source == one.target != "other"]


@pytest.mark.parametrize(
    ("words", "counts", "kept"),
    [
        (["he", "son", "hotel"], ([50, 50, 50], [50, 50, 50]), ["hotel"]),  # short ones meet by chance
        (["东京", "hotel"], ([50, 50], [50, 50]), ["东京", "hotel"]),  # not where signs are words
        (["place", "hotel"], ([900, 50], [50, 50]), ["hotel"]),  # too frequent on one side
        (["place", "hotel"], ([0, 0], [0, 0]), ["place", "hotel"]),  # counts that nobody knows
    ],
)
def test_words_spelt_alike_by_accident_are_left_out(words, counts, kept):
    ranking, found = dictionary(words, counts)
    assert found == kept
    alike = [one.source for one in entries(ranking, keep_marks=True) if one.source == one.target != "other"]
    assert alike == words


def test_given_pairs_are_no_accident_and_unlikely_ones_are():
    assert dictionary(["he", "place"], ([900, 50], [50, 50]), given=["he"])[1] == ["he", "place"]
    assert dictionary(["place"], ([50], [50]), probability=0.45)[1] == []
    assert dictionary(["he"], ([50], [50]))[0].rank(["he"], 2)[0][1].target == "other"
