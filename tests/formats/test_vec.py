import bz2
import gzip
import logging

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jointalign.embedding import Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import vec
from jointalign.formats._decimals import END, NOT_FINITE, parse_rows
from jointalign.storage.lines import longest_line
from jointalign.vocabulary import Vocabulary

LARGEST = float(np.finfo(np.float32).max)


def read(tmp_path, content, **options):
    path = tmp_path / "words.vec"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return vec.read(path, **options)


def random_embedding(size, dimensions, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(size, dimensions)).astype(np.float32)
    return Embedding(Vocabulary(tuple(f"wörd{row}" for row in range(size))), vectors)


# The number parser


def parsed(text):
    """What the kernel makes of one number, `None` where it stops."""
    data = np.frombuffer(f"w {text}\n".encode(), np.uint8)
    vectors, spans = np.zeros((1, 1), np.float32), np.zeros((1, 3), np.int64)
    rows, _, _, why = parse_rows(data, 0, 1, vectors, spans)
    assert (rows, why) == (1, END) or rows == 0
    return vectors[0, 0] if rows else why


def ulps_apart(a, b):
    """Number of float32s from one to the other, through zero if need be."""
    a, b = (int(value.view(np.int32)) for value in (np.float32(a), np.float32(b)))
    a, b = (value if value >= 0 else -(value & 0x7FFFFFFF) for value in (a, b))
    return abs(a - b)


spellings = st.one_of(
    st.floats(-LARGEST, LARGEST, width=32).map(lambda value: repr(float(np.float32(value)))),
    st.floats(-LARGEST, LARGEST).map(repr),
    st.floats(-1, 1).map(lambda value: f"{value:.6f}"),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:+.12E}"),
    st.from_regex(r"[-+]?[0-9]{1,40}\.[0-9]{0,60}(e-?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[-+]?\.[0-9]{1,60}([eE]\+?[0-9])?", fullmatch=True),
)


@settings(deadline=None, max_examples=1000)
@given(spellings)
@example("0")
@example("-0.0")
@example("1.")
@example("00000000000000000000000000000000000001.5")
@example("0." + "0" * 40 + "1234567890123456789e10")
@example("1e-45")
@example("7e-46")
@example("1e-400")
@example("0e99999999999999999999")
@example("1" + "0" * 60 + "e-60")
@example("3.4028234663852886e38")
@example("9007199254740993")
def test_numbers_are_what_python_makes_of_them(text):
    expected = float(text)
    if abs(expected) > LARGEST:
        return
    assert ulps_apart(parsed(text), expected) <= 1


@settings(deadline=None)
@given(st.floats(-LARGEST, LARGEST, width=32))
def test_shortest_spelling_of_a_float32_is_exact(value):
    text = str(np.float32(value))
    assert parsed(text) == np.float32(value)


@pytest.mark.parametrize(
    "text", ["nan", "NaN", "-nan", "inf", "-Inf", "+infinity", "1e39", "-3.5e38", "1e99999", "9" * 40]
)
def test_numbers_that_float32_cannot_hold(text):
    assert parsed(text) == NOT_FINITE


@pytest.mark.parametrize(
    "text",
    ["x", "+", "-", ".", "-.", "e5", "1e", "1e+", "1_0", "0x1", "1.2.3", "1,5", "nano", "na", "1-1"]
    + ["--1", "١", "infinit", "0.1\0"],
)
def test_what_is_no_number(text):
    assert parsed(text) not in (END, NOT_FINITE)
    assert isinstance(parsed(text), int)


# Files others wrote


def test_reads_what_gensim_writes(tmp_path):
    embedding = random_embedding(500, 7)
    gensim = KeyedVectors(7)
    gensim.add_vectors(list(embedding.words), embedding.vectors)
    gensim.save_word2vec_format(str(tmp_path / "words.vec"))
    expected = KeyedVectors.load_word2vec_format(str(tmp_path / "words.vec"))
    back = vec.read(tmp_path / "words.vec")
    assert list(back.words) == expected.index_to_key
    np.testing.assert_array_equal(back.vectors, expected.vectors)


def test_gensim_reads_what_we_write(tmp_path):
    embedding = random_embedding(500, 7)
    vec.write(embedding, tmp_path / "words.vec")
    gensim = KeyedVectors.load_word2vec_format(str(tmp_path / "words.vec"))
    assert gensim.index_to_key == list(embedding.words)
    np.testing.assert_allclose(gensim.vectors, embedding.vectors, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "content",
    [
        "2 2\ncat 1 -0.5\ndog 0 2\n",
        "2 2\r\ncat 1 -0.5\r\ndog 0 2\r\n",
        "2 2\ncat 1 -0.5 \ndog 0 2 ",
        "2 2\ncat\t1\t-0.5\ndog\t0\t2\n",
        "2 2\ncat  1   -0.5\n dog 0 2\n",
        "\n2 2\n\ncat 1 -0.5\n\n \r\ndog 0 2\n\n",
        "cat 1 -0.5\ndog 0 2\n",
        "\ufeff2 2\ncat 1 -0.5\ndog 0 2\n",
        "\ufeffcat 1 -0.5\ndog 0 2\n",
        "2 2\ncat +1.0e0 -5E-1\ndog 0. 20e-1\n",
    ],
)
def test_spellings_of_one_file(tmp_path, content, caplog):
    embedding = read(tmp_path, content)
    assert embedding.words == ("cat", "dog")
    assert embedding.vectors.tolist() == [[1, -0.5], [0, 2]]
    assert embedding.vectors.dtype == np.float32
    assert embedding.vocabulary.counts.tolist() == [0, 0]
    assert not caplog.records


def test_words_with_blanks_and_digits(tmp_path):
    content = "6 2\nof 1 2\nNew York 3 4\narea 51 5 6\n1984 7 8\n. . . 9 10\nx nan\u00a0 1 1\n"
    embedding = read(tmp_path, content)
    assert embedding.words == ("of", "New York", "area 51", "1984", ". . .", "x nan\u00a0")
    assert embedding.vectors[:, 0].tolist() == [1, 3, 5, 7, 9, 1]


@pytest.mark.parametrize("first", ["area 51", "1984", "New York"])
def test_first_word_with_blanks_and_digits(tmp_path, first):
    assert read(tmp_path, f"2 2\n{first} 0.1 0.2\ndog 1 2\n").words == (first, "dog")


@pytest.mark.parametrize("first", ["1984", "New York", "a"])
def test_first_word_without_header(tmp_path, first):
    assert read(tmp_path, f"{first} 0.1 0.2\ndog 1 2\n").words == (first, "dog")


@pytest.mark.parametrize("announced", [0, 1, 3, 10**12])
def test_rows_that_are_there_count_not_the_header(tmp_path, caplog, announced):
    embedding = read(tmp_path, f"{announced} 1\na 1\nb 2\n")
    assert embedding.words == ("a", "b")
    assert f"the header announces {announced} rows, 2 are there" in caplog.text


def test_first_of_two_rows_of_a_word_stays(tmp_path, caplog):
    embedding = read(tmp_path, "5 1\na 1\nb 2\na 3\nc 4\nb 5\n")
    assert embedding.words == ("a", "b", "c")
    assert embedding.vectors.ravel().tolist() == [1, 2, 4]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "2 rows left out because their word came before" in caplog.text


@pytest.mark.parametrize(("name", "compress"), [("a.gz", gzip.compress), ("a.bz2", bz2.compress)])
def test_compressed(tmp_path, name, compress):
    (tmp_path / name).write_bytes(compress(b"1 1\ncasa 0.5\n"))
    assert vec.read(tmp_path / name).words == ("casa",)


def test_many_blocks_and_growing_without_header(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(vec, "_BLOCK", 1000)
    embedding = random_embedding(10_000, 3)
    vec.write(embedding, tmp_path / "words.vec")
    content = (tmp_path / "words.vec").read_bytes().split(b"\n", 1)[1]
    again = content + content[:20_000].rsplit(b"\n", 1)[0] + b"\nlast 1 2 3"
    back = read(tmp_path, again)
    assert back.words == (*embedding.words, "last")
    np.testing.assert_allclose(back.vectors[:-1], embedding.vectors, rtol=0, atol=1e-6)
    assert back.vectors[-1].tolist() == [1, 2, 3]
    assert "rows left out" in caplog.text


# max_vocabulary


def test_stops_before_what_is_not_needed(tmp_path):
    content = "4 1\na 1\na 9\nb 2\nthis is rubbish\n"
    embedding = read(tmp_path, content, max_vocabulary=2)
    assert embedding.words == ("a", "b")
    assert embedding.vectors.tolist() == [[1], [2]]


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_at_most_so_many_words(tmp_path, size, caplog):
    embedding = read(tmp_path, "4 1\na 1\nb 2\nc 3\nd 4\n", max_vocabulary=size)
    assert embedding.words == tuple("abcd"[:size])
    assert not caplog.records


@pytest.mark.parametrize("size", [0, -1])
def test_no_vocabulary_at_all(tmp_path, size):
    with pytest.raises(JointalignError, match="max_vocabulary of 1 or more"):
        read(tmp_path, "1 1\na 1\n", max_vocabulary=size)


# Files that are wrong


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("", None, "got nothing"),
        ("\n\n", None, "got nothing"),
        ("2 3\n", None, "only a header that announces 2 rows"),
        ("2 2\na 1 2\nb 1\n", 3, r"a word and 2 numbers, got 2 fields \('b 1'\).*cut off"),
        ("2 2\na 1 2\n0.5 1\n", 3, "got 2 fields"),
        ("2 2\na 1 2\nb 1 x\n", 3, "got 3 fields"),
        ("2 2\na 1 2\n\n\nb\n", 5, "got 1 fields"),
        ("2 2\na 1 2\nb 1 nan\n", 3, "not finite"),
        ("2 2\na 1 2\nb 1e99 2\n", 3, "not finite or too large"),
        ("2 3\na 1 2\nb 1 2\n", 2, "a word and 3 numbers, got 3 fields"),
        ("2 1\na 0.1 0.2\n", 2, "expected 1 numbers as the header says, got 2"),
        ("2 2\na 1 2 3 4 5 6 7 8\n", 2, "expected 2 numbers as the header says, got 8"),
        ("2 0\na 1\n", 2, "expected 0 numbers as the header says"),
        ("just some text\nof no use\n", 1, "a word and its numbers"),
        ("word\n", 1, "a word and its numbers"),
        ("the 0.1 0.2\nof 0.4 0.5 0.6\na 0.7 0.8 0.9\n", 1, "expected 3 numbers.*got 2"),
        ("the 0.1 0.2\nof 0.4 0.5 0.6\n", 1, "expected 3 numbers.*got 2"),
        ("the 0.1 0.2 0.3 0.4\nof 0.4 0.5 0.6\na 0.7 0.8 0.9\n", 1, "expected 3 numbers.*got 4"),
        ("7 8 9\nthe 0.1 0.2 0.3\nof 0.4 0.5 0.6\n", 1, "expected 3 numbers.*got 2"),
        (b"\x00\x01\x02\x03", 1, "binary data"),
        (b"2 2\ncat \x00\x00\x80\x3f\x00\x00\x00\x00", 2, r"must be called \.bin"),
    ],
)
def test_errors_name_the_line_and_the_cure(tmp_path, content, line, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, content)
    assert caught.value.line == line


@pytest.mark.parametrize("header", ["3 3 1", "3 3 1 0 0", "3 3", "3 3 "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_headers_and_line_ends(tmp_path, header, end):
    rows = ["the 0.1 0.2 0.3", "of 0.4 0.5 0.6", "a 0.7 0.8 0.9"]
    embedding = read(tmp_path, end.join([header, *rows, ""]))
    assert embedding.words == ("the", "of", "a")
    np.testing.assert_array_equal(embedding.vectors[1], np.float32([0.4, 0.5, 0.6]))


def test_words_that_are_no_utf8_are_left_out_and_counted(tmp_path, caplog):
    embedding = read(tmp_path, b"3 2\na 1 2\ncaf\xc3 3 4\nb 5 6\n")
    assert embedding.words == ("a", "b")
    assert embedding.vectors.tolist() == [[1, 2], [5, 6]]
    assert "1 rows left out because their word is no UTF-8" in caplog.text
    assert "announces" not in caplog.text


def test_another_encoding_is_an_error(tmp_path):
    rows = "".join(f"ni\u00f1o{number} 1 2\n" for number in range(20))
    with pytest.raises(FormatError, match="iconv -f latin1"):
        read(tmp_path, f"20 2\n{rows}".encode("latin-1"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_number_is_written_for_what_is_none(tmp_path, value):
    np.save(tmp_path / "a.npy", np.array([[1, value]], np.float32))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")  # not looked at when it is opened
    with pytest.raises(JointalignError, match="'cat' holds NaN or infinity"):
        vec.write(Embedding(Vocabulary(("cat",)), mapped), tmp_path / "a.vec")
    assert not (tmp_path / "a.vec").exists()


def test_line_numbers_are_right_after_many_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(vec, "_BLOCK", 100)
    content = "".join(f"w{row} 1\n\n" for row in range(5000)) + "rubbish\n"
    with pytest.raises(FormatError) as caught:
        read(tmp_path, "5001 1\n" + content)
    assert caught.value.line == 10_002


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(vec, "_BLOCK", 100)
    with longest_line(1000), pytest.raises(FormatError, match="longer than 1,000 bytes") as caught:
        read(tmp_path, "a 1\n" + "b" * 2000)
    assert caught.value.line == 2


def test_missing_file(tmp_path):
    with pytest.raises(JointalignError, match="no such file"):
        vec.read(tmp_path / "none.vec")


@settings(deadline=None)
@given(st.binary())
@example(b"1 1\n\xff 1")
@example(b"9 1\n1")
def test_no_bytes_crash_the_reader(tmp_path_factory, content):
    try:
        read(tmp_path_factory.mktemp("rubbish"), content)
    except FormatError:
        pass


# Round trips

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\n\t\r.")
words = st.text(characters, min_size=1).filter(lambda word: word == word.strip(" "))


@st.composite
def embeddings(draw, values):
    distinct = draw(st.lists(words, max_size=12, unique=True))
    shape = (len(distinct), draw(st.integers(1, 4)))
    return Embedding(Vocabulary(tuple(distinct)), draw(arrays(np.float32, shape, elements=values)))


@settings(deadline=None)
@given(embeddings(st.floats(-LARGEST, LARGEST, width=32)), st.integers(1, 12))
def test_round_trip(tmp_path_factory, embedding, digits):
    path = tmp_path_factory.mktemp("round-trip") / "words.vec"
    vec.write(embedding, path, digits)
    back = vec.read(path)
    assert back.words == embedding.words
    assert back.dimensions == embedding.dimensions
    for came, went in zip(back.vectors.ravel(), embedding.vectors.ravel(), strict=True):
        # Half a unit of the last digit, and what float32 can tell apart.
        assert abs(float(came) - float(went)) <= 0.5001 * 10.0**-digits or ulps_apart(came, went) <= 1


@settings(deadline=None)
@given(embeddings(st.floats(-100, 100, width=32)), st.integers(1, 9))
def test_numbers_are_written_as_python_would(tmp_path_factory, embedding, digits):
    path = tmp_path_factory.mktemp("python") / "words.vec"
    vec.write(embedding, path, digits)
    lines = path.read_bytes().decode().split("\n")
    assert lines[0] == f"{len(embedding)} {embedding.dimensions}"
    assert lines[-1] == ""
    for line, word, row in zip(lines[1:-1], embedding.words, embedding.vectors, strict=True):
        assert line.startswith(word + " ")
        for text, value in zip(line[len(word) + 1 :].split(" "), row.tolist(), strict=True):
            assert len(text.partition(".")[2]) == digits
            # Python breaks ties by the exact value, the kernel after rounding the product.
            assert abs(float(text) - float(f"{value:.{digits}f}")) <= 1.001 * 10.0**-digits
            assert abs(float(text) - value) <= 0.5001 * 10.0**-digits


def test_minus_zero_and_carries(tmp_path):
    vectors = np.array([[-0.0, -1e-9, 0.9999999, -9.9999999, 123456.5]], np.float32)
    vec.write(Embedding(Vocabulary(("x",)), vectors), tmp_path / "x.vec", digits=3)
    assert (tmp_path / "x.vec").read_text() == "1 5\nx 0.000 0.000 1.000 -10.000 123456.500\n"


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_compressed_round_trip_in_many_blocks(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(vec, "_BLOCK", 5000)
    embedding = random_embedding(300, 5)
    path = tmp_path / f"words.vec{suffix}"
    vec.write(embedding, path)
    back = vec.read(path)
    assert back.words == embedding.words
    np.testing.assert_allclose(back.vectors, embedding.vectors, rtol=0, atol=1e-6)


def test_vectors_in_another_memory_order(tmp_path):
    embedding = random_embedding(20, 5)
    turned = Embedding(embedding.vocabulary, np.asfortranarray(embedding.vectors))
    vec.write(embedding, tmp_path / "a.vec")
    vec.write(turned, tmp_path / "b.vec")
    assert (tmp_path / "a.vec").read_bytes() == (tmp_path / "b.vec").read_bytes()


@pytest.mark.parametrize("word", ["", " a", "a ", "a\t", "a\r", "a\nb", "\ud800"])
def test_words_that_text_cannot_hold(tmp_path, word):
    embedding = Embedding(Vocabulary((word,)), np.ones((1, 2), np.float32))
    with pytest.raises(JointalignError, match="leave it out"):
        vec.write(embedding, tmp_path / "a.vec")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("digits", [0, -1, 16])
def test_number_of_digits(tmp_path, digits):
    with pytest.raises(JointalignError, match="1 to 15 digits"):
        vec.write(random_embedding(1, 1), tmp_path / "a.vec", digits)


def test_a_line_with_one_number_too_many_in_the_middle_is_noticed(tmp_path, caplog):
    found = read(tmp_path, "3 2\nthe 0.1 0.2\nof 0.4 0.5 0.6\nnew york .1 .2\n")
    assert found.words == ("the", "of 0.4", "new york")
    assert "1 words end with a number, as 'of 0.4'" in caplog.text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_other_encodings_are_named(tmp_path, encoding):
    (tmp_path / "a.vec").write_bytes("2 2\nthe 0.1 0.2\nof 0.4 0.5\n".encode(encoding))
    with pytest.raises(FormatError, match="iconv -f utf-16"):
        vec.read(tmp_path / "a.vec")
