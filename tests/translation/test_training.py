"""Training: it learns what it should, from what it should, and goes on where it was stopped."""

import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")
pytest.importorskip("sacrebleu")
from jointalign.embedding import BilingualEmbedding, Embedding  # noqa: E402
from jointalign.errors import JointalignError  # noqa: E402
from jointalign.translation._loop import EpochTally, Training  # noqa: E402
from jointalign.translation._session import CHECKPOINT, Session  # noqa: E402
from jointalign.translation.api import (  # noqa: E402
    Segmentation,
    Validation,
    fit,
    prepare,
    read_translator,
    write_translator,
)
from jointalign.translation.base import NoiseSettings, Shape, TranslationFitSettings, WeightSchedule  # noqa: E402
from jointalign.translation.cipher import CipherSettings, make_cipher  # noqa: E402
from jointalign.vocabulary import Vocabulary  # noqa: E402

ITERATIONS = 100


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cipher():
    return make_cipher(CipherSettings(sentences=4000))


@pytest.fixture(scope="module")
def segmentation(cipher):
    return Segmentation.learn((cipher.source_lines, cipher.target_lines), 1200)


def oracle(cipher, dimensions):
    """Vectors of words as vectors of pieces."""
    space = cipher.vectors(dimensions)
    sides = [
        Embedding(Vocabulary(tuple(f"Ġ{word}" for word in side.words)), side.vectors)
        for side in (space.source_only, space.target_only)
    ]
    return BilingualEmbedding.separate(*sides)


def learnt(cipher, segmentation, embedding, iterations=ITERATIONS, **changes):
    """BLEU after some iterations, mean of both directions."""
    settings = replace(TranslationFitSettings.tiny(4 * 32 * iterations), **changes)
    if settings.back_translation.at(0) == 0:
        settings = replace(settings, epoch_sentences=settings.epoch_sentences // 2)
    result = fit(
        (cipher.source_lines, cipher.target_lines),
        segmentation,
        epochs=1,
        shape=Shape.tiny(),
        settings=settings,
        embedding=embedding,
        separate=embedding is not None,
        device="cpu",
        validation=Validation.of(*zip(*cipher.test, strict=True)),
    )
    (entry,) = result.history
    assert entry["iteration"] == pytest.approx(iterations, abs=4)
    return entry["bleu"]


NEVER = {"back_translation": WeightSchedule(((0, 0.0),))}
SILENT = {"noise": NoiseSettings.none()}


def small_toy(seed):
    """A toy of 128 words, its segmentation, and vectors."""
    toy = make_cipher(CipherSettings(60, names=8, false_friends=3, verb_last=True), seed)
    return toy, Segmentation.learn((toy.source_lines, toy.target_lines), 1200), oracle(toy, 96)


def test_vectors_noise_and_back_translation_each_teach():
    toy, segmentation, vectors = small_toy(0)
    whole = learnt(toy, segmentation, vectors)
    assert whole >= 15
    assert whole >= learnt(toy, segmentation, None) + 8
    # Back-translations are noise enough on this toy: what noise gives shows without them.
    alone = learnt(toy, segmentation, vectors, 200, **NEVER)
    assert whole >= alone + 8
    assert alone >= learnt(toy, segmentation, vectors, 200, **NEVER, **SILENT) + 3


def batchless_training(cipher, segmentation, settings, **more):
    texts = cipher.source_lines[:300], cipher.target_lines[:300]
    job, _ = prepare(
        texts,
        segmentation,
        ("one", "two"),
        shape=Shape(16, 32, 2, 2, 2, 1, 1),
        settings=settings,
        device="cpu",
        **more,
    )
    return job


class Killer:
    """Interrupts after so many rounds, before the last of them is saved."""

    def __init__(self, rounds):
        self.rounds = rounds

    def __call__(self, done, total, note=""):
        self.rounds -= 1
        if not self.rounds:
            raise KeyboardInterrupt


def test_stopped_and_started_again_it_ends_with_the_same_bits(cipher, segmentation, tmp_path):
    settings = TranslationFitSettings.small(
        500, batch_sentences=16, generation_batches=1, dropout=0.1, warmup=3
    )
    validation = Validation(cipher.source_lines[:2], cipher.target_lines[:2])
    job = batchless_training(cipher, segmentation, settings, validation=validation)
    whole = Session(job, tmp_path / "whole")
    while whole.epochs < 2:
        whole.epoch()
    stops = 0
    while True:
        session = Session(job, tmp_path / "parts", checkpoint_seconds=0)
        assert session.resumed == (stops > 0)
        if session.epochs == 2:
            break
        with suppress(KeyboardInterrupt):
            session.epoch(progress=Killer(2))
        stops += 1
    assert stops > 4
    for kind in (CHECKPOINT, "model.safetensors"):
        ours, theirs = (read_weights(tmp_path / name / kind) for name in ("whole", "parts"))
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert np.array_equal(ours[name], theirs[name]), name
    for one, two in zip(whole.history, session.history, strict=True):
        for name in ("losses", "round_trip", "iteration", "tokens", "best"):
            assert one[name] == two[name]


def read_weights(path):
    from safetensors.numpy import load_file

    return load_file(path)


def test_another_job_neither_goes_on_from_this_one_nor_replaces_it(cipher, segmentation, tmp_path):
    settings = TranslationFitSettings.small(200, batch_sentences=16, generation_batches=1)
    job = batchless_training(cipher, segmentation, settings)
    Session(job, tmp_path).epoch()
    assert Session(job, tmp_path).epochs == 1
    other = batchless_training(cipher, segmentation, replace(settings, clip=4.0))
    with pytest.raises(JointalignError, match=r"\(fit.clip: 5.0, now 4.0\).*--fresh"):
        Session(other, tmp_path)
    assert Session(job, tmp_path).epochs == 1


def test_each_step_moves_the_layers_of_its_languages(cipher, segmentation):
    settings = TranslationFitSettings.small(100, batch_sentences=8, generation_batches=1, warmup=0)
    job = batchless_training(cipher, segmentation, settings)
    weights = {name: weight.clone() for name, weight in job.translator.weights.items()}
    training = Training(job.translator.plan, weights, job.texts, job.translator.allowed, settings, 0)
    training._denoise(0, EpochTally())
    moved = {
        name
        for name, weight in job.translator.weights.items()
        if not torch.equal(weight, training.weights[name])
    }
    layers = {name.rsplit(".", 1)[0] for name in moved}
    assert any(layer.startswith("encoder.0.0") for layer in layers)
    assert any(layer.startswith("encoder.shared.1") for layer in layers)
    assert any(layer.startswith("decoder.0.1") for layer in layers)
    assert not any(layer.startswith(("encoder.1.", "decoder.1.")) for layer in layers)


def test_schedule():
    schedule = WeightSchedule.parse("0:1,100000:0.1,300000:0")
    assert schedule == TranslationFitSettings().denoising
    places = (0, 50_000, 100_000, 200_000, 300_000, 400_000)
    assert [schedule.at(p) for p in places] == pytest.approx([1, 0.55, 0.1, 0.05, 0, 0])
    for bad in ("x", "0:1,0:2", "1:2:3", "0:-1"):
        with pytest.raises(JointalignError, match="expected"):
            WeightSchedule.parse(bad)


def test_a_model_is_read_as_it_was_written(cipher, segmentation, tmp_path):
    job = batchless_training(cipher, segmentation, TranslationFitSettings.small(100, precision="float32"))
    path = tmp_path / "model.safetensors"
    write_translator(job.translator, path)
    again = read_translator(path, "cpu", "float32")
    lines = list(cipher.source_lines[:3]) + [""]
    ours = job.translator.translate(lines, "one-two")
    assert again.translate(lines, "one-two") == ours and ours[3] == ""
    with pytest.raises(JointalignError, match="one-two or two-one"):
        again.translate(lines, "en-de")


def test_joint_vectors_share_a_row_and_separate_ones_do_not(cipher, segmentation):
    space = oracle(cipher, 16)
    shape = Shape(16, 32, 2, 1, 1, 1, 1)
    texts = cipher.source_lines[:50], cipher.target_lines[:50]
    with pytest.raises(JointalignError, match="has a vector in each language"):
        prepare(texts, segmentation, ("one", "two"), shape=shape, embedding=space)
    job, report = prepare(texts, segmentation, ("one", "two"), shape=shape, embedding=space, separate=True)
    word = space.source.words[0]
    row = 5 + segmentation.pieces.index(word)
    np.testing.assert_allclose(job.translator.weights["table.0"][row], space.source.vector(word))
    assert report["vectors"]["found"] > 300
    wrong = oracle(cipher, 8)
    with pytest.raises(JointalignError, match="16 dimensions"):
        prepare(texts, segmentation, ("one", "two"), shape=shape, embedding=wrong, separate=True)


def test_history_is_json(cipher, segmentation, tmp_path):
    settings = TranslationFitSettings.small(100, batch_sentences=8)
    session = Session(batchless_training(cipher, segmentation, settings), tmp_path)
    session.epoch()
    assert json.loads((tmp_path / "history.json").read_text()) == session.history
