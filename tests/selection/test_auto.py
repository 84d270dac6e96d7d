"""The automatic choice of space, gamma and method: planted cases with one right answer each."""

import dataclasses

import numpy as np
import pytest

from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.vecmap import VecMap
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.selection.api import GAMMAS
from jointalign.selection.auto import SEPARATE, Spaces, choose_all
from jointalign.selection.tuning import Wishes, tune_alignment, tune_run
from jointalign.vocabulary import Counts, Vocabulary

N, D = 300, 12


def words(letter, count=N):
    return tuple(f"{letter}{number}" for number in range(count))


def meaning(seed=0):
    """Points in clusters: what the words of both languages mean."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, D))
    return (centres[rng.integers(0, 20, N)] + 0.5 * rng.normal(size=(N, D))).astype(np.float32)


def sides(noise, turned=True, seed=1):
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(D, D)))[0] if turned else np.eye(D)
    x = meaning()
    z = (x @ turn + noise * rng.normal(size=x.shape)).astype(np.float32)
    return x, z


def separate(noise):
    x, z = sides(noise)
    return BilingualEmbedding.separate(
        Embedding(Vocabulary(words("s")), x), Embedding(Vocabulary(words("t")), z)
    )


def joint(noise):
    x, z = sides(noise, turned=False)
    embedding = Embedding(Vocabulary(words("s") + words("t")), np.concatenate([x, z]))
    counts = [
        Counts.from_pairs([(word, N - row) for row, word in enumerate(words(letter))]) for letter in "st"
    ]
    return embedding, *counts


def lexicon(count=250):
    return Lexicon(tuple(zip(words("s", count), words("t", count), strict=True)))


def test_the_better_space_is_found():
    choice = choose_all(Spaces(joint(3.0), separate(0.1)), lexicon())
    assert choice.best.space == SEPARATE and choice.gamma is None
    choice = choose_all(Spaces(joint(0.1), separate(3.0)), lexicon())
    assert choice.best.space == "" and choice.gamma in GAMMAS


def test_a_large_dictionary_allows_all_supervised_mappings():
    choice = choose_all(Spaces(separate=separate(0.3)), lexicon())
    kinds = {type(trial.method) for trial in choice.trials}
    assert kinds == {VecMap, Procrustes, GeoMM, RCSLS}
    assert len({t.method.regularization for t in choice.trials if type(t.method) is GeoMM}) == 3
    assert choice.best.precision == max(trial.precision for trial in choice.trials)


def test_what_would_take_too_long_is_named_and_not_tried():
    choice = choose_all(Spaces(separate=separate(0.3)), lexicon(), limit=0.0)
    assert {type(trial.method) for trial in choice.trials} == {Procrustes}
    assert len(choice.skipped) == 8
    assert "not tried, beyond the time limit: VecMap" in choice.reason
    unlimited = choose_all(Spaces(separate=separate(0.3)), lexicon(), limit=1e9)
    assert not unlimited.skipped


def test_a_small_dictionary_gets_methods_that_grow_it():
    choice = choose_all(Spaces(separate=separate(0.1)), lexicon(24))
    assert not any(isinstance(trial.method, GeoMM | RCSLS) for trial in choice.trials)
    assert any(getattr(trial.method, "self_learning", False) for trial in choice.trials)
    assert choice.best.precision > 50


def test_a_gamma_that_is_given_is_the_only_one_tried():
    choice = choose_all(Spaces(joint(0.1)), lexicon(), gamma=0.8)
    assert {trial.gamma for trial in choice.trials} == {0.8}


def test_the_reason_says_by_how_much():
    choice = choose_all(Spaces(joint(0.1), separate(3.0)), lexicon())
    assert choice.reason.startswith("chosen: ")
    assert "against separate" in str(choice) or "against gamma" in str(choice)
    best = max(t.precision for t in choice.trials)
    assert f"{best:.1f}" in choice.reason


def test_all_spaces_are_tried_with_one_mapping():
    # At gamma 0.5 nearly all pairs of the joint space are shared, and few are left to learn from.
    choice = choose_all(Spaces(joint(0.1), separate(0.1)), lexicon(29))
    spaces = {}
    for trial in choice.trials:
        spaces.setdefault(trial.made_in, []).append(trial.method)
    assert len({methods[0] for methods in spaces.values()}) == 1
    assert "nan" not in choice.reason


def test_the_same_seed_chooses_the_same():
    first, second = (choose_all(Spaces(separate=separate(0.8)), lexicon(), seed=3) for _ in "ab")
    assert first.trials == second.trials


def test_nothing_to_choose_from_or_to_learn_from():
    with pytest.raises(JointalignError, match="no space"):
        Spaces()
    with pytest.raises(JointalignError, match="gamma is chosen on a joint"):
        _ = Spaces(separate=separate(0.1)).together
    with pytest.raises(JointalignError, match="held-out"):
        choose_all(Spaces(separate=separate(0.1)), Lexicon((("a", "b"), ("c", "d"))))


def test_wishes_for_auto_and_for_one_method():
    with pytest.raises(JointalignError, match="name the method"):
        Wishes(settings={"steps": 3})
    assert Wishes("geomm", settings={"regularization": 7.0}).aligner == GeoMM(7.0)
    assert Wishes("geomm").open == ("regularization",)
    assert Wishes("rcsls", settings={"learning_rate": 2.0}).open == ("steps",)
    assert Wishes("rcsls_iterative").open == ("learning_rate",)
    assert Wishes("muse").open == Wishes("dema").open == Wishes("geomm_semi_supervised").open == ()
    assert not Wishes().all_given
    assert Wishes("vecmap", 0.9).all_given


def test_auto_on_vectors_as_they_are():
    tuned = tune_alignment(separate(0.1), lexicon(), Wishes())
    assert tuned.gamma is None and tuned.choice is not None
    assert tuned.to_json()["reason"].startswith("chosen: ")


@pytest.mark.parametrize("good", ["joint", "separate"])
def test_a_run_goes_on_with_the_space_that_was_chosen(good):
    spaces = Spaces(joint(0.1 if good == "joint" else 3.0), separate(3.0 if good == "joint" else 0.1))
    tuned = tune_run(spaces, lexicon(), Wishes())
    chosen = tuned.chosen_from(spaces)
    assert tuned.separate == (good == "separate")
    assert chosen is spaces.separate if good == "separate" else tuned.gamma in GAMMAS
    assert tuned.to_json()["space"] == good


def test_a_given_gamma_stays_with_what_was_tried():
    tuned = tune_run(Spaces(joint(0.1)), lexicon(), Wishes("geomm", 0.8))
    assert tuned.gamma == 0.8
    assert {trial.gamma for trial in tuned.choice.trials} == {0.8}
    assert dataclasses.replace(tuned, gamma=0.8) == tuned
