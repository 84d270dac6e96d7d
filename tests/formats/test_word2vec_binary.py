import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jointalign.embedding import Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import word2vec_binary
from jointalign.vocabulary import Vocabulary


def read(tmp_path, content, **options):
    path = tmp_path / "words.bin"
    path.write_bytes(content)
    return word2vec_binary.read(path, **options)


def row(word, *numbers, end=b"\n"):
    return word.encode() + b" " + np.array(numbers, "<f4").tobytes() + end


def random_embedding(size, dimensions):
    vectors = np.random.default_rng(0).normal(size=(size, dimensions)).astype(np.float32)
    return Embedding(Vocabulary(tuple(f"wörd{number}" for number in range(size))), vectors)


def test_reads_what_gensim_writes(tmp_path):
    embedding = random_embedding(500, 7)
    gensim = KeyedVectors(7)
    gensim.add_vectors(list(embedding.words), embedding.vectors)
    gensim.save_word2vec_format(str(tmp_path / "words.bin"), binary=True)
    back = word2vec_binary.read(tmp_path / "words.bin")
    assert back.words == embedding.words
    np.testing.assert_array_equal(back.vectors, embedding.vectors)


def test_gensim_reads_what_we_write(tmp_path):
    embedding = random_embedding(2500, 7)
    word2vec_binary.write(embedding, tmp_path / "words.bin")
    gensim = KeyedVectors.load_word2vec_format(str(tmp_path / "words.bin"), binary=True)
    assert gensim.index_to_key == list(embedding.words)
    np.testing.assert_array_equal(gensim.vectors, embedding.vectors)


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \n\t\r"), min_size=1)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(deadline=None)
@given(st.lists(words, unique=True), st.integers(1, 5), st.data())
def test_round_trip(tmp_path_factory, distinct, dimensions, data):
    vectors = data.draw(arrays(np.float32, (len(distinct), dimensions), elements=finite))
    path = tmp_path_factory.mktemp("round-trip") / "words.bin"
    word2vec_binary.write(Embedding(Vocabulary(tuple(distinct)), vectors), path)
    back = word2vec_binary.read(path)
    assert back.words == tuple(distinct)
    assert back.vectors.tobytes() == vectors.tobytes()
    assert back.vectors.shape == vectors.shape


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("chunk", [1, 10, 1000])
def test_with_and_without_line_ends_in_pieces_of_any_size(tmp_path, monkeypatch, end, chunk):
    monkeypatch.setattr(word2vec_binary, "_CHUNK", chunk)
    content = b"3 2\n" + b"".join(
        # 10 and 32 are the bytes of a line end and a blank, and must not end a number or a word.
        row(word, number, np.frombuffer(b"\n \n ", "<f4")[0], end=end)
        for number, word in enumerate(("cat", "dög", "x"))
    )
    embedding = read(tmp_path, content)
    assert embedding.words == ("cat", "dög", "x")
    assert embedding.vectors[:, 0].tolist() == [0, 1, 2]
    assert embedding.vectors[0, 1].tobytes() == b"\n \n "


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed(tmp_path, suffix):
    embedding = random_embedding(50, 3)
    path = tmp_path / f"words.bin{suffix}"
    word2vec_binary.write(embedding, path)
    np.testing.assert_array_equal(word2vec_binary.read(path).vectors, embedding.vectors)


def test_max_vocabulary_reads_no_further(tmp_path, caplog):
    content = b"9 1\n" + row("a", 1) + row("a", 5) + row("b", 2) + b"rubbish"
    embedding = read(tmp_path, content, max_vocabulary=2)
    assert embedding.words == ("a", "b")
    assert embedding.vectors.tolist() == [[1], [2]]


def test_repeated_words_and_surplus_are_reported(tmp_path, caplog):
    content = b"3 1\n" + row("a", 1) + row("a", 5) + row("b", 2) + row("c", 3)
    embedding = read(tmp_path, content)
    assert embedding.words == ("a", "b")
    assert embedding.vectors.tolist() == [[1], [2]]
    assert "1 rows left out because their word came before" in caplog.text
    assert "more after the 3 rows" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the header"),
        (b"cat 0.5 1\n", r"a text file must be called \.vec"),
        (b"2 2\n" + row("a", 1, 2), "announces 2 rows, the file ends after 1.*cut off"),
        (b"1 2\n" + row("a", 1, 2)[:-3], "the file ends after 0"),
        (b"1 2\na", "the file ends after 0"),
        (b"999999999999999999 1\n" + row("a", 1), "the file ends after 1"),
        (b"1 0\na ", "1 to 1048576 dimensions, got 0"),
        (b"1 999999999999\na ", "dimensions"),
        (b"1 1\n" + b"a" * 100_000, "no word ends within"),
        (b"1 1\n\xe9" + row("", 1), "words in UTF-8"),
        ((793712314).to_bytes(4, "little") + b"\x0c\0\0\0", "fastText model"),
    ],
)
def test_files_that_are_wrong(tmp_path, content, message):
    with pytest.raises(FormatError, match=message):
        read(tmp_path, content)


def test_numbers_that_are_not_finite(tmp_path):
    with pytest.raises(JointalignError, match="'b' holds NaN"):
        read(tmp_path, b"2 1\n" + row("a", 1) + row("b", np.nan))


@settings(deadline=None)
@given(st.binary(), st.booleans())
def test_no_bytes_crash_the_reader(tmp_path_factory, content, header):
    try:
        read(tmp_path_factory.mktemp("rubbish"), b"3 2\n" * header + content)
    except JointalignError:
        pass


def test_words_cut_within_a_letter_are_left_out_and_counted(tmp_path, caplog):
    content = b"4 1\n" + row("the", 1) + row("\u044e" * 50, 2)[1:] + row("a\tb", 3) + row("a", 4)
    embedding = read(tmp_path, content)
    assert embedding.words == ("the", "a")
    assert embedding.vectors.tolist() == [[1], [4]]
    assert "1 rows left out because their word is no UTF-8" in caplog.text
    assert "1 rows left out because their word holds a tab" in caplog.text


def test_blanks_become_underscores_and_the_rest_is_left_out(tmp_path, caplog):
    words = ("New York", "a", "", "b\nc", "x y", "x_y")
    vectors = np.arange(6, dtype=np.float32)[:, None]
    word2vec_binary.write(Embedding(Vocabulary(words), vectors), tmp_path / "a.bin")
    back = word2vec_binary.read(tmp_path / "a.bin")
    assert back.words == ("New_York", "a", "x_y")
    assert back.vectors[:, 0].tolist() == [0, 1, 5]
    assert "1 words with blanks" in caplog.text
    assert "3 words that the format cannot hold are left out" in caplog.text


@pytest.mark.parametrize("word", ["\ud800"])
def test_words_that_the_format_cannot_hold(tmp_path, word):
    embedding = Embedding(Vocabulary((word,)), np.ones((1, 2), np.float32))
    with pytest.raises(JointalignError, match="leave it out"):
        word2vec_binary.write(embedding, tmp_path / "a.bin")
    assert not list(tmp_path.iterdir())


def test_numbers_of_another_byte_order_are_refused(tmp_path):
    content = b"2 2\n" + b"".join(
        word + b" " + np.array(numbers, ">f4").tobytes() + b"\n"
        for word, numbers in ((b"the", (1, 2)), (b"of", (3, -4)))
    )
    with pytest.raises(FormatError, match="little-endian"):
        read(tmp_path, content)
    assert read(tmp_path, b"1 2\n" + row("the", 0, 0)).words == ("the",)
