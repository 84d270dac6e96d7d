import os

import numpy as np
import pytest
from safetensors import safe_open

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import api
from jointalign.vocabulary import Vocabulary

EMBEDDING = Embedding(
    Vocabulary(("the", "house"), np.array([5, 2])), np.array([[0.5, 1], [-1, 0]], np.float32)
)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.vec", b"2 2\nthe 0.500000 1.000000\n"),
        ("a.txt", b"2 2\nthe 0.500000"),
        ("a.en.VEC", b"2 2\nthe 0.500000"),
        ("a.bin", b"2 2\nthe \x00\x00\x00\x3f"),
        ("a.vec.gz", b"\x1f\x8b"),
        ("a.txt.bz2", b"BZh"),
        ("a.vec.xz", b"\xfd7zXZ"),
        ("a.bin.zst", b"\x28\xb5\x2f\xfd"),
    ],
)
def test_the_suffix_says_the_format(tmp_path, name, start):
    path = tmp_path / name
    api.write(EMBEDDING, path)
    assert path.read_bytes().startswith(start)
    came = api.read(str(path))
    assert came.words == EMBEDDING.words
    np.testing.assert_array_equal(came.vectors, EMBEDDING.vectors)
    assert api.read(path, max_vocabulary=1).words == ("the",)


def test_native_keeps_counts(tmp_path):
    path = tmp_path / "a.safetensors"
    api.write(EMBEDDING, path)
    with safe_open(path, "numpy") as file:
        assert file.metadata()["kind"] == "embedding"
    assert api.read(path).vocabulary.counts.tolist() == [5, 2]
    assert api.read(path, max_vocabulary=1).words == ("the",)


def test_what_a_format_cannot_hold_is_told(tmp_path, caplog):
    caplog.set_level("INFO")
    api.write(EMBEDDING, tmp_path / "a.safetensors")
    api.write(Embedding(Vocabulary(("a",)), np.ones((1, 1), np.float32)), tmp_path / "a.vec")
    assert not caplog.records
    api.write(EMBEDDING, tmp_path / "b.vec")
    assert "b.vec: has no place for counts, n-grams and settings" in caplog.text


def test_bilingual(tmp_path):
    path = tmp_path / "a.safetensors"
    api.write(BilingualEmbedding.separate(EMBEDDING, EMBEDDING, "en", "de"), path)
    assert api.read_bilingual(path).target.words == EMBEDDING.words
    with pytest.raises(FormatError, match="read_bilingual in Python"):
        api.read(path)


@pytest.mark.parametrize("name", ["a.npz", "a", "a.gz", "a.safetensors.gz", "a.vec.zip", ".vec"])
def test_unknown_suffix_lists_the_known_ones(tmp_path, name):
    with pytest.raises(JointalignError, match="known are") as caught:
        api.write(EMBEDDING, tmp_path / name)
    for known in (".vec", ".txt", ".bin", ".safetensors", ".gz", ".bz2", ".xz", ".zst"):
        assert known in str(caught.value).split("known are")[1]


@pytest.mark.parametrize("written", ["a.vec", "a.vec.gz", "a.bin", "a.bin.zst", "a.safetensors"])
@pytest.mark.parametrize("name", ["a.emb", "wiki.en", "a", "b.vec", "b.bin", "b.txt", "b.npz"])
def test_the_content_says_the_format(tmp_path, written, name):
    api.write(EMBEDDING, tmp_path / written)
    (tmp_path / written).rename(tmp_path / name)
    back = api.read(tmp_path / name)
    assert back.words == EMBEDDING.words
    np.testing.assert_array_equal(back.vectors, EMBEDDING.vectors)


def test_a_format_that_is_given_overrules(tmp_path, caplog):
    api.write(EMBEDDING, tmp_path / "a.vec")
    (tmp_path / "a.vec").rename(tmp_path / "a.bin")
    assert api.read(tmp_path / "a.bin").words == EMBEDDING.words
    assert "this is text, whatever the name says" in caplog.text
    with pytest.raises(FormatError):
        api.read(tmp_path / "a.bin", format=api.Format.NATIVE)
    assert api.read(tmp_path / "a.bin", format=api.Format.TEXT).words == EMBEDDING.words


def test_formats_go_by_name(tmp_path):
    api.write(EMBEDDING, tmp_path / "a", "word2vec")
    assert api.read(tmp_path / "a", format="word2vec").words == EMBEDDING.words
    for wrong in (lambda: api.read(tmp_path / "a", format="vec"), lambda: api.write(EMBEDDING, "a", "vec")):
        with pytest.raises(JointalignError, match="text, word2vec, fasttext, native, got 'vec'"):
            wrong()


def test_a_pipe_is_read_once(tmp_path):
    api.write(EMBEDDING, tmp_path / "a.vec")
    read_end, write_end = os.pipe()
    os.write(write_end, (tmp_path / "a.vec").read_bytes())
    os.close(write_end)
    assert api.read(f"/dev/fd/{read_end}").words == EMBEDDING.words


def test_bilingual_is_native_only(tmp_path):
    pair = BilingualEmbedding.separate(EMBEDDING, EMBEDDING)
    with pytest.raises(JointalignError, match=r"only \.safetensors"):
        api.write(pair, tmp_path / "a.vec")
    with pytest.raises(JointalignError, match="fasttext holds one language"):
        api.write(pair, tmp_path / "a.safetensors", "fasttext")
    with pytest.raises(JointalignError, match=r"only \.safetensors"):
        api.read_bilingual(tmp_path / "a.vec.gz")


def test_missing_file(tmp_path):
    for name in ("a.vec", "a.bin", "a.safetensors"):
        with pytest.raises(JointalignError, match="no such file"):
            api.read(tmp_path / name)
