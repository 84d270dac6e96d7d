import numpy as np
import pytest

from jointalign.ranking.letters import correspondence
from jointalign.ranking.spelling import codes


def disguised(share, size=600, seed=0):
    """Words, and the same words in unknown letters; of all but a share, any other word's."""
    rng = np.random.default_rng(seed)
    cipher = dict(zip("abcdefgh", "ΩΔΞΨΘΛΠΣ", strict=True))
    source = ["".join(rng.choice(list(cipher), rng.integers(4, 9))) for _ in range(size)]
    order = np.where(rng.random(size) < share, np.arange(size), rng.permutation(size))
    target = ["".join(map(cipher.get, word)) for word in source]
    return (codes(source), codes(target)), np.stack([np.arange(size), order], axis=1)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_letters_of_another_script_are_learnt_from_pairs_most_of_which_may_not_be_alike(share):
    letters, known = disguised(share)
    asked = np.array([(i, j) for i in range(300, 340) for j in range(300, 340)])
    found = correspondence(letters, known[:300], asked).reshape(40, 40)
    unlearnt = correspondence(letters, known[:0], asked).reshape(40, 40)
    assert np.mean(found.argmax(axis=1) == np.arange(40)) > 0.9
    assert np.mean(unlearnt.argmax(axis=1) == np.arange(40)) < 0.2


def test_a_letter_stands_for_itself_where_nothing_is_known():
    letters = codes(["abcd", "dcba"]), codes(["abcd", "xyzw"])
    none = np.zeros((0, 2), np.int64)
    same, turned, other = correspondence(letters, none, np.array([[0, 0], [1, 0], [0, 1]]))
    assert same > turned > other


def test_pairs_score_alike_alone_and_together():
    letters, known = disguised(1.0)
    together = correspondence(letters, known[:100], known)
    assert correspondence(letters, known[:100], known[7:8])[0] == together[7]
