"""Learning: a grammar with a known answer, seeds, padding, and stopping at any moment."""

import dataclasses
from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="tagging needs torch")

from grammar import sentences, space  # noqa: E402
from jointalign.errors import JointalignError  # noqa: E402
from jointalign.ner._crf import path_score  # noqa: E402
from jointalign.ner._fit import Text, fit  # noqa: E402
from jointalign.ner._scoring import f1_of  # noqa: E402
from jointalign.ner._settings import RateSchedule, TaggerFitSettings, TaggerSettings  # noqa: E402
from jointalign.ner._tagger import (  # noqa: E402
    Alphabet,  # noqa: E402
    Examples,
    Tagger,  # noqa: E402
    VectorBatch,  # noqa: E402
    find_all,
    tag_all,
)
from jointalign.ner._torch import torch_threads  # noqa: E402
from jointalign.ner._words import StaticInputs, WordTable  # noqa: E402
from jointalign.ner.base import Scheme, spans, to_scheme  # noqa: E402

SMALL = TaggerSettings(hidden=16, character_dimensions=5, character_hidden=6)
QUICK = TaggerFitSettings(epochs=4, batch_size=8, learning_rate=5e-3)


@pytest.fixture(autouse=True)
def one_thread():
    with torch_threads(1):
        yield


@pytest.fixture(scope="module")
def english():
    return Text(sentences("en", 200, 0), "en"), Text(sentences("en", 60, 1), "en")


def labels(training, scheme):
    return sorted({tag for s in training.sentences for tag in to_scheme(s.tags, scheme)})


def tagger(training, settings=SMALL, seed=0, learnt=False, unknown=0.05):
    inputs = StaticInputs(WordTable.of(space()), learnt, unknown)
    alphabet = Alphabet.of(training.sentences)
    return Tagger(settings, inputs, labels(training, settings.scheme), alphabet, seed)


def f1(model, text):
    return f1_of(text.sentences, tag_all(model, Examples(model, *text)))


NO_CHARACTERS = dataclasses.replace(SMALL, character_hidden=0)


@pytest.mark.parametrize(
    "settings",
    [
        SMALL,
        NO_CHARACTERS,
        dataclasses.replace(SMALL, scheme=Scheme.BIO2, layers=2, output_dropout=0.2),
        dataclasses.replace(SMALL, crf=False, projection=False),
        dataclasses.replace(SMALL, input_transitions=True),
    ],
    ids=["default", "no characters", "two layers", "no crf", "input transitions"],
)
def test_the_grammar_is_learnt(english, settings):
    training, development = english
    model = tagger(training, settings)
    history = fit(model, training, development, QUICK)
    assert history.best_f1 > 95
    assert history.losses[-1] < history.losses[0] / 2
    assert f1(model, development) == pytest.approx(history.best_f1)


def test_what_is_learnt_goes_over_to_the_other_language_and_not_without_its_vectors(english):
    training, development = english
    spanish = Text(sentences("es", 100, 2), "es")
    model = tagger(training, NO_CHARACTERS)
    fit(model, training, development, QUICK)
    assert f1(model, spanish) > 85
    permuted = model.with_inputs(model.inputs.with_table(model.inputs.table.permuted("es")))
    assert f1(permuted, spanish) < 40
    assert f1(permuted, development) > 95  # the other language is left alone
    assert f1(model, spanish) > 85


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_alone(english):
    training, development = english
    one = TaggerFitSettings(epochs=1)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, third = (tagger(training, seed=seed) for seed in (3, 3, 4))
    runs = [fit(model, training, development, one, seed=3) for model in (first, second)]
    fit(third, training, development, one, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert runs[0] == runs[1]
    for name, weights in first.network.state_dict().items():
        assert torch.equal(weights, second.network.state_dict()[name])
    assert not torch.equal(first.network["tags"].weight, third.network["tags"].weight)


class Killed(Exception):
    pass


@pytest.mark.parametrize("at", [3, 30, 55])
def test_what_was_killed_goes_on_to_the_same_weights(english, tmp_path, at):
    training, development = english
    settings = TaggerFitSettings(epochs=3, batch_size=8, learning_rate=5e-3)  # 25 steps an epoch
    whole = tagger(training)
    expected = fit(whole, training, development, settings, seed=1)

    def kill(done, total, note=""):
        if done == at:
            raise Killed

    path = tmp_path / "state.safetensors"
    with pytest.raises(Killed):
        fit(
            tagger(training),
            training,
            development,
            settings,
            seed=1,
            checkpoint=path,
            checkpoint_seconds=0.0,
            progress=kill,
        )
    steps = []
    again = tagger(training)
    found = fit(
        again,
        training,
        development,
        settings,
        seed=1,
        checkpoint=path,
        progress=lambda done, total, note="": steps.append(done),
    )
    assert steps[0] in (at, at + 1)  # nothing is learnt twice
    assert found == expected
    for name, weights in whole.network.state_dict().items():
        assert torch.equal(weights, again.network.state_dict()[name]), name


def test_the_state_of_another_learning_is_refused(english, tmp_path):
    training, development = english
    path = tmp_path / "state.safetensors"
    short = TaggerFitSettings(epochs=1)
    fit(tagger(training), training, development, short, checkpoint=path)
    model = tagger(training)
    model.inputs = StaticInputs(WordTable.of(space(seed=9)))
    model.network["inputs"] = model.inputs.network
    kept = path.read_bytes()
    with pytest.raises(JointalignError, match="vectors: .*, now "):
        fit(model, training, development, short, checkpoint=path)
    with pytest.raises(JointalignError, match=r"\(fit.epochs: 1, now 2; seed: 0, now 3\)"):
        fit(tagger(training), training, development, TaggerFitSettings(epochs=2), seed=3, checkpoint=path)
    assert path.read_bytes() == kept


def test_padding_and_company_change_no_score(english):
    training, _ = english
    model = tagger(training)
    examples = Examples(model, *training)
    rows = np.array([0, 1, 2, 3])
    together, chain = model._scores(examples.batch(rows), None)
    for row in rows:
        alone, _ = model._scores(examples.batch(rows[row : row + 1]), None)
        torch.testing.assert_close(alone[0], together[row, : alone.shape[1]], atol=1e-5, rtol=1e-4)


def test_training_stops_when_nothing_gets_better(english):
    training, development = english
    history = fit(
        tagger(training),
        training,
        development,
        TaggerFitSettings(epochs=40, batch_size=8, learning_rate=1e-2, patience=2),
    )
    assert history.stopped_early
    assert len(history.losses) == history.best + 3 < 40


def test_vectors_stay_unless_they_are_to_be_learnt(english):
    training, development = english
    one = TaggerFitSettings(epochs=1)
    frozen, free = tagger(training), tagger(training, learnt=True)
    for model in (frozen, free):
        fit(model, training, development, one)
    start = torch.from_numpy(WordTable.of(space()).vectors)
    assert torch.equal(frozen.inputs._vectors, start)
    moved = (free.network["inputs"]["vectors"] != start).any(1)
    assert moved.any()
    spanish = list(free.inputs.table.rows["es"].values())
    assert not moved[spanish].any()  # this is why they are frozen by default


def test_a_linear_schedule_rises_and_falls(english):
    training, development = english
    rates = []
    model = tagger(training)
    settings = TaggerFitSettings(epochs=2, learning_rate=1e-3, schedule=RateSchedule.LINEAR, warmup=0.5)
    original = torch.optim.AdamW.step

    def step(self, closure=None):
        rates.append(self.param_groups[0]["lr"])
        return original(self, closure)

    torch.optim.AdamW.step = step
    try:
        fit(model, training, development, settings)
    finally:
        torch.optim.AdamW.step = original
    top = int(np.argmax(rates))
    assert 0 < rates[0] < rates[top] == pytest.approx(1e-3)
    assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert top == pytest.approx(len(rates) / 2, abs=1)


class Pieces:
    """Features of words cut into two pieces each: the first carries the word, the second noise."""

    device, dimensions, network, key = "cpu", 8, None, "pieces"

    def __init__(self):
        self.kinds = {"PER": 0, "LOC": 1, "verb": 2, "filler": 3}

    def prepare(self, sentences, language):
        return _PreparedPieces(self, sentences)


class _PreparedPieces:
    def __init__(self, inputs, sentences):
        self.inputs, self.sentences = inputs, sentences
        self.sizes = np.array([2 * len(sentence) for sentence in sentences])

    def batch(self, rows, generator=None):
        chosen = [self.sentences[row] for row in rows]
        longest = max(map(len, chosen))
        vectors = torch.zeros(len(chosen), 2 * longest, 8)
        firsts = torch.zeros(len(chosen), longest, dtype=torch.int64)
        for number, sentence in enumerate(chosen):
            for place, word in enumerate(sentence.words):
                kind = next(k for name, k in self.inputs.kinds.items() if name.lower() in word)
                vectors[number, 2 * place, kind] = 3.0
                vectors[number, 2 * place + 1, 4:] = 1.0
                firsts[number, place] = 2 * place
        return VectorBatch(vectors, torch.tensor([2 * len(s) for s in chosen]), firsts)


def test_features_of_pieces_go_the_same_way(english):
    training, development = english
    made = labels(training, Scheme.BIO2)
    settings = dataclasses.replace(NO_CHARACTERS, scheme=Scheme.BIO2)
    model = Tagger(settings, Pieces(), made, Alphabet(()))
    fit(model, training, development, QUICK)
    assert f1(model, Text(sentences("es", 50, 3), "es")) > 85
    spelt = Tagger(SMALL, Pieces(), labels(training, Scheme.IOBES), Alphabet(()))
    with pytest.raises(JointalignError, match="character_hidden"):
        fit(spelt, training, development, QUICK)


def test_an_extra_loss_is_learnt_from(english):
    training, development = english
    model = tagger(training)
    fit(
        model,
        training,
        development,
        TaggerFitSettings(epochs=1, learning_rate=1e-2),
        extra_loss=lambda step: 1e3 * model.network["tags"].bias.square().sum(),
    )
    assert model.network["tags"].bias.abs().max() < 0.01


def test_nothing_to_learn_from_is_refused(english):
    training, development = english
    for texts, message in (
        ((Text([], "en"), development), "training text has no sentence"),
        ((training, Text([], "en")), "development text has no sentence"),
        ((Text(training.sentences, "fr"), development), "got 'fr'"),
    ):
        with pytest.raises(JointalignError, match=message):
            fit(tagger(training), *texts, QUICK)
    broken = tagger(training)
    broken.network["tags"].bias.data.fill_(torch.nan)
    with pytest.raises(JointalignError, match="loss is nan at step 1"):
        fit(broken, training, development, QUICK)


def test_a_checkpoint_is_not_taken_up_for_another_language(english, tmp_path):
    """Words of one spelling have other vectors there."""
    training, development = english
    path, once = tmp_path / "state", dataclasses.replace(QUICK, epochs=1)
    first = tagger(training)
    fit(first, training, development, once, checkpoint=path)
    with pytest.raises(JointalignError, match="language: en, now es"):
        fit(tagger(training), training._replace(language="es"), development, once, checkpoint=path)


@pytest.mark.parametrize(
    "settings",
    [
        NO_CHARACTERS,
        dataclasses.replace(NO_CHARACTERS, scheme=Scheme.BIO2),
        dataclasses.replace(NO_CHARACTERS, crf=False),
        dataclasses.replace(NO_CHARACTERS, input_transitions=True),
    ],
    ids=["IOBES", "BIO2", "no CRF", "steps from the words"],
)
def test_probabilities_of_entities_are_summed_over_all_lawful_rows(english, settings):
    model = tagger(english[0], settings)
    fit(model, *english, dataclasses.replace(QUICK, epochs=1))
    short = [s for s in english[1].sentences if len(s) <= 4][:8]
    examples = Examples(model, short, "en")
    found, seen = find_all(model, examples), 0
    assert [tags for tags, _ in found] == tag_all(model, examples)
    for number, (tags, entities) in enumerate(found):
        assert [(e.start, e.end, e.type) for e in entities] == [(s.start, s.end, s.type) for s in spans(tags)]
        batch = examples.batch(np.array([number]))
        emissions, chain = model._lawful(batch)
        rows = list(product(range(len(model.labels)), repeat=len(tags)))
        many = emissions.expand(len(rows), -1, -1)
        if chain.steps.dim() == 4:
            chain = chain._replace(steps=chain.steps.expand(len(rows), -1, -1, -1))
        scores = path_score(many, torch.tensor(rows), torch.full((len(rows),), len(tags)), chain)
        chances = torch.softmax(scores.double(), 0).tolist()
        named = [
            {(s.start, s.end, s.type) for s in spans([model.labels[tag] for tag in row])} for row in rows
        ]
        for entity in entities:
            key = entity.start, entity.end, entity.type
            expected = sum(chance for chance, there in zip(chances, named, strict=True) if key in there)
            assert entity.probability == pytest.approx(expected, abs=1e-4)
            seen += expected < 0.999
    assert seen
