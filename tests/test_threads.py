"""Models that several threads share: each thread gets what it would get alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from fuzzing import make_encoder, make_tagger, make_translator  # noqa: E402
from grammar import sentences  # noqa: E402


def together(ask, questions):
    """Four threads ask, each in its own order, as often as one thread does."""
    orders = [np.random.default_rng(seed).permutation(len(questions)) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda order: [ask(questions[at]) for at in order], orders))
    return [
        [answers[place] for place in np.argsort(order)] for order, answers in zip(orders, found, strict=True)
    ]


def test_a_tagger(tmp_path):
    from jointalign.ner import api as ner

    make_tagger(tmp_path)
    questions = [[sentence] for sentence in sentences("es", 20, 1)]
    alone, shared = ner.read(tmp_path), ner.read(tmp_path)
    right = [ner.predict(alone, question, "es") for question in questions]
    assert together(lambda question: ner.predict(shared, question, "es"), questions) == [right] * 4


def test_a_translation_model(tmp_path):
    from jointalign.translation._translator import read_translator

    make_translator(tmp_path)
    alone, shared = (read_translator(tmp_path / "model.safetensors", "cpu") for _ in range(2))
    questions = ["the cat", "the dog sees", "cat", "the the the dog"] * 4
    right = [alone.translate([line], "en-de") for line in questions]
    assert together(lambda line: shared.translate([line], "en-de"), questions) == [right] * 4


def test_an_encoder(tmp_path):
    from jointalign.contextual._encoder import Encoder
    from jointalign.contextual._features import extract

    make_encoder(tmp_path)
    alone, shared = (Encoder.load(tmp_path, local_only=True) for _ in range(2))
    questions = [["Ana", f"sees{number}", "Madrid"] for number in range(20)]

    def vectors(encoder, words):
        return [part.vectors.tolist() for part in extract(encoder, [words], [1])]

    right = [vectors(alone, words) for words in questions]
    assert together(lambda words: vectors(shared, words), questions) == [right] * 4
