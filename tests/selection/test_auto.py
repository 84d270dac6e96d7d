"""The automatic choice of space, gamma and method: planted cases with one right answer each."""

import numpy as np
import pytest

from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.vecmap import VecMap
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.selection.api import GAMMAS, choose
from jointalign.selection.base import SEPARATE, Spaces
from jointalign.selection.wishes import Wishes, decide
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
    choice = choose(Spaces(joint(3.0), separate(0.1)), lexicon())
    assert choice.best.space == SEPARATE and choice.gamma is None
    choice = choose(Spaces(joint(0.1), separate(3.0)), lexicon())
    assert choice.best.space == "" and choice.gamma in GAMMAS


def test_a_large_dictionary_allows_all_supervised_mappings():
    choice = choose(Spaces(separate=separate(0.3)), lexicon())
    kinds = {type(trial.method) for trial in choice.trials}
    assert kinds == {VecMap, Procrustes, GeoMM, RCSLS}
    assert len({t.method.regularization for t in choice.trials if type(t.method) is GeoMM}) == 3
    assert choice.best.precision > max(trial.precision for trial in choice.trials) - 3


def test_what_would_take_too_long_is_named_and_not_tried():
    choice = choose(Spaces(separate=separate(0.3)), lexicon(), limit=0.0)
    assert {type(trial.method) for trial in choice.trials} == {Procrustes}
    assert len(choice.skipped) == 8
    assert "not tried, beyond the time limit: VecMap" in choice.reason
    calls = []
    spaces = Spaces(joint(0.1), separate(3.0))
    choose(spaces, lexicon(), limit=0.0, progress=lambda *told: calls.append(told[:2]))
    assert calls == [(number, 18) for number in range(1, 19)]  # six spaces, three folds
    unlimited = choose(Spaces(separate=separate(0.3)), lexicon(), limit=1e9)
    assert not unlimited.skipped


def test_a_small_dictionary_gets_methods_that_grow_it():
    choice = choose(Spaces(separate=separate(0.1)), lexicon(24))
    assert not any(isinstance(trial.method, GeoMM | RCSLS) for trial in choice.trials)
    assert any(getattr(trial.method, "self_learning", False) for trial in choice.trials)
    assert choice.best.precision > 50


def test_a_gamma_that_is_given_is_the_only_one_tried():
    choice = choose(Spaces(joint(0.1)), lexicon(), gammas=[0.8])
    assert {trial.gamma for trial in choice.trials} == {0.8}


def test_the_reason_says_by_how_much():
    choice = choose(Spaces(joint(0.1), separate(3.0)), lexicon())
    assert choice.reason.startswith("chosen: ")
    assert "against separate" in str(choice) or "against gamma" in str(choice)
    assert f"{choice.best.precision:.1f}" in choice.reason


def test_all_spaces_are_tried_with_one_mapping():
    # At gamma 0.5 nearly all pairs of the joint space are shared, and few are left to learn from.
    choice = choose(Spaces(joint(0.1), separate(0.1)), lexicon(29))
    spaces = {}
    for trial in choice.trials:
        spaces.setdefault(trial.made_in, []).append(trial.method)
    assert len({methods[0] for methods in spaces.values()}) == 1
    assert "nan" not in choice.reason


def test_the_same_seed_chooses_the_same():
    first, second = (choose(Spaces(separate=separate(0.8)), lexicon(), seed=3) for _ in "ab")
    assert first.trials == second.trials


def test_nothing_to_choose_from_or_to_learn_from():
    with pytest.raises(JointalignError, match="no space"):
        Spaces()
    with pytest.raises(JointalignError, match="gamma is chosen on a joint"):
        Spaces(separate=separate(0.1)).split(0.9)
    with pytest.raises(JointalignError, match="held-out"):
        choose(separate(0.1), Lexicon((("a", "b"), ("c", "d"), ("e", "f"))))


def test_wishes_for_auto_and_for_one_method():
    with pytest.raises(JointalignError, match="name the method"):
        Wishes(settings={"steps": 3})
    assert Wishes("geomm", settings={"regularization": 7.0}).aligner == GeoMM(7.0)
    assert Wishes("geomm").open == ("regularization",)
    assert Wishes("rcsls", settings={"learning_rate": 2.0}).open == ("steps",)
    assert Wishes("rcsls_iterative").open == ("learning_rate", "steps")
    assert Wishes("muse").open == Wishes("dema").open == Wishes("geomm_semi_supervised").open == ()
    assert not Wishes().all_given
    assert Wishes("vecmap", 0.9).all_given


def test_auto_on_vectors_as_they_are():
    choice = decide(separate(0.1), lexicon(), Wishes())
    assert choice.gamma is None and choice.trials
    assert choice.to_json()["reason"].startswith("chosen: ")
    assert choice.to_json()["space"] == "as given"


@pytest.mark.parametrize("good", ["joint", "separate"])
def test_a_run_goes_on_with_the_space_that_was_chosen(good):
    spaces = Spaces(joint(0.1 if good == "joint" else 3.0), separate(3.0 if good == "joint" else 0.1))
    choice = decide(spaces, lexicon(), Wishes())
    chosen = spaces.of(choice.best)
    assert chosen is spaces.separate if good == "separate" else choice.gamma in GAMMAS
    assert choice.to_json()["space"] == good


def test_closed_form_comes_before_descent_and_no_settings_before_some():
    """All find all words: what is simplest wins, wherever it stands in the list."""
    choice = choose(separate(0.0), lexicon(), [RCSLS(), "geomm", "procrustes"])
    assert {trial.precision for trial in choice.trials if type(trial.method) is not RCSLS} == {100.0}
    assert choice.method == GeoMM()
    assert choose(separate(0.0), lexicon(), [RCSLS(), "procrustes", "geomm"]).method == Procrustes()


def test_only_the_methods_that_were_asked_for_can_be_chosen():
    """Procrustes told the spaces apart, and may not win."""
    choice = decide(Spaces(joint(0.1)), lexicon(), Wishes("geomm"))
    assert {type(trial.method) for trial in choice.trials} == {Procrustes, GeoMM}
    assert type(choice.method) is GeoMM
    choice = decide(Spaces(joint(0.1)), lexicon(), Wishes("geomm", 0.8))
    assert {trial.gamma for trial in choice.trials} == {choice.gamma} == {0.8}
    assert {type(trial.method) for trial in choice.trials} == {GeoMM}
