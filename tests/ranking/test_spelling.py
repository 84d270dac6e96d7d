import numpy as np
import pytest

from jointalign.ranking.affixes import KINDS, AffixNumbers, association
from jointalign.ranking.spelling import FEATURES, Spellings, alike, codes, plain


def edit(a, b):
    table = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (x != y))
    return table[len(a), len(b)]


def common(a, b):
    """Longest common subsequence, by trying every subset of the shorter word."""
    best = 0
    for mask in range(1 << len(a)):
        chosen = [x for i, x in enumerate(a) if mask >> i & 1]
        rest = iter(b)
        if len(chosen) > best and all(x in rest for x in chosen):
            best = len(chosen)
    return best


def test_pairs_of_words_are_compared_as_by_brute_force():
    rng = np.random.default_rng(0)
    source = ["".join(rng.choice(list("abc"), rng.integers(0, 8))) for _ in range(30)]
    target = ["".join(rng.choice(list("abc"), rng.integers(0, 8))) for _ in range(30)]
    pairs = np.array([(i, j) for i in range(30) for j in range(30)])
    found = alike(*codes(source), *codes(target), pairs)
    for (i, j), row in zip(pairs.tolist(), found, strict=True):
        a, b = source[i], target[j]
        longer = max(len(a), len(b), 1)
        prefix = next((k for k in range(min(len(a), len(b))) if a[k] != b[k]), min(len(a), len(b)))
        suffix = next((k for k in range(min(len(a), len(b))) if a[~k] != b[~k]), min(len(a), len(b)))
        wanted = [
            1 - edit(a, b) / longer,
            2 * common(a, b) / max(len(a) + len(b), 1),
            prefix / longer,
            suffix / longer,
            len(a) - len(b),
        ]
        assert row.tolist() == pytest.approx(wanted), (a, b)
    assert len(FEATURES) == found.shape[1]


def grams(word):
    text = f"^{word}$"
    return {text[i : i + n] for n in (2, 3, 4) for i in range(len(text) - n + 1)}


def test_words_alike_are_those_of_highest_cosine():
    rng = np.random.default_rng(1)
    make = lambda size: ["".join(rng.choice(list("abcdefghijklmnopqrst"), 6)) for _ in range(size)]  # noqa: E731
    source, target = make(40), make(300)
    everything = sorted(set().union(*map(grams, source + target)))
    number = {gram: column for column, gram in enumerate(everything)}
    table = np.zeros((340, len(everything)))
    for row, word in enumerate(source + target):
        table[row, [number[gram] for gram in grams(word)]] = 1
    table *= np.log(340 / table.sum(axis=0))
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    index = Spellings.of(source, target)
    pairs = np.array([(i, j) for i in range(40) for j in range(300)])
    cosines = table[:40] @ table[40:].T
    assert index.cosines(pairs).reshape(40, 300) == pytest.approx(cosines, abs=1e-5)
    rare = table * (np.array([sum(g in grams(w) for w in source + target) for g in everything]) < 0.05 * 340)
    searched = table[:40] @ rare[40:].T
    for row, found in enumerate(index.nearest(np.arange(40), 3)):
        best = np.sort(searched[row])[::-1][:3]
        for place, target_row in enumerate(found.tolist()):
            assert (searched[row, target_row] if target_row >= 0 else 0) == pytest.approx(
                best[place], abs=1e-5
            )


def test_plain_words_have_no_marks_and_latin_letters():
    assert [plain(word) for word in ("Straße", "ÉTÉ", "щука", "йод")] == ["strasse", "ete", "shchuka", "iod"]


@pytest.mark.parametrize(
    ("word", "latin"),
    [
        ("Ελλάδα", "ellada"),
        ("नमस्ते", "namaste"),
        ("சென்னை", "cennai"),
        ("서울", "seoul"),
        ("カメラ", "kamera"),
        ("בר", "br"),
    ],
)
def test_other_scripts_are_read_by_the_sound_of_their_letters(word, latin):
    assert plain(word) == latin


def test_affixes_are_counted_on_the_known_pairs_alone():
    source, target = ["badly", "madly", "cats"], ["malamente", "locamente", "gatos"]
    numbers = AffixNumbers.of(source), AffixNumbers.of(target)
    known = np.array([[0, 0], [1, 1]])
    found = association(*numbers, known, np.array([[0, 1], [2, 2]]))
    column = KINDS.index((2, True))  # "ly" with "te": twice, of two
    assert found[0, column] == pytest.approx(np.log((2 + 2) / (2.5 * 2.5 / 2 + 2)))
    # "ts" and "os" were never seen.
    assert found[1, column] == pytest.approx(np.log(2 / (0.5 * 0.5 / 2 + 2)))
