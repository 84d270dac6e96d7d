"""Why does alignment without reallocation fail on Wikipedia and not on novels?

Novels hardly quote the other language, so most dictionary words are in one corpus only and nothing
is overshared. Here a share of the lines of each corpus is replaced by lines of the other, as web
text would have it, and joint training is scored without and with reallocation (gamma 0.9), both
followed by Procrustes, and, as a floor, alone.

    python studies/leak.py --data DATA --tokens 2000000
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np

from jointalign import Corpus, Lexicon, Procrustes, SkipGram, align, bli, encode, reallocate
from jointalign.alignment.api import training_pairs
from jointalign.storage.files import atomic
from jointalign.training.base import Noise, Work
from jointalign.version import __version__

SHARES = (0.0, 0.002, 0.01, 0.03)
GAMMA = 0.9


def lines_of(data: Path, language: str, tokens: int) -> list[str]:
    seen, lines = 0, []
    for line in Corpus(data / "mono" / f"novels.{language}.txt.bz2", language).lines():
        lines.append(" ".join(line) + "\n")
        seen += len(line)
        if seen >= tokens:
            break
    return lines


def mixed(own: list[str], other: list[str], share: float, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    foreign = random.random(len(own)) < share
    chosen = random.integers(0, len(other), len(own))
    return [other[c] if f else o for o, f, c in zip(own, foreign, chosen, strict=True)]


def scored(space, test: Lexicon) -> dict:
    results = bli.evaluate_rules(space, test)
    facts = {}
    for identical in bli.Identical:
        result = results[bli.OutOfVocabulary.MUSE, identical]
        facts[f"identical {identical}"] = {"p_at_1": result.p_at_1, "ci": list(result.ci), "n": result.n}
    return facts


def trial(texts: dict[str, list[str]], share: float, options, folder: Path) -> dict:
    encoded = []
    for number, (language, other) in enumerate((("en", "es"), ("es", "en"))):
        path = folder / f"{language}.{share}.txt"
        path.write_text("".join(mixed(texts[language], texts[other], share, number)))
        corpus = Corpus(path, language, tokenized=True)
        encoded.append(encode(corpus, folder / f"{language}.{share}"))
    counts = [corpus.counts for corpus in encoded]
    lexicons = options.data / "lexicons"
    training = Lexicon.read(lexicons / "en-es.0-5000.txt")
    test = Lexicon.read(lexicons / "en-es.5000-6500.txt")
    joint = SkipGram(noise=Noise.JOINT, shared_noise=1).fit_encoded(encoded, work=Work(options.seed))
    whole, split = reallocate(joint, *counts, 1.0), reallocate(joint, *counts, GAMMA)
    found = {"share": share}
    for name, space in (("without reallocation", whole), ("with reallocation", split)):
        _, report = training_pairs(space, training)
        aligned = align(space, Procrustes(), training)
        found[name] = {"pairs": report.to_json(), **scored(aligned, test)}
    found["joint alone"] = scored(whole, test)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTALIGN_DATA"))
    parser.add_argument("--tokens", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    texts = {x: lines_of(options.data, x, options.tokens) for x in ("en", "es")}
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for share in SHARES:
            rows.append(trial(texts, share, options, Path(temporary)))
            sys.stderr.write(json.dumps(rows[-1]) + "\n")
    result = {
        "question": "Why does alignment without reallocation fail on Wikipedia, not on novels?",
        "command": f"python studies/leak.py --data DATA --tokens {options.tokens} --seed {options.seed}",
        "seed": options.seed,
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": rows,
    }
    with atomic(Path(__file__).parent / "results" / "leak.json", "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    for row in rows:
        cells = [
            f"{name}: {row[name]['identical removed']['p_at_1']:.1f}"
            for name in ("joint alone", "without reallocation", "with reallocation")
        ]
        sys.stdout.write(f"{100 * row['share']:.1f} % foreign lines: {', '.join(cells)}\n")


if __name__ == "__main__":
    main()
