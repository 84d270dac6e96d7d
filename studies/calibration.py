"""How far can a tagger's probabilities be trusted, at home and abroad?

The tagger of the row Joint-Align that `swahili.py` has left vectors for, learnt again (seed 0, the same
settings), tags the test text of its own language and the Swahili one. Expected calibration error over ten
bins, mean probability, and the share of the names found that are right.

    python studies/calibration.py --study runs/swahili/en
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

import numpy as np

import jointalign as ja
from jointalign import EncodedCorpus
from jointalign.ner import Sentence, TaggerFitSettings, Text, conll, spans, torch_threads
from jointalign.ner.api import drawn, find, train
from jointalign.ranking.calibration import calibration_error
from jointalign.storage.files import atomic

TARGET = "swa"


def vectors(study: Path, source: str) -> ja.BilingualEmbedding:
    """Joint-Align of seed 0, with the gamma that the study chose."""
    table = study / "table"
    joint = ja.read(table / f"news.{'+'.join(sorted((source, TARGET)))}.seed0.safetensors")
    counts = [EncodedCorpus.open(table / f"news.{code}").counts for code in (source, TARGET)]
    gamma = json.loads((table / "cells" / f"gamma.{source}-{TARGET}.json").read_text("utf-8"))["gamma"]
    lexicon = ja.Lexicon.read(study / "data" / "lexicons" / f"{source}-{TARGET}.0-5000.txt")
    return ja.align(ja.reallocate(joint, *counts, gamma, source, TARGET), "procrustes", lexicon)


def judged(found: list[tuple[Sentence, tuple]], gold: tuple[Sentence, ...]) -> dict[str, float]:
    sure, right = [], []
    for (_, entities), sentence in zip(found, gold, strict=True):
        wanted = {(span.start, span.end, span.type) for span in spans(sentence.tags or ())}
        sure += [entity.probability for entity in entities]
        right += [(entity.start, entity.end, entity.type) in wanted for entity in entities]
    return {
        "names": len(sure),
        "calibration_error": calibration_error(np.array(sure), np.array(right)),
        "mean_probability": float(np.mean(sure)),
        "right": float(np.mean(right)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    source, tagged = options.study.name, options.study / "data" / "ner"
    parts = {
        part: conll.read(tagged / source / f"{part}.txt").sentences for part in ("train", "valid", "test")
    }
    learnt = Text(drawn(parts["train"], options.sentences, 0), source)
    with torch_threads(1):
        model = train(
            vectors(options.study, source),
            learnt,
            Text(parts["valid"], source),
            fit_settings=TaggerFitSettings(options.epochs),
        )
        abroad = conll.read(tagged / TARGET / "test.txt").sentences
        texts = {source: parts["test"], TARGET: abroad}
        found = {code: judged(find(model, gold, code), gold) for code, gold in texts.items()}
    command = shlex.join(["python", "studies/calibration.py", *sys.argv[1:]])
    facts = {"command": command, "version": ja.__version__, "languages": found}
    print(json.dumps(facts, indent=1))
    with atomic(Path(__file__).parent / "results" / "calibration.json", "w") as file:
        json.dump(facts, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
