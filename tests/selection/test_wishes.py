import numpy as np
import pytest

from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.selection.wishes import Wishes, decide
from jointalign.vocabulary import Vocabulary


@pytest.fixture
def planted():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(120, 8)).astype(np.float32)
    turn = np.linalg.qr(random.normal(size=(8, 8)))[0].astype(np.float32)
    source = Embedding(Vocabulary(tuple(f"s{i}" for i in range(120))), vectors)
    target = Embedding(Vocabulary(tuple(f"t{i}" for i in range(120))), vectors @ turn)
    lexicon = Lexicon(tuple((f"s{i}", f"t{i}") for i in range(100)))
    return BilingualEmbedding.separate(source, target), lexicon


def test_what_is_given_is_kept_and_nothing_is_tried(planted):
    choice = decide(*planted, Wishes("rcsls", None, {"learning_rate": 2.5, "steps": 3}))
    assert choice.method == RCSLS(learning_rate=2.5, steps=3)
    assert choice.trials == () and choice.reason == "as given" and choice.held_out == 0
    assert choice.to_json()["trials"] == []


def test_procrustes_has_nothing_to_choose(planted):
    assert decide(*planted, Wishes("procrustes")).method == Procrustes()


def test_the_rest_is_chosen(planted):
    choice = decide(*planted, Wishes("rcsls", settings={"steps": 2}))
    assert isinstance(choice.method, RCSLS)
    assert choice.method.steps == 2
    assert {trial.method.learning_rate for trial in choice.trials} == {1, 10, 25, 50}
    facts = choice.to_json()
    assert "seconds" not in facts  # the same run must give the same bytes
    assert facts["method"] in [trial["method"] for trial in facts["trials"]]


def test_too_small_a_dictionary_to_choose_on(planted):
    with pytest.raises(JointalignError, match="9 source words are too few"):
        decide(planted[0], Lexicon(planted[1].pairs[:9]), Wishes())


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"method": "magic"}, "procrustes"),
        ({"gamma": 0.3}, "gamma must lie in"),
        ({"method": "procrustes", "settings": {"learning_rate": 1.0}}, "no learning rate"),
        ({"method": "rcsls", "settings": {"learning_rate": -1.0}}, "learning_rate"),
    ],
)
def test_impossible_wishes(wishes, message):
    with pytest.raises(JointalignError, match=message):
        Wishes(**wishes)
