"""How to choose space, gamma and mapping: one slice, three folds, or the simplest near the best?

For each pair and seed: a joint training and two separate ones on the first tokens of each text. All
that `jointalign run` tries is tried on three folds of the training dictionary. From the same trials each
rule makes its choice in two rounds, as `jointalign.choose` does: a space, under one mapping, Procrustes
or VecMap; then a mapping there.

- one slice: the highest P@1 on the first fold alone;
- three folds: the highest P@1 on all three;
- one standard error: the simplest within one standard error of that.

Each choice learns from the whole training dictionary and is scored on the test dictionary: P@1, rule
muse, identical pairs kept.

    python studies/choice.py --data DATA --out runs/choice --methods procrustes,vecmap,geomm
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean

from jointalign import BilingualEmbedding, Lexicon, SkipGram, Spaces, align, bli, choose, read, write
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import encode
from jointalign.corpora.tokenization import tokenizer
from jointalign.numerics.processors import limited_to
from jointalign.selection.api import GAMMAS
from jointalign.selection.base import Trial, highest, simplest
from jointalign.storage.files import atomic, read_lines
from jointalign.training.base import Work
from jointalign.version import __version__

PAIRS = {"en-es": "novels", "en-de": "novels", "en-fr": "europarl"}
FOLDS = 3
JUDGES = ("procrustes", "vecmap")


def shortened(path: Path, language: str, tokens: int, out: Path) -> Path:
    """The first lines of a text, until there are so many tokens."""
    if not out.exists():
        cut, seen = tokenizer(language), 0
        with atomic(out, "w") as file:
            for _, line in read_lines(path):
                seen += len(cut(line))
                file.write(line + "\n")
                if seen >= tokens:
                    break
    return out


def trained(pair: str, seed: int, arguments: argparse.Namespace) -> Spaces:
    """The spaces of a pair; vectors that are in the folder are not trained again."""
    languages, corpora = tuple(pair.split("-")), []
    for language in languages:
        name = f"{PAIRS[pair]}.{language}"
        text = arguments.data / "mono" / f"{name}.txt.bz2"
        short = shortened(text, language, arguments.tokens, arguments.out / f"{name}.txt")
        corpora.append(encode(Corpus(short, language), arguments.out / name, arguments.threads))
    trainer = SkipGram(arguments.dimensions, epochs=arguments.epochs)
    embeddings = []
    for part, texts in {pair: corpora, languages[0]: corpora[:1], languages[1]: corpora[1:]}.items():
        path = arguments.out / f"{PAIRS[pair]}.{part}.seed{seed}.safetensors"
        if not path.exists():
            write(trainer.fit_encoded(texts, work=Work(seed, arguments.threads)), path)
        embeddings.append(read(path))
    joint, source, target = embeddings
    separate = BilingualEmbedding.separate(source, target, *languages)
    return Spaces((joint, *(corpus.counts for corpus in corpora)), separate, languages)


def by_rules(spaces: Spaces, training: Lexicon, seed: int, methods: list[str]) -> dict[str, Trial]:
    """Each rule's choice, by the rule's name and that of the mapping which compares the spaces."""

    def tried(space: Spaces | BilingualEmbedding, methods: list[str], gammas=GAMMAS):
        return choose(space, training, methods, gammas, seed=seed).trials

    def one_slice(trials):
        return highest([replace(each, right=each.right[: len(each.right) // FOLDS]) for each in trials])

    found, there = {}, {}
    for judge in JUDGES:
        compared = tried(spaces, [judge])
        for name, rule in {
            "one slice": one_slice,
            "three folds": highest,
            "one standard error": simplest,
        }.items():
            place = rule(compared)
            if place.made_in not in there:
                joint = Spaces(spaces.joint, None, spaces.languages)
                of = (joint, methods, [place.gamma]) if not place.space else (spaces.of(place), methods)
                there[place.made_in] = tried(*of)
            here = sorted(there[place.made_in], key=lambda trial: trial.method.searches(1, 1) > 0)
            found[f"{judge}, {name}"] = replace(rule(here), space=place.space)
    return found


def measure(pair: str, seed: int, arguments: argparse.Namespace) -> dict:
    folder = arguments.data / "lexicons"
    training = Lexicon.read(folder / f"{pair}.0-5000.txt")
    test = Lexicon.read(folder / f"{pair}.5000-6500.txt")
    spaces = trained(pair, seed, arguments)
    cpu, scores = time.process_time(), {}
    facts = {"pair": pair, "seed": seed, "rules": {}}
    for rule, trial in by_rules(spaces, training, seed, arguments.methods.split(",")).items():
        key = trial.made_in, trial.method
        if key not in scores:
            aligned = align(spaces.of(trial), trial.method, training, seed=seed)
            scores[key] = bli.evaluate_rules(aligned, test)["muse", "kept"]
        result = scores[key]
        facts["rules"][rule] = {
            "space": trial.made_in,
            "method": str(trial.method),
            "held_out": len(trial.right),
            "held_out_p_at_1": trial.precision,
            "p_at_1": result.p_at_1,
            "n": result.n,
        }
        print(f"{pair} {seed} {rule:<32} {result.p_at_1:5.1f}  {trial}", file=sys.stderr, flush=True)
    return facts | {"cpu_seconds": round(time.process_time() - cpu, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pairs", default=",".join(PAIRS))
    parser.add_argument("--methods", default="procrustes,vecmap,geomm,rcsls", help="the simplest first")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with limited_to(arguments.threads):
        cells = [
            measure(pair, seed, arguments)
            for pair in arguments.pairs.split(",")
            for seed in range(arguments.seeds)
        ]
    means = {rule: mean(cell["rules"][rule]["p_at_1"] for cell in cells) for rule in cells[0]["rules"]}
    content = {
        "version": __version__,
        "command": "python studies/choice.py " + shlex.join(sys.argv[1:]),
        "mean_p_at_1": {rule: round(value, 2) for rule, value in means.items()},
        "cells": cells,
    }
    with atomic(arguments.out / "choice.json", "w") as file:
        json.dump(content, file, indent=1)
    print(json.dumps(content["mean_p_at_1"]))


if __name__ == "__main__":
    main()
