"""What does ranking add to CSLS on real text, and which features is it?

For a pair: one joint training and two separate ones from raw text; the joint one is reallocated with
gamma 0.9. Learners and groups of features are compared on held-out words of the training dictionary;
the test dictionary is asked once for each learner. What is trained is found again when the command is
repeated.

    python studies/ranking.py --data DATA --pair en-es --out runs/ranking --learner boosting
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

import jointalign as ja
from jointalign.corpora.tokenization import tokenizer
from jointalign.numerics.processors import limited_to
from jointalign.ranking.features import GROUPS
from jointalign.ranking.learner import Learner
from jointalign.storage.files import atomic, read_lines
from jointalign.training.base import Work

CORPORA = {"en-es": "novels", "en-de": "novels", "en-fr": "europarl"}


def encoded(options: argparse.Namespace, language: str) -> ja.EncodedCorpus:
    """The first lines of a corpus that together have about so many tokens."""
    name = f"{CORPORA[options.pair]}.{language}.{options.tokens}"
    short, seen, tokenize = options.out / f"{name}.txt", 0, tokenizer(language)
    if not short.exists():
        corpus = options.data / "mono" / f"{CORPORA[options.pair]}.{language}.txt.bz2"
        with atomic(short, "w") as file:
            for _, line in read_lines(corpus):
                file.write(line + "\n")
                seen += len(tokenize(line))
                if seen >= options.tokens:
                    break
    return ja.encode(ja.Corpus(short, language), options.out / f"enc.{name}", workers=1, facts={"text": name})


def trained(options: argparse.Namespace, *languages: str) -> ja.Embedding:
    seed = f".seed{options.seed}" if options.seed else ""
    name = f"{CORPORA[options.pair]}.{'-'.join(languages)}.{options.tokens}{seed}.safetensors"
    if not (options.out / name).exists():
        corpora = [encoded(options, language) for language in languages]
        embedding = ja.SkipGram().fit_encoded(corpora, work=Work(options.seed, 1))
        ja.write(embedding, options.out / name)
    return ja.read(options.out / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pair", choices=CORPORA, default="en-es")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=5_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, help="source words of the dictionary; default: all")
    parser.add_argument("--learner", type=Learner, nargs="+", default=[Learner.BOOSTING])
    parser.add_argument("--ablation", action="store_true", help="leave out groups, on held-out words")
    parser.add_argument("--reverse", action="store_true")
    parser.add_argument("--test", action="store_true", help="ask the test dictionary")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    source, target = options.pair.split("-")
    lexicons = [options.data / "lexicons" / f"{options.pair}.{part}.txt" for part in ("0-5000", "5000-6500")]
    training, test = map(ja.Lexicon.read, lexicons)
    if options.pairs is not None:
        kept = np.random.default_rng(options.seed).permutation(len(training.sources))[: options.pairs]
        words = {training.sources[place] for place in kept.tolist()}
        training = ja.Lexicon(tuple(pair for pair in training if pair[0] in words))
    with limited_to(1):
        joint = trained(options, source, target)
        counts = [encoded(options, language).counts for language in (source, target)]
        spaces = [
            ja.reallocate(joint, *counts, gamma=0.9),
            ja.BilingualEmbedding.separate(trained(options, source), trained(options, target)),
        ]
        if options.reverse:
            spaces, training, test = [s.reversed() for s in spaces], training.reversed(), test.reversed()
        groups = [GROUPS[: last + 1] for last in range(len(GROUPS))] if options.ablation else [GROUPS]
        for learner in options.learner:
            for some in groups:
                report(options, spaces, training, test, ja.Ranker(learner=learner, groups=some))


def report(
    options: argparse.Namespace,
    spaces: list[ja.BilingualEmbedding],
    training: ja.Lexicon,
    test: ja.Lexicon,
    ranker: ja.Ranker,
) -> None:
    begun = time.process_time()
    fitted = ranker.fit(spaces, training, seed=options.seed)
    facts = {"pair": options.pair, "reverse": options.reverse, "tokens": options.tokens, "seed": options.seed}
    facts |= {"pairs": len(fitted.known), "groups": ranker.groups, "held_out": fitted.held_out.to_json()}
    facts["cpu_seconds"] = round(time.process_time() - begun)
    if options.test:
        found = fitted.evaluate(test)
        facts["test"] = {
            str(identical): {"p_at_1": round(result.p_at_1, 1), "n": result.n, "ci": result.ci}
            for (rule, identical), result in found.items()
            if rule == "muse"
        }
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
