"""What does ranking add to CSLS on real text, which features is it, and how far do few pairs carry?

For each pair, seed and direction: one joint training and two separate ones from raw text; the joint one is
reallocated with gamma 0.9. What can be ranked by is worked out once and kept in the folder of `--out`, as
the trainings are: candidates of the words of the training dictionary, as of words that nothing has seen, and
of the words of the test dictionary. All learners are then compared on the same candidates:

- `csls`: no learner; the mean CSLS of both spaces;
- `own`: trees learnt on the pair's own dictionary;
- `shipped`: trees learnt on the other pairs of this study (studies/shipped_ranker.py makes them);
- `refined`: those, corrected by the pair's own rows.

The ablation leaves out groups of features on held-out words of the training dictionary. The test dictionary
is asked last.

    python studies/ranking.py --data DATA --out runs/ranking --rows   # first; then studies/shipped_ranker.py
    python studies/ranking.py --data DATA --out runs/ranking
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import jointalign as ja
from jointalign.bli import BLIResult, Conditions, Identical, OutOfVocabulary, compare
from jointalign.bli.lists import evaluate_lists
from jointalign.corpora.tokenization import tokenizer
from jointalign.numerics.processors import limited_to
from jointalign.ranking.api import CrossFitted, Ranker, crossfit, judged, judged_rows, usable_pairs
from jointalign.ranking.features import GROUPS, NAMES, Surface, features
from jointalign.ranking.learner import Learner
from jointalign.ranking.shipped import Shipped
from jointalign.ranking.spaces import Views, propose
from jointalign.storage.files import atomic, read_lines

CORPORA = {"en-es": "novels", "en-de": "novels", "en-fr": "europarl"}
SIZES = ("all", "1000", "500", "100", "25", "none")
OTHERS = 1000
"""Words of the training dictionary that a smaller one leaves, which are ranked, too."""


@dataclass(frozen=True)
class Case:
    """What is worked out once: a pair, both ways, with a dictionary of some size."""

    pair: str
    seed: int = 0
    back: bool = False
    size: str = "all"

    @property
    def direction(self) -> str:
        return "-".join(reversed(self.pair.split("-"))) if self.back else self.pair

    @property
    def own(self) -> bool:
        """Whether rows of its own words are worked out: three more mappings."""
        return self.size == "all" or (self.size in ("500", "1000") and self.pair == "en-es")

    def path(self, options: argparse.Namespace) -> Path:
        return options.out / f"rows.{self.direction}.seed{self.seed}.{self.size}.npz"


def cases(options: argparse.Namespace) -> list[Case]:
    """Those that the shipped ranker is learnt from first."""
    found = [Case(pair, 0, back) for back in (False, True) for pair in options.pairs]
    found += [Case(pair, 0, False, "none") for pair in options.pairs]
    found += [Case(pair, seed) for seed in options.seeds if seed for pair in options.pairs]
    found += [Case(pair, 0, False, size) for size in ("500", "100", "25", "1000") for pair in options.pairs]
    found += [Case(pair, seed, True) for seed in options.seeds if seed for pair in options.pairs]
    return found + [Case(pair, 0, True, "none") for pair in options.pairs]


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
        embedding = ja.SkipGram().fit_encoded(corpora, seed=options.seed, threads=1)
        ja.write(embedding, options.out / name)
    return ja.read(options.out / name)


def dictionaries(options: argparse.Namespace, case: Case) -> tuple[ja.Lexicon, ja.Lexicon]:
    """For training and for testing, in the direction of the case."""
    lexicons = [options.data / "lexicons" / f"{case.pair}.{part}.txt" for part in ("0-5000", "5000-6500")]
    training, test = map(ja.Lexicon.read, lexicons)
    return (training.reversed(), test.reversed()) if case.back else (training, test)


def spaces_of(options: argparse.Namespace, case: Case) -> list[ja.BilingualEmbedding]:
    """Joint and separate, without n-grams, which are not asked for."""
    options = argparse.Namespace(**{**vars(options), "pair": case.pair, "seed": case.seed})
    languages = case.pair.split("-")
    counts = [encoded(options, language).counts for language in languages]
    joint = replace(trained(options, *languages), subwords=None)
    sides = [replace(trained(options, language), subwords=None) for language in languages]
    spaces = [ja.reallocate(joint, *counts, gamma=0.9), ja.BilingualEmbedding.separate(*sides)]
    return [space.reversed() for space in spaces] if case.back else spaces


def parted(lexicon: ja.Lexicon, case: Case) -> tuple[ja.Lexicon, ja.Lexicon]:
    """So many random words of a dictionary, and `OTHERS` of the rest."""
    if case.size == "all":
        return lexicon, ja.Lexicon(())
    size = 0 if case.size == "none" else int(case.size)
    order = np.random.default_rng(case.seed).permutation(len(lexicon.sources)).tolist()
    parts = (order[:size], order[size : size + OTHERS])
    words = [{lexicon.sources[place] for place in part} for part in parts]
    first, others = (ja.Lexicon(tuple(pair for pair in lexicon if pair[0] in some)) for some in words)
    return first, others


def work_out(options: argparse.Namespace, case: Case) -> None:
    """Rows of the own words, of other words of the training dictionary, and of the test words."""
    begun = time.process_time()
    training, test = dictionaries(options, case)
    spaces, ranker = spaces_of(options, case), Ranker()
    sides = spaces[0].sides(ranker.max_vocabulary)
    lexicon, others = parted(usable_pairs(training, sides), case)
    vocabularies = sides[0].vocabulary, sides[1].vocabulary
    surface, (method, few) = Surface.of(*sides), ranker.mapping(spaces, lexicon)
    found: dict[str, np.ndarray] = {}
    if case.own:
        own = crossfit(ranker, spaces, sides, surface, method, lexicon, case.seed, few=few)
        found |= {f"own.{name}": values for name, values in vars(own).items()}
    views = Views.of(spaces, sides, method, lexicon, case.seed, few=few)
    known = lexicon.rows(*vocabularies)
    if len(others):
        gold = others.rows(*vocabularies)
        rest = CrossFitted.of([judged_rows(ranker, views, surface, gold, known)])
        found |= {f"other.{name}": values for name, values in vars(rest).items()}
    asked = np.unique(test.rows(*vocabularies)[:, 0])
    candidates = propose(views, surface.spellings, asked, ranker.nearest, ranker.of_each, ranker.alike)
    found |= {"test.rows": features(views, surface, candidates, known), "test.pairs": candidates.pairs}
    found |= {"test.queries": candidates.queries, "known": np.array(len(known))}
    found["cpu_seconds"] = np.array(time.process_time() - begun)
    with atomic(case.path(options)) as file:
        np.savez(file, **found)
    print(case, "cpu seconds", round(float(found["cpu_seconds"])), flush=True)


def learners(case: Case) -> tuple[Learner, ...]:
    return (Learner.BOOSTING, Learner.SHIPPED, Learner.REFINED) if case.own else (Learner.SHIPPED,)


def scored(
    options: argparse.Namespace, case: Case, data: dict[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Scores of test rows by each learner, and what is known of held-out words."""
    elsewhere = Shipped.read(options.out / f"without.{case.pair}.safetensors")
    scores, held_out = {"csls": data["test.rows"][:, 0]}, {}
    every = np.arange(len(NAMES))
    for learner in learners(case):
        if case.own:
            seen = CrossFitted(*(data[f"own.{name}"] for name in ("rows", "right", "queries", "folds")))
            model, _, facts, _ = judged(seen, every, learner, case.seed, elsewhere, Ranker().folds)
            held_out["csls"] = round(facts.p_at_1_unranked, 2)
            held_out["candidates"] = round(facts.candidate_recall, 2)
            held_out[learner] = {
                "p_at_1": round(facts.p_at_1, 2),
                "calibration_error": round(facts.calibration_error, 4),
                "n": facts.words,
            }
        else:
            model = elsewhere.trees
        scores[learner] = model.scores(data["test.rows"])
    if options.ablation and case.own and case.size == "all" and not case.seed:
        held_out["without"] = {
            group: round(without(seen, group, case.seed, elsewhere), 2) for group in GROUPS
        } | {"letters": round(without(seen, "letters", case.seed, elsewhere), 2)}
    return scores, held_out


def without(seen: CrossFitted, group: str, seed: int, elsewhere: Shipped) -> float:
    """P@1 of own trees on held-out words without a group, or without one feature."""
    kept = np.array([at for at, names in enumerate(NAMES) if group not in names])
    return judged(seen, kept, Learner.BOOSTING, seed, elsewhere, Ranker().folds)[2].p_at_1


def results_of(
    options: argparse.Namespace, case: Case, data: dict[str, np.ndarray], scores: dict[str, np.ndarray]
) -> dict[str, dict[Identical, dict[OutOfVocabulary, BLIResult]]]:
    """What each learner gets right of the test dictionary."""
    _, test = dictionaries(options, case)
    sides = spaces_of(options, case)[0].sides(Ranker().max_vocabulary)
    queries, pairs = data["test.queries"], data["test.pairs"]
    found = {}
    for name, some in scores.items():
        order = np.lexsort((pairs[:, 1], -some, queries))
        lists: dict[str, list[str]] = {}
        for row, target in pairs[order].tolist():
            lists.setdefault(sides[0].words[row], []).append(sides[1].words[target])
        spelt = {word: lists[sides[0].words[row]] for word, row in source_rows(test, sides).items()}
        results = evaluate_lists(spelt, sides, test, Conditions(seed=case.seed))
        found[name] = {
            identical: {oov: results[oov, identical] for oov in ("muse", "strict")} for identical in Identical
        }
    return found


def source_rows(test: ja.Lexicon, sides: tuple[ja.Embedding, ja.Embedding]) -> dict[str, int]:
    known = test.known(sides[0].vocabulary, sides[1].vocabulary)
    return {source: rows[0] for (source, _), rows in known.items()}


def summary(options: argparse.Namespace, case: Case) -> dict[str, object]:
    with np.load(case.path(options)) as file:
        data = dict(file)
    begun = time.process_time()
    scores, held_out = scored(options, case, data)
    results = results_of(options, case, data, scores)
    facts: dict[str, object] = {
        "direction": case.direction,
        "seed": case.seed,
        "words": case.size,
        "pairs": int(data["known"]),
        "held_out": held_out,
    }
    for identical in Identical:
        key = "all" if identical is Identical.KEPT else "no identical"
        of = {name: kinds[identical] for name, kinds in results.items()}
        facts[key] = {name: round(rules["muse"].p_at_1, 2) for name, rules in of.items()}
        facts[key]["n"] = of["csls"]["muse"].n
        facts[f"{key}, differences"] = {
            f"{name} - {other}": [gain.difference, *gain.ci]
            for name, other in (("own", "csls"), ("shipped", "csls"), ("refined", "csls"), ("refined", "own"))
            if (a := NAMED.get(name, name)) in of
            and (b := NAMED.get(other, other)) in of
            and (gain := compare(of[a]["strict"], of[b]["strict"]))
        }
    facts["cpu_seconds"] = [round(float(data["cpu_seconds"])), round(time.process_time() - begun)]
    return facts


NAMED = {"own": Learner.BOOSTING}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", choices=CORPORA, nargs="+", default=list(CORPORA))
    parser.add_argument("--tokens", type=int, default=5_000_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rows", action="store_true", help="work out rows only")
    parser.add_argument("--ablation", action="store_true", help="leave out groups, on held-out words")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with limited_to(1):
        for case in cases(options):
            if not case.path(options).exists():
                work_out(options, case)
        if options.rows:
            return
        facts = [summary(options, case) for case in cases(options)]
    whole = {
        "command": shlex.join(["python", *sys.argv]),
        "version": ja.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": facts,
    }
    with atomic(options.out / "ranking.json", "w") as file:
        json.dump(whole, file, indent=1)


if __name__ == "__main__":
    main()
