"""What is each step of the framework worth on real text? The rows of Table 1, for one mapping each.

For every pair: one joint training and two separate ones from raw text, then Joint, Joint-Align
without alignment (w/o AR) and without reallocation (w/o VR), Procrustes and RCSLS on the separate
trainings, and Joint-Align with both. gamma and the settings of RCSLS are chosen on held-out
training pairs, for every row on its own. What is done is found again when the command is repeated.

    python studies/alignment.py --data DATA --pair en-es --out runs/study --seed 0
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointalign import (
    BilingualEmbedding,
    Corpus,
    EncodedCorpus,
    Lexicon,
    SkipGram,
    Spaces,
    align,
    bli,
    encode,
    oversharing,
    read,
    reallocate,
    write,
)
from jointalign.alignment.api import training_pairs
from jointalign.bli import Identical, OutOfVocabulary
from jointalign.corpora.tokenization import tokenizer
from jointalign.numerics.processors import limited_to
from jointalign.selection.wishes import Wishes, decide
from jointalign.storage.files import atomic, read_lines
from jointalign.storage.stages import Stages, peak_memory_mb
from jointalign.training.base import Noise, Work
from jointalign.version import __version__

CORPORA = {"en-es": "novels", "en-de": "novels", "en-fr": "europarl"}
RULES = (OutOfVocabulary.PAPER, OutOfVocabulary.MUSE)
MAIN = "Joint-Align + RCSLS"


@dataclass
class Study:
    data: Path
    pair: str
    out: Path
    seed: int
    threads: int | None
    tokens: int | None = None

    def __post_init__(self) -> None:
        self.source, self.target = self.pair.split("-")
        self.corpus = CORPORA[self.pair]
        lexicons = self.data / "lexicons"
        self.training = Lexicon.read(lexicons / f"{self.pair}.0-5000.txt")
        self.test = Lexicon.read(lexicons / f"{self.pair}.5000-6500.txt")
        self.stages = Stages(self.out, lambda name, done: say(f"{name}{' (done before)' * done}"))

    def encoded(self, language: str) -> EncodedCorpus:
        path = self.data / "mono" / f"{self.corpus}.{language}.txt.bz2"
        if self.tokens is not None:
            path = self.shortened(path, language)
        folder = self.out / f"{self.name}.{language}"
        return encode(
            Corpus(path, language), folder, workers=self.threads, facts=Corpus(path, language).facts
        )

    @property
    def name(self) -> str:
        return self.corpus if self.tokens is None else f"{self.corpus}.{self.tokens}"

    @property
    def title(self) -> str:
        """Of this pair, size and seed: two sizes must not overwrite each other's files."""
        size = "" if self.tokens is None else f".{self.tokens}"
        return f"{self.pair}{size}.seed{self.seed}"

    def shortened(self, path: Path, language: str) -> Path:
        """The first lines that together have about so many tokens."""
        short = self.out / f"{self.name}.{language}.txt"
        if not short.exists():
            tokenize, seen, kept = tokenizer(language), 0, []
            for _, line in read_lines(path):
                seen += len(tokenize(line))
                kept.append(line + "\n")
                if seen >= self.tokens:
                    break
            with atomic(short, "w") as file:
                file.writelines(kept)
        return short

    def trained(self, *languages: str):
        name = f"{self.name}.{'+'.join(languages)}.seed{self.seed}"
        path = self.out / f"{name}.safetensors"

        def work() -> None:
            corpora = [self.encoded(language) for language in languages]
            begun, cpu = time.monotonic(), time.process_time()
            embedding = SkipGram(noise=Noise.JOINT, shared_noise=1).fit_encoded(
                corpora, work=Work(self.seed, self.threads, self.out / f"{name}.parts", Ticker())
            )
            write(embedding, path)
            tokens = 5 * sum(corpus.counts.total for corpus in corpora)
            facts = {
                "words": len(embedding),
                "tokens": tokens // 5,
                "seconds": time.monotonic() - begun,
                "words_per_second": tokens / (time.monotonic() - begun),
                "words_per_cpu_second": tokens / (time.process_time() - cpu),
                "peak_memory_mb": peak_memory_mb(),
            }
            with atomic(self.out / f"{name}.json", "w") as file:
                json.dump(facts, file)

        self.stages.do(name, {"version": __version__, "seed": self.seed}, [path.name, f"{name}.json"], work)
        return read(path), json.loads((self.out / f"{name}.json").read_text())

    def table(self):
        joint, joint_facts = self.trained(self.source, self.target)
        one, one_facts = self.trained(self.source)
        two, two_facts = self.trained(self.target)
        counts = [self.encoded(language).counts for language in (self.source, self.target)]
        separate = BilingualEmbedding.separate(one, two, self.source, self.target)
        spaces = Spaces((joint, *counts))
        rcsls = decide(spaces, self.training, Wishes("rcsls"), seed=self.seed)
        say(str(rcsls))
        procrustes = decide(spaces, self.training, Wishes("procrustes"), seed=self.seed)
        gamma = rcsls.gamma
        whole = reallocate(joint, *counts, 1.0, self.source, self.target)
        split = reallocate(joint, *counts, gamma, self.source, self.target)
        other = reallocate(joint, *counts, procrustes.gamma, self.source, self.target)
        overshared = decide(whole, self.training, Wishes("rcsls"), seed=self.seed)
        alone = decide(separate, self.training, Wishes("rcsls"), seed=self.seed)
        say(str(alone))
        systems = {
            "Joint": (lambda: whole, None, None),
            "Joint-Align w/o AR": (lambda: split, gamma, None),
            "Joint-Align w/o VR + RCSLS": (self.aligned(whole, overshared), None, overshared),
            "Procrustes": (self.aligned(separate, procrustes), None, procrustes),
            "RCSLS": (self.aligned(separate, alone), None, alone),
            "Joint-Align + Procrustes": (self.aligned(other, procrustes), procrustes.gamma, procrustes),
            MAIN: (self.aligned(split, rcsls), gamma, rcsls),
        }
        write(split, self.out / f"{self.title}.reallocated.safetensors")
        rows, scores = [], {}
        for name, (make, used_gamma, tuned) in systems.items():
            space = make()
            if name == MAIN:
                write(space, self.out / f"{self.title}.aligned.safetensors")
            scores[name] = bli.evaluate_rules(
                space,
                self.test,
                bli.Conditions(max_vocabulary=200_000, seed=self.seed),
                training=self.training,
            )
            rows.append(self.row(name, scores[name], used_gamma, tuned))
            say(f"{name}: {scores[name][RULES[1], Identical.KEPT]}")
        trainings = {"joint": joint_facts, self.source: one_facts, self.target: two_facts}
        return rows, self.comparisons(scores), trainings

    def aligned(self, space, tuned):
        return lambda: align(space, tuned.method, self.training, seed=self.seed)

    def row(self, name, results, gamma, tuned):
        cells = {}
        for rule in RULES:
            for identical in Identical:
                facts = results[rule, identical].to_json()
                del facts["bands"]
                cells[f"{rule}, identical {identical}"] = facts
        bands = results[OutOfVocabulary.MUSE, Identical.KEPT].to_json()["bands"]
        method = None if tuned is None else tuned.to_json()["method"]
        return {"system": name, "gamma": gamma, "method": method, "scores": cells, "bands": bands}

    def comparisons(self, scores):
        found = []
        for rule in RULES:
            for identical in Identical:
                ours = scores[MAIN][rule, identical]
                for name, results in scores.items():
                    if name != MAIN:
                        result = bli.compare(ours, results[rule, identical], seed=self.seed)
                        found.append(
                            {
                                "first": MAIN,
                                "second": name,
                                "rule": str(rule),
                                "identical": str(identical),
                                "difference": result.difference,
                                "ci": list(result.ci),
                                "p_value": result.p_value,
                                "n": result.n,
                            }
                        )
        return found


class Ticker:
    def __init__(self) -> None:
        self.next = 0.0

    def __call__(self, done: float, total: float | None, note: str = "") -> None:
        if total and done >= self.next * total:
            say(f"  {100 * done / total:.0f} % {note}")
            self.next += 0.2


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def markdown(rows) -> str:
    names = list(rows[0]["scores"])
    lines = ["| system | gamma | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for row in rows:
        cells = []
        for name in names:
            facts = row["scores"][name]
            low, high = facts["ci"]
            cells.append(f"{facts['p_at_1']:.1f} [{low:.1f}, {high:.1f}] n={facts['n']}")
        gamma = "" if row["gamma"] is None else f"{row['gamma']:g}"
        lines.append(f"| {row['system']} | {gamma} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTALIGN_DATA"))
    parser.add_argument("--pair", choices=CORPORA, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--tokens", type=int, help="of each language; default: all")
    parser.add_argument("--train-only", action="store_true")
    options = parser.parse_args()
    study = Study(options.data, options.pair, options.out, options.seed, options.threads, options.tokens)
    if options.train_only:
        for languages in ((study.source, study.target), (study.source,), (study.target,)):
            study.trained(*languages)
        return
    with limited_to(options.threads):
        rows, comparisons, trainings = study.table()
    write_result(study, rows, comparisons, trainings)
    sys.stdout.write(markdown(rows) + "\n")


def what_is_shared(study) -> dict:
    """What reallocation moves, and how many pairs each gamma leaves to learn from."""
    counts = [study.encoded(language).counts for language in (study.source, study.target)]
    joint, _ = study.trained(study.source, study.target)
    report = oversharing(joint, *counts, training=study.training, test=study.test, examples=10)
    pairs = {}
    for gamma in (1.0, 0.95, 0.9, 0.8, 0.7):
        _, found = training_pairs(reallocate(joint, *counts, gamma), study.training)
        pairs[f"{gamma:g}"] = found.to_json()
    return {"oversharing": report.to_json(), "training_pairs_by_gamma": pairs}


def write_result(study, rows, comparisons, trainings) -> None:
    options = ["--data", "DATA", "--pair", study.pair, "--seed", str(study.seed)]
    options += [] if study.tokens is None else ["--tokens", str(study.tokens)]
    result = {
        "question": "What is each step of the framework worth?",
        "command": "python studies/alignment.py " + shlex.join(options),
        "pair": study.pair,
        "corpus": study.corpus,
        "seed": study.seed,
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, NumPy {np.__version__}",
        "trainings": trainings,
        **what_is_shared(study),
        "rows": rows,
        "comparisons": comparisons,
    }
    name = f"alignment.{study.title}.json"
    with atomic(Path(__file__).parent / "results" / name, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
