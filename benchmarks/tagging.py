"""How fast is a tagger learnt and used, beside the prototype that its design came from?

Sentences a second of processor time on one thread, English CoNLL-2003 with random vectors, which
cost as much as any others. `--data` is a folder with `ner/en/train.txt.bz2`.

python benchmarks/tagging.py --data DATA
"""

import argparse
import json
import sys
import time
from pathlib import Path

import _machine
import numpy as np

from jointalign.ner import (
    Alphabet,
    Examples,
    FitSettings,
    Scheme,
    StaticInputs,
    Tagger,
    TaggerSettings,
    Text,
    WordTable,
    conll,
    fit,
    tag_all,
    torch_threads,
)
from jointalign.ner.api import drawn, labels_of

PROTOTYPE = {"with characters": 520, "without": 900}
"""The same network with packed sequences, 100 dimensions, batches of 16, on the same machine."""


def measured(sentences, dimensions, characters):
    words = sorted({word.lower() for sentence in sentences for word in sentence.words})
    vectors = np.random.default_rng(0).standard_normal((1 + len(words), dimensions))
    table = WordTable(
        (0.1 * vectors).astype(np.float32),
        {"en": dict(zip(words, range(1, len(words) + 1), strict=True))},
    )
    settings = TaggerSettings() if characters else TaggerSettings().without_characters()
    tagger = Tagger(
        settings, StaticInputs(table), labels_of(sentences, Scheme.IOBES), Alphabet.of(sentences)
    )
    history = fit(tagger, Text(sentences, "en"), Text(sentences[:50], "en"), FitSettings(epochs=1))
    begun = time.process_time()
    tag_all(tagger, Examples(tagger, sentences, "en"))
    seconds = time.process_time() - begun
    return {
        "dimensions": dimensions,
        "characters": characters,
        "learnt_a_second": round(history.sentences_per_second),
        "tagged_a_second": round(len(sentences) / seconds),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=4000)
    options = parser.parse_args()
    sentences = conll.read(options.data / "ner" / "en" / "train.txt.bz2").sentences
    sentences = drawn(sentences, options.sentences)
    with torch_threads(1):
        rows = [measured(sentences, d, c) for d in (100, 300) for c in (True, False)]
    result = {
        "command": "python benchmarks/tagging.py --data DATA",
        "sentences": len(sentences),
        "prototype_learnt_a_second": PROTOTYPE,
        "rows": rows,
        "machine": _machine.facts(),
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
