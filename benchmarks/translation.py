"""How much faster is our greedy translation than transformers' `generate`, and our training?

Both translate the same sentences with the same weights, in one process on one thread, and take
turns, so that a busy machine is as busy for both (`ratio` is the median over turns); times are of
the processor. The reference is the Marian model of `transformers`, which makes the same
translations (`equal`, in float32), in batches of 32 as they come. Weights are random; most
translations are as long as is allowed, 40 tokens. Training is an iteration of denoising and
back-translation in both languages; the reference makes the same steps with Marian, `generate` and
one batch of 32 at a time. `generation_share` says how much of it is back-translating: less than in
real training, where translations end later.

    python benchmarks/translation.py            256 dimensions, 2 + 2 layers, 8,348 tokens
    python benchmarks/translation.py --quick    fewer sentences, under two minutes

Rates are target tokens a processor second (training: tokens of text). `ceiling` is what the matrix
products of greedy translation alone would allow at the rate measured here in our precision.
"""

import argparse
import json
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from _machine import facts as machine

from jointalign.translation._decode import TranslationSearch, decode
from jointalign.translation._loop import EpochTally, Training
from jointalign.translation._model import Network, Plan, initial_weights, precision_named
from jointalign.translation._text import Sentences, source_tensor, target_tensors
from jointalign.translation.base import END, SPECIAL, Shape, TranslationFitSettings
from jointalign.version import __version__

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from marian import marian  # noqa: E402

CPU = torch.device("cpu")
BATCH = 32
END_BIAS = 2.5  # random weights would otherwise hardly ever end a translation


def sentences(count, vocabulary, seed):
    """Sentences of 4 to 30 tokens, 14 in the mean, as captions have."""
    random = np.random.default_rng(seed)
    lengths = np.clip(random.gamma(6.0, 14 / 6, count).round().astype(int), 4, 30)
    return Sentences.of([random.integers(SPECIAL, vocabulary, length) for length in lengths])


def model(options):
    plan = Plan(Shape(options.dimensions, 4 * options.dimensions, 4, 2, 2, 1, 1), options.vocabulary)
    weights = initial_weights(plan, options.seed)
    weights["table.0.bias"][END] = END_BIAS
    return plan, weights, np.array([END, *range(SPECIAL, options.vocabulary)])


def processor_seconds(work):
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def translated(network, text, allowed, longest):
    """Our translations, in the order of the text."""
    search = TranslationSearch(factor=1.0, extra=longest)
    found = dict(decode(network, text, (0, 1), allowed, search))
    return [found[row][:longest] for row in range(len(text))]


def generated(theirs, text, longest):
    """Marian's, batch by batch as they come."""
    found = []
    for start in range(0, len(text), BATCH):
        rows = np.arange(start, min(start + BATCH, len(text)))
        source = source_tensor(text.take(rows), 0, CPU)
        with torch.inference_mode():
            output = theirs.generate(
                input_ids=source,
                attention_mask=(source != 0).long(),
                max_new_tokens=longest,
                do_sample=False,
                num_beams=1,
            ).numpy()[:, 1:]
        for row in output:
            ends = np.flatnonzero(row == END)
            found.append(row[: ends[0]] if len(ends) else row)
    return found


def product_rate(dtype, dimensions):
    """Multiplications and additions a second of matrix products of a batch of 256."""
    x = torch.randn(256, dimensions, dtype=dtype)
    w = torch.randn(4 * dimensions, dimensions, dtype=dtype)
    for _ in range(20):
        torch.nn.functional.linear(x, w)
    spent, _ = processor_seconds(lambda: [torch.nn.functional.linear(x, w) for _ in range(200)])
    return 200 * 2 * x.numel() * w.shape[0] / spent


def translation(options, count):
    plan, weights, allowed = model(options)
    text = sentences(count, options.vocabulary, options.seed + 1)
    theirs = marian(plan, weights, allowed)
    dtype = precision_named("auto", CPU)
    network = Network(plan, weights, dtype)
    exact = Network(plan, weights, torch.float32)
    longest, few = 40, text.take(np.arange(min(32, count)))
    same = [
        a.tolist() == b.tolist()
        for a, b in zip(
            translated(exact, few, allowed, longest), generated(theirs, few, longest), strict=True
        )
    ]
    rates = {"ours": [], "reference": []}
    for _ in range(options.repeats):
        for name, work in (
            ("ours", lambda: translated(network, text, allowed, longest)),
            ("reference", lambda: generated(theirs, text, longest)),
        ):
            spent, found = processor_seconds(work)
            rates[name].append(sum(len(row) + 1 for row in found) / spent)
    d, layers = options.dimensions, plan.shape.decoder_layers
    # A token: 4 projections of self-attention, 2 of the source's, feed-forward, output.
    operations = 2 * (layers * (6 * d * d + 8 * d * d) + options.vocabulary * d)
    ours, reference = np.median(rates["ours"]), np.median(rates["reference"])
    return {
        "ours": round(float(ours), 1),
        "reference": round(float(reference), 1),
        "ratio": round(float(np.median(np.divide(rates["ours"], rates["reference"]))), 2),
        "ceiling": round(product_rate(dtype, d) / operations, 1),
        "equal": round(float(np.mean(same)), 4),
        "precision": str(dtype).removeprefix("torch."),
    }


def training(options, iterations):
    """Tokens a processor second of our loop, and of the same steps with Marian."""
    plan, weights, allowed = model(options)
    texts = [sentences(4000, options.vocabulary, options.seed + n) for n in (2, 3)]
    settings = TranslationFitSettings.small(dropout=0.0, batch_sentences=64)
    ours = Training(plan, dict(weights), tuple(texts), (allowed, allowed), settings, options.seed)
    ours.round(EpochTally())  # what is set up once
    tally = EpochTally()
    for _ in range(max(1, iterations // settings.generation_batches)):
        ours.round(tally)
    theirs = marian(plan, {n: w.detach() for n, w in weights.items()}, allowed)
    theirs.train()
    optimizer = torch.optim.Adam(theirs.parameters(), 1e-3, (0.5, 0.999))
    steps = [
        lambda n=n, side=side: _marian_steps(theirs, optimizer, texts[side], n)
        for n in range(max(1, iterations // 2))
        for side in (0, 1)
    ]
    spent, tokens = processor_seconds(lambda: sum(step() for step in steps))
    rate = tally.tokens / tally.cpu_seconds
    return {
        "ours": round(rate, 1),
        "reference": round(tokens / spent, 1),
        "ratio": round(rate * spent / tokens, 2),
        "generation_share": round(tally.generation_seconds / tally.seconds, 3),
    }


def _marian_steps(theirs, optimizer, text, number):
    """Denoise one batch, back-translate it and learn from that; returns the tokens learnt from."""
    rows = np.arange(number * BATCH, (number + 1) * BATCH) % len(text)
    batch = text.take(rows)
    translations = generated(theirs.eval(), batch, 40)
    theirs.train()
    for source in (batch, Sentences.of([row[row >= SPECIAL] for row in translations])):
        tokens = source_tensor(source, 0, CPU)
        given, wanted = target_tensors(batch, 1, CPU)
        output = theirs(input_ids=tokens, attention_mask=(tokens != 0).long(), decoder_input_ids=given)
        scores = output.logits[wanted != 0].masked_fill(output.logits[wanted != 0].isinf(), -1e4)
        torch.nn.functional.cross_entropy(scores, wanted[wanted != 0]).backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return 2 * len(batch.tokens)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dimensions", type=int, default=256)
    parser.add_argument("--vocabulary", type=int, default=8348)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--iterations", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="256 sentences, once; 4 iterations")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.quick:
        options.sentences, options.iterations, options.repeats = 256, 4, 1
    torch.set_num_threads(1)
    result = translation(options, options.sentences)
    result["training"] = training(options, options.iterations)
    result |= {
        "unit": "tokens a processor second",
        "shape": asdict(Shape(options.dimensions, 4 * options.dimensions, 4, 2, 2, 1, 1)),
        "vocabulary": options.vocabulary,
        "sentences": options.sentences,
        "seed": options.seed,
        "command": shlex.join(["python", *sys.argv]),
        "version": __version__,
        "torch": torch.__version__,
        "machine": machine(),
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
