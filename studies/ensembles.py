"""Joint and separate training know different things: are both, side by side, one better space?

For each pair and seed: a joint training, reallocated with gamma 0.9, and two separate ones, from the same
text. Mapped by supervised VecMap with the whole training dictionary and scored by CSLS on the test
dictionary, both ways:

- joint, and separate: as they are;
- aligned, then side by side: the simplest way to have both, in twice the dimensions;
- side by side, then aligned: in twice the dimensions;
- reduced: the same, brought back to the dimensions of one. This is what `jointalign run` may choose.

P@1 by rule muse; differences are paired by word over all test words (rule strict). What is trained is found
again when the command is repeated.

    python studies/ensembles.py --data DATA --out runs/ranking
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import jointalign as ja
from jointalign.bli import BLIResult, Conditions, Identical, OutOfVocabulary, compare, evaluate_rules
from jointalign.numerics.processors import limited_to
from jointalign.storage.files import atomic
from ranking import CORPORA, encoded, trained

RIVALS = ("joint", "separate", "aligned, then side by side")
OURS = "reduced"


def spaces_of(options: argparse.Namespace, training: ja.Lexicon) -> dict[str, ja.BilingualEmbedding]:
    """Each space, aligned; without n-grams, which are not asked for."""
    source, target = options.pair.split("-")
    counts = [encoded(options, language).counts for language in (source, target)]
    joint = replace(trained(options, source, target), subwords=None)
    split = ja.reallocate(joint, *counts, gamma=0.9)
    sides = [replace(trained(options, language), subwords=None) for language in (source, target)]
    separate = ja.BilingualEmbedding.separate(*sides)
    found = {"joint": split, "separate": separate, "side by side": ja.side_by_side(split, separate)}
    found = {name: ja.align(space, "vecmap", training) for name, space in found.items()}
    found["aligned, then side by side"] = ja.side_by_side(found["joint"], found["separate"])
    found[OURS] = ja.reduced(found["side by side"], split.dimensions)
    return found


def scores_of(results: dict[str, BLIResult]) -> dict[str, object]:
    return {name: {"p_at_1": round(result.p_at_1, 2), "n": result.n} for name, result in results.items()}


def measure(options: argparse.Namespace) -> list[dict]:
    parts = ("0-5000", "5000-6500")
    training, test = (ja.Lexicon.read(options.data / "lexicons" / f"{options.pair}.{p}.txt") for p in parts)
    begun, rows = time.process_time(), []
    spaces = spaces_of(options, training)
    for back in (False, True):
        found = {}
        for name, space in spaces.items():
            asked = (space.reversed(), test.reversed()) if back else (space, test)
            found[name] = evaluate_rules(*asked, Conditions(seed=options.seed))
        for identical in Identical:
            strict = {name: results[OutOfVocabulary.STRICT, identical] for name, results in found.items()}
            muse = {name: results[OutOfVocabulary.MUSE, identical] for name, results in found.items()}
            gains = {rival: compare(strict[OURS], strict[rival]) for rival in RIVALS}
            rows.append(
                {
                    "pair": "-".join(reversed(options.pair.split("-"))) if back else options.pair,
                    "seed": options.seed,
                    "identical": str(identical),
                    "muse": scores_of(muse),
                    "reduced - ": {name: [gain.difference, *gain.ci] for name, gain in gains.items()},
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    rows[-1]["cpu_seconds"] = round(time.process_time() - begun)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--tokens", type=int, default=5_000_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    with limited_to(1):
        for pair in options.pairs:
            for seed in options.seeds:
                rows += measure(argparse.Namespace(**vars(options), pair=pair, seed=seed))
    facts = {"command": shlex.join(["python", *sys.argv]), "version": ja.__version__, "rows": rows}
    with atomic(options.out / "ensembles.json", "w") as file:
        json.dump(facts, file, indent=1)


if __name__ == "__main__":
    main()
