import numpy as np
import pytest

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats import native
from jointalign.vocabulary import Vocabulary


def embedding(words, counts, start=0.0, dimensions=2):
    vectors = start + np.arange(len(words) * dimensions, dtype=np.float32).reshape(-1, dimensions)
    return Embedding(Vocabulary(tuple(words), np.array(counts, np.int64)), vectors)


@pytest.fixture
def bilingual():
    return BilingualEmbedding(
        source_only=embedding(["the", "cat"], [90, 10]),
        target_only=embedding(["el", "gato", "y"], [80, 20, 5], start=100),
        shared=embedding(["radio", "hotel"], [60, 26], start=1000),
        shared_source_counts=np.array([50, 6]),
        shared_target_counts=np.array([10, 20]),
        source_language="en",
        target_language="es",
    )


def test_sides_are_in_the_order_of_their_own_counts(bilingual):
    assert bilingual.source.words == ("the", "radio", "cat", "hotel")
    assert bilingual.source.vocabulary.counts.tolist() == [90, 50, 10, 6]
    # hotel and gato tie at 20: the language's own word first.
    assert bilingual.target.words == ("el", "gato", "hotel", "radio", "y")


def test_shared_words_have_one_vector(bilingual):
    np.testing.assert_array_equal(bilingual.source.vector("radio"), bilingual.target.vector("radio"))
    assert bilingual.source.vector("radio").tolist() == [1000, 1001]


def test_reversing_twice_gives_the_same(bilingual):
    again = bilingual.reversed()
    assert again.source.words == bilingual.target.words
    assert again.target_language == "en"
    assert again.reversed().source.words == bilingual.source.words


def test_separate_trainings_share_nothing():
    both = BilingualEmbedding.separate(embedding(["a"], [1]), embedding(["a"], [1], start=5))
    assert both.source.vector("a").tolist() == [0, 1]
    assert both.target.vector("a").tolist() == [5, 6]


def test_parts_must_be_disjoint(bilingual):
    with pytest.raises(JointalignError, match="'the' is shared and in one language only"):
        BilingualEmbedding(
            bilingual.source_only,
            bilingual.target_only,
            embedding(["the"], [3]),
            np.array([2]),
            np.array([1]),
        )


def test_dimensions_must_agree():
    with pytest.raises(JointalignError, match="got 2 .source. and 3 .target."):
        BilingualEmbedding.separate(embedding(["a"], [1]), embedding(["b"], [1], dimensions=3))


def test_vectors_must_be_finite_and_named():
    vectors = np.array([[0, 1], [np.nan, 2]], np.float32)
    with pytest.raises(JointalignError, match="'dog' holds NaN"):
        Embedding(Vocabulary(("cat", "dog")), vectors)


def test_one_vector_a_word():
    with pytest.raises(JointalignError, match=r"\(2, d\); got shape \(3, 2\)"):
        Embedding(Vocabulary(("cat", "dog")), np.zeros((3, 2), np.float32))


def test_first_keeps_the_most_frequent():
    three = embedding(["a", "b", "c"], [3, 2, 1])
    assert three.first(2).words == ("a", "b")
    assert three.first(None) is three
    assert three.first(9) is three


def test_the_array_of_the_caller_stays_writable():
    mine = np.eye(2, dtype=np.float32)
    kept = Embedding(Vocabulary(("cat", "dog")), mine)
    mine[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        kept.vectors[0, 0] = 5


def test_mapped_vectors_are_checked_on_demand(tmp_path):
    path = tmp_path / "nan.safetensors"
    native.write(embedding(["cat", "dog", "cow"], [3, 2, 1], start=7), path)
    mapped = native.read(path)
    mapped.check_finite()
    path.write_bytes(path.read_bytes().replace(np.float32(10).tobytes(), np.float32("nan")))
    mapped = native.read(path)
    assert isinstance(mapped.vectors, np.memmap)
    with pytest.raises(JointalignError, match="'dog' holds NaN"):
        mapped.check_finite()


def test_sides_hold_the_words_that_count(bilingual):
    source, target = bilingual.sides(2)
    assert (source.words, target.words) == (("the", "radio"), ("el", "gato"))
    assert bilingual.sides() == (bilingual.source, bilingual.target)
