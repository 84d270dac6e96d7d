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

    python studies/ranking.py --data DATA --out runs/ranking --rows --shipped   # then shipped_ranker.py
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
from jointalign.ranking.api import CrossFitted, Ranker, crossfit, is_right, judged, usable_pairs
from jointalign.ranking.features import GROUPS, NAMES, Surface, features
from jointalign.ranking.learner import Learner
from jointalign.ranking.shipped import Shipped
from jointalign.ranking.spaces import Views, propose
from jointalign.storage.files import atomic, read_lines
from jointalign.training.base import Work

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

    def path(self, options: argparse.Namespace, part: str) -> Path:
        return options.out / f"rows.{self.direction}.seed{self.seed}.{self.size}.{part}.npz"

    @property
    def parts(self) -> tuple[str, ...]:
        """What is worked out apart: the folds of its own words, other words, and test words."""
        folds = tuple(map(str, range(Ranker().folds))) if self.own else ()
        return folds + (("test",) if self.size == "all" else ("other", "test"))


def cases(options: argparse.Namespace) -> list[Case]:
    """Whole dictionaries first; smaller ones one way and with the first seed."""
    ways = (False,) if options.forward else (False, True)
    found = [Case(pair, seed, back) for seed in options.seeds for back in ways for pair in options.pairs]
    sizes = [size for size in SIZES[1:] if size in options.sizes]
    return found + [Case(pair, options.seeds[0], False, size) for size in sizes for pair in options.pairs]


def learnt_from(options: argparse.Namespace) -> list[tuple[Case, str]]:
    """What the shipped ranker is learnt from: a third of the words of each direction, and without pairs."""
    whole = [(Case(pair, 0, back), "0") for pair in options.pairs for back in (False, True)]
    return whole + [(Case(pair, 0, False, "none"), "other") for pair in options.pairs]


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


def work_out(options: argparse.Namespace, case: Case, parts: list[str]) -> None:
    """Rows of some parts."""
    training, test = dictionaries(options, case)
    spaces, ranker = spaces_of(options, case), Ranker()
    sides = spaces[0].sides(ranker.max_vocabulary)
    lexicon, others = parted(usable_pairs(training, sides), case)
    vocabularies = sides[0].vocabulary, sides[1].vocabulary
    surface, (method, few) = Surface.of(*sides), ranker.mapping(spaces, lexicon)
    known, views = lexicon.rows(*vocabularies), None
    for part in parts:
        begun = time.process_time()
        if part.isdigit():
            seen = crossfit(
                ranker, spaces, sides, surface, method, lexicon, case.seed, None, [int(part)], few
            )
            found = dict(vars(seen))
        else:
            views = views or Views.of(spaces, sides, method, lexicon, case.seed, few=few)
            gold = (test if part == "test" else others).rows(*vocabularies)
            asked = np.unique(gold[:, 0])
            candidates = propose(
                views, surface.spellings, asked, ranker.nearest, ranker.of_each, ranker.alike
            )
            found = {"rows": features(views, surface, candidates, known), "pairs": candidates.pairs}
            found |= {"queries": candidates.queries, "right": is_right(candidates, gold, len(sides[1]))}
            found |= {"folds": np.zeros(len(candidates.queries), np.int64)}
        found |= {"known": np.array(len(known)), "cpu_seconds": np.array(time.process_time() - begun)}
        with atomic(case.path(options, part)) as file:
            np.savez(file, **found)
        print(case, part, "cpu seconds", round(float(found["cpu_seconds"])), flush=True)


def read_part(options: argparse.Namespace, case: Case, part: str) -> dict[str, np.ndarray]:
    with np.load(case.path(options, part)) as file:
        return dict(file)


def own_rows(options: argparse.Namespace, case: Case) -> CrossFitted:
    """Of all folds."""
    parts = [read_part(options, case, part) for part in case.parts if part.isdigit()]
    return CrossFitted.of([(part["rows"], part["right"], part["queries"]) for part in parts])


def learners(case: Case) -> tuple[Learner, ...]:
    return (Learner.BOOSTING, Learner.SHIPPED, Learner.REFINED) if case.own else (Learner.SHIPPED,)


def scored(
    options: argparse.Namespace, case: Case, test: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Scores of test rows by each learner, and what is known of held-out words."""
    elsewhere = Shipped.read(options.out / f"without.{case.pair}.safetensors")
    scores, held_out = {"csls": test[:, 0]}, {}
    every, seen = np.arange(len(NAMES)), own_rows(options, case) if case.own else None
    for learner in learners(case):
        if seen is not None:
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
        scores[learner] = model.scores(test)
    if options.ablation and seen is not None and case.size == "all" and not case.seed:
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
    queries, pairs = data["queries"], data["pairs"]
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
    data = read_part(options, case, "test")
    scores, held_out = scored(options, case, data["rows"])
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
    return facts


NAMED = {"own": Learner.BOOSTING}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", choices=CORPORA, nargs="+", default=list(CORPORA))
    parser.add_argument("--tokens", type=int, default=5_000_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--forward", action="store_true", help="one way only")
    parser.add_argument("--sizes", choices=SIZES, nargs="*", default=SIZES, help="of the dictionary")
    parser.add_argument("--rows", action="store_true", help="work out rows only")
    parser.add_argument("--shipped", action="store_true", help="and only those of the shipped ranker")
    parser.add_argument("--ablation", action="store_true", help="leave out groups, on held-out words")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with limited_to(1):
        for case, part in learnt_from(options):
            if not case.path(options, part).exists():
                work_out(options, case, [part])
        if not options.shipped:
            for case in cases(options):
                missing = [part for part in case.parts if not case.path(options, part).exists()]
                if missing:
                    work_out(options, case, missing)
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
