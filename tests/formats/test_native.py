import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors import safe_open
from safetensors.numpy import save_file

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import native
from jointalign.subwords import Move, SubwordTable
from jointalign.vocabulary import Vocabulary

SETTINGS = {"method": "skip-gram", "steps": 5, "rate": 0.025, "shared": True, "note": None}


def table(dimensions=3, moves=(), seed=0):
    vectors = np.random.default_rng(seed).normal(size=(4, dimensions)).astype(np.float32)
    return SubwordTable(np.array([2, 5, 7, 9], np.uint32), vectors, 2, 4, 10, tuple(moves))


def embedding(words=("the", "house", "ñ"), subwords=None, options=SETTINGS, seed=0):
    rng = np.random.default_rng(seed)
    counts = np.sort(rng.integers(1, 10**12, len(words)))[::-1]
    vectors = rng.normal(size=(len(words), 3)).astype(np.float32)
    return Embedding(Vocabulary(tuple(words), counts), vectors, subwords, options)


def bilingual(source_table=None, target_table=None):
    return BilingualEmbedding(
        embedding(("house", "dog"), source_table, {"side": "source"}, seed=1),
        embedding(("casa", "perro", "gato"), target_table, {"side": "target"}, seed=2),
        embedding(("bar",), source_table, seed=3),
        np.array([7]),
        np.array([9]),
        "en",
        "es",
    )


def assert_same_table(came, went):
    assert (came is None) == (went is None)
    if went is not None:
        np.testing.assert_array_equal(came.buckets_used, went.buckets_used)
        np.testing.assert_array_equal(came.vectors, went.vectors)
        assert (came.minimum, came.maximum, came.buckets) == (went.minimum, went.maximum, went.buckets)
        assert len(came.moves) == len(went.moves)
        for one, other in zip(came.moves, went.moves, strict=True):
            np.testing.assert_array_equal(one.matrix, other.matrix)
            np.testing.assert_array_equal(one.means, other.means)


def assert_same(came, went):
    assert came.words == went.words
    np.testing.assert_array_equal(came.vocabulary.counts, went.vocabulary.counts)
    assert came.vectors.dtype == np.float32
    np.testing.assert_array_equal(came.vectors, went.vectors)
    assert came.settings == went.settings
    assert_same_table(came.subwords, went.subwords)


@pytest.mark.parametrize(
    "subwords", [None, table(), table(2, [Move(np.ones((2, 3), np.float32), np.zeros((0, 2), np.float32))])]
)
def test_everything_comes_back(tmp_path, subwords):
    went = embedding(subwords=subwords)
    native.write(went, tmp_path / "a.safetensors")
    came = native.read(tmp_path / "a.safetensors")
    assert_same(came, went)
    if subwords is not None:
        np.testing.assert_array_equal(came.vector("houses"), went.vector("houses"))


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))


@settings(deadline=None)
@given(st.lists(words, unique=True), st.integers(0, 4), st.data())
def test_round_trip(tmp_path_factory, distinct, dimensions, data):
    finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
    vectors = data.draw(arrays(np.float32, (len(distinct), dimensions), elements=finite))
    counts = data.draw(arrays(np.int64, len(distinct)))
    options = data.draw(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
    went = Embedding(Vocabulary(tuple(distinct), counts), vectors, None, options)
    path = tmp_path_factory.mktemp("round-trip") / "a.safetensors"
    native.write(went, path)
    came = native.read(path)
    assert_same(came, went)
    assert came.vectors.shape == went.vectors.shape


def test_max_vocabulary(tmp_path):
    went = embedding(subwords=table())
    native.write(went, tmp_path / "a.safetensors")
    for size in (1, 2, 3, 50):
        came = native.read(tmp_path / "a.safetensors", max_vocabulary=size)
        assert_same(came, went.first(size))
    with pytest.raises(JointalignError, match="max_vocabulary of 1 or more"):
        native.read(tmp_path / "a.safetensors", max_vocabulary=0)


def test_another_program_reads_the_file(tmp_path):
    went = embedding(subwords=table())
    native.write(went, tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        metadata = file.metadata()
        assert set(metadata) == {"format", "version", "kind", "about"}
        assert metadata["kind"] == "embedding"
        assert json.loads(metadata["about"])["settings"] == SETTINGS
        assert bytes(file.get_tensor("words")).decode().split("\n") == list(went.words)
        np.testing.assert_array_equal(file.get_tensor("vectors"), went.vectors)
        np.testing.assert_array_equal(file.get_tensor("counts"), went.vocabulary.counts)
        np.testing.assert_array_equal(file.get_tensor("subwords.vectors"), went.subwords.vectors)


def test_reads_a_file_whose_arrays_another_program_ordered(tmp_path):
    native.write(embedding(), tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        save_file(tensors, tmp_path / "b.safetensors", file.metadata())
    assert_same(native.read(tmp_path / "b.safetensors"), embedding())


def test_vectors_stay_in_the_file(tmp_path):
    native.write(embedding(), tmp_path / "a.safetensors")
    came = native.read(tmp_path / "a.safetensors")
    assert isinstance(came.vectors, np.memmap)
    assert not came.vectors.flags.writeable
    assert came.vectors.flags.aligned


def test_a_mapped_file_can_be_written_over_itself(tmp_path):
    path = tmp_path / "a.safetensors"
    native.write(embedding(), path)
    came = native.read(path)
    native.write(came.first(2), path)
    assert_same(native.read(path), embedding().first(2))
    assert_same(came, embedding())


def test_vectors_in_another_memory_order_and_type(tmp_path):
    went = embedding()
    turned = Embedding(went.vocabulary, np.asfortranarray(went.vectors), None, went.settings)
    native.write(turned, tmp_path / "a.safetensors")
    assert_same(native.read(tmp_path / "a.safetensors"), went)


def test_same_content_same_bytes(tmp_path):
    backwards = dict(reversed(SETTINGS.items()))
    for number, options in enumerate([SETTINGS, backwards, SETTINGS]):
        native.write(embedding(subwords=table(), options=options), tmp_path / str(number))
    contents = {(tmp_path / str(number)).read_bytes() for number in range(3)}
    assert len(contents) == 1


# Bilingual


@pytest.mark.parametrize("target_table", [None, table(seed=5)])
@pytest.mark.parametrize(
    "source_table", [None, table(moves=[Move(np.eye(3, dtype=np.float32), np.ones((2, 3), np.float32))])]
)
def test_bilingual_comes_back(tmp_path, source_table, target_table):
    went = bilingual(source_table, target_table)
    native.write(went, tmp_path / "a.safetensors")
    came = native.read_bilingual(tmp_path / "a.safetensors")
    for part in ("source_only", "target_only", "shared", "source", "target"):
        assert_same(getattr(came, part), getattr(went, part))
    assert (came.source_language, came.target_language) == ("en", "es")
    assert came.shared_source_counts.tolist() == [7]
    assert came.shared_target_counts.tolist() == [9]


def test_bilingual_with_nothing_shared(tmp_path):
    went = BilingualEmbedding.separate(embedding(("dog",)), embedding(("dog",), seed=4))
    native.write(went, tmp_path / "a.safetensors")
    came = native.read_bilingual(tmp_path / "a.safetensors")
    assert len(came.shared) == 0
    assert came.shared.dimensions == 3
    assert_same(came.source, went.source)
    assert_same(came.target, went.target)


def test_means_of_moved_ngrams_are_kept(tmp_path):
    moved = (
        table()
        .moved(np.eye(3, dtype=np.float32), [np.ones(3, np.float32)])
        .moved(np.full((3, 3), 2, np.float32))
    )
    went = bilingual(moved, moved)
    native.write(went, tmp_path / "moved.safetensors")
    came = native.read_bilingual(tmp_path / "moved.safetensors")
    assert_same(came.source_only, went.source_only)


def test_a_table_of_both_sides_is_stored_once(tmp_path):
    joint = table()
    moved = joint.moved(np.full((3, 3), 2, np.float32))
    native.write(bilingual(moved, joint), tmp_path / "once.safetensors")
    native.write(bilingual(moved, table()), tmp_path / "twice.safetensors")
    with safe_open(tmp_path / "once.safetensors", "numpy") as file:
        stored = [name for name in file.keys() if name.endswith("subwords.vectors")]  # noqa: SIM118
    assert len(stored) == 1
    once, twice = (native.read_bilingual(tmp_path / f"{name}.safetensors") for name in ("once", "twice"))
    assert once.source_only.subwords.vectors is once.target_only.subwords.vectors
    for part in ("source_only", "target_only", "shared"):
        assert_same(getattr(once, part), getattr(twice, part))
    # Once read, it is still one table, and stored once again.
    native.write(once, tmp_path / "again.safetensors")
    contents = {(tmp_path / f"{name}.safetensors").read_bytes() for name in ("once", "again")}
    assert len(contents) == 1


# Files that are wrong


def test_wrong_kind_says_what_to_do(tmp_path):
    native.write(embedding(), tmp_path / "one.safetensors")
    native.write(bilingual(), tmp_path / "two.safetensors")
    with pytest.raises(FormatError, match="got a bilingual embedding; take its source"):
        native.read(tmp_path / "two.safetensors")
    with pytest.raises(FormatError, match="got one vocabulary; reallocate"):
        native.read_bilingual(tmp_path / "one.safetensors")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_files_of_other_programs(tmp_path, metadata):
    save_file({"vectors": np.eye(2)}, tmp_path / "a.safetensors", metadata)
    with pytest.raises(FormatError, match="expected metadata with format 'jointalign-1'"):
        native.read(tmp_path / "a.safetensors")


def test_types_of_other_programs(tmp_path):
    save_file({"vectors": np.eye(2, dtype=np.float16)}, tmp_path / "a.safetensors")
    with pytest.raises(FormatError, match="got 'F16' in 'vectors'"):
        native.read(tmp_path / "a.safetensors")


def test_files_of_a_later_jointalign(tmp_path):
    save_file({"x": np.eye(2)}, tmp_path / "a.safetensors", {"format": "jointalign-2"})
    with pytest.raises(FormatError, match="install a newer jointalign"):
        native.read(tmp_path / "a.safetensors")


@pytest.mark.parametrize("size", [0, 5, 8, 100, 300, -1])
def test_cut_off_at_any_place(tmp_path, size):
    path = tmp_path / "a.safetensors"
    native.write(embedding(), path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FormatError, match="expected a complete safetensors file"):
        native.read(path)


@pytest.mark.parametrize(
    "change",
    [
        {"words": None},
        {"counts": None},
        {"counts": np.array([1, 2])},
        {"words": np.frombuffer(b"a\nb", np.uint8)},
        {"words": np.frombuffer(b"a\nb\n\xe9", np.uint8)},
        {"words": np.frombuffer(b"a\nb\nc\nd", np.uint8)},
        {"vectors": np.ones(3, np.float32)},
        {"about": "{"},
        {"about": "{}"},
        {"about": '{"aliases": {"x": "nothing"}, "settings": {}}'},
        {"about": '{"aliases": {}, "settings": {}, "subwords": {"maximum": 3}}'},
        {"about": '{"aliases": {}, "settings": {}, "subwords": {"other": 3}}'},
    ],
)
def test_parts_that_do_not_fit_together(tmp_path, change):
    native.write(embedding(), tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    for name, value in change.items():
        if isinstance(value, str):
            metadata[name] = value
        else:
            tensors[name] = value
    kept = {name: value for name, value in tensors.items() if value is not None}
    save_file(kept, tmp_path / "b.safetensors", metadata)
    with pytest.raises(FormatError, match="do not fit together"):
        native.read(tmp_path / "b.safetensors")


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_crash_the_reader(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("rubbish") / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(FormatError):
        native.read(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(JointalignError, match="no such file"):
        native.read(tmp_path / "none.safetensors")
    with pytest.raises(JointalignError, match="this is a folder"):
        native.read_bilingual(tmp_path)


@pytest.mark.parametrize("word", ["a\nb", "\ud800"])
def test_words_that_the_format_cannot_hold(tmp_path, word):
    with pytest.raises(JointalignError, match="leave it out"):
        native.write(embedding((word,)), tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_settings_that_the_format_cannot_hold(tmp_path):
    with pytest.raises(JointalignError, match="settings must be str, int, float"):
        native.write(embedding(options={"rate": np.float32(1)}), tmp_path / "a.safetensors")
