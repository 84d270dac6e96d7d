"""Taggers over features and over an encoder that learns, through the same network and training."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from jointalign.contextual import Encoder, FeatureSettings, Pooling, write_features
from jointalign.contextual._inputs import AdversarialInputs, EncoderInputs, FeatureInputs
from jointalign.contextual.base import Combine
from jointalign.contextual.tagging import (
    FEATURE_TAGGER,
    FINE_TUNING_FIT,
    FINE_TUNING_TAGGER,
    fine_tune,
    shortened,
    train_on_features,
    words_of,
)
from jointalign.errors import JointalignError
from jointalign.ner import Sentence, TaggerFitSettings, Text
from jointalign.ner.api import evaluate
from tiny_encoder import NAMES, VERBS, save_tiny_bert, sentences


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_bert(
        tmp_path_factory.mktemp("tiny"), NAMES + VERBS, positions=16, dimensions=24, layers=2
    )


@pytest.fixture(scope="module")
def texts():
    return Text(sentences(60, 0), "en"), Text(sentences(20, 1), "en"), Text(sentences(20, 2), "es")


@pytest.mark.parametrize("pooling", [Pooling.PIECES, Pooling.FIRST])
def test_a_tagger_learns_from_features(folder, texts, tmp_path, pooling):
    from dataclasses import replace

    encoder = Encoder.load(folder)
    settings = FeatureSettings((-2, -1), pooling, Combine.SUM)
    stores = {}
    for text in texts:
        place = tmp_path / f"{text.language}{len(stores)}"
        store = write_features(encoder, words_of(text), place, settings)
        stores.setdefault(text.language, []).append(store)
    stores["en"].append(write_features(encoder, words_of(texts[1]), tmp_path / "dev", settings))
    inputs = FeatureInputs(stores)
    small = replace(FEATURE_TAGGER, hidden=16, input_transitions=pooling is Pooling.PIECES)
    quick = TaggerFitSettings(epochs=8, batch_size=10, learning_rate=0.02, clip=None)
    model = train_on_features(inputs, *texts[:2], small, quick)
    assert evaluate(model, texts[2].sentences, "es").f1 == 100
    with pytest.raises(JointalignError, match="has no features"):
        inputs.prepare([Sentence(("Nobody",), None)], "en")
    with pytest.raises(JointalignError, match="no features of 'de'"):
        inputs.prepare([Sentence(("Ana",), None)], "de")


def test_layers_must_be_summed_first(folder, texts, tmp_path):
    each = FeatureSettings((-2, -1))
    store = write_features(Encoder.load(folder), words_of(texts[0]), tmp_path / "each", each)
    with pytest.raises(JointalignError, match="their sum"):
        FeatureInputs({"en": [store]})


def test_fine_tuning_learns_the_encoder_itself(folder, texts, tmp_path):
    encoder = Encoder.load(folder)
    before = {name: w.clone() for name, w in encoder.model.named_parameters()}
    from dataclasses import replace

    settings = replace(shortened(FINE_TUNING_FIT, 10), learning_rate=5e-3, batch_size=10)
    model = fine_tune(encoder, *texts[:2], FINE_TUNING_TAGGER, settings, checkpoint=tmp_path / "state")
    assert evaluate(model, texts[2].sentences, "es").f1 == 100
    moved = [not w.equal(before[name]) for name, w in encoder.model.named_parameters()]
    assert sum(moved) > len(moved) / 2
    # Called again, it takes up what was finished, and gives the same.
    again = fine_tune(
        Encoder.load(folder), *texts[:2], FINE_TUNING_TAGGER, settings, checkpoint=tmp_path / "state"
    )
    assert again.about["losses"] == model.about["losses"]
    assert evaluate(again, texts[2].sentences, "es").f1 == 100


def test_long_sentences_are_tagged_whole_when_fine_tuning(folder):
    import torch

    encoder = Encoder.load(folder)
    words = tuple(NAMES * 4)
    prepared = EncoderInputs(encoder).prepare([Sentence(words, None), Sentence(("Ana",), None)], "")
    assert prepared.sizes[0] > encoder.longest
    with torch.no_grad():
        batch = prepared.batch([1, 0])
    assert batch.lengths.tolist() == [1, len(words)]
    from jointalign.contextual import extract

    expected = next(extract(encoder, [words], [-1], Pooling.FIRST)).vectors[0]
    np.testing.assert_allclose(batch.vectors[1].numpy(), expected, atol=2e-5)


def test_the_adversary_moves_only_what_it_should(folder, texts):
    import torch

    encoder = Encoder.load(folder)
    inputs = AdversarialInputs(encoder, texts[0], texts[2], weight=0.5, start=1, batch_size=4)
    judge = inputs.network["discriminator"]
    torch.nn.init.normal_(judge.weight, generator=torch.Generator().manual_seed(0))
    first = inputs.extra_loss(0)
    first.backward()
    assert judge.weight.grad.abs().sum() > 0
    assert all(w.grad is None for w in encoder.model.parameters())
    judge.weight.grad = None
    inputs.extra_loss(1).backward()
    alone = judge.weight.grad.clone()
    assert any(w.grad is not None and w.grad.abs().sum() > 0 for w in encoder.model.parameters())
    # The pull leaves the discriminator alone: its gradient is that of its own loss.
    quiet = AdversarialInputs(encoder, texts[0], texts[2], weight=0.5, start=99, batch_size=4)
    quiet.network["discriminator"].load_state_dict(judge.state_dict())
    quiet.extra_loss(1).backward()
    torch.testing.assert_close(quiet.network["discriminator"].weight.grad, alone)


def test_the_pull_leads_the_encoder_to_deceive(folder, texts):
    """Steps of the pull alone: the discriminator, held still, knows less and less."""
    import torch

    encoder = Encoder.load(folder)
    other = Text([Sentence(("leaves", "Roma"), None)] * 8, "es")
    inputs = AdversarialInputs(encoder, texts[0], other, weight=1.0, start=0, batch_size=8)
    judge = inputs.network["discriminator"]
    learning = torch.optim.Adam(judge.parameters(), 0.1)
    for step in range(30):
        learning.zero_grad()
        inputs.extra_loss(step).backward()
        learning.step()
    assert np.mean(inputs.accuracies[-5:]) > 0.9
    pulling = torch.optim.Adam(encoder.model.parameters(), 1e-3)
    for step in range(30, 70):
        pulling.zero_grad()
        inputs.extra_loss(step).backward()
        pulling.step()
    assert np.mean(inputs.accuracies[-5:]) < 0.6


def test_fine_tuning_against_the_adversary_still_learns(folder, texts):
    from dataclasses import replace

    settings = replace(shortened(FINE_TUNING_FIT, 8), learning_rate=5e-3, batch_size=10)
    model = fine_tune(Encoder.load(folder), *texts[:2], FINE_TUNING_TAGGER, settings, unlabelled=texts[2])
    assert evaluate(model, texts[2].sentences, "es").f1 == 100
