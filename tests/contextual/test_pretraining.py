"""Pretraining: it learns, goes on exactly after a stop, and its folder loads as any encoder."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

from jointalign.cli.app import run
from jointalign.contextual import Encoder, PretrainingSettings, extract, pretrain
from jointalign.errors import FormatError, JointalignError

SMALL = PretrainingSettings(
    vocabulary=120, hidden=32, layers=1, heads=2, length=16, batch_size=8, steps=60, positions=32
)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Lines of one word over and over: what is masked follows from its surroundings alone."""
    folder = tmp_path_factory.mktemp("texts")
    generator = np.random.default_rng(0)
    known = {"en": "dog cat house tree sea".split(), "es": "perro gato casa mar".split()}
    for language, words in known.items():
        lines = [" ".join([str(generator.choice(words))] * 24) for _ in range(200)]
        (folder / f"{language}.txt").write_text("\n".join(lines) + "\n")
    return [folder / "en.txt", folder / "es.txt"]


class Killed(Exception):
    pass


def test_a_stopped_training_ends_with_the_same_weights(texts, tmp_path):
    whole = pretrain(texts, ["en", "es"], tmp_path / "whole", SMALL, seed=3, threads=1)
    assert whole.finished
    assert whole.steps == 60

    def killed(done, total, note=""):
        if total == 60 and done >= 25:
            raise Killed

    given = texts, ["en", "es"], tmp_path / "parts", SMALL
    with pytest.raises(Killed):
        pretrain(*given, seed=3, progress=killed, checkpoint_seconds=0, threads=1)
    part = pretrain(*given, seed=3, max_minutes=0, threads=1)
    assert not part.finished
    assert 20 < part.steps < 60
    rest = pretrain(*given, seed=3, threads=1)
    assert rest.finished
    assert rest.loss == whole.loss
    assert rest.held_out == whole.held_out
    weights = [(tmp_path / n / "model.safetensors").read_bytes() for n in ("whole", "parts")]
    assert weights[0] == weights[1]
    with pytest.raises(JointalignError, match=r"\(seed: 3, now 4\)"):
        pretrain(*given, seed=4)
    assert (tmp_path / "parts" / "model.safetensors").read_bytes() == weights[0]
    pretrain(*given, seed=4, threads=1, fresh=True)
    pretrain(texts, ["en", "es"], tmp_path / "new", SMALL, seed=4, threads=1)
    weights = [(tmp_path / n / "model.safetensors").read_bytes() for n in ("new", "parts")]
    assert weights[0] == weights[1]
    # A masked language model has no pooler, and what is not in the file must not be made up.
    assert Encoder.load(tmp_path / "whole").digest() == Encoder.load(tmp_path / "whole").digest()


def test_pieces_that_were_changed_are_not_learnt_from(texts, tmp_path):
    pretrain(texts, ["en", "es"], tmp_path, SMALL, max_minutes=0, threads=1)
    (pieces,) = tmp_path.glob("training/**/pieces-1.bin")
    data = bytearray(pieces.read_bytes())
    data[100] ^= 64  # another piece, which the model has a row for or not
    pieces.write_bytes(data)
    with pytest.raises(FormatError, match="not as it was written"):
        pretrain(texts, ["en", "es"], tmp_path, SMALL, max_minutes=0, threads=1)


def test_it_learns_more_than_how_frequent_pieces_are(texts, tmp_path, capsys):
    arguments = ["pretrain", "--input", str(texts[0]), "--input", str(texts[1])]
    sizes = "--vocabulary 120 --hidden 32 --layers 1 --length 16 --batch-size 16 --steps 200"
    more = [*sizes.split(), "--positions", "32", "--learning-rate", "0.003", "--threads", "1"]
    assert run([*arguments, *more, "--out", str(tmp_path / "model"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["finished"]
    assert facts["languages"] == ["en", "es"]
    for scores in facts["held_out"].values():
        assert scores["loss"] < scores["frequency_loss"] - 0.5
    encoder = Encoder.load(tmp_path / "model")
    assert encoder.layers == 1
    assert encoder.longest == 30
    assert encoder.cut(["dog"]) != encoder.cut(["Dog"])  # it is cased
    assert next(extract(encoder, [["sea", "dog"]], [-1])).vectors.shape == (1, 2, 32)


def test_settings_out_of_range_are_refused():
    for wrong in ({"hidden": 33}, {"length": 999}, {"masked": 1.0}):
        with pytest.raises(JointalignError):
            PretrainingSettings(**wrong)
