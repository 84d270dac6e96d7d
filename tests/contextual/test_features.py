"""Features against transformers used by hand, one sentence at a time."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from jointalign.cli.app import run
from jointalign.contextual import (
    Combine,
    Encoder,
    FeatureSettings,
    FeatureStore,
    LayerMappings,
    Pooling,
    encoder_identity,
    extract,
    sentence_digest,
    write_features,
)
from jointalign.contextual._inputs import EncoderInputs
from jointalign.contextual.base import windows
from jointalign.errors import FormatError, JointalignError
from jointalign.storage.checkpoint import OtherWorkError, or_fresh
from tiny_encoder import save_tiny_bert

WORDS = "the house of Bernarda Alba stands there and waits for Madrid".split()
SENTENCES = [WORDS, ["there"], [], WORDS[2:5], ["\u200b", "Alba", "☃☃"], WORDS[::-1], ["of"] * 9]
LONGEST = 94  # 96 positions, two marks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_bert(tmp_path_factory.mktemp("tiny"), WORDS, positions=96)


@pytest.fixture(scope="module")
def encoder(folder):
    return Encoder.load(folder)


def by_hand(folder, words, layer, pooling):
    """As the documentation of transformers shows it, word by word."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    given = tokenizer([list(words)], is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**given, output_hidden_states=True).hidden_states[layer][0]
    if pooling is Pooling.PIECES:
        return states.numpy()
    rows = []
    for number in range(len(words)):
        own = [k for k, word in enumerate(given.word_ids(0)) if word == number]
        rows.append((states[own].mean(0) if pooling is Pooling.MEAN else states[own[0]]).numpy())
    return np.array(rows)


@pytest.mark.parametrize("pooling", list(Pooling))
@pytest.mark.parametrize("layer", [0, 2, -1])
def test_vectors_are_those_of_the_model_used_by_hand(folder, encoder, pooling, layer):
    parts = list(extract(encoder, [WORDS, WORDS[2:5], WORDS[::-1]], [layer], pooling))
    assert len(parts) == 1
    for number, words in enumerate([WORDS, WORDS[2:5], WORDS[::-1]]):
        rows = slice(parts[0].starts[number], parts[0].starts[number + 1])
        expected = by_hand(folder, words, layer, pooling)
        np.testing.assert_allclose(parts[0].vectors[0, rows], expected, atol=2e-5)


def test_first_pieces_are_where_words_begin(encoder):
    part = next(extract(encoder, SENTENCES, [-1], Pooling.PIECES))
    mean = next(extract(encoder, SENTENCES, [-1], Pooling.FIRST))
    for number, words in enumerate(SENTENCES):
        first, last = part.word_starts[number], part.word_starts[number + 1]
        assert last - first == len(words)
        rows = part.starts[number] + part.firsts[first:last]
        np.testing.assert_array_equal(part.vectors[:, rows], mean.vectors[:, first:last])


@pytest.mark.parametrize("batch_pieces", [1, 40, 10_000])
def test_a_vector_does_not_depend_on_its_batch(encoder, batch_pieces):
    alone = [next(extract(encoder, [words], (1, 3))).vectors for words in SENTENCES]
    together = next(extract(encoder, SENTENCES, (1, 3), batch_pieces=batch_pieces))
    for number, expected in enumerate(alone):
        rows = slice(together.starts[number], together.starts[number + 1])
        np.testing.assert_allclose(together.vectors[:, rows], expected, atol=1e-5)


def test_every_word_has_a_piece(encoder):
    cut = encoder.cut(["\u200b", "Alba", "☃☃"])
    assert min(cut.lengths) == 1
    assert cut.ids[0] == encoder.tokenizer.unk_token_id


@pytest.mark.parametrize("pieces", [1, 9, 10, 11, 15, 16, 40, 101])
@pytest.mark.parametrize("longest", [4, 10])
def test_windows_own_each_piece_once_with_context(pieces, longest):
    found = windows(pieces, longest)
    owned = [k for window in found for k in range(window.owned_first, window.owned_last)]
    assert owned == list(range(pieces))
    for window in found:
        assert window.last - window.first <= longest
        assert window.first <= window.owned_first < window.owned_last <= window.last
        for edge, own in ((window.first, window.owned_first), (window.last, window.owned_last)):
            assert edge in (0, pieces) or abs(own - edge) >= longest // 4


def test_long_sentences_go_through_in_windows_and_lose_nothing(folder, encoder):
    assert encoder.longest == LONGEST
    words = WORDS * 6
    cut = encoder.cut(words)
    assert len(cut.ids) > 1.5 * LONGEST
    part = next(extract(encoder, [words, WORDS], [-1], Pooling.FIRST))
    assert part.starts.tolist() == [0, len(words), len(words) + len(WORDS)]
    assert part.windows == len(windows(len(cut.ids), LONGEST)) - 1 > 0
    firsts = np.cumsum(cut.lengths) - cut.lengths
    for window in windows(len(cut.ids), LONGEST):
        ids = [*encoder.prefix, *cut.ids[window.first : window.last], *encoder.suffix]
        states, _ = encoder.states([ids], [encoder.layers])
        for word in np.flatnonzero((firsts >= window.owned_first) & (firsts < window.owned_last)).tolist():
            expected = states[0][0, firsts[word] - window.first + 1].numpy()
            np.testing.assert_allclose(part.vectors[0, word], expected, atol=2e-5)
    np.testing.assert_allclose(
        part.vectors[0, len(words) :], by_hand(folder, WORDS, -1, Pooling.FIRST), atol=2e-5
    )


def test_a_store_holds_what_was_extracted(encoder, tmp_path):
    settings = FeatureSettings((-1, 1), Pooling.PIECES)
    store = write_features(encoder, SENTENCES, tmp_path / "store", settings)
    part = next(extract(encoder, SENTENCES, (-1, 1), Pooling.PIECES))
    assert store.layers == (3, 1)
    assert store.vectors[0].dtype == np.float16
    assert len(store) == len(SENTENCES)
    for number in range(len(SENTENCES)):
        rows = slice(part.starts[number], part.starts[number + 1])
        np.testing.assert_allclose(store.sentence(number), part.vectors[:, rows], rtol=1e-3, atol=1e-3)
        assert store.rows_of[sentence_digest(SENTENCES[number])] == number
    summed = write_features(
        encoder, SENTENCES, tmp_path / "sum", FeatureSettings((-1, 1), combine=Combine.SUM)
    )
    mean = next(extract(encoder, SENTENCES, (-1, 1)))
    np.testing.assert_allclose(summed.vectors[0], mean.vectors.sum(0), rtol=1e-3, atol=2e-3)
    np.testing.assert_array_equal(summed.first_pieces(1), [0])


class Killed(Exception):
    pass


def test_what_was_stopped_goes_on_and_ends_with_the_same_bytes(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("jointalign.contextual._store.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("jointalign.contextual._features._CHUNK_PIECES", 60)
    many = SENTENCES * 4
    read = []

    def killed_after(number):
        def progress(done, total, note=""):
            if done >= number:
                raise Killed

        return progress

    for number in (5, 17):
        with pytest.raises(Killed):
            write_features(encoder, many, tmp_path / "a", facts={"text": "k"}, progress=killed_after(number))
        with pytest.raises(JointalignError, match="no complete features"):
            FeatureStore.open(tmp_path / "a")

    def counted():
        for words in many:
            read.append(words)
            yield words

    done = json.loads((tmp_path / "a/info.json").read_text())["state"]["sentences"]
    assert 17 <= done < len(many)
    write_features(encoder, counted(), tmp_path / "a", facts={"text": "k"})
    write_features(encoder, many, tmp_path / "b", facts={"text": "k"})
    for path in filter(Path.is_file, (tmp_path / "b").iterdir()):
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes(), path.name
    calls = []
    write_features(encoder, iter(calls), tmp_path / "b", facts={"text": "k"})  # whole: nothing is read
    assert len(FeatureStore.open(tmp_path / "b")) == len(many)


def test_files_shorter_than_noted_are_made_anew(encoder, tmp_path, monkeypatch):
    """As a power failure leaves them."""
    monkeypatch.setattr("jointalign.contextual._store.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("jointalign.contextual._features._CHUNK_PIECES", 60)
    many, out = SENTENCES * 2, tmp_path / "a"

    def killed(done, total, note=""):
        if done > 5:
            raise Killed

    with pytest.raises(Killed):
        write_features(encoder, many, out, facts={"text": "k"}, progress=killed)
    noted = json.loads((out / "info.json").read_text())["sizes"]["starts"]
    assert noted > 8
    with (out / "starts.bin").open("r+b") as file:
        file.truncate(8)
    write_features(encoder, many, out, facts={"text": "k"})
    whole = write_features(encoder, many, tmp_path / "b", facts={"text": "k"})
    np.testing.assert_array_equal(FeatureStore.open(out).starts, whole.starts)


def test_a_finished_store_with_a_damaged_file_is_made_again(encoder, tmp_path, caplog):
    store = write_features(encoder, SENTENCES, tmp_path / "a", facts={"text": "k"})
    expected = np.array(store.starts)
    del store
    with (tmp_path / "a" / "starts.bin").open("r+b") as file:
        file.truncate(16)
    with pytest.raises(FormatError, match=r"starts.bin.*got 16; .* makes them"):
        FeatureStore.open(tmp_path / "a")
    again = write_features(encoder, SENTENCES, tmp_path / "a", facts={"text": "k"})
    np.testing.assert_array_equal(again.starts, expected)
    assert "made again" in caplog.text


def test_a_folder_of_something_else_is_left_alone(encoder, tmp_path):
    (tmp_path / "words.bin").write_text("mine")
    with pytest.raises(JointalignError, match="holds other files"):
        write_features(encoder, SENTENCES, tmp_path)
    assert (tmp_path / "words.bin").read_text() == "mine"


def changed_copy(folder, place):
    """The same encoder with other weights, in a folder of its own."""
    from transformers import AutoModel

    shutil.copytree(folder, place)
    model = AutoModel.from_pretrained(place)
    model.embeddings.word_embeddings.weight.data *= -1.0
    model.save_pretrained(place)
    return str(place)


def test_an_encoder_that_changed_is_another_one(folder, tmp_path):
    place = tmp_path / "model"
    shutil.copytree(folder, place)
    before = Encoder.load(place)
    assert before.identity == encoder_identity(folder)
    old = np.array(write_features(before, SENTENCES, tmp_path / "out", facts={"text": "k"}).vectors[0])
    shutil.rmtree(place)
    changed_copy(folder, place)
    after = Encoder.load(place)
    assert after.identity != before.identity
    assert EncoderInputs(after).key != EncoderInputs(before).key

    def again():
        return write_features(after, SENTENCES, tmp_path / "out", facts={"text": "k"})

    with pytest.raises(OtherWorkError, match=r"\(encoder: \w+, now \w+\)"):
        again()
    np.testing.assert_array_equal(FeatureStore.open(tmp_path / "out").vectors[0], old)
    new = or_fresh(again, True).vectors[0]
    assert not np.allclose(old, new)


def test_a_mapping_of_another_encoder_is_refused(encoder, folder, tmp_path, caplog):
    other = Encoder.load(changed_copy(folder, tmp_path / "model"))
    mappings = LayerMappings({}, encoder.name, identity=encoder.identity)
    with pytest.raises(JointalignError, match="align-features"):
        write_features(other, SENTENCES, tmp_path / "out", mappings=mappings)
    mappings.check_encoder("moved elsewhere", encoder.identity)
    assert not caplog.text
    LayerMappings({}, encoder.name).check_encoder(other.name, other.identity)
    assert "was learnt with the encoder" in caplog.text


def test_damaged_weights_are_told_in_one_line(folder, tmp_path):
    place = tmp_path / "model"
    shutil.copytree(folder, place)
    with (place / "model.safetensors").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(JointalignError, match="could not be loaded") as caught:
        Encoder.load(place)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("/no/such/folder", "there is none"), ("./here", "there is none"), (".", "no config.json")],
)
def test_a_folder_without_a_model_is_refused(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JointalignError, match=message):
        Encoder.load(name)


def test_a_hub_name_that_cannot_be_had_is_one_line():
    with pytest.raises(JointalignError, match="could not be loaded") as caught:
        Encoder.load("no-such-model-of-anyone", local_only=True)
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_refused(folder):
    with pytest.raises(JointalignError, match="try cpu"):
        Encoder.load(folder, device="cuda:77")


@pytest.mark.parametrize("layers", [(4,), (-5,), (1, -3)])
def test_layers_that_are_not_there_are_refused(encoder, layers):
    with pytest.raises(JointalignError, match="layer"):
        next(extract(encoder, [WORDS], layers))


def test_a_tokenizer_that_lower_cases_is_warned_of(folder, tmp_path, caplog):
    from transformers import AutoModel, BertTokenizerFast

    AutoModel.from_pretrained(folder).save_pretrained(tmp_path)
    vocabulary = f"{folder}/vocab.txt"
    BertTokenizerFast(vocabulary, do_lower_case=True).save_pretrained(tmp_path)
    Encoder.load(tmp_path)
    assert "lower-cases" in caplog.text


def test_the_command_writes_a_store(folder, tmp_path, capsys):
    (tmp_path / "en.txt").write_text("the house of Alba\n\nMadrid waits\n")
    arguments = ["features", "--encoder", folder, "--input", str(tmp_path / "en.txt")]
    more = ["--layers", "-1,0", "--out", str(tmp_path / "store"), "--json"]
    for _ in range(2):
        assert run([*arguments, *more]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["sentences"] == 3
        assert facts["words"] == facts["rows"] == 6
    assert len(FeatureStore.open(tmp_path / "store")) == 3
    other = [*arguments, "--layers", "-1", "--out", str(tmp_path / "store")]
    assert run(other) == 2
    assert "(layers: [3, 0], now [3])" in capsys.readouterr().err
    assert FeatureStore.open(tmp_path / "store").layers == (3, 0)
    assert run([*other, "--fresh"]) == 0
    assert FeatureStore.open(tmp_path / "store").layers == (3,)
    assert run([*arguments, "--layers", "9", "--out", str(tmp_path / "x")]) == 2
    assert "there is no layer 9" in capsys.readouterr().err
    assert run([*arguments, "--pooling", "sum", "--out", str(tmp_path / "x")]) == 2
    assert "expected mean, first, pieces" in capsys.readouterr().err
    inside = ["--input", str(tmp_path / "store" / "words.bin"), "--out", str(tmp_path / "store")]
    assert run(["features", "--encoder", folder, *inside]) == 2
    assert "this is an input" in capsys.readouterr().err
