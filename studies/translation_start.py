"""Why does Joint trail in unsupervised translation: its vectors, or its one table?

The paper sees Joint overtake Align and says why: one table holds the languages together. Here Joint
trails. Hypothesis: because its vectors do not translate, and not because of the table. It is wrong
if Joint-Align's vectors still teach as well when those of one language are turned away from their
translations, or if one table and two with the same vectors differ by as much as Joint trails.

    jointalign study figure2 --data DATA --pairs en-de ... --out runs/figure2
    python studies/translation_start.py --data DATA --figure runs/figure2/en-de --out runs/start

It takes text, pieces, vectors and all settings of that figure and trains, so many epochs each:
Joint-Align's vectors, those of the source's own pieces turned by a random rotation, by a quarter or
until P@1 is 40; Joint-Align's and Joint's vectors in two tables. P@1 is that of all pairs of the
dictionaries of one piece each without identical ones, CSLS, words without a vector left out; most
of these pairs have taught the alignment. Stopped, it goes on when started again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg import expm

from jointalign import BilingualEmbedding, Embedding, Lexicon, bli
from jointalign.formats.api import read_bilingual
from jointalign.storage.files import atomic
from jointalign.study._data import captions
from jointalign.study.base import Pair
from jointalign.translation.api import Segmentation, Session, Validation, prepare
from jointalign.translation.base import NoiseSettings, Shape, TranslationFitSettings, WeightSchedule
from jointalign.version import __version__

FIGURE_ROWS = {"joint": False, "align": True, "joint-align": False}
HALFWAY, QUARTER = 40.0, np.pi / 2


def p_at_1(space: BilingualEmbedding, lexicon: Lexicon) -> float:
    results = bli.evaluate_rules(space, lexicon)
    return results[bli.OutOfVocabulary.MUSE, bli.Identical.REMOVED].p_at_1


def turned(space: BilingualEmbedding, angle: float, seed: int) -> BilingualEmbedding:
    """The source's own vectors turned by a random rotation; the others stay."""
    d, own = space.dimensions, space.source_only
    random = np.random.default_rng(seed).standard_normal((d, d))
    rotation = expm(angle * (random - random.T) / np.sqrt(2 * d)).astype(np.float32)
    return replace(space, source_only=Embedding(own.vocabulary, own.vectors @ rotation))


def angle_for(space: BilingualEmbedding, lexicon: Lexicon, wanted: float, seed: int) -> float:
    """How far to turn until P@1 has just fallen to what is wanted; at most a quarter."""
    low, high = 0.0, QUARTER
    for _ in range(12):
        middle = (low + high) / 2
        enough = p_at_1(turned(space, middle, seed), lexicon) <= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high


def settings_of(facts: dict[str, Any]) -> tuple[Shape, TranslationFitSettings]:
    """The settings that a figure's JSON holds."""
    fit = dict(facts["fit"])
    fit["noise"] = NoiseSettings(**fit["noise"])
    for name in ("denoising", "back_translation"):
        points = fit[name]["points"]
        fit[name] = WeightSchedule(tuple((int(place), float(weight)) for place, weight in points))
    return Shape(**facts["shape"]), TranslationFitSettings(**fit)


def arms(figure: Path, lexicon: Lexicon, seed: int) -> dict[str, dict[str, Any]]:
    spaces = {n: read_bilingual(figure / f"space.{n}.safetensors") for n in FIGURE_ROWS}
    base = spaces["joint-align"]
    half = angle_for(base, lexicon, HALFWAY, seed)
    return {
        **{n: {"space": spaces[n], "separate": s, "figure": True} for n, s in FIGURE_ROWS.items()},
        "joint-align, turned": {"space": turned(base, QUARTER, seed), "separate": False, "angle": QUARTER},
        "joint-align, two tables": {"space": two_sided(base), "separate": True},
        "joint-align, half turned": {"space": turned(base, half, seed), "separate": False, "angle": half},
        "joint, two tables": {"space": two_sided(spaces["joint"]), "separate": True},
    }


def two_sided(space: BilingualEmbedding) -> BilingualEmbedding:
    """The same vectors, as two vocabularies that share nothing."""
    return BilingualEmbedding.separate(space.source, space.target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--figure", type=Path, required=True, help="of `study figure2`, one pair")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    facts = json.loads((options.figure / "figure2.json").read_text())
    shape, fit = settings_of(facts)
    pair, seed = Pair.parse(facts["pair"]), facts["seed"]
    segmentation = Segmentation.from_text(
        (options.figure / "pieces.json").read_text("utf-8"), facts["vectors"]["lowercase"]
    )
    words = [Lexicon.read(options.data / f"lexicons/{pair}.{part}.txt") for part in ("0-5000", "5000-6500")]
    lexicon = segmentation.whole_words(Lexicon(words[0].pairs + words[1].pairs))
    texts = captions(options.data, pair)
    count = facts["validation_sentences"]
    validation = Validation.of(*(side[:count] for side in texts.validation))
    begun, found = time.process_time(), {}
    for name, arm in arms(options.figure, lexicon, seed).items():
        row = {"p_at_1": p_at_1(arm["space"], lexicon), "separate": arm["separate"]}
        if arm.get("figure"):
            history = facts["curves"][name]["epochs"]
        else:
            job, _ = prepare(
                texts.halves,
                segmentation,
                (pair.source, pair.target),
                shape=shape,
                settings=fit,
                embedding=arm["space"],
                separate=arm["separate"],
                validation=validation,
                criterion="bleu",
                seed=seed,
                device="cpu",
            )
            session = Session(job, options.out / name.replace(", ", ".").replace(" ", "-"))
            while session.epochs < options.epochs:
                session.epoch()
                sys.stderr.write(f"{name}: {session.history[-1]['bleu']:.2f}\n")
            history = session.history
        row |= {"angle": arm.get("angle"), "bleu": [e["bleu"] for e in history]}
        row["validation"] = [
            {way: scores["bleu"] for way, scores in e["validation"].items()} for e in history
        ]
        found[name] = row
        result = {
            "command": f"python studies/translation_start.py --epochs {options.epochs}",
            "machine": f"{platform.machine()}, {os.cpu_count()} processors",
            "pair": str(pair),
            "version": __version__,
            "epochs": options.epochs,
            "seed": seed,
            "dictionary_pairs": len(lexicon),
            "shape": asdict(shape),
            "rows": found,
            "cpu_seconds": round(time.process_time() - begun, 1),
        }
        with atomic(options.out / "translation_start.json", "w") as file:
            json.dump(result, file, indent=1)
        bleu = row["bleu"][options.epochs - 1]
        sys.stdout.write(f"{name}: P@1 {row['p_at_1']:.1f}, BLEU {bleu:.2f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
