"""How far does VecMap's self-learning get from few pairs, words spelt alike, or none?

The most frequent words of two separate trainings are aligned from the first 25, 100 and 500 source
words of the training dictionary that both sides have (with all their translations), from words
spelt alike, and without any pair. Scored on the test dictionary and the later part of the training
dictionary, which no run learns from (rule `muse`). What is done is kept in the folder of `--out`.

    python studies/small_dictionaries.py --data DATA --source-vectors en.vec \
        --target-vectors es.vec --words 5000 --out runs/small
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from jointalign import BilingualEmbedding, Lexicon, Procrustes, VecMap, align, bli, read
from jointalign.numerics.processors import limited_to
from jointalign.storage.files import atomic
from jointalign.version import __version__

SIZES = ("25", "100", "500", "identical", "none")
LATER = 2000
"""Entries of the training dictionary after this are for testing."""


def first_words(training: Lexicon, space: BilingualEmbedding, count: int) -> Lexicon:
    known = [
        pair
        for pair in tuple(training)[:LATER]
        if pair[0] in space.source.vocabulary and pair[1] in space.target.vocabulary
    ]
    words = list(dict.fromkeys(source for source, _ in known))[:count]
    return Lexicon(tuple(pair for pair in known if pair[0] in set(words)))


def measure(size: str, seed: int, space: BilingualEmbedding, training: Lexicon, test: Lexicon) -> dict:
    if size == "none":
        lexicon, methods = None, {"vecmap": VecMap.unsupervised()}
    elif size == "identical":
        shared = sorted(set(space.source.words) & set(space.target.words))
        lexicon = Lexicon(tuple((word, word) for word in shared))
        methods = {"vecmap": VecMap.semi_supervised(), "procrustes": Procrustes()}
    else:
        lexicon = first_words(training, space, int(size))
        methods = {"vecmap": VecMap.semi_supervised(), "procrustes": Procrustes()}
    found = {"pairs of": size, "pairs": 0 if lexicon is None else len(lexicon), "seed": seed}
    for name, method in methods.items():
        cpu = time.process_time()
        results = bli.evaluate_rules(align(space, method, lexicon, seed=seed), test)
        found[name] = {
            "p_at_1": results["muse", "kept"].p_at_1,
            "ci": results["muse", "kept"].ci,
            "p_at_1_identical_removed": results["muse", "removed"].p_at_1,
            "n": results["muse", "kept"].n,
            "cpu_seconds": round(time.process_time() - cpu, 1),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTALIGN_DATA"))
    parser.add_argument("--pair", default="en-es")
    parser.add_argument("--source-vectors", type=Path, required=True)
    parser.add_argument("--target-vectors", type=Path, required=True)
    parser.add_argument("--words", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sides = [read(path).first(options.words) for path in (options.source_vectors, options.target_vectors)]
    space = BilingualEmbedding.separate(*sides, *options.pair.split("-"))
    lexicons = options.data / "lexicons"
    training = Lexicon.read(lexicons / f"{options.pair}.0-5000.txt")
    test = Lexicon.read(lexicons / f"{options.pair}.5000-6500.txt")
    test = Lexicon((*test, *tuple(training)[LATER:]))
    runs = []
    with limited_to(options.threads):
        for seed in range(options.seeds):
            for size in SIZES:
                path = options.out / f"{size}.seed{seed}.json"
                if not path.exists():
                    run = measure(size, seed, space, training, test)
                    with atomic(path, "w") as file:
                        json.dump(run, file)
                runs.append(json.loads(path.read_text()))
                sys.stderr.write(f"{runs[-1]}\n")
    result = {
        "question": "How far does self-learning get from few pairs?",
        "command": f"python studies/small_dictionaries.py --data DATA --pair {options.pair} "
        f"--source-vectors {options.source_vectors.name} --target-vectors "
        f"{options.target_vectors.name} --words {options.words} --seeds {options.seeds}",
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": runs,
    }
    with atomic(Path(__file__).parent / "results" / "small_dictionaries.json", "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
