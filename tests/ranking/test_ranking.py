import json

import numpy as np
import pytest

from jointalign import FormatError, JointalignError, Lexicon, Ranker, VecMap, rank
from jointalign.ranking import api
from jointalign.ranking.features import NAMES, Surface, features, without_pairs
from jointalign.ranking.spaces import BACKWARD, RETURNED, Views, propose
from jointalign.ranking.storage import read_ranker, write_ranker
from jointalign.ranking.table import contradictions, entries, write_entries
from jointalign.retrieval.api import hubness, mean_similarity
from planted import language_pair


def halves(lexicon):
    return Lexicon(lexicon.pairs[::2]), Lexicon(lexicon.pairs[1::2])


@pytest.fixture(scope="module")
def fitted():
    space, lexicon = language_pair(noise=1.2)
    return Ranker(learner="logistic").fit([space], halves(lexicon)[0])


def first_right(fitted, lexicon):
    found = fitted.rank(lexicon.sources, 1)
    return np.mean([one[0].target == target for one, (_, target) in zip(found, lexicon, strict=True)])


def test_unseen_words_are_ranked_better_than_by_csls(fitted):
    _, lexicon = language_pair(noise=1.2)
    unseen = halves(lexicon)[1]
    plain = fitted.views.mean.nearest(unseen.rows(*(s.vocabulary for s in fitted.sides))[:, 0], 1)[:, 0]
    by_csls = np.mean(plain == unseen.rows(*(s.vocabulary for s in fitted.sides))[:, 1])
    assert first_right(fitted, unseen) > by_csls + 0.1


def test_a_planted_leak_is_seen(monkeypatch):
    """Vectors without any signal: only who has seen a word's pair can know its translation."""
    space, lexicon = language_pair(size=120, dimensions=100, signal=False)
    ranker = Ranker(learner="logistic", method=VecMap.supervised(), groups=("vectors",))
    honest = ranker.fit([space], lexicon).held_out
    folds = api._folds

    def leaking(lexicon, count, seed):
        for _, held in folds(lexicon, count, seed):
            yield lexicon, held

    monkeypatch.setattr(api, "_folds", leaking)
    leaked = ranker.fit([space], lexicon).held_out
    assert honest.p_at_1 < 10 < 90 < leaked.p_at_1


def test_affix_counts_of_a_fold_do_not_see_its_words(monkeypatch):
    space, lexicon = language_pair(size=60)
    seen = []
    counted = api.features
    monkeypatch.setattr(
        api, "features", lambda v, s, c, known: (seen.append((c.pairs, known)), counted(v, s, c, known))[1]
    )
    Ranker(learner="logistic", method="none").fit([space], lexicon)
    assert len(seen) == 3
    for pairs, known in seen:
        assert len(known) and not set(pairs[:, 0].tolist()) & set(known[:, 0].tolist())


def test_folds_cut_by_source_word():
    lexicon = Lexicon(tuple((f"w{i % 10}", f"t{i}") for i in range(40)))
    parts = list(api._folds(lexicon, 3, 0))
    assert sorted(pair for _, held in parts for pair in held) == sorted(lexicon)
    for rest, held in parts:
        assert not set(rest.sources) & set(held.sources)
        assert len(rest) + len(held) == 40


def test_the_mean_of_spaces_has_the_mean_of_their_scores():
    space, lexicon = language_pair(size=80)
    other, _ = language_pair(size=80, noise=0.3)
    views = Views.of([space, other], space.sides(), None, lexicon, 0)
    pairs = np.array([(i, j) for i in range(80) for j in range(80)])
    assert views.mean.csls(pairs) == pytest.approx(np.mean([v.csls(pairs) for v in views.each], 0), abs=1e-5)
    x, z = (side.vectors for side in space.sides())
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, z)]
    wanted = 2 * unit[0] @ unit[1].T - mean_similarity(x, z)[:, None] - hubness(z, x)
    assert views.each[0].csls(pairs).reshape(80, 80) == pytest.approx(wanted, abs=1e-5)


def test_features_of_vectors_are_as_by_the_whole_matrix():
    space, lexicon = language_pair(size=80)
    sides = space.sides()
    views, surface = Views.of([space], sides, None, lexicon, 0), Surface.of(*sides)
    rows = np.array([3, 7, 70])
    candidates = propose(views, surface.spellings, rows, 10, 5, 3)
    found = features(views, surface, candidates, lexicon.rows(*(s.vocabulary for s in sides)))
    whole = views.mean.csls(np.array([(i, j) for i in range(80) for j in range(80)])).reshape(80, 80)
    columns = {name: found[:, at] for at, name in enumerate(NAMES)}
    middle, spread = views.level
    whole = (whole - middle) / spread
    for at, (source, target) in enumerate(candidates.pairs.tolist()):
        best = np.sort(whole[source])[::-1]
        back = np.sort(whole[:, target])[::-1]
        own, own_back = whole[source, target], np.count_nonzero(whole[:, target] > whole[source, target])
        rival = best[1] if own == best[0] else best[0]
        assert columns["vectors", "margin"][at] == pytest.approx(own - rival, abs=1e-5)
        assert columns["vectors", "backward place"][at] == pytest.approx(np.log1p(min(own_back, BACKWARD)))
        rival = back[1] if own_back == 0 else back[0]
        assert columns["vectors", "backward margin"][at] == pytest.approx(own - rival, abs=1e-5)
    assert np.isfinite(found).all() and len(NAMES) == found.shape[1]


def test_candidates_are_what_returns_to_the_word_too():
    """Target words that have a source word among their five best are candidates of it."""
    space, lexicon = language_pair(size=80)
    sides = space.sides()
    views, surface = Views.of([space], sides, None, lexicon, 0), Surface.of(*sides)
    rows = np.array([70, 3, 7])
    found = propose(views, surface.spellings, rows, 1, 0, 0)
    whole = views.mean.csls(np.array([(i, j) for i in range(80) for j in range(80)])).reshape(80, 80)
    for query, row in enumerate(rows.tolist()):
        wanted = {int(whole[row].argmax())}
        wanted |= {target for target in range(80) if row in np.argsort(-whole[:, target])[:RETURNED]}
        assert set(found.pairs[found.queries == query, 1].tolist()) == wanted
        assert (found.pairs[found.queries == query, 0] == row).all()


def test_features_without_pairs_are_those_of_no_dictionary():
    space, lexicon = language_pair(size=80)
    sides = space.sides()
    views, surface = Views.of([space], sides, None, lexicon, 0), Surface.of(*sides)
    candidates = propose(views, surface.spellings, np.arange(20), 10, 5, 3)
    known = lexicon.rows(*(s.vocabulary for s in sides))
    with_pairs = features(views, surface, candidates, known)
    bare = features(views, surface, candidates, known[:0])
    assert without_pairs(with_pairs).tolist() == bare.tolist()
    told = {group for at, (group, _) in enumerate(NAMES) if (with_pairs[:, at] != bare[:, at]).any()}
    assert told == {"spelling", "affixes", "neighbours"}


def test_probabilities_fall_with_rank_and_unknown_words_have_none(fitted):
    words = [*fitted.sides[0].words[:50], "unheard-of", fitted.sides[0].words[0]]
    found = fitted.rank(words, 4)
    assert found[50] == [] and found[51] == found[0]
    for some in found[:50]:
        assert [one.rank for one in some] == [1, 2, 3, 4]
        chances = [one.probability for one in some]
        assert chances == sorted(chances, reverse=True) and 0 <= chances[-1] <= chances[0] <= 1


def test_a_word_is_ranked_alike_alone_and_among_others(fitted):
    words = fitted.sides[0].words
    assert fitted.rank(words[5:6], 3)[0] == fitted.rank(words[:20], 3)[5]


def test_the_same_seed_gives_the_same_ranking():
    space, lexicon = language_pair(size=100)
    words = lexicon.sources[:10]
    first, again = (rank(space, halves(lexicon)[0], words, seed=3) for _ in range(2))
    assert first == again


def test_given_pairs_are_kept_and_what_contradicts_them_is_listed(tmp_path):
    space, lexicon = language_pair(noise=0.1)
    wrong = (lexicon.pairs[150][0], lexicon.pairs[301][1])
    given = Lexicon((wrong, *(pair for pair in halves(lexicon)[0] if pair[0] != wrong[0])))
    ranker = Ranker(learner="logistic").fit([space], given)
    found = entries(ranker)
    assert {(one.source, one.target) for one in found if one.given} == set(given)
    assert wrong[0] in {one.source for one in contradictions(found)}
    rows = [ranker.sides[0].vocabulary.rows[one.source] for one in found]
    assert rows == sorted(rows)
    write_entries(found, ranker, tmp_path / "dictionary.tsv")
    lines = (tmp_path / "dictionary.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:4] == ["source", "target", "probability", "rank"]
    assert len(lines) == len(found) + 1
    unranked = next(line for line in lines if line.startswith("\t".join(wrong)))
    assert unranked.split("\t")[2:4] == ["", ""]


def test_what_two_spaces_say_does_not_depend_on_their_order():
    space, lexicon = language_pair(size=80)
    other, _ = language_pair(size=80, noise=0.3)
    sides, rows = space.sides(), np.array([3, 7, 70])
    surface, known = Surface.of(*sides), lexicon.rows(*(s.vocabulary for s in sides))
    found = []
    for spaces in ([space, other], [other, space]):
        views = Views.of(spaces, sides, None, lexicon, 0)
        candidates = propose(views, surface.spellings, rows, 10, 5, 3)
        found.append(features(views, surface, candidates, known))
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_a_file_gives_the_same_scores(fitted, tmp_path):
    write_ranker(fitted, tmp_path / "ranker.json")
    model, calibration, columns = read_ranker(tmp_path / "ranker.json")
    rows = np.random.default_rng(0).standard_normal((5, len(columns)))
    assert model.scores(rows).tolist() == fitted.model.scores(rows).tolist()
    assert calibration == fitted.calibration
    assert columns == [NAMES[at] for at in fitted.ranker._columns()]
    (tmp_path / "ranker.json").write_text(json.dumps({"kind": "another"}))
    with pytest.raises(FormatError, match="expected a file of kind 'jointalign ranker 2'"):
        read_ranker(tmp_path / "ranker.json")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda s, lex: Ranker(folds=1), "two folds or more, got 1"),
        (lambda s, lex: Ranker(groups=("looks",)), "groups of features are vectors"),
        (lambda s, lex: Ranker().fit([], lex), "give one space or more"),
        (lambda s, lex: Ranker(method="best").fit([s], lex), "'auto' or 'none', got 'best'"),
        (lambda s, lex: Ranker().fit([s], lex.reversed()), "check the order of the languages"),
    ],
)
def test_mistakes_are_explained(wrong, message):
    with pytest.raises(JointalignError, match=message):
        wrong(*language_pair(size=30))
