"""The Transformer and its decoding, against full recomputation and against another library."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from jointalign.translation._decode import TranslationSearch, decode  # noqa: E402
from jointalign.translation._model import (  # noqa: E402
    Network,
    Plan,
    initial_weights,
    padding_mask,
)
from jointalign.translation._text import (  # noqa: E402
    Sentences,  # noqa: E402
    source_tensor,
    target_tensors,
)
from jointalign.translation.base import END, SPECIAL, START_TARGET, Shape  # noqa: E402

VOCABULARY = 40
ALLOWED = np.array([END, *range(SPECIAL, VOCABULARY)])


def network(shape=None, separate=False, seed=0, scale=3.0):
    """A random model with an opinion: larger weights, so that outputs end and differ."""
    plan = Plan(shape or Shape(16, 32, 2, 2, 2, 1, 1), VOCABULARY, separate)
    weights = initial_weights(plan, seed)
    weights = {n: w * scale if n.startswith("table") else w for n, w in weights.items()}
    weights["table.0.bias"] += torch.randn(VOCABULARY, generator=torch.manual_seed(seed)) / 2
    weights["table.0.bias"][END] += 3.0
    return Network(plan, weights, torch.float32), weights


def text(count=12, seed=0):
    random = np.random.default_rng(seed)
    return Sentences.of([random.integers(SPECIAL, VOCABULARY, n) for n in random.integers(1, 12, count)])


def translated(net, sentences, **options):
    found = dict(decode(net, sentences, (0, 1), ALLOWED, TranslationSearch(**options)))
    return [found[row].tolist() for row in range(len(sentences))]


def plainly(net, row, limit):
    """Greedy translation that computes everything anew for each token."""
    source = source_tensor(Sentences.of([row]), 0, torch.device("cpu"))
    tokens = [START_TARGET]
    with torch.no_grad():
        memory = net.encode(source, 0)
        while len(tokens) <= limit:
            states = net.decode(torch.tensor([tokens]), 1, memory, padding_mask(source))
            best = int(ALLOWED[int(net.logits(states[0, -1], 1)[ALLOWED].argmax())])
            if best == END:
                break
            tokens.append(best)
    return tokens[1:]


@pytest.mark.parametrize("first", [False, True], ids=["norm after", "norm first"])
def test_cache_gives_what_full_recomputation_gives(first):
    net, _ = network(Shape(16, 32, 2, 2, 2, 1, 1, first))
    sentences = text()
    found = translated(net, sentences)
    limits = (1.5 * sentences.lengths).astype(int) + 10
    assert found == [plainly(net, row, n) for row, n in zip(sentences, limits, strict=True)]
    assert len({len(row) for row in found}) > 2, "some should end early"


def test_beam_of_one_is_greedy():
    net, _ = network()
    sentences = text()
    from jointalign.translation._decode import _beam

    source = source_tensor(sentences, 0, torch.device("cpu"))
    limits = (1.5 * sentences.lengths).astype(np.int64) + 10
    with torch.inference_mode():
        found = _beam(net, source, (0, 1), torch.from_numpy(ALLOWED), limits, TranslationSearch(1))
    assert [row.tolist() for row in found] == translated(net, sentences)


def total(net, row, output, ended):
    """Log-probability of an output."""
    wanted = [*output, END] if ended else output
    source = source_tensor(Sentences.of([row]), 0, torch.device("cpu"))
    with torch.no_grad():
        memory = net.encode(source, 0)
        given = torch.tensor([[START_TARGET, *wanted[:-1]]])
        logits = net.logits(net.decode(given, 1, memory, None)[0], 1)[:, ALLOWED]
        logs = torch.log_softmax(logits, -1)
    places = {token: place for place, token in enumerate(ALLOWED.tolist())}
    return sum(float(logs[n, places[token]]) for n, token in enumerate(wanted))


def test_wide_beam_finds_the_best_of_all():
    """On outputs of at most two tokens of four, the beam that holds all of them is exhaustive."""
    global ALLOWED
    net, _ = network(scale=1.0)
    before, ALLOWED = ALLOWED, np.array([END, 6, 7, 8])
    try:
        row = np.array([9, 12], np.int32)
        options = {"beam": 16, "factor": 1.0, "extra": 1, "length_penalty": 0.0}
        (found,) = translated(net, Sentences.of([row[:1]]), **options)
        outputs = [[], *([a] for a in (6, 7, 8))]
        best = max(outputs, key=lambda o: total(net, row[:1], o, True))
        assert total(net, row[:1], found, True) >= total(net, row[:1], best, True) - 1e-5
    finally:
        ALLOWED = before


def test_marian_translates_alike():
    pytest.importorskip("transformers")
    from marian import marian

    net, weights = network()
    sentences = text(20, 1)
    theirs = marian(net.plan, weights, ALLOWED)
    source = source_tensor(sentences, 0, torch.device("cpu"))
    ours = translated(net, sentences, factor=1, extra=30)
    with torch.no_grad():
        found = theirs.generate(
            input_ids=source,
            attention_mask=(source != 0).long(),
            max_new_tokens=30,
            do_sample=False,
            num_beams=1,
        ).numpy()[:, 1:]
    for row, (a, b) in enumerate(zip(ours, found, strict=True)):
        ends = np.flatnonzero(b == END)
        expected = b[: ends[0]] if len(ends) else b
        assert a[:30] == expected.tolist(), row


def test_padding_changes_nothing():
    net, _ = network()
    sentences = text()
    alone = [translated(net, sentences.take(np.array([n])))[0] for n in range(len(sentences))]
    assert alone == translated(net, sentences)


def test_layers_are_shared_as_planned():
    plan = Plan(Shape(16, 32, 2), VOCABULARY)
    encoder, decoder = plan.layers("encoder", 0), plan.layers("decoder", 1)
    assert encoder == ["encoder.0.0", "encoder.shared.1", "encoder.shared.2", "encoder.shared.3"]
    assert decoder == ["decoder.shared.0", "decoder.shared.1", "decoder.shared.2", "decoder.1.3"]
    assert Plan(Shape(16, 32, 2), VOCABULARY, True).table(1) == "table.1"


def test_targets_are_shifted():
    given, wanted = target_tensors(Sentences.of([np.array([7, 8])]), 1, torch.device("cpu"))
    assert given.tolist() == [[START_TARGET, 7, 8]]
    assert wanted.tolist() == [[7, 8, END]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shift", [0.0, -50.0], ids=["mixed", "all negative"])
def test_best_is_the_first_highest(dtype, shift):
    from jointalign.translation._decode import _best

    scores = (torch.randn(50, 300, generator=torch.manual_seed(0)) + shift).to(dtype)
    rows = scores.float().tolist()
    assert _best(scores).tolist() == [row.index(max(row)) for row in rows]
