"""How fast is a tagger learnt and used, beside the prototype that its design came from?

English CoNLL-2003 with random vectors, which cost as much as any others. `rows`: sentences a second
of processor time on one thread, without reading anything. `command_line`: `jointalign ner predict`
on a text of 20,000 sentences that are longer than most, from its start to its end, with 60,000
vectors a language to read; of processor time, and by the clock, which a busy machine makes slower.

    python benchmarks/tagging.py --data DATA            about three minutes
    python benchmarks/tagging.py --data DATA --quick    fewer sentences
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _machine
import numpy as np

from jointalign.ner import (
    Alphabet,
    Examples,
    Scheme,
    StaticInputs,
    Tagger,
    TaggerFitSettings,
    TaggerSettings,
    Text,
    WordTable,
    conll,
    fit,
    tag_all,
    torch_threads,
)
from jointalign.ner.api import drawn, labels_of, train, write

PROTOTYPE = {"with characters": 520, "without": 900}
"""The same network with packed sequences, 100 dimensions, batches of 16, on the same machine."""


def measured(sentences, dimensions, characters):
    words = sorted({word.lower() for sentence in sentences for word in sentence.words})
    vectors = np.random.default_rng(0).standard_normal((1 + len(words), dimensions))
    table = WordTable(
        (0.1 * vectors).astype(np.float32), {"en": dict(zip(words, range(1, len(words) + 1), strict=True))}
    )
    settings = TaggerSettings() if characters else TaggerSettings().without_characters()
    tagger = Tagger(settings, StaticInputs(table), labels_of(sentences, Scheme.IOBES), Alphabet.of(sentences))
    history = fit(tagger, Text(sentences, "en"), Text(sentences[:50], "en"), TaggerFitSettings(epochs=1))
    begun = time.process_time()
    tag_all(tagger, Examples(tagger, sentences, "en"))
    seconds = time.process_time() - begun
    return {
        "dimensions": dimensions,
        "characters": characters,
        "learnt_a_second": round(history.sentences_per_second),
        "tagged_a_second": round(len(sentences) / seconds),
    }


def random_table(words, size, dimensions=300):
    """Vectors of some words in two languages, and of so many more that each has `size`."""
    words = (words + [f"filler{number}" for number in range(size)])[:size]
    vectors = np.random.default_rng(0).standard_normal((1 + 2 * size, dimensions), np.float32)
    rows = {
        code: dict(zip(words, range(start, start + size), strict=True))
        for code, start in (("en", 1), ("xx", 1 + size))
    }
    return WordTable(0.1 * vectors, rows)


def from_start_to_end(sentences, count, vocabulary):
    """The command line on a file of so many lines of 24 to 40 words."""
    words = sorted({word.lower() for sentence in sentences for word in sentence.words})
    text = Text(sentences[:1000], "en")
    model = train(random_table(words, vocabulary), text, text, fit_settings=TaggerFitSettings(epochs=1))
    flat = [word for sentence in sentences for word in sentence.words]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path, tagger = Path(folder, "text.txt"), Path(folder, "tagger")
        write(model, tagger)
        starts, lengths = rng.integers(0, len(flat) - 40, count), rng.integers(24, 41, count)
        with path.open("w") as file:
            for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
                file.write(" ".join(flat[start : start + length]) + "\n")
        command = [sys.executable, "-m", "jointalign", "ner", "predict", str(tagger), str(path)]
        command += ["--language", "xx", "--tokenized", "--out", str(Path(folder, "out"))]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        clock = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "sentences": count,
        "words": int(lengths.sum()),
        "vectors_a_language": vocabulary,
        "processor_seconds": round(processor, 2),
        "clock_seconds": round(clock, 2),
        "tagged_a_processor_second": round(count / processor),
        "tagged_a_second": round(count / clock),
        "peak_memory_mb": round(after.ru_maxrss / 1024),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="has ner/en/train.txt.bz2")
    _machine.add_options(parser, "1,000 sentences learnt, 4,000 tagged, 20,000 vectors a language")
    options = parser.parse_args()
    everything = conll.read(options.data / "ner" / "en" / "train.txt.bz2").sentences
    sentences = drawn(everything, 1000 if options.quick else 4000, options.seed)
    sizes = (4_000, 20_000) if options.quick else (20_000, 60_000)
    with torch_threads(1):
        rows = [measured(sentences, d, c) for d in (100, 300) for c in (True, False)]
        whole = from_start_to_end(sentences, *sizes)
    result = {
        "sentences": len(sentences),
        "prototype_learnt_a_second": PROTOTYPE,
        "rows": rows,
        "command_line": whole,
    }
    _machine.report(result, options)


if __name__ == "__main__":
    main()
