"""Does our trainer learn what fastText learns? Same text, same settings, several seeds.

Both train on the first tokens of two novels corpora, joined and (for fastText) shuffled; the
vectors then go through reallocation at gamma 0.9 and Procrustes, and are scored by the rule `muse`.
Neighbours are compared over frequent words. fastText runs with 12 threads in a process of its own,
because with fewer than 11 it leaves part of its input matrix without initial values; speed is
therefore words per CPU-second.

    pip install fasttext-numpy2
    python studies/fasttext_parity.py --data DATA --tokens 1000000 --seeds 3
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from jointalign import (
    Corpus,
    Embedding,
    Lexicon,
    Procrustes,
    SkipGram,
    Vocabulary,
    align,
    bli,
    encode,
    reallocate,
)
from jointalign.retrieval.api import neighbours
from jointalign.storage.files import atomic
from jointalign.training.base import Balance, Noise, Work
from jointalign.version import __version__

TRAIN = """
import fasttext, sys, json, numpy as np, resource
model = fasttext.train_unsupervised(sys.argv[1], model="skipgram", dim=300, thread=12, verbose=0)
usage = resource.getrusage(resource.RUSAGE_SELF)
words = [word for word in model.get_words() if word != "</s>"]
vectors = np.array([model.get_word_vector(word) for word in words], np.float32)
np.save(sys.argv[2], vectors)
facts = {"words": words, "cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}
json.dump(facts, open(sys.argv[3], "w"))
"""


def first_tokens(data: Path, language: str, tokens: int, folder: Path) -> Path:
    path = folder / f"{language}.txt"
    seen = 0
    with path.open("w") as file:
        for line in Corpus(data / "mono" / f"novels.{language}.txt.bz2", language).lines():
            file.write(" ".join(line) + "\n")
            seen += len(line)
            if seen >= tokens:
                return path
    return path


def fasttext(lines: list[str], seed: int, folder: Path) -> tuple[Embedding, float]:
    random.Random(seed).shuffle(lines)
    joined = folder / "joined.txt"
    joined.write_text("".join(lines))
    vectors, facts = folder / "vectors.npy", folder / "facts.json"
    subprocess.run([sys.executable, "-c", TRAIN, joined, vectors, facts], check=True)
    about = json.loads(facts.read_text())
    embedding = Embedding(Vocabulary(tuple(about["words"])), np.load(vectors))
    return embedding, about["cpu"]


def overlap(first: Embedding, second: Embedding, count: int = 10) -> float:
    """Mean share of common nearest neighbours over 200 frequent words, within common words."""
    words = [word for word in first.words if word in second]
    a, b = (e.vectors[[e.vocabulary.rows[word] for word in words]] for e in (first, second))
    rows = np.linspace(200, min(5000, len(words)) - 1, 200).astype(int)
    near = [neighbours(x[rows], x, count + 1, score="nn").rows[:, 1:] for x in (a, b)]
    return float(np.mean([len(set(p) & set(q)) / count for p, q in zip(*near, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTALIGN_DATA"))
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    lexicons = options.data / "lexicons"
    training = Lexicon.read(lexicons / "en-es.0-5000.txt")
    test = Lexicon.read(lexicons / "en-es.5000-6500.txt")
    found: dict[str, list[dict]] = {"jointalign": [], "fasttext": []}
    spaces: dict[str, list[Embedding]] = {"jointalign": [], "fasttext": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = {x: first_tokens(options.data, x, options.tokens, folder) for x in ("en", "es")}
        encoded = [
            encode(Corpus(path, language, tokenized=True), folder / language)
            for language, path in paths.items()
        ]
        counts = [corpus.counts for corpus in encoded]
        total = 5 * sum(count.total for count in counts)
        # Compile first: a user compiles once, not once a training.
        SkipGram(dimensions=300, epochs=1).fit(Corpus(paths["en"], tokenized=True), threads=1)
        lines = [line for path in paths.values() for line in path.open()]
        for seed in range(options.seeds):
            begun = time.process_time()
            ours = SkipGram(balance=Balance.NONE, noise=Noise.JOINT).fit_encoded(encoded, work=Work(seed, 1))
            cpu = time.process_time() - begun
            theirs, their_cpu = fasttext(lines, seed, folder)
            for name, embedding, seconds in (("jointalign", ours, cpu), ("fasttext", theirs, their_cpu)):
                space = align(reallocate(embedding, *counts, 0.9), Procrustes(), training)
                results = bli.evaluate_rules(space, test)
                found[name].append(
                    {
                        "seed": seed,
                        "p_at_1": results["muse", "kept"].p_at_1,
                        "p_at_1_identical_removed": results["muse", "removed"].p_at_1,
                        "n": results["muse", "kept"].n,
                        "words_per_cpu_second": total / seconds,
                    }
                )
                spaces[name].append(embedding)
                sys.stderr.write(f"{name} {found[name][-1]}\n")
    summary = {
        name: {
            key: [float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0]
            for key in ("p_at_1", "p_at_1_identical_removed", "words_per_cpu_second")
            if (values := [run[key] for run in runs])
        }
        for name, runs in found.items()
    }
    result = {
        "question": "Does our skip-gram learn what fastText's does?",
        "command": "python studies/fasttext_parity.py --data DATA "
        f"--tokens {options.tokens} --seeds {options.seeds}",
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": found,
        "mean_and_deviation": summary,
        "neighbours_in_common_of_10": {
            "ours_theirs": [
                overlap(a, b) for a, b in zip(spaces["jointalign"], spaces["fasttext"], strict=True)
            ],
            "ours_ours": [overlap(a, b) for a, b in combinations(spaces["jointalign"], 2)],
            "theirs_theirs": [overlap(a, b) for a, b in combinations(spaces["fasttext"], 2)],
        },
    }
    path = Path(__file__).parent / "results" / "fasttext_parity.json"
    with atomic(path, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    sys.stdout.write(json.dumps(result["mean_and_deviation"], indent=1) + "\n")
    sys.stdout.write(json.dumps(result["neighbours_in_common_of_10"], indent=1) + "\n")


if __name__ == "__main__":
    main()
