"""Projections against NumPy's SVD, colours against the parts that were planted."""

import sys

import numpy as np
import pytest

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.plots import default_pairs, figure_one, principal_axes
from jointalign.plots._drawing import Dot, Panel, _covered, draw
from jointalign.reallocation import reallocate
from jointalign.vocabulary import Counts, Vocabulary

BLUE, ORANGE, GREEN = (0, 114, 178), (213, 94, 0), (0, 158, 115)  # source, target, shared
SOURCE = {"the": 900, "house": 50, "cat": 40, "taxi": 30, "dog": 20, "el": 10}
TARGET = {"el": 800, "casa": 60, "gato": 45, "taxi": 25, "perro": 20, "the": 12}
PAIRS = [("the", "el"), ("house", "casa"), ("cat", "gato"), ("taxi", "taxi"), ("dog", "perro")]


def split(gamma, moved=0.0):
    words = tuple(dict.fromkeys([*SOURCE, *TARGET]))
    vectors = np.random.default_rng(0).standard_normal((len(words), 6)).astype(np.float32)
    counts = np.array([SOURCE.get(word, 0) + TARGET.get(word, 0) for word in words])
    joint = Embedding(Vocabulary(words, counts), vectors + np.float32(moved))
    return reallocate(
        joint, *(Counts.from_pairs(side.items()) for side in (SOURCE, TARGET)), gamma, "en", "es"
    )


@pytest.fixture
def steps():
    return split(1.0), split(0.9), split(0.9, moved=0.2)


@pytest.fixture
def image():
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    from matplotlib.image import imread

    return lambda path: (imread(path)[:, :, :3] * 255).round().astype(int)  # (height, width, 3)


def has(pixels, colour):
    """Number of pixels of one colour in each third of a picture, above the legend."""
    panels = np.array_split(pixels[: int(0.9 * len(pixels))], 3, axis=1)
    return [int((panel == colour).all(axis=2).sum()) for panel in panels]


@pytest.mark.parametrize("shape", [(2, 2), (5, 40), (40, 5)])
def test_principal_axes_are_those_of_the_svd(shape):
    vectors = np.random.default_rng(1).standard_normal(shape) * np.arange(1, shape[1] + 1)
    mean, axes = principal_axes(vectors)
    _, _, vt = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(mean, vectors.mean(axis=0))
    np.testing.assert_allclose(axes[:, 0], vt[0] * np.sign(axes[:, 0] @ vt[0]), atol=1e-8)
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-10)
    if shape[0] > 2:  # two centred vectors lie on one line
        np.testing.assert_allclose(axes[:, 1], vt[1] * np.sign(axes[:, 1] @ vt[1]), atol=1e-8)


def test_the_sign_of_an_axis_does_not_depend_on_the_order():
    vectors = np.random.default_rng(2).standard_normal((30, 8))
    np.testing.assert_allclose(principal_axes(vectors)[1], principal_axes(vectors[::-1])[1])
    axes = principal_axes(vectors)[1]
    assert (axes.max(axis=0) == np.abs(axes).max(axis=0)).all()


@pytest.mark.parametrize("vectors", [np.zeros((1, 3)), np.zeros((3, 1))])
def test_too_little_for_axes(vectors):
    with pytest.raises(JointalignError, match="expected two vectors or more"):
        principal_axes(vectors)


def test_default_pairs_are_of_every_sort(steps):
    joint, reallocated, _ = steps
    lexicon = [*reversed(PAIRS), ("the", "la"), ("cat", "casa"), ("unknown", "casa")]
    assert default_pairs(joint, reallocated, lexicon, 12) == PAIRS  # the frequent ones first
    few = default_pairs(joint, reallocated, lexicon, 6)
    assert ("the", "el") in few
    assert ("taxi", "taxi") in few
    assert len(default_pairs(joint, reallocated, lexicon, 3)) == 3


def test_a_lexicon_in_the_wrong_direction(steps):
    joint, reallocated, _ = steps
    with pytest.raises(JointalignError, match="no pair of the dictionary"):
        default_pairs(joint, reallocated, [("gato", "cat")])


def test_every_panel_has_the_colours_of_its_parts(steps, image, tmp_path):
    figure_one(*steps, PAIRS[:1], tmp_path / "one.png")
    pixels = image(tmp_path / "one.png")
    assert pixels.shape == (1680, 4500, 3)
    # "the" and "el" are shared until reallocation gives each to its language.
    assert [n > 0 for n in has(pixels, GREEN)] == [True, False, False]
    assert [n > 0 for n in has(pixels, BLUE)] == [False, True, True]
    assert [n > 0 for n in has(pixels, ORANGE)] == [False, True, True]


def test_a_word_that_does_not_move_stays_in_its_place(image, tmp_path):
    joint, reallocated = split(1.0), split(0.9)
    figure_one(joint, reallocated, reallocated, PAIRS, tmp_path / "same.png")
    _, second, third = np.array_split(image(tmp_path / "same.png")[150:1500], 3, axis=1)
    rows = [np.flatnonzero((panel == ORANGE).all(axis=2).any(axis=1)) for panel in (second, third)]
    assert len(rows[0]) > 50
    assert np.array_equal(*rows)


def test_a_shared_word_is_one_dot(steps, image, tmp_path):
    figure_one(*steps, [PAIRS[3], PAIRS[1]], tmp_path / "shared.png")
    pixels = image(tmp_path / "shared.png")
    assert min(has(pixels, GREEN)) > 0
    assert min(has(pixels, BLUE)) > 0


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_figure_has_the_same_bytes(steps, image, tmp_path, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        figure_one(*steps, PAIRS, path)
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert paths[0].read_bytes().startswith(starts[suffix])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_spellings_of_separate_trainings_are_two_words(image, tmp_path):
    rows = np.random.default_rng(3).standard_normal((2, 3, 4)).astype(np.float32)
    sides = [Embedding(Vocabulary(("bar", "son", "pan")), side) for side in rows]
    space = BilingualEmbedding.separate(*sides)
    figure_one(space, space, space, [("bar", "bar"), ("son", "pan")], tmp_path / "two.png")
    pixels = image(tmp_path / "two.png")
    assert min(has(pixels, BLUE) + has(pixels, ORANGE)) > 0
    assert max(has(pixels, GREEN)) == 0


def test_pyplot_is_left_alone(steps, image, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it would fail
    figure_one(*steps, PAIRS, tmp_path / "figure.png")


def test_without_matplotlib(steps, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"jointalign\[plot\]"):
        figure_one(*steps, PAIRS, tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_drawn(steps, tmp_path):
    with pytest.raises(JointalignError, match=r"\.png, \.svg, \.pdf"):
        figure_one(*steps, PAIRS, tmp_path / "figure.doc")
    with pytest.raises(JointalignError, match="'cow' is not in the vocabulary"):
        figure_one(*steps, [("cow", "vaca")], tmp_path / "figure.png")
    with pytest.raises(JointalignError, match="no pairs to draw"):
        figure_one(*steps, [], tmp_path / "figure.png")


def test_covered_area_is_that_of_the_pixels():
    random = np.random.default_rng(4)
    frame = np.array([0, 0, 60, 40])
    for _ in range(50):
        corners = random.integers(0, 30, (3, 2))
        taken = [np.concatenate([low, low + random.integers(1, 20, 2)]) for low in corners]
        half = random.integers(1, 10, 2)
        middle = random.integers(0, 40, 2)
        pixels = np.zeros((100, 100), int)  # moved by 20, for what sticks out
        for x0, y0, x1, y1 in taken:
            pixels[x0 + 20 : x1 + 20, y0 + 20 : y1 + 20] += 1
        outside = np.ones((100, 100), int)
        outside[20:80, 20:60] = 0
        (x0, y0), (x1, y1) = middle - half + 20, middle + half + 20
        expected = (pixels + outside)[x0:x1, y0:y1].sum()
        assert _covered(middle, half, taken, frame) == expected


def test_words_far_apart_are_written_beside_their_dots(image, tmp_path):
    places = {Dot(str(i), "source"): np.array([i % 3, i // 3], float) for i in range(9)}
    draw([Panel("nine", places, [])], {"source": "a", "target": "b", "shared": "c"}, tmp_path / "n.png")
    blue = (image(tmp_path / "n.png")[:1450] == BLUE).all(axis=2).any(axis=1)
    # Dots and words form three rows with nothing between: each word is to the right of its dot.
    assert np.count_nonzero(np.diff(blue.astype(int)) == 1) == 3


def test_odd_words_are_drawn_as_they_are(image, tmp_path):
    places = {Dot("$a^$", "source"): np.zeros(2), Dot("\\x_{", "target"): np.zeros(2)}
    panel = Panel("one place for all", places, [tuple(places)])
    draw([panel], {"source": "$", "target": "b", "shared": "c"}, tmp_path / "odd.png")
    assert sum(has(image(tmp_path / "odd.png"), ORANGE)) > 0
