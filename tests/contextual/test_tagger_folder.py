"""Taggers over an encoder as folders: learnt, kept, read and used by commands, with no store."""

import io
import json
import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from jointalign.alignment.base import Mapping
from jointalign.cli.app import run
from jointalign.contextual import (
    Combine,
    Encoder,
    FeatureSettings,
    LayerMappings,
    Pooling,
    write_features,
    write_layer_mappings,
)
from jointalign.contextual._inputs import FeatureInputs, LiveInputs
from jointalign.contextual.storage import read_tagger, write_tagger
from jointalign.contextual.tagging import (
    FEATURE_TAGGER,
    FINE_TUNING_FIT,
    fine_tune,
    shortened,
    train_on_features,
    train_tagger,
)
from jointalign.errors import FormatError, JointalignError
from jointalign.ner import Sentence, TaggerFitSettings, Text, conll
from jointalign.ner import api as ner
from jointalign.storage.checkpoint import OtherWorkError, or_fresh
from tiny_encoder import NAMES, VERBS, save_tiny_bert, sentences

SMALL = replace(FEATURE_TAGGER, hidden=12)
QUICK = TaggerFitSettings(epochs=6, batch_size=10, learning_rate=0.02, clip=None)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return save_tiny_bert(
        tmp_path_factory.mktemp("tiny"), NAMES + VERBS, positions=16, dimensions=24, layers=3
    )


@pytest.fixture(scope="module")
def texts():
    return Text(sentences(60, 0), "en"), Text(sentences(20, 1), "en")


@pytest.fixture(scope="module")
def files(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("files")
    for name, part in (
        ("train", texts[0].sentences),
        ("valid", texts[1].sentences),
        ("test", sentences(30, 2)),
    ):
        conll.write(part, folder / f"{name}.txt")
    (folder / "text.txt").write_text("Roma leaves Ana\nEva sees Madrid\n")
    generator = np.random.default_rng(0)
    layers = {}
    for layer in range(4):
        turns = [np.linalg.qr(generator.normal(size=(24, 24)))[0].astype(np.float32) for _ in "ab"]
        means = [(generator.normal(size=24).astype(np.float32) / 9,) for _ in "ab"]
        layers[layer] = Mapping(*turns, {}, *means)
    write_layer_mappings(LayerMappings(layers, "tiny", ("en", "es")), folder / "maps.safetensors")
    return folder


def hard():
    """Sentences that no tagger of these is sure of: long ones, unknown letters, odd orders."""
    generator = np.random.default_rng(5)
    words = [*NAMES, *VERBS, "xyz", "Lea", "\u200b"]
    sizes = generator.integers(1, 12, 40)
    return [Sentence(tuple(str(w) for w in generator.choice(words, size))) for size in sizes]


@pytest.mark.parametrize("maps", [False, True])
def test_a_tagger_on_features_comes_back(encoder, texts, files, tmp_path, maps):
    from jointalign.contextual import read_layer_mappings

    mappings = read_layer_mappings(files / "maps.safetensors") if maps else None
    loaded = Encoder.load(encoder)
    model = train_tagger(loaded, *texts, SMALL, QUICK, mappings=mappings, folder=tmp_path / "work")
    write_tagger(model, tmp_path / "model")
    again = read_tagger(tmp_path / "model")
    for language in ("en", "es"):
        expected = ner.predict(model, hard(), language)
        assert ner.predict(again, hard(), language) == expected
        # The same sentence gets the same tags, whatever it is tagged together with.
        assert [ner.predict(again, [one], language)[0] for one in hard()] == expected
    assert ner.evaluate(again, sentences(20, 3), "en").f1 == 100
    assert again.about == json.loads(json.dumps(model.about))
    if maps:
        with pytest.raises(JointalignError, match="between 'en' and 'es'"):
            ner.predict(again, hard(), "de")
        assert ner.predict(again, hard(), "en") != ner.predict(again, hard(), "es")


def test_live_features_equal_those_of_a_store(encoder, texts, tmp_path):
    """A tagger learnt on a store gives the same tags, and the same losses, on live features."""
    loaded, settings = Encoder.load(encoder), FeatureSettings((-2, -1), Pooling.PIECES, Combine.SUM)
    words = [sentence.words for sentence in hard()]
    store = write_features(loaded, words, tmp_path / "store", settings)
    stored = FeatureInputs({"en": [store]}).prepare(hard(), "en")
    live = LiveInputs(loaded, settings).prepare(hard(), "en")
    np.testing.assert_array_equal(stored.sizes, live.sizes)
    for rows in ([0], [3, 1, 2], range(40)):
        one, other = stored.batch(list(rows)), live.batch(list(rows))
        np.testing.assert_array_equal(one.vectors.numpy(), other.vectors.numpy())
        assert one.firsts is not None and other.firsts is not None
        np.testing.assert_array_equal(one.firsts.numpy(), other.firsts.numpy())
    with pytest.raises(JointalignError, match="their sum"):
        LiveInputs(loaded, FeatureSettings((-2, -1)))
    store = write_features(loaded, [s.words for s in texts[0].sentences], tmp_path / "en", settings)
    model = train_on_features(
        FeatureInputs({"en": [store]}), texts[0], texts[0], SMALL, replace(QUICK, epochs=1)
    )
    with pytest.raises(JointalignError, match="nothing but what is in it"):
        write_tagger(model, tmp_path / "model")


@pytest.mark.parametrize("adversary", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_fine_tuned_tagger_comes_back_with_its_encoder(encoder, texts, tmp_path, adversary):
    settings = replace(shortened(FINE_TUNING_FIT, 8), learning_rate=2e-3, batch_size=6)
    other = Text([Sentence(s.words) for s in sentences(20, 4)], "es") if adversary else None
    model = fine_tune(Encoder.load(encoder), *texts, fit_settings=settings, unlabelled=other)
    write_tagger(model, tmp_path / "model")
    again = read_tagger(tmp_path / "model")
    assert ner.predict(again, hard(), "es") == ner.predict(model, hard(), "es")
    assert ner.evaluate(again, sentences(20, 3), "es").f1 > 80
    # What was learnt is in the folder, and can be loaded on its own.
    learnt, first = Encoder.load(tmp_path / "model" / "encoder"), Encoder.load(encoder)
    assert learnt.digest() != first.digest()
    # Of another writing, it is refused.
    shutil.copytree(encoder, tmp_path / "model" / "encoder", dirs_exist_ok=True)
    with pytest.raises(FormatError, match="not of the same writing"):
        read_tagger(tmp_path / "model")


def train(files, out, encoder, *more):
    return [
        "ner",
        "train",
        "--encoder",
        encoder,
        "--train",
        str(files / "train.txt"),
        "--development",
        str(files / "valid.txt"),
        "--out",
        str(out),
        "--batch-size",
        "6",
        "--source-language",
        "en",
        "--target-language",
        "es",
        *more,
    ]


def test_the_commands_learn_tag_and_score(encoder, files, tmp_path, capsys, monkeypatch):
    out, maps = tmp_path / "model", str(files / "maps.safetensors")
    small = ["--hidden", "12", "--epochs", "6", "--learning-rate", "0.02"]
    assert run([*train(files, out, encoder, "--mapping", maps, *small), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["languages"] == ["en", "es"] and facts["best_f1"] == 100
    assert facts["fit"]["patience"] is None and facts["fit"]["epochs"] == 6
    names = {path.name for path in out.iterdir()}
    assert {"tagger.json", "tagger.safetensors", "maps.safetensors"} <= names
    assert not {"training.checkpoint", "training.features"} & names
    test = str(files / "test.txt")
    assert run(["ner", "evaluate", str(out), test, "--language", "en", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["f1"] == 100
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"Ana sees Roma\n")))
    assert run(["ner", "predict", str(out), "--language", "en", "--tokenized"]) == 0
    assert capsys.readouterr().out == "Ana B-PER\nsees O\nRoma B-LOC\n\n"
    arguments = ["ner", "predict", str(out), test, "--language", "en", "--format", "conll"]
    assert run([*arguments, "--out", str(tmp_path / "tagged")]) == 0
    assert conll.read(tmp_path / "tagged").sentences == conll.read(test).sentences
    assert run(["ner", "predict", str(out), test, "--language", "de"]) == 2
    assert "it has no side for 'de'" in capsys.readouterr().err


def test_the_other_side_of_the_maps_can_be_learnt_from(encoder, files, tmp_path, capsys):
    maps = ["--mapping", str(files / "maps.safetensors"), "--side", "target"]
    small = ["--hidden", "12", "--epochs", "4", "--learning-rate", "0.02"]
    arguments = train(files, tmp_path / "model", encoder, *maps, *small)
    assert run(arguments) == 0
    model = read_tagger(tmp_path / "model")
    assert model.tagger.inputs.mappings.languages == ("es", "en")
    arguments[arguments.index("--target-language") + 1] = "target"
    assert run(arguments) == 2
    assert "--side needs --target-language" in capsys.readouterr().err


def test_the_command_fine_tunes_against_an_adversary(encoder, files, tmp_path, capsys):
    tuned = ["--fine-tune", "--epochs", "8", "--learning-rate", "0.002", "--json"]
    text = ["--unlabelled", str(files / "text.txt")]
    assert run(train(files, tmp_path / "model", encoder, *tuned, *text)) == 0
    assert json.loads(capsys.readouterr().out)["best_f1"] > 80
    test = ["ner", "evaluate", str(tmp_path / "model"), str(files / "test.txt"), "--json"]
    assert run([*test, "--language", "es"]) == 0
    assert json.loads(capsys.readouterr().out)["f1"] > 80
    shutil.move(encoder, tmp_path / "moved")  # it has its own
    try:
        assert run([*test, "--language", "es"]) == 0
    finally:
        shutil.move(tmp_path / "moved", encoder)
    capsys.readouterr()
    assert run([*test, "--language", "es", "--encoder", encoder]) == 2
    assert "leave the encoder out" in capsys.readouterr().err


def test_an_encoder_that_is_elsewhere_or_another(encoder, files, tmp_path, capsys):
    mine = shutil.copytree(encoder, tmp_path / "mine")
    small = ["--hidden", "12", "--epochs", "2", "--learning-rate", "0.02"]
    assert run(train(files, tmp_path / "model", str(mine), *small)) == 0
    shutil.move(mine, tmp_path / "elsewhere")
    test = ["ner", "evaluate", str(tmp_path / "model"), str(files / "test.txt"), "--language", "es"]
    capsys.readouterr()
    assert run(test) == 2
    error = capsys.readouterr().err
    assert "expected the folder of a model" in error and "say where (--encoder)" in error
    assert run([*test, "--encoder", str(tmp_path / "elsewhere")]) == 0
    other = save_tiny_bert(tmp_path / "other", NAMES + VERBS, positions=16, dimensions=24, seed=1)
    capsys.readouterr()
    assert run([*test, "--encoder", other]) == 2
    assert "is not the one that this tagger was learnt with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--fine-tune", "--mapping", "maps"], "--mapping is for features"),
        (["--unlabelled", "text"], "--unlabelled is for --fine-tune"),
        (["--side", "source"], "--side is that of a --mapping"),
        (["--learn-vectors"], "--learn-vectors is for vectors from a table"),
        (["--embedding", "x"], "--embedding is for vectors from a table"),
    ],
)
def test_options_that_do_not_go_together(encoder, files, tmp_path, capsys, more, message):
    assert run(train(files, tmp_path / "model", encoder, *more)) == 2
    assert message in capsys.readouterr().err


def test_what_is_read_is_not_written_over(encoder, files, tmp_path, capsys):
    shutil.copytree(encoder, tmp_path / "out" / "encoder")
    given = tmp_path / "out" / "encoder"
    assert run(train(files, tmp_path / "out", str(given), "--fine-tune")) == 2
    assert "this is an input" in capsys.readouterr().err


def test_a_folder_that_does_not_say_what_it_is_made_of(encoder, texts, tmp_path):
    loaded = Encoder.load(encoder)
    model = train_tagger(loaded, *texts, SMALL, QUICK, folder=tmp_path / "work")
    write_tagger(model, tmp_path / "model")
    path = tmp_path / "model" / "tagger.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"made_of": {}}))
    with pytest.raises(JointalignError, match=r"tagger\.json.*'encoder'"):
        read_tagger(tmp_path / "model")


def test_options_of_an_encoder_need_one(files, tmp_path, capsys):
    for more in (["--fine-tune"], ["--mapping", "maps"]):
        arguments = train(files, tmp_path / "model", "", *more)
        del arguments[2:4]
        assert run(arguments) == 2
        assert f"{more[0]} is for a tagger over an encoder" in capsys.readouterr().err


def test_learning_that_was_stopped_takes_up_its_features(encoder, texts, tmp_path):
    """The second call finds the features complete and the learning finished."""
    loaded = Encoder.load(encoder)
    work, state = tmp_path / "work", tmp_path / "state"
    first = train_tagger(loaded, *texts, SMALL, QUICK, folder=work, checkpoint=state)
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*.bin")}
    again = train_tagger(loaded, *texts, SMALL, QUICK, folder=work, checkpoint=state)
    assert before and before == {path: path.stat().st_mtime_ns for path in before}
    assert again.about["losses"] == first.about["losses"]
    other = Text(texts[0].sentences[::-1], "en")

    def learn():
        return train_tagger(loaded, other, texts[1], SMALL, replace(QUICK, epochs=1), folder=work)

    with pytest.raises(OtherWorkError, match=r"training/info\.json: .*\(text: \w+, now \w+\)"):
        learn()
    assert before == {path: path.stat().st_mtime_ns for path in before}
    or_fresh(learn, True)
    assert before != {path: path.stat().st_mtime_ns for path in before}
