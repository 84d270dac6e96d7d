"""Which choices of joint training help? Each against the paper's noise, on the same text and seeds.

For every pair and seed a joint embedding is trained on the first tokens of both texts, reallocated
at gamma 0.9 and aligned; P@1 by two rules, with identical test pairs and without. A difference is
given with its 95 % interval over seeds (and over pairs and seeds together). What is done is kept in
the folder of `--out` and found again when the command is repeated.

    python studies/training.py --data DATA --tokens 2000000 --seeds 3 --out runs/training
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from jointalign import (
    Corpus,
    EncodedCorpus,
    Lexicon,
    Procrustes,
    SkipGram,
    VecMap,
    align,
    bli,
    encode,
    reallocate,
)
from jointalign.storage.files import atomic
from jointalign.training.base import Balance, Noise, Work
from jointalign.version import __version__

CORPORA = {"en-es": "novels", "en-de": "novels", "en-fr": "europarl"}
BASE = "the paper's noise"
DEFAULT = SkipGram(noise=Noise.JOINT)
OWN = "noise of its own for each context"
EVERYWHERE = {BASE: DEFAULT, "noise by language": replace(DEFAULT, noise=Noise.LANGUAGE)}
THOROUGH = EVERYWHERE | {OWN: replace(DEFAULT, shared_noise=1)}
VARIANTS = THOROUGH | {
    "noise shared by 16 centres": replace(DEFAULT, shared_noise=16),
    "texts in the other order": DEFAULT,
    "no balancing": replace(DEFAULT, balance=Balance.NONE),
    "learning rate 0.025": replace(DEFAULT, learning_rate=0.025),
    "learning rate 0.1": replace(DEFAULT, learning_rate=0.1),
}
MAPPINGS = {"procrustes": Procrustes(), "vecmap": VecMap.supervised()}
# Of Student's distribution, two-sided 95 %, by degrees of freedom.
T = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31}


def encoded(data: Path, out: Path, corpus: str, language: str, tokens: int) -> EncodedCorpus:
    folder = out / f"{corpus}.{language}"
    if not (folder / "info.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        short, seen = folder / "text.txt", 0
        with atomic(short, "w") as file:
            for line in Corpus(data / "mono" / f"{corpus}.{language}.txt.bz2", language).lines():
                file.write(" ".join(line) + "\n")
                seen += len(line)
                if seen >= tokens:
                    break
        encode(Corpus(short, language, tokenized=True), folder)
    return EncodedCorpus.open(folder)


def measure(name: str, pair: str, seed: int, options: argparse.Namespace) -> dict:
    languages = pair.split("-")
    texts = [encoded(options.data, options.out, CORPORA[pair], x, options.tokens) for x in languages]
    lexicons = options.data / "lexicons"
    training = Lexicon.read(lexicons / f"{pair}.0-5000.txt")
    test = Lexicon.read(lexicons / f"{pair}.5000-6500.txt")
    ordered = texts[::-1] if name == "texts in the other order" else texts
    begun, cpu = time.perf_counter(), time.process_time()
    joint = VARIANTS[name].fit_encoded(ordered, work=Work(seed, 1))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
    found: dict = {"variant": name, "pair": pair, "seed": seed, "cpu": cpu, "wall": wall}
    split = reallocate(joint, *(text.counts for text in texts), 0.9)
    for label, method in {"none": None, **MAPPINGS}.items():
        space = split if method is None else align(split, method, training)
        for (rule, identical), result in bli.evaluate_rules(space, test).items():
            found[f"{label} {rule} {identical}"] = result.p_at_1
    return found


def interval(differences: list[float]) -> list[float]:
    mean = float(np.mean(differences))
    if len(differences) < 2:
        return [mean, float("nan"), float("nan")]
    half = T[min(8, len(differences) - 1)] * np.std(differences, ddof=1) / len(differences) ** 0.5
    return [round(mean, 2), round(mean - float(half), 2), round(mean + float(half), 2)]


def summary(runs: list[dict]) -> dict:
    """Mean difference to the default and its interval, for each pair and all of them."""
    base = {(run["pair"], run["seed"]): run for run in runs if run["variant"] == BASE}
    scores = [key for key in runs[0] if " " in key]
    found: dict = {BASE: {key: interval([run[key] for run in base.values()]) for key in scores}}
    for name in VARIANTS:
        for pair in (*CORPORA, "all"):
            chosen = [
                (run, base[run["pair"], run["seed"]])
                for run in runs
                if run["variant"] == name != BASE
                and pair in (run["pair"], "all")
                and (run["pair"], run["seed"]) in base
            ]
            if chosen:
                found[f"{name}, {pair}"] = {
                    key: interval([run[key] - other[key] for run, other in chosen]) for key in scores
                }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTALIGN_DATA"))
    parser.add_argument("--tokens", type=int, default=2_000_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--side-seeds", type=int, default=2, help="of what concerns noise least")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    runs = []
    for seed in range(options.seeds):
        for pair in CORPORA:
            thorough = VARIANTS if seed < options.side_seeds else THOROUGH
            for name in thorough if pair == "en-es" else EVERYWHERE:
                path = options.out / f"{name.replace(' ', '_')}.{pair}.seed{seed}.json"
                if not path.exists():
                    run = measure(name, pair, seed, options)
                    with atomic(path, "w") as file:
                        json.dump(run, file)
                runs.append(json.loads(path.read_text()))
                sys.stderr.write(f"{runs[-1]}\n")
    result = {
        "question": "Which choices of joint training help?",
        "command": f"python studies/training.py --data DATA --tokens {options.tokens} "
        f"--seeds {options.seeds} --out runs/training",
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "gamma": 0.9,
        "difference_to_the_papers_noise": summary(runs),
        "runs": runs,
    }
    path = Path(__file__).parent / "results" / "training.json"
    with atomic(path, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    sys.stdout.write(json.dumps(result["difference_to_the_papers_noise"], indent=1) + "\n")


if __name__ == "__main__":
    main()
