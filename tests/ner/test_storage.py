"""A tagger's folder: all of it comes back, and damage is told."""

import json
import shutil

import pytest

torch = pytest.importorskip("torch", reason="tagging needs torch")

from grammar import sentences, space  # noqa: E402
from jointalign.errors import FormatError, JointalignError  # noqa: E402
from jointalign.ner import TaggerFitSettings, TaggerSettings, Text  # noqa: E402
from jointalign.ner import api as ner  # noqa: E402

TEXT = Text(sentences("en", 60, 0), "en")
SMALL = TaggerSettings(hidden=8, character_dimensions=4, character_hidden=4)


@pytest.fixture(scope="module", params=[False, True], ids=["frozen", "learnt"])
def model(request):
    return ner.train(space(), TEXT, TEXT, SMALL, TaggerFitSettings(epochs=2), learn_vectors=request.param)


def test_what_is_read_tags_as_what_was_written(model, tmp_path):
    ner.write(model, tmp_path)
    again = ner.read(tmp_path)
    spanish = sentences("es", 40, 1)
    assert ner.predict(again, spanish, "es") == ner.predict(model, spanish, "es")
    assert again.about == json.loads(json.dumps(model.about))
    assert again.languages == ("en", "es")
    for name, weights in model.tagger.network.state_dict().items():
        assert torch.equal(weights, again.tagger.network.state_dict()[name])


def test_damage_and_mixtures_are_told(model, tmp_path):
    ner.write(model, tmp_path / "a")
    other = ner.train(space(), TEXT, TEXT, SMALL, TaggerFitSettings(epochs=1), seed=5)
    ner.write(other, tmp_path / "b")
    shutil.copy(tmp_path / "b" / "tagger.safetensors", tmp_path / "a" / "tagger.safetensors")
    with pytest.raises(FormatError, match="not of the same writing"):
        ner.read(tmp_path / "a")
    facts = json.loads((tmp_path / "b" / "tagger.json").read_text())
    facts["settings"]["scheme"] = "BIO3"
    (tmp_path / "b" / "tagger.json").write_text(json.dumps(facts))
    with pytest.raises(FormatError, match="'scheme' should be one of iob1, bio2, iobes, got 'BIO3'"):
        ner.read(tmp_path / "b")
    (tmp_path / "b" / "tagger.json").write_text("{}")
    with pytest.raises(FormatError, match="expected format"):
        ner.read(tmp_path / "b")
    with pytest.raises(JointalignError, match="expected the folder of a tagger"):
        ner.read(tmp_path / "c")


def test_a_tagger_over_other_inputs_asks_for_them(model, tmp_path):
    ner.storage.write(model.tagger, tmp_path, {}, kind="contextual")
    with pytest.raises(JointalignError, match="kind 'contextual'"):
        ner.read(tmp_path)
    found, _ = ner.storage.read(tmp_path, inputs=model.tagger.inputs)
    assert found.labels == model.tagger.labels


def test_nothing_to_tag_is_no_error(model):
    assert ner.predict(model, [], "es") == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_learns_and_reads_it_all_the_same(tmp_path):
    model = ner.train(
        space(),
        TEXT,
        TEXT,
        SMALL,
        TaggerFitSettings(epochs=4, learning_rate=1e-2),
        device="cuda",
        checkpoint=tmp_path / "state",
    )
    ner.write(model, tmp_path / "model")
    spanish = sentences("es", 40, 1)
    expected = ner.predict(model, spanish, "es")
    for device in ("cpu", "cuda"):
        assert ner.predict(ner.read(tmp_path / "model", device), spanish, "es") == expected
