import gzip
import struct
from dataclasses import replace

import numpy as np
import pytest

from jointalign.alignment.api import align
from jointalign.alignment.iterative_normalization import IterativeNormalization
from jointalign.alignment.procrustes import Procrustes
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import api, fasttext
from jointalign.lexicon import Lexicon
from jointalign.subwords import Move, SubwordTable
from jointalign.vocabulary import Vocabulary

THREADS = 12  # with fewer than 11 the package leaves part of its matrix without initial values
SYLLABLES = ["ka", "lo", "mi", "ñu", "да", "日本", "ss", "te"]
UNSEEN = ["kalomikalokalo", "日本語да", "lössteñu", "x", "te te", "мы", ""]


def words(number, seed=0):
    """Distinct words of one to three syllables."""
    random, found = np.random.default_rng(seed), {}
    while len(found) < number:
        found["".join(random.choice(SYLLABLES, random.integers(1, 4)))] = None
    return list(found)


@pytest.fixture(scope="session")
def theirs():
    return pytest.importorskip("fasttext", reason="parity needs the package fasttext-numpy2")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Lines of words, the first ones frequent; and the same with a label before each."""
    folder, random, vocabulary = tmp_path_factory.mktemp("text"), np.random.default_rng(1), words(400)
    shares = 1 / np.arange(1, 401)
    lines = [random.choice(vocabulary, 12, p=shares / shares.sum()) for _ in range(600)]
    plain, labelled = folder / "plain.txt", folder / "labelled.txt"
    plain.write_text("\n".join(" ".join(line) for line in lines) + "\n", "utf-8")
    labelled.write_text(
        "\n".join(f"__label__{number % 300} " + " ".join(line) for number, line in enumerate(lines)) + "\n",
        "utf-8",
    )
    return plain, labelled


UNSUPERVISED = {
    "skip-gram": {"model": "skipgram"},
    "CBOW": {"model": "cbow", "loss": "hs", "minn": 1, "maxn": 2},
    "without n-grams": {"model": "skipgram", "minn": 0, "maxn": 0},
    "lengths from 0": {"model": "skipgram", "minn": 0, "maxn": 2, "loss": "softmax"},
    "no length": {"model": "skipgram", "minn": 5, "maxn": 4},
}
SUPERVISED = {
    "words": {},
    "n-grams": {"minn": 2, "maxn": 4},
    "pairs of words": {"wordNgrams": 2, "minn": 3, "maxn": 3},
}
QUANTIZED = {
    "all": {},
    "lengths apart": {"qnorm": True},
    "output": {"qout": True},
    "pruned": {"cutoff": 600},
    "pruned, lengths apart": {"cutoff": 600, "qnorm": True, "dsub": 4},
    "pruned words": {"cutoff": 300},
}


def assert_the_same(ours, model, atol=1e-6):
    """Words, counts, and vectors, those of unseen words, too."""
    expected, counts = model.get_words(include_freq=True)
    assert list(ours.words) == expected
    assert ours.vocabulary.counts.tolist() == counts.tolist()
    theirs = np.stack([model.get_word_vector(word) for word in expected])
    np.testing.assert_allclose(ours.vectors, theirs, rtol=1e-5, atol=atol)
    for word in UNSEEN:
        vector = ours.vector(word)
        expected_vector = model.get_word_vector(word)
        if vector is None:
            assert not expected_vector.any()
        else:
            np.testing.assert_allclose(vector, expected_vector, rtol=1e-5, atol=atol)


@pytest.mark.parametrize("name", UNSUPERVISED)
def test_models_of_the_package(theirs, text, tmp_path, name):
    options = {"dim": 10, "bucket": 3000, "minCount": 1, "epoch": 1, "thread": THREADS, "verbose": 0}
    model = theirs.train_unsupervised(str(text[0]), **options, **UNSUPERVISED[name])
    model.save_model(str(tmp_path / "a.bin"))
    ours = api.read(tmp_path / "a.bin")
    assert_the_same(ours, model)
    assert fasttext.END in ours
    assert (ours.subwords is None) == (name in ("without n-grams", "no length"))
    assert any(ours.vector(word) is not None for word in UNSEEN) == (ours.subwords is not None)
    first = api.read(tmp_path / "a.bin", max_vocabulary=7)
    assert first.words == ours.words[:7]
    np.testing.assert_array_equal(first.vectors, ours.vectors[:7])


@pytest.mark.parametrize("name", SUPERVISED)
def test_supervised_models_lose_labels_with_a_warning(theirs, text, tmp_path, caplog, name):
    options = {"dim": 7, "bucket": 2000, "epoch": 2, "thread": THREADS, "verbose": 0, **SUPERVISED[name]}
    model = theirs.train_supervised(str(text[1]), **options)
    model.save_model(str(tmp_path / "a.bin"))
    assert_the_same(api.read(tmp_path / "a.bin"), model)
    assert "its 300 labels and its classifier are left out" in caplog.text


@pytest.mark.parametrize("name", QUANTIZED)
def test_quantised_models(theirs, text, tmp_path, name):
    options = {"dim": 7, "bucket": 2000, "epoch": 2, "thread": THREADS, "verbose": 0, "minn": 2, "maxn": 4}
    if name == "pruned words":
        options |= {"minn": 0, "maxn": 0}
    model = theirs.train_supervised(str(text[1]), **options)
    model.quantize(**QUANTIZED[name])
    model.save_model(str(tmp_path / "a.ftz"))
    ours = api.read(tmp_path / "a.ftz")
    assert_the_same(ours, theirs.load_model(str(tmp_path / "a.ftz")))
    rows = 0 if ours.subwords is None else len(ours.subwords.vectors)
    if name == "pruned words":
        assert (len(ours), rows) == (300, 0)
    elif "pruned" in name:
        assert len(ours) + rows == 600
        assert 0 < rows < 600
    else:
        assert rows == 2000


def planted(seed=0, moves=False, buckets=500, used=500, size=60):
    """An embedding with n-grams, to write; its counts, words with blanks and the end of a sentence."""
    random = np.random.default_rng(seed)
    known = (*words(size, seed), "new york", "¿qué?", fasttext.END)
    numbers = np.sort(random.choice(buckets, used, replace=False)).astype(np.uint32)
    table = SubwordTable(numbers, random.normal(size=(used, 8)).astype(np.float32) * 3, 2, 5, buckets)
    vectors = random.normal(size=(len(known), 8)).astype(np.float32)
    counts = np.sort(random.integers(1, 1000, len(known)))[::-1]
    return Embedding(Vocabulary(known, counts), vectors, table)


def test_what_is_written_is_what_the_package_reads(theirs, tmp_path):
    embedding = planted()
    api.write(embedding, tmp_path / "a.bin", api.Format.FASTTEXT)
    model = theirs.load_model(str(tmp_path / "a.bin"))
    assert_the_same(embedding, model, atol=1e-5)
    assert_the_same(api.read(tmp_path / "a.bin"), model)
    assert model.get_nearest_neighbors("new york")[0][1] != "new york"
    assert (model.get_dimension(), model.is_quantized()) == (8, False)


def test_gensim_reads_it_too(tmp_path):
    gensim = pytest.importorskip("gensim.models.fasttext", reason="reads what we write")
    embedding = planted()
    api.write(embedding, tmp_path / "a.bin", api.Format.FASTTEXT)
    vectors = gensim.load_facebook_vectors(str(tmp_path / "a.bin"))
    # gensim gives the end of a sentence n-grams, which fastText does not.
    for word in (*embedding.words[:-1], *UNSEEN[:3]):
        np.testing.assert_allclose(vectors[word], embedding.vector(word), rtol=1e-4, atol=1e-5)


def test_without_ngrams_and_counts(theirs, tmp_path):
    embedding = Embedding(Vocabulary(("the", "house")), np.float32([[1, 2], [3, 4]]))
    api.write(embedding, tmp_path / "a.bin", api.Format.FASTTEXT)
    model = theirs.load_model(str(tmp_path / "a.bin"))
    np.testing.assert_array_equal(model.get_word_vector("house"), [3, 4])
    assert model.get_words(include_freq=True)[1].tolist() == [1, 1]
    assert not model.get_word_vector("mouse").any()


def test_unknown_ngrams_change_the_length_of_unseen_words_only(theirs, tmp_path):
    embedding = planted(used=300)
    api.write(embedding, tmp_path / "a.bin", api.Format.FASTTEXT)
    model = theirs.load_model(str(tmp_path / "a.bin"))
    for word in embedding.words:
        np.testing.assert_allclose(model.get_word_vector(word), embedding.vector(word), rtol=1e-5, atol=1e-5)
    for word in UNSEEN[:3]:
        assert cosine(model.get_word_vector(word), embedding.vector(word)) > 1 - 1e-6


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def aligned(method):
    source, target = planted(1), planted(2)
    pairs = tuple(zip(source.words[:40], target.words[:40], strict=True))
    return align(BilingualEmbedding.separate(source, target), method, Lexicon(pairs))


@pytest.mark.parametrize("method", ["procrustes", "rcsls"])
def test_aligned_models_of_linear_maps_are_exact(theirs, tmp_path, caplog, method):
    space = aligned(method)
    for name in ("source", "target"):
        side = getattr(space, name)
        api.write(side, tmp_path / f"{name}.bin", api.Format.FASTTEXT)
        assert_the_same(side, theirs.load_model(str(tmp_path / f"{name}.bin")), atol=1e-5)
    assert "approximate" not in caplog.text


def test_where_an_alignment_centres_unseen_words_are_near(theirs, tmp_path, caplog):
    source = aligned(IterativeNormalization(Procrustes())).source
    fasttext.write(source, tmp_path / "a.bin")
    assert "vectors of unseen words are approximate" in caplog.text
    model = theirs.load_model(str(tmp_path / "a.bin"))
    for word in source.words:
        np.testing.assert_allclose(model.get_word_vector(word), source.vector(word), rtol=1e-5, atol=1e-5)
    table = source.subwords
    assert table is not None
    without_means = replace(table, moves=tuple(Move(move.matrix, move.means[:0]) for move in table.moves))
    near, passed_over = [], []
    for word in (word for word in words(200, 9) if word not in source):
        expected = table.vector(word)
        near.append(cosine(model.get_word_vector(word), expected))
        passed_over.append(cosine(without_means.vector(word), expected))
    assert np.mean(near) > 0.97
    assert 1 - np.mean(near) < (1 - np.mean(passed_over)) / 2


def test_words_that_cannot_be_written_are_counted(tmp_path, caplog):
    known = ("a", "", "b\0c", "d\te", "f\ng", "h")
    embedding = Embedding(Vocabulary(known), np.eye(6, dtype=np.float32))
    fasttext.write(embedding, tmp_path / "a.bin")
    assert "4 words that the format cannot hold are left out" in caplog.text
    again = fasttext.read(tmp_path / "a.bin")
    assert again.words == ("a", "h")
    np.testing.assert_array_equal(again.vectors, np.eye(6)[[0, 5]])
    with pytest.raises(JointalignError, match="a word or more"):
        fasttext.write(embedding.take(np.array([1, 2])), tmp_path / "b.bin")
    assert not (tmp_path / "b.bin").exists()


def test_ngrams_stay_in_the_file(tmp_path):
    fasttext.write(planted(), tmp_path / "a.bin")
    table = fasttext.read(tmp_path / "a.bin").subwords
    assert table is not None
    assert not table.vectors.flags.owndata
    assert not table.vectors.flags.writeable


def test_settings_come_back(tmp_path):
    embedding = planted()
    told = {"fasttext.window": 9, "fasttext.threshold": 0.25, "other": 1}
    fasttext.write(
        Embedding(embedding.vocabulary, embedding.vectors, embedding.subwords, told), tmp_path / "a.bin"
    )
    found = fasttext.read(tmp_path / "a.bin").settings
    assert (found["fasttext.window"], found["fasttext.threshold"], "other" in found) == (9, 0.25, False)


def test_doubles_and_words_that_are_no_utf_8_are_left_out(tmp_path, caplog):
    fasttext.write(
        Embedding(Vocabulary(("aa", "bb", "cc", "dé")), np.eye(4, dtype=np.float32)), tmp_path / "a"
    )
    data = (tmp_path / "a").read_bytes().replace(b"bb\0", b"aa\0").replace(b"cc\0", b"\xffc\0")
    (tmp_path / "a").write_bytes(data)
    again = fasttext.read(tmp_path / "a")
    assert again.words == ("aa", "dé")
    np.testing.assert_array_equal(again.vectors, np.eye(4)[[0, 3]])
    assert "1 rows left out because their word came before" in caplog.text
    assert "1 rows left out because their word is no UTF-8" in caplog.text


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "a.bin"
    fasttext.write(planted(buckets=20, used=20, size=3), path)
    return path.read_bytes()


def test_every_cut_is_found(small, tmp_path):
    path = tmp_path / "a.bin"
    for size in range(len(small)):
        path.write_bytes(small[:size])
        with pytest.raises(FormatError, match=r"at byte|begins with"):
            fasttext.read(path)
    path.write_bytes(small + b"\0")
    with pytest.raises(FormatError, match="expected the end of the file, got 1 bytes more"):
        fasttext.read(path)


AFTER_SETTINGS = 8 + struct.calcsize("<12id")


@pytest.mark.parametrize(
    ("place", "form", "value", "message"),
    [
        (0, "<i", 1, "begins with the bytes ba164f2f"),
        (4, "<i", 13, "expected version 11 or 12"),
        (4, "<i", -1, "expected version 11 or 12"),
        (8, "<i", 0, "setting dimensions, got 0"),
        (8, "<i", -8, "setting dimensions, got -8"),
        (8, "<i", 2**31 - 1, "setting dimensions, got 2147483647"),
        (8, "<i", 9, "expected 26 x 9 as the shape"),
        (40, "<i", -1, "setting buckets, got -1"),
        (40, "<i", 0, "expected buckets for n-grams"),
        (40, "<i", 2**31 - 1, "as the shape of a matrix"),
        (44, "<i", -1, "setting minimum, got -1"),
        (48, "<i", 2**31 - 1, "setting maximum, got 2147483647"),
        (AFTER_SETTINGS, "<i", -1, "numbers of words that fit together"),
        (AFTER_SETTINGS, "<i", 7, "numbers of words that fit together"),
        (AFTER_SETTINGS, "<2i", (2**31 - 1, 2**31 - 1), "2147483647 words"),
        (AFTER_SETTINGS + 8, "<i", -1, "numbers of words that fit together"),
        (AFTER_SETTINGS + 20, "<q", -2, "numbers of words that fit together"),
        (AFTER_SETTINGS + 20, "<q", 2**62, "bytes of pruned n-grams"),
    ],
)
def test_settings_and_sizes_that_lie(small, tmp_path, place, form, value, message):
    data = bytearray(small)
    struct.pack_into(form, data, place, *(value if isinstance(value, tuple) else (value,)))
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(FormatError, match=message):
        fasttext.read(tmp_path / "a.bin")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"new york\0", b"new yorks", "with a negative count|kind"),
        (struct.pack("<2q", 26, 8), struct.pack("<2q", -26, -8), "expected 26 x 8 as the shape"),
        (struct.pack("<2q", 26, 8), struct.pack("<2q", 2**61, 8), "expected 26 x 8 as the shape"),
        (struct.pack("<2q", 0, 8), struct.pack("<2q", 2**60, 8), "bytes of a matrix"),
        (struct.pack("<2q", 0, 8), struct.pack("<2q", -1, 8), "expected sizes within the file"),
        (b"\0" + struct.pack("<2q", 26, 8), b"\2" + struct.pack("<2q", 26, 8), "expected 0 or 1"),
        (b"\0" + struct.pack("<2q", 26, 8), b"\1" + struct.pack("<2q", 26, 8), "at byte"),
    ],
)
def test_words_and_matrices_that_lie(small, tmp_path, old, new, message):
    assert small.count(old) == 1
    (tmp_path / "a.bin").write_bytes(small.replace(old, new))
    with pytest.raises(FormatError, match=message):
        fasttext.read(tmp_path / "a.bin")


def test_damage_gives_an_error_or_numbers_never_a_crash(theirs, text, tmp_path):
    model = theirs.train_supervised(
        str(text[1]), dim=5, bucket=500, minn=2, maxn=3, thread=THREADS, verbose=0
    )
    model.quantize(qnorm=True, cutoff=300)
    model.save_model(str(tmp_path / "a.ftz"))
    whole, random = (tmp_path / "a.ftz").read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        place = int(random.integers(len(data) // 2))
        data[place : place + 4] = random.bytes(4)
        (tmp_path / "b.ftz").write_bytes(data)
        try:
            fasttext.read(tmp_path / "b.ftz")
        except JointalignError:
            refused += 1
    assert refused > 30


def test_content_tells_fasttext_under_any_name(tmp_path, caplog):
    for name in ("a.bin", "a.ftz", "a", "a.vec"):
        api.write(planted(), tmp_path / name, api.Format.FASTTEXT)
        assert api.read(tmp_path / name).vocabulary.counts.any()
    assert "a.vec: this is a model of fastText, whatever the name says" in caplog.text
    assert "a.bin" not in caplog.text
    with pytest.raises(FormatError, match="leave the format out, or say fasttext"):
        api.read(tmp_path / "a.bin", format=api.Format.WORD2VEC)
    api.write(planted(), tmp_path / "b.vec")
    with pytest.raises(FormatError, match="begins with the bytes ba164f2f"):
        api.read(tmp_path / "b.vec", format=api.Format.FASTTEXT)


def test_compressed_ones_are_refused_with_the_cure(tmp_path):
    fasttext.write(planted(), tmp_path / "a.bin")
    (tmp_path / "a.bin.gz").write_bytes(gzip.compress((tmp_path / "a.bin").read_bytes()))
    with pytest.raises(FormatError, match="expanded first"):
        api.read(tmp_path / "a.bin.gz")
    with pytest.raises(JointalignError, match=r"leave '\.gz' out"):
        api.write(planted(), tmp_path / "b.bin.gz", api.Format.FASTTEXT)
    with pytest.raises(FormatError, match="save it to a file first"):
        fasttext.read("-")
